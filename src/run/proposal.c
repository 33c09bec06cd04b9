/* proposal.c: rheo_tune, the proposals of the learner as a piece of an experiment, with the reasons. */
#include "run/rundir.h"

#include <math.h>
#include <unistd.h>

enum { MAX_SAMPLE = 32 };
static const double RATIO = 1000; /* slow over fast: three decades of amplitudes pass the dead zone */

/* The sentence that begins with key, as a comment line before the setting. */
static void add_why(rh_buf *b, const rh_tuning *t, const char *key) {
    const size_t n = strlen(key);
    for (int i = 0; i < RH_COUNT(t->why) && t->why[i][0]; i++)
        if (strncmp(t->why[i], key, n) == 0 && t->why[i][n] == ' ') rh_buf_printf(b, "  # %s\n", t->why[i]);
}

static void add_number(rh_buf *b, const char *key, double x) {
    rh_buf_printf(b, "  %s: ", key);
    if (isinf(x))
        rh_buf_puts(b, "inf");
    else
        rh_buf_number(b, x);
    rh_buf_puts(b, "\n");
}

static void add_kernel(rh_buf *b, const rh_tuning *t) {
    const rh_kernel *const k = RH_KERNELS[t->def.kernel];
    rh_buf_printf(b, "memory:\n  kind: %s\n", k->name);
    for (int i = 0; i < k->n_field; i++) {
        add_why(b, t, k->fields[i].name);
        add_number(b, k->fields[i].name, t->def.par[i]);
    }
    add_why(b, t, "threshold");
    add_number(b, "threshold", t->def.threshold);
}

static void add_amplitude(rh_buf *b, const char *what, double a) {
    char text[48];
    snprintf(text, sizeof text, "#   %-8s %.3g V^2\n", what, a); /* no prefix: mV^2 could be read two ways */
    rh_buf_puts(b, text);
}

/* The proposals by the names of the settings; infinite ones are as they are without. */
static int settings_of(const rh_tuning *t, rh_proposed *out) {
    const rh_kernel *const k = RH_KERNELS[t->def.kernel];
    int n = 0;
    out[n++] = (rh_proposed){ "learning", "rate", t->def.rate };
    out[n++] = (rh_proposed){ "learning.nudge", "strength", t->def.strength };
    if (t->def.rule == RH_RULE_TCL) { /* the others compare without a sawtooth and a memory */
        out[n++] = (rh_proposed){ "protocol", "fast", t->def.fast };
        out[n++] = (rh_proposed){ "protocol", "slow", t->def.slow };
        for (int i = 0; i < k->n_field && n < RH_MAX_PROPOSED - 1; i++)
            out[n++] = (rh_proposed){ "memory", k->fields[i].name, t->def.par[i] };
        out[n++] = (rh_proposed){ "memory", "threshold", t->def.threshold };
    }
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (!isinf(out[i].value)) out[kept++] = out[i];
    return kept;
}

/* A word of the shell. */
static void add_word(rh_buf *b, const char *word) {
    static const char SAFE[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:@%,";
    if (word[strspn(word, SAFE)] == '\0') {
        rh_buf_puts(b, word);
        return;
    }
    rh_buf_puts(b, "'");
    for (; *word; word++) {
        if (*word == '\'')
            rh_buf_puts(b, "'\\''");
        else
            rh_buf_add(b, word, 1);
    }
    rh_buf_puts(b, "'");
}

/* The same as options of `rheo train`. */
static void add_command(rh_buf *b, const rheo_experiment *x, const rh_proposal *p) {
    rh_buf_puts(b, "# Put these values into the blocks of the experiment, or leave it and type: rheo train");
    for (int i = 0; i < p->n; i++) {
        rh_buf_printf(b, " --set %s.%s=", p->set[i].block, p->set[i].key);
        rh_buf_number(b, p->set[i].value);
    }
    char *const config = x->output ? rh_rundir_config(x->output) : NULL;
    if (config && access(config, F_OK) == 0) rh_buf_puts(b, " --force"); /* a run is there */
    rh_free(config);
    rh_buf_puts(b, " ");
    add_word(b, x->path ? x->path : "EXPERIMENT");
    rh_buf_puts(b, "\n");
}

static rheo_status print_tuning(const rheo_experiment *x, const rh_proposal *p, char **text, rheo_error *err) {
    const rh_tuning *const t = &p->tuning;
    rh_buf b = { 0 };
    rh_buf_printf(
        &b,
        "# From the first %d training samples. How much s = drop^2/2 of an edge changes when the outputs are pulled:\n",
        p->n_sample);
    add_amplitude(&b, "10 %", t->a_small);
    add_amplitude(&b, "median", t->a_median);
    add_amplitude(&b, "largest", t->a_large);
    rh_buf_puts(&b, "learning:\n");
    add_why(&b, t, "rate");
    add_number(&b, "rate", t->def.rate);
    add_why(&b, t, "strength");
    rh_buf_printf(&b, "  nudge: {kind: %s, strength: ", RH_NUDGES[t->def.nudge]);
    rh_buf_number(&b, t->def.strength);
    rh_buf_puts(&b, "}\n");
    if (t->def.rule == RH_RULE_TCL) {
        rh_buf_printf(&b, "protocol:\n  kind: %s\n", RH_PROTOCOLS[t->def.protocol]->name);
        add_why(&b, t, "fast");
        add_number(&b, "fast", t->def.fast);
        add_why(&b, t, "slow");
        add_number(&b, "slow", t->def.slow);
        add_kernel(&b, t);
    }
    add_command(&b, x, p);
    if (!b.bad) {
        *text = b.s;
        return RHEO_OK;
    }
    rh_buf_free(&b);
    return RH_NOMEM(err);
}

/* The same text with pascals for volts. */
static rheo_status hydraulic(char **text, rheo_error *err) {
    rh_buf b = { 0 };
    const char *p = *text;
    for (const char *v; (v = strstr(p, " V^2")); p = v + 2) {
        rh_buf_printf(&b, "%.*s", (int)(v - p), p);
        rh_buf_puts(&b, " Pa");
    }
    rh_buf_puts(&b, p);
    rh_free(*text);
    *text = b.s;
    if (!b.bad) return RHEO_OK;
    rh_buf_free(&b);
    *text = NULL;
    return RH_NOMEM(err);
}

rheo_status rh_propose(const rheo_experiment *x, rh_proposal *p, const rheo_log *log, rheo_error *err) {
    const rh_ports ports = rh_experiment_ports(x);
    const rh_samples samples = rh_experiment_samples(x);
    rheo_solver_def solver = rheo_solver_default();
    if (x->backend) solver.backend = x->backend;
    rh_learner *l = NULL;
    RHEO_TRY(rh_learner_open(&l, x->circuit, &x->learn, &solver, &ports, &samples, log, err));
    p->n_sample = x->task.n_train < MAX_SAMPLE ? x->task.n_train : MAX_SAMPLE;
    const rheo_status st = rh_tune(l, x->task.train, p->n_sample, RATIO, &p->tuning, err);
    rh_learner_close(l);
    if (st == RHEO_OK) p->n = settings_of(&p->tuning, p->set);
    return st;
}

rheo_status rh_proposal_print(const rheo_experiment *x, const rh_proposal *p, char **text, rheo_error *err) {
    RHEO_TRY(print_tuning(x, p, text, err));
    return x->domain ? hydraulic(text, err) : RHEO_OK;
}

rheo_status rheo_tune(const rheo_experiment *x, char **text, const rheo_log *log, rheo_error *err) {
    rh_proposal p;
    RHEO_TRY(rh_propose(x, &p, log, err));
    return rh_proposal_print(x, &p, text, err);
}
