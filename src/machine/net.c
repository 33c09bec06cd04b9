/* net.c: potentials of the network at one time: what the machine asks for, at given conductances, sources and nudge. A
 * network that is not linear is solved by Newton, each point from the last.
 *
 * What the nudge does is a mix of the responses to 1 A into each output, so the matrix knows of conductances alone: one
 * factorisation serves as long as they rest, whatever sources and nudge do. Capacitors are conductances beside known
 * currents, as in transient (TR-BDF2): the time step is in the matrix then. */
#include "machine/inside.h"
#include "solver/newton.h"
#include "transient/transient.h"

#include <math.h>

#define ROOT2 1.4142135623730951
static const double GAMMA = 2 - ROOT2;
static const double ALPHA = 1 / ((2 - ROOT2) * ROOT2), BETA = (ROOT2 - 1) * (ROOT2 - 1) / ((2 - ROOT2) * ROOT2);
/* Conductances that moved by less than this since the last factorisation have not moved, relative. */
static const double STILL = 1e-11;
/* s: a step in which a capacitor conducts nothing. */
static const double FOR_EVER = 1e18;

typedef struct rh_cell {
    int a, b, edge; /* nodes; edge of the companion */
    double farad;
} rh_cell;

/* Capacitors at one time. */
typedef struct rh_charge {
    double *v, *i; /* [n_cap] V across, A through */
} rh_charge;

struct rh_net {
    const rheo_circuit *c;
    rheo_circuit *companion; /* capacitors learn as well; NULL: neither linear nor any there, then the circuit itself */
    rheo_solver *s;
    const rh_ports *ports;
    int n_edge, n_out, n_cap, n_unknown, n_all;
    int *edge;         /* [n_edge] edge of the companion */
    rh_cell *cell;     /* [n_cap] */
    double *all;       /* [n_all] S: conductances of the companion */
    double *factored;  /* [n_all] */
    bool fresh;        /* the next point has to factor */
    double *b, *x;     /* [n_unknown] */
    double *z;         /* [n_out][n_unknown] response to 1 A into each output */
    double *zoo;       /* [n_out][n_out] */
    double *lu;        /* [n_out][n_out + 1] */
    double *y, *v_out; /* [n_out] */
    double *v;         /* [n_node] */
    double *drop;      /* [n_all] */
    double *inject;    /* [n_cap] A */
    rh_charge now, mid, next;
    bool settled; /* currents of the capacitors are known at the beginning of the step */
    bool bent;    /* the network is not linear: points by Newton, each from the last */
    bool loop;    /* of capacitors and voltage sources: currents jump at corners */
    long n_factor;
    void *memory;
};

static void layout(rh_net *n, rh_arena *a) {
    const size_t m = (size_t)n->n_unknown, k = (size_t)n->n_out, n_node = (size_t)n->c->n_node;
    n->edge = RH_TAKE(a, int, n->n_edge);
    n->cell = RH_TAKE(a, rh_cell, n->n_cap);
    n->all = RH_TAKE(a, double, n->n_all);
    n->factored = RH_TAKE(a, double, n->n_all);
    n->b = RH_TAKE(a, double, m);
    n->x = RH_TAKE(a, double, m);
    n->z = RH_TAKE(a, double, k *m);
    n->zoo = RH_TAKE(a, double, k *k);
    n->lu = RH_TAKE(a, double, k *(k + 1));
    n->y = RH_TAKE(a, double, k);
    n->v_out = RH_TAKE(a, double, k);
    n->v = RH_TAKE(a, double, n_node);
    n->drop = RH_TAKE(a, double, n->n_all);
    n->inject = RH_TAKE(a, double, n->n_cap);
    rh_charge *const charge[] = { &n->now, &n->mid, &n->next };
    for (int i = 0; i < RH_COUNT(charge); i++) {
        charge[i]->v = RH_TAKE(a, double, n->n_cap);
        charge[i]->i = RH_TAKE(a, double, n->n_cap);
    }
}

static void fill(rh_net *n) {
    const rheo_circuit *const c = n->c;
    int cap = 0;
    for (int k = 0; k < n->n_edge; k++) n->edge[k] = k;
    if (!n->companion) return;
    for (int e = 0; e < c->n_elem; e++) {
        const int k = n->companion->elem_edge[e];
        if (k < 0) continue;
        if (c->elem_edge[e] >= 0)
            n->edge[c->elem_edge[e]] = k;
        else
            n->cell[cap++] = (rh_cell){ c->term[e][0], c->term[e][1], k, c->value[e] };
    }
}

static bool any_cap(const rheo_circuit *c) {
    for (int e = 0; e < c->n_elem; e++)
        if (c->kind[e] == RH_KIND_C && c->value[e] > 0) return true;
    return false;
}

static rheo_status check_caps(const rheo_circuit *c, rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++)
        if (c->kind[e] == RH_KIND_C && !(c->value[e] >= 0))
            return rh_fail(err, RHEO_E_RANGE, 364, rh_elem_loc(c, e),
                           "%s has a negative capacitance: its course in time is not stable", c->elem_name[e]);
    return RHEO_OK;
}

/* The time step is in the matrix: pivots are chosen for one of about tau. */
static rheo_status choose_pivots(rh_net *n, double tau, rheo_error *err) {
    if (!n->bent || n->n_cap == 0) return RHEO_OK;
    memcpy(n->all, n->companion->g_init, sizeof(double) * (size_t)n->n_all);
    for (int k = 0; k < n->n_cap; k++) n->all[n->cell[k].edge] = 2 * n->cell[k].farad / (GAMMA * tau);
    return rh_newton_standard(n->s, n->all, err);
}

static rheo_status open_net(rh_net *n, const rheo_solver_def *solver, const rh_ports *ports, double tau,
                            const rheo_log *log, rheo_error *err) {
    RHEO_TRY(check_caps(n->c, err));
    n->bent = !rh_circuit_is_linear(n->c);
    if (!n->bent || any_cap(n->c)) RHEO_TRY(rh_companion_moving(&n->companion, n->c, err));
    n->n_edge = n->c->n_edge;
    n->n_all = n->companion ? n->companion->n_edge : n->n_edge;
    n->n_cap = n->n_all - n->n_edge;
    n->n_out = ports->n_out;
    rheo_solver_def def = *solver;
    if (n->n_cap > 0) { /* short steps are ill-conditioned in a harmless way */
        def.rcond_warn = 0;
        def.rcond_refuse = fmin(def.rcond_refuse, 1e-15);
        RHEO_TRY(rh_voltage_loop(n->c, &n->loop, err));
    }
    RHEO_TRY(rheo_solver_open(&n->s, n->companion ? n->companion : n->c, &def, log, err));
    n->n_unknown = rh_solver_n_unknown(n->s);
    rh_arena a = { 0 };
    layout(n, &a);
    n->memory = rh_alloc(a.used);
    if (!n->memory) return RH_NOMEM(err);
    a = (rh_arena){ .base = n->memory };
    layout(n, &a);
    fill(n);
    n->fresh = true;
    return choose_pivots(n, tau, err);
}

rheo_status rh_net_open(rh_net **out, const rheo_circuit *c, const rheo_solver_def *solver, const rh_ports *ports,
                        double tau, const rheo_log *log, rheo_error *err) {
    rh_net *const n = rh_calloc(1, sizeof *n);
    if (!n) return RH_NOMEM(err);
    n->c = c;
    n->ports = ports;
    const rheo_status st = open_net(n, solver, ports, tau, log, err);
    if (st == RHEO_OK)
        *out = n;
    else
        rh_net_close(n);
    return st;
}

void rh_net_close(rh_net *n) {
    if (!n) return;
    rheo_solver_close(n->s);
    rheo_circuit_destroy(n->companion);
    rh_free(n->memory);
    rh_free(n);
}

bool rh_net_has_capacitors(const rh_net *n) { return n->n_cap > 0; }
void rh_net_forget(rh_net *n) { n->fresh = true; }
long rh_net_factored(const rh_net *n) { return n->n_factor; }
rheo_solver *rh_net_solver(rh_net *n) { return n->s; }

/* ---- one point ---- */

static double output_of(const rh_net *n, const double *v, int o) {
    return v[n->ports->out[o][0]] - v[n->ports->out[o][1]];
}

static bool moved(const rh_net *n) {
    for (int k = 0; k < n->n_all; k++)
        if (!(fabs(n->all[k] - n->factored[k]) <= STILL * n->factored[k])) return true; /* NaN too */
    return n->fresh;
}

/* Ill-conditioned, so that answers are refined: not with capacitors, whose short steps are so in a harmless way. */
static bool doubtful(const rh_net *n) { return n->n_cap == 0 && rh_solver_doubts(n->s); }

static rheo_status factor(rh_net *n, rheo_error *err) {
    n->fresh = true;
    n->n_factor++;
    RHEO_TRY(rh_solver_factor(n->s, n->all, err));
    memcpy(n->factored, n->all, sizeof(double) * (size_t)n->n_all);
    const size_t m = (size_t)n->n_unknown;
    memset(n->z, 0, sizeof(double) * m * (size_t)n->n_out);
    for (int o = 0; o < n->n_out; o++)
        rh_solver_inject(n->s, n->ports->out[o][0], n->ports->out[o][1], 1, n->z + (size_t)o * m);
    rh_solver_apply(n->s, n->n_out, n->z, false);
    for (int o = 0; o < n->n_out && doubtful(n); o++) {
        const int *const out = n->ports->out[o];
        RHEO_TRY(rh_solver_settle(n->s, NULL, out[0], out[1], false, n->z + (size_t)o * m, err));
    }
    for (int p = 0; p < n->n_out; p++) {
        rh_solver_potentials(n->s, NULL, n->z + (size_t)p * m, n->v);
        for (int o = 0; o < n->n_out; o++) n->zoo[o * n->n_out + p] = output_of(n, n->v, o);
    }
    n->fresh = false;
    return RHEO_OK;
}

/* (1 + nudge zoo) y = nudge (target - free output). */
static bool nudge(rh_net *n, const rh_forcing *f) {
    const int k = n->n_out, m = k + 1;
    for (int r = 0; r < k; r++) {
        for (int c = 0; c < k; c++) n->lu[r * m + c] = (r == c) + f->nudge * n->zoo[r * k + c];
        n->lu[r * m + k] = f->nudge * (f->target[r] - n->v_out[r]);
    }
    return rh_dense_solve(k, n->lu, n->y);
}

static rheo_status not_finite(rheo_error *err) {
    return rh_fail(err, RHEO_E_SINGULAR, 302, RH_NOWHERE, "the solution is not finite");
}

static void add_charges(rh_net *n) {
    for (int k = 0; k < n->n_cap; k++) rh_solver_inject(n->s, n->cell[k].a, n->cell[k].b, n->inject[k], n->b);
}

/* The same by Newton, where the network is not linear. */
static rheo_status solve_bent(rh_net *n, const rh_forcing *f, double *v_out, rheo_error *err) {
    const rh_load load = {
        .n = n->n_out, .node = n->ports->out, .ohm = f->nudge > 0 ? 1 / f->nudge : 0, .target = f->target, .y = n->y
    };
    if (moved(n)) {
        n->fresh = true;
        n->n_factor++;
        RHEO_TRY(rh_newton_set(n->s, n->all, err));
        memcpy(n->factored, n->all, sizeof(double) * (size_t)n->n_all);
        n->fresh = false;
    }
    for (int o = 0; o < n->n_out; o++) n->y[o] = 0;
    if (n->n_cap > 0) {
        memset(n->b, 0, sizeof(double) * (size_t)n->n_unknown);
        add_charges(n);
        rh_newton_feed(n->s, n->b);
    }
    RHEO_TRY(rh_newton_solve(n->s, f->source, f->nudge > 0 ? &load : NULL, n->x, err));
    rh_solver_potentials(n->s, f->source, n->x, n->v);
    for (int o = 0; v_out && o < n->n_out; o++) v_out[o] = output_of(n, n->v, o);
    rh_solver_drops(n->s, f->source, n->x, n->drop);
    return RHEO_OK;
}

/* x at n->all, f and n->inject. */
static rheo_status solve(rh_net *n, const rh_forcing *f, double *v_out, rheo_error *err) {
    if (n->bent) return solve_bent(n, f, v_out, err);
    const bool anew = moved(n);
    if (anew) RHEO_TRY(factor(n, err));
    const size_t m = (size_t)n->n_unknown;
    rh_solver_rhs(n->s, f->source, n->b);
    add_charges(n);
    memcpy(n->x, n->b, sizeof(double) * m);
    rh_solver_apply(n->s, 1, n->x, false);
    if (doubtful(n)) RHEO_TRY(rh_solver_settle(n->s, f->source, -1, -1, false, n->x, err));
    if (anew) RHEO_TRY(rh_solver_check(n->s, n->b, n->x, err));
    if (f->nudge > 0 || v_out) {
        rh_solver_potentials(n->s, f->source, n->x, n->v);
        for (int o = 0; o < n->n_out; o++) n->v_out[o] = output_of(n, n->v, o);
    }
    if (f->nudge > 0) {
        if (!nudge(n, f)) return not_finite(err);
        for (int o = 0; o < n->n_out; o++) {
            const double y = n->y[o], *const z = n->z + (size_t)o * m;
            for (size_t j = 0; j < m; j++) n->x[j] += y * z[j];
            for (int p = 0; v_out && p < n->n_out; p++) n->v_out[p] += y * n->zoo[p * n->n_out + o];
        }
    }
    if (v_out) memcpy(v_out, n->v_out, sizeof(double) * (size_t)n->n_out);
    rh_solver_drops(n->s, f->source, n->x, n->drop);
    return RHEO_OK;
}

/* Drops of the edges that learn. */
static rheo_status give(rh_net *n, double *drop, rheo_error *err) {
    double sum = 0;
    for (int k = 0; k < n->n_edge; k++) {
        drop[k] = n->drop[n->edge[k]];
        sum += drop[k] * 0;
    }
    return sum == 0 ? RHEO_OK : not_finite(err);
}

static void set_conductances(rh_net *n, const double *g, double h) {
    for (int k = 0; k < n->n_edge; k++) n->all[n->edge[k]] = g[k];
    for (int k = 0; k < n->n_cap; k++) n->all[n->cell[k].edge] = 2 * n->cell[k].farad / (GAMMA * h);
}

rheo_status rh_net_point(rh_net *n, const double *g, const rh_forcing *f, double *drop, double *v_out,
                         rheo_error *err) {
    set_conductances(n, g, FOR_EVER);
    for (int k = 0; k < n->n_cap; k++) n->inject[k] = 0;
    RHEO_TRY(solve(n, f, v_out, err));
    return give(n, drop, err);
}

/* ---- capacitors ---- */

void rh_net_corner(rh_net *n) { n->settled = n->settled && !n->loop; }

void rh_net_rest(rh_net *n) {
    for (int k = 0; k < n->n_cap; k++) {
        n->now.v[k] = n->drop[n->cell[k].edge];
        n->now.i[k] = 0;
    }
    n->settled = !n->loop;
}

rheo_status rh_net_stage(rh_net *n, int stage, double h, const double *g, const rh_forcing *f, double *drop,
                         rheo_error *err) {
    rh_charge *const to = stage == 1 ? &n->mid : &n->next;
    set_conductances(n, g, h);
    for (int k = 0; k < n->n_cap; k++) {
        const double q = n->all[n->cell[k].edge];
        n->inject[k] = stage == 2   ? q * (ALPHA * n->mid.v[k] - BETA * n->now.v[k])
                       : n->settled ? q * n->now.v[k] + n->now.i[k]
                                    : q * n->now.v[k]; /* backward Euler over half of it */
    }
    RHEO_TRY(solve(n, f, NULL, err));
    for (int k = 0; k < n->n_cap; k++) {
        to->v[k] = n->drop[n->cell[k].edge];
        to->i[k] = n->all[n->cell[k].edge] * to->v[k] - n->inject[k];
    }
    return give(n, drop, err);
}

/* The estimate of Hosea & Shampine (1996), passed through the matrix of the step. */
double rh_net_error(rh_net *n, double tolerance) {
    const double *const i0 = n->now.i, *const i1 = n->mid.i, *const i2 = n->next.i;
    memset(n->b, 0, sizeof(double) * (size_t)n->n_unknown);
    for (int k = 0; k < n->n_cap; k++) {
        const double amp = n->settled ? 2 / (3 * GAMMA) * ((1 - ROOT2) * i0[k] + i1[k] - GAMMA * i2[k])
                                      : GAMMA / (2 * (1 - GAMMA)) * (i2[k] - i1[k]);
        rh_solver_inject(n->s, n->cell[k].a, n->cell[k].b, amp, n->b);
    }
    rh_solver_apply(n->s, 1, n->b, false);
    double worst = 0, peak = 0;
    for (int k = 0; k < n->n_all; k++) peak = fmax(peak, fabs(n->drop[k]));
    for (int i = 1; i < n->c->n_node; i++) {
        const int j = rh_solver_unknown(n->s, i);
        if (j >= 0 && !(fabs(n->b[j]) <= worst)) worst = fabs(n->b[j]); /* NaN stays */
    }
    return worst == 0 ? 0 : worst / (tolerance * fmax(peak, 1e-12));
}

void rh_net_accept(rh_net *n) {
    const rh_charge begin = n->now;
    n->now = n->next;
    n->next = begin;
    n->settled = true;
}

int rh_net_blocks(rh_net *n, rh_block *out) {
    const size_t bytes = sizeof(double) * (size_t)n->n_cap;
    int k = 0;
    if (n->bent) out[k++] = (rh_block){ "net_x", n->x, sizeof(double) * (size_t)n->n_unknown }; /* the next point */
    if (n->n_cap > 0) out[k++] = (rh_block){ "cap_v", n->now.v, bytes };
    if (n->n_cap > 0) out[k++] = (rh_block){ "cap_i", n->now.i, bytes };
    return k;
}
