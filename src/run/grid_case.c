/* grid_case.c: builds the grid through the builder, as a reader would. */
#include "run/grid_case.h"

#include <math.h>

static int add_element(rh_builder *b, int kind, int serial, int p, int q, double value) {
    char name[16];
    int other;
    snprintf(name, sizeof(name), "%c%d", RH_KINDS[kind]->letter, serial);
    return rh_builder_element(b, kind, name, (int[]){ p, q, -1, -1 }, value, (rh_place){ 0 }, &other);
}

static bool add_edge(rh_builder *b, int serial, int p, int q) {
    const int e = add_element(b, RH_KIND_R, serial, p, q, 1);
    return e >= 0 && rh_builder_learn(b, e, 1e-6, 1e6, NAN) == RHEO_OK;
}

/* Node i of the grid has index i + 1: ground comes first. */
static bool add_grid(rh_builder *b, int side) {
    for (int i = 0; i < side * side; i++) {
        char name[32];
        snprintf(name, sizeof(name), "n%d_%d", i / side, i % side);
        if (rh_builder_node(b, name, strlen(name)) != i + 1) return false;
    }
    for (int i = 0, serial = 1; i < side * side; i++) {
        if (i % side + 1 < side && !add_edge(b, serial++, i + 1, i + 2)) return false;
        if (i / side + 1 < side && !add_edge(b, serial++, i + 1, i + 1 + side)) return false;
    }
    return true;
}

rheo_status rh_grid_case_build(rh_grid_case *k, int side, int n_out, const int *pick, int ground, rheo_error *err) {
    *k = (rh_grid_case){ .in_sign = { 1, 1 }, .in = { 0, 1 } };
    if (n_out < 1 || n_out > RH_GRID_MAX_OUT || side * side < n_out + 2)
        return rh_fail(err, RHEO_E_RANGE, 185, RH_NOWHERE,
                       "%d outputs on a grid of side %d: 1 to %d, and room for two inputs", n_out, side,
                       RH_GRID_MAX_OUT);
    rh_builder *b = rh_builder_create();
    if (!b) return RH_NOMEM(err);
    bool ok = add_grid(b, side);
    for (int i = 0; ok && i < 2; i++) {
        k->in_elem[i] = add_element(b, RH_KIND_V, i + 1, pick[i] + 1, 0, i);
        ok = k->in_elem[i] >= 0;
    }
    ok = ok && (ground < 0 || add_element(b, RH_KIND_V, 3, ground + 1, 0, 0) >= 0);
    if (!ok) {
        rh_builder_destroy(b);
        return RH_NOMEM(err);
    }
    for (int o = 0; o < n_out; o++) k->out[o][0] = pick[2 + o] + 1;
    k->ports = (rh_ports){
        .n_in = 2, .in_elem = k->in_elem, .in_sign = k->in_sign, .n_out = n_out, .out = (const int(*)[2])k->out
    };
    k->samples = (rh_samples){ .n = 1, .in = k->in, .target = k->target };
    return rh_builder_finish(b, &k->c, err);
}

void rh_grid_case_free(rh_grid_case *k) {
    rheo_circuit_destroy(k->c);
    k->c = NULL;
}
