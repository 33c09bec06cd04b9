/* library: the versions of the libraries that this program runs with. */
#ifndef RH_LIBRARY_H
#define RH_LIBRARY_H

#include <stddef.h>

typedef struct rh_library {
    const char *name;
    void (*version)(char *buf, size_t size);
} rh_library;
extern const rh_library RH_LIBRARIES[];
extern const int RH_N_LIBRARY;

#endif
