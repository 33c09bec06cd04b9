/* waveforms.c: two teeth of one edge as SVG.
 *
 * The fast ramp is four orders shorter than the slow one, so a slot is drawn in three parts, each with its own scale of
 * time; u spans decades, so its axis is linear within the threshold and logarithmic beyond (asinh). */
#include "run/waveforms.h"
#include "machine/inside.h"
#include "run/stepper.h"

#include <math.h>

enum { TEETH = 2, PARTS = 3, N_PART = TEETH * PARTS, N_PANEL = 5, FINE = 10 };
enum { LEVEL, S, U, Z, W };

#define WIDTH 1000.0
#define LEFT 76.0
#define RIGHT 14.0
#define TOP 112.0
#define GAP 8.0    /* between parts */
#define SPACE 34.0 /* between panels */
#define BOTTOM 52.0

static const double HEIGHT[N_PANEL] = { 64, 104, 150, 150, 110 }, SHARE[PARTS] = { 0.2, 0.46, 0.34 };
static const char *const COLOUR[N_PANEL] = { "#444444", "#0072b2", "#c1440e", "#00795a", "#8a4f9e" };

typedef struct point {
    double t, y[N_PANEL];
} point;

typedef struct picture {
    const rheo_experiment *x;
    int edge, tooth;
    rh_timing timing;
    rh_pump pump;
    double begin, w_first; /* s: the first slot shown; S */
    point *p;
    int n, cap;
    bool full;                                                    /* out of memory */
    double from[N_PART], to[N_PART], left[N_PART], width[N_PART]; /* s; pixels */
    double low[N_PANEL], high[N_PANEL], top[N_PANEL];
    rh_buf b;
} picture;

/* ---- collecting ---- */

static double through(const double *x, const double *y, int stride, int n, double at) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double l = y[(size_t)i * (size_t)stride];
        for (int j = 0; j < n; j++)
            if (j != i) l *= (at - x[j]) / (x[i] - x[j]);
        sum += l;
    }
    return sum;
}

static void see(void *user, const rh_scene *q) {
    picture *const f = user;
    const int n = f->x->circuit->n_edge, last = q->n - 1;
    if (q->t[0] < f->begin - 1e-9 * f->timing.period || f->full) return;
    if (!rh_grow(&f->p, &f->cap, f->n + FINE + 1, sizeof *f->p)) {
        f->full = true;
        return;
    }
    for (int i = 0; i <= FINE; i++) {
        const double x = (double)i / FINE, t = q->t[0] + x * (q->t[last] - q->t[0]);
        point *const p = &f->p[f->n++];
        const double u = through(q->t, q->u + f->edge, n, q->n, t), on = q->on[0] + x * (q->on[last] - q->on[0]);
        p->t = t - f->begin;
        p->y[LEVEL] = q->level[0] + x * (q->level[last] - q->level[0]);
        p->y[S] = through(q->t, q->s + f->edge, n, q->n, t);
        p->y[U] = u;
        p->y[Z] = on * rh_pump_current(&f->pump, u);
        p->y[W] = through(q->t, q->w + f->edge, n, q->n, t);
    }
}

static rheo_status collect(picture *f, const rheo_log *log, rheo_error *err) {
    const rheo_experiment *const x = f->x;
    const int n_train = x->task.n_train;
    rh_machine *m = NULL;
    int *const order = rh_calloc((size_t)n_train, sizeof *order);
    rheo_status st = order ? rh_experiment_machine(&m, x, log, err) : RH_NOMEM(err);
    for (int k = 0; k < f->tooth - 1 + TEETH && st == RHEO_OK; k++) {
        if (k % n_train == 0) rh_experiment_order(x, k / n_train, order);
        if (k == f->tooth - 1) {
            f->w_first = rh_machine_stored(m)[f->edge];
            rh_machine_watch(m, see, f);
        }
        st = rh_machine_slot(m, order[k % n_train], err);
    }
    if (st == RHEO_OK && f->full) st = RH_NOMEM(err);
    rh_machine_close(m);
    rh_free(order);
    return st;
}

/* ---- scales ---- */

static double squash(const picture *f, double u) { return asinh(3 * u / (f->pump.open > 0 ? f->pump.threshold : 3)); }

static double place_y(const picture *f, int panel, double y) {
    const double v = panel == U || panel == Z ? squash(f, y) : panel == W ? y - f->w_first : y;
    return f->top[panel] + HEIGHT[panel] * (f->high[panel] - v) / (f->high[panel] - f->low[panel]);
}

static double place_t(const picture *f, int part, double t) {
    return f->left[part] + f->width[part] * (t - f->from[part]) / (f->to[part] - f->from[part]);
}

/* A round step of which about n fit. */
static double round_step(double range, double n) {
    const double rough = range / n, power = pow(10, floor(log10(rough))), lead = rough / power;
    return power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
}

/* Slots begin with the change of samples; the fast part begins a little before the tooth and lasts some times of the
 * memory. */
static void lay_out(picture *f) {
    const double time = rh_memory_time(&f->x->learn), room = WIDTH - LEFT - RIGHT - GAP * (N_PART - 1);
    double x = LEFT, y = TOP;
    for (int i = 0; i < N_PART; i++) {
        const double slot = (i / PARTS) * f->timing.period, tooth = slot + f->timing.tooth,
                     fast = fmin(f->timing.rise + 7 * time, f->timing.rise + f->timing.fall / 4);
        const double edge[PARTS + 1] = { slot, tooth - 0.08 * fast, tooth + fast, slot + f->timing.period };
        f->from[i] = edge[i % PARTS];
        f->to[i] = edge[i % PARTS + 1];
        f->left[i] = x;
        f->width[i] = room * SHARE[i % PARTS] / TEETH;
        x += f->width[i] + GAP;
    }
    for (int k = 0; k < N_PANEL; k++) {
        f->top[k] = y;
        y += HEIGHT[k] + SPACE;
        f->low[k] = f->high[k] = 0;
        for (int i = 0; i < f->n; i++) {
            const double raw = f->p[i].y[k], v = k == U || k == Z ? squash(f, raw) : k == W ? raw - f->w_first : raw;
            f->low[k] = fmin(f->low[k], v);
            f->high[k] = fmax(f->high[k], v);
        }
    }
    const double threshold = f->pump.open > 0 ? squash(f, 1.6 * f->pump.threshold) : 0;
    f->low[U] = f->low[Z] = fmin(f->low[U], -threshold); /* the same scale, so that they compare */
    f->high[U] = f->high[Z] = fmax(f->high[U], threshold);
    for (int k = 0; k < N_PANEL; k++) {
        const double pad = 0.06 * (f->high[k] - f->low[k]) + (f->high[k] > f->low[k] ? 0 : 1e-30);
        f->high[k] += pad;
        f->low[k] -= k == S || k == LEVEL ? pad / 3 : pad;
    }
}

/* ---- drawing ---- */

static void number(picture *f, const char *before, double x) {
    rh_buf_puts(&f->b, before);
    rh_buf_number(&f->b, round(10 * x) / 10);
}

static void line(picture *f, double x1, double y1, double x2, double y2, const char *style) {
    number(f, "<path d=\"M", x1);
    number(f, " ", y1);
    number(f, "L", x2);
    number(f, " ", y2);
    rh_buf_printf(&f->b, "\" %s/>\n", style);
}

static void open_text(picture *f, double x, double y, const char *style) {
    number(f, "<text x=\"", x);
    number(f, "\" y=\"", y);
    rh_buf_printf(&f->b, "\" %s>", style);
}

static void label(picture *f, double x, double y, const char *style, const char *text) {
    open_text(f, x, y, style);
    for (const char *s = text; *s; s++) {
        if (*s == '<' || *s == '&')
            rh_buf_puts(&f->b, *s == '<' ? "&lt;" : "&amp;");
        else
            rh_buf_add(&f->b, s, 1);
    }
    rh_buf_puts(&f->b, "</text>\n");
}

/* As people write it: with a micro sign. */
static const char *human(double x, const char *unit, char *text, size_t size) {
    char plain[48];
    const char *const u = strchr(rh_number_human(x, unit, plain, sizeof plain), 'u');
    if (u)
        snprintf(text, size, "%.*s\xc2\xb5%s", (int)(u - plain), plain, u + 1);
    else
        snprintf(text, size, "%s", plain);
    return text;
}

static void value_label(picture *f, double x, double y, const char *style, double value, const char *unit) {
    char text[48];
    const char *const minus = value < 0 ? "\xe2\x88\x92" : ""; /* a true minus */
    open_text(f, x, y, style);
    rh_buf_printf(&f->b, "%s%s</text>\n", minus, human(fabs(value), unit, text, sizeof text));
}

#define GRID "stroke=\"#e3e3e3\" stroke-width=\"1\""
#define AXIS "stroke=\"#b5b5b5\" stroke-width=\"1\""
#define DASH "stroke=\"#777\" stroke-width=\"1.2\" stroke-dasharray=\"5 4\""
#define RIGHT_TEXT "class=\"t\" text-anchor=\"end\""
#define MIDDLE_TEXT "class=\"t\" text-anchor=\"middle\""

static double bottom(const picture *f) { return f->top[N_PANEL - 1] + HEIGHT[N_PANEL - 1]; }

static void put_parts(picture *f) {
    static const char *const TINT[PARTS] = { "#f6f6f6", "#fff7ea", "#eef5fb" };
    static const char *const NAME[PARTS] = { "inputs move", "fast rise, then the memory fades", "slow fall" };
    for (int i = 0; i < N_PART; i++) {
        const double middle = f->left[i] + f->width[i] / 2;
        for (int k = 0; k < N_PANEL; k++) {
            number(f, "<rect x=\"", f->left[i]);
            number(f, "\" y=\"", f->top[k]);
            number(f, "\" width=\"", f->width[i]);
            number(f, "\" height=\"", HEIGHT[k]);
            rh_buf_printf(&f->b, "\" fill=\"%s\"/>\n", TINT[i % PARTS]);
        }
        label(f, middle, TOP - 38, MIDDLE_TEXT, NAME[i % PARTS]);
        if (i % PARTS != 1) continue;
        open_text(f, middle, TOP - 58, "class=\"b\" text-anchor=\"middle\"");
        rh_buf_printf(&f->b, "tooth %d</text>\n", f->tooth + i / PARTS);
    }
}

/* Time since the beginning of the part; in the fast one since the tooth began. */
static void put_time_axis(picture *f) {
    for (int i = 0; i < N_PART; i++) {
        const double zero = i % PARTS == 1 ? (i / PARTS) * f->timing.period + f->timing.tooth : f->from[i];
        const double step = round_step(f->to[i] - zero, f->width[i] / 75);
        for (double t = 0; t <= (f->to[i] - zero) * (1 + 1e-9); t += step) {
            const double x = place_t(f, i, zero + t);
            for (int k = 0; k < N_PANEL; k++) line(f, x, f->top[k], x, f->top[k] + HEIGHT[k], GRID);
            line(f, x, bottom(f), x, bottom(f) + 4, AXIS);
            value_label(f, fmin(x, f->left[i] + f->width[i] - 8), bottom(f) + 18, MIDDLE_TEXT, t, "s");
        }
    }
    label(f, WIDTH / 2, bottom(f) + 40, MIDDLE_TEXT,
          "time, with a scale of its own in each part, from where the part or the tooth begins");
}

static void put_tick(picture *f, int panel, double y, const char *unit) {
    const double at = place_y(f, panel, panel == W ? y + f->w_first : y);
    for (int i = 0; i < N_PART; i++) line(f, f->left[i], at, f->left[i] + f->width[i], at, GRID);
    if (panel == S || panel == LEVEL) {
        open_text(f, LEFT - 7, at + 4, RIGHT_TEXT);
        char text[32]; /* steps of a grid: 3*0.1 is no longer 0.3 */
        snprintf(text, sizeof text, "%.9g", y);
        rh_buf_printf(&f->b, "%s</text>\n", text);
    } else {
        value_label(f, LEFT - 7, at + 4, RIGHT_TEXT, y, unit);
    }
}

static void put_ticks(picture *f, int panel) {
    if (panel == U || panel == Z) {
        const double least = f->pump.open > 0 ? pow(10, ceil(log10(4 * f->pump.threshold))) : 10;
        put_tick(f, panel, 0, "");
        for (double y = least; squash(f, y) < f->high[panel]; y *= 10) put_tick(f, panel, y, "");
        for (double y = least; - squash(f, y) > f->low[panel]; y *= 10) put_tick(f, panel, -y, "");
        return;
    }
    const double step = panel == LEVEL ? 1 : round_step(f->high[panel] - f->low[panel], HEIGHT[panel] / 34);
    for (double k = ceil(f->low[panel] / step); k * step <= f->high[panel]; k++)
        put_tick(f, panel, k == 0 ? 0 : k * step, panel == W ? "S" : "");
}

static void put_threshold(picture *f, int panel) {
    if (!(f->pump.open > 0)) return;
    for (int sign = -1; sign <= 1; sign += 2) {
        const double at = place_y(f, panel, sign * f->pump.threshold);
        for (int i = 0; i < N_PART; i++) line(f, f->left[i], at, f->left[i] + f->width[i], at, DASH);
        label(f, LEFT - 7, at + 4, RIGHT_TEXT, sign > 0 ? "+\xce\xb8" : "\xe2\x88\x92\xce\xb8");
    }
}

static void put_curve(picture *f, int panel) {
    double last_x = NAN, last_y = NAN;
    for (int part = 0; part < N_PART; part++) {
        bool open = false;
        for (int i = 0; i < f->n; i++) {
            const double t = f->p[i].t;
            if (t < f->from[part] - 1e-12 || t > f->to[part] + 1e-12) continue;
            const double x = place_t(f, part, t), y = place_y(f, panel, f->p[i].y[panel]);
            if (open && fabs(x - last_x) < 0.4 && fabs(y - last_y) < 0.4) continue;
            number(f, open ? "L" : "<path fill=\"none\" d=\"M", x);
            number(f, " ", y);
            open = true;
            last_x = x, last_y = y;
        }
        if (open)
            rh_buf_printf(&f->b, "\" stroke=\"%s\" stroke-width=\"1.9\" stroke-linejoin=\"round\"/>\n", COLOUR[panel]);
    }
}

static void put_heading(picture *f, int panel) {
    static const char *const TEXT[N_PANEL] = {
        "h: level of the nudge: the outputs are pulled toward their targets by h times its strength",
        "s = drop\xc2\xb2/2: what the edge feels, in V\xc2\xb2",
        ("u: what the memory leaves of s, in V\xc2\xb2/s: large where s moves fast; the axis is logarithmic beyond the "
         "threshold"),
        "g(u): what passes the dead zone while the pump is on, in V\xc2\xb2/s: the fast rise alone",
        "w: stored conductance, change since the first tooth shown",
    };
    char start[48];
    number(f, "<text x=\"", LEFT);
    number(f, "\" y=\"", f->top[panel] - 7);
    rh_buf_printf(&f->b, "\" class=\"t\" style=\"fill:%s;font-weight:bold\">%s", COLOUR[panel], TEXT[panel]);
    if (panel == W) rh_buf_printf(&f->b, ", from %s", human(f->w_first, "S", start, sizeof start));
    rh_buf_puts(&f->b, "</text>\n");
}

static void put_legend(picture *f) {
    if (!(f->pump.open > 0)) return;
    char text[32]; /* no prefix: mV^2 could be read two ways */
    const double x = WIDTH - RIGHT - 190, y = 26;
    line(f, x, y - 4, x + 34, y - 4, DASH);
    open_text(f, x + 42, y, "class=\"t\"");
    snprintf(text, sizeof text, "%.4g", f->pump.threshold);
    rh_buf_printf(&f->b, "dead zone, \xce\xb8 = %s V\xc2\xb2/s</text>\n", text);
}

static void put_title(picture *f) {
    const rheo_circuit *const c = f->x->circuit;
    char name[160], text[240];
    const char *const own = c->elem_name[c->edge_elem[f->edge]];
    snprintf(text, sizeof text, "Two teeth in the life of edge %s", rh_escape(own, strlen(own), name, sizeof name));
    label(f, LEFT, 26, "class=\"h\"", text);
}

static void draw(picture *f) {
    number(f, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", WIDTH);
    number(f, " ", bottom(f) + BOTTOM);
    number(f, "\" width=\"", WIDTH);
    number(f, "\" height=\"", bottom(f) + BOTTOM);
    rh_buf_puts(&f->b, "\" font-family=\"Helvetica, Arial, DejaVu Sans, sans-serif\">\n"
                       "<style>.t{font-size:12px}.b{font-size:13px;font-weight:bold}.h{font-size:17px;font-weight:bold}"
                       "text{fill:#222}</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
    put_title(f);
    put_legend(f);
    put_parts(f);
    put_time_axis(f);
    for (int k = 0; k < N_PANEL; k++) {
        put_ticks(f, k);
        if (k == U || k == Z) put_threshold(f, k);
        put_curve(f, k);
        put_heading(f, k);
    }
    rh_buf_puts(&f->b, "</svg>\n");
}

static rheo_status check(const rheo_experiment *x, int edge, int tooth, rheo_error *err) {
    const double n = (double)x->run.epochs * x->task.n_train;
    if (edge < 0 || edge >= x->circuit->n_edge)
        return rh_fail(err, RHEO_E_RANGE, RH_CODE_PICTURE, RH_NOWHERE, "there is no edge %d that learns", edge);
    if (tooth >= 1 && tooth + TEETH - 1 <= n) return RHEO_OK;
    const rheo_status st = rh_fail(err, RHEO_E_RANGE, RH_CODE_PICTURE, RH_NOWHERE,
                                   "teeth %d and %d are not among the %.0f of the experiment", tooth, tooth + 1, n);
    rh_hint(err, "two teeth are shown, from --tooth on");
    return st;
}

rheo_status rh_figure_waveforms(const rheo_experiment *x, int edge, int tooth, char **text, const rheo_log *log,
                                rheo_error *err) {
    RHEO_TRY(check(x, edge, tooth, err));
    RHEO_TRY(rh_timing_check(&x->learn, &RH_IN_TIME, err));
    picture f = { .x = x, .edge = edge, .tooth = tooth, .pump = rh_pump_of(&x->learn) };
    rh_timing_build(&x->learn, &f.timing);
    f.begin = (tooth - 1) * f.timing.period;
    rheo_status st = collect(&f, log, err);
    if (st == RHEO_OK) {
        lay_out(&f);
        draw(&f);
        if (f.b.bad) st = RH_NOMEM(err);
    }
    rh_free(f.p);
    if (st == RHEO_OK)
        *text = f.b.s;
    else
        rh_buf_free(&f.b);
    return st;
}
