/* virtual.h: what tests of virtual time share.
 *
 * SPDX-License-Identifier: MIT
 *
 * Include it after helpers.h.
 */
#ifndef VIRTUAL_H
#define VIRTUAL_H

#include "coworker_test.h"

/* Runs a coroutine without argument or result as a test in virtual time and
 * asserts that it succeeds. */
#define RUN_TEST(NAME)                                                         \
    do {                                                                       \
        cw_none none_;                                                         \
        cw_error *error_;                                                      \
        int status_ = cw_run_test(NAME, CW_NONE, &none_, &error_);             \
        if (status_ != CW_OK)                                                  \
            test_failed(__FILE__, __LINE__, #NAME, cw_error_message(error_));  \
    } while (0)

/* VIRTUAL(name, locals...) { body }: a test that is a coroutine, in virtual
 * time. */
#define VIRTUAL(NAME, ...)                                                     \
    CW_DECLARE_COROUTINE(NAME##_main, cw_none, cw_none, __VA_ARGS__)           \
    TEST(NAME) { RUN_TEST(NAME##_main); }                                      \
    CW_DEFINE_COROUTINE(NAME##_main, cw_none, cw_none)

#define NOW cw_test_current_time(NULL)

#define STANDARD_DISPATCHER cw_test_context(NULL, CW_TEST_STANDARD)
#define UNCONFINED          cw_test_context(NULL, CW_TEST_UNCONFINED)
#define BACKGROUND          cw_test_context(NULL, CW_TEST_BACKGROUND)

#endif /* VIRTUAL_H */
