/* gen.h: shared by the generators. Each makes a graph; gen.c turns it into a circuit. */
#ifndef RH_GEN_H
#define RH_GEN_H

#include "circuit/circuit.h"

enum { RH_GEN_DIMS = 6, RH_GEN_EDGES = 5000000 };

typedef struct rh_graph {
    int n, n_edge, cap_edge;
    int (*edge)[2];
    double (*pos)[2];
    int n_dim, dim[RH_GEN_DIMS]; /* n_dim > 0: node names carry coordinates n<x>_<y>... */
    bool layered;                /* names are l<layer>_<number>; dim holds the sizes of the n_dim layers */
    bool bad;                    /* out of memory */
    uint64_t seed, counter;      /* of the random numbers that decide about the topology */
} rh_graph;

/* Room for n nodes with positions. */
bool rh_graph_open(rh_graph *g, int n, uint64_t seed);
void rh_graph_close(rh_graph *g);
void rh_graph_join(rh_graph *g, int a, int b);
double rh_graph_unit(rh_graph *g);      /* uniform in (0, 1) */
int rh_graph_below(rh_graph *g, int n); /* uniform in 0..n-1 */
/* Root of the component of i; parent [n] starts as 0..n-1. */
int rh_root(int *parent, int i);

/* A set of unordered pairs. */
typedef struct rh_pairs {
    uint64_t *slot;
    size_t cap, n;
} rh_pairs;
bool rh_pairs_add(rh_pairs *p, int a, int b, bool *is_new); /* false: out of memory */
bool rh_pairs_remove(rh_pairs *p, int a, int b);            /* false: was not there */
void rh_pairs_free(rh_pairs *p);

/* Points of the unit square sorted into square cells. */
typedef struct rh_cells {
    int side;            /* cells per row */
    int *start, *member; /* members of cell c: member[start[c]..start[c + 1]) */
    int *cell;
} rh_cells;
bool rh_cells_open(rh_cells *c, int n, double width); /* cells at least so wide */
void rh_cells_fill(rh_cells *c, int n, double (*pos)[2]);
void rh_cells_close(rh_cells *c);
/* Join the components of g by short edges: each but the largest gets an edge to its nearest neighbour, until one is
 * left. */
bool rh_graph_connect(rh_graph *g);

/* What every generator has besides its own fields; the last ones of its table. */
enum {
    RH_GEN_G,
    RH_GEN_SPREAD,
    RH_GEN_MIN,
    RH_GEN_MAX,
    RH_GEN_INPUTS,
    RH_GEN_EDGE,
    RH_GEN_GATE,
    RH_GEN_GATE_SPREAD,
    RH_GEN_GATE_MIN,
    RH_GEN_GATE_MAX,
    RH_GEN_COMMON
};
enum { RH_EDGE_RESISTOR, RH_EDGE_NMOS, RH_EDGE_LEVEL1 };
extern const char *const RH_EDGE_NAMES[];
/* The defaults are those of a machine that was built: 32 transistors, gates between 0.75 and 5.03 V. */
#define RH_GEN_EDGE_FIELDS                                                                             \
    { "edge",                                                                                          \
      0,                                                                                               \
      0,                                                                                               \
      2,                                                                                               \
      "what the edges are; transistors are smooth ones or of level 1, each with a source at its gate", \
      RH_EDGE_NAMES,                                                                                   \
      false },                                                                                         \
        { "gate", 1.5, -1e3, 1e3, "gate voltage at the start, V", NULL, true },                        \
        { "gate-spread", 0.1, 0, 1e3, "largest deviation of it, uniform, V", NULL, true },             \
        { "gate-min", 0.75, -1e3, 1e3, "lowest gate voltage, V", NULL, true }, {                       \
        "gate-max", 5.03, -1e3, 1e3, "highest gate voltage, V", NULL, true                             \
    }
#define RH_GEN_COMMON_FIELDS                                                                                     \
    { "g", 1e-3, 1e-12, 1e12, "conductance of the edges at the start, S", NULL, true },                          \
        { "spread",                                                                                              \
          0,                                                                                                     \
          0,                                                                                                     \
          1e6,                                                                                                   \
          "relative spread: log-uniform from g/(1+spread) to g*(1+spread), held between min and max",            \
          NULL,                                                                                                  \
          true },                                                                                                \
        { "min", 1e-6, 1e-12, 1e12, "lowest conductance, S", NULL, true },                                       \
        { "max", 1e-2, 1e-12, 1e12, "highest conductance, S", NULL, true },                                      \
        { "inputs", 2, 0, 100, "sources Vin1, Vin2, ... at nodes far from one another, 0 to 1 V", NULL, false }, \
        RH_GEN_EDGE_FIELDS

/* Checks the parameters against the table; then the build functions may trust them. */
rheo_status rh_gen_check(const rh_gen_kind *kind, const double *par, rheo_error *err);
/* The circuit of the graph; closes the graph. par: all parameters of the kind. */
rheo_status rh_gen_finish(rh_graph *g, const rh_gen_kind *kind, const double *par, rh_builder *b, rheo_error *err);
/* Room for a graph of so many nodes and edges, or a message. */
rheo_status rh_gen_open(rh_graph *g, double n, double n_edge, uint64_t seed, rheo_error *err);

extern const rh_gen_kind rh_gen_grid, rh_gen_torus, rh_gen_triangular, rh_gen_lattice, rh_gen_layered,
    rh_gen_multipartite;
extern const rh_gen_kind rh_gen_geometric, rh_gen_smallworld, rh_gen_scalefree, rh_gen_jammed, rh_gen_mixed;

#endif
