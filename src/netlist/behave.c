/* behave.c: expressions of B, E and G, which are compiled and not computed: + - * /, min max abs exp ln sqrt tanh,
 * V(a), V(a,b), I(Vx), parameters. What programs read differently is refused. */
#include "netlist/netlist.h"

#include <math.h>

typedef struct compiler {
    rh_reader *rd;
    rh_cursor *c;
    const rh_frame *f;
    rh_expression *x;
    double *tape; /* of x; entries so far: n */
    int n, depth, nest;
} compiler;

static bool sum(compiler *k);

/* ---- entries ---- */

static bool too_long(compiler *k) {
    return rh_bad(k->rd, 145, rh_cursor_loc(k->rd, k->c), "split it into several sources",
                  "the expression is too long");
}

static bool put_pair(compiler *k, rh_tape_op op, double x) {
    if (k->n + 2 > RH_TAPE_MOST - 2 || ++k->depth > RH_TAPE_DEPTH) return too_long(k);
    k->tape[1 + k->n++] = op;
    k->tape[1 + k->n++] = x;
    return true;
}

/* start: where its operands begin. Of numbers alone, the operation is done now. */
static bool put_op(compiler *k, rh_tape_op op, const int *start) {
    const int last = start[rh_tape_operands(op) - 1];
    const bool known = k->n - last == 2 && k->tape[1 + last] == RH_TAPE_NUMBER;
    const double x = known ? k->tape[2 + last] : 1;
    const char *const fault = op == RH_TAPE_DIV && x == 0    ? "division by zero"
                              : op == RH_TAPE_LN && !(x > 0) ? "the logarithm of what is not above 0"
                              : op == RH_TAPE_SQRT && x < 0  ? "the root of what is below 0"
                                                             : NULL;
    if (fault) return rh_bad(k->rd, 112, rh_cursor_loc(k->rd, k->c), NULL, "%s", fault);
    const int n = rh_tape_operands(op), from = start[0];
    bool constant = k->n - from == 2 * n;
    for (int j = 0; j < n && constant; j++) constant = k->tape[1 + start[j]] == RH_TAPE_NUMBER;
    if (k->n + 1 > RH_TAPE_MOST - 2) return too_long(k);
    k->tape[1 + k->n++] = op;
    k->depth -= n - 1;
    if (!constant) return true;
    double part[8], slope[RH_MAX_TERM];
    part[0] = k->n - from;
    memcpy(part + 1, k->tape + 1 + from, (size_t)(k->n - from) * sizeof(double));
    k->n = from;
    k->tape[1 + k->n++] = RH_TAPE_NUMBER;
    k->tape[1 + k->n++] = rh_tape_eval(part, (double[RH_MAX_TERM]){ 0 }, slope);
    return true;
}

/* ---- operands ---- */

static bool put_read(compiler *k, int node) {
    rh_expression *const x = k->x;
    int j = 0;
    while (j < x->n_node && x->node[j] != node) j++;
    if (!put_pair(k, RH_TAPE_VOLT, j)) return false;
    if (j == x->n_node) x->node[x->n_node++] = node;
    return true;
}

static bool volt_of(compiler *k, rh_tok t) {
    if (!rh_check_name(k->rd, t, "node")) return false;
    if (rh_is_ground(t)) return put_pair(k, RH_TAPE_NUMBER, 0);
    const int node = rh_frame_node(k->rd, k->f, t, true);
    return node == 0 ? put_pair(k, RH_TAPE_NUMBER, 0) : node > 0 && put_read(k, node);
}

static bool expect(compiler *k, int ch, const char *what) {
    if (rh_skip(k->rd, k->c) == ch) {
        k->c->at++;
        return true;
    }
    return rh_bad(k->rd, 20, rh_cursor_loc(k->rd, k->c), NULL, "'%c' is missing %s", ch, what);
}

static bool name_of(compiler *k, const char *what, rh_tok *t) {
    const int ch = rh_skip(k->rd, k->c);
    if (ch == ')' || ch == ',')
        return rh_bad(k->rd, 20, rh_cursor_loc(k->rd, k->c), NULL, "the name of a %s is missing here", what);
    *t = rh_lex_name(k->c);
    return true;
}

/* V(a) and V(a,b), behind the parenthesis. */
static bool voltage(compiler *k) {
    const int a = k->n;
    rh_tok t;
    if (!name_of(k, "node", &t) || !volt_of(k, t)) return false;
    if (rh_skip(k->rd, k->c) == ',') {
        const int b = k->n;
        k->c->at++;
        if (!name_of(k, "node", &t) || !volt_of(k, t) || !put_op(k, RH_TAPE_SUB, (int[]){ a, b })) return false;
    }
    return expect(k, ')', "after a node");
}

/* I(Vx), behind the parenthesis. */
static bool current(compiler *k) {
    rh_expression *const x = k->x;
    rh_tok t;
    int j = 0;
    if (!name_of(k, "voltage source", &t) || !rh_check_name(k->rd, t, "element")) return false;
    while (j < x->n_sensed && !rh_same_word(x->sensed[j], t)) j++;
    if (j == RH_MAX_SENSED) return too_long(k);
    if (j == x->n_sensed) x->sensed[x->n_sensed++] = t;
    return put_read(k, RH_READS_SENSED - j) && expect(k, ')', "after a voltage source");
}

static const char *function_at(const void *ctx, int i) {
    (void)ctx;
    if (i >= RH_TAPE_OPS) return NULL;
    return rh_tape_name((rh_tape_op)i) ? rh_tape_name((rh_tape_op)i) : "";
}

static bool unknown_function(compiler *k, rh_tok t) {
    char word[48], hint[80] = "known: V I min max abs exp ln sqrt tanh";
    snprintf(word, sizeof(word), "%.*s", t.n < 40 ? t.n : 40, t.s);
    const char *near = rh_suggest(word, function_at, NULL);
    if (rh_word_is(t, "if"))
        snprintf(hint, sizeof(hint), "write it with min and max");
    else if (rh_word_is(t, "log"))
        snprintf(hint, sizeof(hint), "write ln: log is to the base 10 in some programs");
    else if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    return rh_bad(k->rd, 145, rh_tok_loc(k->rd, t), hint, "'%s' is not known in the expression of a source",
                  RH_SHOW(t));
}

static bool call(compiler *k, rh_tok t) {
    int op = -1, start[2] = { k->n, 0 };
    k->c->at++;
    if (rh_word_is(t, "v")) return voltage(k);
    if (rh_word_is(t, "i")) return current(k);
    for (int j = 0; j < RH_TAPE_OPS; j++)
        if (rh_tape_name((rh_tape_op)j) && rh_word_is(t, rh_tape_name((rh_tape_op)j))) op = j;
    if (op < 0) return unknown_function(k, t);
    if (!sum(k)) return false;
    if (rh_tape_operands((rh_tape_op)op) == 2) {
        if (!expect(k, ',', "between two arguments")) return false;
        start[1] = k->n;
        if (!sum(k)) return false;
    }
    return expect(k, ')', "after the arguments of a function") && put_op(k, (rh_tape_op)op, start);
}

static bool is_letter(int ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' || ch >= 0x80;
}
static bool is_digit(int ch) { return ch >= '0' && ch <= '9'; }

static size_t word_length(const rh_cursor *c) {
    size_t n = 0;
    for (; c->at + n < c->end; n++) {
        const unsigned char ch = (unsigned char)c->text[c->at + n];
        if (!is_letter(ch) && !is_digit(ch) && ch != '.') break;
    }
    return n;
}

/* A parameter or a number: rh_expr_eval on this word alone. */
static bool constant(compiler *k, size_t n) {
    rh_cursor part = *k->c;
    double x;
    part.end = part.at + n;
    if (!rh_expr_eval(k->rd, &part, k->f, '\0', &x)) return false;
    k->c->at = part.at;
    return put_pair(k, RH_TAPE_NUMBER, x);
}

/* Up to an operator; the sign of an exponent belongs to it. */
static size_t number_length(const rh_cursor *c) {
    size_t n = 0;
    for (; c->at + n < c->end; n++) {
        const char *const s = c->text + c->at;
        const bool exponent =
            n > 1 && (s[n - 1] | 0x20) == 'e' && (is_digit((unsigned char)s[n - 2]) || s[n - 2] == '.');
        if ((s[n] == '+' || s[n] == '-') && exponent) continue;
        if (strchr("+-*/,()^<>?:!&|={}'\" \t\r\n;", s[n])) break;
    }
    return n;
}

static bool operand(compiler *k) {
    const int ch = rh_skip(k->rd, k->c);
    if (ch == '(') {
        k->c->at++;
        return sum(k) && expect(k, ')', "in the expression");
    }
    if (is_digit(ch) || ch == '.') return constant(k, number_length(k->c));
    if (!is_letter(ch))
        return rh_bad(k->rd, 20, rh_cursor_loc(k->rd, k->c), NULL, "a number, a function or V(node) is missing here");
    const size_t n = word_length(k->c);
    rh_cursor behind = *k->c;
    behind.at += n;
    if (rh_skip(k->rd, &behind) != '(') return constant(k, n);
    const rh_tok t = { .s = k->c->text + k->c->at,
                       .n = (int)n,
                       .file = k->c->file,
                       .line = k->c->line,
                       .col = (int)(k->c->at - k->c->bol) + 1 };
    *k->c = behind;
    return call(k, t);
}

/* ---- operators ---- */

static bool factor(compiler *k) {
    const int ch = rh_skip(k->rd, k->c), start = k->n;
    if (k->nest++ > RH_NET_EXPR_DEPTH) return too_long(k);
    bool ok;
    if (ch == '-' || ch == '+') {
        k->c->at++;
        ok = factor(k) && (ch == '+' || put_op(k, RH_TAPE_NEG, &start));
    } else {
        ok = operand(k);
    }
    k->nest--;
    if (!ok) return false;
    const int next = rh_skip(k->rd, k->c);
    const bool stars = next == '*' && k->c->at + 1 < k->c->end && k->c->text[k->c->at + 1] == '*';
    if (next != '^' && !stars) return true;
    return rh_bad(k->rd, 145, rh_cursor_loc(k->rd, k->c), "write V(a)*V(a)*V(a)",
                  "programs disagree about powers of what is below 0: %s is refused here", stars ? "**" : "^");
}

static bool chain(compiler *k, const char *ops, rh_tape_op first, bool (*part)(compiler *)) {
    const int start = k->n;
    if (!part(k)) return false;
    for (int ch; (ch = rh_skip(k->rd, k->c)) == ops[0] || ch == ops[1];) {
        const int right = k->n;
        k->c->at++;
        if (!part(k) || !put_op(k, (rh_tape_op)(first + (ch == ops[1])), (int[]){ start, right })) return false;
    }
    return true;
}

static bool product(compiler *k) { return chain(k, "*/", RH_TAPE_MUL, factor); }
static bool sum(compiler *k) { return chain(k, "+-", RH_TAPE_ADD, product); }

bool rh_behave(rh_reader *rd, rh_cursor *c, const rh_frame *f, rh_expression *x) {
    compiler k = { .rd = rd, .c = c, .f = f, .x = x, .tape = x->tape };
    x->n_node = x->n_sensed = 0;
    const int ch = rh_skip(rd, c);
    const char close = ch == '{' ? '}' : ch == '\'' ? '\'' : '\0';
    if (close) c->at++;
    if (!sum(&k)) return false;
    x->tape[0] = k.n;
    const int last = rh_skip(rd, c);
    if (close ? last == close : last == 0) {
        c->at += close != 0;
        for (int j = 0; j < k.n; j++)
            if (!isfinite(x->tape[1 + j]))
                return rh_bad(rd, 145, rh_cursor_loc(rd, c), NULL, "a part of the expression is not finite");
        return true;
    }
    if (last == '?' || last == '<' || last == '>' || last == '=' || last == '&' || last == '|')
        return rh_bad(rd, 145, rh_cursor_loc(rd, c), "write it with min and max",
                      "comparisons are not known in the expression of a source");
    const rh_tok t = rh_lex_chunk(c);
    return rh_bad(rd, 20, rh_tok_loc(rd, t), NULL, "an operator is missing before '%s'", RH_SHOW(t));
}
