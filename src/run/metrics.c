/* metrics.c: metrics.jsonl, one line per evaluated epoch. The file may be followed while it grows. */
#include "run/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

static rheo_status failed(rheo_error *err) {
    char text[128];
    return rh_fail(err, RHEO_E_IO, 402, RH_NOWHERE, "metrics.jsonl: %s", strerror_r(errno, text, sizeof text));
}

/* A file that is shorter than the checkpoint says was changed by somebody: what is left stays, and that is said. */
static int cut(int fd, int64_t bytes, const rheo_log *log) {
    struct stat info;
    if (fstat(fd, &info) != 0) return -1;
    if (info.st_size < bytes)
        rh_warn(log, 0, RH_NOWHERE, "metrics.jsonl is shorter than when the checkpoint was written: lines are missing");
    else if (ftruncate(fd, (off_t)bytes) != 0)
        return -1;
    return lseek(fd, 0, SEEK_END) < 0 ? -1 : 0;
}

rheo_status rh_metrics_open(const char *directory, int64_t bytes, int *fd, const rheo_log *log, rheo_error *err) {
    char *const path = rh_path_join(directory, "metrics.jsonl");
    if (!path) return RH_NOMEM(err);
    const int f = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    rh_free(path);
    if (f < 0) return failed(err);
    if (cut(f, bytes, log) != 0) {
        failed(err);
        close(f);
        return RHEO_E_IO;
    }
    *fd = f;
    return RHEO_OK;
}

static void add(rh_buf *b, const char *key, double x) {
    rh_buf_printf(b, ",\"%s\":", key);
    rh_buf_json_number(b, x);
}

/* "accuracy_class_test":[share of class 0, ...],"confusion_test":[[...], ...] for each set that there is. */
void rh_progress_classes(rh_buf *b, const rheo_progress *p) {
    static const char *const SETS[] = { "train", "validation", "test" };
    for (int s = 0; s < RH_COUNT(SETS); s++) {
        if (!p->confusion[s]) continue;
        const int n = p->n_class;
        rh_buf_printf(b, ",\"accuracy_class_%s\":[", SETS[s]);
        for (int i = 0; i < n; i++) {
            const int *const row = p->confusion[s] + (size_t)i * (size_t)n;
            double whole = 0;
            for (int j = 0; j < n; j++) whole += row[j];
            if (i) rh_buf_puts(b, ",");
            rh_buf_json_number(b, whole > 0 ? row[i] / whole : (double)NAN);
        }
        rh_buf_printf(b, "],\"confusion_%s\":[", SETS[s]);
        for (int i = 0; i < n * n; i++)
            rh_buf_printf(b, "%s%d%s", i % n ? "," : i ? ",[" : "[", p->confusion[s][i], i % n == n - 1 ? "]" : "");
        rh_buf_puts(b, "]");
    }
}

/* "newton":{"cold":{"points":1,"median":9,"most":9}, ...} where the network is not linear. */
void rh_newton_json(rh_buf *b, const rheo_newton newton[RHEO_N_NEWTON]) {
    static const char *const NAMES[] = { "cold", "free", "clamped" };
    bool any = false;
    for (int k = 0; k < RHEO_N_NEWTON; k++) {
        if (newton[k].n == 0) continue;
        rh_buf_printf(b, "%s\"%s\":{\"points\":%ld,\"median\":%d,\"most\":%d}", any ? "," : ",\"newton\":{", NAMES[k],
                      newton[k].n, newton[k].median, newton[k].most);
        any = true;
    }
    if (any) rh_buf_puts(b, "}");
}

static rheo_status put(int fd, const char *s, size_t n, rheo_error *err) {
    while (n > 0) {
        const ssize_t done = write(fd, s, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return failed(err);
        s += done;
        n -= (size_t)done;
    }
    return RHEO_OK;
}

rheo_status rh_metrics_add(int fd, const rheo_progress *p, const rh_gauge *gauge, int64_t *bytes, rheo_error *err) {
    rh_buf b = { 0 };
    rh_buf_printf(&b, "{\"epoch\":%ld,\"step\":%ld", p->epoch, p->step);
    add(&b, "loss_train", p->loss_train);
    add(&b, "loss_test", p->loss_test);
    add(&b, "accuracy_train", p->accuracy_train);
    add(&b, "accuracy_test", p->accuracy_test);
    add(&b, "loss_validation", p->loss_validation);
    add(&b, "accuracy_validation", p->accuracy_validation);
    rh_progress_classes(&b, p);
    add(&b, "loss_online", gauge->loss);
    add(&b, "cos_gradient", gauge->cos_gradient);
    add(&b, "norm_ratio", gauge->norm_ratio);
    add(&b, "cos_contrastive", gauge->cos_contrastive);
    add(&b, "inside", gauge->inside);
    add(&b, "below", gauge->below);
    add(&b, "above", gauge->above);
    add(&b, "refined", gauge->refined);
    add(&b, "tail", gauge->tail);
    rh_newton_json(&b, p->newton);
    add(&b, "seconds", p->seconds);
    rh_buf_puts(&b, "}\n");
    const rheo_status st = b.bad ? RH_NOMEM(err) : put(fd, b.s, b.n, err);
    if (st == RHEO_OK) *bytes += (int64_t)b.n;
    rh_buf_free(&b);
    return st;
}

rheo_status rh_metrics_sync(int fd, rheo_error *err) {
    /* EINVAL: a place that cannot be synchronised, such as a pipe. */
    return fsync(fd) == 0 || errno == EINVAL ? RHEO_OK : failed(err);
}
