/* netlist: text to circuit and back.
 *
 * The text is read twice. scan.c goes over the lines of all files once and sorts the cards into definitions (the main
 * circuit and each .subckt); subckt.c then walks the definitions from the main one, cards.c and the files behind
 * cards.h turn each element card into an element, pragma.c does what the *@ lines say. So cards may stand in any order,
 * and nothing is allocated per word. */
#ifndef RH_NETLIST_H
#define RH_NETLIST_H

#include "circuit/circuit.h"
#include "element/table.h"
#include "element/tape.h"
#include "rheo/netlist.h"

enum {
    RH_NET_FILES = 1024, /* files read, includes counted each time */
    RH_NET_INCLUDE_DEPTH = 32,
    RH_NET_BYTES = 256 << 20, /* of all files together */
    RH_NET_SUBCKT_DEPTH = 64, /* of definitions and of instances */
    RH_NET_EXPR_DEPTH = 200,  /* parentheses within one expression */
    RH_NET_EVAL_DEPTH = 1000, /* the same through parameters and functions, which call one another */
    RH_NET_ARGS = 16,         /* of a .func */
};

/* A word and where it stands. Lent from the text of its file. */
typedef struct rh_tok {
    const char *s;
    int n;
    int file, line, col;
} rh_tok;

/* A place in a logical line. Reading past the end of a physical line goes on behind the '+' (or '*@+') of the next one.
 */
typedef struct rh_cursor {
    const char *text;
    size_t at, end; /* offsets in text */
    size_t bol;     /* where the physical line starts */
    size_t sugar;   /* offset behind the ";@" met on the way, 0: none */
    int sugar_line;
    size_t sugar_bol;
    int line, file;
    bool pragma;
} rh_cursor;

/* A logical line as it is kept between the two readings: 16 bytes. */
typedef struct rh_card {
    uint32_t off, end;
    int line;
    uint16_t file;
    bool bad; /* already reported: other instances of the same card stay silent */
} rh_card;

typedef struct rh_list {
    rh_card *card;
    int n, cap;
} rh_list;

typedef struct rh_def rh_def;

typedef struct rh_param {
    rh_tok name;
    rh_cursor value; /* at the expression */
    bool formal;     /* declared on the .subckt card: an X card may override it */
    bool bad;        /* already reported */
} rh_param;

typedef struct rh_func {
    rh_tok name, arg[RH_NET_ARGS];
    int n_arg;
    rh_cursor body;
    rh_def *def;
    bool active;
} rh_func;

/* The main circuit or a .subckt. */
struct rh_def {
    rh_tok name;
    rh_def *up; /* the definition it stands in; NULL: main circuit */
    int depth;
    rh_tok *port;
    int n_port, cap_port;
    rh_param *par;
    int n_par, cap_par;
    rh_func *func;
    int n_func, cap_func;
    rh_def **sub;
    int n_sub, cap_sub;
    rh_map *port_map, *par_map, *func_map, *sub_map, *model_map; /* NULL while empty */
    rh_list cards, ic, pragmas, models, variants;
    int64_t size;  /* elements and instances after expansion */
    int height;    /* levels of instances below it */
    uint8_t state; /* of counting: 0 not yet, 1 under way, 2 done */
    bool bad;      /* could not be read: instances of it are dropped without another message */
};

/* One instance of a definition while it is expanded. */
typedef struct rh_frame rh_frame;
struct rh_frame {
    rh_def *def;
    const rh_frame *up; /* the instance its definition stands in */
    int par0;           /* first of its parameters in rh_reader.val */
    int node0;          /* first of its ports in rh_reader.node */
    int model0;         /* first of its models in rh_reader.model */
    const char *path;   /* "X1.X2.", "" in the main circuit */
    int n_path, depth;
    int first; /* elements from here on are its own */
};

/* The node behind a port. It is made at its first use, so that ports nobody uses leave no lonely node. */
typedef struct rh_port {
    int node; /* -1: not yet asked for */
    rh_tok name;
    const rh_frame *f; /* where the name is meant */
} rh_port;

/* Value of a parameter: 0 not yet, 1 under way, 2 known, 3 faulty. */
typedef struct rh_value {
    double x;
    uint8_t state;
} rh_value;

enum { RH_MODEL_NEW = -1, RH_MODEL_BAD = -2, RH_MODEL_PLAIN = -3 /* says nothing to rheo */ };

/* Parameters of a model that are not computed: said when the first element names it. */
typedef struct rh_names {
    rh_tok first;
    int n;
    const char *list; /* 'a', 'b' */
} rh_names;

typedef struct rh_untold {
    rh_tok model;                   /* its name on the card; n 0: nothing to tell */
    rh_names idle, absent, unknown; /* without effect on direct current, with one, and not of this type */
    rh_names near;                  /* what the last may have meant */
    int kind;
} rh_untold;

/* An F or H card and the source it senses, which may be defined later. */
typedef struct rh_sense {
    int elem;
    rh_tok name, flat; /* as written, and in full */
} rh_sense;

/* What the pragmas say about an element. */
typedef struct rh_mark {
    double min, max, init; /* NaN: not said */
    rh_place place;        /* line 0: not learnable */
} rh_mark;

/* Points that were read from a file; n 0: it could not be read, which was said. */
typedef struct rh_table {
    int first, n; /* in rh_reader.kept */
} rh_table;

typedef struct rh_reader {
    rheo_netlist_def set;
    rh_report rep;
    rh_builder *b;
    rh_pool *pool;
    rheo_status fatal; /* RHEO_OK, or why reading stopped: out of memory or a limit */
    char **dir;        /* [set.n_include_dir] real paths of the other folders */
    char *root;        /* real path of the folder .include may read; NULL: .include is refused */
    rh_source **src;
    char **real; /* [n_src] real path, "" when there is none */
    int n_src, cap_src, cap_real;
    int stack[RH_NET_INCLUDE_DEPTH + 1], n_stack; /* files being read, main one first */
    int n_read;
    size_t bytes;

    rh_def *main, *def; /* def: where cards go at the moment */
    rh_def **defs;
    int n_def, cap_def;
    bool has_version, ended;
    rh_place first_pragma;

    rh_value *val;
    int n_val, cap_val;
    int *model; /* in the builder; RH_MODEL_NEW: not read yet, RH_MODEL_BAD: was reported */
    int n_model, cap_model;
    rh_untold *untold; /* [n_untold] by model in the builder */
    int n_untold, cap_untold;
    rh_port *node;
    int n_node, cap_node;
    rh_tok *tok; /* stack of words of X cards */
    int n_tok, cap_tok;
    double *arg; /* of the function of time that is being read */
    int n_arg, cap_arg;
    double (*point)[RH_POINT]; /* of the table that is being read */
    int n_point, cap_point;
    rh_table *table; /* from files */
    int n_table, cap_table;
    double (*kept)[RH_POINT];
    int n_kept, cap_kept;
    rh_map *table_map; /* by file and path as written */
    rh_mark *mark;
    int cap_mark;
    bool any_mark;
    rh_tok missing; /* the first .include or .lib that brought nothing; line 0: none */
    rh_tok unused;  /* the first dot card that is not used */
    int n_unused;
    rh_buf unused_names; /* the message about all of them */
    rh_buf left_out;     /* words that have no effect, for who writes the circuit down */
    int *beside;         /* elements that expressions need and no card names, rising */
    int n_beside, cap_beside;
    rh_sense *sense;
    int n_sense, cap_sense;
    rh_map *instance; /* path of each instance: its number in place */
    rh_place *place;
    int n_place, cap_place;
    int64_t name_bytes; /* of everything inside instances */
    rh_map *failed;     /* elements that were reported, so that what refers to them is not */
    rh_map *once;       /* things said once per file */
    rh_buf scratch;
    int64_t steps;   /* of expressions, all together */
    int64_t matches; /* bytes compared with globs */
    int nest;        /* depth of the evaluation under way */
} rh_reader;

/* ---- reader.c ---- */
rh_loc rh_tok_loc(const rh_reader *rd, rh_tok t);
rh_loc rh_cursor_loc(const rh_reader *rd, const rh_cursor *c);
/* Say an error; false, so that `return rh_bad(...)` reads well. */
bool rh_bad(rh_reader *rd, int code, rh_loc at, const char *hint, const char *fmt, ...) RHEO_PRINTF(5, 6);
bool rh_bad_limit(rh_reader *rd, int code, rh_loc at, const char *hint, const char *fmt, ...)
    RHEO_PRINTF(5, 6); /* stops reading */
bool rh_no_memory(rh_reader *rd);
void rh_note(rh_reader *rd, int code, rh_loc at, const char *fmt, ...) RHEO_PRINTF(4, 5);
/* True the first time it is asked about a (static) text. */
bool rh_first(rh_reader *rd, const char *what);
/* Remembers a word that has no effect; each comes here once. */
void rh_leave_out(rh_reader *rd, const char *word);
static inline bool rh_stop(const rh_reader *rd) { return rd->fatal != RHEO_OK || rh_report_full(&rd->rep); }
/* At most 40 bytes of a word, for messages. out has 48 bytes. */
const char *rh_show(rh_tok t, char *out);
#define RH_SHOW(t) rh_show((t), (char[48]){ 0 })
bool rh_word_is(rh_tok t, const char *word); /* letter case ignored */
bool rh_same_word(rh_tok a, rh_tok b);
int rh_lookup(const rh_map *m, rh_tok t);
bool rh_enter(rh_reader *rd, rh_map **m, rh_tok t, int value); /* creates the map when it is needed */
bool rh_twice(rh_reader *rd, rh_tok name, const char *what, rh_place before);
bool rh_push_card(rh_reader *rd, rh_list *l, rh_card c);

/* ---- scan.c ---- */
bool rh_scan(rh_reader *rd, int file);

/* ---- source.c ---- */
/* Takes the text over. Index of the file, -1 after an error. */
int rh_source_add(rh_reader *rd, char *name, char *text, size_t size, char *real);
/* The file that what (".include", "a table") names; -1 after an error. */
int rh_source_include(rh_reader *rd, rh_tok path, int from, const char *what);

/* ---- lex.c ---- */
rh_cursor rh_cursor_at(const rh_reader *rd, const rh_card *card, bool pragma);
/* Skip blanks, comments and line ends. The byte now at the cursor, 0 at the end. */
int rh_skip(rh_reader *rd, rh_cursor *c);
/* The same, and , ( ) as well. */
int rh_skip_separators(rh_reader *rd, rh_cursor *c);
/* Name of a node or an element: up to a blank or a separator; balanced parentheses inside belong to it. Not checked. */
rh_tok rh_lex_name(rh_cursor *c);
/* A keyword: up to a blank, a separator or '='. */
rh_tok rh_lex_word(rh_cursor *c);
/* From the cursor to the next blank: what a message underlines. */
rh_tok rh_lex_chunk(const rh_cursor *c);
/* False and a message if the word cannot be a name. what: "node" or "element". */
bool rh_check_name(rh_reader *rd, rh_tok t, const char *what);
/* What keeps a text from being a name, NULL: nothing. *at, *len: where. */
const char *rh_name_fault(const char *s, size_t n, bool element, int *code, size_t *at, size_t *len);
/* True when '=' follows; then the cursor stands behind it. */
bool rh_lex_equals(rh_reader *rd, rh_cursor *c);
enum { RH_LEX_LIST = 1 /* a comma always separates */, RH_LEX_FARAD = 2 /* warn that F is femto */ };
bool rh_lex_number(rh_reader *rd, rh_cursor *c, unsigned flags, double *x);
/* Number, {expression} or 'expression'. tok is filled with the text of the value; may be NULL. */
bool rh_lex_value(rh_reader *rd, rh_cursor *c, const rh_frame *f, unsigned flags, double *x, rh_tok *tok);
static inline bool rh_starts_value(int ch) {
    return (ch >= '0' && ch <= '9') || ch == '.' || ch == '+' || ch == '-' || ch == '{' || ch == '\'';
}
void rh_unexpected(rh_reader *rd, const rh_cursor *c, const char *after);
/* For a word where none is due: NULL, or what to do when it is a unit behind a blank. */
const char *rh_lex_unit_hint(rh_tok t);

/* ---- expr.c ---- */
/* Evaluate up to `close` ('}' or '\'' or 0: as far as it goes) and step over it. f NULL: only check the syntax. */
bool rh_expr_eval(rh_reader *rd, rh_cursor *c, const rh_frame *f, char close, double *x);
/* Room for the parameters of a frame; then, once overrides are in (state 2), the values of the others. */
bool rh_frame_open(rh_reader *rd, rh_frame *f);
bool rh_frame_eval(rh_reader *rd, const rh_frame *f);
bool rh_param_exists(const rh_frame *f, rh_tok name);

/* ---- cards.c ---- */
void rh_element_card(rh_reader *rd, const rh_frame *f, rh_card *card);
/* .ic and .tran */
void rh_ic_card(rh_reader *rd, const rh_frame *f, rh_card *card);
/* Node of a name inside an instance. add false: -1 if there is none. -2: out of memory. */
int rh_frame_node(rh_reader *rd, const rh_frame *f, rh_tok t, bool add);
/* "R1" inside X1.X2 is "R.X1.X2.R1". Lent until the next call. */
rh_tok rh_flat_name(rh_reader *rd, const rh_frame *f, rh_tok t);
void rh_remember_failed(rh_reader *rd, rh_tok flat);
/* Finds what F and H sense, once all elements are there (cards_control.c). */
void rh_senses_apply(rh_reader *rd);
bool rh_title_is_card(rh_reader *rd, const rh_card *card);
bool rh_is_ground(rh_tok t);

/* ---- model.c ---- */
/* Reads ".model name type(...)" while files are read. */
void rh_model_card(rh_reader *rd, rh_cursor *c, rh_tok card, const rh_card *line);
/* Room for the models of a frame. */
bool rh_models_open(rh_reader *rd, rh_frame *f);
/* The model that an element of this letter names, in the builder; -1 after an error, RH_MODEL_PLAIN: one of R that
 * makes no memristor of it. */
int rh_model_of(rh_reader *rd, const rh_frame *f, rh_tok name, char letter);
bool rh_model_exists(const rh_frame *f, rh_tok name);
bool rh_par_in_range(rh_reader *rd, const rh_par *p, rh_tok at, double x); /* at: the value */
/* Evaluates the models of the main circuit and keeps the cards that no kind of element uses. */
void rh_models_keep(rh_reader *rd, const rh_frame *f);

/* ---- table.c ---- */
/* Points of a table into rd->point: behind file=, and those on the line from the cursor on. */
bool rh_table_read_file(rh_reader *rd, rh_cursor *c, rh_tok key);
bool rh_table_read_points(rh_reader *rd, rh_cursor *c, const rh_frame *f);
/* Parameters, number of points and points one behind the other in rd->arg. at: what to complain about. */
bool rh_table_pack(rh_reader *rd, const double *par, int n_par, rh_tok at);

/* ---- behave.c ---- */
/* An expression as a tape of which RH_TAPE_VOLT counts the nodes of `node`. */
enum { RH_MAX_READ = RH_TAPE_MOST, RH_MAX_SENSED = 16, RH_READS_SENSED = -2 };
typedef struct rh_expression {
    double tape[RH_TAPE_MOST];
    int node[RH_MAX_READ];        /* RH_READS_SENSED - j: the one whose potential is the current of sensed[j] */
    rh_tok sensed[RH_MAX_SENSED]; /* V elements */
    int n_node, n_sensed;
} rh_expression;

/* Compiles the expression of a source. */
bool rh_behave(rh_reader *rd, rh_cursor *c, const rh_frame *f, rh_expression *x);

/* ---- split.c ---- */
/* How many different nodes the expression reads besides own [n_own]. */
int rh_expression_reads(const rh_expression *x, const int *own, int n_own);
/* Moves a part that reads two nodes to `part`, and lets `node` take its place. false: the whole reads no more. */
bool rh_expression_split(rh_expression *x, int node, rh_expression *part);
/* The tape with terminals instead of nodes; term [RH_MAX_TERM]: -1 where one is free for a node that is read. */
void rh_expression_seat(const rh_expression *x, int *term, double *tape);

/* ---- subckt.c ---- */
/* Reads ".subckt name nodes params"; the definition becomes the current one. */
void rh_subckt_open(rh_reader *rd, rh_cursor *c, rh_tok card);
void rh_subckt_close(rh_reader *rd, rh_cursor *c, rh_tok card);
/* Size and height of a definition and of those it uses; refuses recursion and sizes above the limit before anything is
 * built. */
void rh_subckt_count(rh_reader *rd, rh_def *d, int depth);
void rh_expand(rh_reader *rd, rh_frame *f);
/* Reads "name=value ..." of .param and .subckt into the definition. */
bool rh_param_list(rh_reader *rd, rh_def *d, rh_cursor *c, bool formal);

/* ---- pragma.c ---- */
void rh_pragma_scan(rh_reader *rd, rh_card *card);                   /* while files are read: is it the version */
void rh_pragma_run(rh_reader *rd, const rh_frame *f, rh_card *card); /* after an instance is complete */
/* ";@ learn" behind the card of an element; elem -1: a card that cannot learn. */
void rh_pragma_sugar(rh_reader *rd, const rh_frame *f, const rh_cursor *c, int elem);
void rh_pragmas_unused(rh_reader *rd, rh_place first);
void rh_marks_apply(rh_reader *rd);

#endif
