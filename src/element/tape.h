/* tape.h: an expression of potentials as a postfix list, kept among the parameters of its element: the number of
 * entries, then the entries. Constants and terminals take two, operations one. */
#ifndef RH_ELEMENT_TAPE_H
#define RH_ELEMENT_TAPE_H

#include "element/element.h"

enum { RH_TAPE_MOST = 400, RH_TAPE_DEPTH = 32 }; /* entries; values that wait for their operation */

typedef enum rh_tape_op {
    RH_TAPE_NUMBER, /* and the number */
    RH_TAPE_VOLT,   /* and the terminal */
    RH_TAPE_ADD,
    RH_TAPE_SUB,
    RH_TAPE_MUL,
    RH_TAPE_DIV,
    RH_TAPE_MIN,
    RH_TAPE_MAX,
    RH_TAPE_NEG,
    RH_TAPE_ABS,
    RH_TAPE_EXP,
    RH_TAPE_LN,
    RH_TAPE_SQRT,
    RH_TAPE_TANH,
    RH_TAPE_OPS
} rh_tape_op;

int rh_tape_operands(rh_tape_op op);     /* 0, 1 or 2 */
const char *rh_tape_name(rh_tape_op op); /* of functions: "exp"; NULL: others */
/* Value at the potentials v [n_term] and its slopes [n_term]; finite for |v| up to 1e60 and short expressions. */
double rh_tape_eval(const double *tape, const double *v, double *slope);
/* As SPICE writes it, every operation in parentheses; node [n_term]: "v(n1)" or "0". */
void rh_tape_text(const double *tape, const char *const *node, rh_buf *out);

#endif
