/* split.c: expressions that read more nodes than an element has terminals, cut into parts of two nodes each. */
#include "netlist/netlist.h"

static bool is_one_of(int node, const int *list, int n) {
    for (int j = 0; j < n; j++)
        if (list[j] == node) return true;
    return false;
}

static int index_of(rh_expression *x, int node) {
    for (int j = 0; j < x->n_node; j++)
        if (x->node[j] == node) return j;
    x->node[x->n_node] = node;
    return x->n_node++;
}

/* Entries that an operation or operand takes. */
static int width(double op) { return rh_tape_operands((rh_tape_op)op) == 0 ? 2 : 1; }

int rh_expression_reads(const rh_expression *x, const int *own, int n_own) {
    bool seen[RH_MAX_READ] = { false };
    int n = 0;
    for (int k = 1; k <= (int)x->tape[0]; k += width(x->tape[k])) {
        if (x->tape[k] != RH_TAPE_VOLT) continue;
        const int j = (int)x->tape[k + 1];
        if (seen[j] || is_one_of(x->node[j], own, n_own)) continue;
        seen[j] = true;
        n++;
    }
    return n;
}

/* A value that waits for its operation: where its entries begin, and the nodes that it reads, at most two. */
typedef struct waiting {
    int start, n, node[2];
} waiting;

/* a and b as one; false, with a unchanged: together they read more than two nodes. */
static bool join(waiting *a, const waiting *b) {
    waiting both = *a;
    for (int j = 0; j < b->n; j++) {
        if (is_one_of(b->node[j], both.node, both.n)) continue;
        if (both.n == 2) return false;
        both.node[both.n++] = b->node[j];
    }
    *a = both;
    return true;
}

/* Entries [start, end) become one that reads `node`. */
static void replace(rh_expression *x, int start, int end, int node) {
    const int rest = (int)x->tape[0] + 1 - end;
    const int at = index_of(x, node);
    memmove(x->tape + start + 2, x->tape + end, (size_t)rest * sizeof(double));
    x->tape[start] = RH_TAPE_VOLT;
    x->tape[start + 1] = at;
    x->tape[0] = start + 1 + rest;
}

static void copy(const rh_expression *x, int start, int end, rh_expression *part) {
    part->n_node = 0;
    part->tape[0] = end - start;
    memcpy(part->tape + 1, x->tape + start, (size_t)(end - start) * sizeof(double));
    for (int k = 1; k <= end - start; k += width(part->tape[k]))
        if (part->tape[k] == RH_TAPE_VOLT) part->tape[k + 1] = index_of(part, x->node[(int)part->tape[k + 1]]);
}

bool rh_expression_split(rh_expression *x, int node, rh_expression *part) {
    waiting stack[RH_TAPE_DEPTH];
    int n = 0;
    for (int k = 1; k <= (int)x->tape[0]; k += width(x->tape[k])) {
        const rh_tape_op op = (rh_tape_op)x->tape[k];
        if (rh_tape_operands(op) == 0) {
            stack[n++] = (waiting){ .start = k, .n = op == RH_TAPE_VOLT, .node = { (int)x->tape[k + 1] } };
        } else if (rh_tape_operands(op) == 2 && !join(&stack[n - 2], &stack[n - 1])) {
            const int from = stack[n - 2].start, middle = stack[n - 1].start;
            const bool first = stack[n - 2].n == 2; /* one of them reads two */
            copy(x, first ? from : middle, first ? middle : k, part);
            replace(x, first ? from : middle, first ? middle : k, node);
            return true;
        } else if (rh_tape_operands(op) == 2) {
            n--;
        }
    }
    return false;
}

void rh_expression_seat(const rh_expression *x, int *term, double *tape) {
    memcpy(tape, x->tape, ((size_t)x->tape[0] + 1) * sizeof(double));
    for (int k = 1; k <= (int)tape[0]; k += width(tape[k])) {
        if (tape[k] != RH_TAPE_VOLT) continue;
        int at = 0;
        while (term[at] != x->node[(int)tape[k + 1]] && term[at] >= 0) at++;
        term[at] = x->node[(int)tape[k + 1]];
        tape[k + 1] = at;
    }
    for (int j = 2; j < RH_MAX_TERM; j++)
        if (term[j] < 0) term[j] = term[0];
}
