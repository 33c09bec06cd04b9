/* time_case.h: networks in time from the text of a netlist. What goes wrong ends the test. */
#ifndef TIME_CASE_H
#define TIME_CASE_H

#include "check.h"

#include "rheo/netlist.h"
#include "rheo/transient.h"

/* .include reads from netlists/. */
static inline rheo_circuit *parse(const char *text) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    rheo_netlist_def def = rheo_netlist_default();
    def.root = "netlists";
    if (rheo_netlist_parse(&c, text, strlen(text), "x.cir", &def, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return c;
}

static inline rheo_transient_def until(double stop) {
    rheo_transient_def def = rheo_transient_default();
    def.stop = stop;
    return def;
}

static inline rheo_transient *begin(const rheo_circuit *c, rheo_transient_def def) {
    rheo_transient *t = NULL;
    rheo_error err = { 0 };
    if (rheo_transient_open(&t, c, &def, NULL, &err) != RHEO_OK) fail_msg("%s", err.msg);
    return t;
}

static inline void step(rheo_transient *t) {
    rheo_error err = { 0 };
    if (rheo_transient_step(t, &err) != RHEO_OK) fail_msg("%s", err.msg);
}

#endif
