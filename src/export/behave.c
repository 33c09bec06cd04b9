/* behave.c: an edge of controlled sources. */
#include "export/deck.h"

#include <math.h>

static void put(rh_deck *d, const char *text) { rh_buf_puts(&d->b, text); }

static rheo_status map(rh_deck *d) {
    d->board = (rh_board){ .scale = 1 };
    rh_export_map(d->x, &d->m);
    return RHEO_OK;
}

static rheo_status edge_map(const rh_deck *d, int edge, rh_export_edge *out, rheo_error *err) {
    return rh_export_edge_map(d->x, &d->m, edge, out, err);
}

static void parameters(const rh_deck *d, int edge, const rh_export_edge *e, rh_edge_par *out) {
    *out =
        (rh_edge_par){ .n = 4, .name = { "KG", "GM", "WMIN", "WMAX" }, .value = { e->kg, e->gm, e->w_min, e->w_max } };
    if (!rh_by_gate(d->c, edge)) return;
    for (int k = 0; k < 3; k++) out->name[k] = out->name[k + 1], out->value[k] = out->value[k + 1];
    out->n = 3;
}

static void common(rh_deck *d, int edge) {
    const rh_mapping *const m = &d->m;
    (void)edge;
    rh_put_key(d, " VS=", m->v_square);
    rh_put_key(d, " RK=", m->r_memory);
    rh_put_key(d, " CK=", m->c_memory);
    rh_put_key(d, " TH=", m->threshold);
    rh_put_key(d, " RIM=", m->edge);
    rh_put_key(d, " CW=", m->c_store);
    rh_put_key(d, " RW=", m->r_store);
}

static void put_dead_zone(rh_deck *d) {
    put(d, "* dead zone and charge pump, while learning is enabled\n");
    put(d, "GW w 0 value={GM*V(en)*V(u)");
    if (d->m.cubic) put(d, "*V(u)*V(u)");
    if (d->m.threshold > 0) put(d, "*min(max((abs(V(u))-TH)/RIM+0.5,0),1)");
    put(d, "}\n");
}

static void type(rh_deck *d, int edge) {
    if (rh_by_gate(d->c, edge)) {
        put(d, "* transistor: the stored voltage is that of its gate\n");
        rh_put_transistor(d, edge);
    } else {
        put(d, "* conductance set by the stored voltage\nGE p n value={KG*min(max(V(w),WMIN),WMAX)*V(p,n)}\n");
    }
    put(d, "* squarer\nES s 0 value={V(p,n)*V(p,n)/VS}\n"
           "* memory: high-pass of time constant RK*CK\nCK s u {CK}\nRK u 0 {RK}\n");
    if (isfinite(d->m.r_leak)) {
        rh_put_key(d, "RM s u ", d->m.r_leak);
        put(d, "\n");
    }
    put_dead_zone(d);
    put(d, "* storage: capacitor, rails, leak\nCW w 0 {CW}\n"
           "GL w 0 value={1m*(max(V(w)-WMAX,0)+min(V(w)-WMIN,0))}\nRW w 0 {RW}\n");
}

static void follow(rh_deck *d, int elem) {
    rh_put_head(d, 'E', elem);
    rh_buf_printf(&d->b, " w%d 0 1\n", d->c->held_edge[elem] + 1);
}

static void nudge(rh_deck *d, int o) {
    rh_buf_printf(&d->b, "GC%d ", o + 1);
    rh_export_node(&d->b, d->c, d->x->out[o][1]);
    put(d, " ");
    rh_export_node(&d->b, d->c, d->x->out[o][0]);
    rh_put_key(d, " value={", d->m.clamp);
    rh_buf_printf(&d->b, "*V(beta)*V(e%d)}\n", o + 1);
}

const rh_level RH_BEHAVIOURAL = {
    .name = "behavioural",
    .meaning = "* of edge k: KG*wf<k>\n",
    .edge = "TCLEDGE",
    .ports = "",
    .map = map,
    .edge_map = edge_map,
    .parameters = parameters,
    .type = type,
    .common = common,
    .follow = follow,
    .nudge = nudge,
    /* Stored voltages are asked to be right to 3e-4 after a thousand teeth. */
    .options = ".options reltol=1e-7 abstol=1e-13 vntol=1e-10 chgtol=1e-18 trtol=1 interp\n",
    .enabled = 1,
};
