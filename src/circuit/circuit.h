/* circuit: flat arrays of nodes and elements, built once, then immutable. Includes generation and graph diagnosis. */
#ifndef RH_CIRCUIT_H
#define RH_CIRCUIT_H

#include "base/base.h"
#include "element/element.h"
#include "rheo/circuit.h"

/* Compact place of an element: file is an index into circuit->source. line 0: nowhere. */
typedef struct rh_place {
    int line;
    uint16_t col, file;
} rh_place;

/* A source as a function of time (waveform.c). Parameters in the order of the card; those not given have defaults that
 * depend on the analysis: rh_wave_complete. PWL: par[0] is the delay, par[1] the time from which it repeats, or -1. */
typedef enum rh_wave_kind { RH_WAVE_PULSE, RH_WAVE_SIN, RH_WAVE_EXP, RH_WAVE_PWL } rh_wave_kind;
enum { RH_WAVE_PAR = 7 };
typedef struct rh_wave {
    rh_wave_kind kind;
    int n_par; /* given */
    double par[RH_WAVE_PAR];
    int first, n_point; /* PWL: points in circuit->point, times rising */
} rh_wave;

/* A file that a table was read from. */
typedef struct rh_table_file {
    const char *name; /* relative, as messages show it */
    char sha256[65];
    int n_point;
} rh_table_file;

/* A .model card: what elements share. */
typedef struct rh_model {
    const char *name; /* no other model is called so */
    int kind, par;    /* index into RH_KINDS; where its parameters begin in circuit->par, in the order of the kind */
    const char *rest; /* "cjo=4e-12 bv=100": what other programs read on its card; NULL: nothing */
} rh_model;

struct rheo_circuit {
    char *title;          /* never NULL */
    const char *left_out; /* words of its netlist without effect, which are not printed, NULL: none */
    int n_node, n_elem, n_edge;
    char **node_name; /* [n_node], node_name[0] = "0" */
    char **elem_name; /* [n_elem] */
    uint8_t *kind;    /* [n_elem] index into RH_KINDS */
    int (*term)[4];   /* [n_elem] nodes; 2 and 3 are -1 where the kind has two terminals */
    double *value;    /* [n_elem] as on the card: ohm, F, V, A, V/V, S. Negative R allowed unless learnable */
    rh_place *place;  /* [n_elem] */
    int *elem_ctrl;   /* [n_elem] V element whose current controls it; -1: none does */
    int *elem_par;    /* [n_elem] where its parameters begin in par; -1: the kind has none */
    double *par;      /* [n_par] parameters of nonlinear elements, each in the order of its kind */
    int n_par;
    int *elem_model; /* [n_elem] index into model, whose parameters its own ones repeat; -1: none. A resistor that has
                        one is a memristor in the state of that resistance */
    rh_model *model; /* [n_model] */
    int n_model;
    int *elem_wave;        /* [n_elem] index into wave, -1: the value at all times */
    double *elem_ic;       /* [n_elem] V across a capacitor at the start (ic=); NaN: not given */
    int n_wave, n_point;   /* functions of time, and points of all PWL together */
    rh_wave *wave;         /* [n_wave] */
    double (*point)[2];    /* [n_point] s; V or A */
    double tran[4];        /* s: step, stop, start, longest step of .tran; NaN: not given. Defaults for a command */
    bool tran_uic;         /* .tran ... uic */
    int *elem_edge;        /* [n_elem] edge index or -1 */
    int *edge_elem;        /* [n_edge] */
    int *edge_source;      /* [n_edge] V element whose value is the edge's state; -1: its own conductance is */
    int *held_edge;        /* [n_elem] edge whose edge_source this is, -1: none */
    double *g_min, *g_max; /* [n_edge] bounds of the state, S or V; defaults for S 1e-12 and 1e12 */
    double *g_init;        /* [n_edge] state: init=, or 1/resistance, or the value of edge_source */
    double (*pos)[2];      /* [n_node] for pictures; NaN: not given */
    double *ic;            /* [n_node] V from .ic; NaN: not given */
    int n_table;           /* files of tables */
    rh_table_file *table;  /* [n_table] */
    int n_keep;            /* cards kept for later kinds and printing: .model ... as text */
    char **keep;
    int n_source; /* files the circuit came from, for messages */
    rh_source **source;
    rh_map *node_map, *elem_map;
    rh_pool *pool; /* owns all strings above */
};

/* Builder. Every call returns RHEO_E_NOMEM at worst, leaving a builder that can only be destroyed. */
typedef struct rh_builder rh_builder;
rh_builder *rh_builder_create(void);
void rh_builder_destroy(rh_builder *b);
/* Index of the node of that name, added if new. "0" and "gnd" (any case) are ground. -1: out of memory. */
int rh_builder_node(rh_builder *b, const char *name, size_t n);
/* Adds an element; returns its index, -1: out of memory, or -2: the name exists (then *other is that element). */
int rh_builder_element(rh_builder *b, int kind, const char *name, const int term[4], double value, rh_place place,
                       int *other);
int rh_builder_find_element(const rh_builder *b, const char *name, size_t n); /* -1: none */
int rh_builder_find_node(const rh_builder *b, const char *name, size_t n);    /* -1: none */
int rh_builder_n_element(const rh_builder *b);
const char *rh_builder_element_name(const rh_builder *b, int elem);
int rh_builder_element_kind(const rh_builder *b, int elem);
double rh_builder_element_value(const rh_builder *b, int elem);
rh_place rh_builder_element_place(const rh_builder *b, int elem);
const int *rh_builder_element_term(const rh_builder *b, int elem); /* lent until the next element */
int rh_builder_n_node(const rh_builder *b);
const char *rh_builder_node_name(const rh_builder *b, int node);
/* holder [n_node]: the V element that ties a node to one nearer to ground, for nodes that V elements alone hold; -1:
 * other nodes. false: out of memory. */
bool rh_builder_holders(const rh_builder *b, int *holder);
/* Make an element learnable, or change its bounds. NaN keeps the default (or what was set before). */
rheo_status rh_builder_learn(rh_builder *b, int elem, double g_min, double g_max, double g_init);
/* What learns is the value of a V element, the one that holds the gate: g_min, g_max and g_init of elem are volts, and
 * the first two must be given. */
void rh_builder_learn_through(rh_builder *b, int elem, int source);
int rh_builder_through(const rh_builder *b, int elem); /* -1: its own conductance */
/* Parameters of a nonlinear element, in the order of its kind: copied. Without: the defaults. A table is that of its
 * model, which must be said before; elements that differ from the model in nothing share its place. */
rheo_status rh_builder_par(rh_builder *b, int elem, const double *par);
/* The expression of a kind with RH_TAPE: copied. Without: 0. */
rheo_status rh_builder_tape(rh_builder *b, int elem, const double *tape);
/* The model of that kind with those parameters and the table behind them, if there is one (NULL: defaults; those of the
 * element itself do not count), made if there is none. One of the same name but with other contents gets this one
 * called name_2, name_3, ... Its index, -1: out of memory.
 */
int rh_builder_model(rh_builder *b, const char *name, size_t n, int kind, const double *par);
/* The same with what stands on the card besides; models that differ there are two. NULL: nothing. */
int rh_builder_model_card(rh_builder *b, const char *name, size_t n, int kind, const double *par, const char *rest);
/* Says which model a nonlinear element names; its parameters are given by rh_builder_par. Elements without get one when
 * the builder finishes. */
void rh_builder_use_model(rh_builder *b, int elem, int model);
/* Gives elem the model, parameters and expression of an element of the same kind in another circuit. */
rheo_status rh_builder_law_of(rh_builder *b, int elem, const rheo_circuit *c, int other);
const double *rh_builder_model_par(const rh_builder *b, int model); /* lent until the next model or element */
int rh_builder_model_kind(const rh_builder *b, int model);
int rh_builder_model_of(const rh_builder *b, int elem); /* -1: none */
bool rh_builder_is_learnable(const rh_builder *b, int elem);
rheo_status rh_builder_pos(rh_builder *b, int node, double x, double y);
rheo_status rh_builder_ic(rh_builder *b, int node, double volt);
/* Copies. point: of a PWL, else NULL; w->first is set here. Values and points must have been checked. */
rheo_status rh_builder_wave(rh_builder *b, int elem, const rh_wave *w, const double (*point)[2]);
rheo_status rh_builder_elem_ic(rh_builder *b, int elem, double volt);
void rh_builder_ctrl(rh_builder *b, int elem, int source); /* the V element that F or H senses */
int rh_builder_ctrl_of(const rh_builder *b, int elem);     /* -1: none */
void rh_builder_tran(rh_builder *b, const double tran[4], bool uic);
rheo_status rh_builder_title(rh_builder *b, const char *title, size_t n);
rheo_status rh_builder_left_out(rh_builder *b, const char *words, size_t n);
rheo_status rh_builder_keep(rh_builder *b, const char *card, size_t n);
rheo_status rh_builder_table_file(rh_builder *b, const char *name, const char *sha256, int n_point);
/* Takes ownership of src (name and text from rh_alloc) even on failure. Returns its index, -1: out of memory. */
int rh_builder_source(rh_builder *b, rh_source *src);
/* Turns the builder into a circuit and destroys the builder, also on failure. g_init is clipped into [g_min, g_max]. */
rheo_status rh_builder_finish(rh_builder *b, rheo_circuit **out, rheo_error *err);

/* Whether an edge conducts less when its state rises: a P channel, or a source that stands on its head. */
bool rh_edge_falls(const rheo_circuit *c, int edge);
int rh_elem_n_par(const rheo_circuit *c, int elem); /* numbers at its place in par */
/* Currents into the terminals of a nonlinear element at the potentials v [n_node], and their slopes. */
void rh_elem_flow(const rheo_circuit *c, int elem, const double *v, rh_flow *out);
bool rh_circuit_is_linear(const rheo_circuit *c);
bool rh_elem_is_memristor(const rheo_circuit *c, int elem);
/* Place of an element for messages. */
rh_loc rh_elem_loc(const rheo_circuit *c, int elem);
/* For courses in time: warns of models that elements name and that have charges on their cards. */
void rh_warn_of_charges(const rheo_circuit *c, const rheo_log *log);
/* Same nodes (by name), elements (order, kind, terminals, values bit for bit), edges, bounds, positions, ic,
 * functions of time. For tests. */
bool rh_circuit_equal(const rheo_circuit *a, const rheo_circuit *b);

/* parts.c: where what the user wrote is found. -1: a part of an expression, which no card names.
 * node [n_node]: the node itself. elem [n_elem]: the element that takes the current of this one at its terminals:
 * itself, but for B with v= the part that copies the voltage. */
typedef struct rh_parts {
    int *node, *elem;
} rh_parts;
rheo_status rh_parts_find(rh_parts *p, const rheo_circuit *c, rheo_error *err);
void rh_parts_free(rh_parts *p); /* also after a failure */

/* waveform.c */
extern const char *const RH_WAVE_NAMES[]; /* by kind: "PULSE" */
/* With every parameter: PULSE TD 0, TR and TF step, PW and PER infinite; SIN FREQ 1/stop, others 0; EXP TD1 0, TAU1
 * step, TD2 TD1+step, TAU2 step. TR, TF, PER, FREQ, TAU and TD2 of 0 count as not given. The next three take such a
 * wave. */
rh_wave rh_wave_complete(const rh_wave *given, double step, double stop);
bool rh_wave_fits(const rh_wave *w); /* a pulse into its period */
double rh_wave_value(const rh_wave *w, const double (*point)[2], double t);
/* The first time after t where the slope jumps; INFINITY: none. point: circuit->point. */
double rh_wave_next_corner(const rh_wave *w, const double (*point)[2], double t);

/* diagnose.c: linear time, before any number is computed. First fault found, in this order: no ground (E201), island
 * without a DC path to ground (E203; names all its nodes up to 8, and the elements that join it), loop of V and E
 * elements (E205: the elements in order, and by how many volts it is inconsistent), current sources into a cut set
 * (E206). All are RHEO_E_SINGULAR. g: conductances [n_edge] (zero ones do not conduct), source: values [n_elem]; either
 * NULL: the circuit's own. */
rheo_status rh_diagnose(const rheo_circuit *c, const double *g, const double *source, rheo_error *err);

/* gen.c: ready-made topologies. */
typedef struct rh_gen_field {
    const char *name;
    double def, min, max;
    const char *meaning;
    const char *const
        *choices; /* NULL-terminated: the value is the index of a word; NULL: it is a number;
                     RH_GEN_SIZES: a list, of the last field only, in RH_GEN_LIST values, 0 behind its end */
    bool real;    /* false: whole numbers only */
} rh_gen_field;
typedef struct rh_gen_kind {
    const char *name; /* "grid" */
    const char *what;
    const rh_gen_field *fields;
    int n_field;
    rheo_status (*build)(const double *par, uint64_t seed, rh_builder *b, rheo_error *err);
} rh_gen_kind;
enum { RH_GEN_LIST = 8 };
extern const char *const RH_GEN_SIZES[];
extern const rh_gen_kind *const RH_GENS[];
/* How many values build takes. */
int rh_gen_n_par(const rh_gen_kind *kind);
void rh_gen_default(const rh_gen_kind *kind, double *par); /* par [rh_gen_n_par] */
extern const int RH_N_GEN;

#endif
