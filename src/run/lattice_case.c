/* lattice_case.c: the torus of the generators, and sources at random nodes. */
#include "run/lattice_case.h"

enum { SIDE = 4, N_NODE = SIDE * SIDE };
/* Of a transistor of that machine: threshold, V; A/V^2. */
static const double V_T = 0.62, S = 8.5e-4;

static void set(const rh_gen_kind *kind, double *par, const char *name, double x) {
    for (int i = 0; i < kind->n_field; i++)
        if (rh_streq(kind->fields[i].name, name)) par[i] = x;
}

static rheo_status build_edges(const rh_lattice_def *def, uint64_t seed, rh_builder *b, rheo_error *err) {
    const rh_gen_kind *kind = RH_GENS[0];
    double par[32];
    for (int i = 0; i < RH_N_GEN; i++)
        if (rh_streq(RH_GENS[i]->name, "torus")) kind = RH_GENS[i];
    for (int i = 0; i < kind->n_field; i++) par[i] = kind->fields[i].def;
    set(kind, par, "nx", SIDE);
    set(kind, par, "ny", SIDE);
    set(kind, par, "inputs", 0);
    set(kind, par, "edge", def->transistors);
    set(kind, par, "gate", def->mean);
    set(kind, par, "gate-spread", def->spread);
    set(kind, par, "g", S * (def->mean - V_T));
    set(kind, par, "spread", def->spread);
    return kind->build(par, seed, b, err);
}

static int add_source(rh_builder *b, const char *name, int node, double volt) {
    int other;
    const int term[4] = { node, 0, -1, -1 };
    return rh_builder_element(b, RH_KIND_V, name, term, volt, (rh_place){ 0 }, &other);
}

/* Nodes of the generator come first, in its order: node i has index i + 1. */
static bool add_ports(rh_lattice_case *k, const rh_lattice_def *def, const int *pick, rh_builder *b) {
    static const char *const INPUT[] = { "Vin1", "Vin2" };
    for (int i = 0; i < def->n_in; i++) {
        k->in_elem[i] = add_source(b, INPUT[i], pick[i] + 1, 0);
        if (k->in_elem[i] < 0) return false;
    }
    for (int side = 0; side < 2; side++) k->out[0][side] = pick[4 + side] + 1;
    return add_source(b, "Vlow", pick[2] + 1, 0) >= 0 && add_source(b, "Vhigh", pick[3] + 1, def->rail) >= 0;
}

rheo_status rh_lattice_case_build(rh_lattice_case *k, const rh_lattice_def *def, uint64_t seed, int draw,
                                  rheo_error *err) {
    int pick[N_NODE];
    *k = (rh_lattice_case){ .in_sign = { 1, 1 } };
    rh_builder *const b = rh_builder_create();
    if (!b) return RH_NOMEM(err);
    rh_shuffle(seed, 2 * (uint64_t)draw + 2000, N_NODE, pick);
    rheo_status st = build_edges(def, rh_random_u64(seed, 2 * (uint64_t)draw + 2001, 0), b, err);
    if (st == RHEO_OK && !add_ports(k, def, pick, b)) st = RH_NOMEM(err);
    if (st != RHEO_OK) {
        rh_builder_destroy(b);
        return st;
    }
    k->ports = (rh_ports){ def->n_in, k->in_elem, k->in_sign, 1, (const int(*)[2])k->out };
    k->samples = (rh_samples){ .in = k->in, .target = k->target };
    return rh_builder_finish(b, &k->c, err);
}

void rh_lattice_case_free(rh_lattice_case *k) {
    rheo_circuit_destroy(k->c);
    k->c = NULL;
}
