/* run: the experiment (tables of all modules put together), the training loop, the run directory and its checkpoints.
 */
#ifndef RH_RUN_H
#define RH_RUN_H

#include "config/config.h"
#include "learn/learn.h"
#include "machine/machine.h"
#include "rheo/netlist.h"
#include "rheo/run.h"
#include "task/task.h"

enum { RH_MAX_EPOCHS = 1000000000 };

typedef struct rh_run_def {
    int epochs;          /* 100; at most RH_MAX_EPOCHS */
    int batch;           /* 1: online; 0: all training samples */
    bool shuffle;        /* a new order each epoch, by seed. Default true */
    double target_error; /* stop when the training loss is this small; 0: no goal */
    int checkpoint;      /* epochs between checkpoints; 0: only at the end. Default 50 */
    int evaluate;        /* epochs between evaluations. Default 1 */
    int threads;         /* 1 */
} rh_run_def;

/* What lives through a cycle. */
enum { RH_ENGINE_CLOSED, RH_ENGINE_TRANSIENT };
extern const char *const RH_ENGINES[]; /* NULL-terminated */
typedef struct rh_engine_def {
    int engine;       /* RH_ENGINES */
    double tolerance; /* transient: error of the stored conductances in one step, relative. Default 1e-6 */
} rh_engine_def;

struct rheo_experiment {
    rh_document doc; /* text and places */
    char *path, *folder;
    char *netlist;          /* path as written, resolved against folder; NULL: the circuit is that of `network` */
    bool netlist_absolute;  /* as written */
    char **include_dir;     /* [n_include] folders in which the netlist includes too, resolved as netlist is */
    bool *include_absolute; /* [n_include] as written */
    int n_include;
    int network_kind;             /* RH_GENS */
    double *network_par;          /* [rh_gen_n_par] NULL: there is a netlist */
    int64_t network_seed;         /* -1: seed */
    bool own_inputs, own_outputs; /* the task took those of the network */
    int domain;                   /* 0 electrical, 1 hydraulic: only units in print differ */
    int64_t seed;
    int task_kind; /* RH_TASK_KINDS: table, csv, idx, logic */
    rh_task task;
    rh_learn_def learn; /* with the kernel's parameters */
    char *backend;
    const char **rate_glob; /* [n_rate] learning.rates: names of edges, text lent from doc; rows further down win */
    double *rate_value;     /* [n_rate] */
    int n_rate;
    double *edge_rate; /* [n_edge] what that makes of them; learn.edge_rate points here. NULL: one rate for all */
    rh_engine_def engine;
    rh_run_def run;
    char *output; /* resolved against folder; NULL: not given */
    rheo_circuit *circuit;
    int *in_elem; /* ports, resolved by name */
    double *in_sign;
    int (*out)[2];
    rh_csv_task_def csv; /* as read, lent from doc; serves idx files, truth tables and rows with labels as well */
    int *function, n_function, n_variable; /* of truth tables; lent from doc */
    bool labelled;                         /* rows or table name classes (label may also come from one-hot targets) */
    char *cwd;                             /* where relative paths count from, absolute; NULL: not known */
};
/* What a command line adds to the file of an experiment. All lent. */
typedef struct rh_experiment_given {
    const char *const *set; /* [n_set] overrides, as those of rheo_experiment_read */
    int n_set;
    const char *const *include_dir; /* [n_include] folders besides those of include_dirs; count from where we are */
    int n_include;
} rh_experiment_given;
rheo_status rh_experiment_read(rheo_experiment **out, const char *path, const rh_experiment_given *given,
                               const rheo_log *log, rheo_error *err);
/* Adds a line for each column of a CSV task: its extremes in the training rows and what they become (the first eight).
 */
void rh_experiment_tell_columns(rh_buf *b, const rheo_experiment *x);
rh_ports rh_experiment_ports(const rheo_experiment *x);
/* As rheo_experiment_print. beside: for a file in folder (a real path), relative to which paths are that the experiment
 * does not have absolute. settings: without paths and samples, to tell whether two experiments have equal ones. */
rheo_status rh_experiment_print_beside(const rheo_experiment *x, const char *folder, char **text, rheo_error *err);
rheo_status rh_experiment_print_settings(const rheo_experiment *x, char **text, rheo_error *err);
rh_samples rh_experiment_samples(const rheo_experiment *x);
/* What `rheo tune` proposes, as numbers under the names of the settings, and as its text (rheo_text_free). */
enum { RH_MAX_PROPOSED = 5 + RH_MAX_PAR };
typedef struct rh_proposed {
    const char *block, *key;
    double value;
} rh_proposed;
typedef struct rh_proposal {
    rh_tuning tuning;
    int n_sample, n;
    rh_proposed set[RH_MAX_PROPOSED]; /* [n] */
} rh_proposal;
rheo_status rh_propose(const rheo_experiment *x, rh_proposal *p, const rheo_log *log, rheo_error *err);
rheo_status rh_proposal_print(const rheo_experiment *x, const rh_proposal *p, char **text, rheo_error *err);
/* Training samples of which an exported deck measures the error, before its first tooth and after its last one. */
enum { RH_SCORED = 32 };
int rh_experiment_n_scored(const rheo_experiment *x);
/* Sample indices in the order in which an epoch (from 0) shows them: order [n_train]. */
void rh_experiment_order(const rheo_experiment *x, int64_t epoch, int *order);

#endif
