/* currents.c: the current through every element, from the potentials. */
#include "transient/transient.h"

static double plain_current(const rheo_transient *t, const double *v, const double *x, const double *source, int e) {
    const rheo_circuit *const c = t->c;
    const int *const n = c->term[e], edge = c->elem_edge[e];
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const double g = edge >= 0 ? c->g_init[edge] : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0;
    const rh_law law = kind->law(kind->flags & RH_SOURCE ? source[e] : c->value[e], g);
    const int ctrl = c->elem_ctrl[e];
    const double across = v[n[0]] - v[n[1]];
    const double sensed = ctrl >= 0 ? x[t->level[0].s->y.branch[ctrl]] : n[2] >= 0 ? v[n[2]] - v[n[3]] : 0;
    return law.conductance * across + law.trans * sensed + law.current;
}

/* Kirchhoff, from the leaves of the tree of known potentials to ground. */
static void tree_currents(rheo_transient *t, const rh_system *y, double *i) {
    for (int k = y->n_fixed - 1; k > 0; k--) {
        const rh_fixed *const f = &y->fixed[k];
        const double out = t->in[f->node];
        i[f->elem] = f->sign > 0 ? out : -out;
        t->in[f->from] += out;
    }
}

/* A nonlinear element may have more than two terminals that carry current. */
static double bent_current(rheo_transient *t, const double *v, int e) {
    rh_flow flow;
    rh_elem_flow(t->c, e, v, &flow);
    for (int k = 0; k < RH_KINDS[t->c->kind[e]]->n_term; k++) t->in[t->c->term[e][k]] -= flow.i[k];
    return flow.i[0];
}

void rh_currents(rheo_transient *t, const rh_moment *m, const double *source, double *i) {
    const rheo_circuit *const c = t->c;
    const rh_system *const y = &t->level[0].s->y;
    for (int e = 0; e < c->n_elem; e++) i[e] = 0;
    for (int k = 0; k < t->n_cap; k++) i[t->cap[k].elem] = m->i[k];
    memset(t->in, 0, (size_t)c->n_node * sizeof(double));
    for (int e = 0; e < c->n_elem; e++) {
        if (y->tree[e]) continue;
        if (RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) {
            i[e] = bent_current(t, m->v, e);
            continue;
        }
        if (y->branch[e] >= 0)
            i[e] = m->x[y->branch[e]];
        else if (c->kind[e] != RH_KIND_C)
            i[e] = plain_current(t, m->v, m->x, source, e);
        t->in[c->term[e][0]] -= i[e];
        t->in[c->term[e][1]] += i[e];
    }
    tree_currents(t, y, i);
}
