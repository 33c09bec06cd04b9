/* experiment_port.c: names of inputs and outputs to sources and nodes. */
#include "circuit/circuit.h"
#include "run/experiment.h"

enum { MAX_NAME = 1000, MAX_CANDIDATE = 20000 };

/* The voltage sources of a circuit as a graph: which of them end at a node, and which nodes they tie together. */
typedef struct sources {
    const rheo_circuit *c;
    rh_report *r;
    int n;
    int *elem; /* [n] */
    int *head; /* [n_node] first end at the node, -1: none. End 2k is the first terminal of source k, 2k+1 its second */
    int *next; /* [2n] */
    int *degree;    /* [n_node] */
    int *parent;    /* [n_node] nodes tied together, disjoint sets */
    int *driven_by; /* [n_elem] input that drives the element, -1: none */
} sources;

static int find_set(int *parent, int node) {
    while (parent[node] != node) node = parent[node] = parent[parent[node]];
    return node;
}

static void free_sources(sources *s) {
    rh_free(s->elem);
    rh_free(s->head);
    rh_free(s->next);
    rh_free(s->degree);
    rh_free(s->parent);
    rh_free(s->driven_by);
}

static void add_end(sources *s, int end, int node) {
    s->next[end] = s->head[node];
    s->head[node] = end;
    s->degree[node]++;
}

static bool index_sources(sources *s) {
    const rheo_circuit *c = s->c;
    const size_t n_node = (size_t)c->n_node;
    for (int e = 0; e < c->n_elem; e++) s->n += c->kind[e] == RH_KIND_V;
    s->elem = rh_calloc((size_t)s->n, sizeof(int));
    s->next = rh_calloc((size_t)s->n, 2 * sizeof(int));
    s->head = rh_calloc(n_node, sizeof(int));
    s->degree = rh_calloc(n_node, sizeof(int));
    s->parent = rh_calloc(n_node, sizeof(int));
    s->driven_by = rh_calloc((size_t)c->n_elem, sizeof(int));
    if (!s->elem || !s->next || !s->head || !s->degree || !s->parent || !s->driven_by) return false;
    for (int i = 0; i < c->n_node; i++) s->head[i] = -1, s->parent[i] = i;
    for (int e = 0, k = 0; e < c->n_elem; e++) {
        s->driven_by[e] = -1;
        if (c->kind[e] != RH_KIND_V) continue;
        s->elem[k] = e;
        add_end(s, 2 * k, c->term[e][0]);
        add_end(s, 2 * k + 1, c->term[e][1]);
        s->parent[find_set(s->parent, c->term[e][0])] = find_set(s->parent, c->term[e][1]);
        k++;
    }
    return true;
}

/* Voltage sources between two nodes, up to two of them; the shorter of the two lists is searched. */
static int between(const sources *s, int a, int b, int found[2]) {
    const int from = s->degree[a] <= s->degree[b] ? a : b, to = from == a ? b : a;
    int n = 0;
    for (int end = s->head[from]; end >= 0 && n < 2; end = s->next[end]) {
        const int e = s->elem[end / 2];
        if (s->c->term[e][1 - end % 2] == to) found[n++] = e;
    }
    return n;
}

static int node_of(const rheo_circuit *c, const char *name, size_t n) {
    if ((n == 1 && *name == '0') || (n == 3 && rh_streq(name, "gnd"))) return 0;
    return rh_map_get(c->node_map, name, n);
}

/* ---- suggestions ---- */

typedef struct candidates {
    const sources *s;
    bool inputs; /* sources and the nodes they end at come first */
} candidates;

/* The i-th name worth suggesting, "" for one that is not. Bounded, so that a huge circuit costs no more. */
static const char *candidate(const void *ctx, int i) {
    const candidates *k = ctx;
    const rheo_circuit *c = k->s->c;
    if (i >= MAX_CANDIDATE) return NULL;
    if (k->inputs && i < c->n_node) return k->s->degree[i] > 0 && i > 0 ? c->node_name[i] : "";
    if (k->inputs) i -= c->n_node;
    if (k->inputs && i < c->n_elem) {
        const bool source = c->kind[i] == RH_KIND_V || c->kind[i] == RH_KIND_I;
        return source ? c->elem_name[i] : "";
    }
    if (k->inputs) i -= c->n_elem;
    return i < c->n_node ? c->node_name[i] : NULL;
}

static const char *near_name(const sources *s, const char *word, bool inputs, char *hint, size_t size) {
    const candidates k = { s, inputs };
    const char *near = rh_suggest(word, candidate, &k);
    if (near) snprintf(hint, size, "did you mean '%.80s'?", near);
    return near;
}

static rheo_status fault(const sources *s, int code, rh_loc at, const char *hint, const char *text) {
    return rh_report_error(s->r, RHEO_E_PARSE, code, at, hint, "%s", text);
}

/* ---- differences ---- */

/* Splits at each '-' with a node on both sides. Returns how many ways there are (up to 2); pair is the first. */
static int split(const rheo_circuit *c, const char *name, int pair[2]) {
    const size_t n = strlen(name);
    int ways = 0;
    for (size_t k = 1; k + 1 < n && n <= MAX_NAME && ways < 2; k++) {
        if (name[k] != '-') continue;
        const int a = node_of(c, name, k), b = node_of(c, name + k + 1, n - k - 1);
        if (a < 0 || b < 0) continue;
        if (ways == 0) pair[0] = a, pair[1] = b;
        ways++;
    }
    return ways;
}

static rheo_status ambiguous(const sources *s, const char *name, rh_loc at) {
    char text[256];
    snprintf(text, sizeof(text), "'%.80s' can be split at more than one '-' into two nodes", name);
    return fault(s, RH_CODE_AMBIGUOUS, at, "rename a node so that it contains no '-'", text);
}

/* One side of a difference is a node and the other is not: that other one is what is wrong. */
static bool blame_half(const sources *s, const char *name, rh_loc at, bool inputs) {
    const size_t n = strlen(name);
    for (size_t k = 1; k + 1 < n && n <= MAX_NAME; k++) {
        if (name[k] != '-') continue;
        const bool a = node_of(s->c, name, k) >= 0, b = node_of(s->c, name + k + 1, n - k - 1) >= 0;
        if (a == b) continue;
        char half[MAX_NAME + 1], hint[128] = "", text[256];
        snprintf(half, sizeof(half), "%.*s", (int)(a ? n - k - 1 : k), a ? name + k + 1 : name);
        near_name(s, half, inputs, hint, sizeof(hint));
        snprintf(text, sizeof(text), "the netlist has no node '%.80s', used in '%.80s'", half, name);
        fault(s, RH_CODE_PORT, at, hint[0] ? hint : NULL, text);
        return true;
    }
    return false;
}

/* ---- inputs ---- */

static rheo_status unknown_input(const sources *s, const char *name, rh_loc at) {
    char hint[160] = "", text[200];
    const rheo_circuit *c = s->c;
    const int e = rh_map_get(c->elem_map, name, strlen(name));
    if (e >= 0) {
        snprintf(text, sizeof(text), "input '%.80s' is a %s, not a voltage or current source", name,
                 RH_KINDS[c->kind[e]]->name);
        return fault(s, RH_CODE_PORT, at, "name a node that a source drives, or the source", text);
    }
    if (blame_half(s, name, at, true)) return RHEO_E_PARSE;
    if (!near_name(s, name, true, hint, sizeof(hint)))
        snprintf(hint, sizeof(hint), "the netlist needs a source for it: V%.40s %.40s 0 0", name, name);
    snprintf(text, sizeof(text), "input '%.80s' is neither a node nor a source of the netlist", name);
    return fault(s, RH_CODE_PORT, at, hint, text);
}

static rheo_status bad_drive(const sources *s, const char *name, const int pair[2], int n_found, const int found[2],
                             rh_loc at) {
    const rheo_circuit *c = s->c;
    const char *a = c->node_name[pair[0]], *b = c->node_name[pair[1]];
    char hint[200], text[256];
    if (n_found == 2) {
        const int low = found[0] < found[1] ? found[0] : found[1], high = found[0] + found[1] - low;
        snprintf(text, sizeof(text), "input '%.80s' is driven by two voltage sources, %.60s and %.60s", name,
                 c->elem_name[low], c->elem_name[high]);
        return fault(s, RH_CODE_DRIVE, at, "name the source instead of the node", text);
    }
    if (pair[1] == 0) {
        snprintf(text, sizeof(text), "no voltage source from ground drives node '%.80s'", a);
        snprintf(hint, sizeof(hint), "add a source to the netlist: V%.40s %.40s 0 0", a, a);
    } else {
        snprintf(text, sizeof(text), "no voltage source lies between nodes '%.60s' and '%.60s'", a, b);
        snprintf(hint, sizeof(hint), "add a source to the netlist: V%.30s%.30s %.30s %.30s 0", a, b, a, b);
    }
    return fault(s, RH_CODE_DRIVE, at, hint, text);
}

/* The one voltage source from pair[0] to pair[1]. */
static rheo_status drive(const sources *s, const char *name, const int pair[2], rh_loc at, int *elem, double *sign) {
    int found[2] = { -1, -1 };
    if (pair[0] == pair[1]) {
        char text[160];
        snprintf(text, sizeof(text), pair[0] == 0 ? "input '%.80s' is ground" : "input '%.80s' is a node minus itself",
                 name);
        return fault(s, RH_CODE_DRIVE, at, "it is always 0 V", text);
    }
    const int n = between(s, pair[0], pair[1], found);
    if (n != 1) return bad_drive(s, name, pair, n, found, at);
    *elem = found[0];
    *sign = s->c->term[found[0]][0] == pair[0] ? 1 : -1;
    return RHEO_OK;
}

static rheo_status input(const sources *s, const char *name, rh_loc at, int *elem, double *sign) {
    const rheo_circuit *c = s->c;
    const int node = node_of(c, name, strlen(name)), source = rh_map_get(c->elem_map, name, strlen(name));
    const bool is_source = source >= 0 && (c->kind[source] == RH_KIND_V || c->kind[source] == RH_KIND_I);
    int pair[2] = { node, 0 }, found[2];
    *sign = 1;
    *elem = source;
    if (node >= 0 && is_source && between(s, node, 0, found) > 0 && found[0] != source) {
        char text[200];
        snprintf(text, sizeof(text), "'%.80s' is a source and also a node that %.60s drives", name,
                 c->elem_name[found[0]]);
        return fault(s, RH_CODE_AMBIGUOUS, at, "rename one of them", text);
    }
    if (is_source) return RHEO_OK;
    if (node >= 0) return drive(s, name, pair, at, elem, sign);
    const int ways = split(c, name, pair);
    if (ways == 0) return unknown_input(s, name, at);
    return ways == 1 ? drive(s, name, pair, at, elem, sign) : ambiguous(s, name, at);
}

static rheo_status inputs(sources *s, rheo_experiment *x) {
    const rh_task *t = &x->task;
    for (int i = 0; i < t->n_in && !rh_report_full(s->r); i++) {
        int e = -1;
        x->in_elem[i] = -1;
        if (input(s, t->in_name[i], t->in_loc[i], &e, &x->in_sign[i]) != RHEO_OK) continue;
        x->in_elem[i] = e;
        const int before = s->driven_by[e];
        if (before < 0) {
            s->driven_by[e] = i;
            continue;
        }
        char text[256];
        snprintf(text, sizeof(text), "inputs '%.80s' and '%.80s' both set source %.60s", t->in_name[before],
                 t->in_name[i], s->c->elem_name[e]);
        fault(s, RH_CODE_TWICE, t->in_loc[i], NULL, text);
    }
    return RHEO_OK;
}

/* ---- outputs ---- */

static rheo_status unknown_output(const sources *s, const char *name, rh_loc at) {
    char hint[128] = "", text[200];
    if (rh_map_get(s->c->elem_map, name, strlen(name)) >= 0) {
        snprintf(text, sizeof(text), "output '%.80s' is an element, not a node", name);
        return fault(s, RH_CODE_PORT, at, "an output is the voltage of a node, or a-b between two nodes", text);
    }
    if (blame_half(s, name, at, false)) return RHEO_E_PARSE;
    near_name(s, name, false, hint, sizeof(hint));
    snprintf(text, sizeof(text), "the netlist has no node '%.80s' for this output", name);
    return fault(s, RH_CODE_PORT, at, hint[0] ? hint : NULL, text);
}

static rheo_status output(sources *s, const char *name, rh_loc at, int pair[2]) {
    const int node = node_of(s->c, name, strlen(name));
    pair[0] = node;
    pair[1] = 0;
    const int ways = node >= 0 ? 1 : split(s->c, name, pair);
    if (ways == 0) return unknown_output(s, name, at);
    if (ways > 1) return ambiguous(s, name, at);
    char text[200];
    if (pair[0] == pair[1]) {
        snprintf(text, sizeof(text), node == 0 ? "output '%.80s' is ground" : "output '%.80s' is a node minus itself",
                 name);
        return fault(s, RH_CODE_FIXED, at, "it is always 0 V", text);
    }
    if (find_set(s->parent, pair[0]) != find_set(s->parent, pair[1])) return RHEO_OK;
    snprintf(text, sizeof(text), "output '%.80s' is held by voltage sources alone", name);
    return fault(s, RH_CODE_FIXED, at, "no learning can move it: choose a node that resistors decide", text);
}

/* The same pair twice is a slip of the pen. Sorting would lose the order of messages; outputs by node are few. */
static bool named_before(const rheo_experiment *x, const int *last, const int *previous, int k) {
    for (int j = last[x->out[k][0]]; j >= 0; j = previous[j])
        if (x->out[j][1] == x->out[k][1]) return true;
    return false;
}

static rheo_status outputs(sources *s, rheo_experiment *x) {
    const rh_task *t = &x->task;
    int *last = rh_calloc((size_t)s->c->n_node, sizeof(int)), *previous = rh_calloc((size_t)t->n_out, sizeof(int));
    rheo_status st = last && previous ? RHEO_OK : RH_REPORT_NOMEM(s->r);
    for (int i = 0; st == RHEO_OK && i < s->c->n_node; i++) last[i] = -1;
    for (int k = 0; st == RHEO_OK && k < t->n_out && !rh_report_full(s->r); k++) {
        if (output(s, t->out_name[k], t->out_loc[k], x->out[k]) != RHEO_OK) continue;
        if (named_before(x, last, previous, k)) {
            char text[160];
            snprintf(text, sizeof(text), "output '%.80s' is listed twice", t->out_name[k]);
            fault(s, RH_CODE_TWICE, t->out_loc[k], NULL, text);
            continue;
        }
        previous[k] = last[x->out[k][0]];
        last[x->out[k][0]] = k;
    }
    rh_free(last);
    rh_free(previous);
    return st;
}

rheo_status rh_experiment_resolve(rheo_experiment *x, rh_report *r) {
    sources s = { .c = x->circuit, .r = r };
    const int before = r->n_error;
    x->in_elem = rh_calloc((size_t)x->task.n_in, sizeof(*x->in_elem));
    x->in_sign = rh_calloc((size_t)x->task.n_in, sizeof(*x->in_sign));
    x->out = rh_calloc((size_t)x->task.n_out, sizeof(*x->out));
    rheo_status st = x->in_elem && x->in_sign && x->out && index_sources(&s) ? RHEO_OK : RH_REPORT_NOMEM(r);
    if (st == RHEO_OK) st = inputs(&s, x);
    if (st == RHEO_OK) st = outputs(&s, x);
    free_sources(&s);
    return st == RHEO_OK && r->n_error > before ? RHEO_E_PARSE : st;
}
