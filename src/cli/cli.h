/* cli: the command line. One file per command, one row per command in main.c, one table of options per command.
 *
 * A new command: write src/cli/cmd_name.c with a `const rh_command rh_cmd_name`, declare it below, add it to COMMANDS
 * in main.c. Its run gets the options parsed and checked; it writes data through rh_cli_write, messages through
 * rh_cli_failed, rh_cli_note and cli->log, and returns a status, from which the exit code follows. */
#ifndef RH_CLI_H
#define RH_CLI_H

#include "base/base.h"
#include "rheo/netlist.h"
#include "rheo/run.h"

/* ---- options (options.c) ---- */

typedef enum rh_option_type {
    RH_OPT_FLAG, /* no value */
    RH_OPT_TEXT,
    RH_OPT_NUMBER, /* SPICE number: 10k, 50u */
    RH_OPT_INT,
    RH_OPT_CHOICE, /* one of choices */
} rh_option_type;

typedef struct rh_option {
    const char *name; /* long name: "output"; NULL ends the table */
    char letter;      /* 'o', or 0 */
    rh_option_type type;
    const char *value; /* what --help calls the value: "DIR"; NULL for flags */
    const char *help;
    double min, max;            /* numbers; both 0: any */
    const char *const *choices; /* NULL-terminated */
} rh_option;

enum { RH_MAX_OPTION = 48 };

/* What files a command takes. Of run directories: the directory, or its trained.cir, or its config.yaml. */
enum {
    RH_TAKES_NETLIST = 1,
    RH_TAKES_EXPERIMENT = 2,
    RH_TAKES_RUN = 4,
    RH_TAKES_TRAINED = 8,
    RH_TAKES_CONFIG = 16,
};

typedef struct rh_cli rh_cli;

typedef struct rh_command {
    const char *name, *summary;
    const char *usage;            /* behind "rheo name ": "[options] FILE..." */
    const char *examples;         /* whole lines, each beginning with two blanks */
    const rh_option *options;     /* ends with a row without a name; NULL: none. The global ones need not be listed */
    int min_operand, max_operand; /* max -1: any number */
    rheo_status (*run)(rh_cli *cli);
    /* Options that depend on the first operand, such as those of a generator; may be NULL. Returns how many were put
     * into out; -1: there is no such operand, and run says so. */
    int (*more)(const char *operand, rh_option *out, int max);
    const char *notes; /* a paragraph at the end of --help, or NULL */
    unsigned takes;    /* RH_TAKES_...: what rh_input_find lets through */
} rh_command;

const rh_command *rh_command_at(int i); /* NULL past the last */

/* One given option; the values of an option given more than once are in order of appearance. */
typedef struct rh_given {
    int option; /* row */
    const char *text;
    double number;
} rh_given;

struct rh_cli {
    const rh_command *command;
    rh_option option[RH_MAX_OPTION + 1]; /* global, then the command's, then what the operand brings along */
    int n_option;
    rh_given *given;
    int n_given, cap_given;
    const char **operand;
    int n_operand, cap_operand;
    /* global options */
    bool quiet, verbose, json, color_err, color_out;
    int n_error, n_warning;
    rheo_log log;        /* prints warnings and errors to stderr */
    bool keep_messages;  /* --json of check: messages become lines on stdout as well */
    const char *unknown; /* first operand that the command does not know, by its more */
    rheo_status out;     /* not RHEO_OK once something was not written: no more is */
    int out_errno;       /* and why */
};

extern const rh_option RH_GLOBAL_OPTIONS[];

/* Take arguments apart into cli->given and cli->operand. first_only: stop behind the first operand. *used: arguments
 * taken. What is wrong goes to err as RHEO_E_USAGE. A given flag has the text "-" when its letter was used. */
rheo_status rh_options_parse(rh_cli *cli, int argc, char *const *argv, bool first_only, int *used, rheo_error *err);
/* Values by long name; the last one given wins. A name that is not in the table is our own mistake. */
bool rh_opt_flag(const rh_cli *cli, const char *name);
const char *rh_opt_text(const rh_cli *cli, const char *name, const char *otherwise);
double rh_opt_number(const rh_cli *cli, const char *name, double otherwise);
bool rh_opt_given(const rh_cli *cli, const char *name);
/* The i-th value of an option that may be repeated, NULL past the last. */
const char *rh_opt_nth(const rh_cli *cli, const char *name, int i);
/* All values of a repeated option as an array (rh_free); *n of them. NULL: out of memory. */
const char **rh_opt_all(const rh_cli *cli, const char *name, int *n);

/* Help texts (help.c): of the program, and of cli->command with the options that cli has. */
void rh_help_program(rh_buf *b);
void rh_help_short(rh_buf *b, const rh_cli *cli);
void rh_help_full(rh_buf *b, const rh_cli *cli);
void rh_version_text(rh_buf *b, bool libraries);

/* ---- talking (talk.c) ---- */

/* Write to stdout and free the text. A text that ran out of memory writes nothing: RHEO_E_NOMEM. */
rheo_status rh_cli_write(rh_cli *cli, rh_buf *b);
/* A message that err holds, unless it was shown already. */
void rh_cli_message(rh_cli *cli, rheo_error *e);
/* Shows err as the reason why the command ends with st, and returns st. */
rheo_status rh_cli_failed(rh_cli *cli, rheo_status st, rheo_error *err);
/* A plain line on stderr; nothing with -q. */
void rh_cli_note(const rh_cli *cli, const char *fmt, ...) RHEO_PRINTF(2, 3);
/* Wrong use, with a hint (may be NULL): prints and returns RHEO_E_USAGE. */
rheo_status rh_cli_usage(rh_cli *cli, const char *hint, const char *fmt, ...) RHEO_PRINTF(3, 4);
/* A message as one JSON object, without end of line. */
void rh_json_message(rh_buf *b, const rheo_error *e);
/* ,"key":value */
void rh_json_text(rh_buf *b, const char *key, const char *value);
void rh_json_number(rh_buf *b, const char *key, double value);
void rh_json_count(rh_buf *b, const char *key, long long value);
/* Can path become a file? One that exists is refused without --force, and what is no regular file always: says so. */
rheo_status rh_cli_may_save(rh_cli *cli, const char *path);
/* The file that --output names; NULL: standard output. */
const char *rh_cli_output(const rh_cli *cli);
/* Write text there. */
rheo_status rh_cli_deliver(rh_cli *cli, const char *text);

/* ---- input (input.c) ---- */

/* A row for commands that read netlists or experiments: def->include_dir becomes its values (rh_free). NULL: out of
 * memory. */
#define RH_INCLUDE_DIR                                                                                                \
    {                                                                                                                 \
        "include-dir", 0, RH_OPT_TEXT, "DIR", "folder that .include may read, too, and is searched; may be repeated", \
            0, 0, NULL                                                                                                \
    }
const char **rh_input_dirs(const rh_cli *cli, rheo_netlist_def *def);

/* *path (rh_free): the file to be read for an operand, which is another one when that is a run directory. What the
 * command does not take is refused: the message says what it is and who takes it. What cannot be read is let through.
 * *experiment: read it as one. */
rheo_status rh_input_find(const rh_cli *cli, const char *operand, char **path, bool *experiment, rheo_error *err);
/* The first operand as a circuit. *path (rh_free, also after a failure): what was read. def may be NULL. */
rheo_status rh_input_netlist(rh_cli *cli, const rheo_netlist_def *def, rheo_circuit **c, char **path, rheo_error *err);
/* The first operand as an experiment with these overrides, or with those of --set. */
rheo_status rh_input_experiment(rh_cli *cli, const char *const *set, int n, rheo_experiment **x, rheo_error *err);
/* The same of a file that is known to be one; the folders of --include-dir are added to its own. */
rheo_status rh_input_experiment_file(rh_cli *cli, const char *path, const char *const *set, int n, rheo_experiment **x,
                                     rheo_error *err);
rheo_status rh_input_experiment_set(rh_cli *cli, rheo_experiment **x, rheo_error *err);
/* An experiment has a line that begins with one of its required keys; no netlist card has a colon there. */
bool rh_input_looks_like_experiment(const char *text);

/* ---- interruption (interrupt.c) ---- */

/* First SIGINT or SIGTERM: *rh_interrupt_flag() becomes the signal's number. Second: the process ends at once. */
void rh_interrupt_catch(void);
const volatile int *rh_interrupt_flag(void);

/* ---- progress (progress.c) ---- */

typedef struct rh_bar rh_bar;
rh_bar *rh_bar_create(rh_cli *cli); /* NULL: out of memory */
void rh_bar_destroy(rh_bar *b);     /* wipes the line */
/* part of whole; text stands behind the bar; rate in steps per second. At most ten times per second, but the last one
 * always. */
void rh_bar_show(rh_bar *b, double part, const char *text, double steps, double seconds);

/* ---- commands ---- */
extern const rh_command rh_cmd_check, rh_cmd_solve, rh_cmd_tran, rh_cmd_train, rh_cmd_resume, rh_cmd_tune,
    rh_cmd_gradcheck, rh_cmd_cycle, rh_cmd_gen, rh_cmd_kinds, rh_cmd_explain, rh_cmd_bench, rh_cmd_figure,
    rh_cmd_export, rh_cmd_compare, rh_cmd_cosim, rh_cmd_completions;

#endif
