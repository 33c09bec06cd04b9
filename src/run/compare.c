/* compare.c: engines side by side. */
#include "run/compare.h"
#include "learn/internal.h"

#include <math.h>
#include <stdlib.h>

static const double SAME = 1e-6;  /* of the largest potential: less than that is the same operating point */
static const double FLOOR = 1e-6; /* of the largest part of a current: less than that is no scale to measure by */

void rh_compare_begin(rh_compare *k, const char *const *names, int n) {
    *k = (rh_compare){ .n_engine = n < RH_MAX_ENGINE ? n : RH_MAX_ENGINE };
    for (int e = 0; e < k->n_engine; e++) k->engine[e].name = names[e];
}

/* ---- one circuit ---- */

/* A circuit and its solvers, opened when first needed and kept from sample to sample. */
typedef struct panel {
    const rheo_circuit *c;
    rh_parts parts;
    rheo_solver *solver[RH_MAX_ENGINE];
    bool refused[RH_MAX_ENGINE];
    rheo_state *other; /* of the engine that is compared */
    rheo_state *again; /* of the first one, once more */
    bool bends;        /* there may be several operating points */
} panel;

static rheo_status open_panel(panel *p, const rheo_circuit *c, rheo_error *err) {
    *p = (panel){ .c = c };
    for (int e = 0; e < c->n_elem; e++) p->bends = p->bends || RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR;
    RHEO_TRY(rh_parts_find(&p->parts, c, err));
    RHEO_TRY(rheo_state_create(&p->other, c, err));
    return p->bends ? rheo_state_create(&p->again, c, err) : RHEO_OK;
}

static void close_panel(panel *p) {
    for (int e = 0; e < RH_MAX_ENGINE; e++) rheo_solver_close(p->solver[e]);
    rheo_state_destroy(p->other);
    rheo_state_destroy(p->again);
    rh_parts_free(&p->parts);
}

static rheo_status solve_by(const rh_compare *k, panel *p, int e, rheo_state *st, rheo_error *err) {
    rheo_solver_def def = rheo_solver_default();
    def.backend = k->engine[e].name;
    if (!p->solver[e]) RHEO_TRY(rheo_solver_open(&p->solver[e], p->c, &def, NULL, err));
    return rheo_solver_solve(p->solver[e], st, err);
}

/* The largest share of a current that one potential makes alone, |g v|: an element carries the difference of such
 * shares, each of them rounded, and where the potentials are equal nothing but that rounding is left. */
static double largest_share(const panel *p, const rheo_state *st) {
    const rheo_circuit *const c = p->c;
    double most = 0;
    for (int e = 0; e < c->n_elem; e++) {
        if (p->parts.elem[e] != e) continue; /* its current reaches no node of the user */
        const rh_kind *const kind = RH_KINDS[c->kind[e]];
        const int *const t = c->term[e], edge = c->elem_edge[e];
        if (kind->flags & RH_NONLINEAR) {
            rh_flow f;
            rh_elem_flow(c, e, st->v, &f);
            for (int r = 0; r < kind->n_term; r++)
                for (int k = 0; k < kind->n_term; k++) most = fmax(most, fabs(f.g[r][k] * st->v[t[k]]));
        } else if (c->kind[e] == RH_KIND_R || c->kind[e] == RH_KIND_G) {
            const int from = c->kind[e] == RH_KIND_G ? 2 : 0;
            const double g = from ? c->value[e] : edge >= 0 ? st->g[edge] : 1 / c->value[e];
            most = fmax(most, fabs(g) * fmax(fabs(st->v[t[from]]), fabs(st->v[t[from + 1]])));
        }
    }
    return most;
}

static bool same_point(const rheo_circuit *c, const double *v, const double *want) {
    double most = 0, miss = 0;
    for (int k = 0; k < c->n_node; k++) {
        most = fmax(most, fabs(want[k]));
        miss = fmax(miss, fabs(v[k] - want[k]));
    }
    return miss <= SAME * most;
}

static void copy_problem(rheo_state *to, const rheo_state *from, const rheo_circuit *c) {
    if (c->n_edge) memcpy(to->g, from->g, sizeof(double) * (size_t)c->n_edge);
    memcpy(to->source, from->source, sizeof(double) * (size_t)c->n_elem);
}

/* Engines that search in different ways may find different operating points, of a latch for instance, each of them
 * right. Started at the other one's, the first engine then finds that one, too, and is what it is measured by. */
static const rheo_state *reference(const rh_compare *k, panel *p, const rheo_state *st) {
    const rheo_circuit *const c = p->c;
    rheo_error quiet = { 0 };
    if (!p->bends || same_point(c, p->other->v, st->v)) return st;
    copy_problem(p->again, st, c);
    memcpy(p->again->v, p->other->v, sizeof(double) * (size_t)c->n_node);
    const bool found = solve_by(k, p, 0, p->again, &quiet) == RHEO_OK;
    return found && same_point(c, p->other->v, p->again->v) ? p->again : st;
}

/* Which of the n elements or nodes that are listed differs how much; as a share of the largest value, or of least if
 * that is larger. at: where their values are, -1: not listed. */
static bool add_gap(rh_gap *g, int n, const int *at, const double *x, const double *want, double least,
                    char *const *name, const char *label) {
    double size = least;
    for (int k = 0; k < n; k++)
        if (at[k] >= 0) size = fmax(size, fabs(want[at[k]]));
    if (!rh_grow(&g->rel, &g->cap_rel, g->n + n, sizeof *g->rel)) return false;
    if (!rh_grow(&g->abs, &g->cap_abs, g->n + n, sizeof *g->abs)) return false;
    for (int k = 0; k < n; k++) {
        if (at[k] < 0) continue;
        const double miss = fabs(x[at[k]] - want[at[k]]), rel = size > 0 ? miss / size : miss;
        g->abs[g->n] = miss;
        g->rel[g->n++] = rel;
        if (g->where[0] && (rel <= g->worst || isnan(g->worst))) continue;
        g->worst = rel;
        char shown[80];
        snprintf(g->where, sizeof g->where, "%s%s%s", rh_escape(name[k], strlen(name[k]), shown, sizeof shown),
                 label[0] ? ", " : "", label);
    }
    return true;
}

/* Engine e on the same problem as st, which holds the answer of the first one. */
static rheo_status compare_engine(rh_compare *k, panel *p, int e, const rheo_state *st, const char *label,
                                  rheo_error *err) {
    rh_engine *const engine = &k->engine[e];
    const rheo_circuit *const c = p->c;
    rheo_error why = { 0 };
    copy_problem(p->other, st, c);
    const rheo_status status = p->refused[e] ? RHEO_E_USAGE : solve_by(k, p, e, p->other, &why);
    if (status == RHEO_E_IO) { /* not there */
        snprintf(engine->why_not, sizeof engine->why_not, "%s", why.msg);
        return RHEO_OK;
    }
    if (status == RHEO_E_USAGE && why.code != 186) { /* not for this circuit */
        if (!p->refused[e]) snprintf(engine->refused, sizeof engine->refused, "%s", why.msg);
        p->refused[e] = true;
        engine->n_refused++;
        return RHEO_OK;
    }
    if (status != RHEO_OK && err) *err = why;
    RHEO_TRY(status);
    const rheo_state *const want = reference(k, p, st);
    engine->n_elsewhere += want != st;
    if (!add_gap(&engine->v, c->n_node - 1, p->parts.node + 1, p->other->v, want->v, 0, c->node_name + 1, label) ||
        !add_gap(&engine->i, c->n_elem, p->parts.elem, p->other->i, want->i, FLOOR * largest_share(p, want),
                 c->elem_name, label))
        return RH_NOMEM(err);
    engine->n_case++;
    return RHEO_OK;
}

/* st: in g and source; out the answer of the first engine. */
static rheo_status compare_state(rh_compare *k, panel *p, rheo_state *st, const char *label, rheo_error *err) {
    RHEO_TRY(solve_by(k, p, 0, st, err));
    for (int e = 1; e < k->n_engine; e++)
        if (!k->engine[e].why_not[0]) RHEO_TRY(compare_engine(k, p, e, st, label, err));
    k->n_case++;
    return RHEO_OK;
}

rheo_status rh_compare_circuit(rh_compare *k, const rheo_circuit *c, const char *label, rheo_error *err) {
    panel p;
    rheo_state *st = NULL;
    rheo_status status = open_panel(&p, c, err);
    if (status == RHEO_OK) status = rheo_state_create(&st, c, err);
    if (status == RHEO_OK) status = compare_state(k, &p, st, label, err);
    rheo_state_destroy(st);
    close_panel(&p);
    return status;
}

/* ---- random circuits ---- */

static const rh_gen_kind *mixed(void) {
    int k = 0;
    while (k + 1 < RH_N_GEN && strcmp(RH_GENS[k]->name, "mixed") != 0) k++;
    return RH_GENS[k];
}

static void set(const rh_gen_kind *kind, double *par, const char *name, double x) {
    for (int i = 0; i < kind->n_field; i++)
        if (rh_streq(kind->fields[i].name, name)) par[i] = x;
}

const char *const RH_LOTTERY_KINDS[] = { "linear", "diode", "mosfet", "mixed", NULL };

/* Sources of up to 5 V, so that junctions conduct. */
static void bend(const rh_gen_kind *kind, double *par, double diodes, double transistors) {
    set(kind, par, "diodes", diodes);
    set(kind, par, "transistors", transistors);
    set(kind, par, "volt", 5);
}

static rheo_status generate(rheo_circuit **c, int n, uint64_t seed, int what, bool plain, rheo_error *err) {
    static const char *const UNSYMMETRIC[] = { "voltages", "vcvs", "vccs" };
    const rh_gen_kind *const kind = mixed();
    double *const par = rh_calloc((size_t)rh_gen_n_par(kind), sizeof *par);
    rh_builder *const b = rh_builder_create();
    rheo_status st = par && b ? RHEO_OK : RH_NOMEM(err);
    if (st == RHEO_OK) {
        rh_gen_default(kind, par);
        set(kind, par, "n", n);
        if (what != RH_LOTTERY_LINEAR)
            bend(kind, par, what == RH_LOTTERY_MOSFET ? 0 : 0.5, what == RH_LOTTERY_DIODE ? 0 : 0.5);
        for (int u = 0; plain && u < RH_COUNT(UNSYMMETRIC); u++) set(kind, par, UNSYMMETRIC[u], 0);
    }
    if (st == RHEO_OK) st = kind->build(par, seed, b, err);
    rh_free(par);
    if (st == RHEO_OK) return rh_builder_finish(b, c, err);
    rh_builder_destroy(b);
    return st;
}

rheo_status rh_compare_random(rh_compare *k, const rh_lottery *def, rheo_error *err) {
    for (int i = 0; i < def->n; i++) {
        const double part = def->n > 1 ? (double)i / (def->n - 1) : 0;
        const int n = (int)lround(def->small * pow((double)def->large / def->small, part));
        const uint64_t seed = def->seed + (uint64_t)i;
        rheo_circuit *c = NULL;
        char label[80];
        const int what = def->n_kind ? def->kind[i % def->n_kind] : RH_LOTTERY_LINEAR;
        snprintf(label, sizeof label, "%s network of %d nodes, seed %llu", RH_LOTTERY_KINDS[what], n,
                 (unsigned long long)seed);
        RHEO_TRY(generate(&c, n, seed, what, i % 4 == 0 && what == RH_LOTTERY_LINEAR, err));
        const rheo_status st = rh_compare_circuit(k, c, label, err);
        rheo_circuit_destroy(c);
        if (st != RHEO_OK) rh_hint(err, "in the %s", label);
        RHEO_TRY(st);
    }
    return RHEO_OK;
}

/* ---- an experiment ---- */

static int add_element(rh_builder *b, char letter, int serial, int p, int q, double value) {
    int other = 0, e = -2;
    for (int attempt = 0; e == -2; attempt++) { /* until no element of the user has that name */
        char name[48];
        snprintf(name, sizeof name, "%crheo-nudge-%d-%d", letter, serial + 1, attempt);
        e = rh_builder_element(b, rh_kind_of_letter(letter), name, (int[]){ p, q, -1, -1 }, value, (rh_place){ 0 },
                               &other);
    }
    return e;
}

/* The nudge of output o as something that could be soldered: its source at 0. Returns that element, -1: out of memory.
 */
static int add_nudge(rh_builder *b, const rheo_experiment *x, int o) {
    const int p = x->out[o][0], q = x->out[o][1];
    if (x->learn.nudge == RH_NUDGE_CURRENT) return add_element(b, 'I', o, q, p, 0);
    if (x->learn.nudge == RH_NUDGE_VOLTAGE) return add_element(b, 'V', o, p, q, 0);
    char name[48];
    int node = -1;
    for (int attempt = 0; node < 0; attempt++) {
        snprintf(name, sizeof name, "rheo-nudge-%d-%d", o + 1, attempt);
        if (rh_builder_find_node(b, name, strlen(name)) >= 0) continue;
        node = rh_builder_node(b, name, strlen(name));
        if (node < 0) return -1;
    }
    const int source = add_element(b, 'V', o, node, q, 0);
    return source >= 0 && add_element(b, 'R', o, node, p, 1 / x->learn.strength) >= 0 ? source : -1;
}

static double nudge_value(const rheo_experiment *x, double v, double pull) {
    switch (x->learn.nudge) {
    case RH_NUDGE_CURRENT: return x->learn.strength * pull;
    case RH_NUDGE_VOLTAGE: return v + x->learn.strength * pull;
    default: return v + pull;
    }
}

/* Nodes, elements and edges keep their numbers. */
static bool copy_circuit(rh_builder *b, const rheo_circuit *c) {
    for (int k = 1; k < c->n_node; k++)
        if (rh_builder_node(b, c->node_name[k], strlen(c->node_name[k])) != k) return false;
    for (int e = 0; e < c->n_elem; e++) {
        const int edge = c->elem_edge[e];
        int other;
        if (rh_builder_element(b, c->kind[e], c->elem_name[e], c->term[e], c->value[e], (rh_place){ 0 }, &other) != e ||
            rh_builder_law_of(b, e, c, e) != RHEO_OK)
            return false;
        rh_builder_ctrl(b, e, c->elem_ctrl[e]);
        if (edge < 0) continue;
        if (rh_builder_learn(b, e, c->g_min[edge], c->g_max[edge], c->g_init[edge]) != RHEO_OK) return false;
        if (c->edge_source[edge] >= 0) rh_builder_learn_through(b, e, c->edge_source[edge]);
    }
    return true;
}

/* The circuit of the experiment with its nudges; source [n_out]: the elements that hold their values. */
static rheo_status build_clamped(const rheo_experiment *x, rheo_circuit **c, int *source, rheo_error *err) {
    rh_builder *const b = rh_builder_create();
    bool ok = b && copy_circuit(b, x->circuit);
    for (int o = 0; ok && o < x->task.n_out; o++) ok = (source[o] = add_nudge(b, x, o)) >= 0;
    if (ok) return rh_builder_finish(b, c, err);
    rh_builder_destroy(b);
    return RH_NOMEM(err);
}

/* What an experiment is compared by: free and clamped. */
typedef struct pair {
    rheo_circuit *nudged;
    panel free, clamped;
    rheo_state *st_free, *st_clamped;
    double *v, *pull; /* [n_out] */
    int *source;      /* [n_out] */
} pair;

static rheo_status open_pair(pair *p, const rheo_experiment *x, rheo_error *err) {
    const size_t n_out = (size_t)x->task.n_out;
    *p = (pair){ .v = rh_calloc(n_out, sizeof *p->v),
                 .pull = rh_calloc(n_out, sizeof *p->pull),
                 .source = rh_calloc(n_out, sizeof *p->source) };
    if (!p->v || !p->pull || !p->source) return RH_NOMEM(err);
    RHEO_TRY(build_clamped(x, &p->nudged, p->source, err));
    RHEO_TRY(open_panel(&p->free, x->circuit, err));
    RHEO_TRY(open_panel(&p->clamped, p->nudged, err));
    RHEO_TRY(rheo_state_create(&p->st_free, x->circuit, err));
    return rheo_state_create(&p->st_clamped, p->nudged, err);
}

static void close_pair(pair *p) {
    close_panel(&p->free);
    close_panel(&p->clamped);
    rheo_state_destroy(p->st_free);
    rheo_state_destroy(p->st_clamped);
    rheo_circuit_destroy(p->nudged);
    rh_free(p->v);
    rh_free(p->pull);
    rh_free(p->source);
}

static rheo_status compare_sample(rh_compare *k, const rheo_experiment *x, pair *p, int s, rheo_error *err) {
    const int n_out = x->task.n_out, n_elem = x->circuit->n_elem;
    rheo_state *const st = p->st_free, *const nudged = p->st_clamped;
    char label[48];
    snprintf(label, sizeof label, "sample %d free", s + 1);
    for (int j = 0; j < x->task.n_in; j++) st->source[x->in_elem[j]] = x->in_sign[j] * rh_task_input(&x->task, s, j);
    RHEO_TRY(compare_state(k, &p->free, st, label, err));
    for (int o = 0; o < n_out; o++) p->v[o] = st->v[x->out[o][0]] - st->v[x->out[o][1]];
    RH_LOSS_TABLE[x->learn.loss].eval(&x->learn, n_out, p->v, x->task.target + (size_t)s * (size_t)n_out,
                                      x->task.label ? x->task.label[s] : -1, p->pull);
    memcpy(nudged->source, st->source, sizeof(double) * (size_t)n_elem);
    for (int o = 0; o < n_out; o++) nudged->source[p->source[o]] = nudge_value(x, p->v[o], p->pull[o]);
    snprintf(label, sizeof label, "sample %d clamped", s + 1);
    return compare_state(k, &p->clamped, nudged, label, err);
}

rheo_status rh_compare_experiment(rh_compare *k, const rheo_experiment *x, const double *g, int n, rheo_error *err) {
    pair p;
    rheo_status status = open_pair(&p, x, err);
    const size_t bytes = sizeof(double) * (size_t)x->circuit->n_edge;
    if (status == RHEO_OK && g && bytes) {
        memcpy(p.st_free->g, g, bytes);
        memcpy(p.st_clamped->g, g, bytes);
    }
    for (int s = 0; status == RHEO_OK && s < n && s < x->task.n_sample; s++) status = compare_sample(k, x, &p, s, err);
    close_pair(&p);
    return status;
}

/* ---- the result ---- */

static int by_size(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double rh_gap_share(const double *sorted, int n, double share) { return n ? sorted[(int)(share * (n - 1) + 0.5)] : 0; }

static void sort(rh_gap *g) {
    if (!g->n) return;
    qsort(g->rel, (size_t)g->n, sizeof *g->rel, by_size);
    qsort(g->abs, (size_t)g->n, sizeof *g->abs, by_size);
}

static rheo_status check_p90(const rh_compare *k, double bound, rheo_error *err) {
    for (int e = 1; e < k->n_engine; e++) {
        const double p90 = rh_gap_share(k->engine[e].v.rel, k->engine[e].v.n, 0.9);
        if (!(p90 <= bound))
            return rh_fail(err, RHEO_E_GOAL, 322, RH_NOWHERE,
                           "one potential in ten differs by %.2g or more between %s and %s, more than %.2g", p90,
                           k->engine[0].name, k->engine[e].name, bound);
    }
    return RHEO_OK;
}

rheo_status rh_compare_finish(rh_compare *k, double tolerance, double p90, rheo_error *err) {
    int n = 0, worst = 0;
    double most = -1;
    for (int e = 1; e < k->n_engine; e++) {
        rh_engine *const engine = &k->engine[e];
        if (engine->n_case == 0 && !engine->why_not[0])
            memcpy(engine->why_not, engine->refused, sizeof engine->why_not);
        if (engine->n_case == 0) continue;
        n++;
        sort(&engine->v);
        sort(&engine->i);
        const double miss = fmax(engine->v.worst, engine->i.worst);
        if (miss <= most) continue;
        most = miss;
        worst = e;
    }
    if (n == 0) {
        const rheo_status st =
            rh_fail(err, RHEO_E_IO, 323, RH_NOWHERE, "there is no engine to compare %s with", k->engine[0].name);
        for (int e = k->n_engine - 1; e > 0; e--) rh_hint(err, "%s: %.150s", k->engine[e].name, k->engine[e].why_not);
        return st;
    }
    if (most <= tolerance) return check_p90(k, p90, err);
    const rh_engine *const engine = &k->engine[worst];
    return rh_fail(err, RHEO_E_GOAL, 322, RH_NOWHERE, "%s and %s differ by %.2g, more than %.2g, at %s",
                   k->engine[0].name, engine->name, most, tolerance,
                   engine->v.worst >= engine->i.worst ? engine->v.where : engine->i.where);
}

static void free_gap(rh_gap *g) {
    rh_free(g->rel);
    rh_free(g->abs);
}

void rh_compare_free(rh_compare *k) {
    for (int e = 0; e < k->n_engine; e++) {
        free_gap(&k->engine[e].v);
        free_gap(&k->engine[e].i);
    }
}
