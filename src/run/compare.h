/* compare: one circuit by several engines, every node and every branch. */
#ifndef RH_RUN_COMPARE_H
#define RH_RUN_COMPARE_H

#include "run/run.h"

enum { RH_MAX_ENGINE = 8 };

/* Differences from the first engine; relative ones are shares of the largest potential or current of the circuit, the
 * latter taken as at least a millionth of the largest |g v|: slope of an element times the potential of one end. */
typedef struct rh_gap {
    double *rel, *abs; /* [n]; sorted once finished */
    int n, cap_rel, cap_abs;
    double worst;    /* the largest of rel */
    char where[200]; /* node or element, and the case */
} rh_gap;

typedef struct rh_engine {
    const char *name;
    char why_not[400]; /* why it takes part no longer, or never did; "": it does */
    char refused[400]; /* why it did not take a circuit; it may take the next */
    int n_case, n_refused;
    int n_elsewhere; /* of n_case: at another operating point than the first engine's own, which that finds as well */
    rh_gap v, i;
} rh_engine;

typedef struct rh_compare {
    rh_engine engine[RH_MAX_ENGINE]; /* the first is what the others are measured by */
    int n_engine, n_case;
} rh_compare;

/* names: lent. */
void rh_compare_begin(rh_compare *k, const char *const *names, int n);
/* A circuit as the netlist says. label: a few words for `where`. */
rheo_status rh_compare_circuit(rh_compare *k, const rheo_circuit *c, const char *label, rheo_error *err);
/* The first n samples of an experiment at g [n_edge] (NULL: the start): free, and clamped at full level by real
 * elements.
 */
rheo_status rh_compare_experiment(rh_compare *k, const rheo_experiment *x, const double *g, int n, rheo_error *err);
/* Random circuits (generator `mixed`): n of them with seeds from `seed` on, their sizes in geometric steps from `small`
 * to `large` nodes. Kinds take turns: linear ones of all linear elements, of which one in four holds nothing but
 * resistors, current sources and the inputs; the others with half a diode per node, half a transistor, or both. */
enum { RH_LOTTERY_LINEAR, RH_LOTTERY_DIODE, RH_LOTTERY_MOSFET, RH_LOTTERY_MIXED, RH_N_LOTTERY };
extern const char *const RH_LOTTERY_KINDS[]; /* NULL-terminated */
typedef struct rh_lottery {
    int n, small, large;
    int kind[RH_N_LOTTERY], n_kind; /* n_kind 0: linear */
    uint64_t seed;
} rh_lottery;
rheo_status rh_compare_random(rh_compare *k, const rh_lottery *def, rheo_error *err);
/* Sorts. RHEO_E_IO: no engine but the first took part. RHEO_E_GOAL: a difference is above the tolerance, or nine
 * potentials in ten are not within p90 (INFINITY: not asked). */
rheo_status rh_compare_finish(rh_compare *k, double tolerance, double p90, rheo_error *err);
double rh_gap_share(const double *sorted, int n, double share); /* quantile; 0 when there is none */
void rh_compare_free(rh_compare *k);

#endif
