/* Reading, expanding and printing netlists. The messages of faulty ones: test_malformed_netlist.c. */
#include "check.h"
#include "element/memristor.h"
#include "table_case.h"

#include "circuit/circuit.h"
#include "rheo/netlist.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* ---- helpers ---- */

typedef struct seen {
    int errors, warnings, notes, code; /* code: of the last error or, without one, of the last warning */
    char msg[400];
    rheo_error first; /* error */
} seen;

static void count(void *user, const rheo_error *e) {
    seen *s = user;
    if (e->severity == RHEO_ERROR && !s->errors) s->first = *e;
    s->errors += e->severity == RHEO_ERROR;
    s->warnings += e->severity == RHEO_WARNING;
    s->notes += e->severity == RHEO_NOTE;
    if (e->severity == RHEO_ERROR || (e->severity == RHEO_WARNING && !s->errors)) s->code = e->code;
    if (e->severity == RHEO_ERROR) snprintf(s->msg, sizeof(s->msg), "%s", e->msg);
}

static rheo_circuit *parse_seen(const char *text, size_t n, seen *s) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    const rheo_log log = { count, s };
    const rheo_status st = rheo_netlist_parse(&c, text, n, "t.cir", NULL, &log, &err);
    assert_int_equal(st == RHEO_OK, c != NULL);
    return c;
}

static rheo_circuit *parse(const char *text) {
    seen s = { 0 };
    rheo_circuit *c = parse_seen(text, strlen(text), &s);
    if (!c) fail_msg("%s\n%s", s.msg, text);
    return c;
}

/* Code of the (last) error of a text that must be refused. */
static int refused(const char *text) {
    seen s = { 0 };
    rheo_circuit *c = parse_seen(text, strlen(text), &s);
    rheo_circuit_destroy(c);
    assert_null(c);
    return s.code;
}

static int find(const rheo_circuit *c, const char *name) {
    const int e = rheo_circuit_find_element(c, name);
    if (e < 0) fail_msg("no element %s", name);
    return e;
}

static double value(const rheo_circuit *c, const char *name) { return c->value[find(c, name)]; }

static const char *node_of(const rheo_circuit *c, const char *elem, int term) {
    return c->node_name[c->term[find(c, elem)][term]];
}

static double expr(const char *text) {
    char net[500];
    snprintf(net, sizeof(net),
             "t\n.param two=2 neg={-3} big=1meg\n.func sq(x) {x*x}\n.func hyp(a,b) {sqrt(sq(a)+sq(b))}\nV1 a 0 {%s}\n",
             text);
    rheo_circuit *c = parse(net);
    const double v = value(c, "V1");
    rheo_circuit_destroy(c);
    return v;
}

static void round_trip(const rheo_circuit *c) {
    char *text = NULL, *again = NULL;
    rheo_error err = { 0 };
    if (rheo_netlist_print(&text, c, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    rheo_circuit *back = parse(text);
    if (!rh_circuit_equal(c, back)) fail_msg("not equal after reading back:\n%s", text);
    assert_int_equal(rheo_netlist_print(&again, back, NULL, &err), RHEO_OK);
    assert_string_equal(text, again);
    rheo_circuit_destroy(back);
    rheo_text_free(text);
    rheo_text_free(again);
}

/* ---- cards ---- */

static void every_kind_of_card(void **state) {
    (void)state;
    rheo_circuit *c =
        parse("all of them\n"
              "R1 a b 1k\nr2 b 0 r=2k\nRp (a, b) 3k tc1=0\nC1 a 0 1n ic=0\nV1 a 0 5\nV2 b 0 dc=6\nV3 c 0 dc 7 ac 1 0\n"
              "I1 a gnd {1m}\nE1 d 0 a b 2\nG1 e 0 (a b) 1m\nR5 c e 1k\nR6 d e '2*3'\n.end\n");
    assert_int_equal(c->n_elem, 12);
    assert_string_equal(c->title, "all of them");
    CHECK_REL(value(c, "R1"), 1e3, 0);
    CHECK_REL(value(c, "R2"), 2e3, 0);
    CHECK_REL(value(c, "rp"), 3e3, 0);
    CHECK_REL(value(c, "C1"), 1e-9, 1e-15);
    CHECK_REL(value(c, "V1"), 5, 0);
    CHECK_REL(value(c, "V2"), 6, 0);
    CHECK_REL(value(c, "V3"), 7, 0);
    CHECK_REL(value(c, "I1"), 1e-3, 0);
    CHECK_REL(value(c, "E1"), 2, 0);
    CHECK_REL(value(c, "G1"), 1e-3, 0);
    CHECK_REL(value(c, "R6"), 6, 0);
    assert_int_equal(c->term[find(c, "I1")][1], 0);
    assert_string_equal(node_of(c, "G1", 2), "a");
    assert_string_equal(node_of(c, "G1", 3), "b");
    assert_int_equal(c->n_edge, 0);
    round_trip(c);
    rheo_circuit_destroy(c);
}

static void sources_take_their_value_at_time_zero(void **state) {
    (void)state;
    rheo_circuit *c = parse(
        "t\nV1 a 0 PULSE(1 5 0 1n 1n 1u 2u)\nV2 b 0 PWL(0,2 1,3 2 4)\nV3 c 0 SIN(3 1 1k)\nV4 d 0 EXP(4 1 0 1 2 3)\n"
        "V5 e 0 DC 9 PULSE 1 2 3\nV6 f 0 PULSE(1 2) DC 8\nV7 g 0 AC 1\nI1 a 0 PWL 0 7 1 8 2 7 r=0 td=1\nR1 a 0 1\n");
    const double want[] = { 1, 2, 3, 4, 9, 8, 0, 7 };
    for (int e = 0; e < RH_COUNT(want); e++) CHECK_NEAR(c->value[e], want[e], 0);
    rheo_circuit_destroy(c);
}

static void lines_and_comments(void **state) {
    (void)state;
    static const char *const SAME[] = {
        "t\nR1 a b 1k\nR2 b 0 2k\n",
        "t\nR1 a b 1k\nR2 b 0 2k",
        "\xEF\xBB\xBFt\nR1 a b 1k\nR2 b 0 2k\n",
        "t\r\nR1 a b 1k\r\nR2 b 0 2k\r\n.end\r\n",
        "t\n* c\n\n  R1 a b 1k ; c\n\t\nR2\tb 0 2k $ c\n.END\n",
        "t\nR1\n+ a\n* between\n\n+ b ; here too\n  + 1k\nR2 b 0 2k // c\n",
        "t\nR1 a,b,1k\nR2 (b 0) 2k\n",
        "t\nR1 a b {1\n+ *\n+ 1k}\n.op\nR2 b 0 2k\n.tran 1 1\n",
        "t\nR1 a b 1000ohm\nR2 b GND 2kOhm\n",
        "t\n.control\nR3 a b 1k\n.endc\n*#shell x\nR1 a b 1k\nR2 b 0 2k\n.end\nR9 a b 1k\n",
    };
    rheo_circuit *first = parse(SAME[0]);
    for (int k = 1; k < RH_COUNT(SAME); k++) {
        rheo_circuit *c = parse(SAME[k]);
        if (!rh_circuit_equal(first, c)) fail_msg("%s", SAME[k]);
        assert_string_equal(c->title, "t");
        rheo_circuit_destroy(c);
    }
    rheo_circuit_destroy(first);
}

static void titles(void **state) {
    (void)state;
    static const char *const CASES[][2] = { { "  spaced out \nR1 a 0 1\n", "spaced out" },
                                            { ".title two words\nR1 a 0 1\n", "two words" },
                                            { "\nR1 a 0 1\n", "" },
                                            { "R and C 5 of them\nR1 a 0 1\n", "R and C 5 of them" } };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        rheo_circuit *c = parse(CASES[k][0]);
        assert_string_equal(c->title, CASES[k][1]);
        assert_int_equal(c->n_elem, 1);
        rheo_circuit_destroy(c);
    }
}

static void names_keep_their_spelling(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\nRload Net-(R1-Pad2) out[3] 1k\nr2 /sub/Node.1 OUT[3] 1\nR\xCE\xA9 \xC3\xA4:x# 0 1\nR4 "
                            "\xC3\xA4:x# a+b-c 1\n");
    assert_string_equal(c->elem_name[0], "Rload");
    assert_string_equal(node_of(c, "Rload", 0), "Net-(R1-Pad2)");
    assert_int_equal(c->term[0][1], c->term[1][1]);
    assert_string_equal(node_of(c, "r2", 1), "out[3]");
    assert_string_equal(node_of(c, "R\xCE\xA9", 0), "\xC3\xA4:x#");
    round_trip(c);
    rheo_circuit_destroy(c);
}

/* ---- expressions ---- */

static void expressions_follow_arithmetic(void **state) {
    (void)state;
    const struct {
        const char *text;
        double want;
    } CASES[] = {
        { "1+2*3", 7 },
        { "(1+2)*3", 9 },
        { "2^3^2", 512 },
        { "2**-1", 0.5 },
        { "-2^2", -4 },
        { "(-2)^3", -8 },
        { "pwr(-2,3)", -8 },
        { "pwr(-2,0.5)", -sqrt(2) },
        { "7-2-1", 4 },
        { "8/2/2", 2 },
        { "1k+1meg", 1001000 },
        { "1e-3*1e+3", 1 },
        { "2e3-1", 1999 },
        { "1 < 2", 1 },
        { "2<=1", 0 },
        { "1==1 && 2!=3", 1 },
        { "0 || !0", 1 },
        { "two==2 ? 10 : 1/0", 10 },
        { "neg>0 ? ln(neg) : 4", 4 },
        { "0 && 1/0", 0 },
        { "1 || 1/0", 1 },
        { "if(two>1, 5, 1/0)", 5 },
        { "1?2?3:4:5", 3 },
        { "sin(pi/2)", 1 },
        { "atan2(1,-1)", 0.75 * acos(-1) },
        { "min(3,two)", 2 },
        { "max(3,two)", 3 },
        { "abs(neg)", 3 },
        { "sgn(neg)", -1 },
        { "int(-2.7)", -2 },
        { "floor(-2.7)", -3 },
        { "ceil(2.1)", 3 },
        { "nint(2.5)", 2 },
        { "limit(5,0,3)", 3 },
        { "limit(5,3,0)", 3 },
        { "u(-1)+u(2)", 1 },
        { "uramp(-1)+uramp(2)", 2 },
        { "log(exp(2))", 2 },
        { "log10(1000)", 3 },
        { "hypot(3,4)", 5 },
        { "sq(two)+hyp(3,4)", 9 },
        { "sq(sq(two))", 16 },
        { "big*1u", 1 },
        { "- - 3", 3 },
        { "+3", 3 },
        { "1/(1+1)", 0.5 },
        { "pow(2,10)", 1024 },
        { "asinh(sinh(1))", 1 },
        { "TWO*Two", 4 },
        { "1.5k", 1500 },
    };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        const double got = expr(CASES[k].text);
        if (!(fabs(got - CASES[k].want) <= 4e-16 * fabs(CASES[k].want))) fail_msg("%s = %.17g", CASES[k].text, got);
    }
}

/* The same expression from a random tree, evaluated here without a parser. */
typedef struct random_expr {
    uint64_t counter;
    rh_buf text;
} random_expr;

static uint64_t draw(random_expr *r, uint64_t n) { return rh_random_u64(7, 1, r->counter++) % n; }

static double random_tree(random_expr *r, int depth) {
    const uint64_t what = depth > 6 ? 0 : draw(r, 8);
    if (what <= 1) {
        const int n = (int)draw(r, 1000);
        rh_buf_printf(&r->text, "%d", n);
        return n;
    }
    if (what == 2) {
        rh_buf_puts(&r->text, "-(");
        const double a = random_tree(r, depth + 1);
        rh_buf_puts(&r->text, ")");
        return -a;
    }
    if (what == 3) {
        rh_buf_puts(&r->text, "max(");
        const double a = random_tree(r, depth + 1);
        rh_buf_puts(&r->text, " , ");
        const double b = random_tree(r, depth + 1);
        rh_buf_puts(&r->text, ")");
        return fmax(a, b);
    }
    const char op = "+-*<"[what - 4];
    rh_buf_puts(&r->text, "(");
    const double a = random_tree(r, depth + 1);
    rh_buf_printf(&r->text, ")%c(", op);
    const double b = random_tree(r, depth + 1);
    rh_buf_puts(&r->text, ")");
    return op == '+' ? a + b : op == '-' ? a - b : op == '*' ? a * b : a < b;
}

static void random_expressions_agree_with_the_tree(void **state) {
    (void)state;
    for (int k = 0; k < 500; k++) {
        random_expr r = { .counter = (uint64_t)k << 20 };
        rh_buf_puts(&r.text, "t\nV1 a 0 {");
        const double want = random_tree(&r, 0);
        rh_buf_puts(&r.text, "}\n");
        rheo_circuit *c = parse(r.text.s);
        CHECK_REL(c->value[0], want, 0);
        rheo_circuit_destroy(c);
        rh_buf_free(&r.text);
    }
}

static void parameters_may_stand_anywhere(void **state) {
    (void)state;
    rheo_circuit *c = parse(
        "t\nR1 a 0 {x}\n.param x={y*2} z = '1+1'\n.param y=z*3 w=5\nR2 a 0 {w}\nR3 a 0 {f(2)}\n.func f(q) = q*w\n");
    CHECK_REL(value(c, "R1"), 12, 0);
    CHECK_REL(value(c, "R2"), 5, 0);
    CHECK_REL(value(c, "R3"), 10, 0);
    rheo_circuit_destroy(c);
}

static void long_parameter_chains(void **state) {
    (void)state;
    rh_buf b = { 0 };
    rh_buf_puts(&b, "t\n.param p0=1\n");
    for (int k = 1; k < 20000; k++) rh_buf_printf(&b, ".param p%d={p%d+1}\n", k, k - 1);
    rh_buf_puts(&b, "R1 a 0 {p19999}\n");
    rheo_circuit *c = parse(b.s);
    CHECK_REL(value(c, "R1"), 20000, 0);
    rheo_circuit_destroy(c);
    b.n = 0;
    rh_buf_puts(&b, "t\n");
    for (int k = 20000; k > 0; k--) rh_buf_printf(&b, ".param p%d={p%d+1}\n", k, k - 1);
    rh_buf_puts(&b, ".param p0=1\nR1 a 0 {p20000}\n"); /* backwards: too deep, but no crash */
    assert_int_equal(refused(b.s), 506);
    rh_buf_free(&b);
}

/* ---- subcircuits ---- */

static void subcircuits_are_flattened(void **state) {
    (void)state;
    rheo_circuit *c =
        parse("t\n.param g=3\n"
              "X1 in mid DIV r=2k\nX2 mid out div PARAMS: r={g*1k} k=4\nVin in 0 1\n"
              ".subckt DIV a b r=1k k={2}\n.param half={r/2}\nR1 a n {half}\nR2 n b {half*k}\nX9 n 0 leaf q={r}\n"
              ".subckt leaf p m q=7\nRl p m {q+g+k}\n.ends leaf\n.ends\n");
    assert_int_equal(c->n_elem, 7);
    CHECK_REL(value(c, "R.X1.R1"), 1e3, 0);
    CHECK_REL(value(c, "R.X1.R2"), 2e3, 0);
    CHECK_REL(value(c, "R.X1.X9.Rl"), 2005,
              0); /* q from the card, g from the main circuit, k from the definition around it */
    CHECK_REL(value(c, "r.x2.r1"), 1500, 0);
    CHECK_REL(value(c, "R.X2.R2"), 6000, 0);
    CHECK_REL(value(c, "R.X2.X9.Rl"), 3007, 0);
    assert_string_equal(node_of(c, "R.X1.R1", 0), "in");
    assert_string_equal(node_of(c, "R.X1.R1", 1), "X1.n");
    assert_string_equal(node_of(c, "R.X2.X9.Rl", 0), "X2.n");
    assert_int_equal(c->term[find(c, "R.X2.X9.Rl")][1], 0);
    round_trip(c);
    rheo_circuit_destroy(c);
}

static void unused_ports_leave_no_node(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\n.subckt s a b nc\nR1 a b 1\n.ends\n.subckt w a b c\nX1 a b c s\n.ends\nX1 p 0 q w\n");
    assert_int_equal(c->n_node, 2);
    round_trip(c);
    rheo_circuit_destroy(c);
}

static void initial_conditions(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\nR1 a Net-(1) 1\n.ic v(a)=1 V(Net-(1)) = {2+1} v(0)=0\n.subckt s p\nR1 p n 1\n.ic "
                            "v(n)=4 v(p)=5\n.ends\nX1 q s\n");
    CHECK_NEAR(c->ic[rheo_circuit_find_node(c, "a")], 1, 0);
    CHECK_NEAR(c->ic[rheo_circuit_find_node(c, "Net-(1)")], 3, 0);
    CHECK_NEAR(c->ic[rheo_circuit_find_node(c, "X1.n")], 4, 0);
    CHECK_NEAR(c->ic[rheo_circuit_find_node(c, "q")], 5, 0);
    round_trip(c);
    rheo_circuit_destroy(c);
}

static void models_are_kept(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\n.model RT r (tc1=1e-3\n+ tc2 = 2)\nR1 a 0 1k RT\nR2 a 0 RT 2k\n.model dd D\n");
    assert_int_equal(c->n_keep, 1);
    assert_int_equal(c->n_model, 1);
    assert_string_equal(c->model[0].name, "dd");
    assert_string_equal(c->keep[0], ".model RT r ( tc1=1e-3 tc2=2 )");
    CHECK_REL(value(c, "R2"), 2e3, 0);
    round_trip(c);
    rheo_circuit_destroy(c);
}

static double par_of(const rheo_circuit *c, const char *elem, const char *name) {
    const int e = find(c, elem);
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    for (int k = 0; k < kind->n_par; k++)
        if (!strcmp(kind->par[k].name, name)) return c->par[c->elem_par[e] + k];
    fail_msg("%s has no %s", elem, name);
    return 0;
}

static void models_reach_their_elements(void **state) {
    (void)state;
    rheo_circuit *c =
        parse("t\n*@ rheo version=1\n.param k=2\nD1 a 0 dx 3\nD2 a 0 DX\n.model dx D is={k*1p}, N = 1.5 rs=4\n"
              ".subckt s p is=1n\n.model dx d(is={is})\nD1 p 0 dx area={k}\nX1 p t\n"
              ".subckt t q\nD9 q 0 dx\n.ends\n.ends\nX1 a s is=5n\nX2 a s is=2p\n"
              "M1 a b 0 0 nm l=1u W=2u ; comment\n.model nm nmos level=1 vt0=0.5\n"
              "M2 a b 0 0 sm\n.model sm NMOS(vto=0.62 kp=8.5e-4 gamma=0.4)\n*@ model SM smooth n={k*0.02}\n"
              "D3 a b id\n.model id d(is=1n)\n*@ model id ideal vth=0.3 ron=10\n");
    CHECK_REL(par_of(c, "D1", "is"), 2e-12, 1e-15);
    CHECK_REL(par_of(c, "D1", "area"), 3, 0);
    CHECK_REL(par_of(c, "D2", "n"), 1.5, 0);
    CHECK_REL(par_of(c, "D2", "area"), 1, 0);
    CHECK_REL(par_of(c, "D.X1.D1", "is"), 5e-9, 1e-15);
    CHECK_REL(par_of(c, "D.X1.D1", "n"), 1, 0);
    CHECK_REL(par_of(c, "D.X1.X1.D9", "is"), 5e-9, 1e-15);
    CHECK_REL(par_of(c, "D.X2.X1.D9", "is"), 2e-12, 1e-15);
    CHECK_REL(par_of(c, "M1", "w"), 2e-6, 1e-15);
    CHECK_REL(par_of(c, "M1", "vto"), 0.5, 0);
    assert_int_equal(c->kind[find(c, "M1")], RH_KIND_NMOS);
    assert_int_equal(c->kind[find(c, "M2")], RH_KIND_NMOS_SMOOTH);
    CHECK_REL(par_of(c, "M2", "n"), 0.04, 1e-15);
    CHECK_REL(par_of(c, "M2", "w"), 1e-4, 0);
    assert_int_equal(c->kind[find(c, "D3")], RH_KIND_D_IDEAL);
    CHECK_REL(par_of(c, "D3", "ron"), 10, 0);
    assert_int_equal(c->n_model, 6); /* dx of X1 and of X2 differ from each other and from the main one */
    round_trip(c);
    rheo_circuit_destroy(c);
}

static void transistors_learn_through_what_holds_their_gate(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\n*@ rheo version=1\n.model n nmos\nVd d 0 1\nM1 d g1 0 0 n\nVg1 g1 0 2\nM2 d g2 0 0 n\n"
                            "Vb x 0 3\nVg2 x g2 0.5\nVup top g2 4\nM3 d top 0 0 n\nR1 d 0 1k\n"
                            "*@ learn M* min=-1 max=5\n*@ learn M3 init=4.5\n*@ learn R1 min=1u\n");
    assert_int_equal(c->n_edge, 4);
    const char *const held[] = { "Vg1", "Vg2", "Vup", NULL };
    const double init[] = { 2, 0.5, 4.5, 1e-3 }, learned[] = { 1.25, -0.75, 2, 2e-3 };
    for (int k = 0; k < 4; k++) {
        assert_int_equal(c->edge_source[k], held[k] ? find(c, held[k]) : -1);
        if (held[k]) assert_int_equal(c->held_edge[find(c, held[k])], k);
        CHECK_NEAR(c->g_init[k], init[k], 1e-18);
    }
    round_trip(c);
    char *text = NULL;
    rheo_error err = { 0 };
    assert_int_equal(rheo_netlist_print(&text, c, learned, &err), RHEO_OK);
    rheo_circuit *back = parse(text);
    CHECK_NEAR(value(back, "Vg1"), 1.25, 0);
    CHECK_NEAR(value(back, "Vg2"), -0.75, 0);
    CHECK_NEAR(value(back, "Vup"), 2, 0);
    CHECK_NEAR(value(back, "Vb"), 3, 0);
    CHECK_NEAR(back->g_init[1], -0.75, 0);
    CHECK_NEAR(back->g_init[2], 2, 0);
    CHECK_NEAR(value(back, "R1"), 500, 1e-12);
    rheo_text_free(text);
    rheo_circuit_destroy(back);
    rheo_circuit_destroy(c);
}

/* Whatever is compiled prints as text that compiles to the same. */
static void expressions_of_sources_read_back_equal(void **state) {
    (void)state;
    rheo_circuit *c = parse(
        "t\n.param k=2 w={k*3}\nR1 a b 1k\nR2 b 0 1k\nR3 c Net-(1) 1k\nR4 c 0 1\n"
        "B1 a b i=V(c)*V(Net-(1),b)/(k+1) - w\nB2 0 a I={-V(a,0) + -3*k}\n"
        "G1 a 0 value = {max(V(a),min(V(b),1e-3))*exp(-abs(V(c))/25m)}\nG2 a c cur='tanh(V(a))-(1-2*3)'\n"
        "E1 d 0 value={ln(sqrt(V(a)*V(a)+1))}\nR5 d 0 1\nB3 e d v={V(b)-V(c)*V(b)}\nR6 e 0 1\n"
        ".subckt s p q x=1\nB1 p 0 i={x*V(p)*V(q,n)}\nR1 n 0 1\nB2 n m v={V(p)}\nR2 m 0 1\n.ends\nX1 a b s x=3\n");
    assert_int_equal(c->kind[find(c, "B1")], RH_KIND_B);
    assert_int_equal(c->kind[find(c, "G1")], RH_KIND_B);
    assert_int_equal(c->kind[find(c, "E1")], RH_KIND_E);
    assert_int_equal(c->kind[find(c, "B.E1")], RH_KIND_B);
    assert_int_equal(c->kind[find(c, "R.B.X1.B2")], RH_KIND_R);
    round_trip(c);
    const double v[6] = { 0, 0.3, 0.2, 0.1, 0.05, 0.7 };
    rh_flow f;
    double at[32] = { 0 };
    at[rheo_circuit_find_node(c, "a")] = v[1];
    at[rheo_circuit_find_node(c, "b")] = v[2];
    at[rheo_circuit_find_node(c, "c")] = v[3];
    at[rheo_circuit_find_node(c, "Net-(1)")] = v[4];
    rh_elem_flow(c, find(c, "B1"), at, &f);
    CHECK_NEAR(f.i[0], v[3] * (v[4] - v[2]) / 3 - 6, 1e-15);
    rh_elem_flow(c, find(c, "B2"), at, &f);
    CHECK_NEAR(f.i[0], -v[1] - 6, 1e-15);
    rh_elem_flow(c, find(c, "G1"), at, &f);
    CHECK_NEAR(f.i[0], v[1] * exp(-v[3] / 25e-3), 1e-15);
    rh_elem_flow(c, find(c, "G2"), at, &f);
    CHECK_NEAR(f.i[0], tanh(v[1]) + 5, 1e-15);
    rh_elem_flow(c, find(c, "B.E1"), at, &f);
    CHECK_NEAR(f.i[0], log(sqrt(v[1] * v[1] + 1)), 1e-15);
    rheo_circuit_destroy(c);
}

/* Currents of the parts of a source, each the potential of its node, then the source itself. */
static double by_parts(const rheo_circuit *c, const char *name, double *at) {
    rh_flow f;
    char part[40];
    for (int k = 1;; k++) {
        snprintf(part, sizeof part, "B.%s#%d", name, k);
        const int e = rheo_circuit_find_element(c, part);
        if (e < 0) break;
        snprintf(part, sizeof part, "%s#%d", name, k);
        rh_elem_flow(c, e, at, &f);
        at[rheo_circuit_find_node(c, part)] = f.i[0];
    }
    snprintf(part, sizeof part, "%s%s", name[0] == 'E' ? "B." : "", name);
    rh_elem_flow(c, find(c, part), at, &f);
    return f.i[0];
}

/* What reads more nodes than an element has room for becomes several; currents of sources become potentials. */
static void expressions_of_many_nodes_are_split(void **state) {
    (void)state;
    rheo_circuit *c =
        parse("t\nVa a 0 1\nR1 a b 1\nR2 c d 1\nR3 e f 1\nR4 b c 1\nR5 d e 1\nR6 f 0 1\n"
              "B1 a b i={(V(c)-V(d))*(V(e)+V(f)*V(a))-I(Va)/(1+V(b)*V(b))}\n"
              "B2 a b i={V(a,b)*V(c,d)}\n"
              "B3 0 g v={(V(a)+V(b))*(V(a)-V(b))+V(c)*V(a)}\nR7 g 0 1\n"
              "E1 h 0 value={max(V(a),max(V(b),max(V(c),max(V(d),V(e)+V(a)*i(VA))))) - I(va)}\nR8 h 0 1\n");
    round_trip(c);
    assert_int_equal(rheo_circuit_find_element(c, "B.B2#1"), -1); /* two nodes besides its own */
    assert_int_equal(rheo_circuit_find_element(c, "H.E1#i2"), -1);
    static const char *const NAME[] = { "a", "b", "c", "d", "e", "f", "B1#i1", "E1#i1" };
    double at[64] = { 0 }, v[8];
    for (int k = 0; k < 8; k++) at[rheo_circuit_find_node(c, NAME[k])] = v[k] = 0.3 + 0.17 * k - 0.04 * k * k;
    const double b1 = (v[2] - v[3]) * (v[4] + v[5] * v[0]) - v[6] / (1 + v[1] * v[1]);
    CHECK_NEAR(by_parts(c, "B1", at), b1, 1e-15);
    CHECK_NEAR(by_parts(c, "B2", at), (v[0] - v[1]) * (v[2] - v[3]), 1e-15);
    CHECK_NEAR(by_parts(c, "B3", at), (v[0] + v[1]) * (v[0] - v[1]) + v[2] * v[0], 1e-15);
    const double high = fmax(fmax(v[0], v[1]), fmax(v[2], fmax(v[3], v[4] + v[0] * v[7])));
    CHECK_NEAR(by_parts(c, "E1", at), high - v[7], 1e-15);
    const int h = find(c, "H.B1#i1");
    assert_int_equal(c->kind[h], RH_KIND_H);
    assert_int_equal(c->elem_ctrl[h], find(c, "Va"));
    CHECK_NEAR(c->value[h], 1, 0);
    rheo_circuit_destroy(c);
}

/* A gate takes no current and a bulk hardly any, so neither holds a node; drain and source do. */
static void gates_and_bulks_hold_nothing(void **state) {
    (void)state;
    static const struct {
        const char *text, *want;
    } CASES[] = {
        { "t\nV1 d 0 1\nM1 d d s 0 n\nD1 s k dd\nM2 k d 0 0 n\n", NULL },
        { "t\nV1 d 0 1\nM1 d g 0 0 n\n", "node g has no DC path to ground (connected only through M1)" },
        { "t\nV1 d 0 1\nM1 d d 0 b n\n", "node b has no DC path to ground (connected only through M1)" },
        { "t\nV1 d 0 1\nM1 d d 0 b n\nM2 d b 0 b n\n",
          "node b has no DC path to ground (connected only through M1 and M2)" },
        { "t\nV1 d 0 1\nR1 d 0 1\nI1 0 g 1m\nM1 d g 0 0 n\n",
          "current source I1 (1 mA) forms a cut set at node g; 1 mA has nowhere to go" },
    };
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        char text[300];
        snprintf(text, sizeof text, "%s.model n nmos\n.model dd d\n", CASES[k].text);
        rheo_circuit *c = parse(text);
        rheo_error err = { 0 };
        assert_int_equal(rh_diagnose(c, NULL, NULL, &err) == RHEO_OK, CASES[k].want == NULL);
        if (CASES[k].want) assert_string_equal(err.msg, CASES[k].want);
        rheo_circuit_destroy(c);
    }
}

/* ---- learning ---- */

static void pragmas_mark_what_learns(void **state) {
    (void)state;
    rheo_circuit *c = parse("t\n*@ learn R* min=1u max=10m\n*@ learn r2 init=2m\n*@ rheo version=1\nV1 a 0 1\nR1 a b "
                            "1k\nR2 b 0 1k\nR3 b 0 1k ;@ learn max=5m\n"
                            "C1 a 0 1n\n*@ pos a 1 -2.5\n*@ part R1 maker=any\n*@ learn R? gmin=2u\n*@+ gmax=4m\n");
    assert_int_equal(c->n_edge, 3);
    CHECK_REL(c->g_min[0], 2e-6, 1e-15);
    CHECK_REL(c->g_max[0], 4e-3, 1e-15);
    CHECK_REL(c->g_init[0], 1e-3, 1e-15);
    CHECK_REL(c->g_init[1], 2e-3, 1e-15);
    CHECK_REL(c->g_max[2], 4e-3, 1e-15); /* lines count after what stands behind a card */
    CHECK_NEAR(c->pos[rheo_circuit_find_node(c, "a")][1], -2.5, 0);
    assert_true(isnan(c->pos[rheo_circuit_find_node(c, "b")][0]));
    round_trip(c);
    rheo_circuit_destroy(c);
}

static void pragmas_inside_subcircuits(void **state) {
    (void)state;
    rheo_circuit *c =
        parse("t\n*@ rheo version=1\n.subckt in a b\nR1 a b 1k\n.ends\n.subckt e a b\nR1 a n 1k\nR2 n b 1k\nX3 n b "
              "in\n*@ learn R1 min=1u\n"
              "*@ learn R.X3.* max=1m\n*@ pos n 3 4\n.ends\nX1 x 0 e\nX2 x 0 e\n*@ learn R.X2.R2\nR1 x 0 1\n");
    const int want[] = { 1, 0, 1, 1, 1, 1, 0 };
    for (int e = 0; e < c->n_elem; e++) assert_int_equal(c->elem_edge[e] >= 0, want[e]);
    CHECK_REL(c->g_min[0], 1e-6, 0);
    CHECK_REL(c->g_max[1], 1e-3, 0);
    CHECK_NEAR(c->pos[rheo_circuit_find_node(c, "X2.n")][0], 3, 0);
    round_trip(c);
    rheo_circuit_destroy(c);
}

/* ---- printing ---- */

/* Parameters that say nothing to rheo are for other programs; two cards that differ in nothing else stay two. */
static void cards_of_models_keep_all_their_numbers(void **state) {
    (void)state;
    rheo_circuit *c =
        parse("t\n*@ rheo version=1\nV1 a 0 1\nD1 a b dd\nD2 a b dp\nX1 a b s\nX2 a b s c=2p\nM1 a a b 0 nm\n"
              "R1 b 0 1k\n.param tt=3n\n.model dd d(is=1p cjo=4p tt={tt} BV=1e2 ikf=0 odd=7 mfg=x)\n"
              ".model dp d(is=2p rs=3 n=1.5 cjo=1p)\n*@ model dp antiparallel\n"
              ".model nm nmos(vto=1 level=1 cgso=1p rd=2 cbd=1p cbs=2p kf=1e-24 af=1 tnom=27 pb=0.8 mj=0.5 cj=1e-4 "
              "mjsw=0.3 cjsw=1e-10 fc=0.5)\n.subckt s p n c=1p\nD1 p n in\n.model in d(cjo={c})\n.ends\n");
    char *text = NULL;
    rheo_error err = { 0 };
    assert_int_equal(rheo_netlist_print(&text, c, NULL, &err), RHEO_OK);
    static const char *const WANT[] = { ".model dd d(is=1e-12 cjo=4e-12 tt=3e-09 BV=100 ikf=0 odd=7)\n",
                                        "*@ model dp antiparallel\n.model dp d(is=2e-12 n=1.5 rs=3 cjo=1e-12)\n",
                                        ".model nm nmos(vto=1 cgso=1e-12 rd=2 cbd=1e-12", "\n+ ",
                                        ".model in d(cjo=1e-12)\n.model in_2 d(cjo=2e-12)\n" };
    for (int k = 0; k < RH_COUNT(WANT); k++)
        if (!strstr(text, WANT[k])) fail_msg("no '%s' in\n%s", WANT[k], text);
    assert_string_equal(c->left_out, "makers and types of models");
    round_trip(c);
    rheo_text_free(text);
    rheo_circuit_destroy(c);
}

static void learned_conductances_become_resistances(void **state) {
    (void)state;
    rheo_circuit *c = parse(
                     "t\n*@ rheo version=1\n*@ learn R1 R2 min=1u max=1 init=2m\nR1 a 0 1k\nR2 a 0 1k\nR3 a 0 1k\n"),
                 *back;
    const double g[] = { 4e-3, 0.5 }, zero[] = { 0, 1 }, nan[] = { NAN, 1 };
    char *text = NULL;
    rheo_error err = { 0 };
    assert_int_equal(rheo_netlist_print(&text, c, g, &err), RHEO_OK);
    assert_null(strstr(text, "init="));
    back = parse(text);
    CHECK_REL(back->value[0], 250, 0);
    CHECK_REL(back->g_init[1], 0.5, 0);
    CHECK_REL(back->value[2], 1e3, 0);
    CHECK_REL(back->g_min[0], 1e-6, 0);
    rheo_text_free(text);
    text = NULL;
    assert_int_equal(rheo_netlist_print(&text, c, zero, &err), RHEO_E_RANGE);
    err = (rheo_error){ 0 };
    assert_int_equal(rheo_netlist_print(&text, c, nan, &err), RHEO_E_RANGE);
    assert_null(text);
    rheo_circuit_destroy(back);
    rheo_circuit_destroy(c);
}

static void no_line_can_run_a_command(void **state) {
    (void)state;
    static const char *const TITLES[] = { "*#shell touch x\nR1 a 0 1\n",
                                          ".control\nR1 a 0 1\n",
                                          "  *# `id`\nR1 a 0 1\n",
                                          "*@ x\nR1 a 0 1\n",
                                          ";@x\nR1 a 0 1\n",
                                          " \xFF\xFEx\nR1 a 0 1\n",
                                          "\xEF\xBB\xBF\xEF\xBB\xBF*#x \x01\nR1 a 0 1\n" };
    for (int k = 0; k < RH_COUNT(TITLES); k++) {
        rheo_circuit *c = parse(TITLES[k]);
        char *text = NULL;
        rheo_error err = { 0 };
        assert_int_equal(rheo_netlist_print(&text, c, NULL, &err), RHEO_OK);
        assert_true(text[0] != '*' && text[0] != '.' && text[0] != ';');
        assert_null(strchr(text, '`'));
        round_trip(c);
        rheo_text_free(text);
        rheo_circuit_destroy(c);
    }
}

static void names_that_cannot_be_read_are_not_written(void **state) {
    (void)state;
    static const char *const NODES[] = { "a b", "a=b", "{a}", "a`b", "a\nb", "a;b", "(a", "", "a//b", "a\xFF" };
    for (int k = 0; k < RH_COUNT(NODES); k++) {
        rh_builder *b = rh_builder_create();
        int other;
        const int term[4] = { rh_builder_node(b, NODES[k], strlen(NODES[k])), 0, -1, -1 };
        rh_builder_element(b, RH_KIND_R, "R1", term, 1, (rh_place){ 0 }, &other);
        rheo_circuit *c = NULL;
        char *text = NULL;
        rheo_error err = { 0 };
        assert_int_equal(rh_builder_finish(b, &c, &err), RHEO_OK);
        assert_int_equal(rheo_netlist_print(&text, c, NULL, &err), RHEO_E_RANGE);
        assert_null(text);
        rheo_circuit_destroy(c);
    }
}

/* A circuit with names and values as odd as they may be. */
static const char *const PIECES[] = { "a",
                                      "B",
                                      "n1",
                                      "[3]",
                                      "/x",
                                      "-",
                                      "+",
                                      ".5",
                                      "_",
                                      ":",
                                      "#",
                                      "(q)",
                                      "(r-(s))",
                                      "~",
                                      "!",
                                      "%",
                                      "|",
                                      "@",
                                      "&",
                                      "<",
                                      "\xC3\xA9",
                                      "\xE5\x9B\xBD",
                                      "\xF0\x9F\x98\x80",
                                      "$",
                                      "7e3",
                                      "init" };

static void odd_name(uint64_t seed, uint64_t *k, char first, char *out) {
    int n = 0;
    if (first) out[n++] = first;
    const uint64_t pieces = 1 + rh_random_u64(seed, 9, (*k)++) % 4;
    out[n] = '\0';
    for (uint64_t j = 0; j < pieces; j++) {
        const char *p = PIECES[rh_random_u64(seed, 9, (*k)++) % RH_COUNT(PIECES)];
        if (n == 0 && strchr("(#$", *p)) p = "z";
        n += sprintf(out + n, "%s", p);
    }
}

static double odd_value(uint64_t seed, uint64_t *k) {
    const uint64_t how = rh_random_u64(seed, 9, (*k)++) % 4;
    const double u = rh_random_unit(seed, 9, (*k)++);
    if (how == 0) return floor(1 + 100 * u);
    if (how == 1) return u;
    return pow(10, how == 2 ? 600 * u - 300 : 20 * u - 10);
}

static double odd_unit(uint64_t *k) { return rh_random_unit(12, 9, (*k)++); }

/* Some of them, so that models are shared. */
static void odd_parameters(rh_builder *b, int elem, int kind, uint64_t seed, uint64_t *k) {
    double par[TABLE_ROOM];
    for (int j = 0; j < RH_KINDS[kind]->n_par; j++) {
        const rh_par *const p = &RH_KINDS[kind]->par[j];
        const double x = odd_value(seed, k) * (p->min < 0 ? -1 : 1);
        par[j] = rh_random_u64(seed, 9, (*k)++) % 3 ? p->def : fmin(fmax(x, p->min), p->max);
    }
    if (RH_KINDS[kind]->flags & RH_TABLE) {
        uint64_t which = seed * 1000 + rh_random_u64(seed, 9, (*k)++) % 3 * 200;
        par[0] = which % 2 ? 1 : 3;
        random_table(RH_KINDS[kind], odd_unit, &which, par);
        rh_builder_use_model(b, elem, rh_builder_model(b, "odd", 3, kind, par));
    }
    assert_int_equal(rh_builder_par(b, elem, par), RHEO_OK);
}

/* A resistor with a model that lets it move. */
static void odd_memristor(rh_builder *b, int kind, const char *name, const int *term, uint64_t seed, uint64_t *k) {
    const rh_kind *const q = RH_KINDS[kind];
    double par[RH_KIND_PAR];
    int other;
    for (int j = 0; j < q->n_par; j++) {
        const double u = rh_random_unit(seed, 9, (*k)++);
        par[j] = u < 0.5 ? q->par[j].def : fmin(fmax(q->par[j].def * 3 * u, q->par[j].min), q->par[j].max);
    }
    const double least = par[RH_RON], most = par[RH_ROFF];
    const double ohm = least * pow(most / least, rh_random_unit(seed, 9, (*k)++));
    const int e = rh_builder_element(b, RH_KIND_R, name, term, ohm, (rh_place){ 0 }, &other);
    if (e < 0) return;
    rh_builder_use_model(b, e, rh_builder_model(b, "odd", 3, kind, par));
    if (rh_random_u64(seed, 9, (*k)++) % 2)
        rh_builder_learn(b, e, 1 / most, rh_random_u64(seed, 9, (*k)++) % 2 ? 1 / ohm : 1 / least, NAN);
}

static rheo_circuit *odd_circuit(uint64_t seed) {
    rh_builder *b = rh_builder_create();
    uint64_t k = 0;
    char name[200];
    int other;
    const int n = 1 + (int)(rh_random_u64(seed, 9, k++) % 60);
    int node[20];
    for (int i = 0; i < 20; i++) {
        odd_name(seed, &k, 0, name);
        node[i] = rh_builder_node(b, name, strlen(name));
    }
    rh_builder_node(b, "sensed", 6);
    rh_builder_element(b, RH_KIND_V, "Vsensed", (int[4]){ rh_builder_node(b, "sensed", 6), 0, -1, -1 }, 1,
                       (rh_place){ 0 }, &other);
    for (int i = 0; i < 4; i++) { /* transistors that learn, each by a source of its own */
        snprintf(name, sizeof(name), "Vgate%d", i);
        const int gate = rh_builder_node(b, name, strlen(name));
        const double volt = odd_value(seed, &k) * (i % 2 ? -1 : 1);
        const int v = rh_builder_element(b, RH_KIND_V, name, (int[4]){ i % 3 ? gate : 0, i % 3 ? 0 : gate, -1, -1 },
                                         volt, (rh_place){ 0 }, &other);
        snprintf(name, sizeof(name), "Medge%d", i);
        const int e = rh_builder_element(b, i % 2 ? RH_KIND_NMOS : RH_KIND_PMOS, name,
                                         (int[4]){ node[i], gate, node[i + 1], 0 }, 1, (rh_place){ 0 }, &other);
        if (i > 1) odd_parameters(b, e, i % 2 ? RH_KIND_NMOS : RH_KIND_PMOS, seed, &k);
        rh_builder_learn(b, e, -fabs(volt), i < 3 ? 2 * fabs(volt) : 9 * fabs(volt), i == 1 ? volt / 2 : NAN);
        rh_builder_learn_through(b, e, v);
    }
    for (int i = 1; i < 20; i++) { /* so that no node is without an element */
        snprintf(name, sizeof(name), "Rchain%d", i);
        rh_builder_element(b, RH_KIND_R, name, (int[4]){ node[i - 1], node[i], -1, -1 }, 1, (rh_place){ 0 }, &other);
    }
    for (int e = 0; e < n; e++) {
        const int kind = (int)(rh_random_u64(seed, 9, k++) % (uint64_t)RH_N_KIND);
        odd_name(seed, &k, (char)(RH_KINDS[kind]->letter | (rh_random_u64(seed, 9, k++) % 2 ? 0x20 : 0)), name);
        int term[4];
        for (int t = 0; t < 4; t++)
            term[t] = rh_random_u64(seed, 9, k++) % 5 ? node[rh_random_u64(seed, 9, k++) % 20] : 0;
        if (RH_KINDS[kind]->flags & RH_TAPE) term[2] = term[3] = term[0]; /* its expression reads nothing */
        if (RH_KINDS[kind]->flags & RH_STATE) {
            odd_memristor(b, kind, name, term, seed, &k);
            continue;
        }
        const double sign = kind == RH_KIND_R || kind == RH_KIND_C || rh_random_u64(seed, 9, k++) % 2 ? 1 : -1;
        const int id = rh_builder_element(b, kind, name, term, sign * odd_value(seed, &k), (rh_place){ 0 }, &other);
        if (id >= 0 && RH_KINDS[kind]->flags & RH_BY_CURRENT)
            rh_builder_ctrl(b, id, rh_builder_find_element(b, "Vsensed", 7));
        if (id >= 0 && RH_KINDS[kind]->model) odd_parameters(b, id, kind, seed, &k);
        if (id < 0 || kind != RH_KIND_R || rh_random_u64(seed, 9, k++) % 3 == 0) continue;
        const double g = 1 / rh_builder_element_value(b, id), min = rh_random_u64(seed, 9, k++) % 2 ? NAN : g * 0.5;
        const double max = rh_random_u64(seed, 9, k++) % 2 ? NAN : g * (e % 2 ? 2 : 3);
        const bool inside = g > 1e-11 && g < 1e11;
        rh_builder_learn(b, id, inside ? min : g / 2, inside ? max : g * 2,
                         rh_random_u64(seed, 9, k++) % 3 ? NAN : g * 1.25);
    }
    for (int i = 0; i < 20; i += 3) rh_builder_pos(b, node[i], odd_value(seed, &k), -odd_value(seed, &k));
    for (int i = 1; i < 20; i += 4) rh_builder_ic(b, node[i], i == 5 ? -0.0 : odd_value(seed, &k));
    rh_builder_title(b, "odd \x01 title `x`", 16);
    if (seed % 3 == 0) rh_builder_keep(b, ".model x r ( tc1=1 )", 20);
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    assert_int_equal(rh_builder_finish(b, &c, &err), RHEO_OK);
    return c;
}

static void odd_circuits_read_back_equal(void **state) {
    (void)state;
    int with_init = 0;
    for (uint64_t seed = 0; seed < 500; seed++) {
        rheo_circuit *c = odd_circuit(seed);
        for (int k = 0; k < c->n_edge; k++)
            if (c->edge_source[k] < 0) with_init += c->g_init[k] != 1 / c->value[c->edge_elem[k]];
        round_trip(c);
        rheo_circuit_destroy(c);
    }
    assert_true(with_init > 100);
}

/* ---- files ---- */

typedef struct folder {
    char path[64];
} folder;

static void write_file(const folder *f, const char *name, const char *text) {
    char path[400];
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    FILE *out = fopen(path, "wb");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static folder make_folder(void) {
    folder f = { "/tmp/rheo_net_XXXXXX" };
    assert_non_null(mkdtemp(f.path));
    char sub[100];
    snprintf(sub, sizeof(sub), "%s/root", f.path);
    assert_int_equal(mkdir(sub, 0700), 0);
    snprintf(sub, sizeof(sub), "%s/root/lib", f.path);
    assert_int_equal(mkdir(sub, 0700), 0);
    return f;
}

static void remove_folder(const folder *f) {
    char command[200];
    snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
    assert_int_equal(system(command), 0);
}

static rheo_circuit *read_file(const folder *f, const char *name, seen *s) {
    char path[400];
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    const rheo_log log = { count, s };
    snprintf(path, sizeof(path), "%s/%s", f->path, name);
    const rheo_status st = rheo_netlist_read(&c, path, NULL, &log, &err);
    assert_int_equal(st == RHEO_OK, c != NULL);
    return c;
}

static int read_code(const folder *f, const char *text) {
    seen s = { 0 };
    write_file(f, "root/main.cir", text);
    rheo_circuit *c = read_file(f, "root/main.cir", &s);
    rheo_circuit_destroy(c);
    return s.errors ? s.code : 0;
}

/* ---- tables of currents ---- */

static const char TABLE_NET[] =
    "t\n*@ rheo version=1\nV1 a 0 0.3\nD1 a 0 dm\nD2 a 0 dm 3\nD3 a 0 dm area=3\nD4 0 a dm\n"
    ".model dm d(is=1n)\n*@ model dm table file=lib/d.csv order=1\n";

static void tables_are_read_from_files(void **state) {
    (void)state;
    const folder f = make_folder();
    seen s = { 0 };
    /* sha256sum of the same bytes */
    static const char SUM[] = "61425be3ca1d489645e878894e1f34948e521b40ee5f3482a59f9ea780e00439";
    write_file(&f, "root/lib/d.csv", "# measured\r\n\r\nn;\"I\"; V \r\n1;-1e-6;-0.5\r\n2;0;0\r\n# x\r\n3; +2e-3 ;.5");
    write_file(&f, "root/main.cir", TABLE_NET);
    rheo_circuit *c = read_file(&f, "root/main.cir", &s);
    assert_non_null(c);
    assert_int_equal(s.errors, 0);
    const int d1 = find(c, "D1"), d2 = find(c, "D2"), d3 = find(c, "D3"), d4 = find(c, "D4");
    assert_int_equal(c->kind[d1], RH_KIND_D_TABLE);
    assert_true(c->elem_par[d1] == c->elem_par[d4] && c->elem_par[d1] != c->elem_par[d2]); /* one table for all */
    assert_int_equal(c->n_table, 1);
    assert_int_equal(c->table[0].n_point, 3);
    assert_string_equal(c->table[0].sha256, SUM);
    assert_non_null(strstr(c->table[0].name, "lib/d.csv"));
    const double v[2] = { 0, 0.3 };
    rh_flow flow;
    rh_elem_flow(c, d1, v, &flow);
    CHECK_REL(flow.i[0], 1.2e-3, 1e-9);
    rh_elem_flow(c, d2, v, &flow);
    CHECK_REL(flow.i[0], 3.6e-3, 1e-9);
    rh_elem_flow(c, d3, v, &flow);
    CHECK_REL(flow.i[0], 3.6e-3, 1e-9);
    rh_elem_flow(c, d4, v, &flow);
    CHECK_REL(flow.i[0], -0.6e-6, 1e-6);
    round_trip(c);
    rheo_circuit_destroy(c);

    /* Relative to the file that names it; once for all instances; the same points on the line are the same table. */
    write_file(&f, "root/lib/sub.cir",
               ".subckt cell a b\nD1 a b dm\n.model dm d()\n*@ model dm table file=\"d.csv\" order=1\n.ends\n");
    write_file(&f, "root/main.cir",
               "t\n*@ rheo version=1\n.include lib/sub.cir\nV1 a 0 1\nX1 a b cell\nX2 b 0 cell\n"
               "D3 b 0 dn\n.model dn d()\n*@ model dn table -0.5 -1u (0,0) {0.25*2}\n*@+ 2m order=1\n");
    c = read_file(&f, "root/main.cir", &s);
    assert_non_null(c);
    assert_int_equal(c->n_table, 1);
    assert_int_equal(c->elem_par[find(c, "D.X1.D1")], c->elem_par[find(c, "D.X2.D1")]);
    const size_t size = (size_t)rh_elem_n_par(c, 1);
    assert_memory_equal(c->par + c->elem_par[find(c, "D.X1.D1")], c->par + c->elem_par[find(c, "D3")],
                        size * sizeof(double));
    round_trip(c);
    rheo_circuit_destroy(c);
    remove_folder(&f);
}

static int table_code(const folder *f, const char *path) {
    char text[400];
    snprintf(text, sizeof(text), "t\n*@ rheo version=1\nD1 a 0 dm\n.model dm d()\n*@ model dm table file=%s\n", path);
    return read_code(f, text);
}

static void tables_stay_below_the_root(void **state) {
    (void)state;
    const folder f = make_folder();
    char path[200], link[400];
    static const char TABLE[] = "v,i\n0,0\n1,1\n";
    write_file(&f, "root/lib/d.csv", TABLE);
    write_file(&f, "secret.csv", TABLE);
    assert_int_equal(table_code(&f, "lib/d.csv"), 0);
    assert_int_equal(table_code(&f, "'lib/d.csv' leak=1n"), 0);
    assert_int_equal(table_code(&f, "../secret.csv"), 603);
    assert_int_equal(table_code(&f, "lib/../../secret.csv"), 603);
    assert_int_equal(table_code(&f, "/etc/passwd"), 604);
    assert_int_equal(table_code(&f, "~/d.csv"), 604);
    assert_int_equal(table_code(&f, "lib"), 605);
    assert_int_equal(table_code(&f, "nope.csv"), 401);
    assert_int_equal(table_code(&f, "''"), 8);
    assert_int_equal(table_code(&f, "'lib/d.csv"), 21);
    assert_int_equal(table_code(&f, ""), 25);
    snprintf(path, sizeof(path), "%s/root/fifo", f.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(table_code(&f, "fifo"), 605);
    unlink(path);
    snprintf(path, sizeof(path), "%s/secret.csv", f.path);
    snprintf(link, sizeof(link), "%s/root/link.csv", f.path);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(table_code(&f, "link.csv"), 603);
    remove_folder(&f);
}

/* The place is in the table: line, column, and what stands there. */
static void faults_of_tables_have_places(void **state) {
    (void)state;
    static const struct {
        const char *table;
        int code, line, col;
        const char *says;
    } CASES[] = {
        { "", 64, 1, 1, "there is nothing in this table" },
        { "# nothing\n\n", 64, 1, 1, "there is nothing in this table" },
        { "v,i\n", 64, 1, 1, "a table needs two points, not 0" },
        { "v,i\n0,0\n", 64, 1, 1, "a table needs two points, not 1" },
        { "v,i\n0,1\n1,1\n", 64, 1, 1, "the current of the table is the same at all voltages" },
        { "0,0\n1,1\n", 64, 1, 1, "the columns have no names" },
        { "v,amps\n0,0\n", 64, 1, 1, "there is no column 'i'" },
        { "# c\n volts , i\n0,0\n", 64, 2, 2, "there is no column 'v'" },
        { "v,i,V\n0,0,0\n", 64, 1, 5, "two columns are called 'V'" },
        { "v,i\n0,0\n0.2,1e-3\n0.1,2e-3\n", 64, 4, 1, "v must rise from point to point, but 0.1 V follows 0.2 V" },
        { "v,i\n0,0\n 0.0 ,1\n", 64, 3, 2, "v = 0 stands here twice" },
        { "v,i\n0,0\n1,2m\n", 64, 3, 3, "'2m' is not a number" },
        { "v,i\n0,nan\n1,2\n", 64, 2, 3, "'nan' is not a number" },
        { "v,i\n0,inf\n1,2\n", 64, 2, 3, "'inf' is not a number" },
        { "v,i\n0,1e999\n1,2\n", 64, 2, 3, "'1e999' is not a number" },
        { "v,i\n0,0\n1,\n", 64, 3, 3, "a number is missing" },
        { "v,i\n0,0\n1\n", 64, 3, 1, "this row has 1 cells, the header has 2" },
        { "v;i\n0;0\n1,5;2\n", 64, 3, 1, "'1,5' is not a number" },
        { "v,i\n0,0\n1,5,2\n", 64, 3, 1, "this row has 3 cells, the header has 2" },
        { "v,i\n0,1e-3\n1,2e-3\n2,1.5e-3\n", 64, 4, 3, "i must not fall as v rises, but 0.0015 A follows 0.002 A" },
        { "v,i\n0,0\n1,1e10\n", 64, 3, 3, "a table may hold numbers up to 1e9, not '1e10'" },
    };
    const folder f = make_folder();
    for (int k = 0; k < RH_COUNT(CASES); k++) {
        seen s = { 0 };
        write_file(&f, "root/d.csv", CASES[k].table);
        write_file(&f, "root/main.cir",
                   "t\n*@ rheo version=1\nD1 a 0 dm\nD2 a 0 dm\n.model dm d()\n*@ model dm table file=d.csv\n");
        assert_null(read_file(&f, "root/main.cir", &s));
        if (s.errors != 1 || s.code != CASES[k].code || s.first.line != CASES[k].line || s.first.col != CASES[k].col ||
            !strstr(s.first.msg, CASES[k].says) || !strstr(s.first.file, "d.csv"))
            fail_msg("table %d: %d errors, first %d at %s:%d:%d: %s", k, s.errors, s.code, s.first.file, s.first.line,
                     s.first.col, s.first.msg);
    }
    remove_folder(&f);
}

static void includes_are_relative_and_stay_below_the_root(void **state) {
    (void)state;
    const folder f = make_folder();
    char path[200], link[400], text[300];
    write_file(&f, "root/lib/a.cir", ".include b.cir\n.param r=5\nR9 z 0 1\n");
    write_file(&f, "root/lib/b.cir", ".subckt e a b\nR1 a b {r}\n.ends\n.include '../c d.cir'\n");
    write_file(&f, "root/c d.cir", "R7 y 0 1\n.end\nR8 y 0 1\n");
    write_file(&f, "secret.cir", "root:x:0:0\n");
    seen s = { 0 };
    write_file(&f, "root/main.cir", "t\n.include \"lib/a.cir\"\nX1 a 0 e\n");
    rheo_circuit *c = read_file(&f, "root/main.cir", &s);
    assert_non_null(c);
    assert_int_equal(c->n_elem, 3);
    CHECK_REL(value(c, "R.X1.R1"), 5, 0);
    assert_int_equal(rh_elem_loc(c, find(c, "R7")).line, 1);
    assert_non_null(strstr(rh_elem_loc(c, find(c, "R7")).src->name, "c d.cir"));
    round_trip(c);
    rheo_circuit_destroy(c);

    assert_int_equal(read_code(&f, "t\n.include ../secret.cir\n"), 603);
    assert_int_equal(read_code(&f, "t\n.include lib/../../secret.cir\n"), 603);
    assert_int_equal(read_code(&f, "t\n.include /etc/passwd\n"), 604);
    assert_int_equal(read_code(&f, "t\n.include ~/x\n"), 604);
    assert_int_equal(read_code(&f, "t\n.include lib\n"), 605);
    assert_int_equal(read_code(&f, "t\n.include nope.cir\n"), 401);
    assert_int_equal(read_code(&f, "t\n.include main.cir\n"), 606);
    snprintf(path, sizeof(path), "%s/root/fifo", f.path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(read_code(&f, "t\n.include fifo\n"), 605);
    snprintf(path, sizeof(path), "%s/secret.cir", f.path);
    snprintf(link, sizeof(link), "%s/root/link.cir", f.path);
    assert_int_equal(symlink(path, link), 0);
    assert_int_equal(read_code(&f, "t\n.include link.cir\n"), 603);
    write_file(&f, "root/p.cir", ".include q.cir\n");
    write_file(&f, "root/q.cir", ".include p.cir\n");
    assert_int_equal(read_code(&f, "t\n.include p.cir\n"), 606);
    for (int k = 0; k < 40; k++) {
        snprintf(path, sizeof(path), "root/chain%d", k);
        snprintf(text, sizeof(text), ".include chain%d\n", k + 1);
        write_file(&f, path, text);
    }
    write_file(&f, "root/chain40", "* end\n");
    assert_int_equal(read_code(&f, "t\n.include chain0\n"), 505);
    assert_int_equal(read_code(&f, "t\n.include chain10\nR1 a 0 1\n"), 0);
    assert_int_equal(read_code(&f, "t\n.include chain8\nR1 a 0 1\n"), 505);
    rh_buf b = { 0 };
    rh_buf_puts(&b, "t\n");
    for (int k = 0; k < 1100; k++) rh_buf_puts(&b, ".include chain40\n");
    assert_int_equal(read_code(&f, b.s), 505);
    rh_buf_free(&b);
    remove_folder(&f);
}

static void the_chain_of_a_cycle_is_named(void **state) {
    (void)state;
    const folder f = make_folder();
    seen s = { 0 };
    write_file(&f, "root/main.cir", "t\n.include p.cir\n");
    write_file(&f, "root/p.cir", ".include q.cir\n");
    write_file(&f, "root/q.cir", ".include p.cir\n");
    assert_null(read_file(&f, "root/main.cir", &s));
    const char *p = strstr(s.msg, "p.cir -> "), *q = strstr(s.msg, "q.cir -> ");
    assert_true(p && q && p < q && strstr(q, "p.cir"));
    remove_folder(&f);
}

static void files_that_cannot_be_read(void **state) {
    (void)state;
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    assert_int_equal(rheo_netlist_read(&c, "/nonexistent/x.cir", NULL, NULL, &err), RHEO_E_IO);
    assert_int_equal(err.status, RHEO_E_IO);
    assert_null(c);
    err = (rheo_error){ 0 };
    assert_true(rheo_netlist_read(&c, "/tmp", NULL, NULL, &err) != RHEO_OK);
    const rheo_netlist_def zero = { 0 };
    err = (rheo_error){ 0 };
    assert_int_equal(rheo_netlist_parse(&c, "t\n", 2, "x", &zero, NULL, &err), RHEO_E_USAGE);
    assert_int_equal(rheo_netlist_parse(&c, "t\nR1 a 0 x\n", 11, NULL, NULL, NULL, NULL), RHEO_E_PARSE);
    assert_null(c);
}

/* ---- size ---- */

static double seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void large_inputs_take_linear_time(void **state) {
    (void)state;
    rh_buf b = { 0 };
    const double start = seconds();
    rh_buf_puts(&b, "plus lines\nV1 a 0 PWL(");
    for (int k = 0; k < 200000; k++) rh_buf_printf(&b, "\n+ %d %d", k, k % 7);
    rh_buf_puts(&b, ")\n*");
    for (int k = 0; k < 2000000; k++) rh_buf_add(&b, "x", 1);
    rh_buf_puts(&b, "\nR");
    for (int k = 0; k < 1000000; k++) rh_buf_add(&b, "x", 1);
    rh_buf_puts(&b, " a 0 1\n");
    for (int k = 0; k < 200000; k++) rh_buf_puts(&b, "* comment\n+ \n");
    rh_buf_puts(&b, "R1 a 0 1\n");
    for (int k = 0; k < 200000; k++) rh_buf_puts(&b, "* comment\n");
    rh_buf_puts(&b, "+ m=1\n");
    seen s = { 0 };
    rheo_circuit *c = parse_seen(b.s, b.n, &s);
    assert_non_null(c);
    assert_int_equal(c->n_elem, 3);
    rheo_circuit_destroy(c);
    rh_buf_free(&b);
    assert_true(seconds() - start < 5); /* far above what it takes, far below quadratic */
}

static void bombs_are_refused_quickly(void **state) {
    (void)state;
    rh_buf b = { 0 };
    const double start = seconds();
    rh_buf_puts(&b, "t\n.subckt s0 a\n.ends\n");
    for (int k = 1; k < 40; k++) rh_buf_printf(&b, ".subckt s%d a\nX1 a s%d\nX2 a s%d\n.ends\n", k, k - 1, k - 1);
    rh_buf_puts(&b, "X1 a s39\n"); /* 2^39 instances of nothing */
    assert_int_equal(refused(b.s), 503);
    b.n = 0;
    rh_buf_puts(&b, "t\nR1 a 0 {");
    for (int k = 0; k < 100000; k++) rh_buf_puts(&b, "(");
    assert_int_equal(refused(b.s), 506);
    b.n = 0;
    rh_buf_puts(&b, "t\nR1 a 0 {");
    for (int k = 0; k < 100000; k++) rh_buf_puts(&b, "-");
    assert_int_equal(refused(b.s), 506);
    b.n = 0;
    rh_buf_puts(&b, "t\nR1 a 0 {1");
    for (int k = 0; k < 100000; k++) rh_buf_puts(&b, "^1");
    assert_int_equal(refused(b.s), 506);
    b.n = 0;
    rh_buf_puts(&b, "t\nR1 a 0 {1");
    for (int k = 0; k < 90000; k++) rh_buf_puts(&b, "+1");
    rh_buf_puts(&b, "}\n"); /* long, but not deep */
    rheo_circuit_destroy(parse(b.s));
    b.n = 0;
    rh_buf_puts(&b, "t\n");
    for (int k = 0; k < 100000; k++) rh_buf_printf(&b, ".subckt s%d a\n", k);
    assert_int_equal(refused(b.s), 504);
    rh_buf_free(&b);
    assert_true(seconds() - start < 5);
}

/* ---- mutations ---- */

static const char SEED_0[] = "two-output divider network\n*@ rheo version=1\nVin in1 0 1\nR1 in1 o1 10k\nR2 o1 0 "
                             "10k\n*@ learn R* min=1u max=10m\n*@ pos o1 1 2\n.end\n";
static const char SEED_1[] = "t\n.param a={2*b} b='1+c' c=3\n.func f(x,y) {x*y+sin(x)}\nR1 n 0 {f(a,b)?a:b}\nE1 p 0 n "
                             "0 {pwr(a,2)}\n.ic v(n)={-1}\n.model m r(tc1=1)\nC1 p n 1n ic=0\n";
static const char SEED_2[] = "t\n.subckt e a b PARAMS: r=1k\n*@ learn R1 min=1u\n.param q={r/2}\nR1 a n {q}\n.subckt "
                             "in p\nR2 p 0 1k ;@ learn\n.ends\nX2 n in\nG1 b 0 n 0 1m\n.ends e\nX1 a 0 e\n"
                             "X2 a 0 e r={3k}\n*@ rheo version=1\n";
static const char SEED_3[] = "t\nV1 a 0 dc 1 ac 1 PULSE(0 1 0 1n\n+ 1n 1u 2u)\n* c\n+ m=1\nI1 a 0 PWL(0,1 2,3) $ x\nV2 "
                             "Net-(R1) 0 SIN(0 1 1k) ; y\nR1 Net-(R1) a 1meg\n.tran 1 2\n.control\nrun\n.endc\n";
static const char *const SEEDS[] = { SEED_0, SEED_1, SEED_2, SEED_3 };

static void mutate(uint64_t seed, const char *from, size_t n, char *to, size_t *m) {
    static const char *const TOKENS[] = {
        "{",        "}",     "(",          ")",       "'",       "\"",    "=",       ";",
        "\n",       "\n+",   "*@ learn *", "*@+",     " 1e999 ", " 4k7 ", ".ends\n", ".subckt x a\n",
        "X1 a x\n", "R",     "\xC3",       "\r",      ",",       "$",     "//",      "#",
        "{1/0}",    " nan ", "**",         ".param ", "?",       "-"
    };
    uint64_t k = 0;
    memcpy(to, from, n);
    const uint64_t changes = 1 + rh_random_u64(seed, 3, k++) % 4;
    for (uint64_t j = 0; j < changes && n > 2; j++) {
        const size_t at = rh_random_u64(seed, 3, k++) % n, len = 1 + rh_random_u64(seed, 3, k++) % 12,
                     other = rh_random_u64(seed, 3, k++) % n;
        const size_t cut = at + len > n ? n - at : len;
        const uint64_t how = rh_random_u64(seed, 3, k++) % 5;
        if (how == 0) { /* delete */
            memmove(to + at, to + at + cut, n - at - cut);
            n -= cut;
        } else if (how == 1) { /* duplicate */
            memmove(to + at + cut, to + at, n - at);
            n += cut;
        } else if (how == 2) { /* swap bytes */
            const char c = to[at];
            to[at] = to[other];
            to[other] = c;
        } else if (how == 3) {
            to[at] = (char)rh_random_u64(seed, 3, k++);
        } else {
            const char *t = TOKENS[rh_random_u64(seed, 3, k++) % RH_COUNT(TOKENS)];
            const size_t len_t = strlen(t);
            memmove(to + at + len_t, to + at, n - at);
            memcpy(to + at, t, len_t);
            n += len_t;
        }
    }
    *m = n;
}

static void mutations_never_crash(void **state) {
    (void)state;
    char text[4096];
    int good = 0;
    double worst = 0;
    for (uint64_t seed = 0; seed < 4000; seed++) {
        const char *from = SEEDS[seed % RH_COUNT(SEEDS)];
        size_t n;
        mutate(seed, from, strlen(from), text, &n);
        char *exact = malloc(n ? n : 1); /* so that a byte read past the end is noticed */
        memcpy(exact, text, n);
        seen s = { 0 };
        const double start = seconds();
        rheo_circuit *c = parse_seen(exact, n, &s);
        worst = fmax(worst, seconds() - start);
        free(exact);
        if (!c) assert_true(s.errors > 0);
        if (!c) continue;
        good++;
        char *printed = NULL;
        rheo_error err = { 0 };
        if (rheo_netlist_print(&printed, c, NULL, &err) == RHEO_OK) {
            rheo_circuit *back = parse(printed);
            if (!rh_circuit_equal(c, back)) fail_msg("seed %d:\n%s", (int)seed, printed);
            rheo_circuit_destroy(back);
            rheo_text_free(printed);
        }
        rheo_circuit_destroy(c);
    }
    assert_true(good > 200);
    assert_true(worst < 0.1); /* 10 ms, and a margin for sanitizers on a busy machine */
}

static void every_prefix_is_survived(void **state) {
    (void)state;
    for (int k = 0; k < RH_COUNT(SEEDS); k++)
        for (size_t n = 0; n < strlen(SEEDS[k]); n++) {
            char *exact = malloc(n ? n : 1);
            memcpy(exact, SEEDS[k], n);
            seen s = { 0 };
            rheo_circuit_destroy(parse_seen(exact, n, &s));
            free(exact);
        }
}

/* ---- the catalogue ---- */

static void every_code_is_explained(void **state) {
    (void)state;
    static const int CODES[] = { 1,   2,   3,   4,   5,   6,   7,   8,   9,   10,  11,  12,  13,  14,  15,
                                 16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  26,  101, 102, 103, 104,
                                 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119,
                                 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 130, 131, 132, 133, 134,
                                 401, 503, 504, 505, 506, 507, 508, 601, 602, 603, 604, 605, 606, 607 };
    for (int k = 0; k < RH_COUNT(CODES); k++)
        if (!rheo_explain(CODES[k], NULL)) fail_msg("E%03d has no explanation", CODES[k]);
}

static void count_message(void *user, const rheo_error *e) {
    (void)e;
    ++*(int *)user;
}

/* One subcircuit per edge, a library, a clamp of sources behind resistors: read without a word. */
static void a_machine_of_transistors_reads_without_complaint(void **state) {
    (void)state;
    int n = 0;
    const rheo_log log = { count_message, &n };
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    if (rheo_netlist_read(&c, "netlists/clln4.cir", NULL, &log, &err) != RHEO_OK) fail_msg("%s", err.msg);
    assert_int_equal(n, 0);
    assert_string_equal(c->title, "contrastive learning by transistors: periodic 4x4 lattice, 32 edges");
    assert_int_equal(c->n_edge, 32);
    for (int k = 0; k < 32; k++) {
        assert_int_equal(c->kind[c->edge_elem[k]], RH_KIND_NMOS_SMOOTH);
        assert_true(c->g_min[k] == 0.75 && c->g_max[k] == 5.03 && fabs(c->g_init[k] - 1.5) <= 0.1);
        assert_int_equal(c->elem_name[c->edge_source[k]][0], 'V');
    }
    CHECK_OK(rh_diagnose(c, NULL, NULL, NULL));
    round_trip(c);
    rheo_circuit_destroy(c);
}

int main(int argc, char **argv) {
    if (argc > 1) { /* measuring: read this file and print what it takes */
        rheo_circuit *c = NULL;
        rheo_error err = { 0 };
        const double start = seconds();
        const rheo_status st = rheo_netlist_read(&c, argv[1], NULL, NULL, &err);
        struct rusage use;
        getrusage(RUSAGE_SELF, &use);
        printf("%s: %d elements, %d nodes, %.3f s, %ld KiB\n", rheo_status_text(st), c ? c->n_elem : 0,
               c ? c->n_node : 0, seconds() - start, use.ru_maxrss);
        rheo_circuit_destroy(c);
        return 0;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_card),
        cmocka_unit_test(sources_take_their_value_at_time_zero),
        cmocka_unit_test(lines_and_comments),
        cmocka_unit_test(titles),
        cmocka_unit_test(names_keep_their_spelling),
        cmocka_unit_test(expressions_follow_arithmetic),
        cmocka_unit_test(random_expressions_agree_with_the_tree),
        cmocka_unit_test(parameters_may_stand_anywhere),
        cmocka_unit_test(long_parameter_chains),
        cmocka_unit_test(subcircuits_are_flattened),
        cmocka_unit_test(unused_ports_leave_no_node),
        cmocka_unit_test(initial_conditions),
        cmocka_unit_test(models_are_kept),
        cmocka_unit_test(models_reach_their_elements),
        cmocka_unit_test(transistors_learn_through_what_holds_their_gate),
        cmocka_unit_test(expressions_of_sources_read_back_equal),
        cmocka_unit_test(expressions_of_many_nodes_are_split),
        cmocka_unit_test(gates_and_bulks_hold_nothing),
        cmocka_unit_test(pragmas_mark_what_learns),
        cmocka_unit_test(pragmas_inside_subcircuits),
        cmocka_unit_test(cards_of_models_keep_all_their_numbers),
        cmocka_unit_test(learned_conductances_become_resistances),
        cmocka_unit_test(no_line_can_run_a_command),
        cmocka_unit_test(names_that_cannot_be_read_are_not_written),
        cmocka_unit_test(odd_circuits_read_back_equal),
        cmocka_unit_test(tables_are_read_from_files),
        cmocka_unit_test(tables_stay_below_the_root),
        cmocka_unit_test(faults_of_tables_have_places),
        cmocka_unit_test(includes_are_relative_and_stay_below_the_root),
        cmocka_unit_test(the_chain_of_a_cycle_is_named),
        cmocka_unit_test(files_that_cannot_be_read),
        cmocka_unit_test(large_inputs_take_linear_time),
        cmocka_unit_test(bombs_are_refused_quickly),
        cmocka_unit_test(mutations_never_crash),
        cmocka_unit_test(every_prefix_is_survived),
        cmocka_unit_test(every_code_is_explained),
        cmocka_unit_test(a_machine_of_transistors_reads_without_complaint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
