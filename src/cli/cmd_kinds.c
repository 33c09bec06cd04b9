/* rheo kinds: what there is to choose from. Walks the tables, so a new row shows up by itself. */
#include "circuit/circuit.h"
#include "cli/cli.h"
#include "learn/learn.h"
#include "solver/outside.h"

#include <strings.h>

static void add_limit(rh_buf *b, double x) {
    char text[32];
    rh_buf_puts(b, rh_number_text(x, text));
}

static void add_range(rh_buf *b, const char *unit, double def, double min, double max) {
    rh_buf_puts(b, "(");
    add_limit(b, def);
    rh_buf_puts(b, "; ");
    add_limit(b, min);
    rh_buf_puts(b, " to ");
    add_limit(b, max);
    rh_buf_printf(b, "%s%s)\n", unit && *unit ? " " : "", unit ? unit : "");
}

static void add_elements(rh_buf *b) {
    static const char *const WHERE[] = { ".model", "*@ model", "card" };
    for (int i = 0; i < RH_N_KIND; i++) {
        const rh_kind *const k = RH_KINDS[i];
        rh_buf_printf(b, "  %c  %-28s %-12s %-6s %-24s %s%s\n", k->letter, k->name, k->value_name, k->unit, k->equation,
                      k->what, k->flags & RH_LEARNABLE ? " (learnable)" : "");
        if (k->variant)
            rh_buf_printf(b, "    .model NAME %s(...) and *@ model NAME %s ...\n", k->model, k->variant);
        else if (k->model)
            rh_buf_printf(b, "    .model NAME %s(...)\n", k->model);
        for (int j = 0; j < k->n_par; j++) {
            const rh_par *const p = &k->par[j];
            rh_buf_printf(b, "    %-8s %-8s %s ", p->name, WHERE[p->of], p->meaning);
            add_range(b, strcmp(p->unit, "1") ? p->unit : NULL, p->def, p->min, p->max);
        }
    }
}

static void add_generators(rh_buf *b) {
    for (int i = 0; i < RH_N_GEN; i++) {
        rh_buf_printf(b, "  %-18s %s\n", RH_GENS[i]->name, RH_GENS[i]->what);
        for (int k = 0; k < RH_GENS[i]->n_field; k++) {
            const rh_gen_field *const f = &RH_GENS[i]->fields[k];
            rh_buf_printf(b, "    %-16s %s ", f->name, f->meaning);
            for (int j = 0; f->choices && f->choices[j]; j++)
                rh_buf_printf(b, "%s%s%s", j ? ", " : "(", f->choices[j], f->choices[j + 1] ? "" : ")\n");
            if (f->choices == RH_GEN_SIZES) rh_buf_puts(b, "(a list)\n");
            if (!f->choices) add_range(b, NULL, f->def, f->min, f->max);
        }
    }
}

/* A tab parts what it does and when to choose it: add_json makes two keys of that, add_plain a semicolon. */
static void add_meaning(rh_buf *b, const char *name, rh_meaning m) {
    rh_buf_printf(b, "  %-18s %s\t%s\n", name, m.what, m.when);
}

static void add_kernels(rh_buf *b) {
    for (int i = 0; i < RH_N_KERNEL; i++) {
        const rh_kernel *const k = RH_KERNELS[i];
        add_meaning(b, k->name, k->meaning);
        rh_buf_printf(b, "  %-18s %s\n", "", k->equation);
        for (int j = 0; j < k->n_field; j++) {
            const rh_kernel_field *const f = &k->fields[j];
            rh_buf_printf(b, "    %-16s %s ", f->name, f->meaning);
            add_range(b, f->unit, f->def, f->min, f->max);
        }
    }
}

static void add_protocols(rh_buf *b) {
    for (int i = 0; i < RH_N_PROTOCOL; i++) add_meaning(b, RH_PROTOCOLS[i]->name, RH_PROTOCOLS[i]->meaning);
}

static void add_choices(rh_buf *b, const char *const *names, rh_meaning (*meaning)(int)) {
    for (int i = 0; names[i]; i++) add_meaning(b, names[i], meaning(i));
}

static void add_nonlinearities(rh_buf *b) { add_choices(b, RH_NONLINEARITIES, rh_nonlinearity_meaning); }
static void add_rules(rh_buf *b) { add_choices(b, RH_RULES, rh_rule_meaning); }
static void add_nudges(rh_buf *b) { add_choices(b, RH_NUDGES, rh_nudge_meaning); }
static void add_losses(rh_buf *b) { add_choices(b, RH_LOSSES, rh_loss_meaning); }
static void add_fields(rh_buf *b, const rh_field *f, int n) {
    for (int i = 0; i < n; i++) {
        if (f[i].type == RH_CHOICE) continue;
        rh_buf_printf(b, "    %-16s %s ", f[i].name, f[i].meaning);
        add_range(b, f[i].unit, f[i].def, f[i].min, f[i].max);
    }
}
static void add_optimizers(rh_buf *b) {
    add_choices(b, RH_OPTIMIZERS, rh_optimizer_meaning);
    add_fields(b, RH_LEARNING_FIELDS, RH_N_LEARNING_FIELD);
}
static void add_states(rh_buf *b) { add_choices(b, RH_STATES, rh_state_meaning); }
static void add_charging(rh_buf *b) {
    rh_buf_puts(b, "  charging           gates: dV = pulse/(resistance capacitance v0) (V_free^2 - V_clamped^2)\n");
    add_fields(b, RH_CHARGING_FIELDS, RH_N_CHARGING_FIELD);
}
static void add_schedules(rh_buf *b) {
    add_choices(b, RH_SCHEDULES, rh_schedule_meaning);
    add_fields(b, RH_SCHEDULE_FIELDS, RH_N_SCHEDULE_FIELD);
}
static void add_sides(rh_buf *b) { add_choices(b, RH_SIDES, rh_side_meaning); }
static void add_betweens(rh_buf *b) { add_choices(b, RH_BETWEENS, rh_between_meaning); }

static void add_solvers(rh_buf *b) {
    for (int i = 0; i < RH_N_MATRIX; i++)
        rh_buf_printf(b, "  %-18s %s\n", RH_MATRICES[i]->name,
                      RH_MATRICES[i]->unsymmetric ? "sparse LU, any circuit" : "sparse Cholesky, reciprocal circuits");
    rh_buf_printf(b, "  %-18s %s\n", RH_OUTSIDE, "operating points by ngspice, confined in a process of its own");
}

static const struct {
    const char *name, *title;
    void (*add)(rh_buf *b);
} TABLES[] = {
    { "elements", "letter, name, value, unit, equation", add_elements },
    { "generators", "networks for `rheo gen`", add_generators },
    { "kernels", "memory.kind: what an edge remembers", add_kernels },
    { "protocols", "protocol.kind: how the clamping level moves", add_protocols },
    { "betweens", "protocol.between: what happens when the sample changes", add_betweens },
    { "nonlinearities", "memory.nonlinearity: what u writes", add_nonlinearities },
    { "rules", "learning.rule", add_rules },
    { "nudges", "learning.nudge.kind: how the outputs are pulled", add_nudges },
    { "losses", "learning.loss", add_losses },
    { "sides", "learning.side", add_sides },
    { "optimizers", "learning.optimizer, and the numbers of learning", add_optimizers },
    { "states", "learning.state: what is stored where a conductance learns", add_states },
    { "charging", "learning.charging: the rate of gates as a charging law", add_charging },
    { "schedules", "learning.schedule.kind: the rate over the epochs", add_schedules },
    { "solvers", "solver.backend", add_solvers },
};

static const char *after_blanks(const char *p) { return p + strspn(p, " "); }

static void add_plain(rh_buf *b, const char *text) {
    for (size_t n = strcspn(text, "\t"); text[n]; text += n + 1, n = strcspn(text, "\t"))
        rh_buf_printf(b, "%.*s; ", (int)n, text);
    rh_buf_puts(b, text);
}

/* The lines of a table, two blanks before a name and more before what belongs to it, as objects. */
static void add_json(rh_buf *b, const char *table, const char *text) {
    bool open = false, more = false;
    char line[600], word[64];
    for (const char *p = text; *p; p += strcspn(p, "\n") + 1) {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(p, "\n"), p);
        const bool entry = strspn(line, " ") == 2;
        if (entry) {
            char *const tab = strchr(line, '\t');
            if (tab) *tab = '\0';
            const char *const name = after_blanks(line), *const what = after_blanks(name + strcspn(name, " "));
            snprintf(word, sizeof word, "%.*s", (int)strcspn(name, " "), name);
            rh_buf_puts(b, open ? "]}\n" : "");
            rh_buf_puts(b, "{\"event\":\"kind\"");
            rh_json_text(b, "table", table);
            rh_json_text(b, "name", word);
            rh_json_text(b, "what", what);
            if (tab) rh_json_text(b, "when", tab + 1);
            rh_buf_puts(b, ",\"more\":[");
            open = true;
        } else if (open) {
            if (more) rh_buf_puts(b, ",");
            rh_buf_json_string(b, after_blanks(line));
        }
        more = !entry;
    }
    rh_buf_puts(b, open ? "]}\n" : "");
}

static void show(const rh_cli *cli, rh_buf *b, int i, const char *text, bool first) {
    if (!cli->json) rh_buf_printf(b, "%s%s (%s)\n", first ? "" : "\n", TABLES[i].name, TABLES[i].title);
    if (cli->json)
        add_json(b, TABLES[i].name, text);
    else
        add_plain(b, text);
}

static void add_table(const rh_cli *cli, rh_buf *b, int i, bool first) {
    rh_buf text = { 0 };
    TABLES[i].add(&text);
    if (text.bad) b->bad = true;
    if (text.s) show(cli, b, i, text.s, first);
    rh_buf_free(&text);
}

static const char *table_name(const void *ctx, int i) {
    (void)ctx;
    return i < RH_COUNT(TABLES) ? TABLES[i].name : NULL;
}

/* Is `word` what this entry is called? Elements have a letter in front of their name. */
static bool is_called(const char *line, const char *word) {
    for (int i = 0; i < 2; i++) {
        const size_t n = strcspn(line, " \t\n");
        if (n == strlen(word) && strncasecmp(line, word, n) == 0) return true;
        if (n != 1 || line[n] != ' ') return false;
        line = after_blanks(line + n);
    }
    return false;
}

/* The entries of a table with that name, as a table. */
static void pick(const char *text, const char *word, rh_buf *out) {
    bool wanted = false;
    for (const char *p = text; *p;) {
        const size_t n = strcspn(p, "\n") + 1;
        if (strspn(p, " ") == 2) wanted = is_called(p + 2, word);
        if (wanted) rh_buf_add(out, p, n);
        p += n;
    }
}

/* Not a table: the name of something in one of them, or in several. */
static bool find_entry(const rh_cli *cli, rh_buf *b, const char *word) {
    bool found = false;
    for (int i = 0; i < RH_COUNT(TABLES); i++) {
        rh_buf text = { 0 }, entry = { 0 };
        TABLES[i].add(&text);
        if (text.s && !text.bad) pick(text.s, word, &entry);
        if (text.bad || entry.bad) b->bad = true;
        if (entry.n > 0) {
            show(cli, b, i, entry.s, !found);
            found = true;
        }
        rh_buf_free(&entry);
        rh_buf_free(&text);
    }
    return found || b->bad;
}

static rheo_status run(rh_cli *cli) {
    const char *const wanted = cli->n_operand ? cli->operand[0] : NULL;
    rh_buf b = { 0 };
    bool found = false;
    for (int i = 0; i < RH_COUNT(TABLES); i++) {
        if (wanted && !rh_streq(wanted, TABLES[i].name)) continue;
        add_table(cli, &b, i, !found);
        found = true;
    }
    if (!found && wanted) found = find_entry(cli, &b, wanted);
    if (found) return rh_cli_write(cli, &b);
    char hint[100], shown[80];
    const char *const near = rh_suggest(wanted, table_name, NULL);
    snprintf(hint, sizeof hint, "%s%s", near ? "did you mean " : "`rheo kinds` shows all tables", near ? near : "");
    return rh_cli_usage(cli, hint, "there is no table or kind '%s'",
                        rh_escape(wanted, strlen(wanted), shown, sizeof shown));
}

const rh_command rh_cmd_kinds = {
    .name = "kinds",
    .summary = "list elements, generators, memories, rules and other choices",
    .usage = "[TABLE|NAME]",
    .examples = "  rheo kinds\n"
                "  rheo kinds kernels\n"
                "  rheo kinds tcl\n",
    .min_operand = 0,
    .max_operand = 1,
    .run = run,
};
