/* library.c: what the program was linked with, as it says itself at run time. */
#include "run/library.h"

#include <SuiteSparse_config.h>
#include <stdio.h>
#include <zlib.h>

/* Of yaml.h, which only the reader of YAML includes. */
extern const char *yaml_get_version_string(void);

static void suitesparse(char *buf, size_t size) {
    int v[3];
    SuiteSparse_version(v);
    snprintf(buf, size, "%d.%d.%d (KLU)", v[0], v[1], v[2]);
}

static void yaml(char *buf, size_t size) { snprintf(buf, size, "%s", yaml_get_version_string()); }
static void zlib(char *buf, size_t size) { snprintf(buf, size, "%s", zlibVersion()); }

const rh_library RH_LIBRARIES[] = { { "suitesparse", suitesparse }, { "libyaml", yaml }, { "zlib", zlib } };
const int RH_N_LIBRARY = sizeof RH_LIBRARIES / sizeof RH_LIBRARIES[0];
