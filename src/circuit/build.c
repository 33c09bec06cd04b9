/* build.c: the builder collects nodes and elements in growing arrays; finishing turns them into an immutable circuit.
 */
#include "circuit/circuit.h"
#include "element/table.h"

#include <math.h>

struct rh_builder {
    rheo_circuit c;         /* under construction; n_edge is counted at the end */
    int cap_node, cap_elem; /* of all arrays that grow together */
    int cap_keep, cap_source, cap_wave, cap_point, cap_par, cap_model, cap_table;
    rh_map *model_map; /* of names, and of contents as text; NULL while there is none */
    double *learn;     /* [n_elem][3] min, max, init; NaN: default */
    int *through;      /* [n_elem] element whose value is the state, -1: its own conductance */
    bool *learnable;   /* [n_elem] */
    bool bad;          /* out of memory: only good to be destroyed */
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
        !resize(&c->elem_par, cap, sizeof(*c->elem_par)) || !resize(&c->elem_model, cap, sizeof(*c->elem_model)) ||
        !resize(&c->elem_ctrl, cap, sizeof(*c->elem_ctrl)))
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
    rh_free(c->elem_model);
    rh_free(c->elem_ctrl);
    rh_free(c->model);
    rh_free(c->table);
    rh_free(c->elem_wave);
    rh_free(c->elem_ic);
    rh_free(c->wave);
    rh_free(c->point);
    rh_free(c->elem_edge);
    rh_free(c->edge_elem);
    rh_free(c->edge_source);
    rh_free(c->held_edge);
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
    rh_map_destroy(b->model_map);
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
const int *rh_builder_element_term(const rh_builder *b, int elem) { return b->c.term[elem]; }
int rh_builder_n_node(const rh_builder *b) { return b->c.n_node; }
const char *rh_builder_node_name(const rh_builder *b, int node) { return b->c.node_name[node]; }
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
    c->value[e] = RH_KINDS[kind]->flags & RH_NONLINEAR ? 1 : value; /* all there is to say is in its parameters */
    c->place[e] = place;
    c->elem_par[e] = c->elem_model[e] = c->elem_ctrl[e] = -1;
    c->elem_wave[e] = -1;
    c->elem_ic[e] = NAN;
    b->learnable[e] = false;
    b->through[e] = -1;
    for (int i = 0; i < 3; i++) b->learn[3 * e + i] = NAN;
    if (RH_KINDS[kind]->flags & RH_NONLINEAR && rh_builder_par(b, e, NULL) != RHEO_OK) return -1;
    return e;
}

/* Behind the parameters of an element that no table was given for: 1 kohm. */
static const double NO_TABLE[] = { 2, 0, 0, 1e-3, 1, 1e-3, 1e-3 };

/* Room for n more numbers; -1: out of memory. */
static int more_par(rh_builder *b, size_t n) {
    rheo_circuit *const c = &b->c;
    if (n > (size_t)(MAX_COUNT - c->n_par) || !rh_grow(&c->par, &b->cap_par, c->n_par + (int)n, sizeof(*c->par))) {
        b->bad = true;
        return -1;
    }
    c->n_par += (int)n;
    return c->n_par - (int)n;
}

/* The parameters of one more element or model, filled with the defaults. -1: out of memory. */
static int new_par(rh_builder *b, int kind) {
    const rh_kind *const k = RH_KINDS[kind];
    const bool tape = k->flags & RH_TAPE;
    const int n = tape ? 3 : k->n_par, n_table = k->flags & RH_TABLE ? RH_COUNT(NO_TABLE) : 0;
    const int at = more_par(b, (size_t)(n + n_table));
    if (at < 0) return -1;
    double *const to = b->c.par + at;
    for (int j = 0; j < n; j++) to[j] = tape ? 0 : k->par[j].def;
    if (tape) to[0] = 2; /* entries: the number 0 */
    for (int j = 0; j < n_table; j++) to[n + j] = NO_TABLE[j];
    return at;
}

/* The table of the model; its place as well, unless a parameter differs. */
static rheo_status table_par(rh_builder *b, int elem, const double *par) {
    rheo_circuit *const c = &b->c;
    const rh_kind *const k = RH_KINDS[c->kind[elem]];
    const int model = c->elem_model[elem], from = model >= 0 ? c->model[model].par : c->elem_par[elem];
    int at = from;
    for (int j = 0; j < k->n_par && at == from; j++) {
        if ((par ? par[j] : k->par[j].def) == c->par[from + j]) continue;
        const size_t n = rh_kind_par_size(k, c->par + from);
        if ((at = more_par(b, n)) < 0) return RHEO_E_NOMEM;
        memcpy(c->par + at, c->par + from, n * sizeof(*c->par));
    }
    for (int j = 0; j < k->n_par && at != from; j++) c->par[at + j] = par ? par[j] : k->par[j].def;
    c->elem_par[elem] = at;
    return RHEO_OK;
}

rheo_status rh_builder_par(rh_builder *b, int elem, const double *par) {
    rheo_circuit *const c = &b->c;
    const int kind = c->kind[elem];
    if (c->elem_par[elem] < 0 && (c->elem_par[elem] = new_par(b, kind)) < 0) return RHEO_E_NOMEM;
    if (RH_KINDS[kind]->flags & RH_TABLE) return table_par(b, elem, par);
    double *const to = c->par + c->elem_par[elem];
    for (int k = 0; k < RH_KINDS[kind]->n_par; k++) to[k] = par ? par[k] : RH_KINDS[kind]->par[k].def;
    return RHEO_OK;
}

rheo_status rh_builder_tape(rh_builder *b, int elem, const double *tape) {
    rheo_circuit *const c = &b->c;
    const size_t n = 1 + (size_t)tape[0];
    const int at = more_par(b, n);
    if (at < 0) return RHEO_E_NOMEM;
    memcpy(c->par + at, tape, n * sizeof(double));
    c->elem_par[elem] = at;
    return RHEO_OK;
}

/* ---- models ---- */

/* Kind, name, numbers and the rest of the card as one text. Names hold no ';'. */
static bool model_key(rh_buf *key, const char *name, size_t n, int kind, const double *par, const char *rest) {
    key->n = 0;
    rh_buf_printf(key, "%d;", kind);
    rh_buf_add(key, name, n);
    for (int k = 0; k < RH_KINDS[kind]->n_par; k++) {
        const rh_par *const p = &RH_KINDS[kind]->par[k];
        if (p->of == RH_OF_ELEMENT) continue;
        rh_buf_add(key, ";", 1);
        rh_buf_number(key, par ? par[k] : p->def);
    }
    if (RH_KINDS[kind]->flags & RH_TABLE && par) {
        char sum[65];
        const double *const table = par + RH_KINDS[kind]->n_par;
        rh_sha256(table, (1 + RH_POINT * (size_t)table[0]) * sizeof(*table), sum);
        rh_buf_printf(key, ";%s", sum);
    }
    if (rest) rh_buf_printf(key, ";%s", rest);
    return !key->bad;
}

static bool enter_key(rh_builder *b, const char *key, size_t n, int model) {
    const char *const copy = rh_pool_strndup(b->c.pool, key, n);
    return copy && rh_map_put(b->model_map, copy, n, model);
}

/* The name with as small a number behind it as is free. */
static const char *free_name(rh_builder *b, const char *name, size_t n) {
    rh_buf text = { 0 };
    const char *copy = NULL;
    for (int k = 1; !text.bad; k++) {
        text.n = 0;
        rh_buf_add(&text, name, n);
        if (k > 1) rh_buf_printf(&text, "_%d", k);
        if (text.bad || rh_map_get(b->model_map, text.s, text.n) >= 0) continue;
        copy = rh_pool_strndup(b->c.pool, text.s, text.n);
        break;
    }
    rh_buf_free(&text);
    return copy;
}

static int add_model(rh_builder *b, const char *name, size_t n, int kind, const double *par, const char *rest) {
    rheo_circuit *const c = &b->c;
    const char *const own = free_name(b, name, n);
    const char *const more = rest ? rh_pool_strndup(c->pool, rest, strlen(rest)) : NULL;
    if (!own || (rest && !more) || !rh_grow(&c->model, &b->cap_model, c->n_model + 1, sizeof(*c->model))) return -1;
    const bool table = par && RH_KINDS[kind]->flags & RH_TABLE;
    const size_t size = table ? rh_kind_par_size(RH_KINDS[kind], par) : 0;
    const int at = table ? more_par(b, size) : new_par(b, kind);
    if (at < 0 || !rh_map_put(b->model_map, own, strlen(own), c->n_model)) return -1;
    if (table) memcpy(c->par + at, par, size * sizeof(*par));
    for (int k = 0; table && k < RH_KINDS[kind]->n_par; k++)
        if (RH_KINDS[kind]->par[k].of == RH_OF_ELEMENT) c->par[at + k] = RH_KINDS[kind]->par[k].def;
    for (int k = 0; par && k < RH_KINDS[kind]->n_par; k++)
        if (RH_KINDS[kind]->par[k].of != RH_OF_ELEMENT) c->par[at + k] = par[k];
    c->model[c->n_model] = (rh_model){ .name = own, .kind = kind, .par = at, .rest = more };
    return c->n_model++;
}

int rh_builder_model(rh_builder *b, const char *name, size_t n, int kind, const double *par) {
    return rh_builder_model_card(b, name, n, kind, par, NULL);
}

int rh_builder_model_card(rh_builder *b, const char *name, size_t n, int kind, const double *par, const char *rest) {
    rh_buf key = { 0 };
    int model = -1;
    if (!b->model_map) b->model_map = rh_map_create();
    if (b->model_map && model_key(&key, name, n, kind, par, rest)) {
        model = rh_map_get(b->model_map, key.s, key.n);
        if (model < 0) {
            model = add_model(b, name, n, kind, par, rest);
            if (model >= 0 && !enter_key(b, key.s, key.n, model)) model = -1;
        }
    }
    rh_buf_free(&key);
    if (model < 0) b->bad = true;
    return model;
}

void rh_builder_use_model(rh_builder *b, int elem, int model) { b->c.elem_model[elem] = model; }
const double *rh_builder_model_par(const rh_builder *b, int model) { return b->c.par + b->c.model[model].par; }
int rh_builder_model_kind(const rh_builder *b, int model) { return b->c.model[model].kind; }
int rh_builder_model_of(const rh_builder *b, int elem) { return b->c.elem_model[elem]; }

rheo_status rh_builder_law_of(rh_builder *b, int elem, const rheo_circuit *c, int other) {
    const int kind = c->kind[other];
    if (c->elem_par[other] < 0 && c->elem_model[other] < 0) return RHEO_OK;
    const double *const par = c->par + (c->elem_par[other] < 0 ? 0 : c->elem_par[other]);
    if (RH_KINDS[kind]->flags & RH_TAPE) return rh_builder_tape(b, elem, par);
    const rh_model *const m = &c->model[c->elem_model[other]];
    const int model = rh_builder_model_card(b, m->name, strlen(m->name), m->kind, c->par + m->par, m->rest);
    if (model < 0) return RHEO_E_NOMEM;
    rh_builder_use_model(b, elem, model);
    return RH_KINDS[kind]->model ? rh_builder_par(b, elem, par) : RHEO_OK;
}

/* Elements that were added without a model get one with their parameters. */
static bool complete_models(rh_builder *b) {
    const rheo_circuit *const c = &b->c;
    for (int e = 0; e < c->n_elem; e++) {
        const rh_kind *const kind = RH_KINDS[c->kind[e]];
        if (!kind->model || c->elem_model[e] >= 0) continue;
        const size_t n = rh_kind_par_size(kind, c->par + c->elem_par[e]);
        double *const par = rh_calloc(n, sizeof(*par)); /* a new model moves those of the circuit */
        if (!par) return false;
        memcpy(par, c->par + c->elem_par[e], n * sizeof(*par));
        const int model = rh_builder_model(b, kind->model, strlen(kind->model), c->kind[e], par);
        rh_free(par);
        if (model < 0) return false;
        c->elem_model[e] = model;
    }
    return true;
}

/* ---- the rest ---- */

void rh_builder_learn_through(rh_builder *b, int elem, int source) { b->through[elem] = source; }
int rh_builder_through(const rh_builder *b, int elem) { return b->through[elem]; }

/* Breadth first from ground over V elements: next[2 e + t] leads to the next end at the node of terminal t of e. */
bool rh_builder_holders(const rh_builder *b, int *holder) {
    const rheo_circuit *const c = &b->c;
    int *const head = rh_calloc((size_t)c->n_node, sizeof(int)), *const queue =
                                                                     rh_calloc((size_t)c->n_node, sizeof(int));
    int *const next = rh_calloc(2 * (size_t)c->n_elem + 1, sizeof(int));
    const bool ok = head && queue && next;
    for (int i = 0; ok && i < c->n_node; i++) head[i] = holder[i] = -1;
    for (int k = 2 * c->n_elem - 1; ok && k >= 0; k--) {
        if (c->kind[k / 2] != RH_KIND_V) continue;
        next[k] = head[c->term[k / 2][k % 2]];
        head[c->term[k / 2][k % 2]] = k;
    }
    int n = ok;
    for (int q = 0; q < n; q++)
        for (int k = head[queue[q]]; k >= 0; k = next[k]) {
            const int to = c->term[k / 2][1 - k % 2];
            if (to == 0 || holder[to] >= 0) continue;
            holder[to] = k / 2;
            queue[n++] = to;
        }
    rh_free(head);
    rh_free(queue);
    rh_free(next);
    return ok;
}

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

void rh_builder_ctrl(rh_builder *b, int elem, int source) { b->c.elem_ctrl[elem] = source; }
int rh_builder_ctrl_of(const rh_builder *b, int elem) { return b->c.elem_ctrl[elem]; }

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

rheo_status rh_builder_left_out(rh_builder *b, const char *words, size_t n) {
    char *const copy = rh_pool_strndup(b->c.pool, words, n);
    if (!copy) {
        b->bad = true;
        return RHEO_E_NOMEM;
    }
    b->c.left_out = copy;
    return RHEO_OK;
}

rheo_status rh_builder_keep(rh_builder *b, const char *card, size_t n) {
    char *const copy = rh_pool_strndup(b->c.pool, card, n);
    if (!copy || !rh_grow(&b->c.keep, &b->cap_keep, b->c.n_keep + 1, sizeof(*b->c.keep))) {
        b->bad = true;
        return RHEO_E_NOMEM;
    }
    b->c.keep[b->c.n_keep++] = copy;
    /* its name is taken */
    const char *const name = strchr(copy, ' ');
    if (name && !b->model_map) b->model_map = rh_map_create();
    if (name && (!b->model_map || !rh_map_put(b->model_map, name + 1, strcspn(name + 1, " "), INT32_MAX))) {
        b->bad = true;
        return RHEO_E_NOMEM;
    }
    return RHEO_OK;
}

rheo_status rh_builder_table_file(rh_builder *b, const char *name, const char *sha256, int n_point) {
    rheo_circuit *const c = &b->c;
    const char *const copy = rh_pool_strndup(c->pool, name, strlen(name));
    if (!copy || !rh_grow(&c->table, &b->cap_table, c->n_table + 1, sizeof(*c->table))) {
        b->bad = true;
        return RHEO_E_NOMEM;
    }
    rh_table_file *const t = &c->table[c->n_table++];
    *t = (rh_table_file){ .name = copy, .n_point = n_point };
    memcpy(t->sha256, sha256, sizeof(t->sha256));
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
    c->held_edge = rh_calloc((size_t)c->n_elem, sizeof(int));
    c->g_min = rh_calloc((size_t)c->n_edge, sizeof(double));
    c->g_max = rh_calloc((size_t)c->n_edge, sizeof(double));
    c->g_init = rh_calloc((size_t)c->n_edge, sizeof(double));
    if (!c->elem_edge || !c->edge_elem || !c->edge_source || !c->held_edge || !c->g_min || !c->g_max || !c->g_init)
        return false;
    for (int e = 0; e < c->n_elem; e++) c->held_edge[e] = -1;
    for (int e = 0, k = 0; e < c->n_elem; e++) {
        c->elem_edge[e] = b->learnable[e] ? k : -1;
        if (!b->learnable[e]) continue;
        const double *const learn = b->learn + 3 * e;
        const int source = b->through[e];
        c->edge_elem[k] = e;
        c->edge_source[k] = source;
        if (source >= 0) c->held_edge[source] = k;
        c->g_min[k] = otherwise(learn[0], G_MIN);
        c->g_max[k] = otherwise(learn[1], G_MAX);
        const double card = source >= 0 ? c->value[source] : 1 / c->value[e];
        c->g_init[k] = fmin(fmax(otherwise(learn[2], card), c->g_min[k]), c->g_max[k]);
        k++;
    }
    return true;
}

rheo_status rh_builder_finish(rh_builder *b, rheo_circuit **out, rheo_error *err) {
    rheo_circuit *const c = b->bad || !complete_models(b) ? NULL : rh_alloc(sizeof(*c));
    if (!c) {
        rh_builder_destroy(b);
        return RH_NOMEM(err);
    }
    *c = b->c;
    const bool ok = number_edges(b, c);
    rh_free(b->learn);
    rh_free(b->learnable);
    rh_free(b->through);
    rh_map_destroy(b->model_map);
    rh_free(b);
    if (!ok) {
        rheo_circuit_destroy(c);
        return RH_NOMEM(err);
    }
    *out = c;
    return RHEO_OK;
}
