/* ngspice: operating points by ngspice, which runs in a confined process of its own (src/ngworker).
 *
 * The deck is printed from the circuit: element letter and number, nodes by number, no text of the user. It stays
 * resident; what changed since the last operating point is altered. One thread per handle. */
#ifndef RH_NGSPICE_H
#define RH_NGSPICE_H

#include "circuit/circuit.h"
#include "ngspice/process.h"

typedef struct rh_ngspice rh_ngspice;

/* c is lent. worker: path of rheo-ngworker, copied; NULL: where it is installed. RHEO_E_IO when it does not start. */
rheo_status rh_ngspice_open(rh_ngspice **out, const rheo_circuit *c, const char *worker, rheo_error *err);
void rh_ngspice_close(rh_ngspice *s);

/* A current source from node b through itself to node a, of 0 A until rh_ngspice_inject says otherwise. Returns its
 * index among the ports, the one of an earlier call with the same nodes, -1: out of memory. */
int rh_ngspice_port(rh_ngspice *s, int a, int b);
void rh_ngspice_inject(rh_ngspice *s, int port, double amp); /* from now on */
/* The same with a voltage source behind a resistor from a to b, which hardly conducts until rh_ngspice_pull says
 * otherwise: v[a] - v[b] is pulled towards volt. */
int rh_ngspice_pull_port(rh_ngspice *s, int a, int b);
void rh_ngspice_pull(rh_ngspice *s, int port, double volt, double ohm); /* from now on */
#define RH_NGSPICE_OPEN 1e30                                            /* ohm */

/* Operating point at g [n_edge] S, source [n_elem], and the currents of the ports. A worker that crashed, was late, or
 * refused what came after other points is replaced, and the new one asked once.
 * @return RHEO_OK; RHEO_E_SINGULAR: ngspice finds none (E320); RHEO_E_NOCONV: it crashed or took too long, more than
 * once (E321); then v and i are as they were, and err names a file with the deck */
rheo_status rh_ngspice_solve(rh_ngspice *s, const double *g, const double *source, double *v, double *i,
                             rheo_error *err);

const rh_worker *rh_ngspice_worker(const rh_ngspice *s);
long rh_ngspice_restarts(const rh_ngspice *s); /* after the first start */
/* Warn of every worker lost since the last call (W325), with the file where its deck is kept. Not done by
 * rh_ngspice_solve, which may run in any thread. */
void rh_ngspice_tell(rh_ngspice *s, const rheo_log *log);

/* A port: amp flows into node[0] and out of node[1]; or, where it pulls, volt behind ohm hangs between them. */
typedef struct rh_port {
    int node[2];
    bool pulls;
    double amp, volt, ohm;
} rh_port;
/* deck.c: a deck for ngspice. g, source NULL: the circuit's own, and nothing through the ports. */
void rh_ngspice_deck(rh_buf *b, const rheo_circuit *c, const double *g, const double *source, const rh_port *port,
                     int n_port);
/* The letter and number of an element in the deck: R of element 0 is r1, what ngspice does not know a behavioural
 * source b. Ports follow the elements. */
char rh_ngspice_letter(const rheo_circuit *c, int elem);

/* Does a worker start? It is ended at once. Errors of rh_ngspice_open. */
rheo_status rh_ngspice_try(const char *worker, rheo_error *err);
/* "39, confined by limits, no new privileges, seccomp, Landlock 4"; or what is not available, and which code says why.
 */
void rh_ngspice_describe(const char *worker, char *buf, size_t size);

#endif
