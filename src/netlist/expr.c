/* expr.c: expressions {...}. Values are looked up as they are needed, so parameters may be defined in any order.
 *
 * Precedence from low to high: ?:  ||  &&  == !=  < <= > >=  + -  * /  unary + - !  ^ ** (to the right). */
#include "netlist/netlist.h"

#include <math.h>

enum { STEPS_EACH = 100000 };               /* operands in one evaluation, functions and parameters included */
static const int64_t STEPS_ALL = 200000000; /* in the whole netlist: some seconds */

typedef struct expr {
    rh_reader *rd;
    rh_cursor *c;
    const rh_frame *f; /* NULL: syntax only */
    const rh_func *fn; /* inside its body */
    const double *arg;
    int64_t until; /* rd->steps may not pass this */
    bool dead;     /* a branch that is not taken: read, not computed */
    bool failed;
    int depth;
} expr;

static double ternary(expr *x);
static double unary(expr *x);
static double eval_body(expr *x, rh_func *fn, const rh_frame *at, const double *arg);

static double fail(expr *x) {
    x->failed = true;
    return NAN;
}

static double fail_at(expr *x, int code, rh_loc at, const char *hint, const char *text) {
    if (!x->failed) rh_bad(x->rd, code, at, hint, "%s", text);
    return fail(x);
}

static bool enter(expr *x) {
    if (x->failed) return false;
    if (++x->depth <= RH_NET_EXPR_DEPTH && ++x->rd->nest <= RH_NET_EVAL_DEPTH) return true;
    rh_bad(x->rd, 506, rh_cursor_loc(x->rd, x->c), "split it into parameters", "expression is nested more than %d deep",
           x->depth > RH_NET_EXPR_DEPTH ? RH_NET_EXPR_DEPTH : RH_NET_EVAL_DEPTH);
    fail(x);
    return false;
}

static double leave(expr *x, double v, int nest) {
    x->depth--;
    x->rd->nest = nest;
    return v;
}

/* ---- functions ---- */

static double f_sgn(double a) { return (a > 0) - (a < 0); }
static double f_u(double a) { return a > 0; }
static double f_uramp(double a) { return a > 0 ? a : 0; }
static double f_pwr(double a, double b) { return f_sgn(a) * pow(fabs(a), b); }
static double f_limit(double a, double lo, double hi) { return fmin(fmax(a, fmin(lo, hi)), fmax(lo, hi)); }

static const struct function {
    const char *name;
    int n_arg;
    double (*f1)(double);
    double (*f2)(double, double);
    double (*f3)(double, double, double);
} FUNCTIONS[] = {
    { "sin", 1, sin, 0, 0 },     { "cos", 1, cos, 0, 0 },       { "tan", 1, tan, 0, 0 },
    { "asin", 1, asin, 0, 0 },   { "acos", 1, acos, 0, 0 },     { "atan", 1, atan, 0, 0 },
    { "arctan", 1, atan, 0, 0 }, { "sinh", 1, sinh, 0, 0 },     { "cosh", 1, cosh, 0, 0 },
    { "tanh", 1, tanh, 0, 0 },   { "asinh", 1, asinh, 0, 0 },   { "acosh", 1, acosh, 0, 0 },
    { "atanh", 1, atanh, 0, 0 }, { "exp", 1, exp, 0, 0 },       { "ln", 1, log, 0, 0 },
    { "log", 1, log, 0, 0 },     { "log10", 1, log10, 0, 0 },   { "sqrt", 1, sqrt, 0, 0 },
    { "abs", 1, fabs, 0, 0 },    { "sgn", 1, f_sgn, 0, 0 },     { "floor", 1, floor, 0, 0 },
    { "ceil", 1, ceil, 0, 0 },   { "int", 1, trunc, 0, 0 },     { "nint", 1, rint, 0, 0 },
    { "u", 1, f_u, 0, 0 },       { "uramp", 1, f_uramp, 0, 0 }, { "atan2", 2, 0, atan2, 0 },
    { "min", 2, 0, fmin, 0 },    { "max", 2, 0, fmax, 0 },      { "pow", 2, 0, pow, 0 },
    { "pwr", 2, 0, f_pwr, 0 },   { "hypot", 2, 0, hypot, 0 },   { "limit", 3, 0, 0, f_limit },
    { "if", 3, 0, 0, 0 },
};

static const struct function *builtin(rh_tok t) {
    for (int k = 0; k < RH_COUNT(FUNCTIONS); k++)
        if (rh_word_is(t, FUNCTIONS[k].name)) return &FUNCTIONS[k];
    return NULL;
}

static const char *function_at(const void *ctx, int i) {
    (void)ctx;
    return i < RH_COUNT(FUNCTIONS) ? FUNCTIONS[i].name : NULL;
}

static double apply(const struct function *fn, const double *a) {
    switch (fn->n_arg) {
    case 1: return fn->f1(a[0]);
    case 2: return fn->f2(a[0], a[1]);
    default: return fn->f3(a[0], a[1], a[2]);
    }
}

/* Result of an operation on finite numbers, which must be finite again. */
static double checked(expr *x, double v, rh_tok at, const double *a, int n) {
    if (x->failed || x->dead || !x->f || isfinite(v)) return v;
    char text[3][32] = { "" }, shown[48];
    for (int k = 0; k < n && k < 3; k++) rh_number_text(a[k], text[k]);
    rh_bad(x->rd, 112, rh_tok_loc(x->rd, at), NULL, "%s(%s%s%s%s%s) is %s", rh_show(at, shown), text[0],
           n > 1 ? ", " : "", text[1], n > 2 ? ", " : "", text[2], isnan(v) ? "not a real number" : "infinite");
    return fail(x);
}

/* Arguments up to the closing parenthesis. Returns their number, -1 after an error. */
static int arguments(expr *x, double *a, int want, bool lazy) {
    int n = 0;
    const bool dead = x->dead;
    for (;;) {
        if (lazy && n > 0) x->dead = dead || (n == 1) != (a[0] != 0);
        const double v = ternary(x);
        x->dead = dead;
        if (x->failed) return -1;
        if (n < want) a[n] = v;
        n++;
        const int ch = rh_skip(x->rd, x->c);
        if (ch == ',' || ch == ')') x->c->at++;
        if (ch == ')') return n;
        if (ch == ',') continue;
        fail_at(x, 20, rh_cursor_loc(x->rd, x->c), NULL, "',' or ')' is missing in the arguments of a function");
        return -1;
    }
}

static bool count_matters(expr *x, rh_tok name, int got, int want) {
    if (got == want) return true;
    char shown[48];
    if (got >= 0)
        rh_bad(x->rd, 110, rh_tok_loc(x->rd, name), NULL, "function '%s' takes %d argument%s, not %d",
               rh_show(name, shown), want, want == 1 ? "" : "s", got);
    fail(x);
    return false;
}

static rh_func *user_function(const rh_frame *f, rh_tok name, const rh_frame **at) {
    for (; f; f = f->up) {
        const int k = rh_lookup(f->def->func_map, name);
        *at = f;
        if (k >= 0) return &f->def->func[k];
    }
    return NULL;
}

static double unknown_function(expr *x, rh_tok name) {
    char word[48], hint[80] = "";
    snprintf(word, sizeof(word), "%.*s", name.n < 40 ? name.n : 40, name.s);
    const char *near = rh_suggest(word, function_at, NULL);
    if (near) snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    char shown[48];
    rh_bad(x->rd, 110, rh_tok_loc(x->rd, name), near ? hint : NULL, "function '%s' is not known", rh_show(name, shown));
    return fail(x);
}

static double call(expr *x, rh_tok name) {
    double a[RH_NET_ARGS] = { 0 };
    const rh_frame *at = NULL;
    x->c->at++; /* the parenthesis */
    rh_func *own = x->f ? user_function(x->f, name, &at) : NULL;
    const struct function *fn = own ? NULL : builtin(name);
    const bool lazy = fn && fn->n_arg == 3 && !fn->f3;
    const int n = arguments(x, a, RH_NET_ARGS, lazy);
    if (n < 0) return fail(x);
    if (!own && !fn) return x->f ? unknown_function(x, name) : 0;
    if (!count_matters(x, name, n, own ? own->n_arg : fn->n_arg)) return NAN;
    if (x->dead || !x->f) return 0;
    if (lazy) return a[0] != 0 ? a[1] : a[2];
    if (!own) return checked(x, apply(fn, a), name, a, n);
    if (own->active) {
        char shown[48];
        rh_bad(x->rd, 111, rh_tok_loc(x->rd, name), NULL, "function '%s' calls itself", rh_show(name, shown));
        return fail(x);
    }
    return eval_body(x, own, at, a);
}

/* ---- names ---- */

static double eval_cursor(expr *outer, rh_cursor c, const rh_frame *f, const rh_func *fn, const double *arg,
                          char close) {
    expr x = { .rd = outer->rd, .c = &c, .f = f, .fn = fn, .arg = arg, .until = outer->until };
    double v = ternary(&x);
    if (!x.failed && close && rh_skip(x.rd, &c) != close) v = fail(&x);
    if (x.failed) outer->failed = true;
    return v;
}

static char closing(rh_cursor *c) {
    const char ch = c->at < c->end ? c->text[c->at] : '\0';
    if (ch != '{' && ch != '\'') return '\0';
    c->at++;
    return ch == '{' ? '}' : '\'';
}

static double eval_body(expr *x, rh_func *fn, const rh_frame *at, const double *arg) {
    const int nest = x->rd->nest;
    if (!enter(x)) return NAN;
    rh_cursor c = fn->body;
    const char close = closing(&c);
    fn->active = true;
    const double v = eval_cursor(x, c, at, fn, arg, close);
    fn->active = false;
    return leave(x, v, nest);
}

/* Value of parameter k of a frame, computed at the first use. */
static double param_value(expr *x, const rh_frame *f, int k, rh_tok use) {
    rh_reader *rd = x->rd;
    rh_param *p = &f->def->par[k];
    rh_value *v = &rd->val[f->par0 + k];
    if (v->state == 2) return v->x;
    char shown[48];
    if (v->state == 1) {
        rh_bad(rd, 108, rh_tok_loc(rd, use), NULL, "parameter '%s' depends on itself", rh_show(use, shown));
        v->state = 3;
    }
    if (v->state == 3 || p->bad) return fail(x);
    v->state = 1;
    const int nest = rd->nest;
    rh_cursor c = p->value;
    const char close = closing(&c);
    const double y = enter(x) ? eval_cursor(x, c, f, NULL, NULL, close) : NAN;
    leave(x, 0, nest);
    v = &rd->val[f->par0 + k]; /* the array may have moved */
    const bool known = v->state == 1 && !x->failed;
    *v = (rh_value){ y, known ? 2 : 3 };
    p->bad = !known; /* the next instance says nothing new */
    return known ? y : fail(x);
}

bool rh_param_exists(const rh_frame *f, rh_tok name) {
    for (; f; f = f->up)
        if (rh_lookup(f->def->par_map, name) >= 0) return true;
    return false;
}

typedef struct param_list {
    const rh_frame *f;
    rh_reader *rd;
} param_list;

static const char *param_at(const void *ctx, int i) {
    const param_list *l = ctx;
    for (const rh_frame *f = l->f; f; f = f->up) {
        if (i < f->def->n_par && i < 1000) {
            const rh_tok t = f->def->par[i].name;
            return rh_pool_strndup(l->rd->pool, t.s, (size_t)(t.n < 60 ? t.n : 60));
        }
        i -= f->def->n_par < 1000 ? f->def->n_par : 1000;
    }
    return NULL;
}

static double unknown_name(expr *x, rh_tok name) {
    char word[48], hint[100] = "", shown[48];
    snprintf(word, sizeof(word), "%.*s", name.n < 40 ? name.n : 40, name.s);
    const param_list l = { x->f, x->rd };
    const char *near = rh_suggest(word, param_at, &l);
    if (near)
        snprintf(hint, sizeof(hint), "did you mean '%s'?", near);
    else if (builtin(name))
        snprintf(hint, sizeof(hint), "it is a function: write %s(...)", word);
    else if (rh_word_is(name, "e"))
        snprintf(hint, sizeof(hint), "write exp(1)");
    else if (x->f->n_path)
        snprintf(hint, sizeof(hint), "a subcircuit sees its own parameters and those of the main circuit");
    rh_bad(x->rd, 107, rh_tok_loc(x->rd, name), hint[0] ? hint : NULL, "parameter '%s' is not defined",
           rh_show(name, shown));
    return fail(x);
}

static double name_value(expr *x, rh_tok name) {
    if (x->dead || !x->f) return 0;
    for (int k = 0; x->fn && k < x->fn->n_arg; k++)
        if (rh_same_word(x->fn->arg[k], name)) return x->arg[k];
    for (const rh_frame *f = x->f; f; f = f->up) {
        const int k = rh_lookup(f->def->par_map, name);
        if (k >= 0) return param_value(x, f, k, name);
    }
    return rh_word_is(name, "pi") ? 3.14159265358979323846 : unknown_name(x, name);
}

/* ---- syntax ---- */

static bool starts_name(int ch) {
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' || (ch >= 0x80 && ch < 256);
}

static rh_tok lex_ident(expr *x) {
    rh_cursor *c = x->c;
    rh_tok t = { .s = c->text + c->at, .file = c->file, .line = c->line, .col = (int)(c->at - c->bol) + 1 };
    while (c->at < c->end) {
        const unsigned char ch = (unsigned char)c->text[c->at];
        if (!starts_name(ch) && !(ch >= '0' && ch <= '9') && ch != '.') break;
        c->at++;
        t.n++;
    }
    return t;
}

/* A number ends at an operator, but 1e-3 goes on behind its sign. */
static double lex_operand(expr *x) {
    rh_cursor part = *x->c;
    const char *const s = part.text + part.at;
    size_t n = 0;
    while (part.at + n < part.end && s[n] && !strchr(" \t\r\n,;=(){}'\"*/^<>?:!&|", s[n])) {
        const bool exponent =
            n > 1 && (s[n - 1] | 0x20) == 'e' && ((s[n - 2] >= '0' && s[n - 2] <= '9') || s[n - 2] == '.');
        if ((s[n] == '+' || s[n] == '-') && n > 0 && !exponent) break;
        n++;
    }
    part.end = part.at + n;
    double v = 0;
    if (!rh_lex_number(x->rd, &part, RH_LEX_LIST, &v)) return fail(x);
    x->c->at = part.at;
    return v;
}

static double missing_operand(expr *x, int ch) {
    const rh_loc at = rh_cursor_loc(x->rd, x->c);
    if (ch == 0 || ch == '}' || ch == '\'' || ch == ')' || ch == ',')
        return fail_at(x, 20, at, NULL, "a number or a name is missing in the expression");
    char text[64], shown[8];
    const char one = (char)ch;
    snprintf(text, sizeof(text), "'%s' cannot stand here in an expression",
             rh_escape(&one, ch < 256, shown, sizeof(shown)));
    return fail_at(x, 20, at, NULL, text);
}

static double group(expr *x) {
    x->c->at++;
    const double v = ternary(x);
    if (x->failed) return v;
    if (rh_skip(x->rd, x->c) != ')')
        return fail_at(x, 20, rh_cursor_loc(x->rd, x->c), NULL, "')' is missing in the expression");
    x->c->at++;
    return v;
}

static double primary(expr *x) {
    const int ch = rh_skip(x->rd, x->c);
    if (++x->rd->steps > x->until || x->rd->steps > STEPS_ALL) {
        const rh_loc at = rh_cursor_loc(x->rd, x->c);
        const char *const what = "the expressions take too many steps";
        if (x->rd->steps > STEPS_ALL)
            rh_bad_limit(x->rd, 507, at, NULL, "%s", what);
        else
            rh_bad(x->rd, 507, at, "functions that call others many times grow quickly", "%s", what);
        return fail(x);
    }
    if ((ch >= '0' && ch <= '9') || ch == '.') return lex_operand(x);
    if (ch == '(') return group(x);
    if (!starts_name(ch)) return missing_operand(x, ch);
    const rh_tok name = lex_ident(x);
    if (rh_skip(x->rd, x->c) == '(') return call(x, name);
    return name_value(x, name);
}

static bool next_is(const expr *x, const char *op) {
    const size_t n = strlen(op);
    return x->c->end - x->c->at >= n && memcmp(x->c->text + x->c->at, op, n) == 0;
}

static rh_tok operator_tok(const expr *x, int n) {
    const rh_cursor *c = x->c;
    return (rh_tok){ .s = c->text + c->at, .n = n, .file = c->file, .line = c->line, .col = (int)(c->at - c->bol) + 1 };
}

static double say_operator(expr *x, rh_tok op, double a, double b, double v) {
    if (x->failed || x->dead || !x->f || isfinite(v)) return v;
    char ta[32], tb[32], shown[48];
    if (op.s[0] == '/' && b == 0)
        rh_bad(x->rd, 112, rh_tok_loc(x->rd, op), NULL, "division by zero");
    else
        rh_bad(x->rd, 112, rh_tok_loc(x->rd, op), NULL, a < 0 ? "(%s) %s %s is %s" : "%s %s %s is %s",
               rh_number_text(a, ta), rh_show(op, shown), rh_number_text(b, tb),
               isnan(v) ? "not a real number" : "infinite");
    return fail(x);
}

/* Powers bind more strongly than a sign before them, and group to the right. (-2)^3 is -8. */
static double power(expr *x) {
    const double base = primary(x);
    if (x->failed) return base;
    rh_skip(x->rd, x->c);
    const int n = next_is(x, "**") ? 2 : next_is(x, "^") ? 1 : 0;
    if (!n) return base;
    const rh_tok op = operator_tok(x, n);
    const int nest = x->rd->nest;
    x->c->at += (size_t)n;
    if (!enter(x)) return NAN;
    const double by = leave(x, unary(x), nest);
    return say_operator(x, op, base, by, x->dead || !x->f ? 0 : pow(base, by));
}

static double unary(expr *x) {
    const int ch = rh_skip(x->rd, x->c), nest = x->rd->nest;
    if ((ch != '-' && ch != '+' && ch != '!') || next_is(x, "!=")) return power(x);
    x->c->at++;
    if (!enter(x)) return NAN;
    const double v = leave(x, unary(x), nest);
    return ch == '-' ? -v : ch == '!' ? v == 0 : v;
}

static const struct binary {
    const char *text;
    int rank;
    char op;
} BINARY[] = {
    /* longer ones first */
    { "||", 1, '|' }, { "&&", 2, '&' }, { "==", 3, '=' }, { "!=", 3, '!' }, { "<=", 4, 'l' }, { ">=", 4, 'g' },
    { "<", 4, '<' },  { ">", 4, '>' },  { "+", 5, '+' },  { "-", 5, '-' },  { "*", 6, '*' },  { "/", 6, '/' },
};

static double combine(char op, double a, double b) {
    switch (op) {
    case '|': return a != 0 || b != 0;
    case '&': return a != 0 && b != 0;
    case '=': return a == b;
    case '!': return a != b;
    case 'l': return a <= b;
    case 'g': return a >= b;
    case '<': return a < b;
    case '>': return a > b;
    case '+': return a + b;
    case '-': return a - b;
    case '*': return a * b;
    default: return a / b;
    }
}

static const struct binary *next_binary(expr *x) {
    const int ch = rh_skip(x->rd, x->c);
    if (ch == 0 || ch > 127 || !strchr("|&=!<>+-*/", ch)) return NULL;
    for (int k = 0; k < RH_COUNT(BINARY); k++)
        if (next_is(x, BINARY[k].text)) return &BINARY[k];
    return NULL;
}

/* Precedence climbing: operators of at least this rank. */
static double binary(expr *x, int rank) {
    double a = unary(x);
    const struct binary *op;
    while (!x->failed && (op = next_binary(x)) != NULL && op->rank >= rank) {
        const int n = (int)strlen(op->text);
        const rh_tok at = operator_tok(x, n);
        const bool dead = x->dead;
        x->c->at += (size_t)n;
        x->dead = dead || (op->op == '|' && a != 0) || (op->op == '&' && a == 0);
        const double b = binary(x, op->rank + 1);
        x->dead = dead;
        a = say_operator(x, at, a, b, combine(op->op, a, b));
    }
    return a;
}

static double ternary(expr *x) {
    const int nest = x->rd->nest;
    if (!enter(x)) return NAN;
    double v = binary(x, 1);
    if (!x->failed && rh_skip(x->rd, x->c) == '?') {
        const bool dead = x->dead, yes = v != 0;
        x->c->at++;
        x->dead = dead || !yes;
        const double a = ternary(x);
        x->dead = dead || yes;
        if (!x->failed && rh_skip(x->rd, x->c) != ':')
            fail_at(x, 20, rh_cursor_loc(x->rd, x->c), NULL, "':' is missing after '?'");
        if (!x->failed) x->c->at++;
        const double b = x->failed ? NAN : ternary(x);
        x->dead = dead;
        v = yes ? a : b;
    }
    return leave(x, v, nest);
}

static bool wrong_end(rh_reader *rd, const rh_cursor *c, int ch, char close) {
    const rh_loc at = rh_cursor_loc(rd, c);
    if (ch == 0) return rh_bad(rd, 21, at, NULL, "the expression is not closed: '%c' is missing", close);
    if (ch == '=') return rh_bad(rd, 20, at, "'==' compares", "'=' cannot stand in an expression");
    if (ch == ',') return rh_bad(rd, 20, at, "a decimal point is a dot", "',' cannot stand here in an expression");
    const rh_tok t = rh_lex_chunk(c);
    char shown[48];
    return rh_bad(rd, 20, rh_tok_loc(rd, t), NULL, "an operator is missing before '%s'", rh_show(t, shown));
}

bool rh_expr_eval(rh_reader *rd, rh_cursor *c, const rh_frame *f, char close, double *value) {
    expr x = { .rd = rd, .c = c, .f = f, .until = rd->steps + STEPS_EACH };
    const double v = ternary(&x);
    if (x.failed) return false;
    if (close) {
        const int ch = rh_skip(rd, c);
        if (ch != close) return wrong_end(rd, c, ch, close);
        c->at++;
    }
    *value = v;
    return true;
}

bool rh_frame_open(rh_reader *rd, rh_frame *f) {
    const int n = f->def->n_par;
    f->par0 = rd->n_val;
    if (n > INT32_MAX - rd->n_val || !rh_grow(&rd->val, &rd->cap_val, rd->n_val + n, sizeof(*rd->val)))
        return rh_no_memory(rd);
    if (n) memset(rd->val + rd->n_val, 0, (size_t)n * sizeof(*rd->val));
    rd->n_val += n;
    return rh_models_open(rd, f);
}

bool rh_frame_eval(rh_reader *rd, const rh_frame *f) {
    bool ok = true;
    for (int k = 0; k < f->def->n_par && !rh_stop(rd); k++) {
        expr x = { .rd = rd, .f = f, .until = rd->steps + STEPS_EACH };
        rh_cursor c = f->def->par[k].value;
        x.c = &c;
        param_value(&x, f, k, f->def->par[k].name);
        ok = ok && !x.failed;
    }
    return ok;
}
