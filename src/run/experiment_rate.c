/* experiment_rate.c: learning.rates, rates for edges by their names. Of two that fit one edge, the one further down
 * holds, as with *@ learn. */
#include "circuit/circuit.h"
#include "run/experiment.h"

enum { MAX_RATE = 10000 };

rheo_status rh_experiment_read_rates(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning) {
    rh_yaml *map = NULL;
    RHEO_TRY(rh_read_map(rd, learning, "rates", false, &map));
    if (!map || map->n == 0) return RHEO_OK;
    if (map->n > MAX_RATE)
        return rh_report_error(rd->report, RHEO_E_LIMIT, RH_CODE_LIMIT, rh_yaml_loc(rd, map), NULL,
                               "'rates' has %d names, more than %d", map->n, MAX_RATE);
    x->rate_glob = rh_calloc((size_t)map->n, sizeof *x->rate_glob);
    x->rate_value = rh_calloc((size_t)map->n, sizeof *x->rate_value);
    if (!x->rate_glob || !x->rate_value) return RH_REPORT_NOMEM(rd->report);
    x->n_rate = map->n;
    for (int i = 0; i < map->n; i++) {
        map->item[i]->used = true;
        x->rate_glob[i] = map->key[i];
        RH_STEP(rh_read_double(rd, map->item[i], map->key[i], rh_rate_unit(x->learn.optimizer), 0, 1e30,
                               &x->rate_value[i]));
    }
    return RHEO_OK;
}

static int spread(const rheo_experiment *x, const char *glob, double rate) {
    const rheo_circuit *const c = x->circuit;
    int n = 0;
    for (int k = 0; k < c->n_edge; k++) {
        if (!rh_glob(glob, c->elem_name[c->edge_elem[k]])) continue;
        x->edge_rate[k] = rate;
        n++;
    }
    return n;
}

static const char *edge_name(const void *ctx, int k) {
    const rheo_circuit *const c = ctx;
    return k < c->n_edge && k < 20000 ? c->elem_name[c->edge_elem[k]] : NULL;
}

static rheo_status fits_nothing(const rheo_experiment *x, const rh_reader *rd, const rh_yaml *map, int i) {
    char hint[160] = "", shown[100];
    const rheo_circuit *const c = x->circuit;
    const char *const glob = map->key[i], *const near = rh_suggest(glob, edge_name, c);
    const bool fixed = rh_map_get(c->elem_map, glob, strlen(glob)) >= 0;
    if (fixed)
        snprintf(hint, sizeof hint, "this element does not learn: *@ learn makes it");
    else if (near)
        snprintf(hint, sizeof hint, "did you mean '%.80s'?", near);
    return rh_report_error(rd->report, RHEO_E_PARSE, RH_CODE_RATE, rh_yaml_key_loc(rd, map, i), hint[0] ? hint : NULL,
                           "'%s' in 'rates' fits no learnable element",
                           rh_escape(glob, strlen(glob), shown, sizeof shown));
}

rheo_status rh_experiment_resolve_rates(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning) {
    if (x->n_rate == 0) return RHEO_OK;
    const rh_yaml *const map = rh_yaml_get(learning, "rates");
    x->edge_rate = rh_calloc((size_t)x->circuit->n_edge, sizeof *x->edge_rate);
    if (!x->edge_rate) return RH_REPORT_NOMEM(rd->report);
    for (int k = 0; k < x->circuit->n_edge; k++) x->edge_rate[k] = x->learn.rate;
    x->learn.edge_rate = x->edge_rate;
    rheo_status st = RHEO_OK;
    for (int i = 0; i < x->n_rate && !rh_report_full(rd->report); i++)
        if (spread(x, x->rate_glob[i], x->rate_value[i]) == 0) st = fits_nothing(x, rd, map, i);
    return st;
}
