/* rheo/netlist.h: netlists in, netlists out. The dialect: docs/netlist.md.
 *
 * Files are untrusted: nothing in one makes the reader crash, hang, run a command or read a file outside the root. */
#ifndef RHEO_NETLIST_H
#define RHEO_NETLIST_H

#include "rheo/circuit.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rheo_netlist_def {
    const char *root;               /* folder that .include may read below; NULL: the folder of the main file */
    const char *const *include_dir; /* [n_include_dir] folders below which .include may read as well, and in which it
                                       looks for what does not lie beside the file; lent. NULL: none */
    int n_include_dir;
    int max_error;       /* stop after so many messages. Default 20 */
    int64_t max_element; /* elements after expansion. Default 5 000 000 */
    bool allow_short;    /* a resistor of 0 ohm becomes 1 mohm with a warning, as in ngspice. Default false */
    bool lenient;        /* unknown dot cards are warnings. Default false */
    int cookie;          /* set by rheo_netlist_default() */
} rheo_netlist_def;
RHEO_API rheo_netlist_def rheo_netlist_default(void);

/**
 * Read a netlist file ("-": standard input).
 * @param def   NULL: defaults
 * @param log   gets every warning and every error (up to max_error); may be NULL
 * @param err   the first error
 * @return      RHEO_OK, RHEO_E_PARSE, RHEO_E_RANGE, RHEO_E_IO, RHEO_E_LIMIT, RHEO_E_NOMEM; *out is set on success only
 */
RHEO_API rheo_status rheo_netlist_read(rheo_circuit **out, const char *path, const rheo_netlist_def *def,
                                       const rheo_log *log, rheo_error *err);
/** The same from memory; name is what messages show. .include is refused unless def->root is set. text need not end in
 * NUL. */
RHEO_API rheo_status rheo_netlist_parse(rheo_circuit **out, const char *text, size_t size, const char *name,
                                        const rheo_netlist_def *def, const rheo_log *log, rheo_error *err);
/**
 * The circuit as a flat netlist that rheo reads back equal and every SPICE runs.
 * @param g     conductances [n_edge] S to write instead of the circuit's own; NULL: its own
 * @param text  NUL-terminated, to be given back with rheo_text_free
 */
RHEO_API rheo_status rheo_netlist_print(char **text, const rheo_circuit *c, const double *g, rheo_error *err);
RHEO_API void rheo_text_free(char *text);

#ifdef __cplusplus
}
#endif
#endif
