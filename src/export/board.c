/* board.c: values of the parts of the device level.
 *
 * A linear network is scaled so that no drop exceeds 0.2 V: a transistor is a resistor while half its drop stays below
 * its overdrive. The amplifier before the squarer gives 4.5 V for the largest drop, so V(s) = (gain scale drop)^2/10
 * and mapping.c serves with VS = 10/(gain scale)^2. Its pump GM V(u) is the amplifier behind the memory (A), a divider
 * of 2 VT to 10 V and a transconductance of bias/(2 VT): GM = bias A/10 V. */
#include "export/deck.h"

#include <math.h>

#define DROP 0.2         /* V: largest on the board, where the network can be scaled */
#define SQUARER 10.0     /* V: it gives x y/10 V */
#define SQUARE_SWING 2.0 /* V: what it gives for the largest drop */
#define GAIN_MOST 1000.0 /* of an instrumentation amplifier */
#define AIM 20e-3        /* V: threshold at the comparators, several times their offset */
#define AMPLIFY_LEAST 2.0
#define AMPLIFY_MOST 100.0
#define AMPLIFY_NONE 20.0 /* without a dead zone */
#define FULL 10.0         /* V behind the amplifier: the pump gives tanh(1) of its bias */
#define BIAS_MOST 1e-3    /* A: half of what an LM13700 may have */
#define SUPPLY 10.0       /* V: what amplifiers reach */
#define SWING 5.0         /* V: stored voltage from the smallest to the largest conductance */
#define FLOOR 50e-9       /* S: two resistors of 10 Mohm, the largest that are easy to have */

static rheo_status no_part(rheo_error *err, const rheo_circuit *c, int elem, const char *what, double x,
                           const char *unit, const char *hint) {
    char shown[80], number[32];
    const char *const name = c->elem_name[elem];
    const rheo_status st =
        rh_fail(err, RHEO_E_RANGE, RH_CODE_PART, rh_elem_loc(c, elem), "%s %s, not %s %s",
                rh_escape(name, strlen(name), shown, sizeof shown), what, rh_number_text(x, number), unit);
    rh_hint(err, "%s", hint);
    return st;
}

double rh_export_bias(const rh_board *b, const rh_export_edge *e) { return fabs(e->gm) * FULL / b->amplify; }

static rheo_status gate(const rheo_experiment *x, const rh_mapping *m, int edge, rh_export_edge *out, rheo_error *err) {
    const rheo_circuit *const c = x->circuit;
    RHEO_TRY(rh_export_edge_map(x, m, edge, out, err));
    const int *const held = c->term[c->edge_source[edge]];
    if (held[0] != c->term[c->edge_elem[edge]][RH_GATE] || held[1] != 0) {
        char shown[80];
        const char *const name = c->elem_name[c->edge_source[edge]];
        const rheo_status st = rh_fail(err, RHEO_E_USAGE, RH_CODE_PART, rh_elem_loc(c, c->edge_source[edge]),
                                       "%s does not go from the gate to ground, as the storage of an edge does",
                                       rh_escape(name, strlen(name), shown, sizeof shown));
        rh_hint(err, "turn it round, or use --level behavioural");
        return st;
    }
    const double most = fmax(fabs(out->w_min), fabs(out->w_max));
    if (most <= SUPPLY) return RHEO_OK;
    return no_part(err, c, c->edge_elem[edge], "may have up to 10 V at its gate, which amplifiers reach", most, "V",
                   "narrow min= and max= of '*@ learn', or use --level behavioural");
}

/* A transistor and two resistors that always conduct: g = floor + KP W/L (V(w) - VT). */
rheo_status rh_export_board_edge(const rheo_experiment *x, const rh_board *b, const rh_mapping *m, int edge,
                                 rh_export_edge *out, rheo_error *err) {
    const rheo_circuit *const c = x->circuit;
    if (rh_by_gate(c, edge)) return gate(x, m, edge, out, err);
    const double floor = fmax(c->g_min[edge], FLOOR), kg = (c->g_max[edge] - floor) / SWING;
    const double over = (c->g_init[edge] - floor) / kg;
    if (!(kg > 0 && over >= b->top / 2))
        return no_part(
            err, c, c->edge_elem[edge],
            "must start with an overdrive of more than half the largest drop, or its transistor is no resistor", over,
            "V", "raise its conductance or lower max= of '*@ learn', or use --level behavioural");
    *out = (rh_export_edge){
        .kg = kg,
        .g_floor = floor,
        .v_off = RH_BOARD_VT,
        .gm = rh_export_pump(x, m, edge) / kg,
        .w_min = RH_BOARD_VT,
        .w_max = RH_BOARD_VT + SWING,
        .w_now = RH_BOARD_VT + over,
    };
    return RHEO_OK;
}

/* The largest bias of all pumps, A. */
static rheo_status largest_bias(const rheo_experiment *x, const rh_board *b, const rh_mapping *m, int *edge,
                                double *bias, rheo_error *err) {
    *bias = 0;
    *edge = 0;
    for (int k = 0; k < x->circuit->n_edge; k++) {
        rh_export_edge e;
        RHEO_TRY(rh_export_board_edge(x, b, m, k, &e, err));
        if (rh_export_bias(b, &e) <= *bias) continue;
        *bias = rh_export_bias(b, &e);
        *edge = k;
    }
    return RHEO_OK;
}

/* The largest storage that its pump can still charge as fast as the experiment wants. */
static rheo_status choose_storage(const rheo_experiment *x, double v_square, rh_board *b, rh_mapping *m,
                                  rheo_error *err) {
    static const double FARAD[] = { 10e-6, 1e-6, 100e-9, 10e-9, 1e-9 };
    double bias = 0;
    int edge = 0;
    for (int i = 0; i < RH_COUNT(FARAD); i++) {
        rh_export_map_with(x, v_square, FARAD[i], m);
        if (i == 0 && m->threshold > 0) b->amplify = fmin(fmax(AIM / m->threshold, AMPLIFY_LEAST), AMPLIFY_MOST);
        b->threshold = b->amplify * m->threshold;
        RHEO_TRY(largest_bias(x, b, m, &edge, &bias, err));
        if (bias <= BIAS_MOST) return RHEO_OK;
    }
    return no_part(err, x->circuit, x->circuit->edge_elem[edge], "has a pump that may have a bias of 1 mA", bias, "A",
                   "lower learning.rate, or raise memory.threshold");
}

rheo_status rh_export_board(const rheo_experiment *x, rh_board *b, rh_mapping *m, rheo_error *err) {
    const double top = rh_export_largest(x), ib = 2 * RH_BOARD_VTH * x->learn.strength;
    *b = (rh_board){ .scale = rh_circuit_is_linear(x->circuit) ? DROP / top : 1, .amplify = AMPLIFY_NONE };
    b->top = b->scale * top;
    b->gain = fmin(fmax(sqrt(SQUARER * SQUARE_SWING) / b->top, 1), GAIN_MOST);
    if (x->learn.nonlinearity == RH_CUBIC) {
        const rheo_status st = rh_fail(err, RHEO_E_USAGE, RH_CODE_NO_DECK, RH_NOWHERE,
                                       "memory.nonlinearity: cubic cannot be exported on the level device");
        rh_hint(err, "use dead-zone, or --level behavioural");
        return st;
    }
    if (!(ib <= 2 * BIAS_MOST)) {
        char number[32];
        const rheo_status st =
            rh_fail(err, RHEO_E_RANGE, RH_CODE_PART, RH_NOWHERE,
                    "learning.nudge.strength: a transconductance amplifier may have a bias of 2 mA, not %s A",
                    rh_number_text(ib, number));
        rh_hint(err, "lower the strength, and the rate with it");
        return st;
    }
    const double g = b->gain * b->scale;
    return choose_storage(x, SQUARER / (g * g), b, m, err);
}
