/* mandelbrot.c: one tile of the Mandelbrot set as a coroutine.
 *
 * SPDX-License-Identifier: MIT
 *
 * Where the page sees the memory that a tile's pixels are written to, it shows
 * them as they come. A tile is computed in passes, from blocks of 8 pixels down
 * to single ones, and yields after each pass: so every tile has a rough picture
 * before any has a fine one, and a tile that is cancelled soon gives way.
 */
#include <coworker.h>
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* The page fills these two in byte by byte: see mandelbrot-pool.js. */
typedef struct place {
    double left, top; /* its first pixel, in the complex plane */
    double step;      /* from one pixel to the next */
    uint32_t size;    /* pixels in a row, and rows */
    uint32_t limit;   /* of iterations */
} place;

typedef struct tile {
    place place;
    uint32_t *pixels;         /* size * size of them, RGBA */
    _Atomic uint32_t *passes; /* how many passes are done */
    uint32_t lines;           /* of blocks: after so many, others have a turn */
} tile;

/* A tile as a value, of this size only. */
enum { PICTURE_SIZE = 128 };
typedef struct picture {
    uint32_t pixels[PICTURE_SIZE * PICTURE_SIZE];
    int worker;
} picture;

enum { FIRST_BLOCK = 8 };
static const double ESCAPE = 256.0 * 256.0;
static const uint32_t INSIDE = 0xff1a1110; /* a dark blue, as ABGR */

/* True for the two largest parts of the set, where every iteration is vain. */
static bool is_surely_inside(double x, double y)
{
    double a = x - 0.25, q = a * a + y * y;
    if (q * (q + a) <= 0.25 * y * y) return true;
    return (x + 1) * (x + 1) + y * y <= 0.0625;
}

/* The colours are a cycle through these: red, green, blue. */
static const double STOPS[][3] = {
    {12, 16, 58},   {32, 78, 168}, {92, 178, 214}, {238, 244, 226},
    {250, 190, 92}, {206, 84, 68}, {86, 26, 78},
};
enum { STOP_COUNT = sizeof STOPS / sizeof *STOPS };
static const double STOPS_PER_DOUBLING = 1.1;

static uint32_t palette(double at)
{
    uint32_t stop = (uint32_t)at;
    double part = at - stop, ease = part * part * (3 - 2 * part);
    const double *from = STOPS[stop % STOP_COUNT];
    const double *to = STOPS[(stop + 1) % STOP_COUNT];
    uint32_t abgr = 0xff;
    for (int channel = 2; channel >= 0; channel--) {
        double value = from[channel] + (to[channel] - from[channel]) * ease;
        abgr = abgr << 8 | (uint32_t)(value + 0.5);
    }
    return abgr;
}

static uint32_t colour(double x, double y, uint32_t limit)
{
    if (is_surely_inside(x, y)) return INSIDE;
    double zx = 0, zy = 0, xx = 0, yy = 0, oldx = 0, oldy = 0;
    for (uint32_t n = 0; n < limit; n++) {
        zy = 2 * zx * zy + y;
        zx = xx - yy + x;
        xx = zx * zx;
        yy = zy * zy;
        if (xx + yy > ESCAPE) {
            /* A number of iterations with fractions: no bands. */
            double smooth = n + 2 - log2(log2(xx + yy));
            return palette(log2(fmax(smooth, 1)) * STOPS_PER_DOUBLING);
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
        uint32_t *pixel = &t->pixels[row * t->place.size + x];
        for (uint32_t i = 0; i < block; i++)
            pixel[i] = rgba;
    }
}

/* A part of a pass: returns the row where the next one begins. Ends early if
 * the job is cancelled. */
static uint32_t render(const tile *t, uint32_t block, uint32_t y)
{
    const place *at = &t->place;
    for (uint32_t line = 0; line < t->lines && y < at->size; line++) {
        if (cw_is_stopped()) break;
        for (uint32_t x = 0; x < at->size; x += block) {
            /* The pass before has computed every other one of these. */
            bool known = block < FIRST_BLOCK && !((x | y) & (2 * block - 1));
            if (known) continue;
            double real = at->left + x * at->step,
                   imaginary = at->top + y * at->step;
            fill(t, x, y, block, colour(real, imaginary, at->limit));
        }
        y += block;
    }
    return y;
}

/* The number at the end of this worker's name, from 0; 0 if there is none. */
static int worker_index(void)
{
    const char *dash = strrchr(cw_worker_name(), '-');
    return dash ? atoi(dash + 1) - 1 : 0;
}

/* Gives the index of the worker that did the last pass. */
CW_COROUTINE(mandelbrot_tile, tile, int, uint32_t block, row;)
{
    CW_BEGIN(self);
    for (self->block = FIRST_BLOCK; self->block > 0; self->block /= 2) {
        for (self->row = 0; self->row < self->arg.place.size;) {
            if (self->row > 0) CW_YIELD(self);
            self->row = render(&self->arg, self->block, self->row);
            CW_ENSURE_ACTIVE(self);
        }
        /* release: who sees the pass counted sees its pixels */
        atomic_fetch_add_explicit(self->arg.passes, 1, memory_order_release);
        if (self->block > 1) CW_YIELD(self);
    }
    CW_RETURN(self, worker_index());
    CW_END(self);
}
CW_EXPORT(mandelbrot_tile)

/* The same for pages that do not see a worker's memory: gives the pixels. */
CW_COROUTINE(mandelbrot_picture, place, picture, _Atomic uint32_t passes;)
{
    CW_BEGIN(self);
    CW_CALL(
        self, mandelbrot_tile,
        ((tile){self->arg, self->result.pixels, &self->passes, PICTURE_SIZE}),
        &self->result.worker);
    CW_END(self);
}
CW_EXPORT(mandelbrot_picture)
