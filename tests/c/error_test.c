/* error_test.c: error objects and status codes.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

#include "error.h"

TEST(every_code_has_a_name_and_a_text)
{
#define CHECK(name, value, text)                                               \
    ASSERT_EQ(CW_##name, value);                                               \
    ASSERT_STR(cw_status_name(value), "CW_" #name);                            \
    ASSERT_STR(cw_status_text(value), text);
    CW_ERROR_MAP(CHECK)
#undef CHECK
    ASSERT_STR(cw_status_name(CW_OK), "CW_OK");
    ASSERT_STR(cw_status_text(CW_OK), "success");
}

TEST(an_unknown_code_has_a_name_and_a_text_too)
{
    ASSERT_STR(cw_status_text(-9999), "unknown error");
    ASSERT_STR(cw_status_name(-9999), "CW_E?");
    ASSERT_STR(cw_status_text(1), "unknown error");
}

TEST(the_message_is_copied)
{
    char message[] = "first";
    cw_error *error = cw_error_new(CW_EFAILED, message, NULL);
    message[0] = 'x';
    ASSERT_STR(cw_error_message(error), "first");
    ASSERT_EQ(cw_error_code(error), CW_EFAILED);
    ASSERT(cw_error_cause(error) == NULL);
    cw_error_release(error);
}

TEST(without_a_message_the_code_speaks)
{
    cw_error *error = cw_error_new(CW_EBUSY, NULL, NULL);
    ASSERT_STR(cw_error_message(error), cw_status_text(CW_EBUSY));
    cw_error_release(error);
}

TEST(an_error_keeps_its_cause)
{
    cw_error *cause = cw_error_new(CW_EINVAL, "cause", NULL);
    cw_error *error = cw_error_new(CW_EFAILED, "effect", cause);
    cw_error_release(cause);
    ASSERT(cw_error_cause(error) == cause);
    ASSERT_STR(cw_error_message(cw_error_cause(error)), "cause");
    ASSERT(cw_error_retain(error) == error);
    cw_error_release(error);
    ASSERT_STR(cw_error_message(error), "effect");
    cw_error_release(error);
}

TEST(null_is_no_error)
{
    cw_error_release(NULL);
    ASSERT(cw_error_retain(NULL) == NULL);
    ASSERT_EQ(cw_error_code(NULL), CW_OK);
    ASSERT_STR(cw_error_message(NULL), "success");
    ASSERT(cw_error_cause(NULL) == NULL);
}

TEST(a_long_chain_of_causes_is_released_without_recursion)
{
    cw_error *error = NULL;
    for (int i = 0; i < 1000000; i++) {
        cw_error *next = cw_error_new(CW_EFAILED, "", error);
        cw_error_release(error);
        error = next;
    }
    cw_error_release(error);
}

/* Larger than what comes from a cache of free blocks. */
static const char *long_message(void)
{
    static char text[5000];
    memset(text, 'm', sizeof text - 1);
    return text;
}

TEST(without_memory_there_is_an_error_nevertheless)
{
    cw_error *cause = cw_error_new(CW_EINVAL, NULL, NULL);
    fail_alloc_at(1);
    cw_error *error = cw_error_new(CW_EFAILED, long_message(), cause);
    ASSERT(alloc_has_failed());
    ASSERT_EQ(cw_error_code(error), CW_ENOMEM);
    ASSERT_STR(cw_error_message(error), cw_status_text(CW_ENOMEM));
    ASSERT(cw_error_cause(error) == NULL);
    ASSERT(cw_error_retain(error) == error);
    for (int i = 0; i < 10; i++)
        cw_error_release(error); /* it is nobody's */
    ASSERT_EQ(cw_error_code(error), CW_ENOMEM);
    cw_error_release(cause);
}

TEST(a_cancellation_is_its_own_cancellation_error)
{
    cw_error *cause = cw_error_new(CW_ECANCELED, "mine", NULL);
    cw_error *error = cw__error_cancelled(cause);
    ASSERT(error == cause);
    cw_error_release(error);
    cw_error_release(cause);
}

TEST(a_failure_becomes_the_cause_of_a_cancellation)
{
    cw_error *cause = cw_error_new(CW_EFAILED, "mine", NULL);
    cw_error *error = cw__error_cancelled(cause);
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ASSERT(cw_error_cause(error) == cause);
    cw_error_release(error);
    error = cw__error_cancelled(NULL);
    ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
    ASSERT(cw_error_cause(error) == NULL);
    cw_error_release(error);
    cw_error_release(cause);
}

/* Otherwise cancelling a job would turn into a failure. */
TEST(without_memory_a_cancellation_is_still_a_cancellation)
{
    bool failed = false;
    for (int i = 0; i < 5000 && !failed; i++) {
        /* In some builds blocks come in batches: use up what there is. */
        fail_alloc_at(1);
        cw_error *error = cw__error_cancelled(NULL);
        failed = alloc_has_failed();
        ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
        if (failed) {
            cw_error_release(error);
            cw_error_release(error);
            ASSERT_EQ(cw_error_code(error), CW_ECANCELED);
        }
    }
    ASSERT(failed);
}

TEST(the_last_error_belongs_to_a_thread_and_is_reset_by_success)
{
    ASSERT_EQ(cw_last_error(), CW_OK);
    ASSERT(cw_new_fixed_worker_context(0, "none") == NULL);
    ASSERT_EQ(cw_last_error(), CW_EINVAL);
    cw_context *context = new_context(1);
    ASSERT_EQ(cw_last_error(), CW_OK);
    shut_down(context);
}

static void *use_error(void *arg)
{
    for (int i = 0; i < 10000; i++) {
        cw_error *error = cw_error_retain(arg);
        ASSERT_STR(cw_error_message(error), "shared");
        cw_error_release(error);
    }
    cw_error_release(arg);
    return NULL;
}

TEST(threads_share_an_error)
{
    cw_error *error = cw_error_new(CW_EFAILED, "shared", NULL);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        cw_error_retain(error);
        ASSERT(pthread_create(&threads[i], NULL, use_error, error) == 0);
    }
    cw_error_release(error);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}
