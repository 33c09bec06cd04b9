/* oracle.h: circuits from a few cards, and their operating points recomputed densely, apart from the library's solver.
 */
#ifndef ORACLE_H
#define ORACLE_H

#include "circuit/circuit.h"

/* A circuit from cards such as "V1 a 0 1\nR1 a b 1k\nE1 c 0 a b 2". A card that ends in * is learnable; after the *
 * may stand min, max and init in S. Places are those of the text, as file "cards". Fails the test when it cannot. */
rheo_circuit *oracle_circuit(const char *cards);

/* Full modified nodal analysis: every node but ground and the current of every V and E is an unknown, LAPACK's dgesv
 * solves. v [n_node], i [n_elem]; g and source NULL: the circuit's own. false: singular. */
bool oracle_solve(const rheo_circuit *c, const double *g, const double *source, double *v, double *i);
/* The same equations, eliminated with full pivoting to 34 digits where the compiler has them: potentials only. */
bool oracle_solve_wide(const rheo_circuit *c, const double *g, const double *source, double *v);

/* Worst sum of currents at a node, relative to the largest current through an element. */
double oracle_kcl(const rheo_circuit *c, const double *i);
/* Sum over all elements of drop times current, relative to the sum of magnitudes. */
double oracle_power(const rheo_circuit *c, const double *v, const double *i);

#endif
