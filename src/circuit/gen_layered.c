/* gen_layered.c: layers of nodes, every node joined to all of the next layer by a learnable resistor: crossbars.
 *
 * Nodes: x1, x2, ... (x1p, x1n, ... doubled) and b1, ... are held by sources Vx1, ..., Vb1, ...; h1_1, ... are the
 * first hidden layer; y1, y2, ... (y1p, y1n, ...) the outputs. R<layer>_<from>_<to> are the resistors, R1_b<k>_<to>
 * those of the bias nodes, so that globs name layers: R1_*, R2_*, R1_b*. */
#include "circuit/layered.h"

#include <math.h>

static const char *const INPUTS[] = { "single", "double", NULL }, *const OUTPUTS[] = { "single", "pair", NULL },
                         *const DIODES[] = { "none", "pair", "alternate", NULL },
                         *const INITS[] = { "uniform", "kaiming", "glorot", NULL };
enum { IN, OUT, BIAS, BIAS_VOLT, DIODE, VTH, IS, N_EMIT, INIT, G, MIN, MAX, AMP, SIZES };
enum { NO_DIODE, PAIR, ALTERNATE };
enum { UNIFORM, KAIMING, GLOROT };

static const rh_gen_field FIELDS[] = {
    { "inputs", 0, 0, 1, "double: nodes in pairs x1p x1n, for +x and -x", INPUTS, false },
    { "outputs", 0, 0, 1, "pair: nodes in pairs y1p y1n, whose difference is the output", OUTPUTS, false },
    { "bias", 0, 0, 1000, "constant inputs b1, b2, ... besides those of the first layer", NULL, false },
    { "bias-volt", 1, -1e6, 1e6, "of their sources, V: b1 has it, b2 its negative, and so on", NULL, true },
    { "diodes", 0, 0, 2, "at hidden nodes: pair, one up and one down; alternate, by turns", DIODES, false },
    { "vth", 0, -1e3, 1e3, "V: where they begin to conduct besides what they need themselves", NULL, true },
    { "is", 1e-14, 1e-40, 1e3, "saturation current of the diodes, A", NULL, true },
    { "n", 1, 0.05, 100, "emission coefficient of the diodes", NULL, true },
    { "init", 0, 0, 2,
      "conductances at the start, then held between min and max: uniform from min to max; kaiming, "
      "uniform within g/sqrt(inputs) of 0; glorot, uniform from 0 to g sqrt(6/(inputs + outputs))",
      INITS, false },
    { "g", 1e-3, 1e-12, 1e12, "scale of kaiming and glorot, S", NULL, true },
    { "min", 1e-6, 1e-12, 1e12, "lowest conductance, S", NULL, true },
    { "max", 1e-2, 1e-12, 1e12, "highest conductance, S", NULL, true },
    { "amp", 1, 1e-6, 1e6,
      "voltage gain of the amplifiers behind hidden nodes, whose current gain back is 1/amp; 1: none", NULL, true },
    { "sizes", 0, 1, 1e6, "nodes of each layer, two for a pair, such as 1568,100,20", RH_GEN_SIZES, false },
};
_Static_assert(RH_COUNT(FIELDS) == SIZES + 1, "the list comes last, since it takes several numbers");

/* ---- parameters ---- */

static int n_layer(const double *par) {
    int n = 0;
    while (n < RH_GEN_LIST && par[SIZES + n] > 0) n++;
    return n;
}

static int size_of(const double *par, int layer) { return (int)par[SIZES + layer]; }

static rheo_status wrong(rheo_error *err, const char *text) {
    return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "layered: %s", text);
}

static rheo_status check(const double *par, rheo_error *err) {
    for (int k = 0; k < SIZES + RH_GEN_LIST; k++) {
        const rh_gen_field *const f = &FIELDS[k < SIZES ? k : SIZES];
        char x[32], min[32], max[32];
        const bool whole = f->real || par[k] == floor(par[k]);
        if ((par[k] >= f->min && par[k] <= f->max && whole) || (k >= SIZES && par[k] == 0)) continue;
        return rh_fail(err, RHEO_E_RANGE, 0, RH_NOWHERE, "layered: %s is %s, must be %sbetween %s and %s", f->name,
                       rh_number_text(par[k], x), whole ? "" : "a whole number ", rh_number_text(f->min, min),
                       rh_number_text(f->max, max));
    }
    const int n = n_layer(par);
    if (n < 2) return wrong(err, "there must be two layers at least, such as --sizes 4,8,2");
    if (par[MIN] > par[MAX]) return wrong(err, "min is above max");
    if (par[IN] == 1 && size_of(par, 0) % 2) return wrong(err, "doubled inputs need an even number of nodes");
    if (par[OUT] == 1 && size_of(par, n - 1) % 2) return wrong(err, "pairs of outputs need an even number of nodes");
    double n_edge = 0;
    for (int l = 0; l + 1 < n; l++) n_edge += (size_of(par, l) + (l ? 0 : par[BIAS])) * size_of(par, l + 1);
    if (n_edge <= RH_GEN_EDGES) return RHEO_OK;
    return rh_fail(err, RHEO_E_LIMIT, 503, RH_NOWHERE, "the network would have more than %d edges", RH_GEN_EDGES);
}

/* ---- names ---- */

static int node_name(const double *par, int layer, int i, char *buf, size_t size) {
    const int last = n_layer(par) - 1;
    const bool pairs = layer == 0 ? par[IN] == 1 : layer == last && par[OUT] == 1;
    if (layer > 0 && layer < last) return snprintf(buf, size, "h%d_%d", layer, i + 1);
    if (pairs) return snprintf(buf, size, "%c%d%c", layer ? 'y' : 'x', i / 2 + 1, i % 2 ? 'n' : 'p');
    return snprintf(buf, size, "%c%d", layer ? 'y' : 'x', i + 1);
}

int rh_layered_n_input(const double *par) { return size_of(par, 0) + (int)par[BIAS]; }
int rh_layered_n_output(const double *par) { return size_of(par, n_layer(par) - 1) / (par[OUT] == 1 ? 2 : 1); }

void rh_layered_input(const double *par, int i, char *buf, size_t size) {
    if (i < size_of(par, 0))
        node_name(par, 0, i, buf, size);
    else
        snprintf(buf, size, "b%d", i - size_of(par, 0) + 1);
}

void rh_layered_output(const double *par, int i, char *buf, size_t size) {
    if (par[OUT] == 1)
        snprintf(buf, size, "y%dp-y%dn", i + 1, i + 1);
    else
        snprintf(buf, size, "y%d", i + 1);
}

/* ---- elements ---- */

typedef struct maker {
    const double *par;
    uint64_t seed;
    rh_builder *b;
    int *node[2]; /* nodes of the layer before and of this one */
    int up, down, model;
} maker;

static int add(maker *m, int kind, const char *name, int p, int q, double value) {
    int other;
    return rh_builder_element(m->b, kind, name, (int[]){ p, q, -1, -1 }, value, (rh_place){ 0 }, &other);
}

static int add_node(maker *m, const char *name, double x, double y) {
    const int node = rh_builder_node(m->b, name, strlen(name));
    return node >= 0 && rh_builder_pos(m->b, node, x, y) == RHEO_OK ? node : -1;
}

/* A node held by a source; -1: out of memory. */
static int held_node(maker *m, const char *name, double y, double volt) {
    char source[40];
    const int node = add_node(m, name, 0, y);
    snprintf(source, sizeof source, "V%s", name);
    return node >= 0 && add(m, RH_KIND_V, source, node, 0, volt) >= 0 ? node : -1;
}

static bool add_inputs(maker *m) {
    const int n = size_of(m->par, 0), n_in = rh_layered_n_input(m->par);
    for (int i = 0; i < n_in; i++) {
        char name[32];
        rh_layered_input(m->par, i, name, sizeof name);
        const double volt = i < n ? 0 : (i - n) % 2 ? -m->par[BIAS_VOLT] : m->par[BIAS_VOLT];
        m->node[0][i] = held_node(m, name, i - 0.5 * (n_in - 1), volt);
        if (m->node[0][i] < 0) return false;
    }
    return true;
}

static double first_conductance(const maker *m, int layer, int n_from, int n_to, int i, int j) {
    const double *const p = m->par;
    const uint64_t counter = (uint64_t)layer << 48 | ((uint64_t)i * (uint64_t)n_to + (uint64_t)j);
    const double u = rh_random_unit(m->seed, RH_STREAM_GEN, counter);
    double g = p[MIN] + u * (p[MAX] - p[MIN]);
    if (p[INIT] == KAIMING) g = p[G] * (2 * u - 1) / sqrt(n_from);
    if (p[INIT] == GLOROT) g = p[G] * u * sqrt(6.0 / (n_from + n_to));
    return fmin(fmax(g, p[MIN]), p[MAX]);
}

/* Resistors from the layer before; n_from nodes, of which those from n_plain on are bias nodes. */
static bool add_resistors(maker *m, int layer, int n_plain, int n_from, int n_to) {
    for (int i = 0; i < n_from; i++)
        for (int j = 0; j < n_to; j++) {
            char name[48];
            if (i < n_plain)
                snprintf(name, sizeof name, "R%d_%d_%d", layer, i + 1, j + 1);
            else
                snprintf(name, sizeof name, "R%d_b%d_%d", layer, i - n_plain + 1, j + 1);
            const double r = 1 / first_conductance(m, layer, n_from, n_to, i, j); /* prints and reads back the same */
            const int e = add(m, RH_KIND_R, name, m->node[0][i], m->node[1][j], r);
            if (e < 0 || rh_builder_learn(m->b, e, m->par[MIN], m->par[MAX], NAN) != RHEO_OK) return false;
        }
    return true;
}

/* The up diode conducts when the node is above vth, the down diode when it is below -vth. */
static bool add_diode(maker *m, int layer, int j, bool up) {
    char name[32];
    snprintf(name, sizeof name, "D%d%s_%d", layer, up ? "up" : "down", j + 1);
    const int h = m->node[1][j], e = up ? add(m, RH_KIND_D, name, h, m->up, 0) : add(m, RH_KIND_D, name, m->down, h, 0);
    if (e < 0) return false;
    rh_builder_use_model(m->b, e, m->model);
    return rh_builder_par(m->b, e, rh_builder_model_par(m->b, m->model)) == RHEO_OK;
}

static bool add_diodes(maker *m, int layer, int n) {
    for (int j = 0; j < n; j++) {
        const bool both = m->par[DIODE] == PAIR;
        if ((both || j % 2 == 0) && !add_diode(m, layer, j, false))
            return false; /* alternate: the first stays above 0 */
        if ((both || j % 2 == 1) && !add_diode(m, layer, j, true)) return false;
    }
    return true;
}

/* Forward amp times the voltage of the hidden node; back, it draws the current that the next layer takes, over amp. The
 * next layer begins at the node behind the amplifier. */
static bool add_amplifiers(maker *m, int layer, int n) {
    for (int j = 0; j < n; j++) {
        char name[40];
        int other;
        const int h = m->node[1][j];
        snprintf(name, sizeof name, "e%d_%d", layer, j + 1);
        const int inside = rh_builder_node(m->b, name, strlen(name));
        snprintf(name, sizeof name, "a%d_%d", layer, j + 1);
        const int behind = inside < 0 ? -1 : add_node(m, name, 2 * layer + 0.5, j - 0.5 * (n - 1));
        if (behind < 0) return false;
        snprintf(name, sizeof name, "E%d_%d", layer, j + 1);
        if (rh_builder_element(m->b, RH_KIND_E, name, (int[]){ inside, 0, h, 0 }, m->par[AMP], (rh_place){ 0 },
                               &other) < 0)
            return false;
        snprintf(name, sizeof name, "Vs%d_%d", layer, j + 1);
        const int sense = add(m, RH_KIND_V, name, inside, behind, 0);
        snprintf(name, sizeof name, "F%d_%d", layer, j + 1);
        const int back = sense < 0 ? -1 : add(m, RH_KIND_F, name, h, 0, 1 / m->par[AMP]);
        if (back < 0) return false;
        rh_builder_ctrl(m->b, back, sense);
        m->node[1][j] = behind;
    }
    return true;
}

static bool prepare_diodes(maker *m) {
    double par[RH_KIND_PAR];
    const rh_kind *const kind = RH_KINDS[RH_KIND_D];
    for (int k = 0; k < kind->n_par; k++) {
        par[k] = kind->par[k].def;
        if (strcmp(kind->par[k].name, "is") == 0) par[k] = m->par[IS];
        if (strcmp(kind->par[k].name, "n") == 0) par[k] = m->par[N_EMIT];
    }
    m->model = rh_builder_model(m->b, "DHIDDEN", 7, RH_KIND_D, par);
    if (m->model < 0) return false;
    if (m->par[VTH] == 0) return true; /* straight to ground */
    m->up = rh_builder_node(m->b, "up", 2);
    m->down = rh_builder_node(m->b, "down", 4);
    return m->up >= 0 && m->down >= 0 && add(m, RH_KIND_V, "Vup", m->up, 0, m->par[VTH]) >= 0 &&
           add(m, RH_KIND_V, "Vdown", m->down, 0, -m->par[VTH]) >= 0;
}

static bool add_layers(maker *m) {
    const int n = n_layer(m->par);
    for (int l = 1; l < n; l++) {
        const int n_to = size_of(m->par, l), n_plain = size_of(m->par, l - 1);
        for (int j = 0; j < n_to; j++) {
            char name[32];
            node_name(m->par, l, j, name, sizeof name);
            if ((m->node[1][j] = add_node(m, name, 2 * l, j - 0.5 * (n_to - 1))) < 0) return false;
        }
        if (!add_resistors(m, l, n_plain, l == 1 ? rh_layered_n_input(m->par) : n_plain, n_to)) return false;
        if (m->par[DIODE] != NO_DIODE && l + 1 < n && !add_diodes(m, l, n_to)) return false;
        if (m->par[AMP] != 1 && l + 1 < n && !add_amplifiers(m, l, n_to)) return false;
        int *const swap = m->node[0];
        m->node[0] = m->node[1];
        m->node[1] = swap;
    }
    return true;
}

static bool add_title(maker *m) {
    char title[200], x[32];
    int at = snprintf(title, sizeof title, "layers");
    for (int l = 0; l < n_layer(m->par); l++)
        at += snprintf(title + at, sizeof title - (size_t)at, "%s%s", l ? "-" : " ",
                       rh_number_text(m->par[SIZES + l], x));
    at += snprintf(title + at, sizeof title - (size_t)at, " bias=%d diodes=%s init=%s seed=%llu", (int)m->par[BIAS],
                   DIODES[(int)m->par[DIODE]], INITS[(int)m->par[INIT]], (unsigned long long)m->seed);
    return rh_builder_title(m->b, title, (size_t)at) == RHEO_OK;
}

static rheo_status build(const double *par, uint64_t seed, rh_builder *b, rheo_error *err) {
    RHEO_TRY(check(par, err));
    int most = rh_layered_n_input(par);
    for (int l = 1; l < n_layer(par); l++)
        if (size_of(par, l) > most) most = size_of(par, l);
    maker m = { .par = par, .seed = seed, .b = b };
    int *const room = rh_calloc(2 * (size_t)most, sizeof *room);
    m.node[0] = room;
    m.node[1] = room + most;
    const bool ok =
        room && add_title(&m) && add_inputs(&m) && (par[DIODE] == NO_DIODE || prepare_diodes(&m)) && add_layers(&m);
    rh_free(room);
    return ok ? RHEO_OK : RH_NOMEM(err);
}

const rh_gen_kind rh_gen_layered = { "layered", "layers, every node joined to all of the next: crossbars with sources",
                                     FIELDS, RH_COUNT(FIELDS), build };
