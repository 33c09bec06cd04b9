/* deck.c: the cards of a network that learns by itself.
 *
 * Portable subset: R C V I E G F H D M Q X, no control language. The machine needs min, max and abs only; elements that
 * no card has bring exp, ln, sqrt and tanh. Nothing is copied from input files: names pass rh_export_name, and
 * everything else is made of numbers and the names of those functions. */
#include "export/deck.h"

#include "rheo/netlist.h"

#include <ctype.h>
#include <math.h>

#define EXPORT_COOKIE 0x45585054
enum { LINE = 90 };

typedef rh_deck deck;

rheo_export_def rheo_export_default(void) {
    return (rheo_export_def){ .level = "behavioural", .cookie = EXPORT_COOKIE };
}

/* ---- names ---- */

static bool plain(unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

void rh_export_name(rh_buf *b, const char *name) {
    for (const char *s = name; *s; s++) {
        const bool kept = plain((unsigned char)*s) || (*s == '_' && s[1] != 'x' && s[1] != 'X');
        if (kept)
            rh_buf_add(b, s, 1);
        else
            rh_buf_printf(b, "_x%02X", (unsigned)(unsigned char)*s);
    }
}

void rh_export_node(rh_buf *b, const rheo_circuit *c, int node) {
    if (node == 0) {
        rh_buf_puts(b, "0");
        return;
    }
    rh_buf_puts(b, "n_");
    rh_export_name(b, c->node_name[node]);
}

/* ---- pieces of lines ---- */

static void put(deck *d, const char *text) { rh_buf_puts(&d->b, text); }
static void put_node(deck *d, int node) { rh_export_node(&d->b, d->c, node); }

/* " KEY=number" */
static void put_key(deck *d, const char *key, double x) {
    put(d, key);
    rh_buf_number(&d->b, x);
}

/* Letter of the kind, _ and the name: "R_R1 n_a 0". */
static void put_head(deck *d, char letter, int elem) {
    rh_buf_printf(&d->b, "%c_", letter);
    rh_export_name(&d->b, d->c->elem_name[elem]);
    for (int k = 0; k < 2; k++) {
        put(d, " ");
        put_node(d, d->c->term[elem][k]);
    }
}

/* V(a,b) where either may be ground. */
static void put_drop(deck *d, int a, int b) {
    put(d, a == 0 && b != 0 ? "(-V(" : "V(");
    if (a != 0) put_node(d, a);
    if (a != 0 && b != 0) put(d, ",");
    if (b != 0) put_node(d, b);
    if (a == 0 && b == 0) put(d, "0");
    put(d, a == 0 && b != 0 ? "))" : ")");
}

static void put_parameters(deck *d, const rh_kind *kind, const double *par, rh_par_of of) {
    for (int k = 0; k < kind->n_par; k++) {
        if (kind->par[k].of != of) continue;
        rh_buf_printf(&d->b, " %s=", kind->par[k].name);
        rh_buf_number(&d->b, par[k]);
    }
}

void rh_put_key(deck *d, const char *key, double x) { put_key(d, key, x); }

void rh_put_head(rh_deck *d, char letter, int elem) { put_head(d, letter, elem); }

void rh_put_model(deck *d, int elem) {
    put(d, "m_");
    rh_export_name(&d->b, d->c->model[d->c->elem_model[elem]].name);
}

/* Long lines are continued behind an operand. */
static void put_wrapped(deck *d, const rh_buf *text) {
    size_t from = 0, n = 0;
    d->b.bad = d->b.bad || text->bad;
    for (size_t i = 0; !text->bad && i < text->n; i++) {
        if (++n < LINE || !strchr("*/,)", text->s[i]) || i + 1 == text->n) continue;
        rh_buf_add(&d->b, text->s + from, i + 1 - from);
        put(d, "\n+ ");
        from = i + 1;
        n = 0;
    }
    if (!text->bad) rh_buf_add(&d->b, text->s + from, text->n - from);
}

static void put_law(deck *d, int elem, const char *const *node) {
    rh_buf text = { 0 };
    RH_KINDS[d->c->kind[elem]]->express(d->c->par + d->c->elem_par[elem], node, &text);
    put(d, " value={");
    put_wrapped(d, &text);
    put(d, "}\n");
    rh_buf_free(&text);
}

/* A kind that no card has: a current that is an expression of potentials. */
static void put_expression(deck *d, int elem) {
    const rh_kind *const kind = RH_KINDS[d->c->kind[elem]];
    const int *const term = d->c->term[elem];
    rh_buf text[RH_MAX_TERM] = { 0 };
    const char *node[RH_MAX_TERM];
    for (int t = 0; t < kind->n_term; t++) {
        rh_buf_puts(&text[t], term[t] == 0 ? "" : "V(");
        rh_export_node(&text[t], d->c, term[t]);
        rh_buf_puts(&text[t], term[t] == 0 ? "" : ")");
        d->b.bad = d->b.bad || text[t].bad;
        node[t] = text[t].s;
    }
    put(d, "G_");
    rh_export_name(&d->b, d->c->elem_name[elem]);
    for (int k = 0; k < 2; k++) {
        put(d, " ");
        put_node(d, term[kind->path[k]]);
    }
    if (!d->b.bad) put_law(d, elem, node);
    for (int t = 0; t < kind->n_term; t++) rh_buf_free(&text[t]);
}

void rh_put_transistor(deck *d, int edge) {
    const int elem = d->c->edge_elem[edge];
    const rh_kind *const kind = RH_KINDS[d->c->kind[elem]];
    if (kind->express) {
        const char *node[RH_MAX_TERM] = { [RH_GATE] = "V(g)", [RH_BULK] = "V(b)" };
        node[kind->path[0]] = "V(p)";
        node[kind->path[1]] = "V(n)";
        put(d, "GT p n");
        put_law(d, elem, node);
        return;
    }
    put(d, "M1 p g n b ");
    rh_put_model(d, elem);
    put(d, " w={WID} l={LEN}\n");
}

bool rh_by_gate(const rheo_circuit *c, int edge) { return c->edge_source[edge] >= 0; }

/* ---- the network ---- */

static int input_of(const deck *d, int elem) {
    for (int i = 0; i < d->x->task.n_in; i++)
        if (d->x->in_elem[i] == elem) return i;
    return -1;
}

/* Whether the transistor of an edge is an expression, in which its size is a number. */
static bool is_expression(const deck *d, int edge) {
    return rh_by_gate(d->c, edge) && RH_KINDS[d->c->kind[d->c->edge_elem[edge]]]->express;
}

static bool same_type(const deck *d, int a, int b) {
    const rheo_circuit *const c = d->c;
    const int e = c->edge_elem[a], f = c->edge_elem[b];
    if (rh_by_gate(c, a) != rh_by_gate(c, b)) return false;
    if (!rh_by_gate(c, a)) return true;
    return c->elem_model[e] == c->elem_model[f] &&
           (!is_expression(d, a) ||
            !memcmp(c->par + c->elem_par[e], c->par + c->elem_par[f], sizeof(double) * (size_t)rh_elem_n_par(c, e)));
}

/* The first edge of the same type. */
static int first_of_type(const deck *d, int edge) {
    int k = 0;
    while (!same_type(d, k, edge)) k++;
    return k;
}

static void put_type_name(deck *d, int edge) {
    if (!rh_by_gate(d->c, edge)) {
        put(d, d->level->edge);
        return;
    }
    put(d, "TCLFET");
    if (is_expression(d, edge)) rh_buf_printf(&d->b, "%d", first_of_type(d, edge) + 1);
    put(d, "_");
    rh_export_name(&d->b, d->c->model[d->c->elem_model[d->c->edge_elem[edge]]].name);
}

/* Whether the storage is the gate's node itself: nothing else is there but the source that it replaces. */
static bool is_gate(const deck *d, int edge) {
    const int elem = d->c->edge_elem[edge], *const held = d->c->term[d->c->edge_source[edge]];
    return held[0] == d->c->term[elem][RH_GATE] && held[1] == 0 && d->touch[held[0]] == 2;
}

static rheo_status edge_parameters(const deck *d, int edge, rh_export_edge *e, rh_edge_par *out) {
    RHEO_TRY(d->level->edge_map(d, edge, e, d->err));
    d->level->parameters(d, edge, e, out);
    if (!rh_by_gate(d->c, edge) || is_expression(d, edge)) return RHEO_OK;
    static const char *const NAME[] = { "WID", "LEN" };
    const int elem = d->c->edge_elem[edge];
    const rh_kind *const kind = RH_KINDS[d->c->kind[elem]];
    for (int k = 0, n = 0; k < kind->n_par && n < RH_COUNT(NAME); k++) {
        if (kind->par[k].of != RH_OF_ELEMENT) continue;
        out->name[out->n] = NAME[n++];
        out->value[out->n++] = d->c->par[d->c->elem_par[elem] + k];
    }
    return RHEO_OK;
}

/* What differs from the first edge of the type. */
static void put_differences(deck *d, const rh_edge_par *own, const rh_edge_par *first) {
    bool any = false;
    for (int k = 0; k < own->n; k++) {
        if (own->value[k] == first->value[k]) continue;
        rh_buf_printf(&d->b, any ? " %s=" : " PARAMS: %s=", own->name[k]);
        rh_buf_number(&d->b, own->value[k]);
        any = true;
    }
    put(d, "\n");
}

static rheo_status put_edge(deck *d, int elem) {
    const int k = d->c->elem_edge[elem], *const term = d->c->term[elem];
    const rh_kind *const kind = RH_KINDS[d->c->kind[elem]];
    rh_export_edge e;
    rh_edge_par own, first;
    RHEO_TRY(edge_parameters(d, first_of_type(d, k), &e, &first));
    RHEO_TRY(edge_parameters(d, k, &e, &own));
    put(d, "X_");
    rh_export_name(&d->b, d->c->elem_name[elem]);
    const bool gate = rh_by_gate(d->c, k);
    const int order[] = { gate ? kind->path[0] : 0, RH_GATE, gate ? kind->path[1] : 1, RH_BULK };
    for (int i = 0; i < RH_COUNT(order); i++) {
        if (!gate && i % 2) continue;
        put(d, " ");
        if (gate && order[i] == RH_GATE && is_gate(d, k))
            rh_buf_printf(&d->b, "w%d", k + 1);
        else
            put_node(d, term[order[i]]);
    }
    rh_buf_printf(&d->b, " w%d en%s ", k + 1, d->level->ports);
    put_type_name(d, k);
    put_differences(d, &own, &first);
    return RHEO_OK;
}

/* A source that asks for its value: number from 1. */
static void put_fed(deck *d, char letter, int number, const char *p, const char *n) {
    rh_buf_printf(&d->b, "%cext%d %s %s external\n", letter, number, p, n);
}

/* The source of a gate: gone where the storage is the gate's node, else it follows the storage. */
static void put_holder(deck *d, int elem) {
    if (!is_gate(d, d->c->held_edge[elem])) d->level->follow(d, elem);
}

static rheo_status put_input(deck *d, int elem, int input) {
    const rheo_experiment *const x = d->x;
    rh_buf name = { 0 }, node[2] = { { 0 } };
    rh_buf_puts(&name, "_");
    rh_export_name(&name, d->c->elem_name[elem]);
    for (int k = 0; k < 2; k++) rh_export_node(&node[k], d->c, d->c->term[elem][k]);
    for (int s = 0; s < d->t.n_slot; s++)
        d->wave[s] = d->board.scale * x->in_sign[input] * rh_task_input(&x->task, d->t.sample[s], input);
    const bool bad = name.bad || node[0].bad || node[1].bad;
    const char letter = RH_KINDS[d->c->kind[elem]]->letter;
    if (!bad && d->fed)
        put_fed(d, letter, input + 1, node[0].s, node[1].s);
    else if (!bad)
        rh_export_wave(&d->b, &d->t, letter, name.s, node[0].s, node[1].s, d->wave);
    rh_buf_free(&name);
    rh_buf_free(&node[0]);
    rh_buf_free(&node[1]);
    return bad ? RH_NOMEM(d->err) : RHEO_OK;
}

static bool folded(const deck *d, int elem, double *par) {
    const rh_kind *const kind = RH_KINDS[d->c->kind[elem]];
    return kind->fold && kind->fold(d->c->par + d->c->elem_par[elem], par);
}

static void put_fixed(deck *d, int elem) {
    const rh_kind *const kind = RH_KINDS[d->c->kind[elem]];
    double own[RH_KIND_PAR];
    if (kind->express) {
        put_expression(d, elem);
        return;
    }
    put_head(d, kind->letter, elem);
    for (int k = 2; k < kind->n_term; k++) {
        put(d, " ");
        put_node(d, d->c->term[elem][k]);
    }
    if (folded(d, elem, own)) {
        rh_buf_printf(&d->b, " q_%d", elem + 1);
    } else if (kind->model) {
        put(d, " ");
        rh_put_model(d, elem);
        put_parameters(d, kind, d->c->par + d->c->elem_par[elem], RH_OF_ELEMENT);
    } else {
        if (kind->flags & RH_BY_CURRENT) {
            put(d, " V_");
            rh_export_name(&d->b, d->c->elem_name[d->c->elem_ctrl[elem]]);
        }
        put_key(d, " ", d->c->value[elem] * (kind->flags & RH_SOURCE ? d->board.scale : 1));
    }
    put(d, "\n");
}

static rheo_status put_network(deck *d) {
    put(d, "\n* ---- network: names of nodes begin with n_, learnable edges are X_\n");
    for (int e = 0; e < d->c->n_elem; e++) {
        const int input = input_of(d, e);
        if (d->c->elem_edge[e] >= 0)
            RHEO_TRY(put_edge(d, e));
        else if (d->c->held_edge[e] >= 0)
            put_holder(d, e);
        else if (input >= 0)
            RHEO_TRY(put_input(d, e, input));
        else
            put_fixed(d, e);
    }
    return RHEO_OK;
}

static rheo_status put_start(deck *d) {
    put(d, "\n* ---- what is stored at the start; memories begin at rest on the first sample\n");
    for (int k = 0; k < d->c->n_edge; k++) {
        rh_export_edge e;
        RHEO_TRY(d->level->edge_map(d, k, &e, d->err));
        rh_buf_printf(&d->b, ".ic V(w%d)=", k + 1);
        rh_buf_number(&d->b, e.w_now);
        put(d, "\n");
    }
    return RHEO_OK;
}

/* ---- types of edges ---- */

static rheo_status put_type(deck *d, int edge) {
    rh_export_edge e;
    rh_edge_par par;
    RHEO_TRY(edge_parameters(d, edge, &e, &par));
    put(d, "\n* ---- one learnable edge\n.subckt ");
    put_type_name(d, edge);
    put(d, rh_by_gate(d->c, edge) ? " p g n b w en" : " p n w en");
    rh_buf_printf(&d->b, "%s PARAMS:", d->level->ports);
    for (int k = 0; k < par.n; k++) {
        rh_buf_printf(&d->b, " %s=", par.name[k]);
        rh_buf_number(&d->b, par.value[k]);
    }
    put(d, "\n+");
    d->level->common(d, edge);
    put(d, "\n");
    d->level->type(d, edge);
    put(d, ".ends ");
    put_type_name(d, edge);
    put(d, "\n");
    return RHEO_OK;
}

static rheo_status put_types(deck *d) {
    for (int k = 0; k < d->c->n_edge; k++)
        if (first_of_type(d, k) == k) RHEO_TRY(put_type(d, k));
    if (d->level->parts) d->level->parts(d);
    return RHEO_OK;
}

/* Every parameter, so that no default of another program counts. */
static void put_models(deck *d) {
    bool any = false;
    for (int m = 0; m < d->c->n_model; m++) {
        const rh_kind *const kind = RH_KINDS[d->c->model[m].kind];
        if (kind->express || kind->flags & RH_STATE) continue; /* a memristor is a resistor here */
        put(d, any ? ".model m_" : "\n* ---- models of the network\n.model m_");
        any = true;
        rh_export_name(&d->b, d->c->model[m].name);
        rh_buf_printf(&d->b, " %s(", kind->model);
        put_parameters(d, kind, d->c->par + d->c->model[m].par, RH_OF_MODEL);
        put(d, ")\n");
    }
    double own[RH_KIND_PAR];
    for (int e = 0; e < d->c->n_elem; e++) {
        if (!folded(d, e, own)) continue;
        rh_buf_printf(&d->b, ".model q_%d %s(", e + 1, RH_KINDS[d->c->kind[e]]->model);
        put_parameters(d, RH_KINDS[d->c->kind[e]], own, RH_OF_MODEL);
        put(d, ")\n");
    }
}

/* ---- teaching ---- */

static void put_pulse(deck *d, const char *head, double delay, double rise, double fall, double width) {
    const double at[] = { delay, rise, fall, width, d->t.period };
    put(d, head);
    put(d, " PULSE(0 1");
    for (int i = 0; i < RH_COUNT(at); i++) put_key(d, " ", at[i]);
    put(d, ")\n");
}

/* 1 from just before the first tooth until just after the last one. */
static void put_switch(deck *d) {
    const rh_timetable *const t = &d->t;
    const double length = t->rise + t->flat + t->fall;
    const double on = (double)t->n_scored * t->period + t->tooth;
    const double off = (double)(t->n_scored + t->n_teeth - 1) * t->period + t->tooth + length;
    put(d, "* the switch of the machine: off while the error is measured\n");
    put_key(d, "VON on 0 PWL(0 0 ", on - t->dwell / 2);
    put_key(d, " 0 ", on - t->dwell / 4);
    put_key(d, " 1 ", off + t->dwell / 4);
    put_key(d, " 1 ", off + t->dwell / 2);
    put(d, " 0)\n");
}

static void put_enable(deck *d, const char *when) {
    put(d, "EEN en 0 value={");
    if (d->level->enabled != 1) {
        rh_buf_number(&d->b, d->level->enabled);
        put(d, "*");
    }
    rh_buf_printf(&d->b, "%s}\n", when);
}

static void put_clocks(deck *d) {
    const rh_timetable *const t = &d->t;
    put(d, "\n* ---- clocks\n");
    put_switch(d);
    put(d, "* sawtooth: one tooth per sample\n");
    put_pulse(d, "VSAW saw 0", t->tooth, t->rise, t->fall, t->flat);
    put(d, "EBETA beta 0 value={V(saw)*V(on)}\n");
    if (!t->gate) {
        put(d, "* inputs move so slowly that learning may stay enabled\n");
        put_enable(d, "V(on)");
        return;
    }
    put(d, "* learning is enabled during teeth, not while samples change\n");
    const double edge = t->dwell / 8, length = t->rise + t->flat + t->fall;
    put_pulse(d, "VGATE gate 0", t->tooth - 2 * edge, edge, t->shut, length + edge);
    put_enable(d, "V(gate)*V(on)");
}

static void put_output(deck *d, int o) {
    const int a = d->x->out[o][0], b = d->x->out[o][1];
    char name[24], node[24];
    snprintf(name, sizeof name, "T%d", o + 1);
    snprintf(node, sizeof node, "t%d", o + 1);
    for (int s = 0; s < d->t.n_slot; s++)
        d->wave[s] = d->board.scale * d->x->task.target[(size_t)d->t.sample[s] * (size_t)d->x->task.n_out + (size_t)o];
    if (d->fed)
        put_fed(d, 'V', d->x->task.n_in + o + 1, node, "0");
    else
        rh_export_wave(&d->b, &d->t, 'V', name, node, "0", d->wave);
    rh_buf_printf(&d->b, "EE%d e%d 0 value={V(t%d)-", o + 1, o + 1, o + 1);
    put_drop(d, a, b);
    put(d, "}\n");
    d->level->nudge(d, o);
}

static void put_teacher(deck *d) {
    put(d, "\n* ---- targets, errors, and the conductance that pulls the outputs: GC*beta*(target - output)\n");
    for (int o = 0; o < d->x->task.n_out; o++) put_output(d, o);
}

/* ---- what is measured ---- */

/* mse1 = mean square error over the outputs, as a chain so that no line grows. */
static void put_mean_square(deck *d) {
    const int n = d->x->task.n_out;
    put(d, "\n* ---- mean square error over the outputs");
    put(d, d->board.scale == 1 ? "\n" : ", in volts of the experiment\n");
    for (int o = 0; o < n; o++) {
        rh_buf_printf(&d->b, "EM%d ms%d ", o + 1, o + 1);
        if (o > 0)
            rh_buf_printf(&d->b, "ms%d", o);
        else
            put(d, "0");
        rh_buf_printf(&d->b, " value={V(e%d)*V(e%d)/", o + 1, o + 1);
        rh_buf_number(&d->b, n * d->board.scale * d->board.scale);
        put(d, "}\n");
    }
}

static void put_rms(deck *d, const char *name, char letter, int first) {
    for (int k = 0; k < d->t.n_scored; k++) {
        rh_buf_printf(&d->b, ".meas tran %c%d FIND V(ms%d) AT=", letter, k + 1, d->x->task.n_out);
        rh_buf_number(&d->b, (double)(first + k + 1) * d->t.period);
        put(d, "\n");
    }
    rh_buf_printf(&d->b, ".meas tran %s param='sqrt((%c1", name, letter);
    for (int k = 1; k < d->t.n_scored; k++) rh_buf_printf(&d->b, "+%c%d", letter, k + 1);
    rh_buf_printf(&d->b, ")/%d)'\n", d->t.n_scored);
}

static void put_tran(deck *d) {
    const rh_timetable *const t = &d->t;
    put(d, "\n* ---- run: one row per slot, at its end, where the network is free\n");
    put(d, d->level->options);
    put_key(d, ".tran ", t->period);
    put_key(d, " ", (double)(t->n_slot + 1) * t->period);
    put_key(d, " 0 ", t->period / 20);
}

/* Corners where fed sources begin and end to move, which the simulator cannot see otherwise. */
static void put_fed_analysis(deck *d) {
    const rh_timetable *const t = &d->t;
    put_pulse(d, "VMOVE move 0", t->dwell, t->move, t->rise, t->tooth - t->dwell - t->move);
    put_tran(d);
    for (int k = 0; k < d->c->n_edge; k++) rh_buf_printf(&d->b, "\n.save v(w%d)", k + 1);
    rh_buf_printf(&d->b, "\n.save v(ms%d)\n.end\n", d->x->task.n_out);
}

void rh_export_vectors(const rheo_experiment *x, rh_buf *b) {
    for (int k = 0; k < x->circuit->n_edge; k++) rh_buf_printf(b, "w%d\n", k + 1);
    rh_buf_printf(b, "ms%d\n", x->task.n_out);
}

static void put_analysis(deck *d) {
    const rh_timetable *const t = &d->t;
    put_tran(d);
    put(d,
        "\n* Without the star: a row per slot of the mean square error, which ngspice puts behind the measurements\n");
    rh_buf_printf(&d->b, "* .print tran V(ms%d)\n", d->x->task.n_out);
    put(d, "* free network, every sample once, before the first tooth and after the last one\n");
    put_rms(d, "rms0", 'a', 0);
    put_rms(d, "rms1", 'b', t->n_scored + t->n_teeth);
    put(d, "* stored voltages at the end\n");
    for (int k = 0; k < d->c->n_edge; k++) {
        rh_buf_printf(&d->b, ".meas tran wf%d FIND V(w%d) AT=", k + 1, k + 1);
        rh_buf_number(&d->b, (double)(t->n_scored + t->n_teeth) * t->period);
        put(d, "\n");
    }
    put(d, ".end\n");
}

/* ---- the whole ---- */

static void put_title(deck *d) {
    rh_buf_printf(&d->b,
                  "Self-learning network of %d edges: temporal contrastive learning, %d teeth, written by rheo\n"
                  "* Run with:  ngspice -b -n FILE\n"
                  "* rms0, rms1: V, error of the free network over %d samples, before and after learning\n"
                  "* wf1, wf2, ...: V, stored at the end: the voltage of a transistor's gate, or for a conductance\n",
                  d->c->n_edge, d->t.n_teeth, d->t.n_scored);
    put(d, d->level->meaning);
    if (d->board.scale != 1) {
        put_key(d, "* Voltages and currents of the network are ", d->board.scale);
        put(d, " times those of the experiment\n");
    }
    put(d, "* Slots of one sample each; s:");
    put_key(d, " period ", d->t.period);
    put_key(d, ", tooth at ", d->t.tooth);
    put_key(d, ", up in ", d->t.rise);
    put_key(d, ", down in ", d->t.fall);
    put(d, "\n");
}

static void count_touch(deck *d) {
    for (int e = 0; e < d->c->n_elem; e++)
        for (int k = 0; k < RH_KINDS[d->c->kind[e]]->n_term; k++) d->touch[d->c->term[e][k]]++;
    for (int o = 0; o < d->x->task.n_out; o++)
        for (int k = 0; k < 2; k++) d->touch[d->x->out[o][k]]++;
}

static rheo_status write_deck(deck *d) {
    count_touch(d);
    put_title(d);
    RHEO_TRY(put_network(d));
    put_models(d);
    RHEO_TRY(put_start(d));
    RHEO_TRY(put_types(d));
    put_clocks(d);
    put_teacher(d);
    put_mean_square(d);
    if (d->fed)
        put_fed_analysis(d);
    else
        put_analysis(d);
    return d->b.bad ? RH_NOMEM(d->err) : RHEO_OK;
}

static const rh_level *level_of(const rheo_export_def *def) {
    static const struct {
        const char *name;
        const rh_level *level;
    } LEVELS[] = { { "behavioural", &RH_BEHAVIOURAL }, { "ideal", &RH_BEHAVIOURAL }, { "device", &RH_DEVICE } };
    for (int i = 0; i < RH_COUNT(LEVELS); i++)
        if (def->level && strcmp(def->level, LEVELS[i].name) == 0) return LEVELS[i].level;
    return NULL;
}

static rheo_status check_def(const rheo_export_def *def, rheo_error *err) {
    if (def->cookie != EXPORT_COOKIE)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE,
                       "the settings of the export do not come from rheo_export_default()");
    if (def->teeth < 0) return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "%ld teeth", def->teeth);
    if (level_of(def)) return RHEO_OK;
    char shown[40];
    const char *const level = def->level ? def->level : "";
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, RH_CODE_LEVEL, RH_NOWHERE, "level %s is not available",
                                   rh_escape(level, strlen(level), shown, sizeof shown));
    rh_hint(err, "use behavioural or device");
    return st;
}

static rheo_status finish(deck *d, char **text) {
    d->wave = rh_calloc((size_t)d->t.n_slot, sizeof *d->wave);
    d->touch = rh_calloc((size_t)d->c->n_node, sizeof *d->touch);
    const rheo_status st = d->wave && d->touch ? write_deck(d) : RH_NOMEM(d->err);
    rh_free(d->touch);
    rh_free(d->wave);
    if (st == RHEO_OK)
        *text = d->b.s;
    else
        rh_buf_free(&d->b);
    return st;
}

rheo_status rh_export_fed(const rheo_experiment *x, const rh_timetable *t, char **text, rheo_error *err) {
    rheo_error own = { 0 };
    deck d = { .x = x, .c = x->circuit, .t = *t, .fed = true, .level = &RH_BEHAVIOURAL, .err = err ? err : &own };
    RHEO_TRY(d.level->map(&d));
    return finish(&d, text);
}

rheo_status rheo_export_spice(const rheo_experiment *x, const rheo_export_def *def, char **text, rheo_error *err) {
    const rheo_export_def standard = rheo_export_default();
    rheo_error own = { 0 };
    deck d = { .x = x, .c = x->circuit, .err = err ? err : &own };
    if (!def) def = &standard;
    RHEO_TRY(check_def(def, d.err));
    RHEO_TRY(rh_export_check(x, d.err));
    d.level = level_of(def);
    RHEO_TRY(d.level->map(&d));
    rheo_status st = rh_export_times(x, def->teeth, &d.t, d.err);
    if (st == RHEO_OK) st = finish(&d, text);
    rh_free(d.t.sample);
    return st;
}
