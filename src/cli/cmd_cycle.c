/* rheo cycle: what one memory element writes in one cycle. */
#include "cli/cli.h"
#include "memory/memory.h"
#include "rheo/memory.h"

#include <math.h>

static const rh_option OPTIONS[] = {
    { "amplitude", 'A', RH_OPT_TEXT, "A[,A...]", "s_clamped - s_free, or a range LO:HI:N; may be repeated", 0, 0,
      NULL },
    { "kernel", 'k', RH_OPT_TEXT, "NAME", "memory: `rheo kinds kernels` lists them (leaky-integrator)", 0, 0, NULL },
    { "param", 'p', RH_OPT_TEXT, "NAME=VALUE", "parameter of the kernel; may be repeated", 0, 0, NULL },
    { "r", 'R', RH_OPT_NUMBER, "OHM", "with --c instead of --param tau: the leaky integrator has tau = R C", 1e-3, 1e18,
      NULL },
    { "c", 'C', RH_OPT_NUMBER, "FARAD", "its capacitor", 1e-21, 1e6, NULL },
    { "protocol", 0, RH_OPT_TEXT, "NAME", "sawtooth, square or triangle (sawtooth)", 0, 0, NULL },
    { "nonlinearity", 0, RH_OPT_TEXT, "NAME", "dead-zone, cubic or none (dead-zone)", 0, 0, NULL },
    { "fast", 0, RH_OPT_NUMBER, "SECONDS", "rise from free to clamped (1m)", 1e-15, 1e9, NULL },
    { "slow", 0, RH_OPT_NUMBER, "SECONDS", "fall from clamped to free (50m)", 1e-15, 1e9, NULL },
    { "threshold", 0, RH_OPT_NUMBER, "U", "of the nonlinearity, in units of s per second (0)", 0, 1e300, NULL },
    { "average", 0, RH_OPT_NUMBER, "S", "(s_free + s_clamped)/2 (0)", -1e300, 1e300, NULL },
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

enum { MAX_POINT = 1000000 };

typedef struct points {
    double *a;
    int n, cap;
} points;

static rheo_status add_point(points *p, double a, rheo_error *err) {
    if (p->n >= MAX_POINT)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--amplitude: more than %d values", MAX_POINT);
    if (!rh_grow(&p->a, &p->cap, p->n + 1, sizeof *p->a)) return RH_NOMEM(err);
    p->a[p->n++] = a;
    return RHEO_OK;
}

static rheo_status number(const char *text, size_t n, double *x, rheo_error *err) {
    char shown[60];
    const rh_number v = rh_number_parse_all(text, n);
    *x = v.value;
    if (v.fault == RH_NUM_OK && *v.unit)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                       "--amplitude: '%s' has a unit: amplitudes are bare numbers, in V^2",
                       rh_escape(text, n, shown, sizeof shown));
    if (v.fault == RH_NUM_OK) return RHEO_OK;
    return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--amplitude: '%s': %s", rh_escape(text, n, shown, sizeof shown),
                   rh_number_fault_text(v.fault));
}

/* "lo:hi:n": n points, both ends included. */
static rheo_status add_range(points *p, const char *text, size_t n, rheo_error *err) {
    const char *const end = text + n, *const c1 = memchr(text, ':', n),
                      *const c2 = memchr(c1 + 1, ':', (size_t)(end - c1 - 1));
    double lo, hi, count;
    if (!c2) return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--amplitude: a range is written LO:HI:N");
    RHEO_TRY(number(text, (size_t)(c1 - text), &lo, err));
    RHEO_TRY(number(c1 + 1, (size_t)(c2 - c1 - 1), &hi, err));
    RHEO_TRY(number(c2 + 1, (size_t)(end - c2 - 1), &count, err));
    if (!(count >= 2 && count <= MAX_POINT && count == floor(count)))
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--amplitude: the N of LO:HI:N is 2 to %d", MAX_POINT);
    for (int i = 0; i < (int)count; i++) { /* both ends exactly */
        const double t = i / (count - 1);
        RHEO_TRY(add_point(p, lo * (1 - t) + hi * t, err));
    }
    return RHEO_OK;
}

static rheo_status add_list(points *p, const char *text, rheo_error *err) {
    for (;;) {
        const size_t n = strcspn(text, ",");
        double a;
        if (memchr(text, ':', n)) {
            RHEO_TRY(add_range(p, text, n, err));
        } else {
            RHEO_TRY(number(text, n, &a, err));
            RHEO_TRY(add_point(p, a, err));
        }
        if (!text[n]) return RHEO_OK;
        text += n + 1;
    }
}

static void print(const rh_cli *cli, rh_buf *b, const points *p, const double *dw, const double *u_max,
                  const double *u_min) {
    const char *const NAMES[] = { "amplitude", "dw", "u_max", "u_min" };
    const double *const column[] = { p->a, dw, u_max, u_min };
    if (!cli->json) rh_buf_puts(b, "amplitude,dw,u_max,u_min\n");
    for (int i = 0; i < p->n; i++) {
        if (cli->json) rh_buf_puts(b, "{\"event\":\"cycle\"");
        for (int c = 0; c < RH_COUNT(column); c++) {
            if (cli->json) {
                rh_json_number(b, NAMES[c], column[c][i]);
                continue;
            }
            if (c) rh_buf_puts(b, ",");
            rh_buf_number(b, column[c][i]);
        }
        rh_buf_puts(b, cli->json ? "}\n" : "\n");
    }
}

static rheo_cycle_def settings(const rh_cli *cli) {
    rheo_cycle_def d = rheo_cycle_default();
    d.kernel = rh_opt_text(cli, "kernel", d.kernel);
    d.protocol = rh_opt_text(cli, "protocol", d.protocol);
    d.nonlinearity = rh_opt_text(cli, "nonlinearity", d.nonlinearity);
    d.fast = rh_opt_number(cli, "fast", d.fast);
    d.slow = rh_opt_number(cli, "slow", d.slow);
    d.threshold = rh_opt_number(cli, "threshold", d.threshold);
    d.average = rh_opt_number(cli, "average", d.average);
    return d;
}

/* --r and --c as the parameter tau, behind those that were given. text: the room for it. */
static rheo_status add_tau(const rh_cli *cli, rheo_cycle_def *d, const char ***param, char text[40], rheo_error *err) {
    const bool r = rh_opt_given(cli, "r"), c = rh_opt_given(cli, "c");
    char value[32];
    if (!r && !c) return RHEO_OK;
    if (!r || !c) {
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--%s is half of tau = R C", r ? "r" : "c");
        rh_hint(err, "give --%s as well", r ? "c" : "r");
        return RHEO_E_USAGE;
    }
    if (!rh_streq(d->kernel, "leaky-integrator")) {
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                "--r and --c make the tau of the leaky integrator, and this is another kernel");
        rh_hint(err, "give its parameters by --param: `rheo kinds kernels` lists them");
        return RHEO_E_USAGE;
    }
    for (int i = 0; i < d->n_param; i++)
        if (strncmp((*param)[i], "tau=", 4) == 0) {
            rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--r and --c give tau, and so does --param %s", (*param)[i]);
            rh_hint(err, "leave one of them out");
            return RHEO_E_USAGE;
        }
    const double tau = rh_opt_number(cli, "r", 0) * rh_opt_number(cli, "c", 0);
    const char **const more = rh_realloc(*param, (size_t)d->n_param + 1, sizeof *more);
    if (!more) return RH_NOMEM(err);
    snprintf(text, 40, "tau=%s", rh_number_text(tau, value));
    more[d->n_param++] = text;
    *param = more;
    rh_cli_note(cli, "tau = R C = %s", rh_number_human(tau, "s", value, sizeof value));
    return RHEO_OK;
}

static rheo_status compute(const rh_cli *cli, points *p, rh_buf *b, rheo_error *err) {
    rheo_cycle_def d = settings(cli);
    char tau[40];
    for (int i = 0; rh_opt_nth(cli, "amplitude", i); i++) RHEO_TRY(add_list(p, rh_opt_nth(cli, "amplitude", i), err));
    if (p->n == 0) {
        const rheo_status st = rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "rheo cycle needs --amplitude");
        rh_hint(err, "amplitudes in V^2, s_clamped - s_free: --amplitude 20m,50m or a range --amplitude -1:1:201");
        return st;
    }
    const char **param = rh_opt_all(cli, "param", &d.n_param);
    double *const out = rh_calloc((size_t)p->n, 3 * sizeof *out);
    rheo_status st = param && out ? RHEO_OK : RH_NOMEM(err);
    if (st == RHEO_OK) st = add_tau(cli, &d, &param, tau, err);
    d.param = param;
    if (st == RHEO_OK) st = rheo_cycle(&d, p->n, p->a, out, out + p->n, out + 2 * (size_t)p->n, err);
    if (st == RHEO_OK) print(cli, b, p, out, out + p->n, out + 2 * (size_t)p->n);
    rh_free(param);
    rh_free(out);
    return st;
}

static rheo_status run(rh_cli *cli) {
    rheo_error err = { 0 };
    points p = { 0 };
    rh_buf b = { 0 };
    const rheo_status st = compute(cli, &p, &b, &err);
    rh_free(p.a);
    if (st == RHEO_OK) return rh_cli_write(cli, &b);
    rh_buf_free(&b);
    return rh_cli_failed(cli, st, &err);
}

const rh_command rh_cmd_cycle = {
    .name = "cycle",
    .summary = "what a memory element writes in one cycle, as CSV",
    .usage = "[options] --amplitude A[,A...]",
    .examples =
        "  rheo cycle --kernel leaky-integrator -p tau=50u --fast 1m --slow 50m --threshold 50 --amplitude 0.5\n"
        "  rheo cycle --r 5k --c 10n --fast 1m --slow 50m --threshold 50 --amplitude 0.5    tau is 50u\n"
        "  rheo cycle --threshold 50 --amplitude -1:1:201 > response.csv    from 50 x fast to 50 x slow it writes\n",
    .options = OPTIONS,
    .min_operand = 0,
    .max_operand = 0,
    .run = run,
    .notes = "A dead zone writes amplitudes between threshold x fast and threshold x slow. Columns: amplitude, dw (the "
             "integral of g(u) over one cycle, in the unit of s), u_max and u_min (s per "
             "second).\n",
};
