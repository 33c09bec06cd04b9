/* experiment.h: what the files that read an experiment share. Reading itself touches no file: circuit and table come
 * from io. */
#ifndef RH_RUN_EXPERIMENT_H
#define RH_RUN_EXPERIMENT_H

#include "run/run.h"

enum {
    RH_CODE_PORT = 161,      /* no such node or source */
    RH_CODE_DRIVE = 162,     /* not driven by exactly one source */
    RH_CODE_AMBIGUOUS = 163, /* two readings of one name */
    RH_CODE_FIXED = 164,     /* an output that a source holds */
    RH_CODE_TWICE = 165,     /* named twice */
    RH_CODE_NO_EDGE = 166,   /* nothing to learn */
    RH_CODE_RATE = 167,      /* a rate for no edge */
    RH_CODE_CHARGING = 168,  /* a charging law that nothing follows, or a rate beside it */
    RH_CODE_MIX = 174,       /* settings that do not go together */
};

/* Where circuit and table come from. Each fills err on failure; what it has sent to the log itself is marked reported.
 */
typedef struct rh_experiment_io {
    rheo_status (*circuit)(void *user, const char *path, const rheo_netlist_def *def, rheo_circuit **out,
                           const rheo_log *log, rheo_error *err);
    rheo_status (*table)(void *user, const char *path, bool header, rh_csv *out, rheo_error *err);
    rheo_status (*images)(void *user, const rh_csv_task_def *def, rh_task *out, rheo_error *err);
    void *user;
} rh_experiment_io;

/* x: zeroed but for doc, path, folder, cwd, and folders for includes that come from elsewhere. All errors go to the
 * log, the first one also to err. */
rheo_status rh_experiment_build(rheo_experiment *x, const rh_experiment_io *io, const rheo_log *log, rheo_error *err);

/* rh_read_rest for the blocks of settings: a key of another block is told where it belongs (experiment_keys.c). */
rheo_status rh_experiment_rest(const rh_reader *rd, rh_yaml *map, const char *block, const char *const *known,
                               int n_known);
extern const rh_field RH_RUN_FIELDS[];
extern const int RH_N_RUN_FIELD;
extern const rh_field RH_ENGINE_FIELDS[]; /* offsets into rh_engine_def */
extern const int RH_N_ENGINE_FIELD;
extern const char *const RH_DOMAINS[], *const RH_TASK_KINDS[]; /* NULL-terminated */

/* The fields of a kernel as offsets into rh_learn_def; out holds RH_MAX_PAR. Returns their number. */
int rh_kernel_fields(int kernel, rh_field *out);
/* The unit of nudge.strength, and of learning.rate. */
const char *rh_strength_unit(int nudge);
const char *rh_rate_unit(int optimizer, int state);
/* experiment_network.c: the block `network` instead of a netlist, and the ports that a layered network has by itself.
 */
rheo_status rh_experiment_read_network(rheo_experiment *x, const rh_reader *rd, rh_yaml *root);
bool rh_experiment_has_ports(const rheo_experiment *x);
rheo_status rh_experiment_network_inputs(rheo_experiment *x, const rh_reader *rd, rh_yaml *task);
rheo_status rh_experiment_network_outputs(rheo_experiment *x, const rh_reader *rd, rh_yaml *task);
void rh_experiment_put_network(rh_buf *b, const rheo_experiment *x);
/* experiment_rate.c: learning.rates, and what they are for each edge of the circuit. */
rheo_status rh_experiment_read_rates(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning);
rheo_status rh_experiment_resolve_rates(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning);

/* experiment_task.c. The ports are read first; what they are called in the netlist may then be resolved. */
rheo_status rh_experiment_read_ports(rheo_experiment *x, const rh_reader *rd, rh_yaml *task);
rheo_status rh_experiment_read_samples(rheo_experiment *x, const rh_reader *rd, rh_yaml *task,
                                       const rh_experiment_io *io);
/* experiment_port.c: fills in_elem, in_sign and out, by the names in x->task. */
rheo_status rh_experiment_resolve(rheo_experiment *x, rh_report *r);
/* One more folder in which the netlist includes; one that is there already is left out. path is taken over. */
bool rh_experiment_add_include(rheo_experiment *x, char *path, bool absolute);
/* A path of the experiment, relative to its folder; NULL: out of memory. */
char *rh_experiment_path(const rheo_experiment *x, const char *path);
/* Hand an error that was made elsewhere to the report; one without a place gets `at`. */
rheo_status rh_experiment_forward(rh_report *r, rheo_error *e, rh_loc at);

#define RH_REPORT_NOMEM(r) rh_report_error((r), RHEO_E_NOMEM, 501, RH_NOWHERE, NULL, "out of memory")
/* Goes on after an error, since all of them are to be reported; not without memory. */
#define RH_STEP(call)                                    \
    do {                                                 \
        if ((call) == RHEO_E_NOMEM) return RHEO_E_NOMEM; \
    } while (0)

#endif
