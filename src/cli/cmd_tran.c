/* rheo tran: the course in time of a network. */
#include "circuit/circuit.h"
#include "cli/cli.h"
#include "rheo/netlist.h"
#include "rheo/transient.h"

#include <math.h>

static const rh_option OPTIONS[] = {
    { "stop", 0, RH_OPT_NUMBER, "TIME", "end of the analysis (default: that of .tran)", 0, 0, NULL },
    { "step", 0, RH_OPT_NUMBER, "TIME", "one row every TIME, interpolated (default: one per time step)", 0, 0, NULL },
    { "start", 0, RH_OPT_NUMBER, "TIME", "no rows before TIME (default: that of .tran, or 0)", 0, 0, NULL },
    { "max-step", 0, RH_OPT_NUMBER, "TIME", "longest time step (default: that of .tran, or a 50th of the stop)", 0, 0,
      NULL },
    { "uic", 0, RH_OPT_FLAG, NULL, "start from ic= and .ic instead of the operating point", 0, 0, NULL },
    { "reltol", 0, RH_OPT_NUMBER, "X", "error of a step, relative to the largest potential of the node (2e-8)", 0, 0,
      NULL },
    { "abstol", 0, RH_OPT_NUMBER, "VOLT", "the same, absolute (1n)", 0, 0, NULL },
    { "out", 'o', RH_OPT_TEXT, "FILE", "FILE.npz, FILE.raw (ngspice) or FILE.csv; default: CSV to the terminal", 0, 0,
      NULL },
    { "node", 0, RH_OPT_TEXT, "NAME,NAME",
      "these nodes only, or columns as the header names them: v(a), i(V1); may be repeated", 0, 0, NULL },
    { "force", 0, RH_OPT_FLAG, NULL, "replace FILE", 0, 0, NULL },
    RH_INCLUDE_DIR,
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

/* Rows of time, potentials of some nodes, currents of voltage sources and states of memristors. */
typedef struct record {
    const rheo_circuit *c;
    rh_parts parts;             /* of expressions */
    int *node, *source, *state; /* what the columns behind the time are */
    int n_node, n_source, n_state, n_row, cap;
    double *v, *i; /* [n_node], [n_elem]: at one time */
    double *x;     /* [n_row][width] */
} record;

enum { MOST_VALUES = 1 << 28 }; /* 2 GiB */

static int width(const record *r) { return 1 + r->n_node + r->n_source + r->n_state; }

/* ---- what to record ---- */

/* The parts of a row are 0, 1, 2: potentials of nodes, currents of voltage sources, states of memristors. */
static bool has_part(const rheo_circuit *c, int part, int e) {
    return part == 1 ? c->kind[e] == RH_KIND_V : rh_elem_is_memristor(c, e);
}

static int find_in_part(const rheo_circuit *c, int part, const char *name) {
    if (part == 0) return rheo_circuit_find_node(c, name);
    const int e = rheo_circuit_find_element(c, name);
    return e >= 0 && has_part(c, part, e) ? e : -1;
}

static bool is_in(const int *list, int n, int which) {
    for (int k = 0; k < n; k++)
        if (list[k] == which) return true;
    return false;
}

/* At most once each, so the lists are long enough. */
static void add_to_part(record *r, int part, int which) {
    int *const list = part == 0 ? r->node : part == 1 ? r->source : r->state;
    int *const n = part == 0 ? &r->n_node : part == 1 ? &r->n_source : &r->n_state;
    if (!is_in(list, *n, which)) list[(*n)++] = which;
}

/* The part that "v(name)" is of, -1: not the name of a column. *name: what stands in the parentheses. */
static int part_of(const char *column, char *name, size_t size) {
    static const char LETTERS[] = "vixVIX";
    const char *const letter = column[0] ? strchr(LETTERS, column[0]) : NULL;
    const size_t n = strlen(column);
    if (!letter || n < 4 || column[1] != '(' || column[n - 1] != ')' || n - 3 >= size) return -1;
    snprintf(name, size, "%.*s", (int)(n - 3), column + 2);
    return (int)(letter - LETTERS) % 3;
}

typedef struct part_names {
    const record *r;
    int part;
} part_names;

/* Others than those of the part are never near: "". */
static const char *name_of_part(const void *ctx, int i) {
    const part_names *const p = ctx;
    const rheo_circuit *const c = p->r->c;
    if (p->part == 0) return i >= c->n_node ? NULL : p->r->parts.node[i] >= 0 ? c->node_name[i] : "";
    return i >= c->n_elem ? NULL : has_part(c, p->part, i) ? c->elem_name[i] : "";
}

/* A column of another part with that name, or one of the same part with a name like it. */
static rheo_status no_column(const record *r, const char *given, int part, const char *name, rheo_error *err) {
    char shown[100];
    rh_escape(given, strlen(given), shown, sizeof shown);
    if (part < 0)
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--node: there is no node '%s'", shown);
    else
        rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--node: there is no column '%s'", shown);
    for (int other = part < 0 ? 1 : 0; other < 3; other++)
        if (find_in_part(r->c, other, name) >= 0) {
            rh_hint(err, "did you mean %c(%.80s)?", "vix"[other], name);
            return RHEO_E_USAGE;
        }
    const part_names names = { r, part < 0 ? 0 : part };
    const bool of_no_column = part > 0 && rheo_circuit_find_element(r->c, name) >= 0;
    const char *const near = of_no_column ? NULL : rh_suggest(name, name_of_part, &names);
    if (near && part < 0)
        rh_hint(err, "did you mean %.80s?", near);
    else if (near)
        rh_hint(err, "did you mean %c(%.80s)?", "vix"[part], near);
    else
        rh_hint(err, "columns are v(node), i(voltage source) and x(memristor)");
    return RHEO_E_USAGE;
}

/* *exact: it was named as a column. */
static rheo_status choose_column(record *r, const char *given, size_t n, bool *exact, rheo_error *err) {
    char text[400], name[400];
    if (n >= sizeof text) return rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--node: no name is that long");
    snprintf(text, sizeof text, "%.*s", (int)n, given);
    const int part = part_of(text, name, sizeof name);
    const int which = part < 0 ? -1 : find_in_part(r->c, part, name), node = rheo_circuit_find_node(r->c, text);
    if (which >= 0) {
        *exact = true;
        add_to_part(r, part, which);
        return RHEO_OK;
    }
    if (node < 0) return no_column(r, text, part, part < 0 ? text : name, err);
    add_to_part(r, 0, node);
    return RHEO_OK;
}

/* All of a part; the nodes of expressions only where they are named. */
static void fill_part(record *r, int part) {
    const rheo_circuit *const c = r->c;
    int *const list = part == 0 ? r->node : part == 1 ? r->source : r->state, n = 0;
    for (int i = part == 0 ? 1 : 0; i < (part == 0 ? c->n_node : c->n_elem); i++)
        if (part == 0 ? r->parts.node[i] >= 0 : has_part(c, part, i)) list[n++] = i;
    *(part == 0 ? &r->n_node : part == 1 ? &r->n_source : &r->n_state) = n;
}

/* Columns by their names in the header stand alone; nodes by theirs bring all currents and states along. */
static rheo_status choose_columns(rh_cli *cli, record *r, rheo_error *err) {
    bool exact = false;
    for (int k = 0; rh_opt_nth(cli, "node", k); k++)
        for (const char *s = rh_opt_nth(cli, "node", k); *s;) {
            const size_t n = strcspn(s, ",");
            RHEO_TRY(choose_column(r, s, n, &exact, err));
            s += n + (s[n] == ',');
        }
    if (exact) return RHEO_OK;
    if (r->n_node == 0) fill_part(r, 0);
    fill_part(r, 1);
    fill_part(r, 2);
    return RHEO_OK;
}

static rheo_status open_record(rh_cli *cli, record *r, const rheo_circuit *c, rheo_error *err) {
    r->c = c;
    RHEO_TRY(rh_parts_find(&r->parts, c, err));
    r->v = rh_calloc((size_t)c->n_node, sizeof(double));
    r->i = rh_calloc((size_t)c->n_elem, sizeof(double));
    r->node = rh_calloc((size_t)c->n_node, sizeof(int));
    r->source = rh_calloc((size_t)c->n_elem, sizeof(int));
    r->state = rh_calloc((size_t)c->n_elem, sizeof(int));
    if (!r->v || !r->i || !r->node || !r->source || !r->state) return RH_NOMEM(err);
    return choose_columns(cli, r, err);
}

static void close_record(record *r) {
    rh_parts_free(&r->parts);
    rh_free(r->node);
    rh_free(r->source);
    rh_free(r->state);
    rh_free(r->v);
    rh_free(r->i);
    rh_free(r->x);
}

static rheo_status too_many(rheo_error *err) {
    return rh_fail(err, RHEO_E_LIMIT, 502, RH_NOWHERE, "too many values: choose nodes by --node or a longer --step");
}

static rheo_status add_row(record *r, rheo_transient *t, double time, rheo_error *err) {
    const int w = width(r);
    if (r->n_row >= MOST_VALUES / w) return too_many(err);
    if (!rh_grow(&r->x, &r->cap, (r->n_row + 1) * w, sizeof(double))) return RH_NOMEM(err);
    double *const x = r->x + (size_t)r->n_row++ * (size_t)w;
    rheo_transient_at(t, time, r->v, r->i);
    x[0] = time;
    for (int k = 0; k < r->n_node; k++) x[1 + k] = r->v[r->node[k]];
    for (int k = 0; k < r->n_source; k++) x[1 + r->n_node + k] = r->i[r->source[k]];
    for (int k = 0; k < r->n_state; k++)
        x[1 + r->n_node + r->n_source + k] = rheo_transient_memristor(t, time, r->state[k]);
    return RHEO_OK;
}

/* Rows of the step that was just made, or of time 0. */
typedef struct sampling {
    double start, step, stop; /* step 0: at the ends of steps */
    long next;                /* row on the grid */
} sampling;

static rheo_status sample(record *r, rheo_transient *t, sampling *s, rheo_error *err) {
    const double now = rheo_transient_time(t);
    if (s->step == 0) return now >= s->start ? add_row(r, t, now, err) : RHEO_OK;
    for (;; s->next++) {
        double at = s->start + (double)s->next * s->step;
        if (fabs(at - s->stop) < 1e-9 * s->step) at = s->stop;
        if (at > now) return RHEO_OK;
        RHEO_TRY(add_row(r, t, at, err));
    }
}

static rheo_status interrupted(rheo_error *err) {
    return rh_fail(err, RHEO_E_INTERRUPTED, 0, RH_NOWHERE, "interrupted: nothing was written");
}

static rheo_status record_all(record *r, rheo_transient *t, sampling *s, rheo_error *err) {
    rheo_status st = sample(r, t, s, err);
    while (st == RHEO_OK && !rheo_transient_done(t)) {
        if (*rh_interrupt_flag()) return interrupted(err);
        st = rheo_transient_step(t, err);
        if (st == RHEO_OK) st = sample(r, t, s, err);
    }
    return st;
}

/* ---- three ways to write ---- */

/* Where the columns of potentials, of currents and of states begin, and where they end. */
static int part_begin(const record *r, int part) {
    return 1 + (part > 0 ? r->n_node : 0) + (part > 1 ? r->n_source : 0) + (part > 2 ? r->n_state : 0);
}

/* Name of column k > 0: its letter and the node or element. */
static const char *column(const record *r, int k, char *letter) {
    const int part = k < part_begin(r, 1) ? 0 : k < part_begin(r, 2) ? 1 : 2, at = k - part_begin(r, part);
    *letter = "vix"[part];
    return part == 0 ? r->c->node_name[r->node[at]] : r->c->elem_name[part == 1 ? r->source[at] : r->state[at]];
}

static void csv(rh_buf *b, const record *r) {
    char letter;
    rh_buf_puts(b, "time");
    for (int k = 1; k < width(r); k++) {
        const char *name = column(r, k, &letter);
        const bool quote = strpbrk(name, ",\"\n") != NULL; /* as in RFC 4180 */
        rh_buf_printf(b, ",%s%c(", quote ? "\"" : "", letter);
        for (; *name; name++) rh_buf_printf(b, "%s%c", *name == '"' ? "\"" : "", *name);
        rh_buf_printf(b, ")%s", quote ? "\"" : "");
    }
    rh_buf_puts(b, "\n");
    for (int n = 0; n < r->n_row; n++)
        for (int k = 0; k < width(r); k++) {
            rh_buf_number(b, r->x[(size_t)n * (size_t)width(r) + (size_t)k]);
            rh_buf_puts(b, k + 1 < width(r) ? "," : "\n");
        }
}

/* Binary rawfile as ngspice writes it. The date is fixed so that equal runs give equal bytes. */
static void raw(rh_buf *b, const record *r) {
    char letter;
    rh_buf_puts(b, "Title: ");
    for (const char *s = r->c->title; *s; s++) rh_buf_add(b, (unsigned char)*s < ' ' ? " " : s, 1);
    rh_buf_puts(b, "\nDate: Thu Jan  1 00:00:00 1970\nPlotname: Transient Analysis\nFlags: real\n");
    rh_buf_printf(b, "No. Variables: %d\nNo. Points: %d\nVariables:\n\t0\ttime\ttime\n", width(r), r->n_row);
    for (int k = 1; k < width(r); k++) {
        const char *name = column(r, k, &letter);
        rh_buf_printf(b, "\t%d\t%c(", k, letter);
        for (; *name; name++) {
            const char low = *name >= 'A' && *name <= 'Z' ? (char)(*name + 32) : *name; /* ngspice finds no others */
            rh_buf_add(b, &low, 1);
        }
        rh_buf_printf(b, ")\t%s\n", letter == 'v' ? "voltage" : letter == 'i' ? "current" : "notype");
    }
    rh_buf_puts(b, "Binary:\n");
    rh_buf_add(b, (const char *)r->x, (size_t)r->n_row * (size_t)width(r) * sizeof(double));
}

static rheo_status add_array(rh_npz *z, const record *r, int k, double *x, rheo_error *err) {
    const size_t n = (size_t)r->n_row;
    for (size_t j = 0; j < n; j++) x[j] = r->x[j * (size_t)width(r) + (size_t)k];
    if (k == 0) {
        rh_npz_f64(z, "time", x, 1, &n);
        return RHEO_OK;
    }
    char letter;
    rh_buf name = { 0 };
    const char *const of = column(r, k, &letter);
    rh_buf_printf(&name, "%c_", letter);
    rh_buf_puts(&name, of);
    if (!name.bad) rh_npz_f64(z, name.s, x, 1, &n);
    const bool bad = name.bad;
    rh_buf_free(&name);
    return bad ? RH_NOMEM(err) : RHEO_OK;
}

static rheo_status write_npz(const char *path, const record *r, rheo_error *err) {
    rh_npz *z = rh_npz_create();
    double *x = rh_calloc((size_t)r->n_row, sizeof(double));
    rheo_status st = z && x ? RHEO_OK : RH_NOMEM(err);
    for (int k = 0; st == RHEO_OK && k < width(r); k++) st = add_array(z, r, k, x, err);
    if (st == RHEO_OK) st = rh_npz_write(z, path, err);
    rh_npz_destroy(z);
    rh_free(x);
    return st;
}

static void json(rh_buf *b, const record *r) {
    for (int n = 0; n < r->n_row; n++) {
        const double *const x = r->x + (size_t)n * (size_t)width(r);
        rh_buf_puts(b, "{\"event\":\"tran\"");
        rh_json_number(b, "time", x[0]);
        for (int part = 0; part < (r->n_state ? 3 : 2); part++) {
            const int from = part_begin(r, part), to = part_begin(r, part + 1);
            rh_buf_printf(b, ",\"%c\":{", "vix"[part]);
            for (int k = from; k < to; k++) {
                char letter;
                if (k > from) rh_buf_puts(b, ",");
                rh_buf_json_string(b, column(r, k, &letter));
                rh_buf_puts(b, ":");
                rh_buf_json_number(b, x[k]);
            }
            rh_buf_puts(b, "}");
        }
        rh_buf_puts(b, "}\n");
    }
}

static bool ends_in(const char *path, const char *suffix) {
    const size_t n = strlen(path), m = strlen(suffix);
    return n > m && rh_streq(path + n - m, suffix);
}

/* Before anything is computed: could the file be written at the end? */
static rheo_status check_out(rh_cli *cli, const char *path) {
    if (strcmp(path, "-") == 0) return RHEO_OK;
    if (!ends_in(path, ".npz") && !ends_in(path, ".raw") && !ends_in(path, ".csv"))
        return rh_cli_usage(cli, "write FILE.npz, FILE.raw or FILE.csv", "'%s': the kind of file is not known", path);
    return rh_cli_may_save(cli, path);
}

static rheo_status write_record(rh_cli *cli, const record *r, const char *path, rheo_error *err) {
    if (ends_in(path, ".npz")) return write_npz(path, r, err);
    rh_buf b = { 0 };
    if (ends_in(path, ".raw"))
        raw(&b, r);
    else if (cli->json && strcmp(path, "-") == 0)
        json(&b, r);
    else
        csv(&b, r);
    if (strcmp(path, "-") == 0) return rh_cli_write(cli, &b);
    const rheo_status st = b.bad ? RH_NOMEM(err) : rh_file_write(path, b.s, b.n, err);
    rh_buf_free(&b);
    return st;
}

/* ---- the command ---- */

/* The option, else what .tran says, else a default. */
static double setting(rh_cli *cli, const char *name, double card, double otherwise) {
    return rh_opt_given(cli, name) ? rh_opt_number(cli, name, 0) : isfinite(card) ? card : otherwise;
}

static rheo_status read_settings(rh_cli *cli, const rheo_circuit *c, rheo_transient_def *def, sampling *s,
                                 rheo_error *err) {
    def->stop = setting(cli, "stop", c->tran[1], NAN);
    def->step = setting(cli, "step", c->tran[0], 0);
    def->max_step = setting(cli, "max-step", c->tran[3], 0);
    def->reltol = rh_opt_number(cli, "reltol", def->reltol);
    def->abstol = rh_opt_number(cli, "abstol", def->abstol);
    def->uic = rh_opt_flag(cli, "uic") || c->tran_uic;
    *s = (sampling){ .start = setting(cli, "start", c->tran[2], 0), .step = rh_opt_number(cli, "step", 0) };
    s->stop = def->stop;
    if (isnan(def->stop)) {
        const rheo_status st = rh_fail(err, RHEO_E_USAGE, 363, RH_NOWHERE, "how long? There is no .tran card");
        rh_hint(err, "give --stop TIME");
        return st;
    }
    if (rh_opt_given(cli, "step") && !(s->step > 0))
        return rh_fail(err, RHEO_E_USAGE, 363, RH_NOWHERE, "--step must be above 0");
    if (!(s->start >= 0 && s->start <= s->stop))
        return rh_fail(err, RHEO_E_USAGE, 363, RH_NOWHERE, "the start must lie between 0 and the stop");
    return RHEO_OK;
}

static rheo_status analyse(rh_cli *cli, const rheo_circuit *c, record *r, rheo_error *err) {
    rheo_transient_def def = rheo_transient_default();
    rheo_transient *t = NULL;
    sampling s;
    RHEO_TRY(read_settings(cli, c, &def, &s, err));
    RHEO_TRY(open_record(cli, r, c, err));
    if (s.step > 0 && (s.stop - s.start) / s.step >= MOST_VALUES / width(r)) return too_many(err);
    RHEO_TRY(rheo_transient_open(&t, c, &def, &cli->log, err));
    const rheo_status st = record_all(r, t, &s, err);
    const rheo_transient_stats n = rheo_transient_statistics(t);
    if (cli->verbose)
        rh_cli_note(cli, "%ld steps, %ld repeated, %ld factorisations, %ld corners", n.n_step, n.n_reject, n.n_factor,
                    n.n_corner);
    rheo_transient_close(t);
    return st;
}

static rheo_status run(rh_cli *cli) {
    const char *const out = rh_opt_text(cli, "out", "-");
    RHEO_TRY(check_out(cli, out));
    rheo_error err = { 0 };
    rheo_circuit *c = NULL;
    record r = { 0 };
    char *path = NULL;
    rh_interrupt_catch();
    rheo_status st = rh_input_netlist(cli, NULL, &c, &path, &err);
    if (st == RHEO_OK) st = analyse(cli, c, &r, &err);
    if (st == RHEO_OK) st = write_record(cli, &r, out, &err);
    close_record(&r);
    rheo_circuit_destroy(c);
    rh_free(path);
    return cli->out != RHEO_OK ? st : rh_cli_failed(cli, st, &err);
}

const rh_command rh_cmd_tran = {
    .name = "tran",
    .summary = "the course in time: potentials and currents of sources",
    .usage = "[options] NETLIST|RUNDIR",
    .examples = "  rheo tran --stop 5m net.cir\n"
                "  rheo tran --stop 5m --step 10u --node a,b -o run.npz net.cir\n"
                "  rheo tran --stop 5m --node 'v(a),i(V1)' net.cir\n"
                "  rheo tran --uic -o run.raw net.cir\n",
    .options = OPTIONS,
    .min_operand = 1,
    .max_operand = 1,
    .run = run,
    .takes = RH_TAKES_NETLIST | RH_TAKES_TRAINED,
    .notes =
        "Learnable resistors keep their initial conductance; memristors move, and a column x(name) has their state.\n"
        "Nodes inside expressions have a column only where --node names them.\n"
        "The keys of FILE.npz are time, v_<node>, i_<source> and x_<memristor>;\n"
        "FILE.raw is for `load` of ngspice. A current flows from the first to the second node, through the "
        "source.\n",
};
