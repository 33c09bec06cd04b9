/* memristor.c: the network with memristors as what they are while time passes: an element with a state, and the
 * capacitor whose voltage the state is. */
#include "element/memristor.h"
#include "transient/transient.h"

#include <math.h>

bool rh_any_memristor(const rheo_circuit *c) {
    for (int e = 0; e < c->n_elem; e++)
        if (rh_elem_is_memristor(c, e)) return true;
    return false;
}

/* Names hold no blank, so these are new. */
static bool state_name(rh_buf *name, const rheo_circuit *c, int e) {
    name->n = 0;
    rh_buf_puts(name, "C x ");
    rh_buf_puts(name, c->elem_name[e]);
    return !name->bad;
}

static double state_of(const rheo_circuit *c, int e) {
    const rh_model *const m = &c->model[c->elem_model[e]];
    return rh_memristor_state(RH_KINDS[m->kind], c->par + m->par, rh_card_now(c, e));
}

/* Those of c, then one for each state. */
static rheo_status add_nodes(rh_builder *b, const rheo_circuit *c, int *state, rh_buf *name, rheo_error *err) {
    for (int i = 1; i < c->n_node; i++) {
        if (rh_builder_node(b, c->node_name[i], strlen(c->node_name[i])) != i) return RH_NOMEM(err);
        RHEO_TRY(rh_builder_ic(b, i, c->ic[i]));
    }
    for (int e = 0; e < c->n_elem; e++) {
        state[e] = -1;
        if (!rh_elem_is_memristor(c, e)) continue;
        if (!state_name(name, c, e) || (state[e] = rh_builder_node(b, name->s, name->n)) < 0) return RH_NOMEM(err);
        RHEO_TRY(rh_builder_ic(b, state[e], state_of(c, e)));
    }
    return RHEO_OK;
}

static rheo_status add_wave(rh_builder *b, const rheo_circuit *c, int e, rheo_error *err) {
    if (c->elem_wave[e] < 0) return RHEO_OK;
    const rh_wave *const w = &c->wave[c->elem_wave[e]];
    const double(*const point)[2] = w->kind == RH_WAVE_PWL ? (const double(*)[2])c->point + w->first : NULL;
    return rh_builder_wave(b, e, w, point) == RHEO_OK ? RHEO_OK : RH_NOMEM(err);
}

static rheo_status add_elements(rh_builder *b, const rheo_circuit *c, const int *state, rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++) {
        const rh_model *const m = state[e] >= 0 ? &c->model[c->elem_model[e]] : NULL;
        const int *const t = c->term[e], term[4] = { t[0], t[1], m ? state[e] : t[2], m ? 0 : t[3] };
        int other;
        const int k = rh_builder_element(b, m ? m->kind : c->kind[e], c->elem_name[e], term, rh_card_now(c, e),
                                         (rh_place){ 0 }, &other);
        if (k != e || (m ? rh_builder_par(b, k, c->par + m->par) : rh_builder_law_of(b, k, c, e)) != RHEO_OK)
            return RH_NOMEM(err);
        rh_builder_ctrl(b, k, c->elem_ctrl[e]);
        RHEO_TRY(add_wave(b, c, e, err));
        RHEO_TRY(rh_builder_elem_ic(b, k, c->elem_ic[e]));
    }
    return RHEO_OK;
}

static rheo_status add_capacitors(rh_builder *b, const rheo_circuit *c, const int *state, rh_buf *name,
                                  rheo_error *err) {
    for (int e = 0; e < c->n_elem; e++) {
        const int term[4] = { state[e], 0, -1, -1 };
        int other;
        if (state[e] < 0) continue;
        if (!state_name(name, c, e) || rh_builder_element(b, RH_KIND_C, name->s, term, 1, (rh_place){ 0 }, &other) < 0)
            return RH_NOMEM(err);
    }
    return RHEO_OK;
}

rheo_status rh_memristors_move(rheo_circuit **out, const rheo_circuit *c, int *state, rheo_error *err) {
    rh_builder *b = rh_builder_create();
    rh_buf name = { 0 };
    if (!b) return RH_NOMEM(err);
    rheo_status st = add_nodes(b, c, state, &name, err);
    if (st == RHEO_OK) st = add_elements(b, c, state, err);
    if (st == RHEO_OK) st = add_capacitors(b, c, state, &name, err);
    rh_buf_free(&name);
    if (st == RHEO_OK) return rh_builder_finish(b, out, err);
    rh_builder_destroy(b);
    return st;
}
