/* build.c: the builder collects nodes and elements in growing arrays; finishing turns them into an immutable circuit.
 */
#include "circuit/circuit.h"

#include <math.h>

struct rh_builder {
    rheo_circuit c;         /* under construction; n_edge is counted at the end */
    int cap_node, cap_elem; /* of all arrays that grow together */
    int cap_keep, cap_source, cap_wave, cap_point, cap_par;
    double *learn;   /* [n_elem][3] min, max, init; NaN: default */
    int *through;    /* [n_elem] element whose value is the state, -1: its own conductance */
    bool *learnable; /* [n_elem] */
    bool bad;        /* out of memory: only good to be destroyed */
};

/* Counts above the limit are taken for lack of memory. Below it, an int holds the number of entries that any list makes
 * of the elements (six each in a matrix, two ends each in a graph). */
enum { DEFAULT_CAP = 64, MAX_COUNT = INT32_MAX / 8 };
static const double G_MIN = 1e-12, G_MAX = 1e12; /* S */

static bool resize(void *p_to_pointer, int n, size_t size) {
    void *p;
    memcpy(&p, p_to_pointer, sizeof(p));
    p = rh_realloc(p, (size_t)n, size);
    if (p) memcpy(p_to_pointer, &p, sizeof(p));
    return p != NULL;
}

static bool grow_nodes(rh_builder *b) {
    rheo_circuit *const c = &b->c;
    if (c->n_node < b->cap_node) return true;
    const int cap = b->cap_node ? 2 * b->cap_node : DEFAULT_CAP;
    if (!resize(&c->node_name, cap, sizeof(*c->node_name)) || !resize(&c->pos, cap, sizeof(*c->pos)) ||
        !resize(&c->ic, cap, sizeof(*c->ic)))
        return false;
    b->cap_node = cap;
    return true;
}

static bool grow_elements(rh_builder *b) {
    rheo_circuit *const c = &b->c;
    if (c->n_elem < b->cap_elem) return true;
    const int cap = b->cap_elem ? 2 * b->cap_elem : DEFAULT_CAP;
    if (!resize(&c->elem_name, cap, sizeof(*c->elem_name)) || !resize(&c->kind, cap, sizeof(*c->kind)) ||
        !resize(&c->term, cap, sizeof(*c->term)) || !resize(&c->value, cap, sizeof(*c->value)) ||
        !resize(&c->elem_wave, cap, sizeof(int)) || !resize(&c->elem_ic, cap, sizeof(double)) ||
        !resize(&c->place, cap, sizeof(*c->place)) || !resize(&b->learn, cap, 3 * sizeof(double)) ||
        !resize(&b->learnable, cap, sizeof(*b->learnable)) || !resize(&b->through, cap, sizeof(*b->through)) ||
        !resize(&c->elem_par, cap, sizeof(*c->elem_par)))
        return false;
    b->cap_elem = cap;
    return true;
}

static int add_node(rh_builder *b, const char *name, size_t n) {
    rheo_circuit *const c = &b->c;
    if (c->n_node == MAX_COUNT || !grow_nodes(b)) return -1;
    char *const copy = rh_pool_strndup(c->pool, name, n);
    if (!copy || !rh_map_put(c->node_map, copy, n, c->n_node)) return -1;
    c->node_name[c->n_node] = copy;
    c->pos[c->n_node][0] = c->pos[c->n_node][1] = c->ic[c->n_node] = NAN;
    return c->n_node++;
}

rh_builder *rh_builder_create(void) {
    rh_builder *b = rh_calloc(1, sizeof(*b));
    if (!b) return NULL;
    b->c.pool = rh_pool_create();
    b->c.node_map = rh_map_create();
    b->c.elem_map = rh_map_create();
    b->c.title = b->c.pool ? rh_pool_strndup(b->c.pool, "", 0) : NULL;
    for (int k = 0; k < RH_COUNT(b->c.tran); k++) b->c.tran[k] = NAN;
    if (!b->c.node_map || !b->c.elem_map || !b->c.title || add_node(b, "0", 1) != 0) {
        rh_builder_destroy(b);
        return NULL;
    }
    return b;
}

static void free_arrays(rheo_circuit *c) {
    rh_free(c->node_name);
    rh_free(c->elem_name);
    rh_free(c->kind);
    rh_free(c->term);
    rh_free(c->value);
    rh_free(c->place);
    rh_free(c->elem_par);
    rh_free(c->par);
    rh_free(c->elem_wave);
    rh_free(c->elem_ic);
    rh_free(c->wave);
    rh_free(c->point);
    rh_free(c->elem_edge);
    rh_free(c->edge_elem);
    rh_free(c->edge_source);
    rh_free(c->g_min);
    rh_free(c->g_max);
    rh_free(c->g_init);
    rh_free(c->pos);
    rh_free(c->ic);
    rh_free(c->keep);
    for (int i = 0; i < c->n_source; i++) {
        rh_free(c->source[i]->name);
        rh_free(c->source[i]->text);
        rh_free(c->source[i]);
    }
    rh_free(c->source);
    rh_map_destroy(c->node_map);
    rh_map_destroy(c->elem_map);
    rh_pool_destroy(c->pool);
}

void rh_builder_destroy(rh_builder *b) {
    if (!b) return;
    free_arrays(&b->c);
    rh_free(b->learn);
    rh_free(b->learnable);
    rh_free(b->through);
    rh_free(b);
}

void rheo_circuit_destroy(rheo_circuit *c) {
    if (!c) return;
    free_arrays(c);
    rh_free(c);
}

int rh_builder_find_node(const rh_builder *b, const char *name, size_t n) {
    const char gnd[] = { n == 3 ? name[0] : ' ', n == 3 ? name[1] : ' ', n == 3 ? name[2] : ' ', 0 };
    if (rh_streq(gnd, "gnd")) return 0;
    return rh_map_get(b->c.node_map, name, n);
}

int rh_builder_node(rh_builder *b, const char *name, size_t n) {
    const int known = rh_builder_find_node(b, name, n);
    if (known >= 0) return known;
    const int node = add_node(b, name, n);
    if (node < 0) b->bad = true;
    return node;
}

int rh_builder_find_element(const rh_builder *b, const char *name, size_t n) {
    return rh_map_get(b->c.elem_map, name, n);
}
int rh_builder_n_element(const rh_builder *b) { return b->c.n_elem; }
const char *rh_builder_element_name(const rh_builder *b, int elem) { return b->c.elem_name[elem]; }
int rh_builder_element_kind(const rh_builder *b, int elem) { return b->c.kind[elem]; }
double rh_builder_element_value(const rh_builder *b, int elem) { return b->c.value[elem]; }
rh_place rh_builder_element_place(const rh_builder *b, int elem) { return b->c.place[elem]; }
bool rh_builder_is_learnable(const rh_builder *b, int elem) { return b->learnable[elem]; }

int rh_builder_element(rh_builder *b, int kind, const char *name, const int term[4], double value, rh_place place,
                       int *other) {
    rheo_circuit *const c = &b->c;
    const size_t n = strlen(name);
    const int known = rh_map_get(c->elem_map, name, n);
    if (known >= 0) {
        *other = known;
        return -2;
    }
    char *const copy = c->n_elem < MAX_COUNT && grow_elements(b) ? rh_pool_strndup(c->pool, name, n) : NULL;
    if (!copy || !rh_map_put(c->elem_map, copy, n, c->n_elem)) {
        b->bad = true;
        return -1;
    }
    const int e = c->n_elem++;
    c->elem_name[e] = copy;
    c->kind[e] = (uint8_t)kind;
    for (int i = 0; i < 4; i++) c->term[e][i] = i < RH_KINDS[kind]->n_term ? term[i] : -1;
    c->value[e] = value;
    c->place[e] = place;
    c->elem_par[e] = -1;
    c->elem_wave[e] = -1;
    c->elem_ic[e] = NAN;
    b->learnable[e] = false;
    b->through[e] = -1;
    for (int i = 0; i < 3; i++) b->learn[3 * e + i] = NAN;
    if (RH_KINDS[kind]->flags & RH_NONLINEAR && rh_builder_par(b, e, NULL) != RHEO_OK) return -1;
    return e;
}

rheo_status rh_builder_par(rh_builder *b, int elem, const double *par) {
    rheo_circuit *const c = &b->c;
    const rh_kind *const kind = RH_KINDS[c->kind[elem]];
    const int n = kind->n_par;
    if (c->elem_par[elem] < 0) {
        if (n > MAX_COUNT - c->n_par || !rh_grow(&c->par, &b->cap_par, c->n_par + n, sizeof(*c->par))) {
            b->bad = true;
            return RHEO_E_NOMEM;
        }
        c->elem_par[elem] = c->n_par;
        c->n_par += n;
    }
    double *const to = c->par + c->elem_par[elem];
    for (int k = 0; k < n; k++) to[k] = par ? par[k] : kind->par[k].def;
    return RHEO_OK;
}

void rh_builder_learn_through(rh_builder *b, int elem, int source) { b->through[elem] = source; }

rheo_status rh_builder_learn(rh_builder *b, int elem, double g_min, double g_max, double g_init) {
    const double given[3] = { g_min, g_max, g_init };
    b->learnable[elem] = true;
    for (int i = 0; i < 3; i++)
        if (!isnan(given[i])) b->learn[3 * elem + i] = given[i];
    return RHEO_OK;
}

rheo_status rh_builder_pos(rh_builder *b, int node, double x, double y) {
    b->c.pos[node][0] = x;
    b->c.pos[node][1] = y;
    return RHEO_OK;
}

rheo_status rh_builder_ic(rh_builder *b, int node, double volt) {
    b->c.ic[node] = volt;
    return RHEO_OK;
}

rheo_status rh_builder_wave(rh_builder *b, int elem, const rh_wave *w, const double (*point)[2]) {
    rheo_circuit *const c = &b->c;
    const int n = w->n_point;
    if (n > MAX_COUNT - c->n_point || !rh_grow(&c->wave, &b->cap_wave, c->n_wave + 1, sizeof(*c->wave)) ||
        !rh_grow(&c->point, &b->cap_point, c->n_point + n, sizeof(*c->point))) {
        b->bad = true;
        return RHEO_E_NOMEM;
    }
    if (n > 0) memcpy(c->point + c->n_point, point, (size_t)n * sizeof(*c->point));
    c->wave[c->n_wave] = *w;
    c->wave[c->n_wave].first = c->n_point;
    c->n_point += n;
    c->elem_wave[elem] = c->n_wave++;
    return RHEO_OK;
}

rheo_status rh_builder_elem_ic(rh_builder *b, int elem, double volt) {
    b->c.elem_ic[elem] = volt;
    return RHEO_OK;
}

void rh_builder_tran(rh_builder *b, const double tran[4], bool uic) {
    memcpy(b->c.tran, tran, sizeof(b->c.tran));
    b->c.tran_uic = uic;
}

rheo_status rh_builder_title(rh_builder *b, const char *title, size_t n) {
    char *const copy = rh_pool_strndup(b->c.pool, title, n);
    if (!copy)
        b->bad = true;
    else
        b->c.title = copy;
    return copy ? RHEO_OK : RHEO_E_NOMEM;
}

rheo_status rh_builder_keep(rh_builder *b, const char *card, size_t n) {
    char *const copy = rh_pool_strndup(b->c.pool, card, n);
    if (!copy || !rh_grow(&b->c.keep, &b->cap_keep, b->c.n_keep + 1, sizeof(*b->c.keep))) {
        b->bad = true;
        return RHEO_E_NOMEM;
    }
    b->c.keep[b->c.n_keep++] = copy;
    return RHEO_OK;
}

int rh_builder_source(rh_builder *b, rh_source *src) {
    if (b->c.n_source >= UINT16_MAX ||
        !rh_grow(&b->c.source, &b->cap_source, b->c.n_source + 1, sizeof(*b->c.source))) {
        rh_free(src->name);
        rh_free(src->text);
        rh_free(src);
        b->bad = true;
        return -1;
    }
    b->c.source[b->c.n_source] = src;
    return b->c.n_source++;
}

/* ---- finishing ---- */

static double otherwise(double x, double def) { return isnan(x) ? def : x; }

static bool number_edges(rh_builder *b, rheo_circuit *c) {
    for (int e = 0; e < c->n_elem; e++) c->n_edge += b->learnable[e];
    c->elem_edge = rh_calloc((size_t)c->n_elem, sizeof(int));
    c->edge_elem = rh_calloc((size_t)c->n_edge, sizeof(int));
    c->edge_source = rh_calloc((size_t)c->n_edge, sizeof(int));
    c->g_min = rh_calloc((size_t)c->n_edge, sizeof(double));
    c->g_max = rh_calloc((size_t)c->n_edge, sizeof(double));
    c->g_init = rh_calloc((size_t)c->n_edge, sizeof(double));
    if (!c->elem_edge || !c->edge_elem || !c->edge_source || !c->g_min || !c->g_max || !c->g_init) return false;
    for (int e = 0, k = 0; e < c->n_elem; e++) {
        c->elem_edge[e] = b->learnable[e] ? k : -1;
        if (!b->learnable[e]) continue;
        const double *const learn = b->learn + 3 * e;
        const int source = b->through[e];
        c->edge_elem[k] = e;
        c->edge_source[k] = source;
        c->g_min[k] = otherwise(learn[0], G_MIN);
        c->g_max[k] = otherwise(learn[1], G_MAX);
        c->g_init[k] = fmin(fmax(otherwise(learn[2], source >= 0 ? c->value[source] : 1 / c->value[e]), c->g_min[k]), c->g_max[k]);
        k++;
    }
    return true;
}

rheo_status rh_builder_finish(rh_builder *b, rheo_circuit **out, rheo_error *err) {
    rheo_circuit *const c = b->bad ? NULL : rh_alloc(sizeof(*c));
    if (!c) {
        rh_builder_destroy(b);
        return RH_NOMEM(err);
    }
    *c = b->c;
    const bool ok = number_edges(b, c);
    rh_free(b->learn);
    rh_free(b->learnable);
    rh_free(b->through);
    rh_free(b);
    if (!ok) {
        rheo_circuit_destroy(c);
        return RH_NOMEM(err);
    }
    *out = c;
    return RHEO_OK;
}
