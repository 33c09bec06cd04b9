/* diagnose.c: what a circuit's graph says before any number is computed, in linear time.
 *
 * Conducting at DC: R (but not of zero conductance) and the branches of V and E. C, I and G join nothing. */
#include "circuit/circuit.h"

#include <math.h>

enum { MOST_NAMES = 8 };

/* ---- union-find ---- */

static int find(int *up, int i) {
    while (up[i] != i) {
        up[i] = up[up[i]]; /* path halving */
        i = up[i];
    }
    return i;
}

/* false: already joined. The smaller index leads, so ground leads its island. */
static bool join(int *up, int a, int b) {
    a = find(up, a);
    b = find(up, b);
    if (a == b) return false;
    up[a < b ? b : a] = a < b ? a : b;
    return true;
}

static bool conducts(const rheo_circuit *c, int e, const double *g) {
    const unsigned flags = RH_KINDS[c->kind[e]]->flags;
    if (flags & RH_BRANCH) return true;
    if (!(flags & RH_LEARNABLE)) return false;
    const int edge = c->elem_edge[e];
    return edge < 0 || !g || g[edge] != 0;
}

/* ---- lists of names in messages ---- */

static void name_list(rh_buf *b, const char *name, int index, int total) {
    if (index < MOST_NAMES) {
        if (index > 0) rh_buf_puts(b, index == total - 1 ? " and " : ", ");
        rh_buf_puts(b, name);
    } else if (index == MOST_NAMES) {
        rh_buf_printf(b, " and %d more", total - MOST_NAMES);
    }
}

static void node_list(rh_buf *b, const rheo_circuit *c, const int *up, int island) {
    int n = 0, k = 0;
    for (int i = 0; i < c->n_node; i++) n += up[i] == island;
    rh_buf_puts(b, n == 1 ? "node " : "nodes ");
    for (int i = 0; i < c->n_node; i++)
        if (up[i] == island) name_list(b, c->node_name[i], k++, n);
}

static const char *amperes(double x, char *buf, size_t n) { return rh_number_human(x, "A", buf, n); }

/* ---- no ground ---- */

static rheo_status check_ground(const rheo_circuit *c, rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++)
        for (int t = 0; t < 4; t++)
            if (c->term[e][t] == 0) return RHEO_OK;
    rheo_status st;
    if (c->n_elem == 0) st = rh_fail(err, RHEO_E_SINGULAR, 201, RH_NOWHERE, "the circuit has no elements");
    else st = rh_fail(err, RHEO_E_SINGULAR, 201, rh_elem_loc(c, 0), "no element is connected to ground (node 0)");
    rh_hint(err, "potentials count from node 0: connect one node to it");
    return st;
}

/* ---- islands ---- */

/* Elements with a terminal in the island and one outside (crossing), or any terminal in it. */
static bool touches(const rheo_circuit *c, const int *up, int island, int e, bool *crossing) {
    const int a = up[c->term[e][0]] == island, b = up[c->term[e][1]] == island;
    *crossing = a != b;
    return a || b;
}

/* Do only current sources lead in and out? Then their sum must vanish, and does not: a cut set. */
static rheo_status cut_set(const rheo_circuit *c, const int *up, int island, const double *source, rheo_error *err) {
    int n = 0, k = 0, first = -1;
    double sum = 0, size = 0;
    for (int e = 0; e < c->n_elem; e++) {
        bool crossing;
        if (!touches(c, up, island, e, &crossing) || !crossing || c->kind[e] != RH_KIND_I) continue;
        const double amp = source ? source[e] : c->value[e];
        sum += up[c->term[e][1]] == island ? amp : -amp;
        size += fabs(amp);
        if (first < 0) first = e;
        n++;
    }
    if (n == 0 || !(fabs(sum) > 1e-12 * size)) return RHEO_OK;
    rh_buf b = { 0 };
    char text[32];
    rh_buf_puts(&b, n == 1 ? "current source " : "current sources ");
    for (int e = 0; e < c->n_elem; e++) {
        bool crossing;
        char name[96];
        if (!touches(c, up, island, e, &crossing) || !crossing || c->kind[e] != RH_KIND_I) continue;
        snprintf(name, sizeof(name), "%.60s (%s)", c->elem_name[e], amperes(source ? source[e] : c->value[e], text, sizeof(text)));
        name_list(&b, name, k++, n);
    }
    rh_buf_puts(&b, n == 1 ? " leads into an open end at " : " form a cut set at ");
    node_list(&b, c, up, island);
    rh_buf_printf(&b, "; %s has nowhere to go", amperes(fabs(sum), text, sizeof(text)));
    const rheo_status st = b.bad ? RH_NOMEM(err) : rh_fail(err, RHEO_E_SINGULAR, 206, rh_elem_loc(c, first), "%s", b.s);
    rh_buf_free(&b);
    rh_hint(err, "give the current a way back, such as a resistor to ground");
    return st;
}

static rheo_status floating(const rheo_circuit *c, const int *up, int island, rheo_error *err) {
    int n = 0, k = 0, first = -1;
    bool crossing, any = false;
    for (int e = 0; e < c->n_elem; e++) {
        if (!touches(c, up, island, e, &crossing)) continue;
        any = any || crossing;
        if (first < 0) first = e;
    }
    for (int e = 0; e < c->n_elem; e++) n += touches(c, up, island, e, &crossing) && (crossing || !any);
    rh_buf b = { 0 };
    node_list(&b, c, up, island);
    rh_buf_puts(&b, " ha");
    int n_node = 0;
    for (int i = 0; i < c->n_node; i++) n_node += up[i] == island;
    rh_buf_puts(&b, n_node == 1 ? "s no DC path to ground" : "ve no DC path to ground");
    if (n > 0) rh_buf_puts(&b, any ? " (only connected through " : " (joined only by ");
    for (int e = 0; e < c->n_elem; e++)
        if (touches(c, up, island, e, &crossing) && (crossing || !any)) name_list(&b, c->elem_name[e], k++, n);
    if (n > 0) rh_buf_puts(&b, ")");
    const rh_loc at = first >= 0 ? rh_elem_loc(c, first) : RH_NOWHERE;
    const rheo_status st = b.bad ? RH_NOMEM(err) : rh_fail(err, RHEO_E_SINGULAR, 203, at, "%s", b.s);
    rh_buf_free(&b);
    rh_hint(err, "a resistor or a voltage source must lead to node 0");
    return st;
}

static rheo_status check_islands(const rheo_circuit *c, int *up, const double *g, const double *source, rheo_error *err) {
    for (int i = 0; i < c->n_node; i++) up[i] = i;
    for (int e = 0; e < c->n_elem; e++)
        if (conducts(c, e, g)) join(up, c->term[e][0], c->term[e][1]);
    int island = 0;
    for (int i = 0; i < c->n_node; i++) {
        up[i] = find(up, i);
        if (up[i] != 0 && island == 0) island = up[i];
    }
    if (island == 0) return RHEO_OK;
    RHEO_TRY(cut_set(c, up, island, source, err));
    return floating(c, up, island, err);
}

/* ---- loops of V and E ---- */

static bool is_branch(const rheo_circuit *c, int e) { return RH_KINDS[c->kind[e]]->flags & RH_BRANCH; }

/* Branches before `last` by node: those of node i are list[start[i]..start[i+1]). */
static void branches_by_node(const rheo_circuit *c, int last, int *start, int *list) {
    for (int e = 0; e < last; e++)
        for (int t = 0; is_branch(c, e) && t < 2; t++) start[c->term[e][t]]++;
    for (int i = 0; i < c->n_node; i++) start[i + 1] += start[i];
    for (int e = last - 1; e >= 0; e--)
        for (int t = 0; is_branch(c, e) && t < 2; t++) list[--start[c->term[e][t]]] = e;
}

static int other_end(const rheo_circuit *c, int e, int node) { return c->term[e][0] == node ? c->term[e][1] : c->term[e][0]; }

/* Way from a to b over the branches before `last`, which make a forest: breadth first. The elements, back from b. */
static int find_way(const rheo_circuit *c, int a, int b, const int *start, const int *list, int *queue, int *by, int *way) {
    for (int i = 0; i < c->n_node; i++) by[i] = -2;
    int n = 0;
    queue[n++] = a;
    by[a] = -1;
    for (int q = 0; q < n && by[b] == -2; q++)
        for (int k = start[queue[q]]; k < start[queue[q] + 1]; k++) {
            const int to = other_end(c, list[k], queue[q]);
            if (by[to] != -2) continue;
            by[to] = list[k];
            queue[n++] = to;
        }
    int length = 0;
    for (int i = b; i != a && by[i] >= 0; i = other_end(c, way[length - 1], i)) way[length++] = by[i];
    return length;
}

static void loop_member(rh_buf *b, const rheo_circuit *c, int e, double volt) {
    char text[32];
    const int *t = c->term[e];
    rh_buf_printf(b, "%s (%s-%s", c->elem_name[e], c->node_name[t[0]], c->node_name[t[1]]);
    if (c->kind[e] == RH_KIND_V) rh_buf_printf(b, ", %s", rh_number_human(volt, "V", text, sizeof(text)));
    rh_buf_puts(b, ")");
}

static rheo_status report_loop(const rheo_circuit *c, const int *way, int length, int closing, const double *source, rheo_error *err) {
    /* Walk from the first node of the closing element over the way to its second node. */
    double sum = 0;
    bool known = c->kind[closing] == RH_KIND_V;
    int at = c->term[closing][0], shown = 0;
    rh_buf b = { 0 };
    rh_buf_puts(&b, "voltage loop ");
    for (int k = length - 1; k >= 0; k--) {
        const int e = way[k];
        const double volt = source ? source[e] : c->value[e];
        known = known && c->kind[e] == RH_KIND_V;
        sum += c->term[e][0] == at ? volt : -volt;
        at = c->term[e][0] == at ? c->term[e][1] : c->term[e][0];
        if (shown++ < MOST_NAMES) {
            loop_member(&b, c, e, volt);
            rh_buf_puts(&b, " - ");
        }
    }
    const double last = source ? source[closing] : c->value[closing];
    if (shown > MOST_NAMES) rh_buf_printf(&b, "... (%d more) - ", shown - MOST_NAMES);
    loop_member(&b, c, closing, last);
    char text[32];
    const double off = fabs(sum - last);
    if (known && off > 0) rh_buf_printf(&b, " is inconsistent by %s", rh_number_human(off, "V", text, sizeof(text)));
    else rh_buf_puts(&b, " leaves its current undetermined");
    const rheo_status st = b.bad ? RH_NOMEM(err) : rh_fail(err, RHEO_E_SINGULAR, 205, rh_elem_loc(c, closing), "%s", b.s);
    rh_buf_free(&b);
    rh_hint(err, "take one of them out, or put a resistor into the loop");
    return st;
}

static rheo_status check_loops(const rheo_circuit *c, int *up, const double *source, rheo_error *err) {
    for (int i = 0; i < c->n_node; i++) up[i] = i;
    for (int e = 0; e < c->n_elem; e++) {
        if (!is_branch(c, e) || join(up, c->term[e][0], c->term[e][1])) continue;
        const size_t n = (size_t)c->n_node;
        int *room = rh_calloc(4 * n + 1 + 2 * (size_t)e, sizeof(int));
        if (!room) return RH_NOMEM(err);
        int *const queue = room, *const by = room + n, *const way = room + 2 * n, *const start = room + 3 * n;
        int *const list = start + n + 1;
        branches_by_node(c, e, start, list);
        const int length = find_way(c, c->term[e][0], c->term[e][1], start, list, queue, by, way);
        const rheo_status st = report_loop(c, way, length, e, source, err);
        rh_free(room);
        return st;
    }
    return RHEO_OK;
}

rheo_status rh_diagnose(const rheo_circuit *c, const double *g, const double *source, rheo_error *err) {
    RHEO_TRY(check_ground(c, err));
    int *up = rh_calloc((size_t)c->n_node, sizeof(*up));
    if (!up) return RH_NOMEM(err);
    rheo_status st = check_islands(c, up, g, source, err);
    if (st == RHEO_OK) st = check_loops(c, up, source, err);
    rh_free(up);
    return st;
}
