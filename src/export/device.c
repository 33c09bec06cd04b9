/* device.c: an edge of parts that can be bought. What is left out of each part is in docs/spice-export.md. */
#include "export/deck.h"

#include <math.h>

static void put(rh_deck *d, const char *text) { rh_buf_puts(&d->b, text); }

static rheo_status map(rh_deck *d) { return rh_export_board(d->x, &d->board, &d->m, d->err); }

static rheo_status edge_map(const rh_deck *d, int edge, rh_export_edge *out, rheo_error *err) {
    return rh_export_board_edge(d->x, &d->board, &d->m, edge, out, err);
}

#define ON 5.0       /* V at en */
#define KP 62.5e-6   /* A/V^2: of one cell of an ALD1106, with L = 10 um */
#define LENGTH 10e-6 /* m */

static void parameters(const rh_deck *d, int edge, const rh_export_edge *e, rh_edge_par *out) {
    const double ib = rh_export_bias(&d->board, e) / (ON - RH_BOARD_VB);
    *out = (rh_edge_par){ .n = 3, .name = { "IB", "WMIN", "WMAX" }, .value = { ib, e->w_min, e->w_max } };
    if (rh_by_gate(d->c, edge)) return;
    out->name[3] = "WID", out->value[3] = LENGTH * e->kg / KP;
    out->name[4] = "RT", out->value[4] = 0.5 / e->g_floor;
    out->n = 5;
}

static void common(rh_deck *d, int edge) {
    const rh_mapping *const m = &d->m;
    (void)edge;
    rh_put_key(d, " GAIN=", d->board.gain);
    rh_put_key(d, " RK=", m->r_memory);
    rh_put_key(d, " CK=", m->c_memory);
    rh_put_key(d, " RF=", 1e3 * (d->board.amplify - 1));
    rh_put_key(d, " CW=", m->c_store);
    rh_put_key(d, " RW=", m->r_store);
}

static void type(rh_deck *d, int edge) {
    if (rh_by_gate(d->c, edge)) {
        put(d, "* transistor: the stored voltage is that of its gate\n");
        rh_put_transistor(d, edge);
    } else {
        put(d, "* transistor as a resistor: the mean of its ends goes onto its gate, which makes it linear;\n"
               "* the two resistors conduct always\n"
               "RT1 p t {RT}\nRT2 t n {RT}\nXT t m m OPA4134\nXG w 0 m g INA111 PARAMS: G=1\n"
               "M1 p g n ee ALD1106 W={WID} L=10u\n");
    }
    put(d, "* squarer: instrumentation amplifier and multiplier\n"
           "XI p n 0 a INA111 PARAMS: G={GAIN}\nXM a 0 a 0 0 s AD633\n"
           "* memory: high-pass, C0G capacitor and 1 % resistor\nCK s u {CK}\nRK u 0 {RK}\n");
    if (isfinite(d->m.r_leak)) {
        rh_put_key(d, "RM s u ", d->m.r_leak);
        put(d, "\n");
    }
    put(d, "* amplifier\nXU u f v OPA4134\nRF v f {RF}\nRG f 0 1k\n"
           "* dead zone: 100 times what v has above tp and below tn, held by diodes, bends the bias of the pumps\n"
           "RA1 v q1 1k\nRA2 v q2 1k\nRB1 tn q1 1k\nRB2 tp q2 1k\nRC1 q1 y1 100k\nRC2 q2 y2 100k\n"
           "DA1 q1 y1 BAV199\nDA2 q2 y2 BAV199\nDB1 y1 q1 BAV199\nDB2 y2 q2 BAV199\n"
           "XV1 0 q1 y1 OPA4134\nXV2 0 q2 y2 OPA4134\n"
           "XW1 0 y1 en b1 LM13700 PARAMS: IB=131.6u VB=1.2\nXW2 y2 0 en b2 LM13700 PARAMS: IB=131.6u VB=1.2\n"
           "RP1 b1 0 10k\nRP2 b2 0 10k\n"
           "* charge pump: one transconductance amplifier for each side of the dead zone\n"
           "RD1 v x 19.25k\nRD2 x 0 100\n");
    const char *const in = rh_edge_falls(d->c, edge) ? "x 0" : "0 x";
    for (int k = 1; k <= 2; k++) rh_buf_printf(&d->b, "XP%d %s b%d w LM13700 PARAMS: IB={IB} VB=1.2\n", k, in, k);
    put(d, "* storage: film capacitor, its leak, clamps\n"
           "CW w 0 {CW}\nRW w 0 {RW}\nVH hi 0 {WMAX}\nVL lo 0 {WMIN}\nDH w hi BAV199\nDL lo w BAV199\n");
}

static void parts(rh_deck *d) {
    put(d, "\n* ---- parts\n"
           "* INA111: instrumentation amplifier with inputs of no current, 5 MHz/G and at most 2 MHz\n"
           ".subckt INA111 p n r o PARAMS: G=1\n"
           "GO 0 o p n {G/100}\nGR 0 o r 0 10m\nRO o 0 100\nCO o 0 {318p*max(G,2.5)}\n"
           ".ends INA111\n"
           "* AD633: multiplier, 1 MHz, +-11 V\n"
           ".subckt AD633 xp xn yp yn z o\n"
           "GO 0 o value={min(max(V(xp,xn)*V(yp,yn)/10+V(z),-11),11)/100}\nRO o 0 100\nCO o 0 1.6n\n"
           ".ends AD633\n"
           "* OPA4134: one of four amplifiers, gain 1e5, 8 MHz\n"
           ".subckt OPA4134 p n o\n"
           "GA 0 a p n 500u\nRA a 0 200meg\nCA a 0 10p\nEO o 0 a 0 1\n"
           ".ends OPA4134\n"
           "* LM13700: one of two transconductance amplifiers. Bias IB*(V(b)-VB); with t = V(p,n)/(2 VT) between -3 "
           "and 3\n"
           "* it gives t*(27+t*t)/(27+9*t*t) of that, which is tanh(t) to 2.4 %\n"
           ".subckt LM13700 p n b o PARAMS: IB=1m VB=0\n"
           "GO 0 o value={IB*max(V(b)-VB,0)*min(max(V(p,n)/51.74m,-3),3)\n"
           "+ *(27+min(V(p,n)*V(p,n)/2.677m,9))/(27+9*min(V(p,n)*V(p,n)/2.677m,9))}\n"
           ".ends LM13700\n"
           ".model BAV199 D(IS=5f N=1.1 RS=1)\n"
           ".model ALD1106 NMOS(VTO=0.75 KP=62.5u GAMMA=0 PHI=0.6 LAMBDA=0 IS=1e-14)\n"
           "* references of the dead zone, negative supply\n");
    rh_put_key(d, "VTP tp 0 ", d->board.threshold);
    rh_put_key(d, "\nVTN tn 0 ", -d->board.threshold);
    put(d, "\nVEE ee 0 -12\n");
}

static void follow(rh_deck *d, int elem) {
    const int node = d->c->term[elem][0];
    rh_buf_printf(&d->b, "XF%d w%d ", d->c->held_edge[elem] + 1, d->c->held_edge[elem] + 1);
    for (int k = 0; k < 2; k++) {
        rh_export_node(&d->b, d->c, node);
        put(d, k ? " OPA4134\n" : " ");
    }
}

/* One transconductance amplifier into node `to`. */
static void put_pull(rh_deck *d, int o, int to, bool out_of) {
    const int *const out = d->x->out[o];
    if (to == 0) return;
    rh_buf_printf(&d->b, "XN%d%c ", o + 1, out_of ? 'b' : 'a');
    if (!out_of) rh_buf_printf(&d->b, "t%d ", o + 1);
    if (out[0] == 0 || out[1] != 0)
        rh_buf_printf(&d->b, "y%d", o + 1);
    else
        rh_export_node(&d->b, d->c, out[0]);
    if (out_of) rh_buf_printf(&d->b, " t%d", o + 1);
    put(d, " beta ");
    rh_export_node(&d->b, d->c, to);
    rh_put_key(d, " LM13700 PARAMS: IB=", 2 * RH_BOARD_VTH * d->m.clamp);
    put(d, " VB=0\n");
}

static void nudge(rh_deck *d, int o) {
    const int *const out = d->x->out[o];
    if (out[0] == 0 || out[1] != 0) {
        rh_buf_printf(&d->b, "XY%d ", o + 1);
        rh_export_node(&d->b, d->c, out[0]);
        put(d, " ");
        rh_export_node(&d->b, d->c, out[1]);
        rh_buf_printf(&d->b, " 0 y%d INA111 PARAMS: G=1\n", o + 1);
    }
    put_pull(d, o, out[0], false);
    put_pull(d, o, out[1], true);
}

const rh_level RH_DEVICE = {
    .name = "device",
    .meaning = "* of edge k: 0.5/RT + 62.5u*(WID/10u)*(wf<k> - 0.75)\n",
    .edge = "TCLVCR",
    .ports = " tp tn ee",
    .map = map,
    .edge_map = edge_map,
    .parameters = parameters,
    .type = type,
    .common = common,
    .parts = parts,
    .follow = follow,
    .nudge = nudge,
    .options = ".options reltol=1e-4 abstol=1e-13 vntol=1e-7 chgtol=1e-16 interp\n",
    .enabled = ON,
};
