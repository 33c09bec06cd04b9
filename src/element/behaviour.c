/* behaviour.c: a current that is an expression of potentials, with its slopes by forward differentiation. */
#include "element/tape.h"

#include "element/kinds.h"

#include <math.h>

/* Where a function has no value, it goes on as the tangent at this place: a solution is looked for on both sides. */
static const double TINY = 1e-30, MOST = 300;

static const struct {
    const char *name, *infix;
    int operands;
} OPS[RH_TAPE_OPS] = {
    [RH_TAPE_ADD] = { NULL, "+", 2 }, [RH_TAPE_SUB] = { NULL, "-", 2 },     [RH_TAPE_MUL] = { NULL, "*", 2 },
    [RH_TAPE_DIV] = { NULL, "/", 2 }, [RH_TAPE_MIN] = { "min", NULL, 2 },   [RH_TAPE_MAX] = { "max", NULL, 2 },
    [RH_TAPE_NEG] = { NULL, "-", 1 }, [RH_TAPE_ABS] = { "abs", NULL, 1 },   [RH_TAPE_EXP] = { "exp", NULL, 1 },
    [RH_TAPE_LN] = { "ln", NULL, 1 }, [RH_TAPE_SQRT] = { "sqrt", NULL, 1 }, [RH_TAPE_TANH] = { "tanh", NULL, 1 },
};

int rh_tape_operands(rh_tape_op op) { return OPS[op].operands; }
const char *rh_tape_name(rh_tape_op op) { return OPS[op].name; }

typedef struct value {
    double x, d[RH_MAX_TERM];
} value;

static double function(rh_tape_op op, double x, double *slope) {
    const double safe = fmax(x, TINY);
    double y;
    switch (op) {
    case RH_TAPE_NEG: *slope = -1; return -x;
    case RH_TAPE_ABS: *slope = x < 0 ? -1 : 1; return fabs(x);
    case RH_TAPE_EXP: *slope = exp(fmin(x, MOST)); return x > MOST ? *slope * (1 + (x - MOST)) : *slope;
    case RH_TAPE_LN: *slope = 1 / safe; return log(safe) + (x - safe) / safe;
    case RH_TAPE_SQRT: *slope = 0.5 / sqrt(safe); return x >= 0 ? sqrt(x) : x * *slope;
    default:
        y = tanh(x);
        *slope = 1 - y * y;
        return y;
    }
}

/* a op b with the slopes by a and by b. */
static double binary(rh_tape_op op, double a, double b, double *by_a, double *by_b) {
    *by_a = *by_b = 0;
    switch (op) {
    case RH_TAPE_ADD: *by_a = *by_b = 1; return a + b;
    case RH_TAPE_SUB: *by_a = 1, *by_b = -1; return a - b;
    case RH_TAPE_MUL: *by_a = b, *by_b = a; return a * b;
    case RH_TAPE_DIV:
        b = copysign(fmax(fabs(b), TINY), b);
        *by_a = 1 / b;
        *by_b = -a / b / b;
        return a / b;
    case RH_TAPE_MIN: *(a <= b ? by_a : by_b) = 1; return fmin(a, b);
    default: *(a >= b ? by_a : by_b) = 1; return fmax(a, b);
    }
}

double rh_tape_eval(const double *tape, const double *v, double *slope) {
    value stack[RH_TAPE_DEPTH];
    const int n_entry = (int)tape[0];
    int n = 0;
    for (int t = 0; t < RH_MAX_TERM; t++) slope[t] = 0;
    if (n_entry == 0) return 0;
    for (int k = 1; k <= n_entry; k++) {
        const rh_tape_op op = (rh_tape_op)tape[k];
        if (op == RH_TAPE_NUMBER) {
            stack[n++] = (value){ .x = tape[++k] };
        } else if (op == RH_TAPE_VOLT) {
            const int t = (int)tape[++k];
            stack[n] = (value){ .x = v[t] };
            stack[n++].d[t] = 1;
        } else if (OPS[op].operands == 1) {
            double d;
            value *const a = &stack[n - 1];
            a->x = function(op, a->x, &d);
            for (int t = 0; t < RH_MAX_TERM; t++) a->d[t] *= d;
        } else {
            double by_a, by_b;
            value *const a = &stack[n - 2];
            const value *const b = &stack[--n];
            a->x = binary(op, a->x, b->x, &by_a, &by_b);
            for (int t = 0; t < RH_MAX_TERM; t++) a->d[t] = by_a * a->d[t] + by_b * b->d[t];
        }
    }
    for (int t = 0; t < RH_MAX_TERM; t++) slope[t] = stack[0].d[t];
    return stack[0].x;
}

/* ---- as text ---- */

/* Where each operation stands, and where its second operand ends; entries are short, so a stack of places is enough. */
static void put(const double *tape, const int *at, const int *left, int k, const char *const *node, rh_buf *out) {
    const rh_tape_op op = (rh_tape_op)tape[at[k]];
    if (op == RH_TAPE_NUMBER) {
        const double x = tape[at[k] + 1];
        rh_buf_puts(out, signbit(x) ? "(" : "");
        rh_buf_number(out, x);
        rh_buf_puts(out, signbit(x) ? ")" : "");
    } else if (op == RH_TAPE_VOLT) {
        rh_buf_puts(out, node[(int)tape[at[k] + 1]]);
    } else if (OPS[op].operands == 1) {
        rh_buf_printf(out, "%s%s", OPS[op].name ? OPS[op].name : "(-", OPS[op].name ? "(" : "");
        put(tape, at, left, k - 1, node, out);
        rh_buf_puts(out, ")");
    } else {
        rh_buf_printf(out, "%s(", OPS[op].name ? OPS[op].name : "");
        put(tape, at, left, left[k], node, out);
        rh_buf_puts(out, OPS[op].infix ? OPS[op].infix : ",");
        put(tape, at, left, k - 1, node, out);
        rh_buf_puts(out, ")");
    }
}

void rh_tape_text(const double *tape, const char *const *node, rh_buf *out) {
    int at[RH_TAPE_MOST], left[RH_TAPE_MOST], last[RH_TAPE_DEPTH], n = 0, m = 0;
    for (int k = 1; k <= (int)tape[0]; k++) {
        const rh_tape_op op = (rh_tape_op)tape[k];
        at[n] = k;
        left[n] = -1;
        if (OPS[op].operands == 0) k++, m++;
        if (OPS[op].operands == 2) left[n] = last[--m - 1];
        last[m - 1] = n++;
    }
    if (n)
        put(tape, at, left, n - 1, node, out);
    else
        rh_buf_puts(out, "0");
}

/* ---- the kind ---- */

static void eval(const double *par, const double *v, rh_flow *out) {
    double slope[RH_MAX_TERM];
    out->i[0] = rh_tape_eval(par, v, slope);
    out->i[1] = -out->i[0];
    for (int t = 0; t < RH_MAX_TERM; t++) {
        out->g[0][t] = slope[t];
        out->g[1][t] = -slope[t];
    }
}

const rh_kind rh_behaviour = { .letter = 'B',
                               .name = "behavioural source",
                               .what = "a current that is an expression of potentials",
                               .value_name = "expression",
                               .unit = "",
                               .n_term = 4,
                               .flags = RH_NONLINEAR | RH_ONE_WAY | RH_TAPE,
                               .equation = "i = f(v)",
                               .path = { 0, 1 },
                               .eval = eval,
                               .express = rh_tape_text };
