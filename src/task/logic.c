/* logic.c: truth tables, one output per function, one sample per row. A new function is one row. */
#include "task/task.h"

/* n variables are true of n_var. */
static bool is_and(int n, int n_var) { return n == n_var; }
static bool is_or(int n, int n_var) { return (void)n_var, n > 0; }
static bool is_xor(int n, int n_var) { return (void)n_var, n % 2 == 1; }
static bool is_nand(int n, int n_var) { return n < n_var; }
static bool is_nor(int n, int n_var) { return (void)n_var, n == 0; }
static bool is_xnor(int n, int n_var) { return (void)n_var, n % 2 == 0; }

const rh_logic RH_LOGICS[] = {
    { "and", is_and }, { "or", is_or }, { "xor", is_xor }, { "nand", is_nand }, { "nor", is_nor }, { "xnor", is_xnor },
};
const int RH_N_LOGIC = RH_COUNT(RH_LOGICS);

static void fill(rh_task *t, const rh_csv_task_def *d, const int *function, int n_var) {
    const int step = d->differential ? 2 : 1;
    for (int i = 0; i < t->n_sample; i++) {
        double *const in = t->in + (size_t)i * (size_t)t->n_in;
        int n = 0;
        for (int k = 0; k < n_var; k++) { /* the first variable changes last, as tables are written */
            const int bit = i >> (n_var - 1 - k) & 1;
            n += bit;
            in[k * step] = d->range[bit];
            if (step == 2) in[k * step + 1] = d->range[!bit];
        }
        for (int k = 0; k < d->n_bias; k++) in[n_var * step + k] = d->bias[k];
        for (int o = 0; o < t->n_out; o++)
            t->target[(size_t)i * (size_t)t->n_out + (size_t)o] = d->level[RH_LOGICS[function[o]].holds(n, n_var)];
        t->train[t->n_train++] = i;
    }
}

rheo_status rh_logic_task(rh_task *out, const rh_csv_task_def *d, const int *function, int n_function, int n_var,
                          rheo_error *err) {
    rh_task t = { .n_sample = 1 << n_var };
    const size_t n = (size_t)t.n_sample, n_in = (size_t)(n_var * (d->differential ? 2 : 1) + d->n_bias);
    t.in = rh_calloc(n * n_in, sizeof *t.in);
    t.target = rh_calloc(n * (size_t)n_function, sizeof *t.target);
    t.train = rh_calloc(n, sizeof *t.train);
    t.validation = rh_calloc(1, sizeof *t.validation);
    t.test = rh_calloc(1, sizeof *t.test);
    if (!t.in || !t.target || !t.train || !t.validation || !t.test) {
        rh_task_free(&t);
        return RH_NOMEM(err);
    }
    t.n_in = (int)n_in;
    t.n_out = n_function;
    fill(&t, d, function, n_var);
    *out = t;
    return RHEO_OK;
}
