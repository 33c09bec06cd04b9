/* Exported decks: what may stand in them, the mapping against the closed form of a cycle, and ngspice as the judge. */
#include "check.h"
#include "launch.h"

#include "export/export.h"
#include "rheo/memory.h"
#include "rheo/netlist.h"

#include <ctype.h>

/* Everything at once: odd names, ports of all kinds, an edge to ground, different bounds, every kind of fixed element.
 */
static const char NETLIST[] = "odd names\n*@ rheo version=1\n*@ learn R* min=5u max=500u\n*@ learn R4 max=300u\n"
                              "Vin/1 in/1 0 0\nI-x 0 o+2 0\nVs p[1] 0 1\n"
                              "R1 in/1 h_x2F 10k\nR2 h_x2F o+2 10k\nR3 p[1] o+2 12k\nR4 h_x2F 0 10k\nR#5 h/ 0 9k\n"
                              "R6 h_x2F h/ 10k\nEq q 0 h/ 0 2\nGq 0 q in/1 0 1u\nCq q 0 1n\nRq q 0 1k\n.end\n";
static const char EXPERIMENT[] = "version: 1\nnetlist: net.cir\nseed: 3\n"
                                 "task:\n  kind: table\n  inputs: [in/1, I-x]\n  outputs: [o+2, h_x2F-h/]\n  rows:\n"
                                 "    - {in: [1, 10u], out: [0.70, 0.30]}\n    - {in: [2, 50u], out: [1.20, 0.60]}\n"
                                 "    - {in: [2, 10u], out: [1.00, 0.70]}\n"
                                 "learning: {rule: tcl, rate: 3n, nudge: {kind: conductance, strength: 300u}}\n"
                                 "protocol: {kind: sawtooth, fast: 20u, slow: 20m, between: gate}\n"
                                 "memory: {kind: leaky-integrator, tau: 50u, leak: 1m, threshold: 60}\n"
                                 "run: {epochs: 100, batch: 1}\n";

/* The same with gates that learn: one that is the storage, one that others hang on, one on a bias, one the other way
 * round; two types of edges, sizes that differ, resistors that learn as well, diodes and transistors that do not. */
static const char BENT[] = "odd names\n*@ rheo version=1\n*@ learn M1 M-2 M3 min=1 max=6\n*@ learn R1 min=5u max=500u\n"
                           "Vin/1 in/1 0 0.1\nI-x 0 o+2 0\nM1 in/1 g1 h_x2F 0 n/1 w=20u l=10u\nVg1 g1 0 3\n"
                           "M-2 h_x2F g[2] o+2 0 n/1\nVg2 g[2] 0 3\nRg g[2] 0 1k\n"
                           "M3 in/1 g3 o+2 0 other\nVg3 g3 0 2.5\nMp h_x2F 0 o+2 0 p-ch\nDx h_x2F 0 d.1 area=2\n"
                           "R1 in/1 h/ 2k\nV+x h/ h.. 0\nR2 h.. 0 1k\nF.1 0 h/ V+x 0.1\nRL o+2 0 1k\n"
                           ".model n/1 nmos(vto=0.8 kp=0.2m gamma=0.1)\n.model other nmos(vto=0.7 kp=0.3m)\n"
                           ".model p-ch pmos(vto=-1)\n.model d.1 d(is=1e-15)\n.end\n";
static const char BENT_EXPERIMENT[] =
    "version: 1\nnetlist: net.cir\nseed: 3\n"
    "task:\n  kind: table\n  inputs: [in/1, I-x]\n  outputs: [o+2, h_x2F-h/]\n  rows:\n"
    "    - {in: [0.1, 10u], out: [0.06, 0.01]}\n    - {in: [0.3, 20u], out: [0.15, 0.02]}\n"
    "learning: {rule: tcl, rate: 1m, nudge: {kind: conductance, strength: 3m}}\n"
    "protocol: {kind: sawtooth, fast: 20u, slow: 20m, between: gate}\n"
    "memory: {kind: leaky-integrator, tau: 50u, leak: 1m, threshold: 0.1}\nrun: {epochs: 20, batch: 1}\n";

/* Elements that no card has: variants of models that learn and that do not, a switch, expressions. */
static const char EXPRESSED[] =
    "expressions\n*@ rheo version=1\n*@ learn M* min=1 max=9\n*@ model cell smooth n=0.05\n"
    "*@ model d/i ideal vth=0.1 ron=100 roff=1meg soft=20m\n*@ model pair antiparallel\n"
    "Va a 0 0\nVb b 0 0\nM1 a g1 h 0 cell\nVg1 g1 0 4\nM-2 b g2 h 0 cell w=200u\nVg2 g2 0 4\nM3 h g3 o 0 cell\n"
    "Vg3 g3 0 4\nM4 b g4 o 0 cell\nVg4 g4 0 4\nRL o 0 1k\nRg g4 0 1meg\nDx h 0 d/i\nD2 0 o pair\n"
    "Bx h 0 i={1u*tanh(V(h)*3)+0.1u*exp(min(V(o),2))-0.1u+2u*abs(V(h))*sqrt(max(V(h),0))*ln(1+V(h)*V(h))"
    "+1u*V(o)*V(h)*(V(h)-0.01)*(V(o)-V(h))}\n"
    "G/y o 0 value={1u*(V(h)-V(o))*V(o)}\nS1 h 0 o 0 sws\n.model sws sw(vt=0.05 vh=0.1 ron=3k roff=50k)\n"
    ".model cell nmos(vto=0.75 kp=0.3m)\n.model d/i d(is=1e-14)\n.model pair d(is=1e-9)\n.end\n";

static rheo_experiment *read_net(const char *dir, const char *net, const char *yaml, const char *const *set,
                                 int n_set) {
    char path[200];
    scratch_write(dir, "net.cir", net);
    scratch_write(dir, "exp.yaml", yaml);
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    rheo_experiment *x = NULL;
    rheo_error err = { 0 };
    if (rheo_experiment_read(&x, path, set, n_set, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return x;
}

static rheo_experiment *read_in(const char *dir, const char *yaml, const char *const *set, int n_set) {
    return read_net(dir, NETLIST, yaml, set, n_set);
}

static rheo_experiment *read_bent(const char *from, const char *to, const char *set) {
    char *const dir = scratch_create(), net[2 * sizeof(BENT)];
    const char *const at = from ? strstr(BENT, from) : BENT;
    assert_non_null(at);
    snprintf(net, sizeof(net), "%.*s%s%s", (int)(at - BENT), BENT, from ? to : "", at + (from ? strlen(from) : 0));
    rheo_experiment *const x = read_net(dir, net, BENT_EXPERIMENT, &set, set != NULL);
    scratch_remove(dir);
    return x;
}

static rheo_experiment *read_odd(const char *const *set, int n_set) {
    char *const dir = scratch_create();
    rheo_experiment *const x = read_in(dir, EXPERIMENT, set, n_set);
    scratch_remove(dir);
    return x;
}

static rheo_experiment *read_example(const char *path, const char *const *set, int n_set) {
    rheo_experiment *x = NULL;
    rheo_error err = { 0 };
    if (rheo_experiment_read(&x, path, set, n_set, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return x;
}

static char *deck_at(const rheo_experiment *x, const char *level, long teeth) {
    rheo_export_def def = rheo_export_default();
    def.level = level;
    def.teeth = teeth;
    char *text = NULL;
    rheo_error err = { 0 };
    if (rheo_export_spice(x, &def, &text, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return text;
}

static char *deck_of(const rheo_experiment *x, long teeth) { return deck_at(x, "behavioural", teeth); }

/* ---- text ---- */

static bool allowed_card(const char *line) {
    static const char *const CARDS[] = { ".subckt ",  ".ends ", ".ic ",    ".meas ", ".model ",
                                         ".options ", ".tran ", ".print ", ".end" };
    if (*line != '.') return strchr("RCVIEGFHDMX+*", *line) != NULL;
    for (size_t i = 0; i < sizeof(CARDS) / sizeof(*CARDS); i++)
        if (strncmp(line, CARDS[i], strlen(CARDS[i])) == 0) return true;
    return false;
}

/* In braces: numbers, names, V(...), three functions, and four more where an element is an expression. */
static void check_expressions(const char *line, const char *end) {
    static const char *const KNOWN[] = { "min", "max", "abs", "V", "exp", "ln", "sqrt", "tanh" };
    for (const char *s = line; s < end; s++) {
        if (*s != '(' || s == line || !isalpha((unsigned char)s[-1])) continue;
        const char *from = s;
        while (from > line && isalnum((unsigned char)from[-1])) from--;
        bool known = *line == '*' || *line == '.' || strncmp(from, "PWL", 3) == 0 || strncmp(from, "PULSE", 5) == 0;
        for (size_t i = 0; i < sizeof(KNOWN) / sizeof(*KNOWN); i++)
            known = known || ((size_t)(s - from) == strlen(KNOWN[i]) && strncmp(from, KNOWN[i], strlen(KNOWN[i])) == 0);
        if (!known) fail_msg("function %.*s", (int)(s - from), from);
    }
}

static void check_text(const char *text) {
    int n = 0;
    for (const char *line = text; *line; n++) {
        const char *const end = strchr(line, '\n');
        assert_non_null(end);
        if (end - line > 900) fail_msg("line %d has %d bytes", n + 1, (int)(end - line));
        if (n > 0 && end > line && !allowed_card(line)) fail_msg("line %d: %.60s", n + 1, line);
        if (n > 0 && *line == '*' && end > line + 1) assert_int_equal(line[1], ' ');
        for (const char *s = line; s < end; s++)
            if (*s < ' ' || *s > '~' || (strchr("^`;\\\"!@#&|$[]", *s) && *line != '*'))
                fail_msg("line %d: '%c'", n + 1, *s);
        if (n > 0) check_expressions(line, end);
        line = end + 1;
    }
    static const char *const NEVER[] = { "in/1", "o+2", "h/",   "p[1]", "g[2]",    "I-x", "R#5",
                                         "M-2",  "n/1", "p-ch", "d.1",  "control", "if(", ".param" };
    for (size_t i = 0; i < sizeof(NEVER) / sizeof(*NEVER); i++)
        if (strstr(text, NEVER[i])) fail_msg("'%s' reached the deck", NEVER[i]);
}

static const char *const LEVELS[] = { "behavioural", "device" };

static void decks_hold_portable_cards_only(void **state) {
    (void)state;
    for (int level = 0; level < 2; level++) {
        rheo_experiment *const x = read_odd(NULL, 0), *const y = read_bent(NULL, NULL, NULL);
        char *const text = deck_at(x, LEVELS[level], 0), *const bent = deck_at(y, LEVELS[level], 0);
        check_text(text);
        check_text(bent);
        rheo_text_free(text);
        rheo_text_free(bent);
        rheo_experiment_destroy(x);
        rheo_experiment_destroy(y);
    }
}

static void need(const char *text, const char *want);

/* What no card has is a controlled source, also within an edge; sizes of transistors are then types. */
static void what_no_card_has_is_an_expression(void **state) {
    (void)state;
    char *const dir = scratch_create(), yaml[1200];
    size_t n;
    char *const example = scratch_read("examples", "selflearn-mosfet.yaml", &n);
    const char *const after = strstr(example, "netlist: ");
    assert_non_null(after);
    snprintf(yaml, sizeof(yaml), "version: 1\nnetlist: net.cir%s", strchr(after, '\n'));
    rheo_experiment *const x = read_net(dir, EXPRESSED, yaml, NULL, 0);
    for (int level = 0; level < 2; level++) {
        char *const text = deck_at(x, LEVELS[level], 4);
        check_text(text);
        need(text, "\nG_S1 n_h 0 value={(V(n_h)-(0))*2e-05*exp(");
        need(text, "\nG_Bx n_h 0 value={");
        need(text, "\nG_G_x2Fy n_o 0 value={");
        need(text, "\nG_D2 0 n_o value={");
        need(text, "\n.subckt TCLFET1_cell p g n b w en");
        need(text, "\n.subckt TCLFET2_cell p g n b w en");
        need(text,
             level ? "\nX_M3 n_h w3 n_o 0 w3 en tp tn ee TCLFET1_cell" : "\nX_M3 n_h w3 n_o 0 w3 en TCLFET1_cell");
        assert_null(strstr(text, "TCLFET3"));
        assert_null(strstr(text, ".model m_"));
        assert_null(strstr(text, "WID="));
        rheo_text_free(text);
    }
    rheo_experiment_destroy(x);
    scratch_remove(dir);
    free(example);
}

static void need(const char *text, const char *want) {
    if (!strstr(text, want)) fail_msg("no '%s' in\n%.3000s", want, text);
}

static void edges_stand_where_they_stood(void **state) {
    (void)state;
    rheo_experiment *const x = read_odd(NULL, 0);
    char *text = deck_of(x, 0);
    need(text, "\nX_R_x235 n_h_x2F 0 w5 en TCLEDGE\n");
    need(text, "\nX_R1 n_in_x2F1 n_h_x5Fx2F w1 en TCLEDGE\n");
    need(text, "\nGC2 n_h_x2F n_h_x5Fx2F value={0.0003*V(beta)*V(e2)}\n");
    need(text, "\nGC1 0 n_o_x2B2 value={0.0003*V(beta)*V(e1)}\n");
    rheo_text_free(text);
    text = deck_at(x, "device", 0);
    need(text, "\nX_R1 n_in_x2F1 n_h_x5Fx2F w1 en tp tn ee TCLVCR\n");
    need(text, "\nXN1a t1 n_o_x2B2 beta n_o_x2B2 LM13700 PARAMS: IB=1.55");
    need(text, "\nXY2 n_h_x5Fx2F n_h_x2F 0 y2 INA111 PARAMS: G=1\nXN2a t2 y2 beta n_h_x5Fx2F LM13700");
    need(text, "\nXN2b y2 t2 beta n_h_x2F LM13700");
    rheo_text_free(text);
    rheo_experiment_destroy(x);
}

/* A gate is the storage itself where nothing else hangs on it; two edges of one model are one type. */
static void gates_are_storage_or_follow_it(void **state) {
    (void)state;
    rheo_experiment *const x = read_bent("Vg3 g3 0 2.5", "Vb bias 0 0.5\nVg3 bias g3 -2", NULL);
    char *text = deck_of(x, 0);
    need(text, "\nX_M1 n_in_x2F1 w1 n_h_x5Fx2F 0 w1 en TCLFET_n_x2F1\n");
    need(text, "\nX_M_x2D2 n_h_x5Fx2F n_g_x5B2_x5D n_o_x2B2 0 w2 en TCLFET_n_x2F1 PARAMS: WID=0.0001 LEN=0.0001\n");
    need(text, "\nE_Vg2 n_g_x5B2_x5D 0 w2 0 1\n");
    need(text, "\nE_Vg3 n_bias n_g3 w3 0 1\n");
    need(text, "\nX_M3 n_in_x2F1 n_g3 n_o_x2B2 0 w3 en TCLFET_other\n");
    need(text, "\nM_Mp n_h_x5Fx2F 0 n_o_x2B2 0 m_p_x2Dch w=0.0001 l=0.0001\n");
    need(text, "\nD_Dx n_h_x5Fx2F 0 m_d_x2E1 area=2\n");
    need(text, "\nF_F_x2E1 0 n_h_x2F V_V_x2Bx 0.1\n");
    assert_null(strstr(text, "V_Vg"));
    assert_null(strstr(text, "E_Vg1"));
    rheo_text_free(text);
    rheo_experiment_destroy(x);
    rheo_experiment *const y = read_bent(NULL, NULL, NULL);
    text = deck_at(y, "device", 0);
    need(text, "\nXF2 w2 n_g_x5B2_x5D n_g_x5B2_x5D OPA4134\n");
    rheo_text_free(text);
    rheo_experiment_destroy(y);
}

static void different_names_stay_different(void **state) {
    (void)state;
    static const char *const NAME[] = { "a",        "a-",    "a_x2D", "a_x2d", "a_",      "a__x2D",
                                        "a_x5Fx2D", "a_x5F", "_",     "a x",   "\xc3\xa9" };
    enum { N = sizeof(NAME) / sizeof(*NAME) };
    rh_buf b[N] = { { 0 } };
    for (int i = 0; i < N; i++) {
        rh_export_name(&b[i], NAME[i]);
        for (const char *s = b[i].s; *s; s++) assert_true(isalnum((unsigned char)*s) || *s == '_');
        for (int k = 0; k < i; k++)
            if (rh_streq(b[i].s, b[k].s) && !rh_streq(NAME[i], NAME[k]))
                fail_msg("%s: %s and %s", b[i].s, NAME[i], NAME[k]);
    }
    for (int i = 0; i < N; i++) rh_buf_free(&b[i]);
}

static void notes_only(void *user, const rheo_error *e) {
    (void)user;
    if (e->severity != RHEO_NOTE) fail_msg("%d:%d: E%03d: %s", e->line, e->col, e->code, e->msg);
}

/* rheo's own reader takes what it wrote, at both levels. */
static void decks_are_read_again(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        rheo_experiment *const x = k < 2 ? read_odd(NULL, 0) : read_bent(NULL, NULL, NULL);
        char *const text = deck_at(x, LEVELS[k % 2], 0);
        const rheo_log log = { notes_only, NULL };
        const rheo_netlist_def def = rheo_netlist_default();
        rheo_circuit *c = NULL;
        rheo_error err = { 0 };
        assert_int_equal(rheo_netlist_parse(&c, text, strlen(text), "deck.cir", &def, &log, &err), RHEO_OK);
        assert_true(rheo_circuit_n_element(c) > 60);
        rheo_circuit_destroy(c);
        rheo_text_free(text);
        rheo_experiment_destroy(x);
    }
}

/* ---- samples ---- */

/* Sum at time t of all PWL pieces whose names begin with head. */
static double pieces_at(const char *text, const char *head, double t) {
    double sum = 0;
    int n = 0;
    for (const char *p = text; (p = strstr(p, head)); p++, n++) {
        const char *const end = strchr(p, ')');
        double t0 = 0, v0 = 0, here = NAN;
        const char *s = strstr(p, "PWL(");
        assert_true(s && end && s < end);
        for (s += 4; s < end;) {
            while (strchr(" \n+", *s)) s++;
            char *next;
            const double t1 = strtod(s, &next), v1 = strtod(next, &next);
            if (t1 <= t) here = v1;
            if (t0 <= t && t < t1) here = v0 + (v1 - v0) * (t - t0) / (t1 - t0);
            t0 = t1, v0 = v1, s = next;
        }
        sum += here;
    }
    if (n < 3) fail_msg("only %d pieces of %s", n, head);
    return sum;
}

static void pieces_add_up_to_the_samples_in_their_order(void **state) {
    (void)state;
    rheo_experiment *const x = read_odd((const char *const[]){ "run.epochs=200" }, 1);
    char *const text = deck_of(x, 0);
    rh_timetable t;
    CHECK_OK(rh_export_times(x, 0, &t, NULL));
    assert_int_equal(t.n_scored, 3);
    assert_int_equal(t.n_slot, 606);
    int order[3];
    for (int k = 0; k < t.n_slot; k++) {
        const int tooth = k - t.n_scored;
        if (tooth >= 0 && tooth < 600) {
            if (tooth % 3 == 0) rh_experiment_order(x, tooth / 3, order);
            assert_int_equal(t.sample[k], order[tooth % 3]);
        } else {
            assert_int_equal(t.sample[k], k % 3);
        }
        const double *const in = x->task.in + 2 * t.sample[k], *const target = x->task.target + 2 * t.sample[k];
        const double from = k * t.period + t.tooth, to = (k + 1) * t.period;
        CHECK_NEAR(pieces_at(text, "\nV_Vin_x2F1.", from), in[0], 1e-12);
        CHECK_NEAR(pieces_at(text, "\nV_Vin_x2F1.", to), in[0], 1e-12);
        CHECK_NEAR(pieces_at(text, "\nI_I_x2Dx.", from), in[1], 1e-17);
        CHECK_NEAR(pieces_at(text, "\nVT2.", from), target[1], 1e-12);
    }
    rh_free(t.sample);
    rheo_text_free(text);
    rheo_experiment_destroy(x);
}

/* ---- mapping ---- */

/* V of the storage that one tooth takes away, by stepping the parts in time: s goes from s0 to s0 + a and back. */
static double stepped(const rh_mapping *m, double gm, double fast, double slow, double s0, double a) {
    const double gain = 2 / m->v_square, h = 2e-8;
    double vc = gain * s0 * (isfinite(m->r_leak) ? m->r_leak / (m->r_leak + m->r_memory) : 1), charge = 0;
    for (double t = 0; t < fast + slow; t += h) {
        const double mid = t + h / 2;
        const double s = gain * (s0 + a * (mid < fast ? mid / fast : 1 - (mid - fast) / slow));
        const double k = 1 / m->r_memory + 1 / m->r_leak, rest = s / m->r_memory / k;
        const double half = rest + (vc - rest) * exp(-h / 2 * k / m->c_memory), u = s - half;
        vc = rest + (vc - rest) * exp(-h * k / m->c_memory);
        const double open = (fabs(u) - m->threshold) / m->edge + 0.5;
        charge += gm * u * (open < 0 ? 0 : open > 1 ? 1 : open) * h;
    }
    return charge / m->c_store;
}

static void a_tooth_writes_what_the_closed_form_says(void **state) {
    (void)state;
    static const char *const LEAK[] = { "memory.leak=inf", "memory.leak=1m" };
    for (int leak = 0; leak < 2; leak++) {
        rheo_experiment *const x = read_odd(&LEAK[leak], 1);
        rh_mapping m;
        rh_export_edge e;
        rh_export_map(x, &m);
        CHECK_OK(rh_export_edge_map(x, &m, 3, &e, NULL));
        CHECK_REL(e.kg * e.w_now, 1e-4, 1e-12);
        CHECK_REL(e.kg * e.w_max, 3e-4, 1e-12);
        CHECK_REL(e.kg * e.w_min, 5e-6, 1e-12);
        CHECK_REL(m.r_memory * m.c_memory, 50e-6, 1e-12);
        CHECK_REL(m.threshold, 2 * 50e-6 * 60 / m.v_square, 1e-12);
        const double amplitude[] = { 0.02, -0.05, 0.3 };
        for (int i = 0; i < 3; i++) {
            /* The closed form with s0 = 0 at the free end: average = amplitude/2. Slow is long, so periodic is settled.
             */
            rheo_cycle_def def = rheo_cycle_default();
            const char *const par[] = { "tau=50u", leak ? "leak=1m" : "leak=inf" };
            def.param = par, def.n_param = 2;
            def.fast = 20e-6, def.slow = 20e-3, def.threshold = 60, def.average = amplitude[i] / 2;
            double dw;
            CHECK_OK(rheo_cycle(&def, 1, &amplitude[i], &dw, NULL, NULL, NULL));
            const double share = leak ? 1e-3 / (1e-3 + 50e-6) : 1, dg = 3e-9 / 300e-6 / (share * share) * dw;
            CHECK_REL(e.kg * stepped(&m, e.gm, 20e-6, 20e-3, 0, amplitude[i]), dg, 5e-3);
        }
        rheo_experiment_destroy(x);
    }
}

/* ---- refusals ---- */

static void refused(const char *const *set, int n_set, const char *level, long teeth, rheo_status status, int code) {
    rheo_experiment *const x = read_odd(set, n_set);
    rheo_export_def def = rheo_export_default();
    def.level = level;
    def.teeth = teeth;
    char *text = NULL;
    rheo_error err = { 0 };
    if (rheo_export_spice(x, &def, &text, &err) != status || err.code != code)
        fail_msg("%s: E%03d %s", n_set ? set[0] : level, err.code, err.msg);
    assert_null(text);
    assert_true(err.hint[0]);
    assert_non_null(rheo_explain(code, NULL));
    rheo_experiment_destroy(x);
}

static void what_no_deck_can_do_is_refused(void **state) {
    (void)state;
    static const char *const SETS[][2] = {
        { "learning.rule=contrastive", NULL },   { "memory={kind: chemotaxis}", NULL },
        { "learning.nudge.kind=current", NULL }, { "learning.loss=hinge", NULL },
        { "protocol.kind=square", NULL },        { "protocol.between=periodic", NULL },
        { "protocol.between=carry", NULL },      { "run.batch=0", NULL },
    };
    for (size_t i = 0; i < sizeof(SETS) / sizeof(*SETS); i++)
        refused(SETS[i], 1, "behavioural", 0, RHEO_E_USAGE, RH_CODE_NO_DECK);
    refused(NULL, 0, "transistors", 0, RHEO_E_USAGE, RH_CODE_LEVEL);
    refused(NULL, 0, "behavioural", 2000000, RHEO_E_LIMIT, RH_CODE_LONG);
}

/* One change of the circuit of transistors, or one setting. */
static void what_no_part_can_do_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *from, *to, *set, *level;
        int code;
    } CASES[] = {
        { "min=1 max=6", "min=1 max=16", NULL, "device", RH_CODE_PART },
        { "Vg3 g3 0 2.5", "Vb bias 0 0.5\nVg3 g3 bias 2", NULL, "device", RH_CODE_PART },
        { "Vg3 g3 0 2.5", "Vg3 0 g3 2.5", NULL, "device", RH_CODE_PART },
        { "h/ 2k", "h/ 150k", NULL, "device", RH_CODE_PART },
        { NULL, NULL, "learning.nudge.strength=100m", "device", RH_CODE_PART },
        { NULL, NULL, "learning.rate=1", "device", RH_CODE_PART },
        { NULL, NULL, "memory.nonlinearity=cubic", "device", RH_CODE_NO_DECK },
        { "R2 h.. 0 1k", "R2 h.. 0 1k\nF1 0 h/ Vin/1 0.1", NULL, "behavioural", RH_CODE_NO_DECK },
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
        rheo_experiment *const x = read_bent(CASES[i].from, CASES[i].to, CASES[i].set);
        rheo_export_def def = rheo_export_default();
        def.level = CASES[i].level;
        char *text = NULL;
        rheo_error err = { 0 };
        if (rheo_export_spice(x, &def, &text, &err) == RHEO_OK || err.code != CASES[i].code)
            fail_msg("case %d: E%03d %s", (int)i, err.code, err.msg);
        assert_null(text);
        assert_true(err.hint[0]);
        assert_non_null(rheo_explain(err.code, NULL));
        rheo_experiment_destroy(x);
    }
}

/* ---- ngspice ---- */

static bool have_ngspice(void) { return system("command -v ngspice >/dev/null 2>&1") == 0; }

static char *simulate(const char *dir, const char *deck) {
    char command[400];
    size_t n;
    scratch_write(dir, "deck.cir", deck);
    snprintf(command, sizeof(command), "cd %s && HOME=%s ngspice -b -n deck.cir >log 2>&1", dir, dir);
    if (system(command) != 0) fail_msg("ngspice failed:\n%s", scratch_read(dir, "log", &n));
    return scratch_read(dir, "log", &n);
}

static double measured(const char *log, const char *name) {
    char want[32];
    snprintf(want, sizeof(want), "\n%s ", name);
    const char *p = strstr(log, want);
    if (p) p = strchr(p, '=');
    if (!p) fail_msg("no %s in what ngspice says:\n%s", name, log);
    return strtod(p + 1, NULL);
}

/* What was learned is the last thing that ngspice says of the circuit. */
static void the_summary_comes_last(void **state) {
    (void)state;
    char *const dir = scratch_create(), path[200];
    launched r;
    snprintf(path, sizeof path, "%s/deck.cir", dir);
    launch_with(&r, "export", "--teeth", "31", "examples/selflearn-4.yaml", "-o", path, NULL);
    assert_int_equal(r.exit, 0);
    /* 31 teeth and 8 slots of measurement, 4 edges, 5 ms each */
    assert_string_equal(r.err, "31 teeth, 4 edges: ngspice takes roughly 1 s; --teeth 30 tries it\n");
    launch_free(&r);
    size_t n;
    char *const deck = scratch_read(dir, "deck.cir", &n);
    launch_with(&r, "export", "examples/selflearn-24.yaml", "-q", NULL);
    assert_string_equal(r.err, "");
    launch_free(&r);
    if (have_ngspice()) {
        char *const log = simulate(dir, deck);
        const char *const last = strstr(log, "\nwf4 ");
        assert_true(measured(log, "rms1") < measured(log, "rms0"));
        assert_non_null(last);
        assert_null(strstr(last, "Index")); /* no rows of numbers behind it */
        int lines = 0;
        for (const char *p = last; (p = strchr(p, '\n')); p++) lines++;
        assert_true(lines < 30);
        free(log);
    }
    free(deck);
    scratch_remove(dir);
}

/* What `rheo train` makes of the same teeth: g [n]. */
static void train(const char *path, const char *dir, const char *const *set, int n_set, double *g, int n) {
    char run[200], trained[240];
    const char *argv[24] = { "train", path, "--force", "-q", "-o", run };
    int k = 6;
    snprintf(run, sizeof(run), "%s/run", dir);
    snprintf(trained, sizeof(trained), "%s/trained.cir", run);
    for (int i = 0; i < n_set; i++) argv[k++] = "--set", argv[k++] = set[i];
    launched r;
    launch(&r, argv, NULL, NULL);
    if (r.exit != 0) fail_msg("%s", r.err);
    launch_free(&r);
    rheo_circuit *c = NULL;
    rheo_state *s = NULL;
    CHECK_OK(rheo_netlist_read(&c, trained, NULL, NULL, NULL));
    CHECK_OK(rheo_state_create(&s, c, NULL));
    assert_int_equal(s->n_edge, n);
    memcpy(g, s->g, sizeof(double) * (size_t)n);
    rheo_state_destroy(s);
    rheo_circuit_destroy(c);
}

enum { MOST = 8 };
/* Largest difference between ngspice and rheo, relative to the largest change of any edge, and relative to g. */
typedef struct difference {
    double of_change, of_g, rms0, rms1;
} difference;

static difference compare(const char *path, const char *dir, const char *const *set, int n_set) {
    rheo_experiment *const x = read_example(path, set, n_set);
    char *const deck = deck_of(x, 0), *const log = simulate(dir, deck);
    const int n = x->circuit->n_edge;
    double g[MOST], change = 0, worst = 0;
    assert_true(n <= MOST);
    train(path, dir, set, n_set, g, n);
    difference d = { .rms0 = measured(log, "rms0"), .rms1 = measured(log, "rms1") };
    rh_mapping m;
    rh_export_map(x, &m);
    for (int k = 0; k < n; k++) {
        rh_export_edge e;
        char name[16];
        CHECK_OK(rh_export_edge_map(x, &m, k, &e, NULL));
        snprintf(name, sizeof(name), "wf%d", k + 1);
        const double is = e.kg * measured(log, name);
        print_message("edge %d: ngspice %.5g S, rheo %.5g S\n", k + 1, is, g[k]);
        worst = fmax(worst, fabs(is - g[k]));
        d.of_g = fmax(d.of_g, fabs(is / g[k] - 1));
        change = fmax(change, fabs(g[k] - x->circuit->g_init[k]));
    }
    d.of_change = worst / change;
    print_message("rms %.4g -> %.4g V; conductances differ by %.2g %%, that is %.2g %% of the largest change\n", d.rms0,
                  d.rms1, 100 * d.of_g, 100 * d.of_change);
    free(log);
    rheo_text_free(deck);
    rheo_experiment_destroy(x);
    return d;
}

static void four_edges_learn_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice()) {
        print_message("skipped: no ngspice on the PATH\n");
        skip();
    }
    char *const dir = scratch_create();
    const char *const quicker[] = { "learning.rate=3.6n", "run.epochs=320" }; /* than the example, and less exact */
    const difference d = compare("examples/selflearn-4.yaml", dir, quicker, 2);
    CHECK_REL(d.rms0, sqrt(2 * 0.03796875), 1e-3);
    if (!(d.rms0 / d.rms1 >= 25)) fail_msg("the error fell only %g-fold", d.rms0 / d.rms1);
    if (!(d.of_g <= 0.05)) fail_msg("conductances differ by %g", d.of_g);
    scratch_remove(dir);
}

/* The lower the rate, the less a conductance moves within one tooth, which is all that the closed form leaves out. */
static void lower_rates_agree_better(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    const char *const fast[] = { "run.epochs=10", "learning.rate=18n" }, *const slow[] = { "run.epochs=10",
                                                                                           "learning.rate=0.9n" };
    const difference a = compare("examples/selflearn-4.yaml", dir, fast, 2),
                     b = compare("examples/selflearn-4.yaml", dir, slow, 2);
    assert_true(b.of_change <= 0.02);
    assert_true(b.of_change < a.of_change / 2);
    scratch_remove(dir);
}

/* Gate, shuffled samples, leak, current source, difference as output, other bounds, fixed elements of all kinds. */
static void everything_at_once_agrees(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    char path[200];
    rheo_experiment_destroy(read_in(dir, EXPERIMENT, NULL, 0));
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    const char *const set[] = { "run.epochs=15", "learning.rate=20p" };
    const difference d = compare(path, dir, set, 2);
    if (!(d.of_change <= 0.05)) fail_msg("conductances differ by %g of their change", d.of_change);
    scratch_remove(dir);
}

/* rms1/rms0 of a deck. */
static double left_of(const char *path, const char *dir, const char *level, long teeth, const char *const *set,
                      int n_set) {
    rheo_experiment *const x = read_example(path, set, n_set);
    char *const deck = deck_at(x, level, teeth), *const log = simulate(dir, deck);
    const double rms0 = measured(log, "rms0"), rms1 = measured(log, "rms1");
    print_message("%s %s, %ld teeth: rms %.4g -> %.4g V\n", path, level, teeth, rms0, rms1);
    free(log);
    rheo_text_free(deck);
    rheo_experiment_destroy(x);
    return rms1 / rms0;
}

static const char *const QUICK[] = { "learning.rate=1" };

static void transistors_learn_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    const double left = left_of("examples/selflearn-mosfet.yaml", dir, "behavioural", 40, QUICK, 1);
    if (!(left < 0.05)) fail_msg("%g of the error is left", left);
    scratch_remove(dir);
}

/* Storage at the gates against the closed form, which holds them fixed during a tooth. */
static void gates_agree_at_a_low_rate(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    const char *const set[] = { "run.epochs=10", "learning.rate=20m" };
    const difference d = compare("examples/selflearn-mosfet.yaml", dir, set, 2);
    if (!(d.of_change <= 0.03)) fail_msg("gates differ by %g of their change", d.of_change);
    scratch_remove(dir);
}

/* The same with elements that no card has: closed form and engine transient against ngspice. */
static void expressions_learn_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create(), yaml[1200], path[200];
    size_t n;
    char *const example = scratch_read("examples", "selflearn-mosfet.yaml", &n);
    snprintf(yaml, sizeof(yaml), "version: 1\nnetlist: net.cir%s", strchr(strstr(example, "netlist: "), '\n'));
    free(example);
    rheo_experiment_destroy(read_net(dir, EXPRESSED, yaml, NULL, 0));
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    const char *const set[] = { "run.epochs=3", "learning.rate=20m", "solver.engine=transient" };
    const difference closed = compare(path, dir, set, 2), transient = compare(path, dir, set, 3);
    if (!(closed.of_change <= 0.03)) fail_msg("gates differ by %g of their change", closed.of_change);
    if (!(transient.of_g <= 3e-4)) fail_msg("transient: gates differ by %g", transient.of_g);
    scratch_remove(dir);
}

/* Charges at the nodes between transistors, and a diode: the engine transient has them, the closed form has not. */
static void charged_transistors_learn_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create(), yaml[1200], net[900], path[200];
    size_t n;
    char *const example = scratch_read("examples", "selflearn-mosfet.yaml", &n), *const plain = scratch_read(
                                                                                     "netlists", "selflearn-mosfet.cir",
                                                                                     &n);
    snprintf(yaml, sizeof(yaml), "version: 1\nnetlist: net.cir%s", strchr(strstr(example, "netlist: "), '\n'));
    snprintf(net, sizeof(net), "%.*sCh h 0 5n\nCo o 0 5n\nD1 o 0 d\n.model d d(is=1e-7)\n.end\n",
             (int)(strstr(plain, ".end") - plain), plain);
    free(example);
    free(plain);
    rheo_experiment_destroy(read_net(dir, net, yaml, NULL, 0));
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    const char *const set[] = { "run.epochs=4", "solver.engine=transient" };
    const difference transient = compare(path, dir, set, 2), closed = compare(path, dir, set, 1);
    if (!(transient.of_g <= 3e-4)) fail_msg("gates differ by %g", transient.of_g);
    assert_true(closed.of_change > 100 * transient.of_change);
    scratch_remove(dir);
}

/* Rates of their own, one of them 0. */
static void edges_have_their_rates_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice()) skip();
    char *const dir = scratch_create();
    const char *const set[] = { "run.epochs=5", "learning.rate=0.9n", "learning.rates={R1: 1.5n, R3: 0, R4: 0.3n}",
                                "solver.engine=transient" };
    const difference closed = compare("examples/selflearn-4.yaml", dir, set, 3),
                     transient = compare("examples/selflearn-4.yaml", dir, set, 4),
                     one = compare("examples/selflearn-4.yaml", dir, set, 2);
    if (!(closed.of_change <= 0.03)) fail_msg("conductances differ by %g of their change", closed.of_change);
    if (!(transient.of_g <= 3e-4)) fail_msg("transient: conductances differ by %g", transient.of_g);
    assert_true(fabs(one.rms1 - transient.rms1) > 1e-3 * one.rms1); /* they matter */
    scratch_remove(dir);
}

static void parts_learn_in_ngspice(void **state) {
    (void)state;
    if (!have_ngspice() || getenv("RHEO_ASAN")) skip();
    static const char *const FAST[] = { "learning.rate=30n" };
    char *const dir = scratch_create();
    double left = left_of("examples/selflearn-mosfet.yaml", dir, "device", 20, QUICK, 1);
    if (!(left < 0.2)) fail_msg("%g of the error is left with transistors as edges", left);
    left = left_of("examples/selflearn-4.yaml", dir, "device", 50, FAST, 1);
    if (!(left < 0.2)) fail_msg("%g of the error is left with transistors as resistors", left);
    scratch_remove(dir);
}

/* The example with sources that stand on their heads, or with a P channel: such edges conduct less when what is stored
 * rises. */
static void write_falling(const char *dir, bool p_channel) {
    size_t n;
    char net[900], *const yaml = scratch_read("examples", "selflearn-mosfet.yaml", &n);
    static const char WHERE[] = "../netlists/selflearn-mosfet.cir";
    char *const at = strstr(yaml, WHERE);
    assert_non_null(at);
    memcpy(at, "net.cir", 7);
    memmove(at + 7, at + sizeof(WHERE) - 1, strlen(at + sizeof(WHERE) - 1) + 1);
    const char *const from = p_channel ? "g%d 0" : "0 g%d";
    int k = snprintf(net, sizeof(net),
                     "falling\n*@ rheo version=1\n*@ learn M* min=-9 max=-0.8\nVa a 0 0\nVb b 0 0\n"
                     "M1 a g1 h 0 cell\nM2 b g2 h 0 cell\nM3 h g3 o 0 cell\nM4 b g4 o 0 cell\nRL o 0 1k\n"
                     ".model cell %s kp=0.3m)\n",
                     p_channel ? "pmos(vto=-0.75" : "nmos(vto=0.75");
    for (int i = 1; i <= 4; i++) {
        char nodes[16];
        snprintf(nodes, sizeof(nodes), from, i);
        k += snprintf(net + k, sizeof(net) - (size_t)k, "Vg%d %s -4\n", i, nodes);
    }
    scratch_write(dir, "net.cir", net);
    scratch_write(dir, "exp.yaml", yaml);
    free(yaml);
}

static void edges_that_fall_learn_as_well(void **state) {
    (void)state;
    char *const dir = scratch_create();
    char path[200];
    double up[4], down[4];
    const char *const few[] = { "run.epochs=10" };
    snprintf(path, sizeof(path), "%s/exp.yaml", dir);
    write_falling(dir, false);
    train("examples/selflearn-mosfet.yaml", dir, few, 1, up, 4);
    train(path, dir, few, 1, down, 4);
    for (int k = 0; k < 4; k++) CHECK_REL(down[k], -up[k], 1e-9);
    const char *const in_time[] = { "run.epochs=3", "solver.engine=transient" };
    train("examples/selflearn-mosfet.yaml", dir, in_time, 2, up, 4);
    train(path, dir, in_time, 2, down, 4);
    for (int k = 0; k < 4; k++) CHECK_REL(down[k], -up[k], 1e-9);
    if (have_ngspice()) {
        double left = left_of(path, dir, "behavioural", 20, QUICK, 1);
        if (!(left < 0.3)) fail_msg("sources on their heads: %g of the error is left", left);
        write_falling(dir, true);
        const difference d = compare(path, dir, in_time, 2);
        if (!(d.of_g <= 3e-4)) fail_msg("a P channel, transient: gates differ by %g", d.of_g);
        left = left_of(path, dir, "behavioural", 20, QUICK, 1);
        if (!(left < 0.5)) fail_msg("a P channel: %g of the error is left", left);
        if (!getenv("RHEO_ASAN")) left = left_of(path, dir, "device", 20, QUICK, 1);
        if (!(left < 0.6)) fail_msg("a P channel, parts: %g of the error is left", left);
    }
    scratch_remove(dir);
}

/* Without the dead zone, and the other way round, parts do not learn either. */
static void parts_need_dead_zone_and_direction(void **state) {
    (void)state;
    if (!have_ngspice() || getenv("RHEO_ASAN")) skip();
    static const char *const SETS[][2] = {
        { "memory.threshold=0", "learning.rate=1" },
        { "protocol={kind: sawtooth, fast: 80m, slow: 5u, between: gate}", "learning.rate=1" },
    };
    char *const dir = scratch_create();
    for (int i = 0; i < 4; i++) {
        const double left = left_of("examples/selflearn-mosfet.yaml", dir, LEVELS[i % 2], 16, SETS[i / 2], 2);
        if (!(left > 0.6)) fail_msg("%s, %s: %g of the error is left", SETS[i / 2][0], LEVELS[i % 2], left);
    }
    scratch_remove(dir);
}

/* Without the dead zone both ramps write and cancel; the other way round the machine runs from its target. */
static void dead_zone_and_direction_decide(void **state) {
    (void)state;
    if (!have_ngspice() || getenv("RHEO_ASAN")) skip();
    static const char *const SETS[][2] = { { "memory.threshold=0", "run.epochs=50" },
                                           { "protocol={kind: sawtooth, fast: 80m, slow: 500n, between: gate}",
                                             "run.epochs=50" } };
    char *const dir = scratch_create();
    for (int i = 0; i < 2; i++) {
        rheo_experiment *const x = read_example("examples/selflearn-4.yaml", SETS[i], 2);
        char *const deck = deck_of(x, 0), *const log = simulate(dir, deck);
        const double rms0 = measured(log, "rms0"), rms1 = measured(log, "rms1");
        if (!(rms1 > 0.8 * rms0)) fail_msg("%s: rms %g -> %g", SETS[i][0], rms0, rms1);
        free(log);
        rheo_text_free(deck);
        rheo_experiment_destroy(x);
    }
    scratch_remove(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decks_hold_portable_cards_only),
        cmocka_unit_test(what_no_card_has_is_an_expression),
        cmocka_unit_test(edges_stand_where_they_stood),
        cmocka_unit_test(gates_are_storage_or_follow_it),
        cmocka_unit_test(different_names_stay_different),
        cmocka_unit_test(decks_are_read_again),
        cmocka_unit_test(pieces_add_up_to_the_samples_in_their_order),
        cmocka_unit_test(a_tooth_writes_what_the_closed_form_says),
        cmocka_unit_test(what_no_deck_can_do_is_refused),
        cmocka_unit_test(what_no_part_can_do_is_refused),
        cmocka_unit_test(the_summary_comes_last),
        cmocka_unit_test(four_edges_learn_in_ngspice),
        cmocka_unit_test(lower_rates_agree_better),
        cmocka_unit_test(everything_at_once_agrees),
        cmocka_unit_test(dead_zone_and_direction_decide),
        cmocka_unit_test(transistors_learn_in_ngspice),
        cmocka_unit_test(gates_agree_at_a_low_rate),
        cmocka_unit_test(expressions_learn_in_ngspice),
        cmocka_unit_test(charged_transistors_learn_in_ngspice),
        cmocka_unit_test(edges_have_their_rates_in_ngspice),
        cmocka_unit_test(parts_learn_in_ngspice),
        cmocka_unit_test(edges_that_fall_learn_as_well),
        cmocka_unit_test(parts_need_dead_zone_and_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
