/* gen_random.c: random graphs. All of them are connected. */
#include "circuit/gen.h"

#include <math.h>
#include <stdlib.h>

/* ---- cells ---- */

bool rh_cells_open(rh_cells *c, int n, double width) {
    const double most = sqrt((double)n) + 1;
    const double side = width > 0 ? floor(1 / width) : most;
    c->side = (int)fmax(1, fmin(side, most));
    const size_t n_cell = (size_t)c->side * (size_t)c->side;
    c->start = rh_calloc(n_cell + 2, sizeof(int));
    c->member = rh_calloc((size_t)n, sizeof(int));
    c->cell = rh_calloc((size_t)n, sizeof(int));
    return c->start && c->member && c->cell;
}

void rh_cells_close(rh_cells *c) {
    rh_free(c->start);
    rh_free(c->member);
    rh_free(c->cell);
}

static int column(const rh_cells *c, double x) {
    const int k = (int)(x * c->side);
    return k < 0 ? 0 : k >= c->side ? c->side - 1 : k;
}

void rh_cells_fill(rh_cells *c, int n, double (*pos)[2]) {
    const int n_cell = c->side * c->side;
    memset(c->start, 0, (size_t)(n_cell + 2) * sizeof(int));
    for (int i = 0; i < n; i++) {
        c->cell[i] = column(c, pos[i][1]) * c->side + column(c, pos[i][0]);
        c->start[c->cell[i] + 2]++;
    }
    for (int k = 0; k < n_cell; k++) c->start[k + 2] += c->start[k + 1];
    for (int i = 0; i < n; i++) c->member[c->start[c->cell[i] + 1]++] = i;
}

static double apart(const rh_graph *g, int i, int j) {
    const double dx = g->pos[i][0] - g->pos[j][0], dy = g->pos[i][1] - g->pos[j][1];
    return sqrt(dx * dx + dy * dy);
}

/* ---- joining components ---- */

typedef struct bridge {
    int from, to;
    double length;
} bridge;

/* The nearest node of another component among those in the ring of cells at distance `ring` around the cell of i. */
static void search_ring(const rh_graph *g, const rh_cells *c, const int *comp, int i, int ring, bridge *best) {
    const int cx = c->cell[i] % c->side, cy = c->cell[i] / c->side;
    for (int y = cy - ring; y <= cy + ring; y++) {
        const bool whole = y == cy - ring || y == cy + ring;
        for (int x = cx - ring; x <= cx + ring; x += whole || ring == 0 ? 1 : 2 * ring) {
            if (x < 0 || y < 0 || x >= c->side || y >= c->side) continue;
            const int k = y * c->side + x;
            for (int m = c->start[k]; m < c->start[k + 1]; m++) {
                const int j = c->member[m];
                const double d = comp[j] == comp[i] ? INFINITY : apart(g, i, j);
                if (d < best->length) *best = (bridge){ i, j, d };
            }
        }
    }
}

static void nearest_foreign(const rh_graph *g, const rh_cells *c, const int *comp, int i, bridge *best) {
    for (int ring = 0; ring < c->side && (ring - 1.0) / c->side < best->length; ring++)
        search_ring(g, c, comp, i, ring, best);
}

/* One round: the shortest bridge of each component but the largest. Returns the number of components before it. */
static int bridges(rh_graph *g, const rh_cells *c, int *parent, int *comp, int *size, bridge *best) {
    int n_comp = 0, largest = -1;
    for (int i = 0; i < g->n; i++) {
        comp[i] = rh_root(parent, i);
        size[i] = 0;
        best[i].length = INFINITY;
    }
    for (int i = 0; i < g->n; i++) size[comp[i]]++;
    for (int i = 0; i < g->n; i++) {
        n_comp += size[i] > 0;
        if (size[i] > 0 && (largest < 0 || size[i] > size[largest])) largest = i;
    }
    if (n_comp == 1) return 1;
    for (int i = 0; i < g->n; i++)
        if (comp[i] != largest) nearest_foreign(g, c, comp, i, &best[comp[i]]);
    for (int i = 0; i < g->n; i++) {
        if (size[i] == 0 || !isfinite(best[i].length)) continue;
        const int a = rh_root(parent, best[i].from), b = rh_root(parent, best[i].to);
        if (a == b) continue; /* the other component chose the same bridge */
        parent[a] = b;
        rh_graph_join(g, best[i].from, best[i].to);
    }
    return n_comp;
}

bool rh_graph_connect(rh_graph *g) {
    const size_t n = (size_t)g->n;
    rh_cells c;
    int *parent = rh_calloc(n, sizeof(int)), *comp = rh_calloc(n, sizeof(int)), *size = rh_calloc(n, sizeof(int));
    bridge *best = rh_calloc(n, sizeof(bridge));
    const bool room = rh_cells_open(&c, g->n, 0), ok = room && parent && comp && size && best;
    if (ok) {
        rh_cells_fill(&c, g->n, g->pos);
        for (int i = 0; i < g->n; i++) parent[i] = i;
        for (int k = 0; k < g->n_edge; k++) parent[rh_root(parent, g->edge[k][0])] = rh_root(parent, g->edge[k][1]);
        while (bridges(g, &c, parent, comp, size, best) > 1 && !g->bad) {}
    }
    rh_cells_close(&c);
    rh_free(parent);
    rh_free(comp);
    rh_free(size);
    rh_free(best);
    g->bad = g->bad || !ok;
    return ok;
}

/* ---- geometric ---- */

static const rh_gen_field GEOMETRIC[] = {
    { "n", 100, 2, 1000000, "nodes, uniform in a square", NULL, false },
    { "degree", 5, 0.1, 100, "mean number of edges at a node, away from the border", NULL, true },
    RH_GEN_COMMON_FIELDS,
};

/* Each pair closer than r, once: within a cell, and with four of the eight cells around it. */
static void near_pairs(rh_graph *g, const rh_cells *c, double r, void (*visit)(void *ctx, int i, int j, double d),
                       void *ctx) {
    static const int AROUND[][2] = { { 1, 0 }, { -1, 1 }, { 0, 1 }, { 1, 1 } };
    for (int k = 0; k < c->side * c->side && !g->bad; k++)
        for (int m = c->start[k]; m < c->start[k + 1]; m++) {
            const int i = c->member[m];
            for (int q = m + 1; q < c->start[k + 1]; q++)
                if (apart(g, i, c->member[q]) < r) visit(ctx, i, c->member[q], apart(g, i, c->member[q]));
            for (int a = 0; a < RH_COUNT(AROUND); a++) {
                const int x = k % c->side + AROUND[a][0], y = k / c->side + AROUND[a][1], o = y * c->side + x;
                if (x < 0 || x >= c->side || y >= c->side) continue;
                for (int q = c->start[o]; q < c->start[o + 1]; q++)
                    if (apart(g, i, c->member[q]) < r) visit(ctx, i, c->member[q], apart(g, i, c->member[q]));
            }
        }
}

static void join_pair(void *ctx, int i, int j, double d) {
    (void)d;
    rh_graph_join(ctx, i < j ? i : j, i < j ? j : i);
}

static rheo_status build_geometric(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    rh_cells c;
    RHEO_TRY(rh_gen_check(&rh_gen_geometric, par, err));
    const int n = (int)par[0];
    const double r = sqrt(par[1] / (3.14159265358979323846 * n)); /* mean degree = n pi r^2 */
    RHEO_TRY(rh_gen_open(&g, n, 0.5 * n * par[1], seed, err));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) g.pos[i][k] = rh_graph_unit(&g);
    if (rh_cells_open(&c, n, r)) {
        rh_cells_fill(&c, n, g.pos);
        near_pairs(&g, &c, r, join_pair, &g);
    } else {
        g.bad = true;
    }
    rh_cells_close(&c);
    if (!g.bad) rh_graph_connect(&g);
    return rh_gen_finish(&g, &rh_gen_geometric, par, b, err);
}

const rh_gen_kind rh_gen_geometric = {
    "geometric", "random points, joined when closer than a distance; pieces are joined by short edges", GEOMETRIC,
    RH_COUNT(GEOMETRIC), build_geometric
};

/* ---- small world: Watts & Strogatz, Nature 393, 440 (1998) ---- */

static const rh_gen_field SMALLWORLD[] = {
    { "n", 100, 4, 1000000, "nodes on a ring", NULL, false },
    { "k", 4, 2, 100, "edges at a node before rewiring, even", NULL, false },
    { "beta", 0.1, 0, 1, "share of edges that are rewired", NULL, true },
    RH_GEN_COMMON_FIELDS,
};

static void ring_positions(rh_graph *g) {
    for (int i = 0; i < g->n; i++) {
        const double angle = 6.283185307179586 * i / g->n;
        g->pos[i][0] = 0.5 + 0.5 * cos(angle);
        g->pos[i][1] = 0.5 + 0.5 * sin(angle);
    }
}

/* A new far end for edge i-j: not i, and not a neighbour of i already. A node joined to all others keeps its edge. */
static int rewire(rh_graph *g, rh_pairs *have, int i, int j) {
    for (int attempt = 0; attempt < 100; attempt++) {
        const int to = rh_graph_below(g, g->n);
        bool is_new = false;
        if (to == i) continue;
        if (!rh_pairs_add(have, i, to, &is_new)) g->bad = true;
        if (g->bad || !is_new) continue;
        rh_pairs_remove(have, i, j);
        return to;
    }
    return j;
}

/* Rewiring can cut the ring into pieces: the ring edges between them come back. */
static void mend_ring(rh_graph *g) {
    int *parent = rh_calloc((size_t)g->n, sizeof(int));
    if (!parent) g->bad = true;
    for (int i = 0; parent && i < g->n; i++) parent[i] = i;
    for (int k = 0; parent && k < g->n_edge; k++)
        parent[rh_root(parent, g->edge[k][0])] = rh_root(parent, g->edge[k][1]);
    for (int i = 0; parent && i + 1 < g->n; i++) {
        const int a = rh_root(parent, i), b = rh_root(parent, i + 1);
        if (a == b) continue;
        parent[a] = b;
        rh_graph_join(g, i, i + 1);
    }
    rh_free(parent);
}

static rheo_status build_smallworld(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    rh_pairs have = { 0 };
    RHEO_TRY(rh_gen_check(&rh_gen_smallworld, par, err));
    const int n = (int)par[0], half = (int)par[1] / 2;
    if (2 * half != (int)par[1])
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "smallworld: k is %d, must be even", (int)par[1]);
    if (2 * half >= n) return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "smallworld: k must be below n");
    RHEO_TRY(rh_gen_open(&g, n, (double)n * half, seed, err));
    ring_positions(&g);
    for (int step = 1; step <= half; step++)
        for (int i = 0; i < n && !g.bad; i++) {
            bool is_new;
            g.bad = !rh_pairs_add(&have, i, (i + step) % n, &is_new);
            rh_graph_join(&g, i, (i + step) % n);
        }
    for (int k = 0; k < g.n_edge && !g.bad; k++)
        if (rh_graph_unit(&g) < par[2]) g.edge[k][1] = rewire(&g, &have, g.edge[k][0], g.edge[k][1]);
    rh_pairs_free(&have);
    if (!g.bad) mend_ring(&g);
    return rh_gen_finish(&g, &rh_gen_smallworld, par, b, err);
}

const rh_gen_kind rh_gen_smallworld = { "smallworld",
                                        "ring with neighbours, some edges rewired at random (Watts-Strogatz)",
                                        SMALLWORLD, RH_COUNT(SMALLWORLD), build_smallworld };

/* ---- scale-free: Barabasi & Albert, Science 286, 509 (1999) ---- */

static const rh_gen_field SCALEFREE[] = {
    { "n", 100, 3, 1000000, "nodes", NULL, false },
    { "m", 2, 1, 100, "edges that a new node brings along", NULL, false },
    RH_GEN_COMMON_FIELDS,
};

/* Both ends of all edges in one list hold each node as often as it has edges: a random entry is the preferential
 * choice. */
static void attach(rh_graph *g, int i, int m) {
    const int n_end = 2 * g->n_edge;
    int chosen[100], n = 0;
    while (n < m && !g->bad) {
        const int at = rh_graph_below(g, n_end), to = g->edge[at / 2][at % 2];
        bool known = false;
        for (int k = 0; k < n; k++) known = known || chosen[k] == to;
        if (known) continue;
        chosen[n++] = to;
        rh_graph_join(g, to, i);
    }
}

static rheo_status build_scalefree(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    RHEO_TRY(rh_gen_check(&rh_gen_scalefree, par, err));
    const int n = (int)par[0], m = (int)par[1];
    if (m + 1 > n) return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "scalefree: m must be below n");
    RHEO_TRY(rh_gen_open(&g, n, (double)n * m, seed, err));
    ring_positions(&g);
    for (int i = 0; i <= m; i++)
        for (int j = 0; j < i; j++) rh_graph_join(&g, j, i); /* the seed is a complete graph */
    for (int i = m + 1; i < n; i++) attach(&g, i, m);
    return rh_gen_finish(&g, &rh_gen_scalefree, par, b, err);
}

const rh_gen_kind rh_gen_scalefree = { "scalefree", "grown by preferential attachment (Barabasi-Albert)", SCALEFREE,
                                       RH_COUNT(SCALEFREE), build_scalefree };

/* ---- jammed: contacts of soft discs ----
 * Discs of two sizes (ratio 1.4, which keeps them from crystallising) at a packing fraction of 0.9 are pushed apart
 * until overlaps are even; then the pairs that overlap most are joined, at least two at every disc, until the mean
 * coordination is reached. Like the contact networks of O'Hern, Silbert, Liu & Nagel, Phys. Rev. E 68, 011306 (2003),
 * but with open walls. */

static const rh_gen_field JAMMED[] = {
    { "n", 100, 10, 200000, "discs", NULL, false },
    { "z", 4.5, 3, 5, "mean number of contacts of a disc", NULL, true },
    RH_GEN_COMMON_FIELDS,
};

enum { SWEEPS = 200 };

typedef struct contact {
    int i, j;
    double ratio; /* distance over sum of radii */
} contact;

typedef struct packing {
    rh_graph *g;
    double small; /* radius of the small discs; every second disc is larger by 1.4 */
    double (*push)[2];
    contact *contact;
    int n_contact, cap;
    bool *taken;
} packing;

static double touching(const packing *p, int i, int j) { return p->small * ((i % 2 ? 1.4 : 1) + (j % 2 ? 1.4 : 1)); }

static void push_apart(void *ctx, int i, int j, double d) {
    packing *p = ctx;
    const double overlap = touching(p, i, j) - d;
    if (overlap <= 0 || d <= 0) return;
    for (int k = 0; k < 2; k++) {
        const double move = 0.2 * overlap * (p->g->pos[i][k] - p->g->pos[j][k]) / d;
        p->push[i][k] += move;
        p->push[j][k] -= move;
    }
}

static void keep_contact(void *ctx, int i, int j, double d) {
    packing *p = ctx;
    if (!rh_grow(&p->contact, &p->cap, p->n_contact + 1, sizeof(contact))) {
        p->g->bad = true;
        return;
    }
    p->contact[p->n_contact++] = (contact){ i < j ? i : j, i < j ? j : i, d / touching(p, i, j) };
}

static void relax(packing *p, rh_cells *c, double reach) {
    rh_graph *g = p->g;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        memset(p->push, 0, (size_t)g->n * sizeof(*p->push));
        rh_cells_fill(c, g->n, g->pos);
        near_pairs(g, c, reach, push_apart, p);
        for (int i = 0; i < g->n; i++)
            for (int k = 0; k < 2; k++) g->pos[i][k] = fmin(fmax(g->pos[i][k] + p->push[i][k], 0), 1);
    }
}

static int by_ratio(const void *a, const void *b) {
    const contact *x = a, *y = b;
    if (x->ratio != y->ratio) return x->ratio < y->ratio ? -1 : 1;
    return x->i != y->i ? (x->i < y->i ? -1 : 1) : (x->j > y->j) - (x->j < y->j);
}

static int by_ends(const void *a, const void *b) {
    const contact *x = a, *y = b;
    return x->i != y->i ? (x->i < y->i ? -1 : 1) : (x->j > y->j) - (x->j < y->j);
}

/* The two closest contacts of every disc first, then the closest of all. */
static void join_contacts(packing *p, int want, int *degree) {
    rh_graph *g = p->g;
    int n = 0;
    qsort(p->contact, (size_t)p->n_contact, sizeof(contact), by_ratio);
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < p->n_contact && (n < want || pass == 0); k++) {
            const contact *c = &p->contact[k];
            if (p->taken[k] || (pass == 0 && degree[c->i] >= 2 && degree[c->j] >= 2)) continue;
            p->taken[k] = true;
            degree[c->i]++;
            degree[c->j]++;
            n++;
        }
    n = 0;
    for (int k = 0; k < p->n_contact; k++)
        if (p->taken[k]) p->contact[n++] = p->contact[k];
    qsort(p->contact, (size_t)n, sizeof(contact), by_ends);
    for (int k = 0; k < n; k++) rh_graph_join(g, p->contact[k].i, p->contact[k].j);
}

static void pack(rh_graph *g, double z) {
    rh_cells c;
    packing p = { .g = g, .small = sqrt(0.9 / (3.14159265358979323846 * g->n * 0.5 * (1 + 1.96))) };
    const double reach = 2 * 1.4 * p.small * 1.7; /* far enough for two contacts of the loosest disc */
    int *degree = rh_calloc((size_t)g->n, sizeof(int));
    p.push = rh_calloc((size_t)g->n, sizeof(*p.push));
    const bool room = rh_cells_open(&c, g->n, reach);
    g->bad = !room || !degree || !p.push;
    if (!g->bad) {
        relax(&p, &c, reach);
        rh_cells_fill(&c, g->n, g->pos);
        near_pairs(g, &c, reach, keep_contact, &p);
        p.taken = rh_calloc((size_t)p.n_contact, sizeof(bool));
        g->bad = g->bad || !p.taken;
    }
    if (!g->bad) join_contacts(&p, (int)lround(0.5 * z * g->n), degree);
    rh_cells_close(&c);
    rh_free(degree);
    rh_free(p.push);
    rh_free(p.contact);
    rh_free(p.taken);
}

static rheo_status build_jammed(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    RHEO_TRY(rh_gen_check(&rh_gen_jammed, par, err));
    const int n = (int)par[0];
    RHEO_TRY(rh_gen_open(&g, n, 0.5 * n * par[1], seed, err));
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) g.pos[i][k] = rh_graph_unit(&g);
    pack(&g, par[1]);
    if (!g.bad) rh_graph_connect(&g);
    return rh_gen_finish(&g, &rh_gen_jammed, par, b, err);
}

const rh_gen_kind rh_gen_jammed = { "jammed", "contacts of a packing of soft discs, as in jammed solids", JAMMED,
                                    RH_COUNT(JAMMED), build_jammed };
