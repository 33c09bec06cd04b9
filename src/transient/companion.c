/* companion.c: the network of one time step, in which capacitors are conductances beside known currents. */
#include "transient/transient.h"

#include <math.h>

static bool is_cap(const rheo_circuit *c, int e) {
    return c->kind[e] == RH_KIND_C && c->value[e] > 0 && c->term[e][0] != c->term[e][1];
}

static rheo_status add_nodes(rh_builder *b, const rheo_circuit *c, rheo_error *err) {
    for (int i = 1; i < c->n_node; i++)
        if (rh_builder_node(b, c->node_name[i], strlen(c->node_name[i])) != i) return RH_NOMEM(err);
    return RHEO_OK;
}

double rh_card_now(const rheo_circuit *c, int e) {
    const int edge = c->elem_edge[e], held = c->held_edge[e];
    if (held >= 0) return c->g_init[held];
    return edge >= 0 && c->edge_source[edge] < 0 ? 1 / c->g_init[edge] : c->value[e];
}

/* held: without capacitors; moving: what learns goes on to do so. */
static rheo_status add_elements(rh_builder *b, const rheo_circuit *c, bool held, bool moving, rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++) {
        const bool cap = !held && is_cap(c, e);
        const int edge = c->elem_edge[e];
        int other;
        const int k = rh_builder_element(b, cap ? RH_KIND_R : c->kind[e], c->elem_name[e], c->term[e],
                                         cap ? 1 : rh_card_now(c, e), (rh_place){ 0 }, &other);
        if (k != e) return RH_NOMEM(err);
        rh_builder_ctrl(b, k, c->elem_ctrl[e]);
        if (!cap && rh_builder_law_of(b, k, c, e) != RHEO_OK) return RH_NOMEM(err);
        if (cap) RHEO_TRY(rh_builder_learn(b, k, NAN, NAN, NAN));
        if (!moving || edge < 0) continue;
        const bool gate = c->edge_source[edge] >= 0;
        RHEO_TRY(rh_builder_learn(b, k, gate ? c->g_min[edge] : NAN, gate ? c->g_max[edge] : NAN,
                                  gate ? c->g_init[edge] : NAN));
        if (gate) rh_builder_learn_through(b, k, c->edge_source[edge]);
    }
    return RHEO_OK;
}

static rheo_status hold_nodes(rh_builder *b, const rheo_circuit *c, rheo_error *err) {
    rh_buf name = { 0 };
    rheo_status st = RHEO_OK;
    for (int i = 1; i < c->n_node && st == RHEO_OK; i++) {
        if (!isfinite(c->ic[i])) continue;
        const int term[4] = { i, 0, -1, -1 };
        int other;
        name.n = 0;
        rh_buf_printf(&name, ".ic v(%s)", c->node_name[i]);
        if (name.bad || rh_builder_element(b, RH_KIND_V, name.s, term, c->ic[i], (rh_place){ 0 }, &other) < 0)
            st = RH_NOMEM(err);
    }
    rh_buf_free(&name);
    return st;
}

static rheo_status build(rheo_circuit **out, const rheo_circuit *c, bool held, bool moving, rheo_error *err) {
    rh_builder *b = rh_builder_create();
    if (!b) return RH_NOMEM(err);
    rheo_status st = add_nodes(b, c, err);
    if (st == RHEO_OK) st = add_elements(b, c, held, moving, err);
    if (st == RHEO_OK && held) st = hold_nodes(b, c, err);
    if (st == RHEO_OK) return rh_builder_finish(b, out, err);
    rh_builder_destroy(b);
    return st;
}

rheo_status rh_companion(rheo_circuit **out, const rheo_circuit *c, bool held, rheo_error *err) {
    return build(out, c, held, false, err);
}

rheo_status rh_companion_moving(rheo_circuit **out, const rheo_circuit *c, rheo_error *err) {
    return build(out, c, false, true, err);
}

/* ---- loops ---- */

static int find(int *set, int i) {
    while (set[i] != i) i = set[i] = set[set[i]];
    return i;
}

/* How many independent loops do the capacitors make, alone or together with the voltage sources? */
static int count_loops(const rheo_circuit *c, bool sources, int *set) {
    int n = 0;
    for (int i = 0; i < c->n_node; i++) set[i] = i;
    for (int e = 0; e < c->n_elem; e++) {
        if (!is_cap(c, e) && !(sources && RH_KINDS[c->kind[e]]->flags & RH_BRANCH)) continue;
        const int a = find(set, c->term[e][0]), b = find(set, c->term[e][1]);
        n += a == b;
        set[a] = b;
    }
    return n;
}

rheo_status rh_voltage_loop(const rheo_circuit *c, bool *found, rheo_error *err) {
    int *set = rh_calloc((size_t)c->n_node, sizeof(int));
    if (!set) return RH_NOMEM(err);
    *found = count_loops(c, true, set) > count_loops(c, false, set);
    rh_free(set);
    return RHEO_OK;
}
