/* circuit.c: what a finished circuit tells. */
#include "circuit/circuit.h"

int rheo_circuit_n_node(const rheo_circuit *c) { return c->n_node; }
int rheo_circuit_n_element(const rheo_circuit *c) { return c->n_elem; }
int rheo_circuit_n_edge(const rheo_circuit *c) { return c->n_edge; }

const char *rheo_circuit_node_name(const rheo_circuit *c, int node) {
    return node >= 0 && node < c->n_node ? c->node_name[node] : NULL;
}

const char *rheo_circuit_element_name(const rheo_circuit *c, int element) {
    return element >= 0 && element < c->n_elem ? c->elem_name[element] : NULL;
}

int rheo_circuit_edge_element(const rheo_circuit *c, int edge) {
    return edge >= 0 && edge < c->n_edge ? c->edge_elem[edge] : -1;
}

int rheo_circuit_find_node(const rheo_circuit *c, const char *name) {
    return rh_streq(name, "gnd") ? 0 : rh_map_get(c->node_map, name, strlen(name));
}

int rheo_circuit_find_element(const rheo_circuit *c, const char *name) {
    return rh_map_get(c->elem_map, name, strlen(name));
}

rh_loc rh_elem_loc(const rheo_circuit *c, int elem) {
    const rh_place p = c->place[elem];
    if (p.line == 0 || p.file >= c->n_source) return RH_NOWHERE;
    return (rh_loc){ c->source[p.file], p.line, p.col, (int)strlen(c->elem_name[elem]) };
}

bool rh_edge_falls(const rheo_circuit *c, int edge) {
    enum { GATE = 1 };
    const int source = c->edge_source[edge], elem = c->edge_elem[edge];
    if (source < 0) return false;
    const bool plus = c->term[source][0] == c->term[elem][GATE];
    return plus == ((RH_KINDS[c->kind[elem]]->flags & RH_FALLING) != 0);
}

int rh_elem_n_par(const rheo_circuit *c, int elem) {
    return (int)rh_kind_par_size(RH_KINDS[c->kind[elem]], c->par + c->elem_par[elem]);
}

void rh_elem_flow(const rheo_circuit *c, int elem, const double *v, rh_flow *out) {
    const rh_kind *const kind = RH_KINDS[c->kind[elem]];
    double at[RH_MAX_TERM];
    for (int k = 0; k < kind->n_term; k++) at[k] = v[c->term[elem][k]];
    *out = (rh_flow){ 0 };
    kind->eval(c->par + c->elem_par[elem], at, out);
}

bool rh_elem_is_memristor(const rheo_circuit *c, int elem) {
    return c->elem_model[elem] >= 0 && !RH_KINDS[c->kind[elem]]->model;
}

bool rh_circuit_is_linear(const rheo_circuit *c) {
    for (int e = 0; e < c->n_elem; e++)
        if (RH_KINDS[c->kind[e]]->flags & RH_NONLINEAR) return false;
    return true;
}

/* ---- equality, for tests of writing and reading ---- */

static bool same_bits(const double *a, const double *b, size_t n) { return memcmp(a, b, n * sizeof(*a)) == 0; }

/* Node of b by the name it has in a; -1 stays -1. */
static int translate(const rheo_circuit *a, const rheo_circuit *b, int node) {
    return node < 0 ? -1 : rheo_circuit_find_node(b, a->node_name[node]);
}

static bool same_number(double x, double y) { return (x != x && y != y) || x == y; }

static bool nodes_equal(const rheo_circuit *a, const rheo_circuit *b) {
    for (int i = 0; i < a->n_node; i++) {
        const int j = translate(a, b, i);
        if (j < 0 || !same_number(a->ic[i], b->ic[j])) return false;
        if (!same_number(a->pos[i][0], b->pos[j][0]) || !same_number(a->pos[i][1], b->pos[j][1])) return false;
    }
    return true;
}

static bool waves_equal(const rheo_circuit *a, const rheo_circuit *b, int e) {
    const int i = a->elem_wave[e], j = b->elem_wave[e];
    if (i < 0 || j < 0) return i == j;
    const rh_wave *const x = &a->wave[i], *const y = &b->wave[j];
    if (x->kind != y->kind || x->n_par != y->n_par || x->n_point != y->n_point) return false;
    if (!same_bits(x->par, y->par, (size_t)x->n_par)) return false;
    return x->n_point == 0 || same_bits(a->point[x->first], b->point[y->first], 2 * (size_t)x->n_point);
}

static bool parameters_equal(const rheo_circuit *a, const rheo_circuit *b, int e) {
    const int i = a->elem_par[e], j = b->elem_par[e];
    if (i < 0 || j < 0) return i == j;
    const int n = rh_elem_n_par(a, e);
    return n == rh_elem_n_par(b, e) && same_bits(a->par + i, b->par + j, (size_t)n);
}

static bool memristors_equal(const rheo_circuit *a, const rheo_circuit *b, int e) {
    const bool is = rh_elem_is_memristor(a, e);
    if (!is || !rh_elem_is_memristor(b, e)) return is == rh_elem_is_memristor(b, e);
    const rh_model *const p = &a->model[a->elem_model[e]], *const q = &b->model[b->elem_model[e]];
    return p->kind == q->kind && same_bits(a->par + p->par, b->par + q->par, (size_t)RH_KINDS[p->kind]->n_par);
}

static bool elements_equal(const rheo_circuit *a, const rheo_circuit *b) {
    for (int e = 0; e < a->n_elem; e++) {
        if (a->kind[e] != b->kind[e] || !rh_streq(a->elem_name[e], b->elem_name[e])) return false;
        for (int t = 0; t < 4; t++)
            if (translate(a, b, a->term[e][t]) != b->term[e][t]) return false;
        if (!same_bits(&a->value[e], &b->value[e], 1) || !same_number(a->elem_ic[e], b->elem_ic[e])) return false;
        if (a->elem_ctrl[e] != b->elem_ctrl[e]) return false;
        if (!waves_equal(a, b, e) || !parameters_equal(a, b, e) || !memristors_equal(a, b, e)) return false;
    }
    return true;
}

bool rh_circuit_equal(const rheo_circuit *a, const rheo_circuit *b) {
    if (a->n_node != b->n_node || a->n_elem != b->n_elem || a->n_edge != b->n_edge) return false;
    const size_t n = (size_t)a->n_edge;
    if (memcmp(a->elem_edge, b->elem_edge, (size_t)a->n_elem * sizeof(int)) != 0) return false;
    if (memcmp(a->edge_source, b->edge_source, n * sizeof(int)) != 0) return false;
    if (!same_bits(a->g_min, b->g_min, n) || !same_bits(a->g_max, b->g_max, n) || !same_bits(a->g_init, b->g_init, n))
        return false;
    return nodes_equal(a, b) && elements_equal(a, b);
}

/* ---- charges ---- */

/* The names of charges above 0 among the rest of a card: 'cjo', 'tt'. Their number. */
static int find_charges(const rh_model *m, char *list, size_t size) {
    const int at = rh_kind_of_model(RH_KINDS[m->kind]->model, strlen(RH_KINDS[m->kind]->model));
    const char *const *const names = at < 0 ? NULL : RH_KINDS[at]->charge;
    int n = 0;
    size_t used = 0;
    for (const char *p = m->rest; names && p && *p; p += strcspn(p, " "), p += *p == ' ') {
        const size_t len = strcspn(p, "=");
        char word[16];
        if (len >= sizeof word || rh_number_parse(p + len + 1, strcspn(p + len + 1, " ")).value == 0) continue;
        snprintf(word, sizeof word, "%.*s", (int)len, p);
        for (const char *const *c = names; *c; c++) {
            if (!rh_streq(*c, word) || used >= size) continue;
            used += (size_t)snprintf(list + used, size - used, "%s'%s'", n++ ? ", " : "", *c);
        }
    }
    return n;
}

void rh_warn_of_charges(const rheo_circuit *c, const rheo_log *log) {
    rh_report report = { .log = log };
    int *const first = rh_calloc((size_t)c->n_model, sizeof *first); /* element that names the model, from 1 */
    for (int e = c->n_elem - 1; first && e >= 0; e--)
        if (c->elem_model[e] >= 0) first[c->elem_model[e]] = e + 1;
    for (int m = 0; first && m < c->n_model; m++) {
        char list[160] = "";
        const int e = first[m] - 1, n = e < 0 ? 0 : find_charges(&c->model[m], list, sizeof list);
        if (n > 0)
            rh_report_warning(&report, 140, rh_elem_loc(c, e), "put a C beside the element: its charge is computed",
                              "%s of model '%.60s' %s not computed in time: '%.60s' has no charge", list,
                              c->model[m].name, n > 1 ? "are" : "is", c->elem_name[e]);
    }
    rh_free(first);
    rh_report_close(&report);
}
