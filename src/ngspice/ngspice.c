/* ngspice.c: a resident deck, what of it has changed, and a second try when the worker dies. */
#include "ngspice/ngspice.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { MAX_LOST = 16, MAX_KEPT = 64 }; /* losses not told yet; decks that one handle leaves behind */
enum { MAX_KILLED = 6 };               /* times, for one point */

/* A worker that was lost, and where its deck is ("": not kept). */
typedef struct rh_lost {
    rh_said said;
    char deck[32];
} rh_lost;

struct rh_ngspice {
    const rheo_circuit *c;
    char *path;
    rh_worker w;
    bool loaded, linear;
    rh_port *port;
    int n_port, cap_port;
    int n_vector;
    double *sent; /* [n_elem + 2 n_port] values in the worker's deck; NaN: not sent yet */
    rh_ng_value *change;
    int cap_sent, cap_change;
    long starts, points; /* starts of a worker; points that the present one has found */
    rh_lost lost[MAX_LOST];
    int n_lost, n_untold, n_kept;
};

static void note(rh_ngspice *s, rh_said said, const char *deck) {
    if (s->n_lost < MAX_LOST) {
        rh_lost *const lost = &s->lost[s->n_lost++];
        lost->said = said;
        snprintf(lost->deck, sizeof lost->deck, "%s", deck);
    } else {
        s->n_untold++;
    }
}

/* A worker may be lost while it starts, too. */
static rheo_status start(rh_ngspice *s, rheo_error *err) {
    s->loaded = false;
    s->points = 0;
    for (int fault = 0, killed = 0;;) {
        rheo_error why = { 0 };
        const rheo_status st = rh_worker_start(&s->w, s->path, &why);
        const bool lost = st == RHEO_E_IO && why.code == 421;
        if (lost && (s->w.signal == SIGKILL ? ++killed <= MAX_KILLED : ++fault <= 1)) {
            note(s, RH_SAID_DIED, "");
            continue;
        }
        if (st != RHEO_OK && err && err->status == RHEO_OK) *err = why;
        return st;
    }
}

rheo_status rh_ngspice_open(rh_ngspice **out, const rheo_circuit *c, const char *worker, rheo_error *err) {
    rh_ngspice *const s = rh_calloc(1, sizeof *s);
    if (!s) return RH_NOMEM(err);
    s->c = c;
    s->linear = rh_circuit_is_linear(c);
    s->path = worker ? rh_strdup(worker) : NULL;
    rheo_status st = worker && !s->path ? RH_NOMEM(err) : start(s, err);
    if (st != RHEO_OK) {
        rh_ngspice_close(s);
        return st;
    }
    s->starts = 1;
    *out = s;
    return RHEO_OK;
}

void rh_ngspice_close(rh_ngspice *s) {
    if (!s) return;
    rh_worker_free(&s->w);
    rh_free(s->path);
    rh_free(s->port);
    rh_free(s->sent);
    rh_free(s->change);
    rh_free(s);
}

const rh_worker *rh_ngspice_worker(const rh_ngspice *s) { return &s->w; }
long rh_ngspice_restarts(const rh_ngspice *s) { return s->starts - 1; }

static int find_port(rh_ngspice *s, int a, int b, bool pulls) {
    for (int p = 0; p < s->n_port; p++)
        if (s->port[p].node[0] == a && s->port[p].node[1] == b && s->port[p].pulls == pulls) return p;
    if (!rh_grow(&s->port, &s->cap_port, s->n_port + 1, sizeof *s->port)) return -1;
    s->port[s->n_port] = (rh_port){ .node = { a, b }, .pulls = pulls, .ohm = RH_NGSPICE_OPEN };
    s->loaded = false; /* printed again before the next operating point */
    return s->n_port++;
}

int rh_ngspice_port(rh_ngspice *s, int a, int b) { return find_port(s, a, b, false); }
int rh_ngspice_pull_port(rh_ngspice *s, int a, int b) { return find_port(s, a, b, true); }
void rh_ngspice_inject(rh_ngspice *s, int port, double amp) { s->port[port].amp = amp; }
void rh_ngspice_pull(rh_ngspice *s, int port, double volt, double ohm) {
    s->port[port].volt = volt;
    s->port[port].ohm = ohm;
}

/* Time for one request: far above what ngspice needs, which grows faster than the circuit. 2000 nodes with a diode each
 * take it half a minute. */
static double patience(const rh_ngspice *s) { return (s->linear ? 60 : 300) + 2e-3 * s->c->n_elem; }

/* ---- what the worker is told ---- */

static void add_vectors(rh_ngspice *s, rh_buf *b) {
    const rheo_circuit *const c = s->c;
    s->n_vector = 0;
    for (int k = 1; k < c->n_node; k++, s->n_vector++) rh_buf_printf(b, "n%d\n", k);
    for (int e = 0; e < c->n_elem; e++) {
        if (!(RH_KINDS[c->kind[e]]->flags & RH_BRANCH)) continue;
        rh_buf_printf(b, "%c%d#branch\n", rh_ngspice_letter(c, e), e + 1);
        s->n_vector++;
    }
}

/* The deck holds the circuit's own values, whatever the present ones are, and all present ones are altered in: what
 * ngspice computes then does not depend on when it was started. */
static rh_said load(rh_ngspice *s) {
    const int n = s->c->n_elem + 2 * s->n_port;
    if (!rh_grow(&s->sent, &s->cap_sent, n, sizeof *s->sent) ||
        !rh_grow(&s->change, &s->cap_change, n, sizeof *s->change))
        return RH_SAID_NOMEM;
    for (int k = 0; k < n; k++) s->sent[k] = NAN;
    rh_buf deck = { 0 }, names = { 0 };
    rh_ngspice_deck(&deck, s->c, NULL, NULL, s->port, s->n_port);
    add_vectors(s, &names);
    rh_said said = deck.bad || names.bad ? RH_SAID_NOMEM : RH_SAID_OK;
    if (said == RH_SAID_OK) said = rh_worker_call(&s->w, RH_NG_LOAD, deck.s, deck.n, patience(s));
    if (said == RH_SAID_OK) said = rh_worker_call(&s->w, RH_NG_VECTORS, names.s, names.n, patience(s));
    rh_buf_free(&deck);
    rh_buf_free(&names);
    s->loaded = said == RH_SAID_OK;
    return said;
}

/* k: place in sent; number: that of the element in the deck. */
static int note_change(rh_ngspice *s, int n, int k, int number, char letter, double value) {
    if (s->sent[k] == value) return n;
    s->sent[k] = value;
    s->change[n] = (rh_ng_value){ (uint32_t)letter, (uint32_t)number, value };
    return n + 1;
}

static int note_port(rh_ngspice *s, int n, int p) {
    const rh_port *const port = &s->port[p];
    const int k = s->c->n_elem + p, number = k + 1;
    if (!port->pulls) return note_change(s, n, k, number, 'i', port->amp);
    n = note_change(s, n, k, number, 'v', port->volt);
    return note_change(s, n, k + s->n_port, number, 'r', port->ohm);
}

/* Operating point; what has changed since the last one goes along. */
static rh_said point(rh_ngspice *s, const double *g, const double *source) {
    const rheo_circuit *const c = s->c;
    int n = 0;
    for (int e = 0; e < c->n_elem; e++) {
        const char letter = rh_ngspice_letter(c, e);
        const int held = c->held_edge[e], edge = c->elem_edge[e];
        if (held >= 0) {
            n = note_change(s, n, e, e + 1, letter, g[held]);
            continue;
        }
        if (edge >= 0 && c->edge_source[edge] < 0) n = note_change(s, n, e, e + 1, letter, 1 / g[c->elem_edge[e]]);
        if (RH_KINDS[c->kind[e]]->flags & RH_SOURCE) n = note_change(s, n, e, e + 1, letter, source ? source[e] : 0);
    }
    for (int p = 0; p < s->n_port; p++) n = note_port(s, n, p);
    return rh_worker_call(&s->w, RH_NG_OP, s->change, sizeof *s->change * (size_t)n, patience(s));
}

static rh_said attempt(rh_ngspice *s, const double *g, const double *source) {
    if (!s->w.pid) {
        s->starts++;
        if (start(s, NULL) != RHEO_OK) return RH_SAID_DIED;
    }
    rh_said said = s->loaded ? RH_SAID_OK : load(s);
    if (said == RH_SAID_OK) said = point(s, g, source);
    if (said == RH_SAID_OK && s->w.n != sizeof(double) * (size_t)s->n_vector) {
        rh_worker_stop(&s->w);
        said = RH_SAID_DIED;
    }
    s->points += said == RH_SAID_OK;
    return said;
}

/* ---- what comes back ---- */

/* The deck as it was meant, for whoever wants to know why. Where it went, or "" when it could not be written. */
static void keep_deck(rh_ngspice *s, const double *g, const double *source, char path[32]) {
    path[0] = '\0';
    if (s->n_kept == MAX_KEPT) return;
    rh_buf b = { 0 };
    rh_ngspice_deck(&b, s->c, g, source, s->port, s->n_port);
    snprintf(path, 32, "/tmp/rheo-deck-XXXXXX.cir");
    const int fd = b.bad ? -1 : mkstemps(path, 4);
    const bool kept = fd >= 0 && write(fd, b.s, b.n) == (ssize_t)b.n;
    if (fd >= 0) close(fd);
    if (fd >= 0 && !kept) unlink(path);
    if (!kept) path[0] = '\0';
    s->n_kept += kept;
    rh_buf_free(&b);
}

static const char *words(rh_said said) {
    return said == RH_SAID_LATE ? "did not answer in time" : said == RH_SAID_NO ? "refused the circuit" : "crashed";
}

void rh_ngspice_tell(rh_ngspice *s, const rheo_log *log) {
    for (int k = 0; k < s->n_lost; k++) {
        const rh_lost *const lost = &s->lost[k];
        rh_warn(log, 325, RH_NOWHERE, "ngspice %s and was started again, which changes no number; %s%s",
                words(lost->said), lost->deck[0] ? "the deck is kept in " : "its deck is not kept", lost->deck);
    }
    if (s->n_untold)
        rh_warn(log, 325, RH_NOWHERE, "ngspice was started again %d more times; those decks are not kept", s->n_untold);
    s->n_lost = s->n_untold = 0;
}

static rheo_status give_up(rh_ngspice *s, rh_said said, const double *g, const double *source, rheo_error *err) {
    if (said == RH_SAID_NOMEM) return RH_NOMEM(err);
    char path[32], text[160];
    rheo_status st;
    keep_deck(s, g, source, path);
    if (said == RH_SAID_NO)
        st = rh_fail(err, RHEO_E_SINGULAR, 320, RH_NOWHERE, "ngspice finds no operating point: %s",
                     rh_escape(s->w.text, s->w.n, text, sizeof text));
    else
        st = rh_fail(err, RHEO_E_NOCONV, 321, RH_NOWHERE, "ngspice %s, again and again", words(said));
    if (path[0]) rh_hint(err, "the deck is kept in %s", path);
    return st;
}

/* Currents of R, G and I follow from the potentials; those of V and E are what ngspice found. */
static void currents(const rheo_circuit *c, const double *g, const double *source, const double *branch,
                     const double *v, double *i) {
    for (int e = 0; e < c->n_elem; e++)
        if (RH_KINDS[c->kind[e]]->flags & RH_BRANCH) i[e] = *branch++;
    for (int e = 0; e < c->n_elem; e++) {
        const int *const t = c->term[e];
        if (RH_KINDS[c->kind[e]]->flags & RH_BRANCH) continue;
        if (RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) {
            rh_flow flow;
            rh_elem_flow(c, e, v, &flow);
            i[e] = flow.i[0];
            continue;
        }
        const int k = c->elem_edge[e];
        const double value = (RH_KINDS[c->kind[e]]->flags & RH_SOURCE) ? (source ? source[e] : 0) : c->value[e];
        const rh_law law = RH_KINDS[c->kind[e]]->law(value, k >= 0 ? g[k] : 1 / c->value[e]);
        i[e] = law.conductance * (v[t[0]] - v[t[1]]) + law.current;
        const int ctrl = c->elem_ctrl[e];
        if (law.trans != 0) i[e] += law.trans * (ctrl >= 0 ? i[ctrl] : v[t[2]] - v[t[3]]);
    }
}

static rheo_status check(const rheo_circuit *c, const double *g, const double *source, rheo_error *err) {
    for (int k = 0; k < c->n_edge; k++) {
        if (c->edge_source[k] >= 0 && !isfinite(g[k]))
            return rh_fail(err, RHEO_E_RANGE, 306, rh_elem_loc(c, c->edge_elem[k]),
                           "the gate voltage of %s is not finite", c->elem_name[c->edge_elem[k]]);
        if (c->edge_source[k] < 0 && !(g[k] > 0 && isfinite(g[k]) && isfinite(1 / g[k])))
            return rh_fail(err, RHEO_E_RANGE, 305, rh_elem_loc(c, c->edge_elem[k]),
                           "the conductance of %s is %g S: must be finite and above 0", c->elem_name[c->edge_elem[k]],
                           g[k]);
    }
    for (int e = 0; source && e < c->n_elem; e++)
        if ((RH_KINDS[c->kind[e]]->flags & RH_SOURCE) && !isfinite(source[e]))
            return rh_fail(err, RHEO_E_RANGE, 306, rh_elem_loc(c, e), "the value of %s is not finite", c->elem_name[e]);
    return RHEO_OK;
}

/* One retry for what may be the fault of ngspice: a crash, a late answer, a refusal by a worker that has done other
 * work. A fresh one's refusal is an answer. Who kills workers from outside may do so a few times for the same point. */
static bool may_retry(const rh_ngspice *s, rh_said said, int *fault, int *killed) {
    if (said == RH_SAID_DIED && s->w.signal == SIGKILL) return ++*killed <= MAX_KILLED;
    if (said == RH_SAID_NOMEM || (said == RH_SAID_NO && s->points == 0)) return false;
    return ++*fault <= 1;
}

rheo_status rh_ngspice_solve(rh_ngspice *s, const double *g, const double *source, double *v, double *i,
                             rheo_error *err) {
    const rheo_circuit *const c = s->c;
    RHEO_TRY(check(c, g, source, err));
    rh_said said = attempt(s, g, source);
    for (int fault = 0, killed = 0; said != RH_SAID_OK && may_retry(s, said, &fault, &killed);) {
        char deck[32];
        keep_deck(s, g, source, deck);
        note(s, said, deck);
        said = attempt(s, g, source);
    }
    if (said != RH_SAID_OK) return give_up(s, said, g, source, err);
    const double *const value = (const double *)(const void *)s->w.text;
    for (int k = 0; k < s->n_vector; k++)
        if (!isfinite(value[k])) return give_up(s, RH_SAID_NO, g, source, err);
    v[0] = 0;
    memcpy(v + 1, value, sizeof *v * (size_t)(c->n_node - 1));
    if (i) currents(c, g, source, value + c->n_node - 1, v, i);
    return RHEO_OK;
}

rheo_status rh_ngspice_try(const char *worker, rheo_error *err) {
    rh_worker w = { 0 };
    const rheo_status st = rh_worker_start(&w, worker, err);
    rh_worker_free(&w);
    return st;
}

void rh_ngspice_describe(const char *worker, char *buf, size_t size) {
    rh_worker w = { 0 };
    rheo_error err = { 0 };
    if (rh_worker_start(&w, worker, &err) != RHEO_OK) {
        snprintf(buf, size,
                 "not available: no rheo-ngworker that starts (`rheo explain E%03d`); solve, train and compare do "
                 "without, export needs none",
                 err.code);
        return;
    }
    const uint32_t layers = w.info.layers;
    int n = snprintf(buf, size, "%s, confined by%s%s%s", w.version, layers & RH_NG_LIMITS ? " limits," : "",
                     layers & RH_NG_NO_PRIVS ? " no new privileges," : "", layers & RH_NG_SECCOMP ? " seccomp" : "");
    if (n > 0 && (size_t)n < size && layers & RH_NG_LANDLOCK)
        snprintf(buf + n, size - (size_t)n, ", Landlock %u", w.info.landlock_abi);
    else if (n > 0 && (size_t)n < size)
        snprintf(buf + n, size - (size_t)n, "; this kernel has no Landlock");
    rh_worker_free(&w);
}
