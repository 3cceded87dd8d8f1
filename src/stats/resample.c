#include "stats/resample.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clones.h"
#include "base/mem.h"
#include "base/rng.h"

enum { LEAF_ROWS = 256, LANES = 4, TILE = 16 }; /* columns that are summed in one pass */

/* ---- sorted rows -------------------------------------------------------------------------------- */

struct row {
    const double *values;
    size_t columns;
};

static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    for (size_t k = 0; k < x->columns; k++) {
        if (x->values[k] != y->values[k]) return x->values[k] < y->values[k] ? -1 : 1;
    }
    return 0; /* equal rows: their order makes no difference */
}

static ge_status sort_rows(const struct ge_bootstrap_data *data, struct resampler *r)
{
    ge_status rc = GE_OK;
    struct row *order = NULL;
    size_t cells = 0;
    GE_TRY(ge_mul(r->rows, r->stride, &cells));
    GE_NEW(order, r->rows);
    GE_NEW(r->group, r->rows);
    GE_TRY_PTR(r->values, ge_calloc_aligned(cells, sizeof *r->values));
    for (size_t i = 0; i < r->rows; i++) {
        order[i] = (struct row){data->values + i * r->columns, r->columns};
    }
    qsort(order, r->rows, sizeof *order, compare_rows);
    for (size_t i = 0; i < r->rows; i++) {
        memcpy(r->values + i * r->stride, order[i].values, r->columns * sizeof *r->values);
        r->n_groups += i == 0 || compare_rows(&order[i - 1], &order[i]) != 0;
        r->group[i] = (uint32_t)r->n_groups - 1;
    }
done:
    free(order);
    return rc;
}

/* ---- the tree ----------------------------------------------------------------------------------- */

/* Rows of the first child: the largest power of two below n, so that every leaf has 2^k rows. */
static uint32_t first_part(uint32_t n)
{
    uint32_t part = 1;
    while (part < n - part) part *= 2;
    return part;
}

static bool is_leaf(const struct resample_node *v)
{
    return v->rows <= LEAF_ROWS && (v->rows & (v->rows - 1)) == 0;
}

/* Nodes are split in the order they are made, so parents come before children. */
static ge_status make_tree(struct resampler *r)
{
    ge_status rc = GE_OK;
    size_t cap = 0;
    GE_GROW(r->nodes, r->n_nodes, cap);
    r->nodes[r->n_nodes++] = (struct resample_node){.rows = (uint32_t)r->rows};
    for (size_t i = 0; i < r->n_nodes; i++) {
        struct resample_node v = r->nodes[i];
        v.equal = r->group[v.first] == r->group[v.first + v.rows - 1];
        if (!v.equal && !is_leaf(&v)) {
            uint32_t part = first_part(v.rows);
            v.left = (uint32_t)r->n_nodes;
            GE_GROW(r->nodes, r->n_nodes, cap);
            r->nodes[r->n_nodes++] = (struct resample_node){.first = v.first, .rows = part};
            v.right = (uint32_t)r->n_nodes;
            GE_GROW(r->nodes, r->n_nodes, cap);
            r->nodes[r->n_nodes++] =
                (struct resample_node){.first = v.first + part, .rows = v.rows - part};
        }
        r->n_leaves += !v.equal && v.left == 0;
        r->nodes[i] = v;
    }
done:
    return rc;
}

/* The leaves by rising rows: the tables are read once from front to back. */
static ge_status list_leaves(struct resampler *r)
{
    ge_status rc = GE_OK;
    uint32_t *stack = NULL;
    size_t depth = 0, n = 0;
    GE_NEW(r->leaves, r->n_leaves);
    GE_NEW(stack, r->n_nodes);
    stack[depth++] = 0;
    while (depth > 0) {
        uint32_t i = stack[--depth];
        const struct resample_node *v = &r->nodes[i];
        if (v->left != 0) {
            stack[depth++] = v->right;
            stack[depth++] = v->left;
        } else if (!v->equal) {
            r->leaves[n++] = i;
        }
    }
done:
    free(stack);
    return rc;
}

ge_status ge_resampler_make(const struct ge_bootstrap_data *data, struct resampler *out)
{
    ge_status rc = GE_OK;
    *out = (struct resampler){.rows = data->rows, .columns = data->columns};
    out->stride = (data->columns + LANES - 1) / LANES * LANES;
    if (data->rows == 0 || data->columns == 0 || data->rows > UINT32_MAX / 2) {
        GE_TRY(ge_fail(GE_EINVAL,
                       "bootstrap of %zu rows and %zu columns; allowed are 1 to 2^31 rows "
                       "and at least one column",
                       data->rows, data->columns));
    }
    for (size_t i = 0; i < data->rows * data->columns; i++) {
        if (!isfinite(data->values[i])) {
            GE_TRY(ge_fail(GE_EINVAL, "bootstrap: row %zu, column %zu is not finite",
                           i / data->columns, i % data->columns));
        }
    }
    GE_TRY(sort_rows(data, out));
    GE_TRY(make_tree(out));
    GE_TRY(list_leaves(out));
done:
    if (rc != GE_OK) ge_resampler_free(out);
    return rc;
}

void ge_resampler_free(struct resampler *r)
{
    free(r->values);
    free(r->group);
    free(r->nodes);
    free(r->leaves);
    *r = (struct resampler){0};
}

/* ---- random words ------------------------------------------------------------------------------- */

/* The words of one resample, in order. */
struct stream {
    uint64_t seed, resample, next; /* next counter */
    size_t used;
    uint32_t words[GE_PHILOX_WORDS];
};

static void stream_start(struct stream *s, uint64_t seed, uint64_t resample)
{
    s->seed = seed;
    s->resample = resample;
    s->next = 0;
    s->used = GE_PHILOX_WORDS;
}

/* Some of the next words, at least one and at most `most`; *n says how many. */
static const uint32_t *stream_words(struct stream *s, size_t most, size_t *n)
{
    if (s->used == GE_PHILOX_WORDS) {
        ge_philox_fill(s->seed, s->resample, s->next, s->words);
        s->next += GE_PHILOX_COUNTERS;
        s->used = 0;
    }
    size_t left = GE_PHILOX_WORDS - s->used;
    const uint32_t *words = s->words + s->used;
    *n = most < left ? most : left;
    s->used += *n;
    return words;
}

GE_CLONES static uint32_t count_ones(const uint32_t *words, size_t n)
{
    uint32_t ones = 0;
    for (size_t i = 0; i < n; i++) ones += (uint32_t)__builtin_popcount(words[i]);
    return ones;
}

/* Binomial(n, 1/2): how many of n random bits are 0. */
static uint32_t halve(struct stream *s, uint32_t n)
{
    uint32_t ones = 0;
    size_t got = 0;
    for (size_t words = n / 32; words > 0; words -= got) {
        const uint32_t *w = stream_words(s, words, &got);
        ones += count_ones(w, got);
    }
    if (n % 32 != 0) {
        const uint32_t *w = stream_words(s, 1, &got);
        ones += (uint32_t)__builtin_popcount(*w >> (32 - n % 32));
    }
    return n - ones;
}

/* Binomial(n, a/m), 0 < a < m: each trial compares random binary digits with those of a/m; of the
 * trials still undecided, half have the digit 0 and half the digit 1. */
static uint32_t binomial(struct stream *s, uint32_t n, uint32_t a, uint32_t m)
{
    uint32_t hits = 0;
    uint64_t rest = a;
    while (n > 0 && rest > 0) { /* rest 0: all further digits are 0, and no trial is below */
        uint32_t zeros = halve(s, n);
        rest *= 2;
        bool digit = rest >= m;
        if (digit) {
            rest -= m;
            hits += zeros;
            n -= zeros;
        } else {
            n = zeros;
        }
    }
    return hits;
}

/* ---- sums --------------------------------------------------------------------------------------- */

typedef double lanes __attribute__((vector_size(8 * LANES), aligned(8 * LANES), may_alias));

/* Add the rows that the words' bytes name to acc, in two chains: even draws and odd ones. */
static inline __attribute__((always_inline)) void add_rows(const double *rows, size_t stride,
                                                           uint32_t mask, const uint32_t *words,
                                                           size_t draws, double *acc, int vectors)
{
    lanes even[TILE / LANES] = {{0}}, odd[TILE / LANES] = {{0}};
    size_t full = draws / 4;
    for (size_t i = 0; i < full; i++) {
        uint32_t w = words[i];
        const lanes *r0 = (const lanes *)(rows + (w & mask) * stride);
        const lanes *r1 = (const lanes *)(rows + (w >> 8 & mask) * stride);
        const lanes *r2 = (const lanes *)(rows + (w >> 16 & mask) * stride);
        const lanes *r3 = (const lanes *)(rows + (w >> 24 & mask) * stride);
        for (int v = 0; v < vectors; v++) {
            even[v] += r0[v];
            odd[v] += r1[v];
            even[v] += r2[v];
            odd[v] += r3[v];
        }
    }
    for (size_t k = 0; k < draws % 4; k++) {
        const lanes *row = (const lanes *)(rows + (words[full] >> 8 * k & mask) * stride);
        for (int v = 0; v < vectors; v++) even[v] += row[v];
    }
    for (int v = 0; v < vectors; v++) ((lanes *)acc)[v] += even[v] + odd[v];
}

GE_CLONES static void add_draws(const double *rows, size_t stride, uint32_t mask,
                                const uint32_t *words, size_t draws, double *acc)
{
    size_t column = 0;
    for (; column + TILE <= stride; column += TILE) {
        add_rows(rows + column, stride, mask, words, draws, acc + column, TILE / LANES);
    }
    switch ((stride - column) / LANES) {
    case 3:
        add_rows(rows + column, stride, mask, words, draws, acc + column, 3);
        break;
    case 2:
        add_rows(rows + column, stride, mask, words, draws, acc + column, 2);
        break;
    case 1:
        add_rows(rows + column, stride, mask, words, draws, acc + column, 1);
        break;
    default:
        break;
    }
}

/* One resample of the group. */
struct draw {
    struct stream stream;
    uint32_t *counts; /* (n_nodes) draws of each node */
    double *acc;      /* (stride) */
};

/* Split the draws down to the leaves; nodes of equal rows are done with that. */
static void split_draws(const struct resampler *r, struct draw *d)
{
    d->counts[0] = (uint32_t)r->rows;
    for (size_t i = 0; i < r->n_nodes; i++) {
        const struct resample_node *v = &r->nodes[i];
        uint32_t n = d->counts[i];
        if (v->left != 0) {
            uint32_t part = r->nodes[v->left].rows;
            d->counts[v->left] = binomial(&d->stream, n, part, v->rows);
            d->counts[v->right] = n - d->counts[v->left];
        } else if (v->equal) {
            const double *row = r->values + v->first * r->stride;
            for (size_t k = 0; k < r->stride; k++) d->acc[k] += n * row[k];
        }
    }
}

static void draw_leaf(const struct resampler *r, const struct resample_node *v, uint32_t draws,
                      struct draw *d)
{
    const double *rows = r->values + v->first * r->stride;
    while (draws > 0) {
        size_t n;
        const uint32_t *words = stream_words(&d->stream, (draws + 3) / 4, &n);
        uint32_t now = 4 * n < draws ? (uint32_t)(4 * n) : draws;
        add_draws(rows, r->stride, v->rows - 1, words, now, d->acc);
        draws -= now;
    }
}

ge_status ge_resample(const struct resampler *r, uint64_t seed, uint64_t first, size_t n,
                      double *sums)
{
    ge_status rc = GE_OK;
    struct draw *draws = NULL;
    uint32_t *counts = NULL;
    double *acc = NULL;
    GE_NEW(draws, n);
    GE_NEW(counts, n * r->n_nodes);
    GE_TRY_PTR(acc, ge_calloc_aligned(n * r->stride, sizeof *acc));
    for (size_t i = 0; i < n; i++) {
        draws[i].counts = counts + i * r->n_nodes;
        draws[i].acc = acc + i * r->stride;
        stream_start(&draws[i].stream, seed, first + i);
        split_draws(r, &draws[i]);
    }
    for (size_t l = 0; l < r->n_leaves; l++) {
        const struct resample_node *v = &r->nodes[r->leaves[l]];
        for (size_t i = 0; i < n; i++) draw_leaf(r, v, draws[i].counts[r->leaves[l]], &draws[i]);
    }
    memcpy(sums, acc, n * r->stride * sizeof *sums);
done:
    free(acc);
    free(counts);
    free(draws);
    return rc;
}
