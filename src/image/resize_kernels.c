/* Compiled once per instruction-set level, with GE_KERNELS naming the table and GE_KERNEL_LEVEL the
 * level. What differs between levels stands in the first two sections. */
#include "image/resize_kernels.h"

#include <string.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* X86(op) is the instruction `op` at the level's width. */
#if defined(__AVX512BW__)
enum { WIDTH = 16 };
typedef __m512i reg;
#define X86(op) _mm512_##op
#elif defined(__AVX2__)
enum { WIDTH = 8 };
typedef __m256i reg;
#define X86(op) _mm256_##op
#else
enum { WIDTH = 4 };
#if defined(__SSE2__)
typedef __m128i reg;
#define X86(op) _mm_##op
#endif
#endif

/* So that what is constant at a call is constant in the loops. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* gcc would load v again for each of its two uses, and loads are what the loop waits for. */
#if defined(__AVX2__)
#define LOAD_ONCE(v) __asm__("" : "+v"(v))
#else
#define LOAD_ONCE(v) ((void)0)
#endif

enum {
    CHANNELS = 3,
    COLUMN = CHANNELS * WIDTH, /* sums of one output column of a block: (channel, row) */
    GROUP = 4,                 /* columns that are brought in or out together */
    QUARTERS = 4,              /* registers for one chunk of an output row */
    CHUNK = 4 * WIDTH          /* its bytes */
};

/* WIDTH sums; or WIDTH pairs of 16-bit inputs or weights, the first of a pair in the low half. */
typedef uint32_t vec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));
typedef int32_t signed_vec __attribute__((vector_size(4 * WIDTH), aligned(4), may_alias));

/* ---- sums -------------------------------------------------------------------------------- */

/* madd: sum + low half of a * low half of k + high half of a * high half of k.
 * zip: pairs of the bytes of two rows, in an order that pack_chunk undoes.
 * pack_chunk: sums, shifted, to bytes; what is beyond 0…255 becomes the nearest of these. */
#if defined(__SSE2__)

ALWAYS_INLINE vec madd(vec sum, vec a, vec k)
{
    return sum + (vec)X86(madd_epi16)((reg)a, (reg)k);
}

ALWAYS_INLINE void zip(const uint8_t *a, const uint8_t *b, vec pairs[QUARTERS])
{
    reg va, vb, zero = {0};
    memcpy(&va, a, sizeof va);
    memcpy(&vb, b, sizeof vb);
    reg low = X86(unpacklo_epi8)(va, vb), high = X86(unpackhi_epi8)(va, vb);
    pairs[0] = (vec)X86(unpacklo_epi8)(low, zero);
    pairs[1] = (vec)X86(unpackhi_epi8)(low, zero);
    pairs[2] = (vec)X86(unpacklo_epi8)(high, zero);
    pairs[3] = (vec)X86(unpackhi_epi8)(high, zero);
}

ALWAYS_INLINE void pack_chunk(const signed_vec v[QUARTERS], uint8_t *to)
{
    reg low = X86(packs_epi32)((reg)v[0], (reg)v[1]);
    reg high = X86(packs_epi32)((reg)v[2], (reg)v[3]);
    reg bytes = X86(packus_epi16)(low, high);
    memcpy(to, &bytes, sizeof bytes);
}

#else

ALWAYS_INLINE vec madd(vec sum, vec a, vec k)
{
    vec low = (vec)((signed_vec)(k << 16) >> 16), high = (vec)((signed_vec)k >> 16);
    return sum + (a & 0xFFFF) * low + (a >> 16) * high;
}

ALWAYS_INLINE void zip(const uint8_t *a, const uint8_t *b, vec pairs[QUARTERS])
{
    uint32_t both_rows[CHUNK];
    for (int i = 0; i < CHUNK; i++) both_rows[i] = a[i] | (uint32_t)b[i] << 16;
    memcpy(pairs, both_rows, sizeof both_rows);
}

ALWAYS_INLINE void pack_chunk(const signed_vec v[QUARTERS], uint8_t *to)
{
    for (int q = 0; q < QUARTERS; q++)
        for (int i = 0; i < WIDTH; i++)
            *to++ = (uint8_t)(v[q][i] < 0 ? 0 : v[q][i] > 255 ? 255 : v[q][i]);
}

#endif

/* Two weights for every lane. */
ALWAYS_INLINE vec both(const int16_t *k)
{
    uint32_t two;
    memcpy(&two, k, sizeof two);
    return (vec){0} + two;
}

/* Sums of the high and of the low parts to results; the true sum fits 32 bits. */
ALWAYS_INLINE signed_vec finish(vec high, vec low, bool wide, int precision)
{
    vec sum = high;
    if (wide) sum = (high << GE_LOW_BITS) + low;
    return (signed_vec)sum >> precision;
}

/* ---- columns of a block ------------------------------------------------------------------ */

/* load_group: GROUP columns of every row, from 16 bytes of which 12 count, as two pairs of columns
 * in the order of a block: (pair, channel, row).
 * pack_pixels: sums, shifted, of one column to 4 bytes per row: R, G, B and another one.
 * store_group: GROUP of these columns as RGB rows. */
#if defined(__SSSE3__)

/* Row r, and in further 128-bit parts the rows r + 4, r + 8, r + 12. */
ALWAYS_INLINE reg load_rows(const uint8_t *const *row, size_t at)
{
    enum { PARTS = WIDTH / 4 };
    __m128i part[PARTS];
    for (int p = 0; p < PARTS; p++) part[p] = _mm_loadu_si128((const __m128i *)(row[4 * p] + at));
#if defined(__AVX512BW__)
    reg v = _mm512_castsi128_si512(part[0]);
    v = _mm512_inserti32x4(v, part[1], 1);
    v = _mm512_inserti32x4(v, part[2], 2);
    return _mm512_inserti32x4(v, part[3], 3);
#else
    return _mm256_inserti128_si256(_mm256_castsi128_si256(part[0]), part[1], 1);
#endif
}

ALWAYS_INLINE reg in_every_part(__m128i v)
{
#if defined(__AVX512BW__)
    return _mm512_broadcast_i32x4(v);
#else
    return _mm256_broadcastsi128_si256(v);
#endif
}

ALWAYS_INLINE __m128i part_of(reg v, int p)
{
#if defined(__AVX512BW__)
    return p == 0   ? _mm512_castsi512_si128(v)
           : p == 1 ? _mm512_extracti32x4_epi32(v, 1)
           : p == 2 ? _mm512_extracti32x4_epi32(v, 2)
                    : _mm512_extracti32x4_epi32(v, 3);
#else
    return p == 0 ? _mm256_castsi256_si128(v) : _mm256_extracti128_si256(v, 1);
#endif
}

/* Four rows of (R, G, B, -) to the rows' R, G and B. */
ALWAYS_INLINE void split_channels(const reg s[4], vec *to)
{
    reg rg01 = X86(unpacklo_epi32)(s[0], s[1]), rg23 = X86(unpacklo_epi32)(s[2], s[3]);
    reg b01 = X86(unpackhi_epi32)(s[0], s[1]), b23 = X86(unpackhi_epi32)(s[2], s[3]);
    to[0] = (vec)X86(unpacklo_epi64)(rg01, rg23);
    to[1] = (vec)X86(unpackhi_epi64)(rg01, rg23);
    to[2] = (vec)X86(unpacklo_epi64)(b01, b23);
}

ALWAYS_INLINE void load_group(const uint8_t *const *row, size_t at, int16_t *block)
{
    const reg first =
        in_every_part(_mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1));
    const reg second =
        in_every_part(_mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1));
    reg a[4], b[4];
    for (int r = 0; r < 4; r++) {
        reg bytes = load_rows(row + r, at);
        a[r] = X86(shuffle_epi8)(bytes, first);
        b[r] = X86(shuffle_epi8)(bytes, second);
    }
    split_channels(a, (vec *)block);
    split_channels(b, (vec *)block + CHANNELS);
}

/* (R, G, B, -) of every row. */
ALWAYS_INLINE vec pack_pixels(const signed_vec v[CHANNELS])
{
    const reg pixels =
        in_every_part(_mm_setr_epi8(0, 4, 8, -1, 1, 5, 9, -1, 2, 6, 10, -1, 3, 7, 11, -1));
    reg rg = X86(packs_epi32)((reg)v[0], (reg)v[1]), b = X86(packs_epi32)((reg)v[2], (reg)v[2]);
    return (vec)X86(shuffle_epi8)(X86(packus_epi16)(rg, b), pixels);
}

ALWAYS_INLINE void store_group(const vec v[GROUP], uint8_t *out, size_t stride)
{
    const __m128i tight = _mm_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
    reg ab01 = X86(unpacklo_epi32)((reg)v[0], (reg)v[1]);
    reg ab23 = X86(unpackhi_epi32)((reg)v[0], (reg)v[1]);
    reg cd01 = X86(unpacklo_epi32)((reg)v[2], (reg)v[3]);
    reg cd23 = X86(unpackhi_epi32)((reg)v[2], (reg)v[3]);
    reg row[4] = {X86(unpacklo_epi64)(ab01, cd01), X86(unpackhi_epi64)(ab01, cd01),
                  X86(unpacklo_epi64)(ab23, cd23), X86(unpackhi_epi64)(ab23, cd23)};
    for (int p = 0; p < WIDTH / 4; p++)
        for (int r = 0; r < 4; r++, out += stride)
            _mm_storeu_si128((__m128i *)out, _mm_shuffle_epi8(part_of(row[r], p), tight));
}

#else

ALWAYS_INLINE void load_group(const uint8_t *const *row, size_t at, int16_t *block)
{
    for (int r = 0; r < WIDTH; r++)
        for (int x = 0; x < GROUP; x++)
            for (int c = 0; c < CHANNELS; c++)
                block[2 * (x / 2 * COLUMN + c * WIDTH + r) + x % 2] = row[r][at + 3 * x + c];
}

ALWAYS_INLINE vec pack_pixels(const signed_vec v[CHANNELS])
{
    vec pixels = {0};
    for (int c = 0; c < CHANNELS; c++) {
        signed_vec over = v[c] > 255, under = v[c] < 0;
        pixels |= (vec)((v[c] | over) & ~under & 255) << 8 * c;
    }
    return pixels;
}

ALWAYS_INLINE void store_group(const vec v[GROUP], uint8_t *out, size_t stride)
{
    for (int r = 0; r < WIDTH; r++)
        for (int i = 0; i < GROUP; i++)
            for (int c = 0; c < CHANNELS; c++)
                out[(size_t)r * stride + (size_t)(CHANNELS * i + c)] = (uint8_t)(v[i][r] >> 8 * c);
}

#endif

/* ---- horizontal -------------------------------------------------------------------------- */

static void gather(const uint8_t *rgb, size_t stride, int width, int count, int16_t *block)
{
    enum { READ = 16 }; /* bytes that load_group may read */
    const uint8_t *row[WIDTH];
    int x = 0;
    for (int r = 0; r < WIDTH; r++) row[r] = rgb + (size_t)(r < count ? r : count - 1) * stride;
    for (; (width - x) * CHANNELS >= READ; x += GROUP, block += 2 * GROUP / 2 * COLUMN)
        load_group(row, (size_t)x * CHANNELS, block);
    for (; x < width; x += GROUP, block += 2 * GROUP / 2 * COLUMN) {
        uint8_t end[WIDTH][READ] = {{0}};
        const uint8_t *copy[WIDTH];
        size_t left = (size_t)(width - x) * CHANNELS;
        for (int r = 0; r < WIDTH; r++) {
            memcpy(end[r], row[r] + (size_t)x * CHANNELS, left < READ ? left : READ);
            copy[r] = end[r];
        }
        load_group(copy, 0, block);
    }
}

/* One output column of a block. */
ALWAYS_INLINE vec sum_column(const struct ge_taps *t, const struct ge_tap *tap,
                             const int16_t *block, bool wide)
{
    const int16_t(*k)[4] = t->k + tap->k;
    const vec *pairs = (const vec *)block + (size_t)tap->first / 2 * CHANNELS;
    vec high[CHANNELS], low[CHANNELS];
    signed_vec result[CHANNELS];
    for (int c = 0; c < CHANNELS; c++) {
        high[c] = (vec){0} + t->start_high;
        low[c] = (vec){0} + t->start_low;
    }
    for (int x = tap->pairs; x > 0; x--, k++, pairs += CHANNELS) {
        const vec k_high = both(*k), k_low = both(*k + 2);
        for (int c = 0; c < CHANNELS; c++) {
            vec pair = pairs[c];
            LOAD_ONCE(pair);
            high[c] = madd(high[c], pair, k_high);
            if (wide) low[c] = madd(low[c], pair, k_low);
        }
    }
    for (int c = 0; c < CHANNELS; c++) result[c] = finish(high[c], low[c], wide, t->precision);
    return pack_pixels(result);
}

ALWAYS_INLINE void sum_all_columns(const struct ge_taps *t, const int16_t *block, int count,
                                   bool wide, uint8_t *out, size_t stride)
{
    for (int i = 0; i < t->n; i += GROUP, out += GROUP * CHANNELS) {
        const int left = t->n - i < GROUP ? t->n - i : GROUP;
        const bool room = (t->n - i) * CHANNELS >= 16;
        vec v[GROUP];
        for (int g = 0; g < GROUP; g++)
            v[g] = sum_column(t, t->tap + i + (g < left ? g : 0), block, wide);
        if (room && count == WIDTH) {
            store_group(v, out, stride);
            continue;
        }
        uint8_t end[WIDTH][16];
        store_group(v, end[0], sizeof end[0]);
        for (int r = 0; r < count; r++)
            memcpy(out + (size_t)r * stride, end[r], (size_t)left * CHANNELS);
    }
}

static void sum_columns(const struct ge_taps *t, const int16_t *block, int count, uint8_t *out,
                        size_t stride)
{
    if (t->wide)
        sum_all_columns(t, block, count, true, out, stride);
    else
        sum_all_columns(t, block, count, false, out, stride);
}

/* ---- vertical ---------------------------------------------------------------------------- */

/* A pair of rows, of which the second may be beyond the last one: it has weight 0 then. */
struct row_pair {
    const uint8_t *a, *b;
};

ALWAYS_INLINE struct row_pair row_pair(const struct ge_taps *t, const struct ge_tap *tap, int x,
                                       const uint8_t *rgb, size_t stride)
{
    const int32_t row = tap->first + 2 * x;
    const uint8_t *a = rgb + (size_t)row * stride;
    return (struct row_pair){a, row + 1 < t->reach ? a + stride : a};
}

ALWAYS_INLINE void sum_chunk(const struct ge_taps *t, const struct ge_tap *tap, const uint8_t *rgb,
                             size_t stride, bool wide, uint8_t *to)
{
    const int16_t(*k)[4] = t->k + tap->k;
    vec high[QUARTERS], low[QUARTERS], pairs[QUARTERS];
    signed_vec result[QUARTERS];
    for (int q = 0; q < QUARTERS; q++) {
        high[q] = (vec){0} + t->start_high;
        low[q] = (vec){0} + t->start_low;
    }
    for (int x = 0; x < tap->pairs; x++) {
        struct row_pair rows = row_pair(t, tap, x, rgb, stride);
        vec k_high = both(k[x]), k_low = both(k[x] + 2);
        zip(rows.a, rows.b, pairs);
        for (int q = 0; q < QUARTERS; q++) {
            high[q] = madd(high[q], pairs[q], k_high);
            if (wide) low[q] = madd(low[q], pairs[q], k_low);
        }
    }
    for (int q = 0; q < QUARTERS; q++) result[q] = finish(high[q], low[q], wide, t->precision);
    pack_chunk(result, to);
}

/* One byte at a time, for rows of less than one chunk. */
static void sum_short_row(const struct ge_taps *t, const struct ge_tap *tap, const uint8_t *rgb,
                          size_t stride, size_t n, uint8_t *out)
{
    const int16_t(*k)[4] = t->k + tap->k;
    for (size_t j = 0; j < n; j++) {
        uint32_t high = t->start_high, low = t->start_low;
        for (int x = 0; x < tap->pairs; x++) {
            struct row_pair rows = row_pair(t, tap, x, rgb + j, stride);
            high += (uint32_t)(*rows.a * k[x][0] + *rows.b * k[x][1]);
            low += (uint32_t)(*rows.a * k[x][2] + *rows.b * k[x][3]);
        }
        if (t->wide) high = (high << GE_LOW_BITS) + low;
        int32_t v = (int32_t)high >> t->precision;
        out[j] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

/* The last chunk overlaps the one before it. */
static void sum_rows(const struct ge_taps *t, int i, const uint8_t *rgb, size_t stride, size_t n,
                     uint8_t *out)
{
    const struct ge_tap *tap = &t->tap[i];
    if (n < CHUNK) {
        sum_short_row(t, tap, rgb, stride, n, out);
        return;
    }
    for (size_t j = 0; j < n; j += CHUNK) {
        size_t at = j + CHUNK <= n ? j : n - CHUNK;
        if (t->wide)
            sum_chunk(t, tap, rgb + at, stride, true, out + at);
        else
            sum_chunk(t, tap, rgb + at, stride, false, out + at);
    }
}

const struct ge_resize_kernels GE_KERNELS = {.level = GE_KERNEL_LEVEL,
                                             .rows = WIDTH,
                                             .gather = gather,
                                             .sum_columns = sum_columns,
                                             .sum_rows = sum_rows};
