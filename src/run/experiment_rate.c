/* experiment_rate.c: learning.rates, rates for edges by their names. Of two that fit one edge, the one further down
 * holds, as with *@ learn. And learning.charging, the rate of gates as resistance, capacitance and time. */
#include "circuit/circuit.h"
#include "run/experiment.h"

#include <math.h>

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
        RH_STEP(rh_read_double(rd, map->item[i], map->key[i], rh_rate_unit(x->learn.optimizer, x->learn.state), 0, 1e30,
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

static rheo_status spread_all(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning) {
    const rh_yaml *const map = rh_yaml_get(learning, "rates");
    rheo_status st = RHEO_OK;
    for (int i = 0; i < x->n_rate && !rh_report_full(rd->report); i++)
        if (spread(x, x->rate_glob[i], x->rate_value[i]) == 0) st = fits_nothing(x, rd, map, i);
    return st;
}

/* ---- charging ---- */

static rheo_status bad_charge(const rh_reader *rd, rh_loc at, const char *hint, const char *text) {
    return rh_report_error(rd->report, RHEO_E_USAGE, RH_CODE_CHARGING, at, hint, "%s", text);
}

static int count_gates(const rheo_circuit *c) {
    int n = 0;
    for (int k = 0; k < c->n_edge; k++) n += c->edge_source[k] >= 0;
    return n;
}

/* A name in `rates` that fits a gate, -1: none. */
static int rate_of_gate(const rheo_experiment *x) {
    const rheo_circuit *const c = x->circuit;
    for (int i = 0; i < x->n_rate; i++)
        for (int k = 0; k < c->n_edge; k++)
            if (c->edge_source[k] >= 0 && rh_glob(x->rate_glob[i], c->elem_name[c->edge_elem[k]])) return i;
    return -1;
}

/* The resolved experiment shows both, so the same rate twice is no contradiction. */
static bool same(double a, double b) { return fabs(a - b) <= 1e-9 * fabs(b); }

static rheo_status check_charging(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning, bool all, double law) {
    const rh_yaml *const given = rh_yaml_get(learning, "rate"), *const map = rh_yaml_get(learning, "rates");
    const rh_loc at = rh_yaml_loc(rd, rh_yaml_get(learning, "charging"));
    const int optimizer = x->learn.optimizer, glob = rate_of_gate(x);
    char hint[160], number[32];
    if (count_gates(x->circuit) == 0)
        return bad_charge(rd, at, "resistors have learning.rate", "no transistor learns, so nothing is charged");
    if (optimizer == RH_OPTIMIZER_ADAM || optimizer == RH_OPTIMIZER_SIGN)
        return bad_charge(rd, at, "use optimizer sgd, momentum or taps, or give learning.rate instead",
                          "a charge in proportion to V^2 is not what optimizers adam and sign write");
    if (glob >= 0)
        return bad_charge(rd, rh_yaml_key_loc(rd, map, glob), "keep one of them",
                          "this rate is for a gate, and 'charging' gives the rate of gates");
    if (!all || !given || same(x->learn.rate, law)) return RHEO_OK;
    snprintf(hint, sizeof hint, "leave one of them out: 'charging' makes it 2 strength pulse/(R C V0) = %s",
             rh_number_text(law, number));
    return bad_charge(rd, rh_yaml_loc(rd, given), hint, "the rate is not that of 'charging'");
}

static bool room(rheo_experiment *x) {
    x->edge_rate = rh_calloc((size_t)x->circuit->n_edge, sizeof *x->edge_rate);
    x->learn.edge_rate = x->edge_rate;
    for (int k = 0; x->edge_rate && k < x->circuit->n_edge; k++) x->edge_rate[k] = x->learn.rate;
    return x->edge_rate != NULL;
}

/* Where gates alone learn, their rate is the rate; else it is theirs among rates by edge. */
rheo_status rh_experiment_resolve_rates(rheo_experiment *x, const rh_reader *rd, rh_yaml *learning) {
    const rheo_circuit *const c = x->circuit;
    const double law = rh_charging_rate(&x->learn);
    const bool charged = !isnan(law), all = count_gates(c) == c->n_edge;
    if (charged) RHEO_TRY(check_charging(x, rd, learning, all, law));
    if (charged && all) x->learn.rate = law;
    if (x->n_rate == 0 && (!charged || all)) return RHEO_OK;
    if (!room(x)) return RH_REPORT_NOMEM(rd->report);
    RHEO_TRY(spread_all(x, rd, learning));
    for (int k = 0; charged && k < c->n_edge; k++)
        if (c->edge_source[k] >= 0) x->edge_rate[k] = law;
    return RHEO_OK;
}
