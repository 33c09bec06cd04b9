/* gen_regular.c: grids, lattices and layers. */
#include "circuit/gen.h"

/* ---- square grids ---- */

static const rh_gen_field GRID[] = {
    { "nx", 10, 1, 5000, "nodes in a row", NULL, false },
    { "ny", 10, 1, 5000, "rows", NULL, false },
    RH_GEN_COMMON_FIELDS,
};
static const rh_gen_field TORUS[] = {
    { "nx", 10, 3, 5000, "nodes in a row", NULL, false },
    { "ny", 10, 3, 5000, "rows", NULL, false },
    RH_GEN_COMMON_FIELDS,
};

typedef enum shape { OPEN, PERIODIC, TRIANGULAR } shape;

static void grid_node(rh_graph *g, int x, int y, shape s) {
    const int nx = g->dim[0], ny = g->dim[1], i = y * nx + x, right = (x + 1) % nx, up = (y + 1) % ny;
    const bool has_right = x + 1 < nx || s == PERIODIC, has_up = y + 1 < ny || s == PERIODIC;
    g->pos[i][0] = s == TRIANGULAR ? x + 0.5 * (y % 2) : x;
    g->pos[i][1] = s == TRIANGULAR ? 0.8660254037844386 * y : y; /* rows of unit triangles are sqrt(3)/2 apart */
    if (has_right) rh_graph_join(g, i, y * nx + right);
    if (has_up) rh_graph_join(g, i, up * nx + x);
    if (s != TRIANGULAR || !has_up) return;
    const int side = y % 2 ? x + 1 : x - 1; /* the other neighbour in the row above */
    if (side >= 0 && side < nx) rh_graph_join(g, i, up * nx + side);
}

static rheo_status grid(const rh_gen_kind *kind, const double *par, shape s, uint64_t seed, rh_builder *b,
                        rheo_error *err) {
    rh_graph g;
    RHEO_TRY(rh_gen_check(kind, par, err));
    const int nx = (int)par[0], ny = (int)par[1];
    if (nx * ny < 2) return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "%s: a network needs two nodes", kind->name);
    RHEO_TRY(rh_gen_open(&g, (double)nx * ny, (s == TRIANGULAR ? 3.0 : 2.0) * nx * ny, seed, err));
    g.n_dim = 2;
    g.dim[0] = nx;
    g.dim[1] = ny;
    for (int y = 0; y < ny; y++)
        for (int x = 0; x < nx; x++) grid_node(&g, x, y, s);
    return rh_gen_finish(&g, kind, par, b, err);
}

static rheo_status build_grid(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    return grid(&rh_gen_grid, par, OPEN, seed, b, err);
}
static rheo_status build_torus(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    return grid(&rh_gen_torus, par, PERIODIC, seed, b, err);
}
static rheo_status build_triangular(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    return grid(&rh_gen_triangular, par, TRIANGULAR, seed, b, err);
}

const rh_gen_kind rh_gen_grid = { "grid", "square grid with open borders", GRID, RH_COUNT(GRID), build_grid };
const rh_gen_kind rh_gen_torus = { "torus", "square grid with periodic borders: four edges at every node", TORUS,
                                   RH_COUNT(TORUS), build_torus };
const rh_gen_kind rh_gen_triangular = { "triangular", "triangular lattice with open borders: six edges at inner nodes",
                                        GRID, RH_COUNT(GRID), build_triangular };

/* ---- cubic lattices ---- */

static const rh_gen_field LATTICE[] = {
    { "dim", 3, 1, RH_GEN_DIMS, "dimensions", NULL, false },
    { "n", 5, 2, 1000000, "nodes along each", NULL, false },
    { "periodic", 0, 0, 1, "1: the borders are joined (needs n of 3 or more)", NULL, false },
    RH_GEN_COMMON_FIELDS,
};

/* Picture: the third and further dimensions are drawn as shifted copies. */
static void lattice_node(rh_graph *g, int i, bool periodic) {
    const int n = g->dim[0];
    double shift = 1;
    g->pos[i][0] = g->pos[i][1] = 0;
    for (int k = 0, rest = i, step = 1; k < g->n_dim; k++, rest /= n, step *= n) {
        const int x = rest % n;
        if (k >= 2 && k % 2 == 0) shift = shift * 0.3;
        g->pos[i][k % 2] += k < 2 ? x : shift * x;
        if (k >= 2) g->pos[i][1 - k % 2] += 0.5 * shift * x;
        if (x + 1 < n)
            rh_graph_join(g, i, i + step);
        else if (periodic)
            rh_graph_join(g, i, i - (n - 1) * step);
    }
}

static rheo_status build_lattice(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    RHEO_TRY(rh_gen_check(&rh_gen_lattice, par, err));
    const int dim = (int)par[0], n = (int)par[1];
    const bool periodic = par[2] != 0;
    if (periodic && n < 3)
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "lattice: periodic borders need n of 3 or more");
    double total = 1;
    for (int k = 0; k < dim; k++) total *= n;
    RHEO_TRY(rh_gen_open(&g, total, dim * total, seed, err));
    g.n_dim = dim;
    for (int k = 0; k < dim; k++) g.dim[k] = n;
    for (int i = 0; i < g.n; i++) lattice_node(&g, i, periodic);
    return rh_gen_finish(&g, &rh_gen_lattice, par, b, err);
}

const rh_gen_kind rh_gen_lattice = { "lattice", "cubic lattice of any dimension", LATTICE, RH_COUNT(LATTICE),
                                     build_lattice };

/* ---- layers ---- */

static const rh_gen_field MULTIPARTITE[] = {
    { "n1", 4, 1, 100000, "nodes of the first layer", NULL, false },
    { "n2", 8, 1, 100000, "of the second", NULL, false },
    { "n3", 2, 0, 100000, "of the third; 0: none", NULL, false },
    { "n4", 0, 0, 100000, "of the fourth; 0: none", NULL, false },
    RH_GEN_COMMON_FIELDS,
};

static void join_layers(rh_graph *g, int first, int n, int m) {
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m && !g->bad; j++) rh_graph_join(g, first + i, first + n + j);
}

static rheo_status build_multipartite(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    rh_graph g;
    RHEO_TRY(rh_gen_check(&rh_gen_multipartite, par, err));
    int size[4], n_layer = 0;
    double n = 0, n_edge = 0;
    for (int k = 0; k < 4 && par[k] >= 1; k++, n_layer++) {
        size[k] = (int)par[k];
        n += size[k];
        if (k) n_edge += (double)size[k - 1] * size[k];
    }
    RHEO_TRY(rh_gen_open(&g, n, n_edge, seed, err));
    g.layered = true;
    g.n_dim = n_layer;
    for (int k = 0, first = 0; k < n_layer; first += size[k++]) {
        g.dim[k] = size[k];
        for (int i = 0; i < size[k]; i++) {
            g.pos[first + i][0] = 2 * k;
            g.pos[first + i][1] = i - 0.5 * (size[k] - 1);
        }
        if (k + 1 < n_layer) join_layers(&g, first, size[k], size[k + 1]);
    }
    return rh_gen_finish(&g, &rh_gen_multipartite, par, b, err);
}

const rh_gen_kind rh_gen_multipartite = { "multipartite",
                                          "two to four layers, every node joined to all of the next layer",
                                          MULTIPARTITE, RH_COUNT(MULTIPARTITE), build_multipartite };
