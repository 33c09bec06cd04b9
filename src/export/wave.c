/* wave.c: sources that show one sample after another.
 *
 * Programs read one PWL source with n points in a time that grows like n^2 and search it from the beginning at every
 * step, so a long list is cut into pieces. Each piece holds what has changed since the one before: they add up without
 * a gap, and none has to be taken back. */
#include "export/export.h"

#define POINTS_PER_LINE 6

typedef struct wave {
    rh_buf *b;
    const rh_timetable *t;
    const double *x; /* [n_slot] */
    int slot;        /* next to be looked at */
    int n_change;    /* left */
} wave;

static int count_changes(const rh_timetable *t, const double *x) {
    int n = 0;
    for (int k = 1; k < t->n_slot; k++) n += x[k] != x[k - 1];
    return n;
}

static void put_point(rh_buf *b, int *n, double t, double v) {
    rh_buf_puts(b, *n > 0 && *n % POINTS_PER_LINE == 0 ? "\n+ " : " ");
    rh_buf_number(b, t);
    rh_buf_puts(b, " ");
    rh_buf_number(b, v);
    ++*n;
}

/* At most RH_EXPORT_CHUNK changes, as differences from `base`. */
static void put_piece(wave *w, double base) {
    int n = 0, n_change = 0;
    rh_buf_puts(w->b, " PWL(");
    put_point(w->b, &n, 0, w->slot == 0 ? w->x[0] : 0);
    int k = w->slot > 0 ? w->slot : 1;
    for (; k < w->t->n_slot && n_change < RH_EXPORT_CHUNK; k++) {
        if (w->x[k] == w->x[k - 1]) continue;
        const double from = (double)k * w->t->period + w->t->dwell;
        put_point(w->b, &n, from, w->x[k - 1] - base);
        put_point(w->b, &n, from + w->t->move, w->x[k] - base);
        n_change++;
    }
    w->slot = k;
    w->n_change -= n_change;
    rh_buf_puts(w->b, ")\n");
}

/* Node between two pieces of a source in series: the name of the source and a number. */
static void put_inner(rh_buf *b, const char *name, int piece, int n_piece, const char *end) {
    if (piece == n_piece)
        rh_buf_puts(b, end);
    else
        rh_buf_printf(b, "q%s.%d", name, piece);
}

void rh_export_wave(rh_buf *b, const rh_timetable *t, char letter, const char *name, const char *p, const char *n,
                    const double *x) {
    wave w = { .b = b, .t = t, .x = x, .n_change = count_changes(t, x) };
    if (w.n_change == 0) {
        rh_buf_printf(b, "%c%s %s %s ", letter, name, p, n);
        rh_buf_number(b, x[0]);
        rh_buf_puts(b, "\n");
        return;
    }
    const int n_piece = (w.n_change + RH_EXPORT_CHUNK - 1) / RH_EXPORT_CHUNK;
    for (int i = 0; i < n_piece; i++) {
        rh_buf_printf(b, "%c%s.%d ", letter, name, i + 1);
        if (letter == 'V' && i > 0)
            put_inner(b, name, i, n_piece, n);
        else
            rh_buf_puts(b, p);
        rh_buf_puts(b, " ");
        if (letter == 'V')
            put_inner(b, name, i + 1, n_piece, n);
        else
            rh_buf_puts(b, n);
        put_piece(&w, i > 0 ? x[w.slot - 1] : 0);
    }
}
