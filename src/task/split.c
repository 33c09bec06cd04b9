/* split.c: which samples train, validate and test. By row ranges, or by shares or counts in an order that the seed
 * decides; samples of a test file are tested whatever the rest says. */
#include "task/task.h"

#include <math.h>

enum { TRAIN, VALIDATION, TEST, UNUSED };

static rheo_status wrong(rheo_error *err, const char *hint, const char *text) {
    rh_fail(err, RHEO_E_RANGE, RH_CODE_SPLIT, RH_NOWHERE, "%s", text);
    if (hint) rh_hint(err, "%s", hint);
    return RHEO_E_RANGE;
}

/* ---- row ranges ---- */

static rheo_status by_rows(const rh_task *t, const rh_csv_task_def *d, int n_pool, uint8_t *set, rheo_error *err) {
    static const char *const NAMES[] = { "train", "validation", "test" };
    char text[160];
    for (int i = 0; i < n_pool; i++) set[i] = UNUSED;
    for (int k = TRAIN; k <= TEST; k++) {
        const int from = d->rows[k][0], to = d->rows[k][1];
        if (from == 0 && to == 0) continue;
        if (from < 1 || to < from || to > t->n_sample) {
            snprintf(text, sizeof text, "rows %d to %d for '%s' are not within the %d rows that there are", from, to,
                     NAMES[k], t->n_sample);
            return wrong(err, "rows count from 1, both ends belong to the range", text);
        }
        for (int i = from - 1; i < to; i++) {
            if (i < n_pool ? set[i] != UNUSED : k != TEST) {
                snprintf(text, sizeof text, "row %d is asked for twice", i + 1);
                return wrong(err, NULL, text);
            }
            set[i] = (uint8_t)k;
        }
    }
    return RHEO_OK;
}

/* ---- shares and counts ---- */

/* How many of each class: a share of each, leaving at least one; or a count spread in proportion. */
static void quotas(const int *n, int n_class, double want, int *quota) {
    double whole = 0, seen = 0;
    for (int c = 0; c < n_class; c++) whole += n[c];
    for (int c = 0; c < n_class; c++) {
        if (want < 1) {
            const int share = (int)lround(want * n[c]);
            quota[c] = share < n[c] ? share : n[c] > 0 ? n[c] - 1 : 0;
        } else {
            const double before = floor(want * seen / whole + 0.5);
            seen += n[c];
            quota[c] = (int)(floor(want * seen / whole + 0.5) - before);
        }
    }
}

static int class_of(const rh_task *t, int i) { return t->label ? t->label[i] : 0; }

/* In shuffled order the first samples of each class are tested, then come those that validate, then those that train.
 */
static void by_shares(const rh_task *t, const rh_csv_task_def *d, int n_pool, const int *order, int *count, int *quota,
                      uint8_t *set) {
    const int n_class = t->n_class > 0 ? t->n_class : 1;
    const double want[] = { d->train, d->validation, d->test };
    memset(count, 0, (size_t)n_class * sizeof *count);
    for (int i = 0; i < n_pool; i++) count[class_of(t, i)]++;
    for (int k = TEST; k >= TRAIN; k--) {
        if (want[k] > 0) quotas(count, n_class, want[k], quota + k * n_class);
        if (k == TRAIN && want[k] <= 0) memcpy(quota, count, (size_t)n_class * sizeof *count);
    }
    for (int j = 0; j < n_pool; j++) {
        const int i = order[j], c = class_of(t, i);
        set[i] = UNUSED;
        for (int k = TEST; k >= TRAIN && set[i] == UNUSED; k--) {
            int *const left = &quota[k * n_class + c];
            if (*left > 0) set[i] = (uint8_t)k, --*left;
        }
    }
}

static rheo_status fill(rh_task *t, const uint8_t *set, rheo_error *err) {
    int **const list[] = { &t->train, &t->validation, &t->test };
    int *const n[] = { &t->n_train, &t->n_validation, &t->n_test };
    for (int k = TRAIN; k <= TEST; k++) {
        *list[k] = rh_calloc((size_t)t->n_sample, sizeof(int));
        if (!*list[k]) return RH_NOMEM(err);
    }
    for (int i = 0; i < t->n_sample; i++)
        if (set[i] != UNUSED) (*list[set[i]])[(*n[set[i]])++] = i;
    if (t->n_train > 0) return RHEO_OK;
    return wrong(err, "validation and test take them all", "no sample is left to train with");
}

rheo_status rh_task_split(rh_task *t, const rh_csv_task_def *d, int n_pool, rheo_error *err) {
    const int n_class = t->n_class > 0 ? t->n_class : 1;
    const bool ranges = d->rows[0][1] > 0 || d->rows[1][1] > 0 || d->rows[2][1] > 0;
    const double amount[] = { d->train, d->validation, d->test };
    double counted = 0, most = 0;
    for (int k = 0; k < 3; k++) {
        if (!(amount[k] >= 0) || (amount[k] > 0.9 && amount[k] < 1))
            return wrong(err, NULL, "a set is a share from 0 to 0.9, or a count of samples");
        counted += amount[k] >= 1;
        most += amount[k] >= 1 ? amount[k] : 0;
    }
    if (counted > 0 && !(most <= n_pool)) {
        char text[160];
        snprintf(text, sizeof text, "%.0f samples are asked for, but there are %d", most, n_pool);
        return wrong(err, NULL, text);
    }
    int *order = rh_calloc((size_t)n_pool, sizeof *order), *count = rh_calloc((size_t)n_class, sizeof *count);
    int *quota = rh_calloc(3 * (size_t)n_class, sizeof *quota);
    uint8_t *set = rh_calloc((size_t)t->n_sample, 1);
    rheo_status st = order && count && quota && set ? RHEO_OK : RH_NOMEM(err);
    if (st == RHEO_OK) {
        memset(set, TEST, (size_t)t->n_sample);
        rh_shuffle(d->seed, RH_STREAM_SPLIT, n_pool, order);
        if (ranges)
            st = by_rows(t, d, n_pool, set, err);
        else
            by_shares(t, d, n_pool, order, count, quota, set);
    }
    if (st == RHEO_OK) st = fill(t, set, err);
    rh_free(order);
    rh_free(count);
    rh_free(quota);
    rh_free(set);
    return st;
}
