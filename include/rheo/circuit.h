/* rheo/circuit.h: the circuit, which never changes once built, and the state, which is all that does.
 *
 * Node 0 is ground. Elements keep the order in which they were added. All values are SI.
 * Thread rules: a circuit may be read from any number of threads; a state belongs to one thread at a time. */
#ifndef RHEO_CIRCUIT_H
#define RHEO_CIRCUIT_H

#include "rheo/base.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_circuit rheo_circuit; /* opaque, immutable */

/** Counts. Nodes include ground; edges are the learnable elements, in element order. */
RHEO_API int rheo_circuit_n_node(const rheo_circuit *c);
RHEO_API int rheo_circuit_n_element(const rheo_circuit *c);
RHEO_API int rheo_circuit_n_edge(const rheo_circuit *c);

/** Names as the user wrote them. Lent. NULL when the index is out of range. */
RHEO_API const char *rheo_circuit_node_name(const rheo_circuit *c, int node);
RHEO_API const char *rheo_circuit_element_name(const rheo_circuit *c, int element);
/** The element of an edge, or -1 when the index is out of range. */
RHEO_API int rheo_circuit_edge_element(const rheo_circuit *c, int edge);

/** Index of a node or element by name, letter case ignored; -1 when there is none. */
RHEO_API int rheo_circuit_find_node(const rheo_circuit *c, const char *name);
RHEO_API int rheo_circuit_find_element(const rheo_circuit *c, const char *name);

/** Give the circuit back. NULL is fine. No solver or state of it may be in use. */
RHEO_API void rheo_circuit_destroy(rheo_circuit *c);

/**
 * What may change: the learned conductances, the values of the sources, and the answer of the last solve.
 * Plain arrays, to be read and written in place.
 */
typedef struct rheo_state {
    int n_node, n_element, n_edge;
    double *g;      /* [n_edge] S: conductance of each learnable edge; V: the gate voltage where that is what learns (a
                       transistor). Then it is also the value of the source that holds the gate: source[] is not read */
    double *source; /* [n_element] V or A: value of each V and I element (others are ignored) */
    double *v;      /* [n_node] V: node potentials, v[0] = 0; written by rheo_solver_solve */
    double *i;      /* [n_element] A: current through each element from its first to its second node (of a transistor:
                       into its drain); written by rheo_solver_solve */
} rheo_state;

/**
 * A state with the values of the netlist: g from `*@ learn init=` or the resistance, sources at their DC value, v and i
 * zero.
 * @return RHEO_OK or RHEO_E_NOMEM (then *out is as it was)
 */
RHEO_API rheo_status rheo_state_create(rheo_state **out, const rheo_circuit *c, rheo_error *err);
RHEO_API void rheo_state_destroy(rheo_state *st);

#ifdef __cplusplus
}
#endif
#endif
