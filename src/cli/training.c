/* training.c: progress, signals and the last word of a run. */
#include "cli/training.h"

#include "run/rundir.h"

#include <math.h>

/* Losses differ by decades: 9.06e-02 compares better than 90.6m. */
static const char *loss_text(double loss, char text[16]) {
    snprintf(text, 16, "%.2e", loss);
    return text;
}

static void add_accuracy(rh_buf *b, double accuracy) {
    const int mille = (int)(accuracy * 1000 + 0.5);
    rh_buf_printf(b, " accuracy %d.%d %%", mille / 10, mille % 10);
}

static void add_score(rh_buf *b, const char *what, double loss, double accuracy) {
    char text[16];
    if (isnan(loss)) return;
    rh_buf_printf(b, "%s loss %s", what, loss_text(loss, text));
    if (!isnan(accuracy)) add_accuracy(b, accuracy);
}

static void epoch_json(rh_cli *cli, const rheo_progress *p) {
    rh_buf b = { 0 };
    rh_buf_puts(&b, "{\"event\":\"epoch\"");
    rh_json_count(&b, "epoch", p->epoch);
    rh_json_count(&b, "epochs", p->n_epoch);
    rh_json_count(&b, "step", p->step);
    rh_json_number(&b, "loss_train", p->loss_train);
    rh_json_number(&b, "loss_test", p->loss_test);
    rh_json_number(&b, "accuracy_train", p->accuracy_train);
    rh_json_number(&b, "accuracy_test", p->accuracy_test);
    rh_json_number(&b, "loss_validation", p->loss_validation);
    rh_json_number(&b, "accuracy_validation", p->accuracy_validation);
    rh_progress_classes(&b, p);
    rh_json_number(&b, "cos_gradient", p->cos_gradient);
    rh_json_number(&b, "norm_ratio", p->norm_ratio);
    rh_json_number(&b, "cos_contrastive", p->cos_contrastive);
    rh_json_number(&b, "inside", p->inside);
    rh_newton_json(&b, p->newton);
    rh_json_number(&b, "seconds", p->seconds);
    rh_buf_puts(&b, "}\n");
    rh_cli_write(cli, &b);
}

static void on_progress(void *user, const rheo_progress *p) {
    rh_training *const t = user;
    t->n_progress++;
    if (t->cli->json) epoch_json(t->cli, p);
    rh_buf b = { 0 };
    rh_buf_printf(&b, "epoch %ld/%ld", p->epoch, p->n_epoch);
    add_score(&b, "  train", p->loss_train, p->accuracy_train);
    add_score(&b, "  validation", p->loss_validation, p->accuracy_validation);
    add_score(&b, "  test", p->loss_test, p->accuracy_test);
    if (!b.bad) {
        const double whole = p->n_epoch > 0 ? (double)p->n_epoch : 1;
        enum { LINES = 50 };
        const int part = p->n_epoch > 0 ? (int)((long long)p->epoch * LINES / p->n_epoch) : 0;
        if (t->cli->verbose && (t->n_progress == 1 || part != t->shown)) rh_cli_note(t->cli, "%s", b.s);
        t->shown = part;
        rh_bar_show(t->bar, (double)p->epoch / whole, b.s, (double)p->step, p->seconds);
    }
    rh_buf_free(&b);
}

/* Not before: a directory may be refused. */
static void on_begun(void *user, const char *directory) {
    rh_training *const t = user;
    const char *const path = t->cli->operand[0];
    (void)directory;
    if (!t->cli->json) {
        rh_cli_note(t->cli, "%s %s", t->verb, path);
        return;
    }
    rh_buf b = { 0 };
    rh_buf_puts(&b, "{\"event\":\"start\"");
    rh_json_text(&b, "version", rheo_version());
    rh_json_text(&b, "from", path);
    rh_buf_puts(&b, "}\n");
    rh_cli_write(t->cli, &b);
}

rheo_status rh_training_open(rh_training *t, rh_cli *cli, const char *verb) {
    *t = (rh_training){ .cli = cli, .verb = verb, .def = rheo_train_default() };
    t->bar = rh_bar_create(cli);
    if (!t->bar) return rh_cli_failed(cli, RHEO_E_NOMEM, &t->err);
    t->def.threads = (int)rh_opt_number(cli, "threads", 0);
    t->def.gauge = rh_opt_flag(cli, "gauge");
    t->def.begun = on_begun;
    t->def.progress = on_progress;
    t->def.user = t;
    t->def.stop = rh_interrupt_flag();
    rh_interrupt_catch();
    return RHEO_OK;
}

static void done_json(const rh_training *t, const char *event) {
    const rheo_result *const r = &t->result;
    rh_buf b = { 0 };
    rh_buf_printf(&b, "{\"event\":\"%s\"", event);
    rh_json_number(&b, "loss_first", r->loss_first);
    rh_json_number(&b, "loss_last", r->loss_last);
    rh_json_number(&b, "loss_test", r->loss_test);
    rh_json_number(&b, "accuracy_train", r->accuracy_train);
    rh_json_number(&b, "accuracy_test", r->accuracy_test);
    rh_json_number(&b, "loss_validation", r->loss_validation);
    rh_json_number(&b, "accuracy_validation", r->accuracy_validation);
    rh_json_count(&b, "epochs", r->epochs);
    rh_json_count(&b, "steps", r->steps);
    rh_newton_json(&b, r->newton);
    rh_json_number(&b, "seconds", r->seconds);
    rh_buf_printf(&b, ",\"goal_reached\":%s", !r->goal_set ? "null" : r->goal_reached ? "true" : "false");
    rh_json_text(&b, "directory", r->directory);
    rh_buf_puts(&b, "}\n");
    rh_cli_write(t->cli, &b);
}

static void done_line(const rh_training *t) {
    const rheo_result *const r = &t->result;
    rh_buf b = { 0 };
    char first[16], last[16];
    rh_buf_printf(&b, "%ld epochs, %ld steps in %ld.%ld s: loss %s -> %s", r->epochs, r->steps, (long)r->seconds,
                  (long)(r->seconds * 10) % 10, loss_text(r->loss_first, first), loss_text(r->loss_last, last));
    if (!isnan(r->accuracy_train)) add_accuracy(&b, r->accuracy_train);
    add_score(&b, ", validation", r->loss_validation, r->accuracy_validation);
    add_score(&b, ", test", r->loss_test, r->accuracy_test);
    rh_buf_printf(&b, "\nrun directory: %s", r->directory);
    if (!b.bad) rh_cli_note(t->cli, "%s", b.s);
    rh_buf_free(&b);
}

/* The command that goes on, ready to be pasted: quoted for the shell where needed. Shown with -q as well. */
static void tell_resume(const rh_training *t) {
    const char *const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:@%,";
    const char *const path = t->result.directory;
    const bool quote = path[strspn(path, safe)] != '\0';
    fprintf(stderr,
            "%s: a checkpoint is written, and trained.cir and result.npz of this moment. Go on with\n  rheo resume ",
            t->err.msg);
    if (quote) fputc('\'', stderr);
    for (const char *p = path; *p; p++) quote &&*p == '\'' ? fputs("'\\''", stderr) : fputc(*p, stderr);
    fputs(quote ? "'\n" : "\n", stderr);
}

rheo_status rh_training_close(rh_training *t, rheo_status st) {
    rh_bar_destroy(t->bar);
    const bool complete = st == RHEO_OK || st == RHEO_E_GOAL;
    if (complete && !t->cli->json) done_line(t);
    if (st == RHEO_E_INTERRUPTED) {
        if (t->cli->json) done_json(t, "interrupted");
        tell_resume(t);
        return st;
    }
    if (complete && t->cli->json) done_json(t, "done");
    return rh_cli_failed(t->cli, st, &t->err);
}
