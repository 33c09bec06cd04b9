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
    rh_free(t->train);
    rh_free(t->test);
    *t = (rh_task){ 0 };
}
