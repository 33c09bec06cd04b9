/* state.c: what may change while the circuit stays. */
#include "circuit/circuit.h"

/* The public struct comes first in one block that holds its arrays too. */
static rheo_state *layout(rh_arena *a, const rheo_circuit *c, rheo_state *fill) {
    rheo_state *const self = RH_TAKE(a, rheo_state, 1);
    fill->g = RH_TAKE(a, double, c->n_edge);
    fill->source = RH_TAKE(a, double, c->n_elem);
    fill->v = RH_TAKE(a, double, c->n_node);
    fill->i = RH_TAKE(a, double, c->n_elem);
    return self;
}

rheo_status rheo_state_create(rheo_state **out, const rheo_circuit *c, rheo_error *err) {
    rheo_state st = { .n_node = c->n_node, .n_element = c->n_elem, .n_edge = c->n_edge };
    rh_arena a = { 0 };
    layout(&a, c, &st);
    a = (rh_arena){ .base = rh_alloc(a.used) };
    if (!a.base) return RH_NOMEM(err);
    rheo_state *const self = layout(&a, c, &st);
    *self = st;
    memcpy(st.g, c->g_init, (size_t)c->n_edge * sizeof(double));
    if (c->n_elem > 0) memcpy(st.source, c->value, (size_t)c->n_elem * sizeof(double));
    *out = self;
    return RHEO_OK;
}

void rheo_state_destroy(rheo_state *st) { rh_free(st); }
