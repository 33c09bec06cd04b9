/* diagnose.c: what is wrong with a circuit by its shape alone, found by union-find before any number is computed.
 *
 * A fault is reported only where no values of the remaining elements could cure it. A voltage-controlled current
 * source conducts nothing by itself; but one that reaches into an island whose potential is sensed somewhere may hold
 * it (a gyrator does), so such islands are left to the matrix. */
#include "circuit/circuit.h"

#include <float.h>
#include <math.h>

enum { MAX_NAMED = 8 };
/* An island: a controlled current crosses its border; a controlling pair does. */
enum { DRIVEN = 1, SENSED = 2 };

typedef struct graph {
    const rheo_circuit *c;
    const double *g, *source;
    int *set;           /* [n_node] union-find of what conducts */
    double *sum, *size; /* [n_node] A into the island of that root: signed, and by magnitude */
    uint8_t *mark;      /* [n_node] of the root */
} graph;

/* The first few of a set, and how many there are. */
typedef struct picks {
    int n, at[MAX_NAMED];
} picks;

static void pick(picks *p, int i) {
    if (p->n < MAX_NAMED) p->at[p->n] = i;
    p->n++;
}

static int shown(const picks *p) { return p->n < MAX_NAMED ? p->n : MAX_NAMED; }

static int find(int *set, int i) {
    while (set[i] != i) {
        set[i] = set[set[i]];
        i = set[i];
    }
    return i;
}

/* false: they were joined before. The smaller index leads, so that ground leads its part. */
static bool unite(int *set, int a, int b) {
    a = find(set, a);
    b = find(set, b);
    if (a == b) return false;
    set[a > b ? a : b] = a > b ? b : a;
    return true;
}

static const rh_kind *kind_of(const rheo_circuit *c, int e) { return RH_KINDS[c->kind[e]]; }

static bool has(const rheo_circuit *c, int e, unsigned flag) { return (kind_of(c, e)->flags & flag) != 0; }

static rh_law law_of(const graph *d, int e) {
    const rheo_circuit *const c = d->c;
    const int k = c->elem_edge[e];
    if (has(c, e, RH_NONLINEAR)) return (rh_law){ .conductance = 1 };
    const double value = has(c, e, RH_SOURCE) ? d->source[e] : c->value[e];
    return kind_of(c, e)->law(value, k >= 0 ? d->g[k] : has(c, e, RH_LEARNABLE) ? 1 / c->value[e] : 0);
}

static bool conducts(const graph *d, int e) {
    if (has(d->c, e, RH_NONLINEAR)) return true;
    return has(d->c, e, RH_BRANCH) || (!has(d->c, e, RH_OPEN) && law_of(d, e).conductance != 0);
}

/* ---- texts ---- */

static void put_nodes(rh_buf *b, const rheo_circuit *c, const picks *p) {
    rh_buf_puts(b, p->n == 1 ? "node " : "nodes ");
    for (int i = 0; i < shown(p); i++) rh_buf_printf(b, "%s%s", i ? ", " : "", c->node_name[p->at[i]]);
    if (p->n > MAX_NAMED) rh_buf_printf(b, " and %d more", p->n - MAX_NAMED);
}

static const char *joint(const picks *p, int i) { return i == 0 ? "" : i == p->n - 1 ? " and " : ", "; }

static void put_elements(rh_buf *b, const rheo_circuit *c, const picks *p) {
    for (int i = 0; i < shown(p); i++) rh_buf_printf(b, "%s%s", joint(p, i), c->elem_name[p->at[i]]);
    if (p->n > MAX_NAMED) rh_buf_printf(b, " and %d more", p->n - MAX_NAMED);
}

static rheo_status fail_with(rh_buf *b, int code, rh_loc at, const char *hint, rheo_error *err) {
    const rheo_status st = b->bad ? RH_NOMEM(err) : rh_fail(err, RHEO_E_SINGULAR, code, at, "%s", b->s);
    if (!b->bad) rh_hint(err, "%s", hint);
    rh_buf_free(b);
    return st;
}

static rh_loc place_of(const rheo_circuit *c, const picks *p) { return p->n ? rh_elem_loc(c, p->at[0]) : RH_NOWHERE; }

/* ---- ground ---- */

static rheo_status check_ground(const rheo_circuit *c, rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++)
        for (int t = 0; t < 4; t++)
            if (c->term[e][t] == 0) return RHEO_OK;
    const rheo_status st =
        c->n_elem == 0
            ? rh_fail(err, RHEO_E_SINGULAR, 201, RH_NOWHERE, "the circuit has no elements")
            : rh_fail(err, RHEO_E_SINGULAR, 201, rh_elem_loc(c, 0), "no element is connected to ground (node 0)");
    char shown[60];
    int e = 0;
    while (e < c->n_elem && c->kind[e] != RH_KIND_V) e++;
    if (e < c->n_elem) {
        const char *const minus = c->node_name[c->term[e][1]];
        rh_hint(err, "write 0 for the node that potentials count from, such as %s, where %.60s has its minus",
                rh_escape(minus, strlen(minus), shown, sizeof shown), c->elem_name[e]);
    } else {
        rh_hint(err, "write 0 for the node that potentials count from");
    }
    return st;
}

/* ---- islands ---- */

static void survey_element(graph *d, int e) {
    const rheo_circuit *const c = d->c;
    const int *const t = c->term[e];
    const int a = find(d->set, t[0]), b = find(d->set, t[1]);
    if (has(c, e, RH_NONLINEAR)) return;
    if (has(c, e, RH_CONTROLLED)) {
        const int p = find(d->set, t[2]), q = find(d->set, t[3]);
        if (p != q) d->mark[p] |= SENSED, d->mark[q] |= SENSED;
    }
    if (a == b || has(c, e, RH_OPEN)) return;
    if (has(c, e, RH_CONTROLLED)) d->mark[a] |= DRIVEN, d->mark[b] |= DRIVEN;
    if (has(c, e, RH_BY_CURRENT)) d->mark[a] |= DRIVEN | SENSED, d->mark[b] |= DRIVEN | SENSED;
    const double amp = law_of(d, e).current;
    d->sum[a] -= amp;
    d->sum[b] += amp;
    d->size[a] += fabs(amp);
    d->size[b] += fabs(amp);
}

static void survey(graph *d) {
    const rheo_circuit *const c = d->c;
    for (int i = 0; i < c->n_node; i++) d->set[i] = i;
    for (int e = 0; e < c->n_elem; e++) {
        const rh_kind *const kind = kind_of(c, e);
        if (!conducts(d, e)) continue;
        unite(d->set, c->term[e][kind->path[0]], c->term[e][rh_kind_far(kind)]);
        for (int t = 1; t < kind->n_term && kind->flags & RH_JOINED; t++) unite(d->set, c->term[e][0], c->term[e][t]);
    }
    for (int e = 0; e < c->n_elem; e++) survey_element(d, e);
}

/* Is the island of this root certainly without a unique solution? */
static bool adrift(graph *d, int root) {
    return root != 0 && find(d->set, root) == root && d->mark[root] != (DRIVEN | SENSED);
}

/* Do its current sources leave something over, beyond rounding? NaN counts as something. */
static bool overfed(const graph *d, int root) {
    return !(d->mark[root] & DRIVEN) && !(fabs(d->sum[root]) <= 64 * DBL_EPSILON * d->size[root]);
}

static picks nodes_of(graph *d, int root) {
    picks p = { 0 };
    for (int i = 0; i < d->c->n_node; i++)
        if (find(d->set, i) == root) pick(&p, i);
    return p;
}

/* Elements across the border of an island, inside it, or only sensing it. */
typedef struct neighbours {
    picks across, inside, sensing;
} neighbours;

static neighbours elements_of(graph *d, int root) {
    neighbours n = { 0 };
    for (int e = 0; e < d->c->n_elem; e++) {
        const int *const t = d->c->term[e];
        const bool a = find(d->set, t[0]) == root;
        bool b = find(d->set, t[1]) == root; /* or any other that matters */
        for (int k = 2; has(d->c, e, RH_NONLINEAR) && k < kind_of(d->c, e)->n_term && a == b; k++)
            b = find(d->set, t[k]) == root;
        if (a != b)
            pick(&n.across, e);
        else if (a)
            pick(&n.inside, e);
        else if (has(d->c, e, RH_CONTROLLED) && (find(d->set, t[2]) == root || find(d->set, t[3]) == root))
            pick(&n.sensing, e);
    }
    return n;
}

static rheo_status fail_island(graph *d, int root, rheo_error *err) {
    const picks nodes = nodes_of(d, root);
    const neighbours n = elements_of(d, root);
    const picks *const named = n.across.n ? &n.across : n.inside.n ? &n.inside : &n.sensing;
    rh_buf b = { 0 };
    put_nodes(&b, d->c, &nodes);
    rh_buf_puts(&b, nodes.n == 1 ? " has" : " have");
    rh_buf_puts(&b, " no DC path to ground (");
    if (!named->n)
        rh_buf_puts(&b, "nothing is connected to it");
    else
        rh_buf_puts(&b, n.across.n ? "connected only through " : n.inside.n ? "joined only by " : "only sensed by ");
    put_elements(&b, d->c, named);
    rh_buf_puts(&b, ")");
    return fail_with(&b, 203, place_of(d->c, named), "a resistor or a voltage source must lead to node 0", err);
}

static rheo_status fail_cut_set(graph *d, int root, rheo_error *err) {
    const rheo_circuit *const c = d->c;
    const picks nodes = nodes_of(d, root);
    picks sources = { 0 };
    const neighbours n = elements_of(d, root);
    for (int i = 0; i < shown(&n.across); i++)
        if (!has(c, n.across.at[i], RH_OPEN | RH_NONLINEAR)) pick(&sources, n.across.at[i]);
    rh_buf b = { 0 };
    char text[40];
    rh_buf_puts(&b, sources.n == 1 ? "current source " : "current sources ");
    for (int i = 0; i < sources.n; i++) {
        const double amp = law_of(d, sources.at[i]).current;
        rh_buf_printf(&b, "%s%s (%s)", joint(&sources, i), c->elem_name[sources.at[i]],
                      rh_number_human(amp, "A", text, sizeof(text)));
    }
    rh_buf_puts(&b, sources.n == 1 ? " forms a cut set at " : " form a cut set at ");
    put_nodes(&b, c, &nodes);
    rh_buf_printf(&b, "; %s has nowhere to go", rh_number_human(fabs(d->sum[root]), "A", text, sizeof(text)));
    return fail_with(&b, 206, place_of(c, &sources), "give the current a way back, such as a resistor to ground", err);
}

static rheo_status check_islands(graph *d, rheo_error *err) {
    for (int i = 0; i < d->c->n_node; i++)
        if (adrift(d, i) && !overfed(d, i)) return fail_island(d, i, err);
    return RHEO_OK;
}

static rheo_status check_cut_sets(graph *d, rheo_error *err) {
    for (int i = 0; i < d->c->n_node; i++)
        if (adrift(d, i) && overfed(d, i)) return fail_cut_set(d, i, err);
    return RHEO_OK;
}

/* ---- loops of voltage sources ---- */

typedef struct loop {
    picks elem;     /* from the first node of the element that closes it, around to                        that element
                     * */
    double volt;    /* what is left over around it */
    double size;    /* V, sum of magnitudes */
    bool all_known; /* no controlled source in it */
} loop;

static void add_to_loop(const graph *d, loop *l, int e, double sign) {
    const double volt = law_of(d, e).rhs;
    pick(&l->elem, e);
    l->volt += sign * volt;
    l->size += fabs(volt);
    l->all_known = l->all_known && !has(d->c, e, RH_CONTROLLED | RH_BY_CURRENT);
}

/* Tree of the branch elements before e, searched breadth first from `from`; via[i]: the element that reached node i.
 * */
static void grow_tree(const rheo_circuit *c, int n_branch, int from, int *head, int *next, int *via, int *queue) {
    for (int i = 0; i < c->n_node; i++) head[i] = via[i] = -1;
    for (int e = 0; e < n_branch; e++) {
        if (!has(c, e, RH_BRANCH)) continue;
        for (int t = 0; t < 2; t++) {
            next[2 * e + t] = head[c->term[e][t]];
            head[c->term[e][t]] = 2 * e + t;
        }
    }
    int n = 0;
    queue[n++] = from;
    for (int q = 0; q < n; q++)
        for (int k = head[queue[q]]; k >= 0; k = next[k]) {
            const int e = k / 2, to = c->term[e][1 - k % 2];
            if (to == from || via[to] >= 0) continue;
            via[to] = e;
            queue[n++] = to;
        }
}

static loop trace(const graph *d, int closing, const int *via) {
    const rheo_circuit *const c = d->c;
    loop l = { .all_known = true };
    for (int at = c->term[closing][0]; at != c->term[closing][1];) {
        const int e = via[at];
        const bool forward = c->term[e][0] == at;
        add_to_loop(d, &l, e, forward ? 1 : -1);
        at = c->term[e][forward];
    }
    add_to_loop(d, &l, closing, -1);
    return l;
}

static rheo_status fail_loop(const graph *d, const loop *l, rheo_error *err) {
    const rheo_circuit *const c = d->c;
    rh_buf b = { 0 };
    char text[40];
    rh_buf_puts(&b, "voltage loop ");
    for (int i = 0; i < shown(&l->elem); i++) {
        const int e = l->elem.at[i];
        const bool gain = has(c, e, RH_CONTROLLED | RH_BY_CURRENT);
        rh_number_human(gain ? c->value[e] : law_of(d, e).rhs, gain ? "" : "V", text, sizeof(text));
        rh_buf_printf(&b, "%s%s (%s-%s, %s%s)", i ? " - " : "", c->elem_name[e], c->node_name[c->term[e][0]],
                      c->node_name[c->term[e][1]], gain ? "gain " : "", text);
    }
    if (l->elem.n > MAX_NAMED) rh_buf_printf(&b, " and %d more", l->elem.n - MAX_NAMED);
    if (!l->all_known)
        rh_buf_puts(&b, " has no unique current");
    else if (fabs(l->volt) <= 64 * DBL_EPSILON * l->size)
        rh_buf_puts(&b, " is inconsistent by 0 V, but any current may flow around it");
    else
        rh_buf_printf(&b, " is inconsistent by %s", rh_number_human(fabs(l->volt), "V", text, sizeof(text)));
    return fail_with(&b, 205, place_of(c, &l->elem), "take one of them out, or put a resistor into the loop", err);
}

static rheo_status fail_closing(const graph *d, int closing, rheo_error *err) {
    const rheo_circuit *const c = d->c;
    const size_t n = (size_t)c->n_node, m = 2 * (size_t)closing;
    int *const work = rh_calloc(3 * n + m, sizeof(int));
    if (!work) return RH_NOMEM(err);
    int *const head = work, *const via = head + n, *const queue = via + n, *const next = queue + n;
    grow_tree(c, closing, c->term[closing][1], head, next, via, queue);
    const loop l = trace(d, closing, via);
    rh_free(work);
    return fail_loop(d, &l, err);
}

static rheo_status check_loops(graph *d, int *set, rheo_error *err) {
    const rheo_circuit *const c = d->c;
    for (int i = 0; i < c->n_node; i++) set[i] = i;
    for (int e = 0; e < c->n_elem; e++)
        if (has(c, e, RH_BRANCH) && !unite(set, c->term[e][0], c->term[e][1])) return fail_closing(d, e, err);
    return RHEO_OK;
}

/* ---- all of it ---- */

static int *layout(graph *d, rh_arena *a) {
    d->set = RH_TAKE(a, int, d->c->n_node);
    d->sum = RH_TAKE(a, double, d->c->n_node);
    d->size = RH_TAKE(a, double, d->c->n_node);
    d->mark = RH_TAKE(a, uint8_t, d->c->n_node);
    return RH_TAKE(a, int, d->c->n_node);
}

rheo_status rh_diagnose(const rheo_circuit *c, const double *g, const double *source, rheo_error *err) {
    RHEO_TRY(check_ground(c, err));
    graph d = { .c = c, .g = g ? g : c->g_init, .source = source ? source : c->value };
    rh_arena a = { 0 };
    layout(&d, &a);
    a = (rh_arena){ .base = rh_alloc(a.used) };
    if (!a.base) return RH_NOMEM(err);
    int *const loop_set = layout(&d, &a);
    survey(&d);
    rheo_status st = check_islands(&d, err);
    if (st == RHEO_OK) st = check_loops(&d, loop_set, err);
    if (st == RHEO_OK) st = check_cut_sets(&d, err);
    rh_free(a.base);
    return st;
}
