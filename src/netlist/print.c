/* print.c: a circuit as a flat netlist. Nothing is forwarded: every line is put together from names that were checked
 * and from numbers, so no text of an input file can reach another simulator as a command. */
#include "netlist/netlist.h"

#include "base/utf8.h"

#include <math.h>
#include <stdlib.h>

enum { LINE = 100 };
static const double G_MIN = 1e-12, G_MAX = 1e12; /* what reads back without min= and max= */

typedef struct printer {
    rh_buf b;
    const rheo_circuit *c;
    const double *g; /* or NULL */
    rheo_error *err;
} printer;

/* ---- what can be written ---- */

static rheo_status refuse(printer *p, const char *what, const char *name, const char *why) {
    return rh_fail(p->err, RHEO_E_RANGE, 134, RH_NOWHERE, "%s '%.60s' cannot be written to a netlist: %s", what, name,
                   why);
}

static rheo_status check_name(printer *p, const char *name, bool element) {
    int code;
    size_t at, len;
    const char *why = rh_name_fault(name, strlen(name), element, &code, &at, &len);
    return why ? refuse(p, element ? "element" : "node", name, why) : RHEO_OK;
}

/* The number on the card: of R, V and the like. */
static double card_value(const printer *p, int elem) {
    const int edge = p->c->elem_edge[elem], held = p->c->held_edge[elem];
    if (p->g && held >= 0) return p->g[held];
    return p->g && edge >= 0 && p->c->edge_source[edge] < 0 ? 1 / p->g[edge] : p->c->value[elem];
}

/* What an edge starts with when no init= says otherwise. */
static double card_state(const printer *p, int edge) {
    const rheo_circuit *const c = p->c;
    return c->edge_source[edge] >= 0 ? c->value[c->edge_source[edge]] : 1 / c->value[c->edge_elem[edge]];
}

static rheo_status check_element(printer *p, int e) {
    const rheo_circuit *c = p->c;
    const rh_kind *k = RH_KINDS[c->kind[e]];
    const char *name = c->elem_name[e];
    RHEO_TRY(check_name(p, name, true));
    const bool other = k->flags & RH_TAPE && rh_kind_of_letter(name[0]) == RH_KIND_G;
    if (rh_kind_of_letter(name[0]) != rh_kind_of_letter(k->letter) && !other)
        return refuse(p, "element", name, "the first letter must be that of its kind");
    if (!isfinite(card_value(p, e))) return refuse(p, "element", name, "its value is not a finite number");
    if (c->elem_edge[e] >= 0 && !(card_value(p, e) > 0))
        return refuse(p, "element", name, "its conductance is not above 0");
    if (k->flags & RH_CONTROLLED && rh_glob("poly(*", c->node_name[c->term[e][2]]))
        return refuse(p, "node", c->node_name[c->term[e][2]], "it would be taken for a polynomial");
    return RHEO_OK;
}

/* Model cards were checked word by word when they were read; this guards what other callers keep. */
static bool printable(const char *card) {
    for (const char *s = card; *s; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7F || strchr("`;{}'\"", *s)) return false;
    return true;
}

static rheo_status check_all(printer *p) {
    for (int m = 0; m < p->c->n_model; m++)
        if (p->c->model[m].rest && !printable(p->c->model[m].rest))
            return refuse(p, "model", p->c->model[m].name, "the rest of its card is no plain text");
    for (int i = 1; i < p->c->n_node; i++) RHEO_TRY(check_name(p, p->c->node_name[i], false));
    for (int e = 0; e < p->c->n_elem; e++) RHEO_TRY(check_element(p, e));
    return RHEO_OK;
}

/* ---- lines ---- */

/* One character of the title as it may be written; length 0: not at all. */
static size_t title_piece(const char *s, size_t n, const char **out, size_t *len) {
    uint32_t u = 0;
    const size_t used = rh_utf8(s, n, &u);
    *out = used == 0 ? "?" : u < ' ' || u == 0x7F ? " " : u == '`' ? "'" : s;
    *len = u == 0xFEFF ? 0 : used > 1 ? used : 1; /* a byte order mark would vanish when it is read */
    return used ? used : 1;
}

/* The title must not look like a comment that ngspice would run, nor like a dot card. */
static void put_title(printer *p) {
    const char *t = p->c->title;
    size_t n = strlen(t), len, used;
    const size_t start = p->b.n;
    for (const char *piece; n > 0; t += used, n -= used) {
        used = title_piece(t, n, &piece, &len);
        if (len && (p->b.n > start || !strchr("*#.@$; \t", *piece))) rh_buf_add(&p->b, piece, len);
    }
    while (p->b.n > start && p->b.s[p->b.n - 1] == ' ') p->b.n--;
    if (p->b.n == start) rh_buf_puts(&p->b, "untitled");
    rh_buf_puts(&p->b, "\n*@ rheo version=1\n");
}

static void put_setting(printer *p, const char *key, double x, bool is_default) {
    if (is_default) return;
    rh_buf_add(&p->b, " ", 1);
    rh_buf_puts(&p->b, key);
    rh_buf_number(&p->b, x);
}

typedef struct group {
    double min, max, init;
    int elem;
} group;

static int order(double a, double b) { return (a > b) - (a < b); }

static int by_bounds(const void *a, const void *b) {
    const group *x = a, *y = b;
    const int min = order(x->min, y->min), max = order(x->max, y->max);
    return min ? min : max ? max : x->elem - y->elem;
}

static int by_init(const void *a, const void *b) {
    const group *x = a, *y = b;
    const int init = order(x->init, y->init);
    return init ? init : x->elem - y->elem;
}

/* "*@ learn a b c", continued on "*@+" lines. */
static void put_names(printer *p, const group *g, int n) {
    size_t bol = p->b.n;
    rh_buf_puts(&p->b, "*@ learn");
    for (int k = 0; k < n; k++) {
        const char *name = p->c->elem_name[g[k].elem];
        const size_t len = strlen(name);
        if (p->b.n - bol + len + 1 > LINE && p->b.n - bol > 8) {
            rh_buf_puts(&p->b, "\n");
            bol = p->b.n;
            rh_buf_puts(&p->b, "*@+");
        }
        rh_buf_add(&p->b, " ", 1);
        rh_buf_add(&p->b, name, len);
    }
}

static int count_letter(const rheo_circuit *c, char letter) {
    int n = 0;
    for (int e = 0; e < c->n_elem; e++) n += RH_KINDS[c->kind[e]]->letter == letter;
    return n;
}

/* The letter that all of them have, NUL: they differ. */
static char common_letter(const rheo_circuit *c, const group *g, int n) {
    const char first = RH_KINDS[c->kind[g[0].elem]]->letter;
    for (int k = 1; k < n; k++)
        if (RH_KINDS[c->kind[g[k].elem]]->letter != first) return '\0';
    return first;
}

/* Edges that share their bounds go on one line: as R* when that is every resistor. */
static void put_bounds(printer *p, group *g, int n) {
    qsort(g, (size_t)n, sizeof(*g), by_bounds);
    for (int from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && g[to].min == g[from].min && g[to].max == g[from].max;) to++;
        const char letter = common_letter(p->c, g + from, to - from);
        if (letter && to - from == count_letter(p->c, letter))
            rh_buf_printf(&p->b, "*@ learn %c*", letter);
        else
            put_names(p, g + from, to - from);
        put_setting(p, "min=", g[from].min, letter == 'R' && g[from].min == G_MIN);
        put_setting(p, "max=", g[from].max, letter == 'R' && g[from].max == G_MAX);
        rh_buf_puts(&p->b, "\n");
    }
}

/* Edges that do not start at the resistance of their card. */
static void put_inits(printer *p, group *g, int n) {
    int m = 0;
    for (int k = 0; k < n; k++)
        if (g[k].init != card_state(p, p->c->elem_edge[g[k].elem])) g[m++] = g[k];
    qsort(g, (size_t)m, sizeof(*g), by_init);
    for (int from = 0, to; from < m; from = to) {
        for (to = from + 1; to < m && g[to].init == g[from].init;) to++;
        put_names(p, g + from, to - from);
        put_setting(p, "init=", g[from].init, false);
        rh_buf_puts(&p->b, "\n");
    }
}

static rheo_status put_learn(printer *p) {
    const rheo_circuit *c = p->c;
    if (c->n_edge == 0) return RHEO_OK;
    group *g = rh_calloc((size_t)c->n_edge, sizeof(*g));
    if (!g) return RH_NOMEM(p->err);
    for (int k = 0; k < c->n_edge; k++) g[k] = (group){ c->g_min[k], c->g_max[k], c->g_init[k], c->edge_elem[k] };
    put_bounds(p, g, c->n_edge);
    if (!p->g) put_inits(p, g, c->n_edge);
    rh_free(g);
    return RHEO_OK;
}

static void put_positions(printer *p) {
    for (int i = 0; i < p->c->n_node; i++) {
        const double *at = p->c->pos[i];
        if (!isfinite(at[0]) || !isfinite(at[1])) continue;
        rh_buf_puts(&p->b, "*@ pos ");
        rh_buf_puts(&p->b, p->c->node_name[i]);
        put_setting(p, "", at[0], false);
        put_setting(p, "", at[1], false);
        rh_buf_puts(&p->b, "\n");
    }
}

static void put_wave(printer *p, const rh_wave *w) {
    const rheo_circuit *c = p->c;
    const bool pwl = w->kind == RH_WAVE_PWL;
    const int n = pwl ? 2 * w->n_point : w->n_par;
    const double *const x = pwl ? c->point[w->first] : w->par;
    rh_buf_printf(&p->b, " %s(", RH_WAVE_NAMES[w->kind]);
    size_t bol = p->b.n;
    for (int k = 0; k < n; k++) {
        const bool wrap = p->b.n - bol > LINE && k % 2 == 0;
        if (wrap) bol = p->b.n;
        if (k) rh_buf_puts(&p->b, wrap ? "\n+ " : " ");
        rh_buf_number(&p->b, x[k]);
    }
    rh_buf_puts(&p->b, ")");
    if (pwl && w->par[0] != 0) put_setting(p, "td=", w->par[0], false);
    if (pwl && w->par[1] >= 0) put_setting(p, "r=", w->par[1], false);
}

/* The parameters that are not the default: those of the model, or those of an element. */
static void put_parameters(printer *p, int kind, const double *par, rh_par_of of) {
    const rh_kind *const k = RH_KINDS[kind];
    for (int j = 0; j < k->n_par; j++) {
        if (k->par[j].of != of || par[j] == k->par[j].def) continue;
        rh_buf_printf(&p->b, " %s=", k->par[j].name);
        rh_buf_number(&p->b, par[j]);
    }
}

static void put_table(printer *p, const double *table) {
    const int n = (int)table[0];
    const double(*const point)[RH_POINT] = (const double(*)[RH_POINT])(table + 1);
    size_t bol = p->b.n;
    for (int k = 0; k < n; k++) {
        if (p->b.n - bol > LINE) {
            rh_buf_puts(&p->b, "\n*@+");
            bol = p->b.n;
        }
        put_setting(p, "", point[k][RH_POINT_V], false);
        put_setting(p, "", point[k][RH_POINT_I], false);
    }
}

/* What other programs read on the card, as far as a line goes and on the next ones. */
static void put_rest(printer *p, const char *rest) {
    size_t bol = p->b.n;
    for (size_t n; rest && *rest; rest += n + (rest[n] == ' ')) {
        n = strcspn(rest, " ");
        const bool wrap = p->b.n - bol > LINE - 30;
        if (wrap) bol = p->b.n;
        rh_buf_puts(&p->b, wrap ? "\n+ " : " ");
        rh_buf_add(&p->b, rest, n);
    }
}

static void put_models(printer *p) {
    for (int m = 0; m < p->c->n_model; m++) {
        const rh_model *const model = &p->c->model[m];
        if (RH_KINDS[model->kind]->variant) {
            rh_buf_printf(&p->b, "*@ model %s %s", model->name, RH_KINDS[model->kind]->variant);
            const double *const par = p->c->par + model->par;
            put_parameters(p, model->kind, par, RH_OF_VARIANT);
            if (RH_KINDS[model->kind]->flags & RH_TABLE) put_table(p, par + RH_KINDS[model->kind]->n_par);
            rh_buf_puts(&p->b, "\n");
        }
        rh_buf_puts(&p->b, ".model ");
        rh_buf_puts(&p->b, model->name);
        rh_buf_printf(&p->b, " %s(", RH_KINDS[model->kind]->model);
        const size_t open = p->b.n;
        put_parameters(p, model->kind, p->c->par + model->par, RH_OF_MODEL);
        put_rest(p, model->rest);
        if (!p->b.bad && p->b.n > open)
            memmove(p->b.s + open, p->b.s + open + 1, p->b.n-- - open); /* the first blank */
        rh_buf_puts(&p->b, ")\n");
    }
}

static void put_model_of(printer *p, int e) {
    const rheo_circuit *const c = p->c;
    rh_buf_add(&p->b, " ", 1);
    rh_buf_puts(&p->b, c->model[c->elem_model[e]].name);
    put_parameters(p, c->kind[e], c->par + c->elem_par[e], RH_OF_ELEMENT);
}

static void put_value(printer *p, int e) {
    const int ctrl = p->c->elem_ctrl[e];
    if (ctrl >= 0) {
        rh_buf_add(&p->b, " ", 1);
        rh_buf_puts(&p->b, p->c->elem_name[ctrl]);
    }
    put_setting(p, "", card_value(p, e), false);
}

static void put_tape(printer *p, int e) {
    const rheo_circuit *const c = p->c;
    rh_buf text[RH_MAX_TERM] = { 0 };
    const char *node[RH_MAX_TERM];
    for (int t = 0; t < RH_MAX_TERM; t++) {
        rh_buf_puts(&text[t], "V(");
        rh_buf_puts(&text[t], c->node_name[c->term[e][t]]);
        rh_buf_puts(&text[t], ")");
        p->b.bad = p->b.bad || text[t].bad;
        node[t] = text[t].s;
    }
    rh_buf_puts(&p->b, rh_kind_of_letter(c->elem_name[e][0]) == RH_KIND_G ? " value={" : " i={");
    if (!p->b.bad) RH_KINDS[c->kind[e]]->express(c->par + c->elem_par[e], node, &p->b);
    rh_buf_puts(&p->b, "}");
    for (int t = 0; t < RH_MAX_TERM; t++) rh_buf_free(&text[t]);
}

static void put_elements(printer *p) {
    const rheo_circuit *c = p->c;
    for (int e = 0; e < c->n_elem; e++) {
        rh_buf_puts(&p->b, c->elem_name[e]);
        const bool tape = RH_KINDS[c->kind[e]]->flags & RH_TAPE;
        for (int k = 0; k < (tape ? 2 : RH_KINDS[c->kind[e]]->n_term); k++) {
            rh_buf_add(&p->b, " ", 1);
            rh_buf_puts(&p->b, c->node_name[c->term[e][k]]);
        }
        if (tape)
            put_tape(p, e);
        else if (RH_KINDS[c->kind[e]]->model)
            put_model_of(p, e);
        else
            put_value(p, e);
        if (!RH_KINDS[c->kind[e]]->model && c->elem_model[e] >= 0) { /* a memristor: its value comes first */
            rh_buf_puts(&p->b, " ");
            rh_buf_puts(&p->b, c->model[c->elem_model[e]].name);
        }
        if (c->elem_wave[e] >= 0) put_wave(p, &c->wave[c->elem_wave[e]]);
        put_setting(p, "ic=", c->elem_ic[e], !isfinite(c->elem_ic[e]));
        rh_buf_puts(&p->b, "\n");
    }
}

static void put_conditions(printer *p) {
    for (int i = 1; i < p->c->n_node; i++) {
        if (!isfinite(p->c->ic[i])) continue;
        rh_buf_printf(&p->b, ".ic v(");
        rh_buf_puts(&p->b, p->c->node_name[i]);
        rh_buf_puts(&p->b, ")=");
        rh_buf_number(&p->b, p->c->ic[i]);
        rh_buf_puts(&p->b, "\n");
    }
}

static rheo_status put_kept(printer *p) {
    for (int k = 0; k < p->c->n_keep; k++) {
        if (!rh_glob(".model *", p->c->keep[k]) || !printable(p->c->keep[k]))
            return refuse(p, "card", p->c->keep[k], "it is no plain .model card");
        rh_buf_puts(&p->b, p->c->keep[k]);
        rh_buf_puts(&p->b, "\n");
    }
    rh_buf_puts(&p->b, ".op\n.end\n"); /* so that a SPICE in batch mode prints the operating point */
    return RHEO_OK;
}

static rheo_status print_all(printer *p) {
    RHEO_TRY(check_all(p));
    put_title(p);
    RHEO_TRY(put_learn(p));
    put_positions(p);
    put_elements(p);
    put_models(p);
    put_conditions(p);
    RHEO_TRY(put_kept(p));
    return p->b.bad ? RH_NOMEM(p->err) : RHEO_OK;
}

rheo_status rheo_netlist_print(char **text, const rheo_circuit *c, const double *g, rheo_error *err) {
    rheo_error own = { 0 };
    printer p = { .c = c, .g = g, .err = err ? err : &own };
    const rheo_status st = print_all(&p);
    if (st == RHEO_OK)
        *text = p.b.s;
    else
        rh_buf_free(&p.b);
    return st;
}

void rheo_text_free(char *text) { rh_free(text); }
