/* catch_test.c: errors that are raised, and caught or not.
 *
 * SPDX-License-Identifier: MIT
 */
#include "test.h"

#include "helpers.h"

/* ---- one handler, and several */

SCENARIO(a_raised_error_is_caught, cw_error *error;)
{
    CW_BEGIN(self);
    self->error = cw_error_new(CW_EFAILED, "raised", NULL);
    CW_TRY(self, 1);
    MARK(1);
    CW_RAISE(self, cw_error_retain(self->error));
    MARK(-1);
    CW_CATCH(self, 1)
    {
        MARK(2);
        ASSERT(cw_caught(self) == self->error);
    }
    MARK(3);
    CW_YIELD(self); /* what was caught is over with */
    MARK(4);
    cw_error_release(self->error);
    CW_END(self);
}

SCENARIO(without_an_error_the_block_is_passed_over, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    MARK(1);
    CW_YIELD(self);
    CW_CATCH(self, 1) { ASSERT(false); }
    MARK(2);
    CW_END(self);
}

SCENARIO(raising_nothing_is_a_plain_failure, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_RAISE(self, NULL);
    CW_CATCH(self, 1)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EFAILED);
        MARK(1);
    }
    MARK(2);
    CW_END(self);
}

SCENARIO(a_callees_error_is_raised_in_its_caller, int out;)
{
    CW_BEGIN(self);
    self->out = 5;
    CW_TRY(self, 1000);
    CW_CALL(self, fail_with, CW_EINVAL, &self->out);
    CW_CATCH(self, 1000)
    {
        ASSERT_EQ(cw_error_code(cw_caught(self)), CW_EINVAL);
        ASSERT_STR(cw_error_message(cw_caught(self)), "on purpose");
        MARK(1);
    }
    ASSERT_EQ(self->out, 5);
    MARK(2);
    CW_END(self);
}

SCENARIO(several_handlers_in_a_row, int i;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_FAIL(self, CW_EINVAL, "first");
    CW_CATCH(self, 1) { MARK(1); }
    CW_TRY(self, 2);
    CW_FAIL(self, CW_EBUSY, "second");
    CW_CATCH(self, 2)
    {
        MARK(2);
        ASSERT_STR(cw_error_message(cw_caught(self)), "second");
        CW_YIELD(self); /* waiting in there is fine */
        ASSERT_STR(cw_error_message(cw_caught(self)), "second");
    }
    for (self->i = 0; self->i < 3; self->i++) { /* one of them again */
        CW_TRY(self, 3);
        if (self->i != 1) continue;
        CW_FAIL(self, CW_EBUSY, "third");
        CW_CATCH(self, 3) { MARK(3); }
    }
    MARK(4);
    CW_END(self);
}

SCENARIO(handlers_nest, cw_error *error;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_TRY(self, 2);
    CW_TRY(self, 3);
    CW_FAIL(self, CW_EINVAL, "for the third");
    CW_CATCH(self, 3) { MARK(1); }
    CW_FAIL(self, CW_EBUSY, "for the second");
    CW_CATCH(self, 2)
    {
        MARK(2);
        ASSERT_STR(cw_error_message(cw_caught(self)), "for the second");
        self->error = cw_error_retain(cw_caught(self));
        CW_RAISE(self, cw_error_retain(self->error)); /* on to the next */
    }
    ASSERT(false);
    CW_CATCH(self, 1)
    {
        MARK(3);
        ASSERT(cw_caught(self) == self->error);
    }
    MARK(4);
    cw_error_release(self->error);
    CW_END(self);
}

SCENARIO(an_outer_handler_holds_after_an_inner_one_was_passed, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_TRY(self, 2);
    MARK(1);
    CW_CATCH(self, 2) { ASSERT(false); }
    CW_FAIL(self, CW_EBUSY, "for the first");
    CW_CATCH(self, 1) { MARK(2); }
    MARK(3);
    CW_END(self);
}

SCENARIO(a_handler_that_was_jumped_out_of_does_not_hold_twice, int i;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    for (self->i = 0; self->i < 10; self->i++) {
        CW_TRY(self, 2);
        if (self->i < 9) continue; /* not by its CW_CATCH */
        MARK(1);
        CW_CATCH(self, 2) { ASSERT(false); }
    }
    CW_FAIL(self, CW_EBUSY, "for the first");
    CW_CATCH(self, 1) { MARK(2); }
    MARK(3);
    CW_END(self);
}

CW_COROUTINE(return_from_handler, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_FAIL(self, CW_EBUSY, "");
    CW_CATCH(self, 1) { CW_RETURN(self, 42); }
    CW_END(self);
}

SCENARIO(a_handler_can_return, int out;)
{
    CW_BEGIN(self);
    CW_CALL(self, return_from_handler, CW_NONE, &self->out);
    ASSERT_EQ(self->out, 42);
    CW_END(self);
}

CW_COROUTINE(return_from_try, cw_none, int, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_RETURN(self, 42);
    CW_CATCH(self, 1) { ASSERT(false); }
    CW_FINALLY(self);
    CW_FAIL(self, CW_EBUSY, "not for the handler");
    CW_END(self);
}

SCENARIO(a_return_leaves_its_handlers, int out;)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_CALL(self, return_from_try, CW_NONE, &self->out);
    CW_CATCH(self, 1)
    {
        ASSERT_STR(cw_error_message(cw_caught(self)), "not for the handler");
        MARK(1);
    }
    MARK(2);
    CW_END(self);
}

/* ---- wrong use */

CW_COROUTINE(nests_too_deep, cw_none, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_TRY(self, 1);
    CW_TRY(self, 2);
    CW_TRY(self, 3);
    CW_TRY(self, 4);
    CW_CATCH(self, 4) {}
    CW_CATCH(self, 3) {}
    CW_CATCH(self, 2) {}
    CW_CATCH(self, 1) {}
    CW_END(self);
}

static void nest_too_deep(void) { RUN(nests_too_deep); }

TEST(nesting_too_many_handlers_aborts_with_the_coroutines_name)
{
    assert_aborts(nest_too_deep, "nests_too_deep");
}
