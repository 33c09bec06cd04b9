/* system.c: modified nodal analysis with known potentials eliminated. Row of a node: currents leaving it sum to zero.
 * Row of a branch: v0 - v1 - gain (v2 - v3) = rhs. */
#include "solver/system.h"

/* One contribution to the matrix before rows and columns of fixed nodes are taken out. */
typedef struct rh_entry {
    int row, col;    /* unknowns; col < 0: fixed node -1 - col */
    int edge, which; /* which of the four slots of an edge; edge CONSTANT: none; below: slot of bend BENT - edge */
    double coef;
} rh_entry;
enum { CONSTANT = -1, BENT = -2 };

typedef struct rh_list {
    rh_entry *e;
    int n, cap;
    bool bad;
} rh_list;

/* ---- known potentials ---- */

/* V elements whose current nothing senses: that of the others must be an unknown. */
static bool may_fix(const rheo_circuit *c, const bool *sensed, int e) { return c->kind[e] == RH_KIND_V && !sensed[e]; }

/* Breadth first from ground over V elements: a tree of nodes with known potentials. */
static rheo_status fix_nodes(rh_system *y, const rheo_circuit *c, rheo_error *err) {
    int *start = rh_calloc((size_t)c->n_node + 1, sizeof(int)), *adj = NULL;
    int n_adj = 0;
    bool *const sensed = rh_calloc((size_t)c->n_elem, sizeof(bool));
    if (!start || !sensed) {
        rh_free(start);
        rh_free(sensed);
        return RH_NOMEM(err);
    }
    for (int e = 0; e < c->n_elem; e++)
        if (c->elem_ctrl[e] >= 0) sensed[c->elem_ctrl[e]] = true;
    for (int e = 0; e < c->n_elem; e++)
        if (may_fix(c, sensed, e)) {
            start[c->term[e][0]]++;
            start[c->term[e][1]]++;
            n_adj += 2;
        }
    adj = rh_calloc((size_t)n_adj, sizeof(int));
    if (!adj) {
        rh_free(start);
        rh_free(sensed);
        return RH_NOMEM(err);
    }
    for (int i = 0; i < c->n_node; i++) start[i + 1] += start[i];
    for (int e = c->n_elem - 1; e >= 0; e--)
        if (may_fix(c, sensed, e))
            for (int t = 0; t < 2; t++) adj[--start[c->term[e][t]]] = e;
    /* now start[i] is where node i begins; fixed[] is the queue */
    y->fixed[0] = (rh_fixed){ 0, -1, -1, -1, 0 };
    y->unknown[0] = -1;
    y->n_fixed = 1;
    for (int q = 0; q < y->n_fixed; q++) {
        const int from = y->fixed[q].node;
        const int end = from + 1 < c->n_node ? start[from + 1] : n_adj;
        for (int k = start[from]; k < end; k++) {
            const int e = adj[k], side = c->term[e][0] == from, to = c->term[e][side];
            if (y->unknown[to] < 0) continue; /* known already */
            y->unknown[to] = -1;
            y->tree[e] = true;
            y->fixed[y->n_fixed++] = (rh_fixed){ to, from, e, c->held_edge[e], side ? -1 : 1 };
        }
    }
    rh_free(start);
    rh_free(adj);
    rh_free(sensed);
    return RHEO_OK;
}

static rheo_status number_unknowns(rh_system *y, const rheo_circuit *c, rheo_error *err) {
    for (int i = 0; i < c->n_node; i++) y->unknown[i] = 0;
    RHEO_TRY(fix_nodes(y, c, err));
    for (int i = 0; i < c->n_node; i++)
        if (y->unknown[i] >= 0) y->unknown[i] = y->n++;
    for (int e = 0; e < c->n_elem; e++)
        y->branch[e] = RH_KINDS[c->kind[e]]->flags & RH_BRANCH && !y->tree[e] ? y->n++ : -1;
    y->row_elem = rh_calloc((size_t)y->n, sizeof(int));
    if (!y->row_elem) return RH_NOMEM(err);
    for (int i = 0; i < c->n_node; i++)
        if (y->unknown[i] >= 0) y->row_elem[y->unknown[i]] = -1 - i;
    for (int e = 0; e < c->n_elem; e++)
        if (y->branch[e] >= 0) {
            y->row_elem[y->branch[e]] = e;
            y->n_branch++;
        }
    return RHEO_OK;
}

/* ---- contributions ---- */

static void put(rh_list *l, int row, int col, int edge, int which, double coef) {
    if (row < 0 || coef == 0 || l->bad) return;
    if (!rh_grow(&l->e, &l->cap, l->n + 1, sizeof(*l->e))) {
        l->bad = true;
        return;
    }
    l->e[l->n++] = (rh_entry){ row, col, edge, which, coef };
}

/* Column of a node: its unknown, or the mark of a fixed one. */
static int column(const rh_system *y, int node) { return y->unknown[node] >= 0 ? y->unknown[node] : -1 - node; }

static void put_conductance(rh_list *l, const rh_system *y, const int *t, int edge, double g) {
    const int a = y->unknown[t[0]], b = y->unknown[t[1]];
    put(l, a, column(y, t[0]), edge, 0, g);
    put(l, b, column(y, t[1]), edge, 1, g);
    put(l, a, column(y, t[1]), edge, 2, -g);
    put(l, b, column(y, t[0]), edge, 3, -g);
}

static void put_trans(rh_list *l, const rh_system *y, const int *t, double gm) {
    if (t[2] == t[3]) return; /* senses 0 V, exactly */
    for (int side = 0; side < 2; side++) {
        const int row = y->unknown[t[side]];
        const double sign = side ? -gm : gm;
        put(l, row, column(y, t[2]), -1, 0, sign);
        put(l, row, column(y, t[3]), -1, 0, -sign);
    }
}

static void put_branch(rh_list *l, const rh_system *y, const int *t, int j, double gain) {
    put(l, y->unknown[t[0]], j, -1, 0, 1);
    put(l, y->unknown[t[1]], j, -1, 0, -1);
    put(l, j, column(y, t[0]), -1, 0, 1);
    put(l, j, column(y, t[1]), -1, 0, -1);
    if (t[2] == t[3]) return; /* none, or senses 0 V */
    put(l, j, column(y, t[2]), -1, 0, -gain);
    put(l, j, column(y, t[3]), -1, 0, gain);
}

static void put_drive(rh_system *y, int row, int elem, double coef) {
    if (row >= 0) y->drive[y->n_drive++] = (rh_drive){ row, elem, coef };
}

/* Slots of a nonlinear element; where a terminal is fixed there is nothing to store. */
static void put_bend(rh_list *l, rh_system *y, const rheo_circuit *c, int e) {
    const int n = RH_KINDS[c->kind[e]]->n_term, k = y->n_bend++;
    rh_bend *const bend = &y->bend[k];
    bend->elem = e;
    for (int r = 0; r < RH_MAX_TERM; r++) {
        bend->row[r] = r < n ? y->unknown[c->term[e][r]] : -1;
        for (int q = 0; q < RH_MAX_TERM; q++) bend->slot[r][q] = -1;
    }
    for (int r = 0; r < n; r++)
        for (int q = 0; q < n; q++)
            if (bend->row[q] >= 0) put(l, bend->row[r], bend->row[q], BENT - k, RH_MAX_TERM * r + q, 1);
}

static void put_element(rh_list *l, rh_system *y, const rheo_circuit *c, int e) {
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    const int *const t = c->term[e], edge = c->elem_edge[e];
    if (kind->flags & RH_NONLINEAR) {
        put_bend(l, y, c, e);
        return;
    }
    const rh_law law = kind->law(c->value[e], edge >= 0 ? 1 : kind->flags & RH_LEARNABLE ? 1 / c->value[e] : 0);
    if (kind->flags & RH_BRANCH) {
        if (y->branch[e] < 0) return; /* part of the tree: known */
        put_branch(l, y, t, y->branch[e], law.gain);
        if (kind->flags & RH_BY_CURRENT) put(l, y->branch[e], y->branch[c->elem_ctrl[e]], CONSTANT, 0, -law.gain);
        if (kind->flags & RH_SOURCE) put_drive(y, y->branch[e], e, 1);
        return;
    }
    if (kind->flags & RH_BY_CURRENT && t[0] != t[1]) {
        put(l, y->unknown[t[0]], y->branch[c->elem_ctrl[e]], CONSTANT, 0, law.trans);
        put(l, y->unknown[t[1]], y->branch[c->elem_ctrl[e]], CONSTANT, 0, -law.trans);
        return;
    }
    if (t[0] == t[1]) return; /* carries nothing between nodes; adding it and taking it away would only cost digits */
    if (law.conductance != 0) put_conductance(l, y, t, edge, law.conductance);
    if (law.trans != 0) put_trans(l, y, t, law.trans);
    if (!(kind->flags & RH_SOURCE)) return;
    put_drive(y, y->unknown[t[0]], e, -1);
    put_drive(y, y->unknown[t[1]], e, 1);
}

/* ---- compressing ---- */

/* Stable counting sort of index by key(e) in [0, n). */
static void sort_by(const rh_list *l, bool by_row, int n, int *count, const int *in, int *out) {
    memset(count, 0, ((size_t)n + 1) * sizeof(int));
    for (int i = 0; i < l->n; i++)
        if (l->e[i].col >= 0) count[(by_row ? l->e[i].row : l->e[i].col) + 1]++;
    for (int i = 0; i < n; i++) count[i + 1] += count[i];
    for (int i = 0; i < l->n; i++) {
        const int k = in ? in[i] : i;
        if (k < 0 || l->e[k].col < 0) continue;
        out[count[by_row ? l->e[k].row : l->e[k].col]++] = k;
    }
}

static void compress(rh_system *y, const rh_list *l, const int *order, int n_inside, int n_edge) {
    int nz = 0, row = -1, col = -1;
    for (int i = 0; i < n_inside; i++) {
        const rh_entry *e = &l->e[order[i]];
        if (e->row != row || e->col != col) {
            row = e->row;
            while (col < e->col) y->ap[++col] = nz;
            y->ai[nz++] = row;
        }
        if (e->edge >= 0)
            y->slot[e->edge][e->which] = nz - 1;
        else if (e->edge == CONSTANT)
            y->constant[nz - 1] += e->coef;
        else
            y->bend[BENT - e->edge].slot[e->which / RH_MAX_TERM][e->which % RH_MAX_TERM] = nz - 1;
    }
    while (col < y->n) y->ap[++col] = nz;
    for (int k = 0; k < y->n_bend; k++)
        for (int i = 0; i < RH_MAX_TERM * RH_MAX_TERM; i++) {
            int *const slot = &y->bend[k].slot[i / RH_MAX_TERM][i % RH_MAX_TERM];
            if (*slot < 0) *slot = nz;
        }
    for (int k = 0; k < n_edge; k++)
        for (int i = 0; i < 4; i++)
            if (y->slot[k][i] < 0) y->slot[k][i] = nz;
}

/* Sorted by node, in the order of the elements for each: a node at 0 V is then passed over at once. */
static void put_couplings(rh_system *y, const rheo_circuit *c, const rh_list *l) {
    int *const at = y->coupling_at;
    for (int i = 0; i < l->n; i++) /* ground adds nothing */
        if (l->e[i].col < -1) at[-1 - l->e[i].col + 1]++;
    for (int k = 0; k < c->n_node; k++) at[k + 1] += at[k];
    y->n_coupling = at[c->n_node];
    for (int i = 0; i < l->n; i++)
        if (l->e[i].col < -1)
            y->coupling[at[-1 - l->e[i].col]++] =
                (rh_coupling){ l->e[i].row, -1 - l->e[i].col, l->e[i].edge, -l->e[i].coef };
    for (int k = c->n_node; k > 0; k--) at[k] = at[k - 1]; /* each was moved to where the next begins */
    at[0] = 0;
}

static rheo_status build_matrix(rh_system *y, const rheo_circuit *c, const rh_list *l, rheo_error *err) {
    int n_inside = 0;
    for (int i = 0; i < l->n; i++) n_inside += l->e[i].col >= 0;
    int *a = rh_calloc((size_t)l->n, sizeof(int)), *b = rh_calloc((size_t)l->n, sizeof(int));
    int *count = rh_calloc((size_t)y->n + 2, sizeof(int));
    y->ap = rh_calloc((size_t)y->n + 1, sizeof(int));
    y->ai = rh_calloc((size_t)n_inside, sizeof(int));
    y->constant = rh_calloc((size_t)n_inside, sizeof(double));
    y->coupling = rh_calloc((size_t)(l->n - n_inside), sizeof(*y->coupling));
    y->coupling_at = rh_calloc((size_t)c->n_node + 1, sizeof(int));
    const bool ok = a && b && count && y->ap && y->ai && y->constant && y->coupling && y->coupling_at;
    if (ok) {
        for (int i = 0; i < c->n_edge; i++)
            for (int k = 0; k < 4; k++) y->slot[i][k] = -1;
        sort_by(l, true, y->n, count, NULL, a);
        for (int i = n_inside; i < l->n; i++) a[i] = -1;
        sort_by(l, false, y->n, count, a, b);
        compress(y, l, b, n_inside, c->n_edge);
        put_couplings(y, c, l);
    }
    rh_free(a);
    rh_free(b);
    rh_free(count);
    return ok ? RHEO_OK : RH_NOMEM(err);
}

static int count_bends(const rheo_circuit *c) {
    int n = 0;
    for (int e = 0; e < c->n_elem; e++) n += (RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) != 0;
    return n;
}

static void put_ends(rh_system *y, const rheo_circuit *c, int edge) {
    const int e = c->edge_elem[edge];
    y->end[edge][0] = c->term[e][0];
    y->end[edge][1] = c->term[e][rh_kind_far(RH_KINDS[c->kind[e]])];
}

rheo_status rh_system_build(rh_system *y, const rheo_circuit *c, rheo_error *err) {
    *y = (rh_system){ 0 };
    y->unknown = rh_calloc((size_t)c->n_node, sizeof(int));
    y->branch = rh_calloc((size_t)c->n_elem, sizeof(int));
    y->tree = rh_calloc((size_t)c->n_elem, sizeof(bool));
    y->fixed = rh_calloc((size_t)c->n_node, sizeof(*y->fixed));
    y->slot = rh_calloc((size_t)c->n_edge, sizeof(*y->slot));
    y->end = rh_calloc((size_t)c->n_edge, sizeof(*y->end));
    y->bend = rh_calloc((size_t)count_bends(c), sizeof(*y->bend));
    y->drive = rh_calloc(2 * (size_t)c->n_elem, sizeof(*y->drive));
    if (!y->unknown || !y->branch || !y->tree || !y->fixed || !y->slot || !y->end || !y->drive || !y->bend)
        return RH_NOMEM(err);
    RHEO_TRY(number_unknowns(y, c, err));
    rh_list l = { 0 };
    for (int e = 0; e < c->n_elem; e++) put_element(&l, y, c, e);
    for (int k = 0; k < c->n_edge; k++) put_ends(y, c, k);
    const rheo_status st = l.bad ? RH_NOMEM(err) : build_matrix(y, c, &l, err);
    rh_free(l.e);
    return st;
}

void rh_system_free(rh_system *y) {
    rh_free(y->unknown);
    rh_free(y->branch);
    rh_free(y->tree);
    rh_free(y->fixed);
    rh_free(y->ap);
    rh_free(y->ai);
    rh_free(y->constant);
    rh_free(y->slot);
    rh_free(y->coupling);
    rh_free(y->coupling_at);
    rh_free(y->drive);
    rh_free(y->end);
    rh_free(y->bend);
    rh_free(y->row_elem);
    *y = (rh_system){ 0 };
}
