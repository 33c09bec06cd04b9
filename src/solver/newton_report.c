/* newton_report.c: what is read off an operating point. */
#include "solver/newton_inside.h"

#include <math.h>

/* What is left over at a node does not matter if it is less than this share of the currents elsewhere. */
static const double TRIFLE = 1e-9;

/* How far reported currents may miss Kirchhoff's law at a node: of the largest there, and of what rounding of the
 * potentials makes, A; but of no more than SOLID amperes. */
static const double VIOLATED = 1e-2, ROUNDING = 1e-13, SOLID = 1e3;

enum { GATE = 1 }; /* terminal of a transistor */

static double at_row(const rheo_solver *s, const double *lambda, int node) {
    const int row = s->y.unknown[node];
    return row >= 0 ? lambda[row] : 0;
}

/* A resistor: its drop times that of lambda. A transistor: what its gate does to its currents. */
void rh_newton_gradient(const rheo_solver *s, const double *lambda, double *out) {
    for (int k = 0; k < s->c->n_edge; k++) {
        const int *const end = s->y.end[k];
        out[k] = (s->v[end[0]] - s->v[end[1]]) * (at_row(s, lambda, end[0]) - at_row(s, lambda, end[1]));
    }
    for (int k = 0; k < s->y.n_bend; k++) {
        const rh_bend *const bend = &s->y.bend[k];
        const int edge = s->c->elem_edge[bend->elem];
        if (edge < 0) continue;
        double sum = 0;
        for (int r = 0; r < RH_MAX_TERM; r++)
            if (bend->row[r] >= 0) sum += lambda[bend->row[r]] * s->newton.flow[k].g[r][GATE];
        const bool plus = s->c->term[s->c->edge_source[edge]][0] == s->c->term[bend->elem][GATE];
        out[edge] = plus ? sum : -sum;
    }
}

/* Kirchhoff from the leaves of the tree of known potentials to ground: what enters a node leaves it through its source.
 */
static void tree_currents(rheo_solver *s, double *in, double *i) {
    for (int k = s->y.n_fixed - 1; k > 0; k--) {
        const rh_fixed *const f = &s->y.fixed[k];
        i[f->elem] = f->sign > 0 ? in[f->node] : -in[f->node];
        in[f->from] += in[f->node];
    }
}

static double linear_current(const rheo_solver *s, const double *source, const double *x, int e) {
    const rheo_circuit *const c = s->c;
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const int *const t = c->term[e], edge = c->elem_edge[e];
    if (s->y.branch[e] >= 0) return x[s->y.branch[e]];
    const double g = edge >= 0 ? s->g[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0;
    const rh_law law = kind->law(kind->flags & RH_SOURCE ? source[e] : c->value[e], g);
    const int ctrl = c->elem_ctrl[e];
    const double sensed = law.trans == 0 ? 0 : ctrl >= 0 ? x[s->y.branch[ctrl]] : s->v[t[2]] - s->v[t[3]];
    return law.conductance * (s->v[t[0]] - s->v[t[1]]) + law.trans * sensed + law.current;
}

/* Largest current that an element is reported with at each row: dx is free by now. */
static void weigh(rheo_solver *s, int node, double i) {
    const int row = s->y.unknown[node];
    if (row >= 0) s->newton.dx[row] = fmax(s->newton.dx[row], fabs(i));
}

int rh_newton_drowned(const rheo_solver *s) {
    const rh_newton *const w = &s->newton;
    for (int k = 0; k < s->c->n_node; k++) {
        const int row = s->y.unknown[k];
        if (row >= 0 && fabs(w->in[k]) > VIOLATED * w->dx[row] + ROUNDING * fmin(w->amp[row], SOLID)) return k;
    }
    return -1;
}

bool rh_newton_report(rheo_solver *s, const double *source, const double *x, double *v, double *i) {
    const rheo_circuit *const c = s->c;
    double *const in = s->newton.in, sum = 0;
    rh_newton_drive(s, source, 1);
    if (s->y.n > 0) rh_newton_assemble(s, NULL, x, NULL, false);
    memset(in, 0, (size_t)c->n_node * sizeof(double));
    memset(s->newton.dx, 0, (size_t)s->y.n * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        if (s->y.tree[e] || RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) continue;
        i[e] = linear_current(s, source, x, e);
        in[c->term[e][0]] -= i[e];
        in[c->term[e][1]] += i[e];
        for (int t = 0; t < 2; t++) weigh(s, c->term[e][t], i[e]);
    }
    for (int k = 0; k < s->y.n_bend; k++) {
        const int e = s->y.bend[k].elem;
        if (s->y.n == 0) rh_newton_evaluate(s, k, s->v, false);
        i[e] = s->newton.flow[k].i[0];
        for (int t = 0; t < RH_KINDS[c->kind[e]]->n_term; t++) {
            in[c->term[e][t]] -= s->newton.flow[k].i[t];
            weigh(s, c->term[e][t], s->newton.flow[k].i[t]);
        }
    }
    tree_currents(s, in, i);
    memcpy(v, s->v, (size_t)c->n_node * sizeof(double));
    for (int k = 0; k < c->n_node; k++) sum += v[k] * 0;
    for (int e = 0; e < c->n_elem; e++) sum += i[e] * 0;
    return sum == 0;
}

double rh_newton_left_over(const rheo_solver *s, const double *i, int *node) {
    const rheo_circuit *const c = s->c;
    double *const sum = s->newton.in, most = 0, worst = 0;
    memset(sum, 0, (size_t)c->n_node * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        if (RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) continue;
        for (int t = 0; t < 2; t++) sum[c->term[e][t]] += fabs(i[e]);
    }
    for (int k = 0; k < s->y.n_bend; k++) {
        const int e = s->y.bend[k].elem;
        for (int t = 0; t < RH_KINDS[c->kind[e]]->n_term; t++) sum[c->term[e][t]] += fabs(s->newton.flow[k].i[t]);
    }
    for (int k = 0; k < c->n_node; k++) most = fmax(most, sum[k]);
    for (int k = 0; k < s->y.n_bend; k++)
        for (int t = 0; t < 2 && RH_KINDS[c->kind[s->y.bend[k].elem]]->flags & RH_TAPE; t++) {
            const int row = s->y.bend[k].row[t], at = c->term[s->y.bend[k].elem][t];
            const double left = row >= 0 ? fabs(s->newton.f[row]) : 0;
            if (!(left > worst * sum[at]) || !(left > TRIFLE * most)) continue;
            worst = left / sum[at];
            *node = at;
        }
    return worst;
}
