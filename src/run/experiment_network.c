/* experiment_network.c: the block `network`, a circuit made in memory by one of the generators. A layered one also says
 * what the inputs and outputs are. */
#include "circuit/layered.h"
#include "run/experiment.h"

#include <math.h>

static rheo_status read_sizes(const rh_reader *rd, const rh_yaml *y, const char *name, double *par) {
    double size[RH_GEN_LIST];
    if (y->type != RH_YAML_LIST || y->n < 1 || y->n > RH_GEN_LIST)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_SHAPE, rh_yaml_loc(rd, y), "sizes: [1568, 100, 20]",
                               "'%s' must be a list of up to %d numbers", name, RH_GEN_LIST);
    rh_yaml *list = (rh_yaml *)y; /* readers mark what they take */
    RHEO_TRY(rh_read_numbers(rd, list, name, "", y->n, size));
    for (int k = 0; k < RH_GEN_LIST; k++) par[k] = k < y->n ? size[k] : 0;
    return RHEO_OK;
}

static rheo_status read_field(const rh_reader *rd, rh_yaml *map, const rh_gen_field *f, double *par) {
    const rh_yaml *const y = rh_yaml_get(map, f->name);
    if (!y) return RHEO_OK;
    if (f->choices == RH_GEN_SIZES) return read_sizes(rd, y, f->name, par);
    if (!f->choices) return rh_read_double(rd, y, f->name, NULL, f->min, f->max, par);
    int which = 0;
    RHEO_TRY(rh_read_choice(rd, y, f->name, f->choices, &which));
    *par = which;
    return RHEO_OK;
}

static rheo_status read_kind(rheo_experiment *x, const rh_reader *rd, rh_yaml *map) {
    const char *names[64] = { NULL };
    const rh_yaml *const y = rh_yaml_get(map, "kind");
    if (!y)
        return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_MISSING, rh_yaml_loc(rd, map), "kind: layered",
                               "key 'kind' is missing in 'network'");
    for (int i = 0; i < RH_N_GEN && i < RH_COUNT(names) - 1; i++) names[i] = RH_GENS[i]->name;
    return rh_read_choice(rd, y, "kind", names, &x->network_kind);
}

static rheo_status build(rheo_experiment *x, const rh_reader *rd, rh_loc at) {
    const rh_gen_kind *const kind = RH_GENS[x->network_kind];
    const int64_t seed = x->network_seed >= 0 ? x->network_seed : x->seed;
    rheo_error e = { 0 };
    rh_builder *const b = rh_builder_create();
    if (!b) return RH_REPORT_NOMEM(rd->report);
    rheo_status st = kind->build(x->network_par, (uint64_t)seed, b, &e);
    if (st == RHEO_OK)
        st = rh_builder_finish(b, &x->circuit, &e);
    else
        rh_builder_destroy(b);
    return st == RHEO_OK ? st : rh_experiment_forward(rd->report, &e, at);
}

rheo_status rh_experiment_read_network(rheo_experiment *x, const rh_reader *rd, rh_yaml *root) {
    const char *names[64];
    rh_yaml *map = NULL;
    int n = 0;
    const int before = rd->report->n_error;
    RHEO_TRY(rh_read_map(rd, root, "network", true, &map));
    RHEO_TRY(read_kind(x, rd, map));
    const rh_gen_kind *const kind = RH_GENS[x->network_kind];
    x->network_par = rh_calloc((size_t)rh_gen_n_par(kind), sizeof *x->network_par);
    if (!x->network_par) return RH_REPORT_NOMEM(rd->report);
    rh_gen_default(kind, x->network_par);
    names[n++] = "kind";
    names[n++] = "seed";
    const rh_yaml *const seed = rh_yaml_get(map, "seed");
    if (seed) RH_STEP(rh_read_int64(rd, seed, "seed", 0, INT64_MAX, &x->network_seed));
    for (int k = 0; k < kind->n_field && n < RH_COUNT(names); k++) {
        names[n++] = kind->fields[k].name;
        RH_STEP(read_field(rd, map, &kind->fields[k], x->network_par + k));
    }
    RH_STEP(rh_read_rest(rd, map, "network", names, n));
    return rd->report->n_error == before ? build(x, rd, rh_yaml_loc(rd, map)) : RHEO_E_PARSE;
}

/* ---- ports ---- */

static rheo_status name_ports(const double *par, int n, void (*name)(const double *, int, char *, size_t), rh_loc at,
                              char ***out, rh_loc **loc, int *n_out, rh_report *r) {
    *out = rh_calloc((size_t)n, sizeof **out);
    *loc = rh_calloc((size_t)n, sizeof **loc);
    if (!*out || !*loc) return RH_REPORT_NOMEM(r);
    *n_out = n;
    for (int i = 0; i < n; i++) {
        char text[64];
        name(par, i, text, sizeof text);
        (*loc)[i] = at;
        if (!((*out)[i] = rh_strdup(text))) return RH_REPORT_NOMEM(r);
    }
    return RHEO_OK;
}

bool rh_experiment_has_ports(const rheo_experiment *x) {
    return x->circuit && x->network_par && RH_GENS[x->network_kind] == &rh_gen_layered;
}

rheo_status rh_experiment_network_inputs(rheo_experiment *x, const rh_reader *rd, rh_yaml *task) {
    rh_task *const t = &x->task;
    x->own_inputs = true;
    return name_ports(x->network_par, rh_layered_n_input(x->network_par), rh_layered_input, rh_yaml_loc(rd, task),
                      &t->in_name, &t->in_loc, &t->n_in, rd->report);
}

rheo_status rh_experiment_network_outputs(rheo_experiment *x, const rh_reader *rd, rh_yaml *task) {
    rh_task *const t = &x->task;
    x->own_outputs = true;
    return name_ports(x->network_par, rh_layered_n_output(x->network_par), rh_layered_output, rh_yaml_loc(rd, task),
                      &t->out_name, &t->out_loc, &t->n_out, rd->report);
}

/* ---- printing ---- */

void rh_experiment_put_network(rh_buf *b, const rheo_experiment *x) {
    const rh_gen_kind *const kind = RH_GENS[x->network_kind];
    rh_buf_printf(b, "network:\n  kind: %s\n", kind->name);
    if (x->network_seed >= 0) rh_buf_printf(b, "  seed: %lld\n", (long long)x->network_seed);
    for (int k = 0; k < kind->n_field; k++) {
        const rh_gen_field *const f = &kind->fields[k];
        const double *const par = x->network_par + k;
        rh_buf_printf(b, "  %s: ", f->name);
        if (f->choices == RH_GEN_SIZES) {
            for (int i = 0; i < RH_GEN_LIST && par[i] > 0; i++) {
                rh_buf_puts(b, i ? ", " : "[");
                rh_buf_number(b, par[i]);
            }
            rh_buf_puts(b, "]");
        } else if (f->choices) {
            rh_buf_puts(b, f->choices[(int)*par]);
        } else {
            rh_buf_number(b, *par);
        }
        rh_buf_puts(b, "\n");
    }
}
