/* help.c: help from the tables. */
#include "cli/cli.h"
#include "ngspice/ngspice.h"
#include "run/library.h"

enum { COLUMN = 32 };

static void pad(rh_buf *b, size_t from) {
    const size_t used = b->n - from;
    rh_buf_printf(b, "%*s", used + 2 < COLUMN ? (int)(COLUMN - used) : 2, "");
}

static void add_option(rh_buf *b, const rh_option *o) {
    const size_t from = b->n;
    if (o->letter)
        rh_buf_printf(b, "  -%c, --%s", o->letter, o->name);
    else
        rh_buf_printf(b, "      --%s", o->name);
    if (o->type != RH_OPT_FLAG) rh_buf_printf(b, " %s", o->value);
    pad(b, from);
    rh_buf_printf(b, "%s\n", o->help);
}

static void add_options(rh_buf *b, const rh_option *o) {
    for (; o && o->name; o++) add_option(b, o);
}

void rh_help_program(rh_buf *b) {
    rh_buf_puts(b, "rheo: simulator of self-learning resistor and flow networks\n\n"
                   "Usage: rheo <command> [options] [files]\n\nCommands:\n");
    for (int i = 0; rh_command_at(i); i++) {
        const size_t from = b->n;
        rh_buf_printf(b, "  %s", rh_command_at(i)->name);
        pad(b, from);
        rh_buf_printf(b, "%s\n", rh_command_at(i)->summary);
    }
    rh_buf_puts(b, "\nOptions of all commands:\n");
    add_options(b, RH_GLOBAL_OPTIONS);
    rh_buf_puts(b, "\n`rheo <command> --help` tells more, with examples.\n");
}

/* The command's own options and those that its operand brings along. */
static int add_own(rh_buf *b, const rh_cli *cli, const char *title) {
    int n = 0, first = 0;
    while (RH_GLOBAL_OPTIONS[first].name) first++;
    for (int i = first; i < cli->n_option; i++) {
        if (n++ == 0) rh_buf_puts(b, title);
        add_option(b, &cli->option[i]);
    }
    return n;
}

void rh_help_short(rh_buf *b, const rh_cli *cli) {
    const rh_command *const c = cli->command;
    rh_buf_printf(b, "rheo %s: %s\nUsage: rheo %s %s\n", c->name, c->summary, c->name, c->usage);
    add_own(b, cli, "\n");
    rh_buf_printf(b, "\nMore: rheo %s --help\n", c->name);
}

void rh_help_full(rh_buf *b, const rh_cli *cli) {
    const rh_command *const c = cli->command;
    rh_buf_printf(b, "rheo %s: %s\n\nExamples:\n%s\nUsage: rheo %s %s\n", c->name, c->summary, c->examples, c->name,
                  c->usage);
    add_own(b, cli, "\nOptions:\n");
    rh_buf_puts(b, "\nOptions of all commands:\n");
    add_options(b, RH_GLOBAL_OPTIONS);
    if (c->notes) rh_buf_printf(b, "\n%s", c->notes);
    rh_buf_puts(
        b, "\nExit code: 0 done, 1 goal missed, 2 wrong use, 3 bad input, 4 no (unique) solution, 5 input or output\n"
           "failed, 6 out of memory, 7 limit exceeded, 8 internal error, 130 or 143 interrupted.\n");
}

void rh_version_text(rh_buf *b, bool libraries) {
    rh_buf_printf(b, "rheo %s\n", rheo_version());
    for (int i = 0; libraries && i < RH_N_LIBRARY; i++) {
        char text[64];
        RH_LIBRARIES[i].version(text, sizeof text);
        rh_buf_printf(b, "%s %s\n", RH_LIBRARIES[i].name, text);
    }
    if (!libraries) return;
    char text[256];
    rh_ngspice_describe(NULL, text, sizeof text);
    rh_buf_printf(b, "ngspice %s\n", text);
}
