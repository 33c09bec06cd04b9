/* task.c: what all tasks share. */
#include "task/task.h"

static void free_names(char **name, int n) {
    for (int k = 0; name && k < n; k++) rh_free(name[k]);
    rh_free(name);
}

void rh_task_free(rh_task *t) {
    if (!t) return;
    free_names(t->in_name, t->n_in);
    free_names(t->out_name, t->n_out);
    free_names(t->class_name, t->n_class);
    rh_free(t->in_loc);
    rh_free(t->out_loc);
    rh_free(t->in);
    rh_free(t->target);
    rh_free(t->label);
    rh_free(t->bytes.x);
    rh_free(t->bytes.column);
    rh_free(t->bytes.scale);
    rh_free(t->bytes.shift);
    rh_free(t->train);
    rh_free(t->validation);
    rh_free(t->test);
    rh_free(t->seen);
    *t = (rh_task){ 0 };
}

void rh_task_inputs(const void *task, int sample, double *in) {
    const rh_task *const t = task;
    const rh_bytes *const b = &t->bytes;
    if (t->in) {
        memcpy(in, t->in + (size_t)sample * (size_t)t->n_in, (size_t)t->n_in * sizeof *in);
        return;
    }
    const uint8_t *const x = b->x + (size_t)sample * b->n_column;
    for (int i = 0; i < t->n_in; i++) in[i] = b->scale[i] * x[b->column[i]] + b->shift[i];
}
