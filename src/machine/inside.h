/* inside.h: what the files of machine share.
 *
 * A step of h is a collocation: s at a few nodes c_i h is a polynomial, to which the memory responds exactly, u is the
 * polynomial through its values at the nodes, and the pump integrates g(u), cut where u crosses the dead zone. Since
 * the conductances at the nodes follow from that integral, all is repeated until it agrees with itself. */
#ifndef RH_MACHINE_INSIDE_H
#define RH_MACHINE_INSIDE_H

#include "circuit/circuit.h"
#include "machine/machine.h"

enum { RH_NODES = 4, RH_LAST = RH_NODES - 1, RH_RESPONSES = 32 };

/* Nodes of a step and what follows from them: tables of the polynomial through values at the nodes. */
typedef struct rh_scheme {
    int n;                            /* nodes, with both ends */
    double c[RH_NODES];               /* 0 .. 1 */
    double power[RH_NODES][RH_NODES]; /* coefficients of 1, x, x^2 ...: row m from the values */
    double hull[RH_NODES][RH_NODES];  /* Bernstein coefficients, between which it lies */
    double area[RH_NODES][RH_NODES];  /* row i: integral from 0 to c_i */
    double top[RH_NODES];             /* its highest Legendre coefficient */
} rh_scheme;
void rh_scheme_build(rh_scheme *q, int n, const double *c);

/* ---- memory.c: the exact response of the memory over a step ---- */
typedef struct rh_response {
    double h;                           /* s; 0: empty */
    double u_x[RH_NODES][RH_MAX_STATE]; /* u at node i from the states at the beginning */
    double u_s[RH_NODES][RH_NODES];     /* and from s at the nodes */
    double x_x[RH_MAX_STATE][RH_MAX_STATE], x_s[RH_MAX_STATE][RH_NODES]; /* states at the end */
} rh_response;
void rh_response_build(const rh_filter *f, const rh_scheme *q, double h, rh_response *r);
/* s: time in which the memory of a kernel fades to 1/e. */
double rh_memory_time(const rh_learn_def *d);
/* States at rest under a constant s of 1. */
void rh_memory_rest(const rh_filter *f, double x[RH_MAX_STATE]);

/* ---- pump.c: what u writes ---- */
typedef struct rh_pump {
    rh_nonlinearity kind;
    double threshold;  /* V^2/s */
    double shut, open; /* |u| where the dead zone begins to open and where it is open; 0: there is none */
} rh_pump;
rh_pump rh_pump_of(const rh_learn_def *d);
double rh_pump_current(const rh_pump *p, double u);
/* area[i], i = 1..n-1: integral of on g(u) from 0 to c_i, in units of h. u: values at the nodes, `stride` apart.
 * on: at both ends. *top: highest coefficient of what is integrated, or of u where the dead zone stays shut; then *gap
 * is how far u stays from its edge, and 0 otherwise. Returns the number of crossings. */
int rh_pump_write(const rh_pump *p, const rh_scheme *q, const double *u, int stride, const double on[2],
                  double area[RH_NODES], double *top, double *gap);

/* ---- net.c: potentials at given conductances, sources and nudge ---- */
typedef struct rh_net rh_net;
/* What acts on the network at one time. */
typedef struct rh_forcing {
    const double *source; /* [n_elem] */
    double nudge;         /* S: conductance to the targets */
    const double *target; /* [n_out] V */
} rh_forcing;
/* tau: s, about as long as steps are. */
rheo_status rh_net_open(rh_net **out, const rheo_circuit *c, const rheo_solver_def *solver, const rh_ports *ports,
                        double tau, const rheo_log *log, rheo_error *err);
void rh_net_close(rh_net *n);
bool rh_net_has_capacitors(const rh_net *n);
/* The next point factors, whatever was factored before: results depend on the state alone. */
void rh_net_forget(rh_net *n);
/* Without capacitors, or at rest: drop [n_edge], and v_out [n_out] unless NULL. */
rheo_status rh_net_point(rh_net *n, const double *g, const rh_forcing *f, double *drop, double *v_out, rheo_error *err);
/* With capacitors, TR-BDF2: stage 1 at (2 - sqrt 2) h, stage 2 at h; then the error of the step relative to what is
 * allowed, and the step made. */
rheo_status rh_net_stage(rh_net *n, int stage, double h, const double *g, const rh_forcing *f, double *drop,
                         rheo_error *err);
double rh_net_error(rh_net *n, double tolerance);
void rh_net_accept(rh_net *n);
void rh_net_rest(rh_net *n);   /* the last point is where all begins */
void rh_net_corner(rh_net *n); /* slopes of sources jump */
long rh_net_factored(const rh_net *n);
rheo_solver *rh_net_solver(rh_net *n);
/* State of the capacitors for checkpoints: potentials and currents. */
int rh_net_blocks(rh_net *n, rh_block *out);

#endif
