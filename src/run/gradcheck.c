/* gradcheck.c: one learner says what it takes for the gradient; then its states are moved one by one, and the loss is
 * looked at. */
#include "run/gradcheck.h"

#include "circuit/circuit.h"

#include <math.h>
#include <stdlib.h>

/* The largest step: a change of the conductance by this share of it or of the mean one, and of a gate by this voltage.
 * The error of the formulas is of fourth order in it; digits are lost in proportion to its inverse. */
static const double SHARE = 2e-3, GATE = 1e-3;
enum { MOST_STEPS = 9 };
static const double AGREED = 1e-10, SHORTEST = 1e-4; /* where to stop: of the slope, and of the step */
/* Slopes below this share of the largest one, by gates and by conductances apart, vanish among the digits of the loss:
 * they are measured by that. */
static const double FLOOR = 1e-3;

static bool in_siemens(const rheo_experiment *x, int k) {
    return x->circuit->edge_source[k] < 0 && x->learn.state == RH_STATE_CONDUCTANCE;
}

static double mean_conductance(const rh_learner *l, const rheo_experiment *x) {
    double sum = 0;
    int n = 0;
    for (int k = 0; k < x->circuit->n_edge; k++)
        if (x->circuit->edge_source[k] < 0) sum += rh_learner_state(l, k), n++;
    return n ? sum / n : 0;
}

/* The slope from four or five losses around the state, or above it where it cannot fall so far. */
static rheo_status stencil(rh_learner *l, const int *sample, int n, int k, double h, bool above, double *out,
                           rheo_error *err) {
    static const double AT[2][5] = { { -2, -1, 1, 2 }, { 0, 1, 2, 3, 4 } },
                        WEIGHT[2][5] = { { 1, -8, 8, -1 }, { -25, 48, -36, 16, -3 } };
    double *const g = rh_learner_g(l), was = g[k], w = rh_learner_state(l, k), sum = 0;
    rheo_status st = RHEO_OK;
    for (int i = 0; i < 4 + above && st == RHEO_OK; i++) {
        rh_score score = { 0 };
        rh_learner_set_state(l, k, w + AT[above][i] * h);
        st = rh_learner_evaluate(l, sample, n, &score, err);
        sum += WEIGHT[above][i] * score.loss;
    }
    g[k] = was;
    rh_learner_touch(l);
    *out = sum / (12 * h);
    return st;
}

/* Losses and transistors have bends (margins, regions), and weak edges need long steps beside strong ones: of steps
 * that are each an eighth of the one before, that one whose successor agrees best, or well. */
static rheo_status difference(rh_learner *l, const rheo_experiment *x, int n, double mean, int k, double *out,
                              rheo_error *err) {
    const double g = rh_learner_g(l)[k], slope = fabs(rh_learner_slope(l, k));
    const double own = x->circuit->edge_source[k] >= 0 ? GATE : SHARE * g / slope;
    double h = in_siemens(x, k) ? fmax(own, SHARE * mean) : own, last = NAN, best = INFINITY;
    for (int i = 0; i < MOST_STEPS && (i < 2 || (h > SHORTEST * own && best > AGREED * fabs(last))); i++, h /= 8) {
        double d;
        RHEO_TRY(stencil(l, x->task.train, n, k, h, in_siemens(x, k) && h > g / 4, &d, err));
        if (i > 0 && fabs(d - last) < best) {
            best = fabs(d - last);
            *out = last;
        }
        last = d;
    }
    if (isinf(best)) *out = last;
    return RHEO_OK;
}

static int by_edge(const void *a, const void *b) {
    const int x = *(const int *)a, y = *(const int *)b;
    return (x > y) - (x < y);
}

static rheo_status pick(rh_gradcheck *out, int n_edge, uint64_t seed, rheo_error *err) {
    int *const order = rh_calloc((size_t)n_edge, sizeof *order);
    if (!order) return RH_NOMEM(err);
    rh_shuffle(seed, 4000, n_edge, order);
    qsort(order, (size_t)out->n, sizeof *order, by_edge);
    for (int i = 0; i < out->n; i++) out->row[i].edge = order[i];
    rh_free(order);
    return RHEO_OK;
}

static rheo_status fill(rh_learner *l, const rheo_experiment *x, rh_gradcheck *out, double *both, rheo_error *err) {
    const int n_edge = x->circuit->n_edge;
    const double mean = mean_conductance(l, x);
    RHEO_TRY(rh_learner_slopes(l, x->task.train, out->n_sample, both, both + n_edge, err));
    for (int i = 0; i < out->n; i++) {
        rh_gradcheck_row *const r = &out->row[i];
        r->state = rh_learner_state(l, r->edge);
        r->adjoint = both[r->edge];
        r->rule = both[n_edge + r->edge];
        RHEO_TRY(difference(l, x, out->n_sample, mean, r->edge, &r->difference, err));
    }
    return RHEO_OK;
}

/* ---- what it comes to ---- */

static double larger(const rh_gradcheck_row *r) { return fmax(fabs(r->adjoint), fabs(r->difference)); }

static void compare(const rheo_circuit *c, rh_gradcheck *g) {
    double largest[2] = { 0 }, rr = 0, dd = 0, rd = 0, off = 0;
    g->worst = -1;
    for (int i = 0; i < g->n; i++) {
        double *const most = &largest[c->edge_source[g->row[i].edge] >= 0];
        *most = fmax(*most, larger(&g->row[i]));
    }
    for (int i = 0; i < g->n; i++) {
        rh_gradcheck_row *const r = &g->row[i];
        const double floor = FLOOR * largest[c->edge_source[r->edge] >= 0];
        const double size = fmax(larger(r), floor), miss = fabs(r->adjoint - r->difference);
        r->relative = miss == 0 ? 0 : miss / size;
        if (floor > 0 && (g->worst < 0 || !(r->relative <= g->row[g->worst].relative))) g->worst = i;
        rr += r->rule * r->rule;
        dd += r->difference * r->difference;
        rd += r->rule * r->difference;
        off += (r->rule - r->difference) * (r->rule - r->difference);
    }
    g->cosine = rr > 0 && dd > 0 ? rd / sqrt(rr) / sqrt(dd) : NAN;
    g->length = dd > 0 ? sqrt(rr / dd) : NAN;
    g->off = dd > 0 ? sqrt(off / dd) : NAN;
}

static rheo_status judge(const rheo_experiment *x, const rh_gradcheck_def *def, const rh_gradcheck *g,
                         rheo_error *err) {
    const rh_gradcheck_row *const worst = g->worst >= 0 ? &g->row[g->worst] : NULL;
    if (worst && !(worst->relative <= def->tolerance))
        return rh_fail(err, RHEO_E_GOAL, 326, RH_NOWHERE,
                       "the gradient by %s differs by %.2g from finite differences, more than %.2g",
                       x->circuit->elem_name[x->circuit->edge_elem[worst->edge]], worst->relative, def->tolerance);
    if (!worst || isinf(def->rule) || g->off <= def->rule) return RHEO_OK;
    return rh_fail(err, RHEO_E_GOAL, 326, RH_NOWHERE, "rule %s is %.2g of the gradient away from it, more than %.2g",
                   RH_RULES[x->learn.rule], g->off, def->rule);
}

rheo_status rh_gradcheck_run(const rheo_experiment *x, const rh_gradcheck_def *def, rh_gradcheck *out,
                             const rheo_log *log, rheo_error *err) {
    const rh_ports ports = rh_experiment_ports(x);
    const rh_samples samples = rh_experiment_samples(x);
    const int n_edge = x->circuit->n_edge;
    rheo_solver_def solver = rheo_solver_default();
    rh_learn_def learn = x->learn;
    if (x->backend) solver.backend = x->backend;
    learn.gauge = true;
    *out = (rh_gradcheck){ .n = def->n_edge < n_edge ? def->n_edge : n_edge,
                           .n_sample = def->n_sample < x->task.n_train ? def->n_sample : x->task.n_train };
    out->row = rh_calloc((size_t)out->n, sizeof *out->row);
    double *const both = rh_calloc(2 * (size_t)n_edge, sizeof *both);
    rh_learner *l = NULL;
    rheo_status st = out->row && both ? pick(out, n_edge, def->seed, err) : RH_NOMEM(err);
    if (st == RHEO_OK) st = rh_learner_open(&l, x->circuit, &learn, &solver, &ports, &samples, log, err);
    if (st == RHEO_OK) st = fill(l, x, out, both, err);
    rh_learner_close(l);
    rh_free(both);
    if (st == RHEO_OK) {
        compare(x->circuit, out);
        return judge(x, def, out, err);
    }
    rh_gradcheck_free(out);
    return st;
}

void rh_gradcheck_free(rh_gradcheck *g) {
    rh_free(g->row);
    *g = (rh_gradcheck){ .worst = -1 };
}
