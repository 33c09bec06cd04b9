/* check.h: what every test program includes. */
#ifndef CHECK_H
#define CHECK_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Not a > b, which NaN passes. */
#define CHECK_NEAR(got, want, tol)                                                          \
    do {                                                                                    \
        const double got_ = (got), want_ = (want);                                          \
        if (!(fabs(got_ - want_) <= (tol)))                                                 \
            fail_msg("%s = %.17g, want %.17g within %g", #got, got_, want_, (double)(tol)); \
    } while (0)
#define CHECK_REL(got, want, tol)                                                                    \
    do {                                                                                             \
        const double got_ = (got), want_ = (want);                                                   \
        if (!(fabs(got_ - want_) <= (tol)*fabs(want_)))                                              \
            fail_msg("%s = %.17g, want %.17g within %g relative", #got, got_, want_, (double)(tol)); \
    } while (0)
#define CHECK_OK(call)                                                        \
    do {                                                                      \
        rheo_error err_ = { 0 };                                              \
        (void)err_;                                                           \
        const rheo_status st_ = (call);                                       \
        if (st_ != RHEO_OK) fail_msg("%s: %s", #call, rheo_status_text(st_)); \
    } while (0)

#endif
