/* deck.h: what the files that write a deck share.
 *
 * deck.c writes network, clocks, teaching and measurements, a level of detail says what one edge is made of: behave.c
 * controlled sources, device.c parts that can be bought. Edges of one type are one subcircuit with parameters. */
#ifndef RH_EXPORT_DECK_H
#define RH_EXPORT_DECK_H

#include "export/export.h"

typedef struct rh_level rh_level;
enum { RH_GATE = 1, RH_BULK = 3 }; /* terminals of a transistor */

typedef struct rh_deck {
    rh_buf b;
    const rheo_experiment *x;
    const rheo_circuit *c;
    const rh_level *level;
    rh_mapping m;
    rh_board board; /* level device */
    rh_timetable t;
    double *wave; /* [n_slot] */
    bool fed;     /* samples come by callback */
    int *touch;   /* [n_node] terminals and ports there */
    rheo_error *err;
} rh_deck;

/* Parameters of an edge, of which its type has those of its first edge as defaults. */
enum { RH_EDGE_PAR = 8 };
typedef struct rh_edge_par {
    int n;
    const char *name[RH_EDGE_PAR];
    double value[RH_EDGE_PAR];
} rh_edge_par;

struct rh_level {
    const char *name;
    const char *meaning; /* comment: what V(w) says of a conductance */
    const char *edge;    /* subcircuit of an edge whose own conductance learns */
    const char *ports;   /* nodes that every edge has beside its own */
    rheo_status (*map)(rh_deck *d);
    rheo_status (*edge_map)(const rh_deck *d, int edge, rh_export_edge *out, rheo_error *err);
    void (*parameters)(const rh_deck *d, int edge, const rh_export_edge *e, rh_edge_par *out);
    void (*type)(rh_deck *d, int edge);   /* the cards between .subckt and .ends */
    void (*common)(rh_deck *d, int edge); /* parameters that all edges of a type share, on the .subckt line */
    void (*parts)(rh_deck *d);            /* subcircuits and models that the types use; NULL: none */
    void (*follow)(rh_deck *d, int elem); /* the storage at the place of the source that held a gate */
    void (*nudge)(rh_deck *d, int o);     /* the cards that pull output o */
    const char *options;                  /* tolerances */
    double enabled;                       /* V at en when the pumps are on */
};
extern const rh_level RH_BEHAVIOURAL, RH_DEVICE;

/* " KEY=number" */
void rh_put_key(rh_deck *d, const char *key, double x);
/* Letter of the kind, _ and the name, first two nodes: "R_R1 n_a 0". */
void rh_put_head(rh_deck *d, char letter, int elem);
/* Model of elem as the deck calls it. */
void rh_put_model(rh_deck *d, int elem);
/* The transistor of an edge that learns through its gate: M1 p g n b. */
void rh_put_transistor(rh_deck *d, int edge);
bool rh_by_gate(const rheo_circuit *c, int edge);

#endif
