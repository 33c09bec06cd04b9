/* progress.c: one line on the terminal, written over and over: bar, what is going on, rate, time left. */
#include "cli/cli.h"

#include <sys/ioctl.h>
#include <unistd.h>

struct rh_bar {
    bool terminal, begun;
    double shown;                   /* seconds at the last update */
    double part0, steps0, seconds0; /* at the first: a resumed run does not begin at zero */
};
#define INTERVAL 0.1 /* s between updates */
enum { BAR = 20 };

rh_bar *rh_bar_create(rh_cli *cli) {
    rh_bar *const b = rh_calloc(1, sizeof *b);
    if (b) b->terminal = !cli->quiet && !cli->json && isatty(STDERR_FILENO);
    return b;
}

void rh_bar_destroy(rh_bar *b) {
    if (b && b->terminal && b->begun) fputs("\r\033[K", stderr);
    rh_free(b);
}

static int width(void) {
    struct winsize w;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0 ? w.ws_col : 80;
}

static void time_text(double s, char *buf, size_t size) {
    const long t = s < 0 ? 0 : s > 3.6e8 ? 360000000L : (long)(s + 0.5);
    if (t < 60)
        snprintf(buf, size, "%lds", t);
    else if (t < 3600)
        snprintf(buf, size, "%ldm%02lds", t / 60, t % 60);
    else
        snprintf(buf, size, "%ldh%02ldm", t / 3600, t / 60 % 60);
}

static void draw(const rh_bar *b, double part, const char *text, double steps, double seconds) {
    char line[400], left[32] = "", rate[48] = "", bar[BAR + 1];
    const double spent = seconds - b->seconds0, done = part - b->part0;
    for (int i = 0; i < BAR; i++) bar[i] = part * BAR >= i + 1 ? '#' : '.';
    bar[BAR] = '\0';
    if (spent > 0 && steps > b->steps0) {
        rh_number_human((steps - b->steps0) / spent, "", left, sizeof left);
        snprintf(rate, sizeof rate, "  %s steps/s", left);
        left[0] = '\0';
    }
    if (done > 0 && spent > 0) time_text(spent * (1 - part) / done, left, sizeof left);
    const int n = snprintf(line, sizeof line, "[%s] %3.0f %%  %s%s%s%s", bar, 100 * part, text, rate,
                           left[0] ? "  ETA " : "", left);
    const int most = width() - 1; /* the last column would scroll some terminals */
    fprintf(stderr, "\r%.*s\033[K", n < most ? n : most > 0 ? most : 0, line);
    fflush(stderr);
}

void rh_bar_show(rh_bar *b, double part, const char *text, double steps, double seconds) {
    if (!b->terminal) return;
    if (!b->begun) {
        b->begun = true;
        b->part0 = part;
        b->steps0 = steps;
        b->seconds0 = seconds;
    } else if (seconds - b->shown < INTERVAL && part < 1) {
        return;
    }
    b->shown = seconds;
    draw(b, part, text, steps, seconds);
}
