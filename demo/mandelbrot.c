/* mandelbrot.c: one tile of the Mandelbrot set as a coroutine.
 *
 * SPDX-License-Identifier: MIT
 *
 * The tile's pixels lie in shared memory, so the page sees them as they are
 * written. A tile is computed in passes, from blocks of 8 pixels down to single
 * ones, and yields after each pass: so every tile has a rough picture before
 * any has a fine one, and a tile that is cancelled soon gives way.
 */
#include <coworker.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The page fills it in byte by byte: see TileJob in mandelbrot-pool.js. */
typedef struct tile {
    double left, top;         /* its first pixel, in the complex plane */
    double step;              /* from one pixel to the next */
    uint32_t *pixels;         /* size * size of them, RGBA */
    const uint32_t *palette;  /* the colours, a cycle */
    _Atomic uint32_t *passes; /* how many passes are done */
    uint32_t size;
    uint32_t limit;   /* of iterations */
    uint32_t colours; /* in the palette, a power of two */
} tile;

enum { FIRST_BLOCK = 8 };
static const double COLOURS_PER_DOUBLING = 160;
static const double ESCAPE = 256.0 * 256.0;
static const uint32_t INSIDE = 0xff1a1110; /* a dark blue, as ABGR */

/* True for the two largest parts of the set, where every iteration is vain. */
static bool is_surely_inside(double x, double y)
{
    double a = x - 0.25, q = a * a + y * y;
    if (q * (q + a) <= 0.25 * y * y) return true;
    return (x + 1) * (x + 1) + y * y <= 0.0625;
}

static uint32_t colour(const tile *t, double x, double y)
{
    if (is_surely_inside(x, y)) return INSIDE;
    double zx = 0, zy = 0, xx = 0, yy = 0, oldx = 0, oldy = 0;
    for (uint32_t n = 0; n < t->limit; n++) {
        zy = 2 * zx * zy + y;
        zx = xx - yy + x;
        xx = zx * zx;
        yy = zy * zy;
        if (xx + yy > ESCAPE) {
            /* A number of iterations with fractions: no bands. */
            double smooth = n + 2 - log2(log2(xx + yy));
            double at = log2(fmax(smooth, 1)) * COLOURS_PER_DOUBLING;
            return t->palette[(uint32_t)at & (t->colours - 1)];
        }
        /* Back at an earlier place: it goes round for ever. */
        if (zx == oldx && zy == oldy) return INSIDE;
        if ((n & (n + 1)) == 0) {
            oldx = zx;
            oldy = zy;
        }
    }
    return INSIDE;
}

static void fill(const tile *t, uint32_t x, uint32_t y, uint32_t block,
                 uint32_t rgba)
{
    for (uint32_t row = y; row < y + block; row++) {
        uint32_t *pixel = &t->pixels[row * t->size + x];
        for (uint32_t i = 0; i < block; i++)
            pixel[i] = rgba;
    }
}

/* One pass; ends early if the job is cancelled. */
static void render(const tile *t, uint32_t block)
{
    for (uint32_t y = 0; y < t->size; y += block) {
        if (cw_is_stopped()) return;
        for (uint32_t x = 0; x < t->size; x += block) {
            /* The pass before has computed every other one of these. */
            bool known = block < FIRST_BLOCK && !((x | y) & (2 * block - 1));
            if (known) continue;
            double real = t->left + x * t->step,
                   imaginary = t->top + y * t->step;
            fill(t, x, y, block, colour(t, real, imaginary));
        }
    }
}

/* The number at the end of this worker's name, from 0; 0 if there is none. */
static int worker_index(void)
{
    const char *dash = strrchr(cw_worker_name(), '-');
    return dash ? atoi(dash + 1) - 1 : 0;
}

/* Gives the index of the worker that did the last pass. */
CW_COROUTINE(mandelbrot_tile, tile, int, uint32_t block;)
{
    CW_BEGIN(self);
    for (self->block = FIRST_BLOCK; self->block > 0; self->block /= 2) {
        render(&self->arg, self->block);
        CW_ENSURE_ACTIVE(self);
        /* release: who sees the pass counted sees its pixels */
        atomic_fetch_add_explicit(self->arg.passes, 1, memory_order_release);
        if (self->block > 1) CW_YIELD(self);
    }
    CW_RETURN(self, worker_index());
    CW_END(self);
}
CW_EXPORT(mandelbrot_tile)
