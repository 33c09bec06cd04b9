/* export: an experiment as a SPICE deck that learns by itself.
 *
 * mapping.c turns the numbers of the experiment into values of parts and into a timetable, board.c those of parts that
 * can be bought; deck.c writes the cards, behave.c and device.c one edge at either level of detail, wave.c the sources
 * that show one sample after another. Only names that rh_export_name made reach the deck. */
#ifndef RH_EXPORT_H
#define RH_EXPORT_H

#include "circuit/circuit.h"
#include "rheo/export.h"
#include "run/run.h"

/* Codes of the catalogue. */
enum {
    RH_CODE_LEVEL = 340,   /* level of detail */
    RH_CODE_NO_DECK = 341, /* a setting that the deck cannot realise */
    RH_CODE_SWING = 342,   /* bounds that leave the stored voltage too small */
    RH_CODE_LONG = 343,    /* too many teeth or points */
    RH_CODE_PART = 344,    /* what no part of the device level can do */
};

enum {
    RH_EXPORT_CHUNK = 100,     /* changes in one PWL source: programs read long ones in quadratic time */
    RH_EXPORT_TEETH = 1000000, /* most */
    RH_EXPORT_POINTS = 5000000,
};

/* Values of the parts of every edge; what depends on its bounds is in rh_export_edge. */
typedef struct rh_mapping {
    double v_square;                   /* V: the squarer gives drop^2/v_square */
    double r_memory, c_memory, r_leak; /* ohm, F, ohm (infinite: no leak): the high-pass */
    double threshold, edge;            /* V at its output: dead zone, and the width of its rims (0: none) */
    double c_store, r_store;           /* F, ohm: storage and its own leak */
    double pump;                       /* A/V times S/V: GM*KG at a rate of 1 */
    double clamp;                      /* S: conductance of a full nudge */
    bool cubic;
} rh_mapping;

/* What is stored on an edge: g = g_floor + kg (V(w) - v_off), or the voltage of its gate. */
typedef struct rh_export_edge {
    double kg;                  /* S/V; 1 where V(w) is the gate's */
    double g_floor, v_off;      /* S, V: not 0 on the device level only */
    double gm;                  /* S: pump */
    double w_min, w_max, w_now; /* V */
} rh_export_edge;

#define RH_BOARD_VT 0.75      /* V: threshold of the transistors that serve as resistors */
#define RH_BOARD_VTH 25.87e-3 /* V: thermal voltage in a transconductance amplifier */
#define RH_BOARD_VB 1.2       /* V: two diodes at its bias pin */
/* What the device level is built with, beside the mapping. Volts here are those on the board. */
typedef struct rh_board {
    double scale;     /* V on the board per V of the experiment */
    double top;       /* V: largest drop */
    double gain;      /* of the amplifier before the squarer */
    double amplify;   /* of the one behind the memory */
    double threshold; /* V: what it gives at the edge of the dead zone */
} rh_board;
rheo_status rh_export_board(const rheo_experiment *x, rh_board *b, rh_mapping *m, rheo_error *err);
rheo_status rh_export_board_edge(const rheo_experiment *x, const rh_board *b, const rh_mapping *m, int edge,
                                 rh_export_edge *out, rheo_error *err);
/* A: bias of the amplifier that is the pump of an edge. */
double rh_export_bias(const rh_board *b, const rh_export_edge *e);

/* One slot per sample: dwell, move, dwell, tooth, dwell. Seconds. */
typedef struct rh_timetable {
    double dwell, move, rise, flat, fall;
    double shut;         /* how long the gate takes to close once the tooth has ended */
    double tooth;        /* where the tooth begins in its slot */
    double period;       /* of a slot */
    int n_scored;        /* slots before, and again after the teeth */
    int n_teeth, n_slot; /* n_slot = n_scored + n_teeth + n_scored */
    int *sample;         /* [n_slot] */
    bool gate;           /* learning is off while samples change */
} rh_timetable;

/* What a deck can do; the first setting it cannot goes to err. */
rheo_status rh_export_check(const rheo_experiment *x, rheo_error *err);
void rh_export_map(const rheo_experiment *x, rh_mapping *m);
/* The same with a squarer of that v_square and that storage. */
void rh_export_map_with(const rheo_experiment *x, double v_square, double c_store, rh_mapping *m);
/* The largest voltage that the task speaks of, V. */
double rh_export_largest(const rheo_experiment *x);
rheo_status rh_export_edge_map(const rheo_experiment *x, const rh_mapping *m, int edge, rh_export_edge *out,
                               rheo_error *err);
/* GM*KG of an edge: its own rate, below 0 where it conducts less as what is stored rises. */
double rh_export_pump(const rheo_experiment *x, const rh_mapping *m, int edge);
/* t->sample is to be freed. */
rheo_status rh_export_times(const rheo_experiment *x, long teeth, rh_timetable *t, rheo_error *err);

/* The deck for a program that calls back for the samples (sources vext1.., inputs first, then targets) and writes down
 * rh_export_vectors at the end of every slot: no measurements, no lists. text: rheo_text_free. */
rheo_status rh_export_fed(const rheo_experiment *x, const rh_timetable *t, char **text, rheo_error *err);
/* One name per line: what is stored on the edges, then the mean square error. */
void rh_export_vectors(const rheo_experiment *x, rh_buf *b);

/* Letters and digits as they are, _ too unless x follows, other bytes as _xHH: different names stay different. */
void rh_export_name(rh_buf *b, const char *name);
/* Node: n_ and the name; ground is 0. */
void rh_export_node(rh_buf *b, const rheo_circuit *c, int node);

/* A source that shows x [n_slot], in pieces that add up: in series for V, side by side for I. name, p and n are texts
 * for the deck. */
void rh_export_wave(rh_buf *b, const rh_timetable *t, char letter, const char *name, const char *p, const char *n,
                    const double *x);

#endif
