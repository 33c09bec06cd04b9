/* gen.c: the table of generators, and what they share. Every edge is a learnable resistor R1, R2, ... or a transistor
 * M1, M2, ... whose gate voltage learns. */
#include "circuit/gen.h"

#include <math.h>

const rh_gen_kind *const RH_GENS[] = { &rh_gen_grid,    &rh_gen_torus,     &rh_gen_triangular,  &rh_gen_lattice,
                                       &rh_gen_layered, &rh_gen_geometric, &rh_gen_smallworld,  &rh_gen_scalefree,
                                       &rh_gen_jammed,  &rh_gen_mixed,     &rh_gen_multipartite };
const int RH_N_GEN = RH_COUNT(RH_GENS);

const char *const RH_GEN_SIZES[] = { NULL };

int rh_gen_n_par(const rh_gen_kind *kind) {
    const bool list = kind->n_field > 0 && kind->fields[kind->n_field - 1].choices == RH_GEN_SIZES;
    return kind->n_field + (list ? RH_GEN_LIST - 1 : 0);
}

void rh_gen_default(const rh_gen_kind *kind, double *par) {
    static const double SIZES[RH_GEN_LIST] = { 4, 8, 2 };
    for (int k = 0; k < kind->n_field; k++) par[k] = kind->fields[k].def;
    if (rh_gen_n_par(kind) > kind->n_field) memcpy(par + kind->n_field - 1, SIZES, sizeof SIZES);
}

const char *const RH_EDGE_NAMES[] = { "resistor", "nmos", "nmos-level1", NULL };

static const uint64_t SPREAD_COUNTER = 1ull << 48; /* far from the numbers that decide about the topology */

/* ---- graphs ---- */

bool rh_graph_open(rh_graph *g, int n, uint64_t seed) {
    *g = (rh_graph){ .n = n, .seed = seed };
    g->pos = rh_calloc((size_t)n, sizeof(*g->pos));
    g->bad = !g->pos;
    return g->pos != NULL;
}

void rh_graph_close(rh_graph *g) {
    rh_free(g->edge);
    rh_free(g->pos);
    *g = (rh_graph){ 0 };
}

void rh_graph_join(rh_graph *g, int a, int b) {
    if (g->bad || !rh_grow(&g->edge, &g->cap_edge, g->n_edge + 1, sizeof(*g->edge))) {
        g->bad = true;
        return;
    }
    g->edge[g->n_edge][0] = a;
    g->edge[g->n_edge][1] = b;
    g->n_edge++;
}

double rh_graph_unit(rh_graph *g) { return rh_random_unit(g->seed, RH_STREAM_GEN, g->counter++); }

int rh_graph_below(rh_graph *g, int n) {
    const uint64_t r =
        rh_random_u64(g->seed, RH_STREAM_GEN, g->counter++) >> 32; /* n is far below 2^32: no visible bias */
    return (int)(r * (uint64_t)n >> 32);
}

int rh_root(int *parent, int i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
}

/* ---- sets of pairs ---- */

static uint64_t pair_key(int a, int b) {
    const uint64_t lo = (uint64_t)(a < b ? a : b), hi = (uint64_t)(a < b ? b : a);
    return (hi << 32 | lo) + 1; /* 0 is a free slot */
}

static size_t pair_slot(const rh_pairs *p, uint64_t key) {
    size_t at = (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & (p->cap - 1);
    while (p->slot[at] && p->slot[at] != key) at = (at + 1) & (p->cap - 1);
    return at;
}

static bool pairs_enlarge(rh_pairs *p) {
    rh_pairs big = { .cap = p->cap ? 2 * p->cap : 1024, .n = p->n };
    big.slot = rh_calloc(big.cap, sizeof(uint64_t));
    if (!big.slot) return false;
    for (size_t k = 0; k < p->cap; k++)
        if (p->slot[k]) big.slot[pair_slot(&big, p->slot[k])] = p->slot[k];
    rh_free(p->slot);
    *p = big;
    return true;
}

bool rh_pairs_add(rh_pairs *p, int a, int b, bool *is_new) {
    if (2 * p->n >= p->cap && !pairs_enlarge(p)) return false;
    const uint64_t key = pair_key(a, b);
    const size_t at = pair_slot(p, key);
    *is_new = p->slot[at] == 0;
    p->slot[at] = key;
    p->n += *is_new;
    return true;
}

bool rh_pairs_remove(rh_pairs *p, int a, int b) {
    if (!p->cap) return false;
    size_t hole = pair_slot(p, pair_key(a, b));
    if (!p->slot[hole]) return false;
    p->n--;
    p->slot[hole] = 0;
    for (size_t at = (hole + 1) & (p->cap - 1); p->slot[at]; at = (at + 1) & (p->cap - 1)) {
        const uint64_t key = p->slot[at]; /* what follows may have wanted the place that is free now */
        p->slot[at] = 0;
        p->slot[pair_slot(p, key)] = key;
    }
    return true;
}

void rh_pairs_free(rh_pairs *p) {
    rh_free(p->slot);
    *p = (rh_pairs){ 0 };
}

/* ---- parameters ---- */

static rheo_status within(const rh_gen_kind *kind, const char *name, double x, const char *low, double min,
                          const char *high, double max, rheo_error *err) {
    char is[32], from[32], to[32];
    if (x >= min && x <= max) return RHEO_OK;
    return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: %s is %s, must be between %s, %s, and %s, %s", kind->name,
                   name, rh_number_text(x, is), low, rh_number_text(min, from), high, rh_number_text(max, to));
}

rheo_status rh_gen_check(const rh_gen_kind *kind, const double *par, rheo_error *err) {
    for (int k = 0; k < kind->n_field; k++) {
        const rh_gen_field *f = &kind->fields[k];
        char x[32], min[32], max[32];
        if (!f->real && par[k] != floor(par[k]))
            return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: %s is %s, must be a whole number", kind->name,
                           f->name, rh_number_text(par[k], x));
        if (par[k] >= f->min && par[k] <= f->max) continue;
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: %s is %s, must be between %s and %s", kind->name, f->name,
                       rh_number_text(par[k], x), rh_number_text(f->min, min), rh_number_text(f->max, max));
    }
    const double *common = par + kind->n_field - RH_GEN_COMMON;
    if (common[RH_GEN_MIN] > common[RH_GEN_MAX])
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: min is above max", kind->name);
    if (common[RH_GEN_GATE_MIN] > common[RH_GEN_GATE_MAX])
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: gate-min is above gate-max", kind->name);
    if (common[RH_GEN_EDGE] != RH_EDGE_RESISTOR)
        return within(kind, "gate", common[RH_GEN_GATE], "gate-min", common[RH_GEN_GATE_MIN], "gate-max",
                      common[RH_GEN_GATE_MAX], err);
    return within(kind, "g", common[RH_GEN_G], "min", common[RH_GEN_MIN], "max", common[RH_GEN_MAX], err);
}

rheo_status rh_gen_open(rh_graph *g, double n, double n_edge, uint64_t seed, rheo_error *err) {
    *g = (rh_graph){ 0 };
    if (n > RH_GEN_EDGES || n_edge > RH_GEN_EDGES)
        return rh_fail(err, RHEO_E_LIMIT, 503, RH_NOWHERE, "the network would have more than %d nodes or edges",
                       RH_GEN_EDGES);
    return rh_graph_open(g, (int)n, seed) ? RHEO_OK : RH_NOMEM(err);
}

/* ---- inputs: each as far as possible from those before, counted in edges ---- */

typedef struct links {
    int *start, *to; /* neighbours of i: to[start[i]..start[i + 1]) */
    int *hops, *queue;
} links;

static void links_close(links *l) {
    rh_free(l->start);
    rh_free(l->to);
    rh_free(l->hops);
    rh_free(l->queue);
}

static bool links_open(links *l, const rh_graph *g) {
    const size_t n = (size_t)g->n;
    *l = (links){ rh_calloc(n + 2, sizeof(int)), rh_calloc(2 * (size_t)g->n_edge, sizeof(int)),
                  rh_calloc(n, sizeof(int)), rh_calloc(n, sizeof(int)) };
    if (!l->start || !l->to || !l->hops || !l->queue) return false;
    for (int k = 0; k < g->n_edge; k++)
        for (int j = 0; j < 2; j++) l->start[g->edge[k][j] + 2]++;
    for (int i = 0; i < g->n; i++) l->start[i + 2] += l->start[i + 1];
    for (int k = 0; k < g->n_edge; k++)
        for (int j = 0; j < 2; j++) l->to[l->start[g->edge[k][j] + 1]++] = g->edge[k][1 - j];
    for (int i = 0; i < g->n; i++) l->hops[i] = g->n;
    return true;
}

/* Shortens hops[] by the distances from a node. */
static void spread_from(links *l, int node) {
    int head = 0, tail = 0;
    l->hops[node] = 0;
    l->queue[tail++] = node;
    while (head < tail) {
        const int i = l->queue[head++];
        for (int k = l->start[i]; k < l->start[i + 1]; k++) {
            const int j = l->to[k];
            if (l->hops[j] <= l->hops[i] + 1) continue;
            l->hops[j] = l->hops[i] + 1;
            l->queue[tail++] = j;
        }
    }
}

static int farthest(const links *l, int n) {
    int best = 0;
    for (int i = 1; i < n; i++)
        if (l->hops[i] >= l->hops[best]) best = i; /* the last one: the opposite corner rather than its neighbour */
    return best;
}

static bool choose_inputs(const rh_graph *g, int n_input, int *input) {
    links l;
    const bool ok = links_open(&l, g);
    for (int k = 0; ok && k < n_input; k++) {
        input[k] = k ? farthest(&l, g->n) : 0;
        spread_from(&l, input[k]);
    }
    links_close(&l);
    return ok;
}

/* ---- the circuit ---- */

static int node_name(const rh_graph *g, int i, char *buf, size_t size) {
    if (g->layered) {
        int layer = 0;
        while (i >= g->dim[layer]) i -= g->dim[layer++];
        return snprintf(buf, size, "l%d_%d", layer + 1, i + 1);
    }
    if (g->n_dim == 0) return snprintf(buf, size, "n%d", i + 1);
    int n = snprintf(buf, size, "n");
    for (int k = 0; k < g->n_dim; i /= g->dim[k++])
        n += snprintf(buf + n, size - (size_t)n, k ? "_%d" : "%d", i % g->dim[k]);
    return n;
}

/* A picture needs no more than six decimals, and the netlist stays readable. */
static double rounded(double x) { return rint(x * 1e6) / 1e6; }

static rheo_status add_nodes(const rh_graph *g, rh_builder *b) {
    char name[80];
    for (int i = 0; i < g->n; i++) {
        const int n = node_name(g, i, name, sizeof(name)), node = rh_builder_node(b, name, (size_t)n);
        if (node < 0) return RHEO_E_NOMEM;
        RHEO_TRY(rh_builder_pos(b, node, rounded(g->pos[i][0]), rounded(g->pos[i][1])));
    }
    return RHEO_OK;
}

/* An exact resistance first, so that what is printed reads back the same. */
static rheo_status add_edges(const rh_graph *g, const double *common, rh_builder *b) {
    for (int k = 0; k < g->n_edge; k++) {
        char name[32];
        const double u = rh_random_unit(g->seed, RH_STREAM_GEN, SPREAD_COUNTER + (uint64_t)k);
        const double wide = common[RH_GEN_G] * pow(1 + common[RH_GEN_SPREAD], 2 * u - 1);
        const double r = 1 / fmin(fmax(wide, common[RH_GEN_MIN]), common[RH_GEN_MAX]);
        int term[4] = { -1, -1, -1, -1 }, other;
        for (int j = 0; j < 2; j++) {
            char node[80];
            const int n = node_name(g, g->edge[k][j], node, sizeof(node));
            term[j] = rh_builder_find_node(b, node, (size_t)n);
        }
        snprintf(name, sizeof(name), "R%d", k + 1);
        const int e = rh_builder_element(b, RH_KIND_R, name, term, r, (rh_place){ 0 }, &other);
        if (e < 0) return RHEO_E_NOMEM;
        RHEO_TRY(rh_builder_learn(b, e, common[RH_GEN_MIN], common[RH_GEN_MAX], NAN));
    }
    return RHEO_OK;
}

/* A transistor and the source that holds its gate. Threshold and strength as fitted to a machine that was built. */
static rheo_status add_transistor(const rh_graph *g, const double *common, int k, rh_builder *b) {
    const int kind = common[RH_GEN_EDGE] == RH_EDGE_NMOS ? RH_KIND_NMOS_SMOOTH : RH_KIND_NMOS;
    double par[RH_KIND_PAR];
    for (int j = 0; j < RH_KINDS[kind]->n_par; j++) {
        const rh_par *const p = &RH_KINDS[kind]->par[j];
        par[j] = !strcmp(p->name, "vto") ? 0.62 : !strcmp(p->name, "kp") ? 8.5e-4 : p->def;
    }
    const double u = rh_random_unit(g->seed, RH_STREAM_GEN, SPREAD_COUNTER + (uint64_t)k);
    const double start = rounded(common[RH_GEN_GATE] + common[RH_GEN_GATE_SPREAD] * (2 * u - 1));
    const double volt = fmin(fmax(start, common[RH_GEN_GATE_MIN]), common[RH_GEN_GATE_MAX]);
    char name[80];
    int term[4] = { 0, 0, 0, 0 }, other;
    for (int j = 0; j < 2; j++) {
        const int n = node_name(g, g->edge[k][j], name, sizeof(name));
        term[2 * j] = rh_builder_find_node(b, name, (size_t)n);
    }
    snprintf(name, sizeof(name), "g%d", k + 1);
    term[1] = rh_builder_node(b, name, strlen(name));
    if (term[1] < 0) return RHEO_E_NOMEM;
    snprintf(name, sizeof(name), "M%d", k + 1);
    const int e = rh_builder_element(b, kind, name, term, 1, (rh_place){ 0 }, &other);
    snprintf(name, sizeof(name), "Vg%d", k + 1);
    const int source =
        rh_builder_element(b, RH_KIND_V, name, (int[]){ term[1], 0, -1, -1 }, volt, (rh_place){ 0 }, &other);
    const int model = rh_builder_model(b, "edge", 4, kind, par);
    if (e < 0 || source < 0 || model < 0) return RHEO_E_NOMEM;
    RHEO_TRY(rh_builder_par(b, e, par));
    rh_builder_use_model(b, e, model);
    rh_builder_learn_through(b, e, source);
    return rh_builder_learn(b, e, common[RH_GEN_GATE_MIN], common[RH_GEN_GATE_MAX], NAN);
}

static rheo_status add_inputs(const rh_graph *g, int n_input, rh_builder *b) {
    int input[100], other;
    if (!choose_inputs(g, n_input, input)) return RHEO_E_NOMEM;
    for (int k = 0; k < n_input; k++) {
        char name[32], node[80];
        const int n = node_name(g, input[k], node, sizeof(node));
        const int term[4] = { rh_builder_find_node(b, node, (size_t)n), 0, -1, -1 };
        snprintf(name, sizeof(name), "Vin%d", k + 1);
        const double volt = n_input > 1 ? (double)k / (n_input - 1) : 1;
        if (rh_builder_element(b, RH_KIND_V, name, term, volt, (rh_place){ 0 }, &other) < 0) return RHEO_E_NOMEM;
    }
    return RHEO_OK;
}

static rheo_status build(const rh_graph *g, const rh_gen_kind *kind, const double *par, rh_builder *b) {
    char title[600], x[32];
    const double *common = par + kind->n_field - RH_GEN_COMMON;
    /* It begins with a number, as no card does. */
    int n = snprintf(title, sizeof(title), "%d nodes, %d edges: %s", g->n, g->n_edge, kind->name);
    for (int k = 0; k < kind->n_field - RH_GEN_COMMON; k++)
        n += snprintf(title + n, sizeof(title) - (size_t)n, " %s=%s", kind->fields[k].name, rh_number_text(par[k], x));
    if (common[RH_GEN_EDGE] != RH_EDGE_RESISTOR)
        n += snprintf(title + n, sizeof(title) - (size_t)n, " edge=%s", RH_EDGE_NAMES[(int)common[RH_GEN_EDGE]]);
    n += snprintf(title + n, sizeof(title) - (size_t)n, " seed=%llu", (unsigned long long)g->seed);
    RHEO_TRY(rh_builder_title(b, title, (size_t)n));
    RHEO_TRY(add_nodes(g, b));
    if (common[RH_GEN_EDGE] == RH_EDGE_RESISTOR) {
        RHEO_TRY(add_edges(g, common, b));
    } else {
        for (int k = 0; k < g->n_edge; k++) RHEO_TRY(add_transistor(g, common, k, b));
    }
    return add_inputs(g, (int)common[RH_GEN_INPUTS], b);
}

rheo_status rh_gen_finish(rh_graph *g, const rh_gen_kind *kind, const double *par, rh_builder *b, rheo_error *err) {
    rheo_status st = g->bad ? RHEO_E_NOMEM : RHEO_OK;
    if (st == RHEO_OK && g->n_edge > RH_GEN_EDGES)
        st = rh_fail(err, RHEO_E_LIMIT, 503, RH_NOWHERE, "the network would have more than %d edges", RH_GEN_EDGES);
    const double n_input = par[kind->n_field - RH_GEN_COMMON + RH_GEN_INPUTS];
    if (st == RHEO_OK && n_input > g->n)
        st = rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: %d inputs, but only %d nodes", kind->name, (int)n_input,
                     g->n);
    if (st == RHEO_OK) st = build(g, kind, par, b);
    rh_graph_close(g);
    return st == RHEO_E_NOMEM ? RH_NOMEM(err) : st;
}
