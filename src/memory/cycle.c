/* rheo_cycle: one memory element in one periodic cycle, from names and texts to numbers. */
#include "memory/memory.h"
#include "rheo/memory.h"

#include <math.h>

enum { COOKIE = 0x6379636c };

rheo_cycle_def rheo_cycle_default(void) {
    return (rheo_cycle_def){
        .kernel = "leaky-integrator",
        .protocol = "sawtooth",
        .nonlinearity = "dead-zone",
        .fast = 1e-3,
        .slow = 50e-3,
        .cookie = COOKIE,
    };
}

static const char *kernel_name(const void *ctx, int i) {
    (void)ctx;
    return i < RH_N_KERNEL ? RH_KERNELS[i]->name : NULL;
}

static const char *protocol_name(const void *ctx, int i) {
    (void)ctx;
    return i < RH_N_PROTOCOL ? RH_PROTOCOLS[i]->name : NULL;
}

static const char *nonlinearity_name(const void *ctx, int i) {
    (void)ctx;
    return RH_NONLINEARITIES[i];
}

static const char *field_name(const void *ctx, int i) {
    const rh_kernel *const kernel = ctx;
    return i < kernel->n_field ? kernel->fields[i].name : NULL;
}

/* "unknown kernel 'x'", with the nearest name or else all of them. */
static rheo_status unknown(const char *what, const char *word, size_t n, rh_name_at at, const void *ctx,
                           rheo_error *err) {
    char shown[64], copy[64] = "", all[160] = "";
    snprintf(copy, sizeof copy, "%.*s", (int)(n < sizeof copy ? n : sizeof copy - 1), word);
    rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "unknown %s '%s'", what, rh_escape(word, n, shown, sizeof shown));
    const char *const near = rh_suggest(copy, at, ctx);
    if (near) {
        rh_hint(err, "did you mean '%s'?", near);
        return RHEO_E_USAGE;
    }
    for (int i = 0; at(ctx, i); i++) {
        const size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i > 0 ? ", " : "", at(ctx, i));
    }
    rh_hint(err, "known: %s", all);
    return RHEO_E_USAGE;
}

static rheo_status find(const char *what, const char *word, rh_name_at at, const void *ctx, int *index,
                        rheo_error *err) {
    if (!word) return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "no %s given", what);
    for (int i = 0; at(ctx, i); i++) {
        if (!rh_streq(word, at(ctx, i))) continue;
        *index = i;
        return RHEO_OK;
    }
    return unknown(what, word, strlen(word), at, ctx, err);
}

static rheo_status read_value(const rh_kernel_field *field, const char *text, double *value, rheo_error *err) {
    char shown[64], lo[32], hi[32], hint[160];
    rh_escape(text, strlen(text), shown, sizeof shown);
    if (isinf(field->max) && (rh_streq(text, "inf") || rh_streq(text, "infinity"))) {
        *value = INFINITY;
        return RHEO_OK;
    }
    const rh_number number = rh_number_parse_all(text, strlen(text));
    if (number.fault != RH_NUM_OK) {
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "%s: '%s': %s", field->name, shown,
                rh_number_fault_text(number.fault));
        if (rh_number_hint(text, strlen(text), field->unit, hint, sizeof hint)) rh_hint(err, "%s", hint);
        return RHEO_E_USAGE;
    }
    if (!rh_unit_fits(number.unit, field->unit)) {
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "%s: '%s' must be in %s, not in %s", field->name, shown, field->unit,
                rh_unit_written(text, strlen(text), &number));
        rh_hint(err, "%s", rh_unit_hint(text, strlen(text), field->unit, hint, sizeof hint));
        return RHEO_E_USAGE;
    }
    if (!(number.value >= field->min && number.value <= field->max))
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: '%s' is outside %s to %s %s", field->name, shown,
                       rh_number_text(field->min, lo), rh_number_text(field->max, hi), field->unit);
    *value = number.value;
    return RHEO_OK;
}

static rheo_status read_param(const rh_kernel *kernel, const char *text, double *par, bool *given, rheo_error *err) {
    const char *const equals = text ? strchr(text, '=') : NULL;
    char shown[64];
    if (!equals)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "parameter '%s' is not of the form name=value",
                       text ? rh_escape(text, strlen(text), shown, sizeof shown) : "");
    const size_t n = (size_t)(equals - text);
    for (int i = 0; i < kernel->n_field; i++) {
        char name[32];
        if (n >= sizeof name) break;
        memcpy(name, text, n);
        name[n] = '\0';
        if (!rh_streq(name, kernel->fields[i].name)) continue;
        if (given[i])
            return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "parameter %s is given twice", kernel->fields[i].name);
        given[i] = true;
        return read_value(&kernel->fields[i], equals + 1, &par[i], err);
    }
    char what[64];
    snprintf(what, sizeof what, "parameter of %s", kernel->name);
    return unknown(what, text, n, field_name, kernel, err);
}

static rheo_status read_filter(const rheo_cycle_def *def, rh_filter *filter, rheo_error *err) {
    double par[RH_MAX_PAR] = { 0 };
    bool given[RH_MAX_PAR] = { false };
    int k = 0;
    RHEO_TRY(find("kernel", def->kernel, kernel_name, NULL, &k, err));
    const rh_kernel *const kernel = RH_KERNELS[k];
    if (def->n_param < 0 || (def->n_param > 0 && !def->param))
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "parameters are announced but not given");
    for (int i = 0; i < kernel->n_field; i++) par[i] = kernel->fields[i].def;
    for (int i = 0; i < def->n_param; i++) RHEO_TRY(read_param(kernel, def->param[i], par, given, err));
    kernel->build(par, filter);
    return RHEO_OK;
}

static rheo_status check_number(const char *name, double x, bool fine, const char *must, rheo_error *err) {
    if (fine && isfinite(x)) return RHEO_OK;
    return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s is %g, must be %s", name, x, must);
}

static rheo_status check(const rheo_cycle_def *def, int n, const double *amplitude, const double *dw, rheo_error *err) {
    if (!def || def->cookie != COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                       "the settings of a cycle must start from rheo_cycle_default()");
    if (n < 0 || (n > 0 && (!amplitude || !dw)))
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "no amplitudes given");
    RHEO_TRY(check_number("fast", def->fast, def->fast > 0, "above 0 s and finite", err));
    RHEO_TRY(check_number("slow", def->slow, def->slow > 0, "above 0 s and finite", err));
    RHEO_TRY(check_number("threshold", def->threshold, def->threshold >= 0, "at least 0 and finite", err));
    RHEO_TRY(check_number("average", def->average, true, "finite", err));
    for (int i = 0; i < n; i++) RHEO_TRY(check_number("amplitude", amplitude[i], true, "finite", err));
    return RHEO_OK;
}

/* s = average - A/2 + A h, and B_1(h) = 2 h. */
static void fill_coef(const rheo_cycle_def *def, int n, const double *amplitude, double *coef) {
    for (int i = 0; i < n; i++) {
        coef[i] = def->average - amplitude[i] / 2;
        coef[n + i] = amplitude[i] / 2;
    }
}

static rheo_status write_all(const rh_closed *t, const rh_write_def *write, const rheo_cycle_def *def, int n,
                             const double *amplitude, double *dw, double *u_max, double *u_min, rheo_error *err) {
    double *const coef =
        rh_calloc(4 * (size_t)n, sizeof *coef); /* c_0, c_1, and both extremes where they are not wanted */
    double *const work = rh_calloc(rh_closed_work(t), sizeof *work);
    rheo_status status = coef && work ? RHEO_OK : RH_NOMEM(err);
    if (status == RHEO_OK) {
        const bool extremes = u_max || u_min;
        double *const hi = u_max ? u_max : coef + 2 * (size_t)n, *const lo = u_min ? u_min : coef + 3 * (size_t)n;
        fill_coef(def, n, amplitude, coef);
        rh_closed_write(t, write, n, 2, coef, n, NULL, dw, extremes ? hi : NULL, extremes ? lo : NULL, work);
        for (int i = 0; i < n && status == RHEO_OK; i++)
            if (!isfinite(dw[i]))
                status = rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE,
                                 "amplitude %g overflows on its way through the cycle", amplitude[i]);
    }
    rh_free(coef);
    rh_free(work);
    return status;
}

rheo_status rheo_cycle(const rheo_cycle_def *def, int n, const double *amplitude, double *dw, double *u_max,
                       double *u_min, rheo_error *err) {
    RHEO_TRY(check(def, n, amplitude, dw, err));
    rh_filter filter;
    rh_ramp ramp[RH_MAX_RAMP];
    rh_closed *t = NULL;
    int protocol = 0, nonlinearity = 0;
    RHEO_TRY(read_filter(def, &filter, err));
    RHEO_TRY(find("protocol", def->protocol, protocol_name, NULL, &protocol, err));
    RHEO_TRY(find("nonlinearity", def->nonlinearity, nonlinearity_name, NULL, &nonlinearity, err));
    const int n_ramp = RH_PROTOCOLS[protocol]->build(def->fast, def->slow, ramp);
    RHEO_TRY(rh_closed_open(&t, &filter, ramp, n_ramp, 1, RH_PERIODIC, err));
    const rh_write_def write = { .nonlinearity = (rh_nonlinearity)nonlinearity, .threshold = def->threshold };
    const rheo_status status = write_all(t, &write, def, n, amplitude, dw, u_max, u_min, err);
    rh_closed_close(t);
    return status;
}
