/* field.c: tables of settings. */
#include "base/base.h"

void rh_fields_default(const rh_field *f, int n, void *def) {
    char *const base = def;
    for (int k = 0; k < n; k++) {
        void *where = base + f[k].offset;
        switch (f[k].type) {
        case RH_DOUBLE: *(double *)where = f[k].def; break;
        case RH_INT:
        case RH_CHOICE: *(int *)where = (int)f[k].def; break;
        case RH_BOOL: *(bool *)where = f[k].def != 0; break;
        case RH_STRING: *(char **)where = NULL; break;
        }
    }
}
