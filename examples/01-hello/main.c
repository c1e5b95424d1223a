/* main.c: three coroutines on three workers.
 *
 * SPDX-License-Identifier: MIT
 */
#include <coworker.h>
#include <stdio.h>

CW_COROUTINE(greet, const char *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    CW_DELAY(self, 1000); /* the worker is free meanwhile */
    printf("%s, I'm executing in %s\n", self->arg, cw_worker_name());
    CW_END(self);
}

/* What it launches are its children: it ends when all three have ended. */
CW_COROUTINE(greet_all, cw_context *, cw_none, CW_NO_LOCALS)
{
    CW_BEGIN(self);
    cw_spawn(self->arg, greet, "Ada");
    cw_spawn(self->arg, greet, "Grace");
    cw_spawn(self->arg, greet, "Edsger");
    CW_END(self);
}

int main(void)
{
    cw_context *context = cw_new_fixed_worker_context(3, "worker-context");
    if (!context) {
        fprintf(stderr, "%s\n", cw_status_text(cw_last_error()));
        return 1;
    }
    cw_none nothing;
    int status = cw_run_blocking(greet_all, context, &nothing, NULL);
    cw_context_close(context);
    cw_context_join(context);
    cw_context_release(context);
    return status == CW_OK ? 0 : 1;
}
