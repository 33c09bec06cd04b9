/* experiment_keys.c: keys that stand in the wrong block, such as --set rate=1 for learning.rate. */
#include "run/experiment.h"

enum { MAX_WORD = 100, MAX_HINT = 48 };

typedef struct words {
    rh_other_word word[MAX_WORD];
    char hint[MAX_WORD][MAX_HINT];
    int n;
} words;

static const char *last_part(const char *path) {
    const char *const dot = strrchr(path, '.');
    return dot ? dot + 1 : path;
}

/* Unless it is a key of the block that is being read: there the spelling counts. */
static void add(words *w, const char *here, const char *block, const char *key) {
    if (w->n >= MAX_WORD || strcmp(key, "kind") == 0 || strcmp(last_part(block), here) == 0) return;
    snprintf(w->hint[w->n], MAX_HINT, "did you mean %s%s%s?", block, *block ? "." : "", key);
    w->word[w->n] = (rh_other_word){ key, w->hint[w->n] };
    w->n++;
}

static void add_fields(words *w, const char *here, const char *block, const rh_field *f, int n) {
    for (int i = 0; i < n; i++) add(w, here, block, f[i].name);
}

/* Of two blocks with such a key the first one is meant. */
static void add_all(words *w, const char *here) {
    static const char *const LEARNING[] = { "nudge", "schedule", "rates", "charging" },
                             *const TASK[] = { "inputs", "outputs", "rows",    "file",
                                               "labels", "columns", "targets", "label" },
                             *const ALONE[] = { "netlist", "network", "include_dirs", "domain", "seed", "output" };
    rh_field own[RH_MAX_PAR];
    add_fields(w, here, "learning", RH_LEARNING_FIELDS, RH_N_LEARNING_FIELD);
    for (int i = 0; i < RH_COUNT(LEARNING); i++) add(w, here, "learning", LEARNING[i]);
    add_fields(w, here, "learning.nudge", RH_NUDGE_FIELDS, RH_N_NUDGE_FIELD);
    add_fields(w, here, "protocol", RH_PROTOCOL_FIELDS, RH_N_PROTOCOL_FIELD);
    add_fields(w, here, "memory", RH_MEMORY_FIELDS, RH_N_MEMORY_FIELD);
    for (int k = 0; k < RH_N_KERNEL; k++) add_fields(w, here, "memory", own, rh_kernel_fields(k, own));
    add_fields(w, here, "run", RH_RUN_FIELDS, RH_N_RUN_FIELD);
    add(w, here, "solver", "backend");
    add_fields(w, here, "solver", RH_ENGINE_FIELDS, RH_N_ENGINE_FIELD);
    add_fields(w, here, "learning.schedule", RH_SCHEDULE_FIELDS, RH_N_SCHEDULE_FIELD);
    add_fields(w, here, "learning.charging", RH_CHARGING_FIELDS, RH_N_CHARGING_FIELD);
    for (int i = 0; i < RH_COUNT(TASK); i++) add(w, here, "task", TASK[i]);
    for (int i = 0; i < RH_COUNT(ALONE); i++) add(w, here, "", ALONE[i]);
}

rheo_status rh_experiment_rest(const rh_reader *rd, rh_yaml *map, const char *block, const char *const *known,
                               int n_known) {
    words w = { .n = 0 };
    add_all(&w, block ? block : "");
    return rh_read_rest_meant(rd, map, block, known, n_known, w.word, w.n);
}
