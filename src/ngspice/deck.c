/* deck.c: a circuit as ngspice gets it. */
#include "ngspice/ngspice.h"

#include <math.h>

char rh_ngspice_letter(const rheo_circuit *c, int elem) {
    if (RH_KINDS[c->kind[elem]]->express) return 'b';
    return (char)(RH_KINDS[c->kind[elem]]->letter + ('a' - 'A'));
}

static double value_of(const rheo_circuit *c, const double *g, const double *source, int e) {
    const int k = c->elem_edge[e], held = c->held_edge[e];
    if (held >= 0) return (g ? g : c->g_init)[held];
    if (k >= 0) return 1 / (g ? g[k] : c->g_init[k]);
    return source && (RH_KINDS[c->kind[e]]->flags & RH_SOURCE) ? source[e] : c->value[e];
}

static void add_nodes(rh_buf *b, const int *term, int n) {
    for (int t = 0; t < n; t++) rh_buf_printf(b, term[t] ? " n%d" : " 0", term[t]);
}

/* Every parameter is written, so that no default of ngspice counts. */
static void add_parameters(rh_buf *b, const rh_kind *kind, const double *par, rh_par_of of) {
    for (int k = 0; k < kind->n_par; k++) {
        if (kind->par[k].of != of) continue;
        rh_buf_printf(b, " %s=", kind->par[k].name);
        rh_buf_number(b, par[k]);
    }
}

static void add_models(rh_buf *b, const rheo_circuit *c) {
    for (int m = 0; m < c->n_model; m++) {
        const rh_kind *const kind = RH_KINDS[c->model[m].kind];
        if (kind->express || kind->flags & RH_STATE) continue;
        rh_buf_printf(b, ".model m%d %s(", m + 1, kind->model);
        add_parameters(b, kind, c->par + c->model[m].par, RH_OF_MODEL);
        rh_buf_puts(b, ")\n");
    }
}

static bool folded(const rheo_circuit *c, int e, double *par) {
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    return kind->fold && kind->fold(c->par + c->elem_par[e], par);
}

/* Models of elements whose own parameters are in them. */
static void add_own_models(rh_buf *b, const rheo_circuit *c) {
    double par[RH_KIND_PAR];
    for (int e = 0; e < c->n_elem; e++) {
        if (!folded(c, e, par)) continue;
        rh_buf_printf(b, ".model mq%d %s(", e + 1, RH_KINDS[c->kind[e]]->model);
        add_parameters(b, RH_KINDS[c->kind[e]], par, RH_OF_MODEL);
        rh_buf_puts(b, ")\n");
    }
}

/* A current from one end of the path to the other as an expression of the potentials. */
static void add_expression(rh_buf *b, const rheo_circuit *c, int e) {
    const rh_kind *const kind = RH_KINDS[c->kind[e]];
    char text[RH_MAX_TERM][24];
    const char *node[RH_MAX_TERM];
    for (int t = 0; t < kind->n_term; t++) {
        snprintf(text[t], sizeof text[t], c->term[e][t] ? "v(n%d)" : "0", c->term[e][t]);
        node[t] = text[t];
    }
    add_nodes(b, (int[]){ c->term[e][kind->path[0]], c->term[e][kind->path[1]] }, 2);
    rh_buf_puts(b, " i=");
    kind->express(c->par + c->elem_par[e], node, b);
}

/* Tolerances far below what is compared. gmin is for junctions only, gshunt and rshunt stay off. Pivots: any size, and
 * only such as are not small beside their column; the default of 1e-3 loses digits. */
static const char LINEAR[] =
    ".options reltol=1e-12 abstol=1e-21 vntol=1e-18 gmin=1e-18 pivtol=1e-60 pivrel=0.5 noacct nomod\n";
/* Newton's method stops on steps of this size; the error left is about its square. */
static const char NONLINEAR[] = ".options reltol=1e-9 abstol=1e-17 vntol=1e-12 gmin=1e-18 pivtol=1e-60 pivrel=0.5 "
                                "itl1=500 itl2=500 noacct nomod\n";

static void add_pull(rh_buf *b, int number, const rh_port *p, bool own) {
    rh_buf_printf(b, "r%d", number);
    add_nodes(b, (int[]){ p->node[0] }, 1);
    rh_buf_printf(b, " p%d ", number);
    rh_buf_number(b, own ? p->ohm : RH_NGSPICE_OPEN);
    rh_buf_printf(b, "\nv%d p%d", number, number);
    add_nodes(b, (int[]){ p->node[1] }, 1);
    rh_buf_puts(b, " dc ");
    rh_buf_number(b, own ? p->volt : 0);
    rh_buf_puts(b, "\n");
}

void rh_ngspice_deck(rh_buf *b, const rheo_circuit *c, const double *g, const double *source, const rh_port *port,
                     int n_port) {
    rh_buf_puts(b, "deck by rheo\n");
    for (int e = 0; e < c->n_elem; e++) {
        const rh_kind *const kind = RH_KINDS[c->kind[e]];
        if (kind->flags & RH_OPEN) continue; /* carries no direct current */
        rh_buf_printf(b, "%c%d", rh_ngspice_letter(c, e), e + 1);
        if (kind->express) {
            add_expression(b, c, e);
            rh_buf_puts(b, "\n");
            continue;
        }
        add_nodes(b, c->term[e], kind->n_term);
        double own[RH_KIND_PAR];
        if (folded(c, e, own)) {
            rh_buf_printf(b, " mq%d", e + 1);
        } else if (kind->model) {
            rh_buf_printf(b, " m%d", c->elem_model[e] + 1);
            add_parameters(b, kind, c->par + c->elem_par[e], RH_OF_ELEMENT);
        } else {
            if (kind->flags & RH_BY_CURRENT) rh_buf_printf(b, " v%d", c->elem_ctrl[e] + 1);
            rh_buf_puts(b, kind->flags & RH_SOURCE ? " dc " : " ");
            rh_buf_number(b, value_of(c, g, source, e));
        }
        rh_buf_puts(b, "\n");
    }
    for (int p = 0; p < n_port; p++) {
        if (port[p].pulls) {
            add_pull(b, c->n_elem + p + 1, &port[p], g != NULL);
            continue;
        }
        /* the current of a source flows from its first node through it to the second */
        rh_buf_printf(b, "i%d", c->n_elem + p + 1);
        add_nodes(b, (int[]){ port[p].node[1], port[p].node[0] }, 2);
        rh_buf_puts(b, " dc ");
        rh_buf_number(b, g ? port[p].amp : 0);
        rh_buf_puts(b, "\n");
    }
    add_models(b, c);
    add_own_models(b, c);
    rh_buf_puts(b, rh_circuit_is_linear(c) ? LINEAR : NONLINEAR);
    rh_buf_puts(b, ".end\n");
}
