/* fuzz_netlist.c: for libFuzzer. Whatever the bytes are, reading them ends, and a circuit that was read prints and
 * reads back equal. Build: clang -g -O1 -fsanitize=fuzzer,address,undefined -Iinclude -Isrc -D_GNU_SOURCE
 * tests/fuzz_netlist.c src/base/[a-z]*.c src/element/[a-z]*.c src/circuit/[a-z]*.c src/netlist/[a-z]*.c -lz -lm */
#include "circuit/circuit.h"
#include "rheo/netlist.h"

#include <stdlib.h>

static void same_again(const rheo_circuit *c, const rheo_netlist_def *def) {
    char *text = NULL, *again = NULL;
    rheo_circuit *back = NULL;
    rheo_error err = { 0 };
    if (rheo_netlist_print(&text, c, NULL, &err) != RHEO_OK) return; /* names or values that no netlist can hold */
    if (rheo_netlist_parse(&back, text, strlen(text), "again", def, NULL, &err) != RHEO_OK) abort();
    if (!rh_circuit_equal(c, back)) abort();
    if (rheo_netlist_print(&again, back, NULL, &err) != RHEO_OK || strcmp(text, again) != 0) abort();
    rheo_circuit_destroy(back);
    rheo_text_free(text);
    rheo_text_free(again);
}

static void format(void *user, const rheo_error *e) {
    char text[1400];
    if (rheo_error_format(e, text, sizeof(text)) >= sizeof(text)) abort();
    ++*(int *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rheo_circuit *c = NULL;
    rheo_error err = { 0 };
    int messages = 0;
    const rheo_log log = { format, &messages };
    rheo_netlist_def def = rheo_netlist_default();
    def.max_element = 20000;
    const rheo_status st = rheo_netlist_parse(&c, (const char *)data, size, "fuzz.cir", &def, &log, &err);
    if ((st == RHEO_OK) != (c != NULL) || (st != RHEO_OK && (err.status != st || messages == 0))) abort();
    if (c) same_again(c, &def);
    rheo_circuit_destroy(c);
    return 0;
}
