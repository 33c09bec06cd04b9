/* subckt.c: subcircuits. Element R1 of instance X1 becomes R.X1.R1, its inner node n becomes X1.n, as in ngspice.
 * A body sees its own parameters, those of the definition it stands in, and those of the main circuit: never its
 * caller's. */
#include "netlist/netlist.h"

enum { NAME_BYTES = 128 }; /* of flattened names, on average over max_element */

/* ---- definitions ---- */

static bool parameter_name(rh_reader *rd, rh_tok t) {
    const char ch = t.s[0];
    if ((ch >= '0' && ch <= '9') || ch == '.' || ch == '-' || ch == '+')
        return rh_bad(rd, 26, rh_tok_loc(rd, t), NULL, "'%s' stands where the name of a parameter should", RH_SHOW(t));
    return rh_check_name(rd, t, "parameter");
}

/* Reads over the value, checking its syntax; it is evaluated when it is needed. */
static bool skip_value(rh_reader *rd, rh_cursor *c) {
    double unused;
    const int ch = rh_skip(rd, c);
    const char close = ch == '{' ? '}' : ch == '\'' ? '\'' : '\0';
    if (close) c->at++;
    if (!rh_expr_eval(rd, c, NULL, close, &unused)) return false;
    if (!close && c->at + 1 < c->end && c->text[c->at] == ',' && c->text[c->at + 1] >= '0' && c->text[c->at + 1] <= '9')
        return rh_bad(rd, 13, rh_cursor_loc(rd, c), "write a dot", "decimal comma, which programs skip");
    return true;
}

static bool add_param(rh_reader *rd, rh_def *d, rh_tok name, const rh_cursor *value, bool formal, bool good) {
    const int old = rh_lookup(d->par_map, name);
    if (old >= 0) {
        const rh_tok b = d->par[old].name;
        return rh_twice(rd, name, "parameter", (rh_place){ .file = (uint16_t)b.file, .line = b.line });
    }
    if (!rh_grow(&d->par, &d->cap_par, d->n_par + 1, sizeof(*d->par))) return rh_no_memory(rd);
    d->par[d->n_par] = (rh_param){ .name = name, .value = *value, .formal = formal, .bad = !good };
    return rh_enter(rd, &d->par_map, name, d->n_par++);
}

bool rh_param_list(rh_reader *rd, rh_def *d, rh_cursor *c, bool formal) {
    while (rh_skip_separators(rd, c) != 0) {
        const rh_tok name = rh_lex_word(c);
        if (formal && rh_word_is(name, "params:")) continue;
        if (!parameter_name(rd, name)) return false;
        if (!rh_lex_equals(rd, c)) {
            const bool call = c->at < c->end && c->text[c->at] == '(';
            return rh_bad(rd, 26, rh_tok_loc(rd, name), call ? "functions are defined by .func" : "write name=value",
                          "'=' is missing after parameter '%s'", RH_SHOW(name));
        }
        if (rh_skip(rd, c) == 0)
            return rh_bad(rd, 26, rh_tok_loc(rd, name), NULL, "parameter '%s' has no value", RH_SHOW(name));
        const rh_cursor value = *c;
        const bool good = skip_value(rd, c);
        if (!add_param(rd, d, name, &value, formal, good) || !good) return false;
    }
    return true;
}

static bool add_port(rh_reader *rd, rh_def *d, rh_tok t) {
    if (!rh_check_name(rd, t, "node")) return false;
    if (rh_is_ground(t))
        return rh_bad(rd, 114, rh_tok_loc(rd, t), "ground is known inside without it",
                      "ground cannot be a node of .subckt");
    if (rh_lookup(d->port_map, t) >= 0)
        return rh_bad(rd, 114, rh_tok_loc(rd, t), NULL, "node '%s' stands twice on the .subckt card", RH_SHOW(t));
    if (!rh_grow(&d->port, &d->cap_port, d->n_port + 1, sizeof(rh_tok))) return rh_no_memory(rd);
    d->port[d->n_port] = t;
    return rh_enter(rd, &d->port_map, t, d->n_port++);
}

static bool header(rh_reader *rd, rh_def *d, rh_cursor *c) {
    while (rh_skip_separators(rd, c) != 0) {
        const rh_cursor before = *c;
        const rh_tok t = rh_lex_name(c);
        const bool word = rh_word_is(t, "params:");
        rh_cursor peek = *c;
        if (!word && rh_lex_equals(rd, &peek)) *c = before;
        if (word || c->at == before.at) return rh_param_list(rd, d, c, true);
        if (!add_port(rd, d, t)) return false;
    }
    return true;
}

static rh_def *new_def(rh_reader *rd, rh_tok name) {
    rh_def *d = rh_pool_alloc(rd->pool, sizeof(*d));
    if (!d || !rh_grow(&rd->defs, &rd->cap_def, rd->n_def + 1, sizeof(*rd->defs))) {
        rh_no_memory(rd);
        return NULL;
    }
    d->name = name;
    d->up = rd->def;
    d->depth = rd->def->depth + 1;
    rd->defs[rd->n_def++] = d;
    return d;
}

void rh_subckt_open(rh_reader *rd, rh_cursor *c, rh_tok card) {
    rh_def *const up = rd->def;
    const bool named = rh_skip_separators(rd, c) != 0;
    const rh_tok name = named ? rh_lex_word(c) : card;
    if (up->depth >= RH_NET_SUBCKT_DEPTH) {
        rh_bad_limit(rd, 504, rh_tok_loc(rd, card), NULL, "more than %d .subckt inside one another",
                     RH_NET_SUBCKT_DEPTH);
        return;
    }
    rh_def *d = new_def(rd, name);
    if (!d) return;
    rd->def = d; /* also after an error, so that its body does not land outside */
    if (!named) {
        rh_bad(rd, 8, rh_tok_loc(rd, card), "write .subckt name nodes", ".subckt has no name");
        return;
    }
    d->bad = !rh_check_name(rd, name, "subcircuit") || !header(rd, d, c);
    const int old = rh_lookup(up->sub_map, name);
    if (old >= 0) {
        const rh_tok b = up->sub[old]->name;
        rh_twice(rd, name, "subcircuit", (rh_place){ .file = (uint16_t)b.file, .line = b.line });
        return;
    }
    if (!rh_grow(&up->sub, &up->cap_sub, up->n_sub + 1, sizeof(*up->sub))) {
        rh_no_memory(rd);
        return;
    }
    up->sub[up->n_sub] = d;
    rh_enter(rd, &up->sub_map, name, up->n_sub++);
}

void rh_subckt_close(rh_reader *rd, rh_cursor *c, rh_tok card) {
    rh_def *const d = rd->def;
    if (d == rd->main) {
        rh_bad(rd, 22, rh_tok_loc(rd, card), NULL, ".ends has no .subckt");
        return;
    }
    rd->def = d->up;
    if (rh_skip(rd, c) == 0) return;
    const rh_tok t = rh_lex_word(c);
    if (rh_same_word(t, d->name)) return;
    char hint[120], name[48];
    snprintf(hint, sizeof(hint), "'%s' was opened at line %d", rh_show(d->name, name), d->name.line);
    rh_bad(rd, 22, rh_tok_loc(rd, t), hint, ".ends names '%s', which is not the open subcircuit", RH_SHOW(t));
}

/* ---- X cards ---- */

/* The words of an X card from its name on, on the stack rd->tok; the cursor stops at the first name=value. */
static bool split(rh_reader *rd, rh_cursor *c, int *n) {
    *n = 0;
    while (rh_skip_separators(rd, c) != 0) {
        const rh_cursor before = *c;
        const rh_tok t = rh_lex_name(c);
        rh_cursor peek = *c;
        if (rh_word_is(t, "params:")) break;
        if (rh_lex_equals(rd, &peek)) {
            *c = before;
            break;
        }
        if (!rh_grow(&rd->tok, &rd->cap_tok, rd->n_tok + 1, sizeof(rh_tok))) return rh_no_memory(rd);
        rd->tok[rd->n_tok++] = t;
        (*n)++;
    }
    return true;
}

static rh_def *find_def(rh_def *from, rh_tok name) {
    for (rh_def *d = from; d; d = d->up) {
        const int k = rh_lookup(d->sub_map, name);
        if (k >= 0) return d->sub[k];
    }
    return NULL;
}

static bool is_instance(const rh_reader *rd, const rh_card *card) {
    const char *t = rd->src[card->file]->text;
    size_t at = card->off;
    while (at < card->end && (t[at] == ' ' || t[at] == '\t')) at++;
    return at < card->end && (t[at] | 0x20) == 'x';
}

static rh_def *callee(rh_reader *rd, rh_def *d, const rh_card *card, rh_tok *name) {
    rh_cursor c = rh_cursor_at(rd, card, false);
    const int tok0 = rd->n_tok;
    int n;
    rh_def *sub = NULL;
    if (split(rd, &c, &n) && n > 1) {
        *name = rd->tok[rd->n_tok - 1];
        sub = find_def(d, *name);
    }
    rd->n_tok = tok0;
    return sub;
}

static void too_large(rh_reader *rd, const rh_card *card) {
    rh_cursor c = rh_cursor_at(rd, card, false);
    rh_skip(rd, &c);
    rh_bad_limit(rd, 503, rh_tok_loc(rd, rh_lex_name(&c)), NULL,
                 "the circuit has more than %lld elements after expansion", (long long)rd->set.max_element);
}

static void count_instance(rh_reader *rd, rh_def *d, rh_card *card, int depth) {
    rh_tok name = { 0 };
    rh_def *sub = callee(rd, d, card, &name);
    if (!sub) return; /* said when it is expanded */
    if (sub->state == 1) {
        card->bad = true;
        rh_bad(rd, 116, rh_tok_loc(rd, name), NULL, "subcircuit '%s' contains itself", RH_SHOW(name));
        return;
    }
    if (sub->state == 0 && depth < RH_NET_SUBCKT_DEPTH) rh_subckt_count(rd, sub, depth + 1);
    if (sub->height >= d->height) d->height = sub->height + 1;
    if (depth + 1 + sub->height > RH_NET_SUBCKT_DEPTH)
        rh_bad_limit(rd, 504, rh_tok_loc(rd, name), NULL, "instances are more than %d deep inside one another",
                     RH_NET_SUBCKT_DEPTH);
    d->size = d->size > INT64_MAX / 4 - sub->size ? INT64_MAX / 4 : d->size + sub->size;
}

void rh_subckt_count(rh_reader *rd, rh_def *d, int depth) {
    d->state = 1;
    for (int k = 0; k < d->cards.n && !rh_stop(rd); k++) {
        d->size++;
        if (is_instance(rd, &d->cards.card[k])) count_instance(rd, d, &d->cards.card[k], depth);
        if (d == rd->main && d->size > rd->set.max_element) too_large(rd, &d->cards.card[k]);
    }
    d->state = 2;
}

/* ---- expansion ---- */

typedef struct sub_list {
    rh_def *from;
    rh_pool *pool;
} sub_list;

static const char *sub_at(const void *ctx, int i) {
    const sub_list *l = ctx;
    for (rh_def *d = l->from; d; i -= d->n_sub, d = d->up)
        if (i < d->n_sub)
            return i < 1000 ? rh_pool_strndup(l->pool, d->sub[i]->name.s, (size_t)(d->sub[i]->name.n & 63)) : NULL;
    return NULL;
}

static bool unknown_def(rh_reader *rd, const rh_frame *f, rh_tok name) {
    char word[48], hint[100] = "";
    const sub_list l = { f->def, rd->pool };
    snprintf(word, sizeof(word), "%.*s", name.n < 40 ? name.n : 40, name.s);
    const char *near = rh_suggest(word, sub_at, &l);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(rd, 113, rh_tok_loc(rd, name), near ? hint : NULL, "subcircuit '%s' is not defined", RH_SHOW(name));
}

typedef struct formal_list {
    const rh_def *d;
    rh_pool *pool;
} formal_list;

static const char *formal_at(const void *ctx, int i) {
    const formal_list *l = ctx;
    if (i >= l->d->n_par || i >= 1000) return NULL;
    const rh_param *p = &l->d->par[i];
    return p->formal ? rh_pool_strndup(l->pool, p->name.s, (size_t)(p->name.n & 63)) : "";
}

static bool unknown_override(rh_reader *rd, const rh_def *d, rh_tok name) {
    char word[48], hint[100] = "", sub[48];
    const formal_list l = { d, rd->pool };
    snprintf(word, sizeof(word), "%.*s", name.n < 40 ? name.n : 40, name.s);
    const char *near = rh_suggest(word, formal_at, &l);
    if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    else if (rh_word_is(name, "m"))
        snprintf(hint, sizeof(hint), "m is not supported: write the instance m times");
    return rh_bad(rd, 115, rh_tok_loc(rd, name), hint[0] ? hint : NULL, "subcircuit '%s' has no parameter '%s'",
                  rh_show(d->name, sub), RH_SHOW(name));
}

/* Values on the X card, seen from where it stands. */
static bool overrides(rh_reader *rd, const rh_frame *f, const rh_frame *in, rh_cursor *c) {
    while (rh_skip_separators(rd, c) != 0) {
        const rh_tok name = rh_lex_word(c);
        if (!parameter_name(rd, name)) return false;
        if (!rh_lex_equals(rd, c))
            return rh_bad(rd, 26, rh_tok_loc(rd, name), "write name=value", "'=' is missing after parameter '%s'",
                          RH_SHOW(name));
        const int k = rh_lookup(in->def->par_map, name);
        if (k < 0 || !in->def->par[k].formal) return unknown_override(rd, in->def, name);
        double x;
        if (rh_skip(rd, c) == 0)
            return rh_bad(rd, 26, rh_tok_loc(rd, name), NULL, "parameter '%s' has no value", RH_SHOW(name));
        if (!rh_lex_value(rd, c, f, 0, &x, NULL)) return false;
        rh_value *v = &rd->val[in->par0 + k];
        if (v->state == 2)
            return rh_bad(rd, 26, rh_tok_loc(rd, name), NULL, "parameter '%s' is given twice", RH_SHOW(name));
        *v = (rh_value){ x, 2 };
    }
    return true;
}

static bool ports(rh_reader *rd, const rh_frame *f, rh_frame *in, int tok0, int n) {
    in->node0 = rd->n_node;
    if (!rh_grow(&rd->node, &rd->cap_node, rd->n_node + n, sizeof(rh_port))) return rh_no_memory(rd);
    for (int k = 0; k < n; k++) {
        const rh_tok t = rd->tok[tok0 + k];
        if (!rh_check_name(rd, t, "node")) return false;
        rd->node[rd->n_node++] = (rh_port){ .node = -1, .name = t, .f = f };
    }
    return true;
}

static bool enter_path(rh_reader *rd, const rh_frame *f, rh_frame *in, rh_tok name) {
    in->n_path = f->n_path + name.n + 1;
    rd->name_bytes += in->n_path;
    if (rd->name_bytes > rd->set.max_element * NAME_BYTES)
        return rh_bad_limit(rd, 504, rh_tok_loc(rd, name), NULL, "the names inside subcircuits are too long");
    char *path = rh_pool_alloc(rd->pool, (size_t)in->n_path + 1);
    if (!path) return rh_no_memory(rd);
    memcpy(path, f->path, (size_t)f->n_path);
    memcpy(path + f->n_path, name.s, (size_t)name.n);
    path[in->n_path - 1] = '.';
    in->path = path;
    const rh_tok key = { .s = path, .n = in->n_path };
    const int old = rh_lookup(rd->instance, key);
    if (old >= 0) {
        char hint[200];
        snprintf(hint, sizeof(hint), "first at %s:%d", rd->src[rd->place[old].file]->name, rd->place[old].line);
        return rh_bad(rd, 103, rh_tok_loc(rd, name), hint, "instance '%s' is defined twice", RH_SHOW(name));
    }
    if (!rh_grow(&rd->place, &rd->cap_place, rd->n_place + 1, sizeof(rh_place))) return rh_no_memory(rd);
    rd->place[rd->n_place] = (rh_place){ .line = name.line, .file = (uint16_t)name.file };
    return rh_enter(rd, &rd->instance, key, rd->n_place++);
}

static bool open_instance(rh_reader *rd, const rh_frame *f, rh_frame *in, rh_cursor *c) {
    const int tok0 = rd->n_tok;
    int n;
    if (!split(rd, c, &n)) return false;
    if (n == 0) {
        rh_unexpected(rd, c, "at the start of a card");
        return false;
    }
    const rh_tok name = rd->tok[tok0], last = rd->tok[tok0 + n - 1];
    if (!rh_check_name(rd, name, "element")) return false;
    if (n < 2)
        return rh_bad(rd, 8, rh_tok_loc(rd, name), "write Xname nodes subcircuit", "'%s' names no subcircuit",
                      RH_SHOW(name));
    rh_def *d = find_def(f->def, last);
    if (!d) return unknown_def(rd, f, last);
    if (d->bad) return false;
    *in = (rh_frame){ .def = d, .up = f, .depth = f->depth + 1, .first = rh_builder_n_element(rd->b) };
    while (in->up && in->up->def != d->up) in->up = in->up->up;
    if (d->n_port != n - 2) {
        char hint[200], shown[48];
        snprintf(hint, sizeof(hint), "'%s' is defined at %s:%d", rh_show(d->name, shown), rd->src[d->name.file]->name,
                 d->name.line);
        return rh_bad(rd, 114, rh_tok_loc(rd, name), hint, "'%s' has %d node%s, but subcircuit '%s' has %d",
                      RH_SHOW(name), n - 2, n == 3 ? "" : "s", rh_show(d->name, shown), d->n_port);
    }
    return enter_path(rd, f, in, name) && ports(rd, f, in, tok0 + 1, n - 2) && rh_frame_open(rd, in) &&
           overrides(rd, f, in, c);
}

static void instance(rh_reader *rd, const rh_frame *f, rh_card *card) {
    const int n_tok = rd->n_tok, n_node = rd->n_node, n_val = rd->n_val, n_model = rd->n_model;
    rh_cursor c = rh_cursor_at(rd, card, false);
    rh_frame in;
    if (card->bad) return;
    if (open_instance(rd, f, &in, &c)) {
        rd->n_tok = n_tok;
        if (c.sugar) rh_pragma_sugar(rd, f, &c, -1);
        rh_frame_eval(rd, &in);
        if (!rh_stop(rd)) rh_expand(rd, &in);
    } else {
        card->bad = true;
    }
    rd->n_tok = n_tok;
    rd->n_node = n_node;
    rd->n_val = n_val;
    rd->n_model = n_model;
}

void rh_expand(rh_reader *rd, rh_frame *f) {
    rh_def *d = f->def;
    for (int k = 0; k < d->cards.n && !rh_stop(rd); k++) {
        if (is_instance(rd, &d->cards.card[k]))
            instance(rd, f, &d->cards.card[k]);
        else
            rh_element_card(rd, f, &d->cards.card[k]);
    }
    for (int k = 0; k < d->ic.n && !rh_stop(rd); k++) rh_ic_card(rd, f, &d->ic.card[k]);
    for (int k = 0; k < d->pragmas.n && rd->has_version && !rh_stop(rd); k++) rh_pragma_run(rd, f, &d->pragmas.card[k]);
}
