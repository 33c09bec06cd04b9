/* main.c: rheo <command>. Chooses the command, turns its status into the exit code. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static const rh_command *const COMMANDS[] = {
    &rh_cmd_check,     &rh_cmd_solve,  &rh_cmd_tran,    &rh_cmd_train, &rh_cmd_resume,      &rh_cmd_tune,
    &rh_cmd_gradcheck, &rh_cmd_cycle,  &rh_cmd_gen,     &rh_cmd_kinds, &rh_cmd_explain,     &rh_cmd_bench,
    &rh_cmd_figure,    &rh_cmd_export, &rh_cmd_compare, &rh_cmd_cosim, &rh_cmd_completions,
};

const rh_command *rh_command_at(int i) { return i >= 0 && i < RH_COUNT(COMMANDS) ? COMMANDS[i] : NULL; }

static const char *command_name(const void *ctx, int i) {
    (void)ctx;
    return rh_command_at(i) ? rh_command_at(i)->name : NULL;
}

static const rh_command *find_command(const char *name) {
    for (int i = 0; rh_command_at(i); i++)
        if (strcmp(rh_command_at(i)->name, name) == 0) return rh_command_at(i);
    return NULL;
}

static void emit(void *user, const rheo_error *message) {
    rheo_error copy = *message;
    copy.reported = false;
    rh_cli_message(user, &copy);
}

static void add_options(rh_cli *cli, const rh_option *o) {
    for (; o && o->name && cli->n_option < RH_MAX_OPTION; o++) cli->option[cli->n_option++] = *o;
}

/* Colour when it was asked for, or on a terminal that nobody asked to be plain (https://no-color.org). */
static bool colour(const rh_cli *cli, int fd) {
    const char *const when = rh_opt_text(cli, "color", "auto"), *const no = getenv("NO_COLOR");
    if (strcmp(when, "auto") != 0) return strcmp(when, "always") == 0;
    return isatty(fd) && !(no && *no);
}

static void apply_globals(rh_cli *cli) {
    cli->quiet = rh_opt_flag(cli, "quiet");
    cli->verbose = rh_opt_flag(cli, "verbose");
    cli->json = rh_opt_flag(cli, "json");
    cli->color_err = colour(cli, STDERR_FILENO);
    cli->color_out = colour(cli, STDOUT_FILENO);
}

/* Options of the command, and of its first operand where that brings some. */
static void set_command(rh_cli *cli, const rh_command *c, const char *operand) {
    cli->command = c;
    add_options(cli, c->options);
    if (!c->more || !operand || operand[0] == '-') return;
    const int n = c->more(operand, cli->option + cli->n_option, RH_MAX_OPTION - cli->n_option);
    if (n < 0) cli->unknown = operand;
    cli->n_option += n < 0 ? 0 : n;
}

static rheo_status show_help(rh_cli *cli, bool brief) {
    rh_buf b = { 0 };
    if (!cli->command)
        rh_help_program(&b);
    else if (brief)
        rh_help_short(&b, cli);
    else
        rh_help_full(&b, cli);
    return rh_cli_write(cli, &b);
}

static rheo_status unknown_command(rh_cli *cli, const char *word) {
    char shown[80], hint[80];
    const char *const near = rh_suggest(word, command_name, NULL);
    if (near)
        snprintf(hint, sizeof hint, "did you mean `rheo %s`?", near);
    else
        snprintf(hint, sizeof hint, "`rheo --help` lists the commands");
    return rh_cli_usage(cli, hint, "unknown command '%s'", rh_escape(word, strlen(word), shown, sizeof shown));
}

static rheo_status no_command(rh_cli *cli) {
    rh_buf b = { 0 };
    if (rh_opt_flag(cli, "version")) {
        rh_version_text(&b, cli->verbose);
        return rh_cli_write(cli, &b);
    }
    if (rh_opt_flag(cli, "help")) return show_help(cli, false);
    rh_help_program(&b);
    if (!b.bad) fputs(b.s, stderr);
    rh_buf_free(&b);
    return RHEO_E_USAGE;
}

static rheo_status check_operands(rh_cli *cli) {
    const rh_command *const c = cli->command;
    char hint[160];
    snprintf(hint, sizeof hint, "usage: rheo %s %s", c->name, c->usage);
    if (cli->n_operand < c->min_operand) return rh_cli_usage(cli, hint, "rheo %s: something is missing", c->name);
    if (c->max_operand >= 0 && cli->n_operand > c->max_operand)
        return rh_cli_usage(cli, hint, "rheo %s: '%s' is too much", c->name, cli->operand[c->max_operand]);
    return RHEO_OK;
}

/* Help is given whatever else the line says, so look for it before judging. */
static bool wants_help(int argc, char *const *argv, bool *brief) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++) {
        *brief = strcmp(argv[i], "-h") == 0;
        if (*brief || strcmp(argv[i], "--help") == 0) return true;
    }
    return false;
}

static rheo_status run_command(rh_cli *cli, int argc, char *const *argv) {
    rheo_error err = { 0 };
    bool brief = false;
    if (wants_help(argc, argv, &brief) && !cli->unknown) return show_help(cli, brief);
    if (cli->unknown) { /* whatever else the line says */
        if (!rh_grow(&cli->operand, &cli->cap_operand, 1, sizeof *cli->operand)) return RH_NOMEM(&err);
        cli->operand[0] = cli->unknown;
        cli->n_operand = 1;
        return cli->command->run(cli);
    }
    int used;
    const rheo_status st = rh_options_parse(cli, argc, argv, false, &used, &err);
    apply_globals(cli);
    if (st != RHEO_OK) return rh_cli_failed(cli, st, &err);
    RHEO_TRY(check_operands(cli));
    return cli->command->run(cli);
}

/* "rheo help", "rheo help train" */
static rheo_status help(rh_cli *cli, const char *about, const char *operand) {
    if (!about) return show_help(cli, false);
    const rh_command *const c = find_command(about);
    if (!c) return unknown_command(cli, about);
    set_command(cli, c, operand);
    return show_help(cli, false);
}

static rheo_status run(rh_cli *cli, int argc, char *const *argv) {
    rheo_error err = { 0 };
    int used = 0;
    add_options(cli, RH_GLOBAL_OPTIONS);
    const rheo_status st = rh_options_parse(cli, argc, argv, true, &used, &err);
    apply_globals(cli);
    if (st != RHEO_OK) return rh_cli_failed(cli, st, &err);
    if (cli->n_operand == 0) return no_command(cli);
    const char *const word = cli->operand[--cli->n_operand]; /* argv ends with NULL, so argv[used] may be looked at */
    if (strcmp(word, "help") == 0) return help(cli, argv[used], argv[used] ? argv[used + 1] : NULL);
    const rh_command *const c = find_command(word);
    if (!c) return unknown_command(cli, word);
    set_command(cli, c, argv[used]);
    if (!rh_opt_flag(cli, "help")) return run_command(cli, argc - used, argv + used);
    return show_help(cli, strcmp(rh_opt_text(cli, "help", ""), "-") == 0);
}

/* An empty standard descriptor would be given to the next file that is opened, and messages would end in it. The wrong
 * direction makes reading and writing fail as it should. */
static void fill_descriptors(void) {
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) < 0) return;
}

static void summarise(const rh_cli *cli) {
    if (cli->n_error + cli->n_warning < 2 || (cli->quiet && cli->n_error < 2)) return;
    fprintf(stderr, "%d error%s, %d warning%s\n", cli->n_error, cli->n_error == 1 ? "" : "s", cli->n_warning,
            cli->n_warning == 1 ? "" : "s");
}

static int exit_code(rheo_status st) {
    const int number = *rh_interrupt_flag();
    return st == RHEO_E_INTERRUPTED && number ? 128 + number : rheo_status_exit_code(st);
}

/* Only closing tells whether all that was written has arrived. A reader that went away wanted no more: no message. */
static rheo_status close_stdout(rh_cli *cli) {
    errno = 0;
    if (fclose(stdout) != 0 && cli->out == RHEO_OK) {
        cli->out = RHEO_E_IO;
        cli->out_errno = errno;
    }
    if (cli->out == RHEO_E_IO && cli->out_errno != EPIPE)
        fprintf(stderr, "rheo: error: cannot write to standard output: %s\n", strerror(cli->out_errno));
    return cli->out;
}

int main(int argc, char **argv) {
    fill_descriptors();
    signal(SIGPIPE, SIG_IGN); /* writing into a closed pipe is an error like others */
    rh_cli cli = { 0 };
    cli.log = (rheo_log){ emit, &cli };
    rheo_status st = run(&cli, argc > 0 ? argc - 1 : 0, argv + (argc > 0));
    if (close_stdout(&cli) != RHEO_OK && (st == RHEO_OK || st == RHEO_E_GOAL)) st = cli.out;
    summarise(&cli);
    rh_free(cli.given);
    rh_free(cli.operand);
    return exit_code(st);
}
