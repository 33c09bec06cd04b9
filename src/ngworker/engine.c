/* engine.c: ngspice as a calculator of operating points. Its state is that of the process, hence the variables here. */
#include "ngworker/engine.h"

#include <ngspice/sharedspice.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char reason[RH_NG_MAX_TEXT], version[64];
static char **names;       /* [n_name] of the vectors asked for */
static double *values;     /* [n_name] of the last operating point */
static unsigned char *got; /* [n_name] */
static size_t n_name;
static int *place; /* [n_place] vector of ngspice: index into names, or -1 */
static int n_place;
static bool dead, loaded;
static pid_t parent;
static rh_ng_samples samples;
static double *sample; /* [n_source][n_slot] */
static struct {
    rh_ng_tran def;
    bool (*emit)(const double *row, size_t n); /* NULL: no transient is going on */
    uint64_t n_row;                            /* so far */
    double *last, *now, *row;                  /* [1 + n_name]: time and vectors at the last two points, and between */
    int place_of_time;
    bool any, bad;
} course;

/* ---- what ngspice calls ---- */

/* Keeps the end of the talk: there the cause is. */
static void remember(const char *text) {
    const size_t n = strlen(text), used = strlen(reason);
    if (n + 2 > sizeof reason) return;
    if (used + n + 2 > sizeof reason)
        memmove(reason, reason + (used + n + 2 - sizeof reason), sizeof reason - n - 2 + 1);
    strcat(reason, text);
    strcat(reason, "\n");
}

static int on_text(char *text, int id, void *user) {
    (void)id, (void)user;
    const char *const found = strstr(text, "ngspice-");
    if (found && !version[0]) snprintf(version, sizeof version, "%.*s", (int)strcspn(found + 8, " \n\t"), found + 8);
    if (strncmp(text, "stderr ", 7) == 0) remember(text + 7);
    return 0;
}

static int on_status(char *text, int id, void *user) {
    (void)text, (void)id, (void)user;
    return 0;
}

static int on_leave(int status, NG_BOOL unload, NG_BOOL quit, int id, void *user) {
    (void)status, (void)unload, (void)quit, (void)id, (void)user;
    dead = true;
    return 0;
}

static int find(const char *name) {
    for (size_t i = 0; i < n_name; i++)
        if (strcmp(names[i], name) == 0) return (int)i;
    return -1;
}

/* The order of vectors is that of the circuit: it is looked up once per deck, near the place where it was expected. */
static bool map(const vecvaluesall *all) {
    int *const grown = realloc(place, sizeof *place * (size_t)(all->veccount + 1));
    if (!grown) return false;
    place = grown;
    n_place = all->veccount;
    course.place_of_time = -1;
    for (int k = 0; k < n_place; k++) {
        place[k] = find(all->vecsa[k]->name);
        if (strcmp(all->vecsa[k]->name, "time") == 0) course.place_of_time = k;
    }
    return true;
}

/* A point in time: all rows that lie before it are handed out. */
static int on_point(pvecvaluesall all) {
    double *const earlier = course.last;
    if (course.place_of_time < 0 || course.bad) return 1;
    if (getppid() != parent) _exit(0); /* nobody waits for the rest */
    course.last = course.now;
    course.now = earlier;
    course.now[0] = all->vecsa[course.place_of_time]->creal;
    for (int k = 0; k < n_place; k++)
        if (place[k] >= 0) course.now[1 + place[k]] = all->vecsa[k]->creal;
    for (; course.any && course.n_row < course.def.n_row; course.n_row++) {
        const double t = (double)(course.n_row + 1) * course.def.period, span = course.now[0] - course.last[0];
        if (course.now[0] < t * (1 - 1e-13)) break;
        const double x = span > 0 ? (t - course.last[0]) / span : 1;
        for (size_t i = 0; i <= n_name; i++) {
            course.row[i] = course.last[i] + (x > 1 ? 1 : x) * (course.now[i] - course.last[i]);
            course.bad = course.bad || !isfinite(course.row[i]);
        }
        course.row[0] = t;
        course.bad = course.bad || !course.emit(course.row, n_name + 1);
    }
    course.any = true;
    return 0;
}

static int on_data(pvecvaluesall all, int n, int id, void *user) {
    (void)n, (void)id, (void)user;
    if (n_place != all->veccount && !map(all)) return 1;
    if (course.emit) return on_point(all);
    for (int k = 0; k < n_place; k++) {
        if (place[k] < 0 || all->vecsa[k]->is_complex) continue;
        values[place[k]] = all->vecsa[k]->creal;
        got[place[k]] = 1;
    }
    return 0;
}

static int on_begin(pvecinfoall all, int id, void *user) {
    (void)all, (void)id, (void)user;
    return 0;
}

static int on_thread(NG_BOOL idle, int id, void *user) {
    (void)idle, (void)id, (void)user;
    return 0;
}

/* Value of "vext12" at time t. */
static int on_source(double *value, double t, char *name, int id, void *user) {
    (void)id, (void)user;
    const char *const digits = name ? name + strcspn(name, "0123456789") : "";
    const unsigned long k = strtoul(digits, NULL, 10);
    *value = 0;
    if (k < 1 || k > samples.n_source || !(t >= 0)) return 0;
    const double *const x = sample + (k - 1) * samples.n_slot;
    const double at = t / samples.period;
    const uint64_t slot = at < (double)samples.n_slot ? (uint64_t)at : samples.n_slot - 1;
    const double before = x[slot > 0 ? slot - 1 : 0], here = t - (double)slot * samples.period - samples.from;
    *value = here <= 0 ? before : here >= samples.move ? x[slot] : before + (x[slot] - before) * (here / samples.move);
    return 0;
}

/* ---- what the worker calls ---- */

/* ngspice may write into its argument, and its return value says little. */
static bool command(const char *text) {
    char line[128];
    snprintf(line, sizeof line, "%s", text);
    return ngSpice_Command(line) == 0 && !dead;
}

bool rh_engine_open(void) {
    parent = getppid();
    if (ngSpice_Init(on_text, on_status, on_leave, on_data, on_begin, on_thread, NULL) != 0 || dead) return false;
    if (ngSpice_Init_Sync(on_source, on_source, NULL, NULL, NULL) != 0 || dead) return false;
    const bool ok = command("set history=1") && command("version -s");
    reason[0] = '\0';
    return ok;
}

const char *rh_engine_version(void) { return version; }
const char *rh_engine_reason(void) { return reason; }

/* Lines of text, the newline of each replaced by an end; a NULL at the end. */
static char **split(char *text, size_t *n_line) {
    size_t n = 0;
    for (const char *p = text; *p; p++) n += *p == '\n';
    char **const line = calloc(n + 2, sizeof *line);
    if (!line) return NULL;
    for (size_t i = 0; i < n; i++) {
        line[i] = text;
        text = strchr(text, '\n');
        *text++ = '\0';
    }
    *n_line = n;
    return line;
}

bool rh_engine_destroy(void) {
    const bool ok = command("destroy all") && (!loaded || command("remcirc"));
    loaded = false;
    n_place = 0;
    return ok;
}

bool rh_engine_load(char *text) {
    size_t n;
    if (loaded && !rh_engine_destroy()) return false;
    reason[0] = '\0';
    char **const line = split(text, &n);
    if (!line) return false;
    n_place = 0;
    loaded = ngSpice_Circ(line) == 0 && !dead;
    free(line);
    return loaded;
}

bool rh_engine_vectors(char *text) {
    char *const kept = strdup(text);
    free(names);
    names = kept ? split(kept, &n_name) : NULL;
    if (!names) return false;
    free(values);
    free(got);
    values = calloc(n_name + 1, sizeof *values);
    got = calloc(n_name + 1, 1);
    n_place = 0;
    return values && got;
}

/* ---- operating points ---- */

/* Commands given one by one cost some 240 bytes each, never to be freed: ngspice keeps them, for a `goto` that might
 * come. A script frees what it has kept when it ends, and is read faster than its lines one by one. So an operating
 * point is one script. Without blanks: every word costs time. */
enum { LINE = 64 };
static char (*script)[LINE], **script_line;
static size_t n_script;

static bool make_script(size_t n) {
    if (n <= n_script) return true;
    char(*const text)[LINE] = realloc(script, n * sizeof *text);
    if (text) script = text;
    char **const line = realloc(script_line, n * sizeof *line);
    if (line) script_line = line;
    if (!text || !line) return false;
    n_script = n;
    for (size_t i = 0; i < n; i++) script_line[i] = script[i];
    return true;
}

/* 17 digits and an exponent, by the 64 bits of a long double: a third of the time of printf, and an operating point is
 * mostly numbers. What ngspice makes of the digits is no better. Needs 24 bytes; returns the end. */
static char *write_number(char *p, double x) {
    static const long double TEN[] = { 1e0L,  1e1L,  1e2L,  1e3L,  1e4L,  1e5L,  1e6L,  1e7L,  1e8L,  1e9L,
                                       1e10L, 1e11L, 1e12L, 1e13L, 1e14L, 1e15L, 1e16L, 1e17L, 1e18L, 1e19L,
                                       1e20L, 1e21L, 1e22L, 1e23L, 1e24L, 1e25L, 1e26L, 1e27L }; /* exact */
    const double size = fabs(x);
    const int e = size >= 1e-10 && size < 1e16 ? 16 - (int)floor(log10(size)) : -1; /* power that makes 17 digits */
    if (e < 0) return p + sprintf(p, "%.17g", x);
    uint64_t digits = (uint64_t)((long double)size * TEN[e] + 0.5L);
    char text[20];
    int n = 0;
    for (; digits; digits /= 10) text[n++] = (char)('0' + digits % 10);
    if (x < 0) *p++ = '-';
    while (n > 0) *p++ = text[--n];
    return p + sprintf(p, "e-%d", e);
}

static bool write_script(const rh_ng_value *v, size_t n) {
    static const char *const LAST[] = { "op", "destroy all", ".endc", ".end" }; /* each analysis leaves a plot */
    enum { N_LAST = sizeof LAST / sizeof LAST[0] };
    if (!make_script(n + N_LAST + 3)) return false;
    strcpy(script[0], "*ng_script");
    strcpy(script[1], ".control");
    for (size_t i = 0; i < n; i++) {
        if (v[i].letter < 'a' || v[i].letter > 'z' || !isfinite(v[i].value)) return false;
        write_number(script[i + 2] + sprintf(script[i + 2], "alter %c%u=", (int)v[i].letter, v[i].number), v[i].value);
    }
    for (size_t i = 0; i < N_LAST; i++) strcpy(script[n + 2 + i], LAST[i]);
    return true;
}

static bool run_script(size_t n) {
    char *const behind = script_line[n];
    script_line[n] = NULL;
    const bool ok = ngSpice_Circ(script_line) == 0 && !dead;
    script_line[n] = behind;
    return ok;
}

bool rh_engine_op(const rh_ng_value *change, size_t n_change, const double **value, size_t *n) {
    if (!loaded || n_name == 0) {
        remember("no circuit was loaded");
        return false;
    }
    memset(got, 0, n_name);
    reason[0] = '\0';
    bool ok = write_script(change, n_change) && run_script(n_change + 6);
    for (size_t i = 0; ok && i < n_name; i++) ok = got[i] && isfinite(values[i]);
    *value = values;
    *n = n_name;
    return ok;
}

bool rh_engine_samples(const rh_ng_samples *head, const double *x) {
    const size_t n = (size_t)(head->n_source * head->n_slot);
    double *const copy = malloc(sizeof *copy * (n + 1));
    if (!copy || !(head->period > 0) || head->n_slot < 1) return false;
    memcpy(copy, x, sizeof *copy * n);
    free(sample);
    sample = copy;
    samples = *head;
    return true;
}

bool rh_engine_tran(const rh_ng_tran *def, bool (*emit)(const double *row, size_t n)) {
    if (!loaded || n_name == 0 || !(def->period > 0)) {
        remember("no circuit was loaded");
        return false;
    }
    double *const room = calloc(3 * (n_name + 1), sizeof *room);
    if (!room) return false;
    course.def = *def;
    course.last = room;
    course.now = room + n_name + 1;
    course.row = course.now + n_name + 1;
    course.n_row = 0;
    course.any = course.bad = false;
    course.emit = emit;
    n_place = 0;
    reason[0] = '\0';
    const bool ran = command("run");
    course.emit = NULL;
    free(room);
    n_place = 0;
    return ran && !course.bad && course.n_row == def->n_row && command("destroy all");
}
