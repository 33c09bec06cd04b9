/* cards.h: what the files that read element cards share. cards.c reads nodes and adds the element; cards_values.c reads
 * value, model and parameters, cards_source.c functions of time, cards_control.c what controls a source. */
#ifndef RH_NETLIST_CARDS_H
#define RH_NETLIST_CARDS_H

#include "netlist/netlist.h"

typedef struct rh_card_reader {
    rh_reader *rd;
    const rh_frame *f;
    rh_cursor c;
    rh_tok name, last; /* last: the node read last */
    rh_tok sensed;     /* F and H: the source */
    const rh_kind *kind;
    int kind_at, model; /* index of kind; model in the builder, -1: none */
    char letter;
    bool has_value, has_wave;
    bool has_par[RH_KIND_PAR];
    double par[RH_KIND_PAR]; /* of a kind with a model */
    double value, ic;        /* ic NaN: not given */
    rh_wave wave;            /* its points and parameters are in rd->arg */
} rh_card_reader;

/* All return false after a message. */
/* ---- cards.c ---- */
bool rh_card_missing(rh_card_reader *k, int n_node); /* something behind n_node nodes: the message */
bool rh_card_node(rh_card_reader *k, int j, int *node);
bool rh_card_duplicate(rh_reader *rd, rh_tok name, int other);
bool rh_card_add(rh_card_reader *k, const int *term);

/* ---- cards_values.c ---- */
bool rh_card_par(rh_card_reader *k, rh_tok t); /* the cursor stands behind the '=' */
bool rh_card_is_par(const rh_card_reader *k, rh_tok t);
bool rh_card_plain(rh_card_reader *k); /* R, C, E, F, G and H */
bool rh_card_model(rh_card_reader *k); /* D, M, Q and S */

/* ---- cards_source.c ---- */
bool rh_card_source(rh_card_reader *k);

/* ---- cards_control.c ---- */
/* E and G with anything but a constant gain: true after a message. */
bool rh_card_nonlinear(rh_card_reader *k, rh_tok t, bool equals);
bool rh_card_sensed(rh_card_reader *k);
bool rh_card_remember_sensed(rh_card_reader *k, int e);
bool rh_card_takes_expression(const rh_card_reader *k);
bool rh_card_behavioural(rh_card_reader *k);

#endif
