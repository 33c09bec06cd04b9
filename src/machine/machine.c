/* machine.c: slots of the timetable, in steps with error control. */
#include "machine/inside.h"

#include <float.h>
#include <math.h>

#define ROOT2 1.4142135623730951
enum { MAX_SWEEP = 10 };
static const double FIRST = 0.125; /* of the memory's time: the first step behind a corner */
static const double GROWTH = 3;    /* of steps, so that no excursion of u hides in one */
static const double SURE = 20;     /* times its highest coefficient u must stay away from a dead zone that is shut */
static const double GATE = 0.01;   /* of the range of a gate voltage: the least that its errors are relative to */
static const double RAIL = RH_STORE_FARAD / RH_RAIL_SIEMENS, FORGET = RH_STORE_FARAD * RH_STORE_OHM; /* s */

/* All that a resumed run needs beside the arrays. */
typedef struct rh_place_in_time {
    int64_t n_slot, last; /* slots so far; sample of the last one */
    double t, loss;       /* s since the beginning; V^2 */
} rh_place_in_time;

/* One stretch between two corners. */
typedef struct rh_stretch {
    rh_corner from, to;
    int sample;
} rh_stretch;

struct rh_machine {
    const rheo_circuit *c;
    rh_learn_def def;
    rh_ports ports;
    rh_samples samples;
    rh_net *net;
    rh_filter filter;
    rh_timing timing;
    rh_scheme scheme;
    rh_pump pump;
    rh_response response[RH_RESPONSES];
    int next_response;
    double tolerance, time; /* time: of the memory */
    int n_edge, n_corner;
    rh_corner corner[RH_MAX_CORNER];
    double
        *rate; /* [n_edge] S per V^2 of the integral of g(u); below 0 where an edge conducts less as its state rises */
    /* the state at the beginning of a step */
    rh_place_in_time *at;
    double *stored;  /* [n_edge] S */
    double *x;       /* [filter.n][n_edge] memories */
    double *s_now;   /* [n_edge] V^2 */
    double *z_now;   /* [n_edge] what the pump writes there */
    double *z_slope; /* [n_edge] and how it changes, per s */
    double *pivot_g; /* of the network's companion, for checkpoints */
    size_t n_pivot;
    /* the step: [nodes][n_edge] */
    double *s, *u, *w;
    double *g, *drop, *x_next;      /* [n_edge], [n_edge], [filter.n][n_edge] */
    double *in_before, *in;         /* [n_in] of the sample before and of that of the slot */
    double *source, *target, *loss; /* [n_elem], [n_out], [n_out] */
    double scene_t[RH_NODES], scene_level[RH_NODES], scene_on[RH_NODES];
    void (*see)(void *user, const rh_scene *scene);
    void *user;
    rh_machine_stats stats;
    void *memory;
};

/* ---- what acts on the network ---- */

static double part(const rh_stretch *p, double from, double to, double t) {
    const double x = (t - p->from.t) / (p->to.t - p->from.t);
    return from + (to - from) * x;
}

/* Values of the sources for a sample: in [n_in]. */
static void inputs_of(const rh_machine *m, int sample, double *in) {
    const int n = m->ports.n_in;
    if (m->samples.in)
        memcpy(in, m->samples.in + (size_t)sample * (size_t)n, sizeof(double) * (size_t)n);
    else
        m->samples.input(m->samples.ctx, sample, in);
    for (int i = 0; i < n; i++) in[i] *= m->ports.in_sign[i];
}

static double wanted(const rh_machine *m, int sample, int o) {
    return m->samples.target[(size_t)sample * (size_t)m->ports.n_out + (size_t)o];
}

/* At time t of the slot. */
static rh_forcing forcing(rh_machine *m, const rh_stretch *p, double t) {
    const double move = part(p, p->from.move, p->to.move, t);
    for (int i = 0; i < m->ports.n_in; i++) {
        const double a = m->in_before[i], b = m->in[i];
        m->source[m->ports.in_elem[i]] = move >= 1 ? b : a + move * (b - a);
    }
    for (int o = 0; o < m->ports.n_out; o++) m->target[o] = wanted(m, p->sample, o);
    return (rh_forcing){ m->source, m->def.strength * part(p, p->from.saw, p->to.saw, t), m->target };
}

static void set_g(rh_machine *m, const double *restrict w) {
    const double *restrict lo = m->c->g_min, *restrict hi = m->c->g_max;
    for (int k = 0; k < m->n_edge; k++) m->g[k] = w[k] < lo[k] ? lo[k] : w[k] > hi[k] ? hi[k] : w[k];
}

static void set_s(const rh_machine *m, double *restrict s) {
    const double *restrict d = m->drop;
    for (int k = 0; k < m->n_edge; k++) s[k] = 0.5 * d[k] * d[k];
}

/* ---- one step ---- */

static const rh_response *response_for(rh_machine *m, double h) {
    for (int i = 0; i < RH_RESPONSES; i++)
        if (m->response[i].h == h) return &m->response[i];
    rh_response *const r = &m->response[m->next_response];
    m->next_response = (m->next_response + 1) % RH_RESPONSES;
    rh_response_build(&m->filter, &m->scheme, h, r);
    return r;
}

/* The first guess: the pump goes on as it did. */
static void guess(rh_machine *m, double h) {
    const size_t n = (size_t)m->n_edge;
    memcpy(m->w, m->stored, sizeof(double) * n);
    for (int i = 1; i < m->scheme.n; i++) {
        const double t = m->scheme.c[i] * h;
        for (size_t k = 0; k < n; k++)
            m->w[(size_t)i * n + k] = m->stored[k] - m->rate[k] * t * (m->z_now[k] + 0.5 * t * m->z_slope[k]);
    }
}

/* s at all nodes from w at the nodes. */
static rheo_status feel(rh_machine *m, const rh_stretch *p, double t, double h, rheo_error *err) {
    const size_t n = (size_t)m->n_edge;
    const bool caps = rh_net_has_capacitors(m->net);
    memcpy(m->s, m->s_now, sizeof(double) * n);
    for (int i = 1; i < m->scheme.n; i++) {
        const rh_forcing f = forcing(m, p, t + m->scheme.c[i] * h);
        set_g(m, m->w + (size_t)i * n);
        m->stats.n_point++;
        if (caps)
            RHEO_TRY(rh_net_stage(m->net, i, h, m->g, &f, m->drop, err));
        else
            RHEO_TRY(rh_net_point(m->net, m->g, &f, m->drop, NULL, err));
        set_s(m, m->s + (size_t)i * n);
    }
    return RHEO_OK;
}

/* u at all nodes from s at all nodes. */
static void remember(rh_machine *m, const rh_response *r) {
    const size_t n = (size_t)m->n_edge;
    for (int i = 0; i < m->scheme.n; i++) {
        double *restrict u = m->u + (size_t)i * n;
        memset(u, 0, sizeof(double) * n);
        for (int q = 0; q < m->filter.n; q++) {
            const double *restrict x = m->x + (size_t)q * n, f = r->u_x[i][q];
            for (size_t k = 0; k < n; k++) u[k] += f * x[k];
        }
        for (int j = 0; j < m->scheme.n; j++) {
            const double *restrict s = m->s + (size_t)j * n, f = r->u_s[i][j];
            if (f == 0) continue;
            for (size_t k = 0; k < n; k++) u[k] += f * s[k];
        }
    }
}

/* Beyond its bounds what is stored is drawn back; the pump may push on. from: at the beginning, push: what the pump
 * adds over dt. */
static double railed(double from, double push, double dt, double lo, double hi) {
    double w = from, rest = dt, speed = push / dt;
    if (w >= lo && w <= hi) { /* to the bound first */
        if (w + push >= lo && w + push <= hi) return w + push;
        const double bound = push > 0 ? hi : lo, share = (bound - w) / push;
        w = bound;
        rest -= share * dt;
    }
    const double bound = w >= hi ? hi : lo, end = speed * RAIL, away = end + (w - bound - end) * exp(-rest / RAIL);
    if ((away >= 0) == (w >= hi) || away == 0) return bound + away;
    const double inside = -(w - bound) / end; /* it comes back: how long that takes */
    const double back = RAIL * log1p(inside);
    return bound + speed * (rest - back);
}

/* What an error of the state of an edge is relative to: a gate may well be at 0 V. */
static double size_of(const rh_machine *m, int k) {
    const double lo = m->c->g_min[k], hi = m->c->g_max[k], from = m->stored[k];
    const double size = fabs(from < lo ? lo : from > hi ? hi : from);
    return m->c->edge_source[k] < 0 ? size : fmax(size, GATE * (hi - lo));
}

/* w at the nodes from u at the nodes. Returns how far w moved since the last time, relative to what is allowed, and the
 * error of the step likewise. */
static double write(rh_machine *m, const double on[2], double h, double *error, long *n_crossing) {
    const rh_scheme *const q = &m->scheme;
    const int n = m->n_edge;
    double moved = 0, worst = 0, kept[RH_NODES];
    for (int i = 0; i < q->n; i++) kept[i] = exp(-q->c[i] * h / FORGET);
    *n_crossing = 0;
    for (int k = 0; k < n; k++) {
        const double lo = m->c->g_min[k], hi = m->c->g_max[k], from = m->stored[k], scale = m->rate[k] * h;
        const double allowed = m->tolerance * size_of(m, k);
        bool inside = from >= lo && from <= hi; /* since the beginning of the step */
        double area[RH_NODES], top, gap, last = from;
        *n_crossing += rh_pump_write(&m->pump, q, m->u + k, n, on, area, &top, &gap);
        top = fabs(top);
        double error_here = fabs(scale) * top / allowed;
        /* Where nothing is written u has to be known well enough to be sure of that. */
        if (gap > 0 && SURE * top < error_here * gap) error_here = SURE * top / gap;
        if (!(error_here <= worst)) worst = error_here; /* NaN stays */
        for (int i = 1; i < q->n; i++) {
            double *const w = &m->w[(size_t)i * (size_t)n + (size_t)k];
            double to = from * kept[i] - scale * area[i];
            inside = inside && to >= lo && to <= hi;
            if (!inside) to = railed(last, -scale * (area[i] - area[i - 1]), (q->c[i] - q->c[i - 1]) * h, lo, hi);
            const double by = fabs(to - *w) / allowed;
            if (!(by <= moved)) moved = by;
            *w = last = to;
        }
    }
    *error = worst;
    return isnan(moved) ? INFINITY : moved;
}

/* The state at the end becomes that of the beginning. */
static void accept(rh_machine *m, const rh_response *r, const double on[2], double h) {
    const size_t n = (size_t)m->n_edge, last = (size_t)(m->scheme.n - 1) * n, before = last - n;
    memset(m->x_next, 0, sizeof(double) * n * (size_t)m->filter.n);
    for (int p = 0; p < m->filter.n; p++) {
        double *restrict to = m->x_next + (size_t)p * n;
        for (int q = 0; q < m->filter.n; q++)
            for (size_t k = 0; k < n; k++) to[k] += r->x_x[p][q] * m->x[(size_t)q * n + k];
        for (int j = 0; j < m->scheme.n; j++)
            for (size_t k = 0; k < n; k++) to[k] += r->x_s[p][j] * m->s[(size_t)j * n + k];
    }
    const double dt = (1 - m->scheme.c[m->scheme.n - 2]) * h;
    for (size_t k = 0; k < n; k++) {
        const double z = on[1] * rh_pump_current(&m->pump, m->u[last + k]),
                     z_before = on[1] * rh_pump_current(&m->pump, m->u[before + k]);
        m->z_now[k] = z;
        m->z_slope[k] = z != 0 ? (z - z_before) / dt : 0;
    }
    memcpy(m->stored, m->w + last, sizeof(double) * n);
    memcpy(m->s_now, m->s + last, sizeof(double) * n);
    memcpy(m->x, m->x_next, sizeof(double) * n * (size_t)m->filter.n);
    if (rh_net_has_capacitors(m->net)) rh_net_accept(m->net);
    m->stats.n_step++;
}

static void show(rh_machine *m, const rh_stretch *p, double t, double h, const double on[2]) {
    for (int i = 0; i < m->scheme.n; i++) {
        const double x = m->scheme.c[i], at = t + x * h;
        m->scene_t[i] = m->at->t + at;
        m->scene_level[i] = part(p, p->from.saw, p->to.saw, at);
        m->scene_on[i] = on[0] + (on[1] - on[0]) * x;
    }
    const rh_scene scene = { m->scheme.n, m->scene_t, m->scene_level, m->scene_on, m->s, m->u, m->w };
    m->see(m->user, &scene);
}

static rheo_status too_short(const rh_machine *m, double t, rheo_error *err) {
    const rheo_status st =
        rh_fail(err, RHEO_E_NOCONV, RH_CODE_SHORT, RH_NOWHERE,
                "in slot %ld, %.6g s after its beginning, the time step became too short for the error allowed",
                (long)m->at->n_slot + 1, t);
    rh_hint(err, "an edge may be running away: lower learning.rate");
    return st;
}

/* One step of h from t; *ratio: its error relative to what is allowed (infinite: it did not settle). */
static rheo_status attempt(rh_machine *m, const rh_stretch *p, double t, double h, const double on[2], double *ratio,
                           rheo_error *err) {
    const rh_response *const r = response_for(m, h);
    const bool caps = rh_net_has_capacitors(m->net);
    rheo_error quiet = { 0 };
    long n_crossing = 0;
    *ratio = INFINITY;
    guess(m, h);
    double moved = INFINITY;
    for (int sweep = 0; sweep < MAX_SWEEP && !(moved <= 0.5); sweep++) {
        const double before = moved;
        double error;
        const rheo_status st = feel(m, p, t, h, caps ? &quiet : err);
        if (caps && st == RHEO_E_NOCONV) return RHEO_OK; /* a shorter step is nearer to where it begins */
        if (st != RHEO_OK && caps && err) *err = quiet;
        RHEO_TRY(st);
        remember(m, r);
        moved = write(m, on, h, &error, &n_crossing);
        if (!(error <= 1e6) || (sweep > 1 && !(moved < before))) return RHEO_OK; /* NaN too */
        if (moved <= 0.5) *ratio = error;
    }
    if (*ratio < INFINITY && caps) *ratio = fmax(*ratio, rh_net_error(m->net, 10 * m->tolerance));
    if (*ratio <= 1) {
        m->stats.n_crossing += n_crossing;
        accept(m, r, on, h);
    }
    return RHEO_OK;
}

/* From one corner to the next. */
static rheo_status stretch(rh_machine *m, const rh_stretch *p, rheo_error *err) {
    const double order = m->scheme.n;
    double t = p->from.t, wish = FIRST * m->time;
    rh_net_corner(m->net);
    memset(m->z_slope, 0, sizeof(double) * (size_t)m->n_edge);
    while (t < p->to.t) {
        const double left = p->to.t - t;
        const double h = wish >= left ? left : wish > left / 2 ? left / 2 : wish;
        const double on[2] = { part(p, p->from.on, p->to.on, t), part(p, p->from.on, p->to.on, t + h) };
        double ratio;
        if (!(h > 16 * DBL_EPSILON * m->timing.period)) return too_short(m, t, err);
        RHEO_TRY(attempt(m, p, t, h, on, &ratio, err));
        if (ratio <= 1) {
            if (m->see) show(m, p, t, h, on);
            t = h == left ? p->to.t : t + h;
            wish = fmax(wish, h) * fmin(GROWTH, fmax(0.3, 0.9 * pow(fmax(ratio, 1e-9), -1 / order)));
        } else {
            m->stats.n_reject++;
            wish = h * (ratio < INFINITY ? fmin(0.7, fmax(0.1, 0.8 * pow(ratio, -1 / order))) : 0.25);
        }
    }
    return RHEO_OK;
}

/* ---- slots ---- */

/* Potentials of the free network on the sample, for s at once or for the error. */
static rheo_status look(rh_machine *m, int sample, rheo_error *err) {
    inputs_of(m, sample, m->in);
    for (int i = 0; i < m->ports.n_in; i++) m->source[m->ports.in_elem[i]] = m->in[i];
    const rh_forcing f = { m->source, 0, NULL };
    set_g(m, m->stored);
    return rh_net_point(m->net, m->g, &f, m->drop, m->loss, err);
}

static rheo_status score(rh_machine *m, int sample, rheo_error *err) {
    RHEO_TRY(look(m, sample, err));
    m->at->loss = 0;
    for (int o = 0; o < m->ports.n_out; o++) {
        const double miss = wanted(m, sample, o) - m->loss[o];
        m->at->loss += 0.5 * miss * miss;
    }
    return RHEO_OK;
}

rheo_status rh_machine_slot(rh_machine *m, int sample, rheo_error *err) {
    rh_net_forget(m->net);
    inputs_of(m, (int)m->at->last, m->in_before);
    inputs_of(m, sample, m->in);
    if (m->at->n_slot < 2) m->n_corner = rh_timing_corners(&m->timing, m->at->n_slot == 0, m->corner);
    if (m->timing.jump) {
        RHEO_TRY(look(m, sample, err));
        set_s(m, m->s_now);
    }
    for (int i = 0; i + 1 < m->n_corner; i++) {
        const rh_stretch p = { m->corner[i], m->corner[i + 1], sample };
        if (p.from.t == m->timing.tooth) RHEO_TRY(score(m, sample, err));
        RHEO_TRY(stretch(m, &p, err));
    }
    set_g(m, m->stored);
    m->at->t += m->timing.period;
    m->at->last = sample;
    m->stats.n_slot = (long)++m->at->n_slot;
    m->stats.n_factor = rh_net_factored(m->net);
    return RHEO_OK;
}

/* ---- opening ---- */

static void layout(rh_machine *m, rh_arena *a) {
    const size_t n = (size_t)m->n_edge, nodes = (size_t)m->scheme.n * n, states = (size_t)m->filter.n * n;
    m->at = RH_TAKE(a, rh_place_in_time, 1);
    m->rate = RH_TAKE(a, double, n);
    m->stored = RH_TAKE(a, double, n);
    m->x = RH_TAKE(a, double, states);
    m->s_now = RH_TAKE(a, double, n);
    m->z_now = RH_TAKE(a, double, n);
    m->z_slope = RH_TAKE(a, double, n);
    m->pivot_g = RH_TAKE(a, double, m->n_pivot);
    m->s = RH_TAKE(a, double, nodes);
    m->u = RH_TAKE(a, double, nodes);
    m->w = RH_TAKE(a, double, nodes);
    m->g = RH_TAKE(a, double, n);
    m->drop = RH_TAKE(a, double, n);
    m->x_next = RH_TAKE(a, double, states);
    m->in_before = RH_TAKE(a, double, m->ports.n_in);
    m->in = RH_TAKE(a, double, m->ports.n_in);
    m->source = RH_TAKE(a, double, m->c->n_elem);
    m->target = RH_TAKE(a, double, m->ports.n_out);
    m->loss = RH_TAKE(a, double, m->ports.n_out);
}

static void choose_scheme(rh_machine *m) {
    const double r = 1 / sqrt(5), smooth[] = { 0, (1 - r) / 2, (1 + r) / 2, 1 }, charged[] = { 0, 2 - ROOT2, 1 };
    if (rh_net_has_capacitors(m->net))
        rh_scheme_build(&m->scheme, RH_COUNT(charged), charged);
    else
        rh_scheme_build(&m->scheme, RH_COUNT(smooth), smooth); /* Lobatto */
}

/* Memories at rest on a sample, storage as the circuit says. */
static rheo_status begin(rh_machine *m, int rest, double idle, rheo_error *err) {
    const int n = m->n_edge;
    double at_rest[RH_MAX_STATE];
    rh_memory_rest(&m->filter, at_rest);
    for (int k = 0; k < n; k++) m->stored[k] = m->c->g_init[k] * exp(-idle / FORGET);
    for (int e = 0; e < m->c->n_elem; e++) m->source[e] = m->c->value[e];
    RHEO_TRY(look(m, rest, err));
    rh_net_rest(m->net);
    set_s(m, m->s_now);
    for (int p = 0; p < m->filter.n; p++)
        for (int k = 0; k < n; k++) m->x[p * n + k] = at_rest[p] * m->s_now[k];
    m->at->last = rest;
    return RHEO_OK;
}

static rheo_status check(const rh_machine *m, rheo_error *err) {
    RHEO_TRY(rh_timing_check(&m->def, &RH_IN_TIME, err));
    if (!m->timing.jump || !rh_net_has_capacitors(m->net)) return RHEO_OK;
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, RH_CODE_MACHINE, RH_NOWHERE,
                                   "protocol.between: inputs cannot jump (carry) in a circuit with capacitors");
    rh_hint(err, "use gate or ramp");
    return st;
}

static rheo_status open_machine(rh_machine *m, const rheo_solver_def *solver, int rest, double idle,
                                const rheo_log *log, rheo_error *err) {
    RHEO_TRY(rh_timing_check(&m->def, &RH_IN_TIME, err));
    RH_KERNELS[m->def.kernel]->build(m->def.par, &m->filter);
    rh_timing_build(&m->def, &m->timing);
    m->time = rh_memory_time(&m->def);
    m->pump = rh_pump_of(&m->def);
    RHEO_TRY(rh_net_open(&m->net, m->c, solver, &m->ports, m->time, log, err));
    RHEO_TRY(check(m, err));
    rh_warn_of_charges(m->c, log);
    choose_scheme(m);
    m->n_pivot = (size_t)rheo_circuit_n_edge(rheo_solver_circuit(rh_net_solver(m->net)));
    rh_arena a = { 0 };
    layout(m, &a);
    m->memory = rh_alloc(a.used);
    if (!m->memory) return RH_NOMEM(err);
    a = (rh_arena){ .base = m->memory };
    layout(m, &a);
    for (int k = 0; k < m->n_edge; k++) {
        const double rate = m->def.edge_rate ? m->def.edge_rate[k] : m->def.rate;
        m->rate[k] = (rh_edge_falls(m->c, k) ? -rate : rate) / (m->def.strength * fabs(m->filter.moment));
    }
    m->def.edge_rate = NULL; /* lent for opening only */
    return begin(m, rest, idle, err);
}

rheo_status rh_machine_open(rh_machine **out, const rheo_circuit *c, const rh_learn_def *def, double tolerance,
                            const rheo_solver_def *solver, const rh_ports *ports, const rh_samples *samples, int rest,
                            double idle, const rheo_log *log, rheo_error *err) {
    rh_machine *const m = rh_calloc(1, sizeof *m);
    if (!m) return RH_NOMEM(err);
    m->c = c;
    m->def = *def;
    m->ports = *ports;
    m->samples = *samples;
    m->n_edge = c->n_edge;
    m->tolerance = tolerance;
    const rheo_status st = open_machine(m, solver, rest, idle, log, err);
    if (st == RHEO_OK)
        *out = m;
    else
        rh_machine_close(m);
    return st;
}

void rh_machine_close(rh_machine *m) {
    if (!m) return;
    rh_net_close(m->net);
    rh_free(m->memory);
    rh_free(m);
}

int rh_machine_n_edge(const rh_machine *m) { return m->n_edge; }
const double *rh_machine_g(const rh_machine *m) { return m->g; }
const double *rh_machine_stored(const rh_machine *m) { return m->stored; }
double rh_machine_loss(const rh_machine *m) { return m->at->loss; }
rh_machine_stats rh_machine_statistics(const rh_machine *m) { return m->stats; }

void rh_machine_watch(rh_machine *m, void (*see)(void *user, const rh_scene *scene), void *user) {
    m->see = see;
    m->user = user;
}

/* ---- checkpoints ---- */

int rh_machine_blocks(rh_machine *m, rh_block out[RH_MAX_BLOCK]) {
    const size_t n = sizeof(double) * (size_t)m->n_edge;
    const double *const pivot = rh_solver_pivot_g(rh_net_solver(m->net));
    if (pivot) memcpy(m->pivot_g, pivot, sizeof(double) * m->n_pivot);
    int k = 0;
    out[k++] = (rh_block){ "time", m->at, sizeof *m->at };
    out[k++] = (rh_block){ "stored", m->stored, n };
    out[k++] = (rh_block){ "memories", m->x, n * (size_t)m->filter.n };
    out[k++] = (rh_block){ "s", m->s_now, n };
    out[k++] = (rh_block){ "z", m->z_now, n };
    out[k++] = (rh_block){ "net_pivot", m->pivot_g, sizeof(double) * m->n_pivot };
    return k + rh_net_blocks(m->net, out + k);
}

rheo_status rh_machine_restore(rh_machine *m, rheo_error *err) {
    bool sane = m->at->n_slot >= 0 && m->at->last >= 0 && m->at->last < m->samples.n;
    for (int k = 0; k < m->n_edge; k++) sane = sane && isfinite(m->stored[k]) && isfinite(m->s_now[k]);
    if (!sane)
        return rh_fail(err, RHEO_E_IO, 406, RH_NOWHERE, "the checkpoint does not fit the experiment: its machine");
    set_g(m, m->stored);
    m->n_corner = rh_timing_corners(&m->timing, m->at->n_slot == 0, m->corner);
    return rh_solver_pivot_at(rh_net_solver(m->net), m->pivot_g, err);
}
