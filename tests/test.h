/* Common ground of the unit tests: cmocka in the order that it wants its headers. */
#ifndef GE_TESTS_TEST_H
#define GE_TESTS_TEST_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"

/* A call that must succeed; prints the message if it does not. */
#define assert_ok(expr)                                                                            \
    do {                                                                                           \
        ge_status assert_rc_ = (expr);                                                             \
        if (assert_rc_ != GE_OK) {                                                                 \
            print_error("%s: %s: %s\n", #expr, ge_status_name(assert_rc_), ge_error());            \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

/* A call that must fail with this status and say why. */
#define assert_status(expr, want)                                                                  \
    do {                                                                                           \
        ge_error_clear();                                                                          \
        ge_status assert_rc_ = (expr);                                                             \
        if (assert_rc_ != (want)) {                                                                \
            print_error("%s: %s (%s), wanted %s\n", #expr, ge_status_name(assert_rc_), ge_error(), \
                        ge_status_name(want));                                                     \
            fail();                                                                                \
        }                                                                                          \
        if ((want) != GE_OK && ge_error()[0] == '\0') {                                            \
            print_error("%s: failed without a message\n", #expr);                                  \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

/* |a - b| <= tol; NaN fails. */
#define assert_close(a, b, tol)                                                                    \
    do {                                                                                           \
        double close_a_ = (a), close_b_ = (b);                                                     \
        if (!(fabs(close_a_ - close_b_) <= (tol))) {                                               \
            print_error("%s:%d: %s = %.17g, wanted %.17g within %g\n", __FILE__, __LINE__, #a,     \
                        close_a_, close_b_, (double)(tol));                                        \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

#endif
