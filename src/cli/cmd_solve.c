/* rheo solve: the operating point of a netlist. */
#include "circuit/circuit.h"
#include "cli/cli.h"
#include "rheo/netlist.h"
#include "rheo/solver.h"

#include <ctype.h>
#include <math.h>

static const char *const DOMAINS[] = { "electrical", "hydraulic", NULL };

static const rh_option OPTIONS[] = {
    { "set", 0, RH_OPT_TEXT, "ELEMENT=VALUE", "another value for a source or a learnable resistor; may be repeated", 0,
      0, NULL },
    { "domain", 0, RH_OPT_CHOICE, "NAME", "electrical, or hydraulic: Pa and m3/s in print (electrical)", 0, 0,
      DOMAINS },
    { "csv", 0, RH_OPT_FLAG, NULL, "vector,unit,value with all digits", 0, 0, NULL },
    { "backend", 0, RH_OPT_TEXT, "NAME", "auto, klu, cholmod or ngspice (auto)", 0, 0, NULL },
    { "allow-short", 0, RH_OPT_FLAG, NULL, "a resistor of 0 ohm becomes 1 mohm, with a warning", 0, 0, NULL },
    { "lenient", 0, RH_OPT_FLAG, NULL, "unknown dot cards are warnings", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

typedef struct answer {
    const rheo_circuit *c;
    const rheo_state *st;
    rheo_solver_stats stats;
    bool hydraulic;
    double dissipated, delivered; /* W: sums of what elements take and give */
    rh_parts parts;
} answer;

static bool by_expression(const answer *a, int e) { /* E with value= is a copy of its inner node */
    return a->c->kind[e] == RH_KIND_B || (a->c->kind[e] == RH_KIND_E && a->parts.node[a->c->term[e][2]] < 0);
}

/* W taken from the circuit; a source that delivers has a negative one. */
static double power(const answer *a, int user) {
    const int e = a->parts.elem[user];
    const int *const t = a->c->term[e];
    const rh_kind *const kind = RH_KINDS[a->c->kind[e]];
    if (kind->flags & RH_NONLINEAR) {
        rh_flow f;
        double sum = 0;
        rh_elem_flow(a->c, e, a->st->v, &f);
        for (int k = 0; k < kind->n_term; k++) sum += f.i[k] * a->st->v[t[k]];
        return sum;
    }
    return (a->st->v[t[0]] - a->st->v[t[1]]) * a->st->i[e];
}

/* Sources, and resistors that learn: what --set takes. */
static const char *settable_name(const void *ctx, int i) {
    const rheo_circuit *const c = ctx;
    if (i >= c->n_elem) return NULL;
    return c->kind[i] == RH_KIND_V || c->kind[i] == RH_KIND_I || c->elem_edge[i] >= 0 ? c->elem_name[i] : "";
}

static rheo_status no_such(const rheo_circuit *c, const char *name, const char *shown, rheo_error *err) {
    const rheo_status st = rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--set %s: there is no such element", shown);
    const char *near = rh_suggest(name, settable_name, c);
    for (int e = 0; !near && e < c->n_elem; e++) /* the first of the same letter */
        if (tolower((unsigned char)c->elem_name[e][0]) == tolower((unsigned char)name[0]) && *settable_name(c, e))
            near = c->elem_name[e];
    if (near) rh_hint(err, "did you mean %s?", near);
    return st;
}

static rheo_status set_value(const rheo_circuit *c, rheo_state *st, const char *assignment, rheo_error *err) {
    char name[128], shown[140], hint[160];
    const char *const eq = strchr(assignment, '=');
    rh_escape(assignment, strlen(assignment), shown, sizeof shown);
    const size_t n = eq ? (size_t)(eq - assignment) : 0;
    if (n == 0 || n >= sizeof name)
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--set %s: write ELEMENT=VALUE", shown);
    memcpy(name, assignment, n);
    name[n] = '\0';
    const int e = rheo_circuit_find_element(c, name);
    const rh_number x = rh_number_parse_all(eq + 1, strlen(eq + 1));
    if (e < 0) return no_such(c, name, shown, err);
    const char *const unit = RH_KINDS[c->kind[e]]->unit, *const value = eq + 1;
    if (x.fault != RH_NUM_OK) {
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--set %s: %s", shown, rh_number_fault_text(x.fault));
        if (rh_number_hint(value, strlen(value), unit, hint, sizeof hint)) rh_hint(err, "%s", hint);
        return RHEO_E_USAGE;
    }
    if (!rh_unit_fits(x.unit, unit)) {
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--set %s: it must be in %s, not in %s", shown, unit,
                rh_unit_written(value, strlen(value), &x));
        rh_hint(err, "%s", rh_unit_hint(value, strlen(value), unit, hint, sizeof hint));
        return RHEO_E_USAGE;
    }
    if (RH_KINDS[c->kind[e]]->flags & RH_SOURCE) {
        st->source[e] = x.value;
    } else if (c->elem_edge[e] >= 0) {
        if (!(x.value > 0))
            return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "--set %s: the resistance must be above 0", shown);
        st->g[c->elem_edge[e]] = 1 / x.value;
    } else {
        return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--set %s: only sources and learnable resistors can be set",
                       shown);
    }
    return RHEO_OK;
}

/* ---- three ways to print ---- */

/* The same equations in flow networks: a pressure for a volt, a flow for an ampere. */
static const char *unit_of(const answer *a, const char *unit) {
    static const char *const HYDRAULIC[][2] = {
        { "V", "Pa" }, { "A", "m3/s" }, { "ohm", "Pa s/m3" }, { "S", "m3/s/Pa" }, { "F", "m3/Pa" },
    };
    for (int i = 0; a->hydraulic && i < RH_COUNT(HYDRAULIC); i++)
        if (strcmp(unit, HYDRAULIC[i][0]) == 0) return HYDRAULIC[i][1];
    return unit;
}

static const char *column(const answer *a, double x, const char *electrical, char *buf, size_t size) {
    const char *const unit = unit_of(a, electrical);
    if (!strstr(unit, "m3")) return rh_number_human(x, unit, buf, size);
    snprintf(buf, size, "%.4g %s", x, unit); /* no prefix: um3 could be read two ways */
    return buf;
}

/* Among those that are listed. */
static int longest(char *const *names, const int *part, int n, int least) {
    for (int i = 0; i < n; i++)
        if (part[i] >= 0 && (int)strlen(names[i]) > least) least = (int)strlen(names[i]);
    return least < 40 ? least : 40;
}

static void add_table(rh_buf *b, const answer *a) {
    const rheo_circuit *const c = a->c;
    char x[40], y[40], z[40];
    int w = longest(c->node_name, a->parts.node, c->n_node, 7);
    rh_buf_printf(b, "%-*s  %14s\n", w, "node", "potential");
    for (int i = 1; i < c->n_node; i++)
        if (a->parts.node[i] >= 0)
            rh_buf_printf(b, "%-*s  %14s\n", w, c->node_name[i], column(a, a->st->v[i], "V", x, sizeof x));
    w = longest(c->elem_name, a->parts.elem, c->n_elem, 7);
    rh_buf_printf(b, "\n%-*s  %14s  %14s  %14s\n", w, "element", "value", "current", "power");
    for (int e = 0; e < c->n_elem; e++) {
        if (a->parts.elem[e] < 0) continue;
        const int k = c->elem_edge[e];
        const rh_kind *const kind = RH_KINDS[c->kind[e]];
        const int held = c->held_edge[e];
        const double value = held >= 0                 ? a->st->g[held]
                             : k >= 0                  ? 1 / a->st->g[k]
                             : kind->flags & RH_SOURCE ? a->st->source[e]
                                                       : c->value[e];
        if (kind->model)
            rh_buf_printf(b, "%-*s  %14s  ", w, c->elem_name[e], c->model[c->elem_model[e]].name);
        else if (by_expression(a, e))
            rh_buf_printf(b, "%-*s  %14s  ", w, c->elem_name[e], "expression");
        else
            rh_buf_printf(b, "%-*s  %14s  ", w, c->elem_name[e], column(a, value, kind->unit, x, sizeof x));
        rh_buf_printf(b, "%14s  %14s\n", column(a, a->st->i[a->parts.elem[e]], "A", y, sizeof y),
                      column(a, power(a, e), "W", z, sizeof z));
    }
    rh_buf_printf(b, "\ndissipated %s, delivered by sources %s\n", column(a, a->dissipated, "W", x, sizeof x),
                  column(a, a->delivered, "W", y, sizeof y));
}

static void add_row(rh_buf *b, const char *vector, const char *name, const char *unit, double x) {
    const bool quote = strpbrk(name, ",\"\n") != NULL; /* as in RFC 4180 */
    rh_buf_printf(b, "%s%s(", quote ? "\"" : "", vector);
    for (; *name; name++) rh_buf_printf(b, "%s%c", *name == '"' ? "\"" : "", *name);
    rh_buf_printf(b, ")%s,%s,", quote ? "\"" : "", unit);
    rh_buf_number(b, x);
    rh_buf_puts(b, "\n");
}

static void add_csv(rh_buf *b, const answer *a) {
    const rheo_circuit *const c = a->c;
    rh_buf_puts(b, "vector,unit,value\n");
    for (int i = 1; i < c->n_node; i++)
        if (a->parts.node[i] >= 0) add_row(b, "v", c->node_name[i], unit_of(a, "V"), a->st->v[i]);
    for (int e = 0; e < c->n_elem; e++)
        if (a->parts.elem[e] >= 0) add_row(b, "i", c->elem_name[e], unit_of(a, "A"), a->st->i[a->parts.elem[e]]);
    for (int e = 0; e < c->n_elem; e++)
        if (a->parts.elem[e] >= 0) add_row(b, "p", c->elem_name[e], "W", power(a, e));
}

static void add_json(rh_buf *b, const answer *a, const char *path) {
    const rheo_circuit *const c = a->c;
    rh_buf_puts(b, "{\"event\":\"solve\"");
    rh_json_text(b, "file", path);
    rh_buf_puts(b, ",\"nodes\":{");
    for (int i = 0; i < c->n_node; i++) {
        if (a->parts.node[i] < 0) continue;
        if (i) rh_buf_puts(b, ",");
        rh_buf_json_string(b, c->node_name[i]);
        rh_buf_puts(b, ":");
        rh_buf_json_number(b, a->st->v[i]);
    }
    rh_buf_puts(b, "},\"elements\":{");
    for (int e = 0, n = 0; e < c->n_elem; e++) {
        if (a->parts.elem[e] < 0) continue;
        if (n++) rh_buf_puts(b, ",");
        rh_buf_json_string(b, c->elem_name[e]);
        rh_buf_puts(b, ":{\"kind\":");
        rh_buf_json_string(b, RH_KINDS[c->kind[e]]->name);
        rh_json_number(b, "current", a->st->i[a->parts.elem[e]]);
        rh_json_number(b, "power", power(a, e));
        rh_buf_puts(b, "}");
    }
    rh_buf_puts(b, "}");
    rh_json_number(b, "dissipated", a->dissipated);
    rh_json_number(b, "delivered", a->delivered);
    rh_json_count(b, "unknowns", a->stats.n_unknown);
    if (a->stats.n_newton) rh_json_count(b, "newton", a->stats.n_newton);
    rh_json_number(b, "rcond", a->stats.rcond);
    rh_json_number(b, "residual", a->stats.residual);
    rh_buf_puts(b, "}\n");
}

static rheo_status print(rh_cli *cli, answer *a, const char *path) {
    for (int e = 0; e < a->c->n_elem; e++) {
        enum { GIVES = RH_SOURCE | RH_CONTROLLED | RH_BY_CURRENT | RH_TAPE };
        const bool source = (RH_KINDS[a->c->kind[e]]->flags & GIVES) != 0;
        if (a->parts.elem[e] < 0) continue;
        *(source ? &a->delivered : &a->dissipated) += source ? -power(a, e) : power(a, e);
    }
    rh_buf b = { 0 };
    if (cli->json)
        add_json(&b, a, path);
    else if (rh_opt_flag(cli, "csv"))
        add_csv(&b, a);
    else
        add_table(&b, a);
    char steps[48] = "";
    if (a->stats.n_newton) snprintf(steps, sizeof steps, ", %d steps of Newton", a->stats.n_newton);
    if (cli->verbose)
        rh_cli_note(cli,
                    "%s (%s): %d unknowns, %lld nonzeros, %lld in the factors; reciprocal condition %.2g, residual "
                    "%.2g%s",
                    a->stats.backend, a->stats.why, a->stats.n_unknown, (long long)a->stats.n_nonzero,
                    (long long)a->stats.n_factor, a->stats.rcond, a->stats.residual, steps);
    return rh_cli_write(cli, &b);
}

static rheo_status solve(rh_cli *cli, const rheo_circuit *c, const char *path, rheo_error *err) {
    rheo_solver_def def = rheo_solver_default();
    def.backend = rh_opt_text(cli, "backend", def.backend);
    rheo_solver *s = NULL;
    rheo_state *st = NULL;
    rheo_status status = rheo_state_create(&st, c, err);
    for (int i = 0; status == RHEO_OK && rh_opt_nth(cli, "set", i); i++)
        status = set_value(c, st, rh_opt_nth(cli, "set", i), err);
    if (status == RHEO_OK) status = rheo_solver_open(&s, c, &def, &cli->log, err);
    if (status == RHEO_OK) status = rheo_solver_solve(s, st, err);
    if (status == RHEO_OK) {
        const char *const domain = rh_opt_text(cli, "domain", DOMAINS[0]);
        answer a = {
            .c = c, .hydraulic = strcmp(domain, DOMAINS[1]) == 0, .st = st, .stats = rheo_solver_statistics(s)
        };
        status = rh_parts_find(&a.parts, c, err);
        if (status == RHEO_OK) status = print(cli, &a, path);
        rh_parts_free(&a.parts);
    }
    rheo_solver_close(s);
    rheo_state_destroy(st);
    return status;
}

static rheo_status run(rh_cli *cli) {
    char *path = NULL;
    rheo_netlist_def def = rheo_netlist_default();
    def.allow_short = rh_opt_flag(cli, "allow-short");
    def.lenient = rh_opt_flag(cli, "lenient");
    rheo_error err = { 0 };
    rheo_circuit *c = NULL;
    rheo_status st = rh_input_netlist(cli, &def, &c, &path, &err);
    if (st == RHEO_OK) st = solve(cli, c, path, &err);
    rheo_circuit_destroy(c);
    rh_free(path);
    return cli->out != RHEO_OK ? st : rh_cli_failed(cli, st, &err);
}

const rh_command rh_cmd_solve = {
    .name = "solve",
    .summary = "potentials, currents and powers of a netlist",
    .usage = "[options] NETLIST|RUNDIR",
    .examples = "  rheo solve net.cir\n"
                "  rheo solve --set Vin=2 --set R1=4.7k net.cir\n"
                "  rheo solve --json net.cir\n"
                "  rheo solve runs/my                           what was learned: its trained.cir\n"
                "  rheo gen grid | rheo solve --csv -\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_NETLIST | RH_TAKES_TRAINED,
    .notes = "The current of an element flows from its first to its second node, through it; its power is what it "
             "takes from\n"
             "the circuit, so a source that delivers has a negative one. Parts of expressions that no card names are "
             "not listed.\n",
};
