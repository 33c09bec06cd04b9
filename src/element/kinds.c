/* kinds.c: every kind of element. The reader, the solver, `rheo kinds` and the tests walk this table. */
#include "element/kinds.h"

/* Order: RH_KIND_R, RH_KIND_C, ... */
const rh_kind *const RH_KINDS[] = { &rh_resistor, &rh_capacitor, &rh_vsource, &rh_isource, &rh_vcvs, &rh_vccs };
const int RH_N_KIND = RH_COUNT(RH_KINDS);

int rh_kind_of_letter(char letter) {
    const char upper = letter >= 'a' && letter <= 'z' ? (char)(letter - 'a' + 'A') : letter;
    for (int k = 0; k < RH_N_KIND; k++)
        if (RH_KINDS[k]->letter == upper) return k;
    return -1;
}
