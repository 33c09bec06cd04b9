/* compare.c: engines side by side. */
#include "run/compare.h"
#include "learn/internal.h"

#include <math.h>
#include <stdlib.h>

void rh_compare_begin(rh_compare *k, const char *const *names, int n) {
    *k = (rh_compare){ .n_engine = n < RH_MAX_ENGINE ? n : RH_MAX_ENGINE };
    for (int e = 0; e < k->n_engine; e++) k->engine[e].name = names[e];
}

/* ---- one circuit ---- */

static rheo_status solve_by(const char *name, const rheo_circuit *c, rheo_state *st, rheo_error *err) {
    rheo_solver_def def = rheo_solver_default();
    rheo_solver *s = NULL;
    def.backend = name;
    RHEO_TRY(rheo_solver_open(&s, c, &def, NULL, err));
    const rheo_status status = rheo_solver_solve(s, st, err);
    rheo_solver_close(s);
    return status;
}

/* Which element or node, among n, differs how much. */
static bool add_gap(rh_gap *g, int n, const double *x, const double *want, char *const *name, const char *label) {
    double size = 0;
    for (int k = 0; k < n; k++) size = fmax(size, fabs(want[k]));
    if (!rh_grow(&g->rel, &g->cap_rel, g->n + n, sizeof *g->rel)) return false;
    if (!rh_grow(&g->abs, &g->cap_abs, g->n + n, sizeof *g->abs)) return false;
    for (int k = 0; k < n; k++) {
        const double miss = fabs(x[k] - want[k]), rel = size > 0 ? miss / size : miss;
        g->abs[g->n] = miss;
        g->rel[g->n++] = rel;
        if (rel <= g->worst && g->where[0]) continue;
        g->worst = rel;
        char shown[80];
        snprintf(g->where, sizeof g->where, "%s%s%s", rh_escape(name[k], strlen(name[k]), shown, sizeof shown),
                 label[0] ? ", " : "", label);
    }
    return true;
}

/* st: in g and source; out the answer of the first engine. */
static rheo_status compare_state(rh_compare *k, const rheo_circuit *c, rheo_state *st, const char *label,
                                 rheo_error *err) {
    rheo_state *other = NULL;
    rheo_status status = solve_by(k->engine[0].name, c, st, err);
    if (status == RHEO_OK) status = rheo_state_create(&other, c, err);
    for (int e = 1; status == RHEO_OK && e < k->n_engine; e++) {
        rh_engine *const engine = &k->engine[e];
        rheo_error why = { 0 };
        if (engine->why_not[0]) continue;
        if (c->n_edge) memcpy(other->g, st->g, sizeof(double) * (size_t)c->n_edge);
        memcpy(other->source, st->source, sizeof(double) * (size_t)c->n_elem);
        status = solve_by(engine->name, c, other, &why);
        if (status == RHEO_E_IO || (status == RHEO_E_USAGE && why.code != 186)) { /* not there, or not for this one */
            char *const text = status == RHEO_E_IO ? engine->why_not : engine->refused;
            snprintf(text, sizeof engine->why_not, "%s", why.msg);
            engine->n_refused++;
            status = RHEO_OK;
            continue;
        }
        if (status != RHEO_OK && err) *err = why;
        if (status == RHEO_OK &&
            !(add_gap(&engine->v, c->n_node - 1, other->v + 1, st->v + 1, c->node_name + 1, label) &&
              add_gap(&engine->i, c->n_elem, other->i, st->i, c->elem_name, label)))
            status = RH_NOMEM(err);
        engine->n_case += status == RHEO_OK;
    }
    rheo_state_destroy(other);
    k->n_case += status == RHEO_OK;
    return status;
}

rheo_status rh_compare_circuit(rh_compare *k, const rheo_circuit *c, const char *label, rheo_error *err) {
    rheo_state *st = NULL;
    RHEO_TRY(rheo_state_create(&st, c, err));
    const rheo_status status = compare_state(k, c, st, label, err);
    rheo_state_destroy(st);
    return status;
}

/* ---- random circuits ---- */

static const rh_gen_kind *mixed(void) {
    int k = 0;
    while (k + 1 < RH_N_GEN && strcmp(RH_GENS[k]->name, "mixed") != 0) k++;
    return RH_GENS[k];
}

static rheo_status generate(rheo_circuit **c, int n, uint64_t seed, bool plain, rheo_error *err) {
    static const char *const UNSYMMETRIC[] = { "voltages", "vcvs", "vccs" };
    const rh_gen_kind *const kind = mixed();
    double *const par = rh_calloc((size_t)kind->n_field, sizeof *par);
    rh_builder *const b = rh_builder_create();
    rheo_status st = par && b ? RHEO_OK : RH_NOMEM(err);
    for (int i = 0; st == RHEO_OK && i < kind->n_field; i++) {
        par[i] = strcmp(kind->fields[i].name, "n") == 0 ? n : kind->fields[i].def;
        for (int u = 0; plain && u < RH_COUNT(UNSYMMETRIC); u++)
            if (strcmp(kind->fields[i].name, UNSYMMETRIC[u]) == 0) par[i] = 0;
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
        snprintf(label, sizeof label, "network of %d nodes, seed %llu", n, (unsigned long long)seed);
        RHEO_TRY(generate(&c, n, seed, i % 4 == 0, err));
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

/* The nudge of output o at full level, as something that could be soldered. false: out of memory. */
static bool add_nudge(rh_builder *b, const rheo_experiment *x, int o, double v, double pull) {
    const int p = x->out[o][0], q = x->out[o][1];
    const double strength = x->learn.strength;
    if (x->learn.nudge == RH_NUDGE_CURRENT) return add_element(b, 'I', o, q, p, strength * pull) >= 0;
    if (x->learn.nudge == RH_NUDGE_VOLTAGE) return add_element(b, 'V', o, p, q, v + strength * pull) >= 0;
    char name[48];
    int node = -1;
    for (int attempt = 0; node < 0; attempt++) {
        snprintf(name, sizeof name, "rheo-nudge-%d-%d", o + 1, attempt);
        if (rh_builder_find_node(b, name, strlen(name)) >= 0) continue;
        node = rh_builder_node(b, name, strlen(name));
        if (node < 0) return false;
    }
    return add_element(b, 'V', o, node, q, v + pull) >= 0 && add_element(b, 'R', o, node, p, 1 / strength) >= 0;
}

static bool copy_circuit(rh_builder *b, const rheo_circuit *c, const rheo_state *st) {
    for (int k = 1; k < c->n_node; k++)
        if (rh_builder_node(b, c->node_name[k], strlen(c->node_name[k])) != k) return false;
    for (int e = 0; e < c->n_elem; e++) {
        int other;
        const bool source = (RH_KINDS[c->kind[e]]->flags & RH_SOURCE) != 0;
        const double value = c->elem_edge[e] >= 0 ? 1 / st->g[c->elem_edge[e]] : source ? st->source[e] : c->value[e];
        if (rh_builder_element(b, c->kind[e], c->elem_name[e], c->term[e], value, (rh_place){ 0 }, &other) != e)
            return false;
    }
    return true;
}

/* st holds the free state of sample s. */
static rheo_status compare_clamped(rh_compare *k, const rheo_experiment *x, const rheo_state *st, int s, double *work,
                                   rheo_error *err) {
    const int n_out = x->task.n_out;
    double *const v = work, *const pull = work + n_out;
    for (int o = 0; o < n_out; o++) v[o] = st->v[x->out[o][0]] - st->v[x->out[o][1]];
    RH_LOSS_TABLE[x->learn.loss].eval(&x->learn, n_out, v, x->task.target + (size_t)s * (size_t)n_out,
                                      x->task.label ? x->task.label[s] : -1, pull);
    rh_builder *const b = rh_builder_create();
    bool ok = b && copy_circuit(b, x->circuit, st);
    for (int o = 0; ok && o < n_out; o++) ok = add_nudge(b, x, o, v[o], pull[o]);
    if (!ok) {
        rh_builder_destroy(b);
        return RH_NOMEM(err);
    }
    rheo_circuit *c = NULL;
    char label[48];
    snprintf(label, sizeof label, "sample %d clamped", s + 1);
    RHEO_TRY(rh_builder_finish(b, &c, err));
    const rheo_status status = rh_compare_circuit(k, c, label, err);
    rheo_circuit_destroy(c);
    return status;
}

rheo_status rh_compare_experiment(rh_compare *k, const rheo_experiment *x, const double *g, int n, rheo_error *err) {
    rheo_state *st = NULL;
    double *const work = rh_calloc(2 * (size_t)x->task.n_out, sizeof *work);
    rheo_status status = work ? rheo_state_create(&st, x->circuit, err) : RH_NOMEM(err);
    if (status == RHEO_OK && g && st->n_edge) memcpy(st->g, g, sizeof *g * (size_t)st->n_edge);
    for (int s = 0; status == RHEO_OK && s < n && s < x->task.n_sample; s++) {
        char label[48];
        snprintf(label, sizeof label, "sample %d free", s + 1);
        for (int j = 0; j < x->task.n_in; j++)
            st->source[x->in_elem[j]] = x->in_sign[j] * x->task.in[(size_t)s * (size_t)x->task.n_in + (size_t)j];
        status = compare_state(k, x->circuit, st, label, err);
        if (status == RHEO_OK) status = compare_clamped(k, x, st, s, work, err);
    }
    rheo_state_destroy(st);
    rh_free(work);
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
