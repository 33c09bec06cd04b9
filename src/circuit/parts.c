/* parts.c: what expressions bring along, and what the user wrote.
 *
 * A voltage by expression is three elements and a node, one of many nodes is more (docs/netlist.md). They are known by
 * what the reader calls them, since a flat netlist that was printed has nothing else to tell them by. */
#include "circuit/circuit.h"

/* Of a part: the node that it makes or copies. */
static int inner_node(const rheo_circuit *c, int elem) {
    switch (c->kind[elem]) {
    case RH_KIND_B: return c->term[elem][1];
    case RH_KIND_E: return c->term[elem][2];
    default: return c->term[elem][0];
    }
}

/* B.E1#2 is a part of E1, and a node that they share has a # in its name. -1: an element of its own. */
static int owner_of(const rheo_circuit *c, int elem) {
    const char *const name = c->elem_name[elem];
    const int kind = c->kind[elem];
    if (name[0] == '\0' || name[1] != '.') return -1;
    if (kind != RH_KIND_R && kind != RH_KIND_B && kind != RH_KIND_E && kind != RH_KIND_H) return -1;
    if (!strchr(c->node_name[inner_node(c, elem)], '#')) return -1;
    const char *const mark = strrchr(name + 2, '#');
    int owner = rh_map_get(c->elem_map, name + 2, strlen(name + 2));
    if (owner < 0 && mark) owner = rh_map_get(c->elem_map, name + 2, (size_t)(mark - name - 2));
    return owner >= 0 && (c->kind[owner] == RH_KIND_B || c->kind[owner] == RH_KIND_E) ? owner : -1;
}

rheo_status rh_parts_find(rh_parts *p, const rheo_circuit *c, rheo_error *err) {
    *p = (rh_parts){ .node = rh_calloc((size_t)c->n_node, sizeof *p->node),
                     .elem = rh_calloc((size_t)c->n_elem, sizeof *p->elem) };
    if (!p->node || !p->elem) return RH_NOMEM(err);
    for (int k = 0; k < c->n_node; k++) p->node[k] = k;
    for (int e = 0; e < c->n_elem; e++) p->elem[e] = e;
    for (int e = 0; e < c->n_elem; e++) {
        const int owner = owner_of(c, e);
        if (owner < 0) continue;
        p->elem[e] = -1;
        p->node[inner_node(c, e)] = -1;
        if (c->kind[e] == RH_KIND_E && c->kind[owner] == RH_KIND_B) p->elem[owner] = e;
    }
    return RHEO_OK;
}

void rh_parts_free(rh_parts *p) {
    rh_free(p->node);
    rh_free(p->elem);
}
