/* The kernels with fused multiply-adds: their bits depend on nothing but the source.
 *
 * simd/kernels.c is compiled here three more times, with vectors of plain loops: of 16 lanes, which
 * is the code and the tiles of AVX-512; of 8 lanes, those of AVX2; and of 4 lanes, those of 64-bit
 * ARM, without any instruction set, so that a fused multiply-add is libm's fmaf. All of them and
 * every table that this CPU runs must give the bits of the first; products also those of the loop
 * that defines them. So the indexing of a level is tested on machines that lack it, and the
 * numerics id need not name a level. */
#include "base/mem.h"
#include "base/rng.h"
#include "device/cpu/kernels.h"
#include "test.h"

extern const struct ge_kernels ge_simd_lanes4, ge_simd_lanes8, ge_simd_lanes16;
#if defined(__x86_64__)
extern const struct ge_kernels ge_simd_avx2, ge_simd_avx512;
#elif defined(__aarch64__)
extern const struct ge_kernels ge_simd_base;
#endif

static const struct ge_kernels *tables[6];
static size_t n_tables;

static void list_tables(void)
{
    tables[n_tables++] = &ge_simd_lanes4;
    tables[n_tables++] = &ge_simd_lanes8;
    tables[n_tables++] = &ge_simd_lanes16;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        tables[n_tables++] = &ge_simd_avx2;
    else
        print_message("Skipped: this CPU has no AVX2 with FMA\n");
    if (__builtin_cpu_supports("avx512f"))
        tables[n_tables++] = &ge_simd_avx512;
    else
        print_message("Skipped: this CPU has no AVX-512; its code ran as 16 plain lanes\n");
#elif defined(__aarch64__)
    tables[n_tables++] = &ge_simd_base;
#endif
}

static float *values(size_t n, uint64_t stream, float scale)
{
    float *x = ge_calloc_aligned(n + 64, sizeof *x); /* kernels may touch whole vectors */

    assert_non_null(x);
    for (size_t i = 0; i < n; i++)
        x[i] = scale * (float)((double)(ge_mix(stream, i) >> 40) * 0x1p-23 - 1);
    return x;
}

/* Compare rows of `got` (ldg apart) with the first table's. */
static void same(const char *what, size_t table, const float *want, size_t ldw, const float *got,
                 size_t ldg, size_t rows, size_t cols)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t c = 0; c < cols; c++) {
            if (memcmp(&want[r * ldw + c], &got[r * ldg + c], sizeof(float)) == 0) continue;
            print_error("%s: %s gives %a at (%zu,%zu), wanted %a\n", what, tables[table]->level,
                        (double)got[r * ldg + c], r, c, (double)want[r * ldw + c]);
            fail();
        }
    }
}

/* ---- products ----------------------------------------------------------------------------- */

static void one_gemm(size_t m, size_t n, size_t k)
{
    float *x = values(m * (k + 3), 1, 1.0f), *w = values(n * k, 2, 1.0f);
    float *want = values(m * n, 3, 0);

    for (size_t r = 0; r < m; r++) {
        for (size_t c = 0; c < n; c++) { /* the definition */
            float s = 0;
            for (size_t i = 0; i < k; i++) s = fmaf(x[r * (k + 3) + i], w[c * k + i], s);
            want[r * n + c] = s;
        }
    }
    for (size_t t = 0; t < n_tables; t++) {
        size_t padded = ge_kernels_padded(tables[t], n);
        float *packed = values(padded * k + 512, 4, 0), *c = values(m * padded, 5, 0);
        ge_pack_panels(w, k, n, k, tables[t]->panel, packed);
        tables[t]->gemm(x, k + 3, m, packed, n, k, c, padded);
        same("gemm", t, want, n, c, padded, m, n);
        free(packed);
        free(c);
    }
    free(x);
    free(w);
    free(want);
}

static void test_gemm(void **state)
{
    static const size_t ms[] = {1, 2, 3, 5, 6, 7, 11, 12, 13, 14, 50};

    (void)state;
    for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++) {
        one_gemm(ms[i], 1, 1);
        one_gemm(ms[i], 37, 19);
        one_gemm(ms[i], 100, 64);
    }
    one_gemm(50, 400, 72); /* several blocks of panels */
    one_gemm(3, 32, 1025);
}

/* ---- by element and by row ---------------------------------------------------------------- */

static void test_epilogue(void **state)
{
    enum { ROWS = 3, N = 77, LD = 96 };
    float *c = values((size_t)ROWS * LD, 1, 6.0f), *bias = values(N, 2, 1.0f);
    float *residual = values((size_t)ROWS * LD, 3, 1.0f), *want = values((size_t)ROWS * LD, 4, 0);

    (void)state;
    for (int act = 0; act <= GE_ACT_RELU; act++) {
        for (int with = 0; with < 4; with++) {
            for (size_t t = 0; t < n_tables; t++) {
                float *y = values((size_t)ROWS * LD, 5, 0);
                tables[t]->epilogue(c, LD, ROWS, N, (with & 1) != 0 ? bias : NULL,
                                    (enum ge_activation)act, (with & 2) != 0 ? residual : NULL, LD,
                                    y, LD);
                if (t == 0) memcpy(want, y, sizeof(float) * ROWS * LD);
                same(ge_activation_name((enum ge_activation)act), t, want, LD, y, LD, ROWS, LD);
                free(y);
            }
        }
    }
    free(c);
    free(bias);
    free(residual);
    free(want);
}

static void test_rows(void **state)
{
    static const size_t widths[] = {1, 15, 16, 17, 31, 100, 384, 769};

    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        size_t n = widths[i];
        float *x = values(n, 1, 3.0f), *gain = values(n, 2, 1.0f), *bias = values(n, 3, 1.0f);
        float *norm = values(n, 4, 0), *unit = values(n, 4, 0), *y = values(n, 5, 0);
        for (size_t t = 0; t < n_tables; t++) {
            tables[t]->layernorm(x, n, gain, bias, 1e-5f, y);
            if (t == 0) memcpy(norm, y, n * sizeof *y);
            same("layernorm", t, norm, n, y, n, 1, n);
            tables[t]->l2_normalize(x, n, 1e-12f, y);
            if (t == 0) memcpy(unit, y, n * sizeof *y);
            same("l2_normalize", t, unit, n, y, n, 1, n);
        }
        free(x);
        free(gain);
        free(bias);
        free(norm);
        free(unit);
        free(y);
    }
}

/* ---- attention ---------------------------------------------------------------------------- */

static void one_attention(size_t nq, size_t nk, size_t dim, bool causal, bool with_bias)
{
    size_t ld = dim + 5, span = nq > nk ? nq : nk;
    float *q = values(nq * ld, 1, 2.0f), *k = values(nk * ld, 2, 2.0f),
          *v = values(nk * ld, 3, 2.0f);
    float *bias = values(2 * span, 4, 2.0f), *want = values(nq * dim, 5, 0);

    for (size_t t = 0; t < n_tables; t++) {
        float *out = values(nq * dim, 5, 0), *scratch;
        size_t floats;
        struct ge_kernel_attention a = {q,      k,
                                        v,      out,
                                        ld,     ld,
                                        ld,     dim,
                                        nq,     nk,
                                        dim,    1 / sqrtf((float)dim),
                                        causal, with_bias ? bias + span : NULL};
        assert_ok(ge_attention_scratch(tables[t], nk, dim, &floats));
        scratch = values(floats, 6, 1.0f);
        tables[t]->attend(&a, scratch);
        if (t == 0) memcpy(want, out, nq * dim * sizeof *out);
        same("attention", t, want, dim, out, dim, nq, dim);
        free(out);
        free(scratch);
    }
    free(q);
    free(k);
    free(v);
    free(bias);
    free(want);
}

static void test_attention(void **state)
{
    static const size_t lens[] = {1, 2, 7, 16, 17, 33, 50, 77, 130};

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        one_attention(lens[i], lens[i], 64, false, false);
        one_attention(lens[i], lens[i], 32, true, false);
        one_attention(lens[i], lens[i], 5, false, true);
        one_attention(lens[i], lens[i], 72, true, true);
        one_attention(1, lens[i], 72, false, false);
        one_attention(lens[i], 3, 18, false, false);
    }
    one_attention(4, 0, 16, false, false); /* no keys: zeros */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gemm),
        cmocka_unit_test(test_epilogue),
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_attention),
    };

    list_tables();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
