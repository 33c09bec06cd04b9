/* result.c: the outcome of a run as arrays and as a netlist. Nothing in here depends on time, place or threads. */
#include "run/rundir.h"
#include "solver/outside.h"

enum { MAX_POTENTIAL = 1000000, MAX_INPUT = 10000000 }; /* more node potentials, or inputs, are left out */

rheo_status rh_history_add(rh_history *h, const rh_row *row, rheo_error *err) {
    if (!rh_grow(&h->row, &h->cap, h->n + 1, sizeof *h->row)) return RH_NOMEM(err);
    h->row[h->n++] = *row;
    return RHEO_OK;
}

static rheo_status add_history(rh_npz *z, const rh_history *h, rheo_error *err) {
    static const char *const NAMES[] = { "epoch",         "loss_train",      "loss_test",          "accuracy_train",
                                         "accuracy_test", "loss_validation", "accuracy_validation" };
    _Static_assert(sizeof(rh_row) == sizeof(double[RH_COUNT(NAMES)]), "one name per member of a row");
    double *const column = rh_calloc((size_t)h->n, sizeof *column);
    if (!column) return RH_NOMEM(err);
    const size_t n = (size_t)h->n;
    for (int c = 0; c < RH_COUNT(NAMES); c++) {
        for (size_t i = 0; i < n; i++) memcpy(&column[i], (const double *)&h->row[i] + c, sizeof *column);
        rh_npz_f64(z, NAMES[c], column, 1, &n);
    }
    rh_free(column);
    return RHEO_OK;
}

static rheo_status add_edges(rh_npz *z, const rheo_circuit *c, const double *g, const double *g_first,
                             rheo_error *err) {
    const size_t n = (size_t)c->n_edge;
    const char **const name = rh_calloc(n, sizeof *name);
    if (!name) return RH_NOMEM(err);
    for (size_t k = 0; k < n; k++) name[k] = c->elem_name[c->edge_elem[k]];
    rh_npz_f64(z, "g", g, 1, &n);
    rh_npz_f64(z, "g_first", g_first, 1, &n);
    rh_npz_text(z, "edge", name, c->n_edge);
    rh_free(name);
    return RHEO_OK;
}

static rheo_status add_inputs(rh_npz *z, const rh_task *t, const size_t dims[2], rheo_error *err) {
    if (dims[0] > MAX_INPUT / dims[1]) return RHEO_OK;
    double *const in = rh_calloc(dims[0] * dims[1], sizeof *in);
    if (!in) return RH_NOMEM(err);
    for (int i = 0; i < t->n_sample; i++) rh_task_inputs(t, i, in + (size_t)i * dims[1]);
    rh_npz_f64(z, "input", in, 2, dims);
    rh_free(in);
    return RHEO_OK;
}

/* Of the samples in list: row the label, column the largest output. */
static void confuse(const rh_task *t, const double *y, const int *list, int n, int *confusion) {
    memset(confusion, 0, (size_t)t->n_class * (size_t)t->n_class * sizeof *confusion);
    for (int i = 0; i < n; i++) {
        const double *const out = y + (size_t)list[i] * (size_t)t->n_out;
        int best = 0;
        for (int o = 1; o < t->n_out; o++)
            if (out[o] > out[best]) best = o;
        confusion[t->label[list[i]] * t->n_class + best]++;
    }
}

static rheo_status add_classes(rh_npz *z, const rh_task *t, const double *y, rheo_error *err) {
    const size_t n = (size_t)t->n_class, dims[] = { n, n };
    const struct {
        const char *name;
        const int *list;
        int n;
    } SETS[] = { { "confusion_train", t->train, t->n_train },
                 { "confusion_validation", t->validation, t->n_validation },
                 { "confusion_test", t->test, t->n_test } };
    rh_npz_text(z, "class", (const char *const *)t->class_name, t->n_class);
    int *const confusion = rh_calloc(n * n, sizeof *confusion);
    if (!confusion) return RH_NOMEM(err);
    for (int s = 0; s < RH_COUNT(SETS); s++) {
        confuse(t, y, SETS[s].list, SETS[s].n, confusion);
        if (SETS[s].n > 0) rh_npz_i32(z, SETS[s].name, confusion, 2, dims);
    }
    rh_free(confusion);
    return RHEO_OK;
}

static rheo_status add_samples(rh_npz *z, const rheo_experiment *x, rh_learner *l, rheo_error *err) {
    const rh_task *const t = &x->task;
    const size_t in[] = { (size_t)t->n_sample, (size_t)t->n_in }, out[] = { (size_t)t->n_sample, (size_t)t->n_out };
    const size_t n_train = (size_t)t->n_train, n_test = (size_t)t->n_test, n_validation = (size_t)t->n_validation;
    RHEO_TRY(add_inputs(z, t, in, err));
    rh_npz_f64(z, "target", t->target, 2, out);
    if (t->label) rh_npz_i32(z, "label", t->label, 1, out);
    rh_npz_i32(z, "train", t->train, 1, &n_train);
    rh_npz_i32(z, "validation", t->validation, 1, &n_validation);
    rh_npz_i32(z, "test", t->test, 1, &n_test);
    double *const y = rh_calloc(out[0] * out[1], sizeof *y);
    if (!y) return RH_NOMEM(err);
    rheo_status st = RHEO_OK;
    for (int i = 0; i < t->n_sample && st == RHEO_OK; i++) st = rh_learner_output(l, i, y + (size_t)i * out[1], err);
    if (st == RHEO_OK) rh_npz_f64(z, "output", y, 2, out);
    if (st == RHEO_OK && t->label) st = add_classes(z, t, y, err);
    rh_free(y);
    return st;
}

/* Potentials of all nodes for every sample: v [n_sample][n_node]. */
static rheo_status solve_all(const rheo_experiment *x, rheo_solver *s, rheo_state *st, double *v, rheo_error *err) {
    const rh_ports p = rh_experiment_ports(x);
    for (int i = 0; i < x->task.n_sample; i++) {
        for (int j = 0; j < p.n_in; j++) st->source[p.in_elem[j]] = p.in_sign[j] * rh_task_input(&x->task, i, j);
        RHEO_TRY(rheo_solver_solve(s, st, err));
        memcpy(v + (size_t)i * (size_t)st->n_node, st->v, (size_t)st->n_node * sizeof *v);
    }
    return RHEO_OK;
}

static rheo_status potentials(const rheo_experiment *x, const double *g, double *v, const rheo_log *log,
                              rheo_error *err) {
    rheo_solver_def def = rheo_solver_default();
    if (x->backend) def.backend = x->backend;
    rheo_solver *s = NULL;
    rheo_state *state = NULL;
    const bool outside = rh_streq(def.backend, RH_OUTSIDE); /* what a matrix is warned of was told while training */
    rheo_status st = rheo_solver_open(&s, x->circuit, &def, outside ? log : NULL, err);
    if (st == RHEO_OK) st = rheo_state_create(&state, x->circuit, err);
    if (st == RHEO_OK) {
        memcpy(state->g, g, (size_t)state->n_edge * sizeof *g);
        st = solve_all(x, s, state, v, err);
    }
    rheo_state_destroy(state);
    rheo_solver_close(s);
    return st;
}

static rheo_status add_nodes(rh_npz *z, const rheo_experiment *x, const double *g, const rheo_log *log,
                             rheo_error *err) {
    const rheo_circuit *const c = x->circuit;
    const size_t dims[] = { (size_t)x->task.n_sample, (size_t)c->n_node };
    rh_npz_text(z, "node", (const char *const *)c->node_name, c->n_node);
    if (dims[0] > MAX_POTENTIAL / dims[1]) return RHEO_OK;
    double *const v = rh_calloc(dims[0] * dims[1], sizeof *v);
    if (!v) return RH_NOMEM(err);
    const rheo_status st = potentials(x, g, v, log, err);
    if (st == RHEO_OK) rh_npz_f64(z, "v", v, 2, dims);
    rh_free(v);
    return st;
}

static rheo_status fill(rh_npz *z, const rheo_experiment *x, rh_learner *l, const double *g_first,
                        const rh_history *history, bool complete, const rheo_log *log, rheo_error *err) {
    const double *const g = rh_learner_g(l);
    const size_t one = 1;
    rh_npz_i32(z, "complete", &(int){ complete }, 1, &one);
    RHEO_TRY(add_history(z, history, err));
    RHEO_TRY(add_edges(z, x->circuit, g, g_first, err));
    RHEO_TRY(add_samples(z, x, l, err));
    return add_nodes(z, x, g, log, err);
}

static rheo_status write_npz(const char *path, const rheo_experiment *x, rh_learner *l, const double *g_first,
                             const rh_history *history, bool complete, const rheo_log *log, rheo_error *err) {
    rh_npz *const z = rh_npz_create();
    if (!z) return RH_NOMEM(err);
    rheo_status st = fill(z, x, l, g_first, history, complete, log, err);
    if (st == RHEO_OK) st = rh_npz_write(z, path, err);
    rh_npz_destroy(z);
    return st;
}

/* A comment behind the title about what the netlist had and this one has not. */
static bool add_left_out(rh_buf *b, const char *text, const char *words) {
    enum { LINE = 100 };
    const size_t title = strcspn(text, "\n") + (strchr(text, '\n') != NULL);
    size_t bol = b->n + title;
    rh_buf_add(b, text, title);
    rh_buf_puts(b, "* left out of the netlist that was trained:");
    for (size_t n; *words; words += n) {
        n = strcspn(words, " ");
        if (b->n - bol + n > LINE) {
            rh_buf_puts(b, "\n*");
            bol = b->n;
        }
        rh_buf_add(b, " ", 1);
        rh_buf_add(b, words, n);
        n += words[n] == ' ';
    }
    rh_buf_puts(b, "\n");
    rh_buf_puts(b, text + title);
    return !b->bad;
}

static rheo_status write_netlist(const char *path, const rheo_circuit *c, const double *g, rheo_error *err) {
    char *text = NULL;
    RHEO_TRY(rheo_netlist_print(&text, c, g, err));
    rh_buf b = { 0 };
    rheo_status st = RHEO_OK;
    if (!c->left_out)
        st = rh_file_write(path, text, strlen(text), err);
    else if (add_left_out(&b, text, c->left_out))
        st = rh_file_write(path, b.s, b.n, err);
    else
        st = RH_NOMEM(err);
    rh_buf_free(&b);
    rheo_text_free(text);
    return st;
}

rheo_status rh_rundir_results(const char *directory, const rheo_experiment *x, rh_learner *l, const double *g_first,
                              const rh_history *history, bool complete, const rheo_log *log, rheo_error *err) {
    char *const npz = rh_path_join(directory, "result.npz"), *const cir = rh_rundir_trained(directory);
    rheo_status st = npz && cir ? RHEO_OK : RH_NOMEM(err);
    if (st == RHEO_OK) st = write_netlist(cir, x->circuit, rh_learner_g(l), err);
    if (st == RHEO_OK) st = write_npz(npz, x, l, g_first, history, complete, log, err);
    rh_free(npz);
    rh_free(cir);
    return st;
}
