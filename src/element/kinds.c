/* kinds.c: every kind of element. The reader, the solver, `rheo kinds` and the tests walk this table. */
#include "element/kinds.h"
#include "element/table.h"

/* Order: RH_KIND_R, RH_KIND_C, ... */
const rh_kind *const RH_KINDS[] = { &rh_resistor,
                                    &rh_capacitor,
                                    &rh_vsource,
                                    &rh_isource,
                                    &rh_vcvs,
                                    &rh_vccs,
                                    &rh_cccs,
                                    &rh_ccvs,
                                    &rh_diode,
                                    &rh_nmos,
                                    &rh_pmos,
                                    &rh_ideal_diode,
                                    &rh_diode_pair,
                                    &rh_smooth_nmos,
                                    &rh_smooth_pmos,
                                    &rh_switch,
                                    &rh_behaviour,
                                    &rh_table_diode,
                                    &rh_npn,
                                    &rh_pnp,
                                    &rh_memristor_drift,
                                    &rh_memristor_vteam,
                                    &rh_memristor_volatile };
const int RH_N_KIND = RH_COUNT(RH_KINDS);

int rh_kind_of_letter(char letter) {
    const char upper = letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
    for (int k = 0; k < RH_N_KIND; k++)
        if (RH_KINDS[k]->letter == upper) return k;
    return -1;
}

int rh_kind_of_model(const char *type, size_t n) {
    for (int k = 0; k < RH_N_KIND; k++) {
        const char *const model = RH_KINDS[k]->model;
        size_t same = 0;
        while (model && same < n && (type[same] | 0x20) == model[same]) same++;
        if (model && same == n && !model[n] && !RH_KINDS[k]->variant) return k;
    }
    return -1;
}

int rh_kind_variant(int kind, const char *variant) {
    const char *const type = RH_KINDS[kind]->model ? RH_KINDS[kind]->model : RH_KINDS[kind]->optional;
    for (int k = 0; k < RH_N_KIND; k++)
        if (type && RH_KINDS[k]->variant && !strcmp(RH_KINDS[k]->model, type) &&
            rh_streq(RH_KINDS[k]->variant, variant))
            return k;
    return -1;
}

size_t rh_kind_par_size(const rh_kind *kind, const double *par) {
    if (kind->flags & RH_TAPE) return 1 + (size_t)par[0];
    const size_t n = (size_t)kind->n_par;
    return kind->flags & RH_TABLE ? n + 1 + RH_POINT * (size_t)par[n] : n;
}
