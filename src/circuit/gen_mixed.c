/* gen_mixed.c: circuits of many kinds in random places, for comparing engines rather than for learning. A tree of
 * resistors reaches every node: none is held by the leakage of a junction alone, where engines need not agree. */
#include "circuit/gen.h"

#include <math.h>

enum { N, DEGREE, FAR, VOLTAGE, CURRENT, VCVS, VCCS, GAIN, DIODE, TRANSISTOR, VOLT, OWN };

/* The common fields in their order, with a wide spread as default. */
static const rh_gen_field MIXED[] = {
    { "n", 100, 4, 1000000, "nodes", NULL, false },
    { "degree", 4, 2, 100, "mean number of resistors at a node", NULL, true },
    { "far", 0.1, 0, 1, "share of resistors that lead anywhere; the others lead to one of the 8 nodes before", NULL,
      true },
    { "voltages", 0.03, 0, 1, "voltage sources between random nodes, per node", NULL, true },
    { "currents", 0.05, 0, 1, "current sources, per node", NULL, true },
    { "vcvs", 0.03, 0, 1, "voltage-controlled voltage sources, per node", NULL, true },
    { "vccs", 0.05, 0, 1, "voltage-controlled current sources, per node", NULL, true },
    { "gain", 0.3, 0, 100, "largest gain of the controlled sources, as a share of 1 or of g", NULL, true },
    { "diodes", 0, 0, 100, "diodes of four models between random nodes, per node", NULL, true },
    { "transistors", 0, 0, 100, "MOSFETs of level 1, each with a source at its gate, per node", NULL, true },
    { "volt", 1, 0, 1e6, "largest voltage of the sources, V", NULL, true },
    { "g", 1e-3, 1e-12, 1e12, "conductance of the edges at the start, S", NULL, true },
    { "spread", 30, 0, 1e6, "relative spread: log-uniform from g/(1+spread) to g*(1+spread), held between min and max",
      NULL, true },
    { "min", 1e-6, 1e-12, 1e12, "lowest conductance, S", NULL, true },
    { "max", 1e-1, 1e-12, 1e12, "highest conductance, S", NULL, true },
    { "inputs", 2, 0, 100, "sources Vin1, Vin2, ... at nodes far from one another, 0 to 1 V", NULL, false },
    RH_GEN_EDGE_FIELDS,
};

/* A tree, so that all hangs together, and chords. */
static void join_nodes(rh_graph *g, const double *par) {
    const int n = g->n, n_chord = (int)(0.5 * par[DEGREE] * n) - (n - 1);
    for (int k = 1; k < n + n_chord && !g->bad; k++) {
        const int from = k < n ? k : 1 + rh_graph_below(g, n - 1), most = from < 8 ? from : 8;
        const bool far = rh_graph_unit(g) < par[FAR];
        rh_graph_join(g, from, far ? rh_graph_below(g, from) : from - 1 - rh_graph_below(g, most));
    }
}

/* A ring: pictures need some place for every node. */
static void place_nodes(rh_graph *g) {
    for (int i = 0; i < g->n; i++) {
        const double angle = 6.283185307179586 * i / g->n;
        g->pos[i][0] = 0.5 + 0.5 * cos(angle);
        g->pos[i][1] = 0.5 + 0.5 * sin(angle);
    }
}

/* Random numbers, and which nodes voltages tie together: there no second voltage may lie across. */
typedef struct rh_mixer {
    rh_graph random; /* only its numbers are used */
    rh_builder *b;
    int n, *tied; /* [n] nodes 0..n-1, 0 is ground */
} rh_mixer;

static double between(rh_mixer *m, double low, double high) { return low + (high - low) * rh_graph_unit(&m->random); }

static rheo_status add(rh_mixer *m, int kind, int serial, double value) {
    char name[32];
    int term[4], other;
    for (int t = 0; t < 4; t++) term[t] = rh_graph_below(&m->random, m->n);
    if (term[0] == term[1]) return RHEO_OK; /* shorted: one less */
    if (RH_KINDS[kind]->flags & RH_BRANCH) {
        const int p = rh_root(m->tied, term[0]), q = rh_root(m->tied, term[1]);
        if (p == q) return RHEO_OK; /* would be a loop of voltages: one less */
        m->tied[p] = q;
    }
    for (int t = RH_KINDS[kind]->n_term; t < 4; t++) term[t] = -1;
    snprintf(name, sizeof(name), "%cx%d", RH_KINDS[kind]->letter, serial + 1);
    return rh_builder_element(m->b, kind, name, term, value, (rh_place){ 0 }, &other) < 0 ? RHEO_E_NOMEM : RHEO_OK;
}

static rheo_status add_all(rh_mixer *m, const double *par) {
    const double g = par[OWN + RH_GEN_G], gain = par[GAIN];
    for (int k = 0; k < (int)(par[VOLTAGE] * m->n); k++) RHEO_TRY(add(m, RH_KIND_V, k, par[VOLT] * between(m, -1, 1)));
    for (int k = 0; k < (int)(par[CURRENT] * m->n); k++) RHEO_TRY(add(m, RH_KIND_I, k, g * between(m, -1, 1)));
    for (int k = 0; k < (int)(par[VCVS] * m->n); k++) RHEO_TRY(add(m, RH_KIND_E, k, between(m, -gain, gain)));
    for (int k = 0; k < (int)(par[VCCS] * m->n); k++) RHEO_TRY(add(m, RH_KIND_G, k, g * between(m, -gain, gain)));
    return RHEO_OK;
}

/* ---- what is not linear ---- */

enum { N_MODEL = 4 };

static void set(int kind, double *par, const char *name, double x) {
    for (int j = 0; j < RH_KINDS[kind]->n_par; j++)
        if (rh_streq(RH_KINDS[kind]->par[j].name, name)) par[j] = x;
}

static void model_parameters(rh_mixer *m, int kind, double par[RH_KIND_PAR]) {
    for (int j = 0; j < RH_KINDS[kind]->n_par; j++) par[j] = RH_KINDS[kind]->par[j].def;
    if (kind == RH_KIND_D) {
        set(kind, par, "is", pow(10, between(m, -15, -9)));
        set(kind, par, "n", between(m, 1, 2));
        set(kind, par, "rs", between(m, 1, 10)); /* else a source across a junction would have no bound */
        return;
    }
    set(kind, par, "vto", between(m, 0.4, 1));
    set(kind, par, "kp", pow(10, between(m, -4, -3)));
    set(kind, par, "lambda", between(m, 0, 0.05));
    set(kind, par, "gamma", between(m, 0, 0.5));
}

/* A node that a source of its own holds, -1: out of memory. */
static int hold(rh_mixer *m, const char *what, int serial, double volt) {
    char name[32];
    int other;
    snprintf(name, sizeof name, "%s%d", what, serial + 1);
    const int node = rh_builder_node(m->b, name, strlen(name));
    if (node < 0) return -1;
    snprintf(name, sizeof name, "V%s%d", what, serial + 1);
    const int e = rh_builder_element(m->b, RH_KIND_V, name, (int[]){ node, 0, -1, -1 }, volt, (rh_place){ 0 }, &other);
    return e < 0 ? -1 : node;
}

/* A transistor has a gate of its own: an edge, as in machines that learn, and no latch. All bulks hang far below the
 * other nodes, so that no source lies across a junction that conducts. */
static rheo_status add_bends(rh_mixer *m, int kind, int n, double volt) {
    double par[N_MODEL][RH_KIND_PAR] = { { 0 } };
    char name[32];
    int model[N_MODEL], other;
    for (int k = 0; k < N_MODEL && n > 0; k++) {
        model_parameters(m, kind, par[k]);
        snprintf(name, sizeof name, "%c%d", kind == RH_KIND_D ? 'd' : 'n', k + 1);
        model[k] = rh_builder_model(m->b, name, strlen(name), kind, par[k]);
        if (model[k] < 0) return RHEO_E_NOMEM;
    }
    const int bulk = n > 0 && kind == RH_KIND_NMOS ? hold(m, "bulk", 0, -4 * volt) : 0;
    if (bulk < 0) return RHEO_E_NOMEM;
    for (int k = 0; k < n; k++) {
        const int which = rh_graph_below(&m->random, N_MODEL), p = rh_graph_below(&m->random, m->n),
                  q = rh_graph_below(&m->random, m->n);
        if (p == q) continue;
        const int gate = kind == RH_KIND_D ? 0 : hold(m, "gate", k, between(m, 0, 2 * volt + 1));
        const int two[] = { p, q, -1, -1 }, four[] = { p, gate, q, bulk };
        if (gate < 0) return RHEO_E_NOMEM;
        snprintf(name, sizeof name, "%cx%d", RH_KINDS[kind]->letter, k + 1);
        const int e = rh_builder_element(m->b, kind, name, kind == RH_KIND_D ? two : four, 0, (rh_place){ 0 }, &other);
        if (e < 0 || rh_builder_par(m->b, e, par[which]) != RHEO_OK) return RHEO_E_NOMEM;
        rh_builder_use_model(m->b, e, model[which]);
    }
    return RHEO_OK;
}

static rheo_status mix(const double *par, uint64_t seed, rh_builder *b) {
    rh_mixer m = { .b = b, .n = (int)par[N] + 1 };
    m.random = (rh_graph){ .seed = seed, .counter = 1ull << 40 };
    m.tied = rh_calloc((size_t)m.n, sizeof(*m.tied));
    if (!m.tied) return RHEO_E_NOMEM;
    for (int i = 0; i < m.n; i++) m.tied[i] = i;
    for (int e = 0; e < rh_builder_n_element(b); e++) { /* the inputs, not what holds gates */
        const int *const t = rh_builder_element_term(b, e);
        if (rh_builder_element_kind(b, e) == RH_KIND_V && t[0] < m.n)
            m.tied[rh_root(m.tied, t[0])] = rh_root(m.tied, t[1]);
    }
    rheo_status st = add_all(&m, par);
    if (st == RHEO_OK) st = add_bends(&m, RH_KIND_D, (int)(par[DIODE] * (m.n - 1)), par[VOLT]);
    if (st == RHEO_OK) st = add_bends(&m, RH_KIND_NMOS, (int)(par[TRANSISTOR] * (m.n - 1)), par[VOLT]);
    rh_free(m.tied);
    return st;
}

static rheo_status build_mixed(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    RHEO_TRY(rh_gen_check(&rh_gen_mixed, par, err));
    RHEO_TRY(rh_gen_open(&g, par[N], 0.5 * par[DEGREE] * par[N], seed, err));
    place_nodes(&g);
    join_nodes(&g, par);
    RHEO_TRY(rh_gen_finish(&g, &rh_gen_mixed, par, b, err));
    return mix(par, seed, b) == RHEO_OK ? RHEO_OK : RH_NOMEM(err);
}

const rh_gen_kind rh_gen_mixed = {
    "mixed", "resistors, sources, controlled sources, diodes and transistors in random places, to compare engines",
    MIXED, RH_COUNT(MIXED), build_mixed
};
