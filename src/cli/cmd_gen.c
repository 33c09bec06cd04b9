/* rheo gen: ready-made networks. Its options are the fields of RH_GENS. */
#include "circuit/circuit.h"
#include "cli/cli.h"
#include "rheo/netlist.h"

static const rh_option OPTIONS[] = {
    { "output", 'o', RH_OPT_TEXT, "FILE", "write here instead of to standard output", 0, 0, NULL },
    { "force", 0, RH_OPT_FLAG, NULL, "replace FILE", 0, 0, NULL },
    { "seed", 0, RH_OPT_INT, "N", "of what is random (1)", 0, 9007199254740992.0, NULL },
    { NULL, 0, RH_OPT_FLAG, NULL, NULL, 0, 0, NULL },
};

static const rh_gen_kind *find_gen(const char *name) {
    for (int i = 0; i < RH_N_GEN; i++)
        if (rh_streq(RH_GENS[i]->name, name)) return RH_GENS[i];
    return NULL;
}

static const char *gen_name(const void *ctx, int i) {
    (void)ctx;
    return i < RH_N_GEN ? RH_GENS[i]->name : NULL;
}

static int more(const char *operand, rh_option *out, int max) {
    const rh_gen_kind *const kind = find_gen(operand);
    int n = 0;
    for (; kind && n < kind->n_field && n < max; n++) {
        const rh_gen_field *const f = &kind->fields[n];
        out[n] = f->choices == RH_GEN_SIZES ? (rh_option){ f->name, 0, RH_OPT_TEXT, "N,N,...", f->meaning, 0, 0, NULL }
                 : f->choices ? (rh_option){ f->name, 0, RH_OPT_CHOICE, "WORD", f->meaning, 0, 0, f->choices }
                              : (rh_option){ f->name, 0, RH_OPT_NUMBER, "X", f->meaning, f->min, f->max, NULL };
    }
    return kind ? n : -1;
}

static double field_value(const rh_cli *cli, const rh_gen_field *f) {
    if (!f->choices) return rh_opt_number(cli, f->name, f->def);
    const char *const word = rh_opt_text(cli, f->name, f->choices[(int)f->def]);
    int k = 0;
    while (f->choices[k] && strcmp(f->choices[k], word) != 0) k++;
    return k;
}

static void json_field(rh_buf *b, const rh_gen_field *f) {
    rh_buf_puts(b, "{\"name\":");
    rh_buf_json_string(b, f->name);
    rh_json_text(b, "what", f->meaning);
    rh_json_number(b, "default", f->def);
    rh_json_number(b, "min", f->min);
    rh_json_number(b, "max", f->max);
    if (f->choices == RH_GEN_SIZES) rh_buf_puts(b, ",\"list\":true");
    const bool words = f->choices && f->choices != RH_GEN_SIZES;
    for (int i = 0; words && f->choices[i]; i++) {
        rh_buf_puts(b, i ? "," : ",\"choices\":[");
        rh_buf_json_string(b, f->choices[i]);
    }
    rh_buf_puts(b, words ? "]}" : "}");
}

static rheo_status list_json(rh_cli *cli) {
    rh_buf b = { 0 };
    for (int i = 0; i < RH_N_GEN; i++) {
        rh_buf_puts(&b, "{\"event\":\"generator\"");
        rh_json_text(&b, "name", RH_GENS[i]->name);
        rh_json_text(&b, "what", RH_GENS[i]->what);
        rh_buf_puts(&b, ",\"options\":[");
        for (int k = 0; k < RH_GENS[i]->n_field; k++) {
            if (k) rh_buf_puts(&b, ",");
            json_field(&b, &RH_GENS[i]->fields[k]);
        }
        rh_buf_puts(&b, "]}\n");
    }
    return rh_cli_write(cli, &b);
}

static rheo_status list(rh_cli *cli) {
    if (cli->json) return list_json(cli);
    rh_buf b = { 0 };
    char def[32], min[32], max[32];
    for (int i = 0; i < RH_N_GEN; i++) {
        const rh_gen_kind *const kind = RH_GENS[i];
        rh_buf_printf(&b, "%s%s: %s\n", i ? "\n" : "", kind->name, kind->what);
        for (int k = 0; k < kind->n_field; k++) {
            const rh_gen_field *const f = &kind->fields[k];
            if (f->choices == RH_GEN_SIZES) {
                rh_buf_printf(&b, "  --%-12s %s\n", f->name, f->meaning);
                continue;
            }
            if (f->choices) {
                rh_buf_printf(&b, "  --%-12s %s (%s", f->name, f->meaning, f->choices[0]);
                for (int j = 1; f->choices[j]; j++) rh_buf_printf(&b, ", %s", f->choices[j]);
                rh_buf_puts(&b, ")\n");
                continue;
            }
            rh_buf_printf(&b, "  --%-12s %s (%s; %s to %s)\n", f->name, f->meaning, rh_number_text(f->def, def),
                          rh_number_text(f->min, min), rh_number_text(f->max, max));
        }
    }
    return rh_cli_write(cli, &b);
}

/* "1568,100,20" into par [RH_GEN_LIST]; NULL: the default stays. */
static rheo_status read_sizes(const char *text, const char *name, double *par, rheo_error *err) {
    if (!text) return RHEO_OK;
    for (int k = 0; k < RH_GEN_LIST; k++) par[k] = 0;
    for (int k = 0; *text; k++) {
        const size_t n = strcspn(text, ",");
        char shown[80];
        const rh_number x = rh_number_parse_all(text, n);
        if (k == RH_GEN_LIST || x.fault != RH_NUM_OK || !(x.value > 0)) {
            const rheo_status st =
                rh_fail(err, RHEO_E_USAGE, 0, RH_NOWHERE, "--%s: '%s' is not a list of up to %d numbers", name,
                        rh_escape(text, strlen(text), shown, sizeof shown), RH_GEN_LIST);
            rh_hint(err, "write them with commas and without blanks: 1568,100,20");
            return st;
        }
        par[k] = x.value;
        text += n + (text[n] == ',');
    }
    return RHEO_OK;
}

typedef struct made {
    char *text;
    int n_node, n_edge; /* without ground */
} made;

static rheo_status generate(const rh_cli *cli, const rh_gen_kind *kind, made *m, rheo_error *err) {
    double *const par = rh_calloc((size_t)rh_gen_n_par(kind), sizeof *par);
    rh_builder *b = rh_builder_create();
    rheo_circuit *c = NULL;
    rheo_status st = par && b ? RHEO_OK : RH_NOMEM(err);
    if (st == RHEO_OK) rh_gen_default(kind, par);
    for (int i = 0; st == RHEO_OK && i < kind->n_field; i++) {
        const rh_gen_field *const f = &kind->fields[i];
        if (f->choices == RH_GEN_SIZES)
            st = read_sizes(rh_opt_text(cli, f->name, NULL), f->name, par + i, err);
        else
            par[i] = field_value(cli, f);
    }
    if (st == RHEO_OK) st = kind->build(par, (uint64_t)rh_opt_number(cli, "seed", 1), b, err);
    if (st == RHEO_OK) {
        st = rh_builder_finish(b, &c, err);
        b = NULL; /* gone, whatever the outcome */
    }
    if (st == RHEO_OK) st = rheo_netlist_print(&m->text, c, NULL, err);
    if (st == RHEO_OK) {
        m->n_node = c->n_node - 1;
        m->n_edge = c->n_edge;
    }
    rheo_circuit_destroy(c);
    rh_builder_destroy(b);
    rh_free(par);
    return st;
}

/* The netlist itself where no file takes it. */
static rheo_status tell(rh_cli *cli, const rh_gen_kind *kind, const made *m, const char *path) {
    rh_buf b = { 0 };
    rh_buf_puts(&b, "{\"event\":\"gen\"");
    rh_json_text(&b, "kind", kind->name);
    rh_json_count(&b, "nodes", m->n_node);
    rh_json_count(&b, "edges", m->n_edge);
    rh_json_text(&b, path ? "file" : "netlist", path ? path : m->text);
    rh_buf_puts(&b, "}\n");
    return rh_cli_write(cli, &b);
}

static rheo_status deliver(rh_cli *cli, const rh_gen_kind *kind, const made *m) {
    const char *const path = rh_cli_output(cli);
    if (path || !cli->json) RHEO_TRY(rh_cli_deliver(cli, m->text));
    return cli->json ? tell(cli, kind, m, path) : RHEO_OK;
}

static rheo_status run(rh_cli *cli) {
    if (cli->n_operand == 0) return list(cli);
    const rh_gen_kind *const kind = find_gen(cli->operand[0]);
    if (!kind) {
        char hint[240], shown[80];
        const char *const near = rh_suggest(cli->operand[0], gen_name, NULL);
        size_t n = (size_t)snprintf(hint, sizeof hint, "%s%s", near ? "did you mean " : "kinds are ", near ? near : "");
        for (int i = 0; !near && i < RH_N_GEN && n < sizeof hint; i++)
            n += (size_t)snprintf(hint + n, sizeof hint - n, "%s%s", i ? ", " : "", RH_GENS[i]->name);
        return rh_cli_usage(cli, hint, "there is no generator '%s'",
                            rh_escape(cli->operand[0], strlen(cli->operand[0]), shown, sizeof shown));
    }
    rheo_error err = { 0 };
    made m = { 0 };
    const rheo_status st = generate(cli, kind, &m, &err);
    if (st != RHEO_OK) return rh_cli_failed(cli, st, &err);
    const rheo_status delivered = deliver(cli, kind, &m);
    rheo_text_free(m.text);
    return delivered;
}

const rh_command rh_cmd_gen = {
    .name = "gen",
    .summary = "make a network: grid, ladder, random and others",
    .usage = "[KIND [options]]",
    .examples = "  rheo gen\n"
                "  rheo gen grid --help\n"
                "  rheo gen grid -o grid.cir\n"
                "  rheo gen layered --sizes 1568,100,20 --inputs double --outputs pair --bias 1 -o crossbar.cir\n",
    .options = OPTIONS,
    .min_operand = 0,
    .max_operand = 1,
    .run = run,
    .more = more,
    .notes = "`rheo gen` lists the kinds with their options. KIND comes first, since it brings options along.\n",
};
