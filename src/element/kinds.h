/* kinds.h: the rows of RH_KINDS. */
#ifndef RH_ELEMENT_KINDS_H
#define RH_ELEMENT_KINDS_H

#include "element/element.h"

extern const rh_kind rh_resistor, rh_capacitor, rh_vsource, rh_isource, rh_vcvs, rh_vccs, rh_cccs, rh_ccvs, rh_diode,
    rh_nmos, rh_pmos;
extern const rh_kind rh_ideal_diode, rh_diode_pair, rh_smooth_nmos, rh_smooth_pmos, rh_switch, rh_behaviour,
    rh_table_diode, rh_npn, rh_pnp, rh_memristor_drift, rh_memristor_vteam, rh_memristor_volatile;

#endif
