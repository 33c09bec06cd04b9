/* learner.c: from a batch of samples to new conductances. */
#include "learn/internal.h"
#include "solver/outside.h"

#include <math.h>

/* Room for a start per sample: 64 MB. */
enum { MOST_STARTS = 8000000 };

/* ---- opening ---- */

/* Pairs at least: what is solved together costs less, and every chunk is a pass over the edges. */
static int chunk_count(int n) { return (n + 1) / 2 < RH_MAX_CHUNK ? (n + 1) / 2 : RH_MAX_CHUNK; }

static bool remembers(const rh_learn_def *d) {
    return d->rule == RH_RULE_TCL && (d->between == RH_BETWEEN_RAMP || d->between == RH_BETWEEN_CARRY);
}

static rheo_status check_def(const rh_learn_def *d, const rh_samples *s, rheo_error *err) {
    if (d->rule == RH_RULE_COUPLED && d->nudge != RH_NUDGE_VOLTAGE) {
        rheo_status st = rh_fail(err, RHEO_E_USAGE, 181, RH_NOWHERE,
                                 "rule coupled holds the outputs by voltage, not by %s", RH_NUDGES[d->nudge]);
        rh_hint(err, "set learning.nudge.kind: voltage and strength to a share such as 0.1, or use rule contrastive");
        return st;
    }
    const bool by_current = d->rule == RH_RULE_FREQUENCY;
    const bool eqprop = d->rule == RH_RULE_EQPROP || d->rule == RH_RULE_HOLOMORPHIC;
    if (by_current ? d->nudge != RH_NUDGE_CURRENT : eqprop && d->nudge == RH_NUDGE_VOLTAGE) {
        rheo_status st = rh_fail(err, RHEO_E_USAGE, 182, RH_NOWHERE, "rule %s nudges by current%s, not by %s",
                                 RH_RULES[d->rule], by_current ? "" : " or conductance", RH_NUDGES[d->nudge]);
        rh_hint(err, "set learning.nudge.kind: current, or use rule coupled");
        return st;
    }
    if (d->hold == RH_HOLD_NODES && d->nudge != RH_NUDGE_VOLTAGE) {
        rheo_status st = rh_fail(err, RHEO_E_USAGE, 190, RH_NOWHERE, "hold: nodes is for the voltage nudge, not for %s",
                                 RH_NUDGES[d->nudge]);
        rh_hint(err, "leave hold at difference");
        return st;
    }
    if (d->nudge == RH_NUDGE_VOLTAGE && d->strength > 1 && d->loss == RH_LOSS_SQUARED)
        return rh_fail(err, RHEO_E_RANGE, 183, RH_NOWHERE,
                       "nudge.strength is %g, but a voltage nudge goes at most all the way to the target: 0 to 1",
                       d->strength);
    if (d->loss != RH_LOSS_CROSS_ENTROPY || s->label) return RHEO_OK;
    return rh_fail(err, RHEO_E_USAGE, 184, RH_NOWHERE, "loss cross-entropy needs classes: the task has no labels");
}

static size_t work_size(const rh_learner *l) {
    const rh_closed *const table[] = { l->cycle, l->cycle_full, l->travel };
    size_t most = 0;
    for (int i = 0; i < RH_COUNT(table); i++)
        if (table[i] && rh_closed_work(table[i]) > most) most = rh_closed_work(table[i]);
    return most;
}

static void lane_layout(rh_learner *l, rh_lane *w, rh_arena *a) {
    const size_t n = (size_t)l->n_edge, m = (size_t)l->n_unknown, k = (size_t)l->n_grip, out = (size_t)l->n_out;
    w->source = RH_TAKE(a, double, rheo_circuit_n_element(l->c));
    w->in = RH_TAKE(a, double, l->samples.in ? 0 : l->ports.n_in);
    w->b = RH_TAKE(a, double, RH_BLOCK *m);
    w->x = RH_TAKE(a, double, (RH_BLOCK + k) * m);
    w->zx = RH_TAKE(a, double, k *m);
    w->z = l->n_grip <= RH_FEW_GRIP ? RH_TAKE(a, double, k *n) : NULL;
    w->zt = l->reciprocal ? w->z : RH_TAKE(a, double, k *n);
    w->dx = RH_TAKE(a, double, m);
    w->zoo = RH_TAKE(a, double, k *k);
    w->v_out = RH_TAKE(a, double, out);
    w->v = l->fixed_end ? RH_TAKE(a, double, rheo_circuit_n_node(l->c)) : NULL;
    w->pull = RH_TAKE(a, double, out);
    w->grip = RH_TAKE(a, double, k);
    w->y = RH_TAKE(a, double, (RH_MAX_DEGREE + 1) * k);
    w->eta = RH_TAKE(a, double, (RH_MAX_DEGREE + 1) * k);
    w->lu = RH_TAKE(a, double, k *(k + 1));
    w->free = RH_TAKE(a, double, n);
    w->drop = RH_TAKE(a, double, n);
    rh_bent_layout(l, w, a);
    w->coef = RH_TAKE(a, double, (RH_MAX_DEGREE + 1) * n);
    w->way = RH_TAKE(a, double, l->travel ? n : 0);
    w->bracket = RH_TAKE(a, double, n);
    w->work = RH_TAKE(a, double, work_size(l));
}

static void layout(rh_learner *l, rh_arena *a) {
    const int n = l->n_edge, n_state = remembers(&l->def) ? RH_MAX_STATE : 0;
    l->g = RH_TAKE(a, double, n);
    const int n_w = l->def.state == RH_STATE_CONDUCTANCE ? 0 : n;
    l->next = RH_TAKE(a, double, n);
    l->w = RH_TAKE(a, double, n_w);
    l->w_min = RH_TAKE(a, double, n_w);
    l->w_max = RH_TAKE(a, double, n_w);
    l->pivot_g = RH_TAKE(a, double, n);
    l->rate = RH_TAKE(a, double, n);
    l->momenta = RH_TAKE(a, double, (size_t)RH_OPTIMIZER_TABLE[l->def.optimizer].n_state *(size_t)n);
    l->updates = RH_TAKE(a, int64_t, 1);
    l->answer = RH_TAKE(a, int, l->samples.n);
    for (int i = 0; i < RH_MAX_CHUNK; i++) {
        l->chunk[i].bracket = RH_TAKE(a, double, n);
        l->chunk[i].gradient = l->def.gauge ? RH_TAKE(a, double, n) : NULL;
        l->chunk[i].contrastive = l->def.gauge ? RH_TAKE(a, double, n) : NULL;
    }
    l->carry.dev = n_state ? RH_TAKE(a, double, (size_t)n_state *(size_t)n) : NULL;
    l->carry.s_last = n_state ? RH_TAKE(a, double, n) : NULL;
    l->last = RH_TAKE(a, double, n_state ? n : 0);
    l->last_in = RH_TAKE(a, double, n_state && l->bent ? l->ports.n_in : 0);
    l->next_in = RH_TAKE(a, double, n_state && l->bent ? l->ports.n_in : 0);
    l->started = RH_TAKE(a, int64_t, 1);
    l->start = RH_TAKE(a, double, l->bent ? rh_bent_start_row(l) * (size_t)l->n_start : 0);
    l->next_start = RH_TAKE(a, double, l->bent ? l->n_unknown : 0);
    l->sum = RH_TAKE(a, rh_gauge_sum, 1);
    l->recent = RH_TAKE(a, rh_newton_count, 1);
    l->all = RH_TAKE(a, rh_newton_count, 1);
    for (int t = 0; t < l->n_lane; t++) lane_layout(l, &l->lane[t], a);
}

/* The range of amplitudes that one of the two ways through the dead zone passes and the other does not: from the
 * extremes of u for s = h, 1 V^2 high. So it knows what tau leaves of a fast ramp, and that the two edges of a square
 * pass alike. */
static rheo_status open_range(rh_learner *l, const rh_filter *filter, const rh_ramp *ramp, int n_ramp,
                              rheo_error *err) {
    static const double RISE[2] = { 0, 0.5 }; /* B_1(h) = 2h */
    static const rh_write_def ALL_OF_IT = { .nonlinearity = RH_NONE };
    rh_closed *t = NULL;
    RHEO_TRY(rh_closed_open(&t, filter, ramp, n_ramp, 1, RH_PERIODIC, err));
    double *const work = rh_calloc(rh_closed_work(t), sizeof *work);
    double dw, high, low;
    if (work) rh_closed_write(t, &ALL_OF_IT, 1, 2, RISE, 1, NULL, &dw, &high, &low, work);
    rh_free(work);
    rh_closed_close(t);
    if (!work) return RH_NOMEM(err);
    high = fabs(high);
    low = fabs(low);
    l->a_min = l->def.threshold / fmax(high, low);
    l->a_max = l->def.threshold / fmin(high, low);
    return RHEO_OK;
}

static rheo_status open_tables(rh_learner *l, rheo_error *err) {
    const rh_learn_def *d = &l->def;
    for (int n = 1; n <= RH_MAX_DEGREE; n++) {
        rh_basis_transform(n, l->to_coef[n]);
        for (int i = 0; i <= n; i++) l->level[n][i] = 0.5 * (1 - cos(M_PI * i / n));
    }
    rh_filter filter;
    RH_KERNELS[d->kernel]->build(d->par, &filter);
    l->moment = fabs(filter.moment);
    if (d->rule != RH_RULE_TCL) return RHEO_OK;
    rh_ramp ramp[RH_MAX_RAMP];
    const int n_ramp = RH_PROTOCOLS[d->protocol]->build(d->fast, d->slow, ramp);
    RHEO_TRY(open_range(l, &filter, ramp, n_ramp, err));
    const rh_start start = d->between == RH_BETWEEN_GATE       ? RH_SETTLED
                           : d->between == RH_BETWEEN_PERIODIC ? RH_PERIODIC
                                                               : RH_CARRIED;
    const bool linear = RH_NUDGE_TABLE[d->nudge].linear && !l->bent;
    l->low_degree = linear ? 2 : 4;
    RHEO_TRY(rh_closed_open(&l->cycle, &filter, ramp, n_ramp, l->low_degree, start, err));
    if (!linear) RHEO_TRY(rh_closed_open(&l->cycle_full, &filter, ramp, n_ramp, RH_MAX_DEGREE, start, err));
    if (d->between != RH_BETWEEN_RAMP) return RHEO_OK;
    const rh_ramp way = { d->ramp, 0, 1 };
    return rh_closed_open(&l->travel, &filter, &way, 1, l->bent ? RH_MAX_DEGREE : 2, RH_CARRIED, err);
}

static bool is_reciprocal(const rheo_circuit *c) {
    for (int e = 0; e < c->n_elem; e++)
        if (RH_KINDS[c->kind[e]]->flags & RH_ONE_WAY) return false;
    return true;
}

static bool has_fixed_end(const rh_learner *l, const rheo_solver *s) {
    for (int o = 0; o < l->n_out; o++)
        for (int side = 0; side < 2; side++) {
            const int node = l->ports.out[o][side];
            if (node != 0 && rh_solver_unknown(s, node) < 0) return true;
        }
    return false;
}

static void add_grip(rh_learner *l, int out, int a, int b, double sign, double share) {
    const int g = l->n_grip++;
    l->grip[g][0] = a;
    l->grip[g][1] = b;
    l->grip_out[g] = out;
    l->grip_sign[g] = sign;
    l->grip_share[g] = share;
}

/* An output between two free nodes may be held at both, each going half of the way. */
static rheo_status open_grips(rh_learner *l, rheo_error *err) {
    const size_t most = 2 * (size_t)l->n_out;
    l->grip = rh_calloc(most, sizeof *l->grip);
    l->grip_out = rh_calloc(most, sizeof *l->grip_out);
    l->grip_sign = rh_calloc(most, sizeof *l->grip_sign);
    l->grip_share = rh_calloc(most, sizeof *l->grip_share);
    if (!l->grip || !l->grip_out || !l->grip_sign || !l->grip_share) return RH_NOMEM(err);
    for (int o = 0; o < l->n_out; o++) {
        const int *const node = l->ports.out[o];
        const bool free[2] = { rh_solver_unknown(l->lane[0].solver, node[0]) >= 0,
                               rh_solver_unknown(l->lane[0].solver, node[1]) >= 0 };
        if (l->def.hold == RH_HOLD_DIFFERENCE || !(free[0] && free[1])) {
            add_grip(l, o, node[0], node[1], 1, 1);
            continue;
        }
        for (int side = 0; side < 2; side++) add_grip(l, o, node[side], 0, side ? -1 : 1, side ? -0.5 : 0.5);
    }
    return RHEO_OK;
}

static rheo_status open_lanes(rh_learner *l, const rheo_solver_def *solver, rheo_error *err) {
    for (int t = 0; t < l->n_lane; t++)
        RHEO_TRY(rheo_solver_open(&l->lane[t].solver, l->c, solver, t ? NULL : l->log, err));
    l->n_unknown = rh_solver_n_unknown(l->lane[0].solver);
    l->start_each = l->samples.n < MOST_STARTS / (l->n_unknown + 1);
    l->n_start = (l->start_each ? l->samples.n : 0) + 1;
    l->fixed_end = has_fixed_end(l, l->lane[0].solver);
    RHEO_TRY(open_grips(l, err));
    return l->n_lane > 1 ? rh_team_create(&l->team, l->n_lane, err) : RHEO_OK;
}

static rheo_status fill(rh_learner *l, rheo_error *err) {
    rh_arena a = { 0 };
    layout(l, &a);
    l->memory = rh_alloc(a.used + 64); /* room to align the first array */
    if (!l->memory) return RH_NOMEM(err);
    a = (rh_arena){ .base = l->memory };
    layout(l, &a);
    memcpy(l->g, l->c->g_init, sizeof(double) * (size_t)l->n_edge);
    for (int k = 0; k < l->n_edge; k++) l->rate[k] = l->def.edge_rate ? l->def.edge_rate[k] : l->def.rate;
    for (int t = 0; t < l->n_lane; t++)
        for (int e = 0; e < l->c->n_elem; e++) l->lane[t].source[e] = l->c->value[e];
    return rh_states_open(l, err);
}

rheo_status rh_learner_open(rh_learner **out, const rheo_circuit *c, const rh_learn_def *def,
                            const rheo_solver_def *solver, const rh_ports *ports, const rh_samples *samples,
                            const rheo_log *log, rheo_error *err) {
    RHEO_TRY(check_def(def, samples, err));
    rh_learner *l = rh_calloc(1, sizeof(*l));
    if (!l) return RH_NOMEM(err);
    l->c = c;
    l->def = *def;
    l->ports = *ports;
    l->samples = *samples;
    l->factor = 1;
    l->log = log;
    l->n_edge = c->n_edge;
    l->n_out = ports->n_out;
    l->reciprocal = is_reciprocal(c);
    l->bent = !rh_circuit_is_linear(c);
    l->n_lane = remembers(def) || def->threads < 1 ? 1 : def->threads > RH_MAX_CHUNK ? RH_MAX_CHUNK : def->threads;
    l->lane = rh_calloc((size_t)l->n_lane, sizeof(*l->lane));
    l->chunk = rh_calloc(RH_MAX_CHUNK, sizeof(*l->chunk));
    rheo_status st = l->lane && l->chunk ? RHEO_OK : RH_NOMEM(err);
    if (st == RHEO_OK) st = open_tables(l, err);
    if (st == RHEO_OK) st = open_lanes(l, solver, err);
    if (st == RHEO_OK) st = fill(l, err);
    l->def.edge_rate = NULL; /* lent for opening only */
    if (st != RHEO_OK) {
        rh_learner_close(l);
        return st;
    }
    *out = l;
    return RHEO_OK;
}

/* What happened in other threads is told in this one. */
static void tell(rh_learner *l) {
    for (int t = 0; l->lane && t < l->n_lane && l->lane[t].solver && rh_solver_is_outside(l->lane[t].solver); t++)
        rh_solver_outside_tell(l->lane[t].solver, l->log);
}

void rh_learner_close(rh_learner *l) {
    if (!l) return;
    tell(l); /* what was lost since the last step */
    rh_team_destroy(l->team);
    for (int t = 0; l->lane && t < l->n_lane; t++) rheo_solver_close(l->lane[t].solver);
    rh_closed_close(l->cycle);
    rh_closed_close(l->cycle_full);
    rh_closed_close(l->travel);
    rh_free(l->grip);
    rh_free(l->grip_out);
    rh_free(l->grip_sign);
    rh_free(l->grip_share);
    rh_free(l->lane);
    rh_free(l->chunk);
    rh_free(l->memory);
    rh_free(l);
}

/* ---- one batch ---- */

typedef struct rh_batch {
    rh_learner *l;
    const int *sample;
    int n, n_chunk;
    bool learn; /* false: evaluate only */
} rh_batch;

static void add(int n, const double *restrict x, double *restrict sum) {
    for (int k = 0; k < n; k++) sum[k] += x[k];
}

void rh_learner_turn(const rh_learner *l, double *x) {
    if (!l->bent) return;
    for (int k = 0; k < l->n_edge; k++)
        if (rh_edge_falls(l->c, k)) x[k] = -x[k];
}

/* Gradient and two-phase update of the same sample, for comparison. */
static rheo_status gauge_sample(rh_learner *l, rh_lane *w, rh_chunk *k, rheo_error *err) {
    RHEO_TRY(rh_phase_gradient(l, w, w->drop, err));
    add(l->n_edge, w->drop, k->gradient);
    RHEO_TRY(rh_phase_contrast(l, w, 1, w->coef, err));
    rh_learner_turn(l, w->coef);
    add(l->n_edge, w->coef, k->contrastive);
    return RHEO_OK;
}

static rheo_status chunk_samples(const rh_batch *b, rh_lane *w, rh_chunk *k, int first, int last) {
    rh_learner *const l = b->l;
    for (int i = first; i < last; i += RH_BLOCK) {
        const int n = last - i < RH_BLOCK ? last - i : RH_BLOCK;
        RHEO_TRY(rh_lane_solve(l, w, b->sample + i, n, &w->err));
        for (int j = 0; j < n; j++) {
            if (b->learn)
                rh_lane_sample(l, w, b->sample + i, j);
            else
                rh_lane_outputs(l, w, b->sample + i, j);
            rh_lane_loss(l, w, b->sample[i + j], k);
            if (!b->learn) continue;
            RHEO_TRY(RH_RULE_TABLE[l->def.rule].bracket(l, w, k, &w->err));
            if (l->def.rule != RH_RULE_GRADIENT) rh_learner_turn(l, w->bracket);
            if (i == first && j == 0)
                memcpy(k->bracket, w->bracket, sizeof(double) * (size_t)l->n_edge);
            else
                add(l->n_edge, w->bracket, k->bracket);
            if (l->def.gauge) RHEO_TRY(gauge_sample(l, w, k, &w->err));
        }
    }
    return RHEO_OK;
}

static void clear_chunk(const rh_learner *l, rh_chunk *k, bool learn) {
    const size_t bytes = sizeof(double) * (size_t)l->n_edge;
    *k = (rh_chunk){ .bracket = k->bracket, .gradient = k->gradient, .contrastive = k->contrastive };
    if (!learn) return;
    if (k->gradient) memset(k->gradient, 0, bytes);
    if (k->contrastive) memset(k->contrastive, 0, bytes);
}

/* Chunk c holds samples [c n/n_chunk, (c+1) n/n_chunk): a split that does not know of threads. */
static void member_work(void *ctx, int t) {
    const rh_batch *const b = ctx;
    rh_learner *const l = b->l;
    rh_lane *const w = &l->lane[t];
    w->err = (rheo_error){ 0 };
    w->status = RHEO_OK;
    w->keeps = b->learn && b->n <= l->samples.n; /* a sample that comes twice would be written by two lanes */
    if (t >= b->n_chunk) return;
    if (!w->factored) w->status = rh_lane_factor(l, w, &w->err);
    for (int c = t; c < b->n_chunk && w->status == RHEO_OK; c += l->n_lane) {
        const int first = (int)((long)b->n * c / b->n_chunk), last = (int)((long)b->n * (c + 1) / b->n_chunk);
        clear_chunk(l, &l->chunk[c], b->learn);
        w->status = chunk_samples(b, w, &l->chunk[c], first, last);
    }
}

void rh_newton_add(rh_newton_count *sum, const rh_newton_count *more) {
    for (int k = 0; k < RHEO_N_NEWTON; k++)
        for (int i = 0; i < RH_COUNTED; i++) sum->n[k][i] += more->n[k][i];
}

/* Whole numbers: their sums do not depend on the order. */
static void count_steps(rh_learner *l) {
    for (int t = 0; t < l->n_lane && l->bent; t++) {
        rh_newton_add(l->recent, &l->lane[t].newton);
        rh_newton_add(l->all, &l->lane[t].newton);
        l->lane[t].newton = (rh_newton_count){ 0 };
    }
}

static rheo_status run_batch(rh_learner *l, const int *sample, int n, bool learn, int *n_chunk, rheo_error *err) {
    rh_batch b = { l, sample, n, remembers(&l->def) && learn ? 1 : chunk_count(n), learn };
    for (int t = 0; t < l->n_lane; t++) l->lane[t].status = RHEO_OK;
    l->first_sample = sample;
    if (!l->lane[0].factored) { /* first: the others follow its pivots */
        const rheo_status st = rh_lane_factor(l, &l->lane[0], err);
        if (st != RHEO_OK) tell(l);
        if (st != RHEO_OK) return st;
    }
    rh_team_run(b.n_chunk > 1 ? l->team : NULL, member_work, &b);
    tell(l);
    count_steps(l);
    *n_chunk = b.n_chunk;
    for (int t = 0; t < l->n_lane; t++)
        if (l->lane[t].status != RHEO_OK) {
            if (err && err->status == RHEO_OK) *err = l->lane[t].err;
            return l->lane[t].status;
        }
    return RHEO_OK;
}

/* Chunk 0 becomes the sum of all, in fixed order. */
static void reduce(rh_learner *l, int n_chunk, bool learn) {
    rh_chunk *const sum = &l->chunk[0];
    for (int c = 1; c < n_chunk; c++) {
        const rh_chunk *const k = &l->chunk[c];
        sum->loss += k->loss;
        sum->rms += k->rms;
        sum->n_right += k->n_right;
        sum->below += k->below;
        sum->inside += k->inside;
        sum->above += k->above;
        sum->n_levels += k->n_levels;
        sum->n_refined += k->n_refined;
        sum->tail = fmax(sum->tail, k->tail);
        if (!learn) continue;
        add(l->n_edge, k->bracket, sum->bracket);
        if (k->gradient) add(l->n_edge, k->gradient, sum->gradient);
        if (k->contrastive) add(l->n_edge, k->contrastive, sum->contrastive);
    }
}

static double dot(int n, const double *a, const double *b) {
    double sum = 0;
    for (int k = 0; k < n; k++) sum += a[k] * b[k];
    return sum;
}

/* No update, no direction: counts as 0. Held to what a cosine can be: rounding goes past 1. */
static double cosine(int n, const double *a, const double *b) {
    const double aa = dot(n, a, a), bb = dot(n, b, b);
    if (!(aa > 0) || !(bb > 0)) return 0;
    return fmax(-1, fmin(1, dot(n, a, b) / sqrt(aa) / sqrt(bb)));
}

static void collect(rh_learner *l, int n) {
    const rh_chunk *const k = &l->chunk[0];
    rh_gauge_sum *const s = l->sum;
    s->n_step++;
    s->n_sample += n;
    s->loss += k->loss;
    s->below += (double)k->below;
    s->inside += (double)k->inside;
    s->above += (double)k->above;
    s->n_levels += (double)k->n_levels;
    s->n_refined += (double)k->n_refined;
    s->tail = fmax(s->tail, k->tail);
    if (!l->def.gauge) return;
    const int m = l->n_edge;
    const double bb = dot(m, k->bracket, k->bracket), gg = dot(m, k->gradient, k->gradient);
    if (gg > 0) {
        s->n_cos++;
        s->cos_gradient += cosine(m, k->bracket, k->gradient);
        s->update2 += bb;
        s->gradient2 += gg;
    }
    if (dot(m, k->contrastive, k->contrastive) > 0) {
        s->n_contrastive++;
        s->cos_contrastive += cosine(m, k->bracket, k->contrastive);
    }
}

static rheo_status all_finite(const rh_learner *l, const double *x, rheo_error *err) {
    double sum[4] = { 0 }; /* one alone would wait for itself */
    int i = 0;
    for (; i + 4 <= l->n_edge; i += 4)
        for (int j = 0; j < 4; j++) sum[j] += x[i + j] * 0;
    for (; i < l->n_edge; i++) sum[0] += x[i] * 0;
    if (sum[0] + sum[1] + sum[2] + sum[3] == 0) return RHEO_OK;
    int k = 0;
    while (k < l->n_edge - 1 && isfinite(x[k])) k++;
    const rheo_status st = rh_fail(err, RHEO_E_NOCONV, 312, rh_elem_loc(l->c, l->c->edge_elem[k]),
                                   "the update of %s is not finite", l->c->elem_name[l->c->edge_elem[k]]);
    rh_hint(err, "lower learning.rate");
    return st;
}

void rh_learner_factor(rh_learner *l, double factor) { l->factor = factor; }

/* The first update, before it is held to the bounds, tells whether the rate fits the circuit: its length as a share of
 * what learns. Single edges may well start near nothing and move far. */
static double look_at_rate(const rh_learner *l, const rh_update *u) {
    static const double MOST = 10;
    double moved = 0, all = 0;
    for (int k = 0; k < l->n_edge; k++) {
        const bool range = l->c->edge_source[k] >= 0 || l->def.state != RH_STATE_CONDUCTANCE;
        const double size = range ? u->hi[k] - u->lo[k] : u->g[k], step = u->next[k] - u->g[k];
        moved += step * step;
        all += size * size;
    }
    const double share = sqrt(moved / all);
    if (!(share > MOST)) return share;
    rh_warn(l->log, 193, RH_NOWHERE,
            "the first update would change what learns by %.2g times itself: learning.rate is too high for this "
            "circuit, `rheo tune` proposes one",
            share);
    return share;
}

bool rh_learner_rests(const rh_learner *l) { return l->rests; }

/* What comes of the first update when something was to be learned. */
static void look_at_rest(rh_learner *l, const rh_update *u, double share, int n) {
    static const double LEAST = 1e-10, /* of what learns: a million updates would not show */
        NO_LOSS = 1e-12;               /* V^2: small steps are right where little is left to learn */
    bool due = false, moves = false;
    for (int k = 0; k < l->n_edge; k++) {
        due = due || (u->bracket[k] != 0 && u->rate[k] * u->factor > 0 && u->hi[k] > u->lo[k]);
        moves = moves || u->next[k] != u->g[k];
    }
    if (!due || l->chunk[0].loss <= NO_LOSS * n) return;
    l->rests = true;
    if (!moves && share > LEAST)
        rh_warn(l->log, 195, RH_NOWHERE,
                "no edge moves: all that learn stand at a bound, and the first update leads beyond it");
    else if (!moves && l->def.optimizer == RH_OPTIMIZER_TAPS)
        rh_warn(l->log, 195, RH_NOWHERE, "no edge moves: every step of the first update is below half a tap");
    else if (share < LEAST)
        rh_warn(l->log, 195, RH_NOWHERE,
                "the first update changes what learns by only %.2g of itself: learning.rate is too low for this "
                "circuit, `rheo tune` proposes one",
                share);
    else
        l->rests = false;
}

rheo_status rh_learner_step(rh_learner *l, const int *sample, int n, rheo_error *err) {
    int n_chunk;
    RHEO_TRY(run_batch(l, sample, n, true, &n_chunk, err));
    reduce(l, n_chunk, true);
    RHEO_TRY(all_finite(l, l->chunk[0].bracket, err)); /* first: the state of the optimizer stays as it was */
    rh_states_enter(l, &l->chunk[0]);
    const bool direct = l->def.state == RH_STATE_CONDUCTANCE;
    const rh_update u = { .n = l->n_edge,
                          .count = ++*l->updates,
                          .share = 1 / (l->def.strength * n),
                          .factor = l->factor,
                          .rate = l->rate,
                          .bracket = l->chunk[0].bracket,
                          .g = direct ? l->g : l->w,
                          .lo = direct ? l->c->g_min : l->w_min,
                          .hi = direct ? l->c->g_max : l->w_max,
                          .next = l->next,
                          .state = l->momenta };
    RH_OPTIMIZER_TABLE[l->def.optimizer].step(&l->def, &u);
    RHEO_TRY(all_finite(l, l->next, err));
    const double share = u.count == 1 ? look_at_rate(l, &u) : 0;
    const double *restrict lo = u.lo, *restrict hi = u.hi;
    double *restrict next = l->next;
    for (int k = 0; k < l->n_edge; k++) next[k] = next[k] < lo[k] ? lo[k] : next[k] > hi[k] ? hi[k] : next[k];
    if (u.count == 1) look_at_rest(l, &u, share, n);
    rh_states_leave(l);
    collect(l, n);
    if (l->bent) rh_bent_commit(l);
    double *const old = l->g;
    l->g = l->next;
    l->next = old;
    rh_learner_touch(l);
    return RHEO_OK;
}

rheo_status rh_learner_slopes(rh_learner *l, const int *sample, int n, double *gradient, double *rule,
                              rheo_error *err) {
    int n_chunk;
    RHEO_TRY(run_batch(l, sample, n, true, &n_chunk, err));
    reduce(l, n_chunk, true);
    rh_states_enter(l, &l->chunk[0]);
    for (int k = 0; k < l->n_edge; k++) {
        gradient[k] = l->chunk[0].gradient[k] / n;
        rule[k] = l->chunk[0].bracket[k] / (l->def.strength * n);
    }
    return RHEO_OK;
}

rheo_status rh_learner_evaluate(rh_learner *l, const int *sample, int n, rh_score *score, rheo_error *err) {
    int n_chunk;
    RHEO_TRY(run_batch(l, sample, n, false, &n_chunk, err));
    reduce(l, n_chunk, false);
    const rh_chunk *const k = &l->chunk[0];
    *score = (rh_score){ .loss = k->loss / n, .rms = sqrt(k->rms / n), .n = n, .n_right = k->n_right };
    return RHEO_OK;
}

const int *rh_learner_answers(const rh_learner *l) { return l->answer; }

rheo_status rh_learner_output(rh_learner *l, int sample, double *out, rheo_error *err) {
    rh_lane *const w = &l->lane[0];
    w->keeps = false;
    if (!w->factored) RHEO_TRY(rh_lane_factor(l, w, err));
    RHEO_TRY(rh_lane_solve(l, w, &sample, 1, err));
    rh_lane_outputs(l, w, &sample, 0);
    memcpy(out, w->v_out, sizeof(double) * (size_t)l->n_out);
    return RHEO_OK;
}

/* ---- what is asked from outside ---- */

static double mean(double sum, double n) { return n > 0 ? sum / n : NAN; }

void rh_learner_gauge(const rh_learner *l, rh_gauge *out) {
    const rh_gauge_sum *const s = l->sum;
    const double edges = s->below + s->inside + s->above;
    *out = (rh_gauge){ .n_step = s->n_step,
                       .loss = mean(s->loss, (double)s->n_sample),
                       .cos_gradient = mean(s->cos_gradient, (double)s->n_cos),
                       .norm_ratio = s->gradient2 > 0 ? sqrt(s->update2 / s->gradient2) / l->def.strength : NAN,
                       .cos_contrastive = mean(s->cos_contrastive, (double)s->n_contrastive),
                       .inside = mean(s->inside, edges),
                       .below = mean(s->below, edges),
                       .above = mean(s->above, edges),
                       .refined = mean(s->n_refined, s->n_levels),
                       .tail = s->n_levels > 0 ? s->tail : NAN };
}

void rh_learner_note(rh_learner *l, double loss) {
    l->sum->n_step++;
    l->sum->n_sample++;
    l->sum->loss += loss;
}

void rh_learner_gauge_reset(rh_learner *l) {
    *l->sum = (rh_gauge_sum){ 0 };
    *l->recent = (rh_newton_count){ 0 };
}

rheo_newton rh_newton_summary(const int64_t n[RH_COUNTED]) {
    rheo_newton out = { 0 };
    int64_t seen = 0;
    for (int k = 0; k < RH_COUNTED; k++) {
        out.n += (long)n[k];
        if (n[k]) out.most = k;
    }
    for (; out.median < RH_COUNTED - 1 && 2 * (seen + n[out.median]) < out.n; out.median++) seen += n[out.median];
    return out;
}

void rh_learner_newton(const rh_learner *l, rheo_newton recent[RHEO_N_NEWTON], rheo_newton all[RHEO_N_NEWTON]) {
    for (int k = 0; k < RHEO_N_NEWTON; k++) {
        if (recent) recent[k] = rh_newton_summary(l->recent->n[k]);
        if (all) all[k] = rh_newton_summary(l->all->n[k]);
    }
}

double *rh_learner_g(rh_learner *l) { return l->g; }

void rh_learner_touch(rh_learner *l) {
    for (int t = 0; t < l->n_lane; t++) l->lane[t].factored = false;
}

rheo_solver_stats rh_learner_stats(const rh_learner *l) { return rheo_solver_statistics(l->lane[0].solver); }

int rh_learner_blocks(rh_learner *l, rh_block out[RH_MAX_BLOCK]) {
    const size_t n = (size_t)l->n_edge * sizeof(double);
    int k = 0;
    const double *pivot = rh_solver_pivot_g(l->lane[0].solver);
    if (pivot)
        memcpy(l->pivot_g, pivot, n);
    else
        memcpy(l->pivot_g, l->g, n);
    out[k++] = (rh_block){ "g", l->g, n };
    out[k++] = (rh_block){ "pivot_g", l->pivot_g, n };
    out[k++] = (rh_block){ "gauge", l->sum, sizeof(*l->sum) };
    if (l->bent) out[k++] = (rh_block){ "start", l->start, sizeof(double) * rh_bent_start_row(l) * (size_t)l->n_start };
    if (l->bent) out[k++] = (rh_block){ "newton", l->recent, sizeof(*l->recent) };
    out[k++] = (rh_block){ "updates", l->updates, sizeof(*l->updates) };
    if (RH_OPTIMIZER_TABLE[l->def.optimizer].n_state)
        out[k++] = (rh_block){ "momenta", l->momenta, n * (size_t)RH_OPTIMIZER_TABLE[l->def.optimizer].n_state };
    if (!l->carry.dev) return k;
    out[k++] = (rh_block){ "memory", l->carry.dev, n * RH_MAX_STATE };
    out[k++] = (rh_block){ "s_last", l->carry.s_last, n };
    out[k++] = (rh_block){ "last", l->last, n };
    if (l->bent) out[k++] = (rh_block){ "last_in", l->last_in, sizeof(double) * (size_t)l->ports.n_in };
    out[k++] = (rh_block){ "started", l->started, sizeof(*l->started) };
    return k;
}

rheo_status rh_learner_restore(rh_learner *l, rheo_error *err) {
    for (int k = 0; k < l->n_edge; k++)
        if (!(l->g[k] >= l->c->g_min[k] && l->g[k] <= l->c->g_max[k]))
            return rh_fail(err, RHEO_E_RANGE, 410, RH_NOWHERE, "the saved conductance of %s is outside its bounds",
                           l->c->elem_name[l->c->edge_elem[k]]);
    for (int t = 0; t < l->n_lane && !l->bent; t++) {
        RHEO_TRY(rh_solver_pivot_at(l->lane[t].solver, l->pivot_g, err));
        l->lane[t].pivots = rheo_solver_statistics(l->lane[0].solver).n_pivot;
    }
    rh_learner_touch(l);
    return RHEO_OK;
}
