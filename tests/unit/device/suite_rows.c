/* Operations by element and by row. */
#include "base/half.h"
#include "suite.h"

void test_activation(void **state)
{
    static const float special[] = {0.0f,   -0.0f, 1e-30f, -1e-30f, 0.5f,   0.94f,
                                    -0.95f, 4.0f,  -4.1f,  9.0f,    -20.0f, 100.0f};
    (void)state;
    for (size_t a = 0; a < N_ACTS; a++) {
        struct matrix x = make(5, 61, 3, 1, 8.0f), y = make(5, 61, 2, 0, 0);
        double *want = doubles(5 * 61);
        for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) *at(&x, 0, i) = special[i];
        upload(&x);
        assert_ok(ge_activate(dev, acts[a], x.t, y.t));
        for (size_t r = 0; r < 5; r++)
            for (size_t c = 0; c < 61; c++) want[r * 61 + c] = ref_act(acts[a], *at(&x, r, c));
        check("activation", &y, want, 0);
        assert_ok(ge_activate(dev, acts[a], x.t, x.t));
        check("activation", &x, want, 0);
        free(want);
        drop(&x);
        drop(&y);
    }
}

/* Not-a-number and infinity must come through as themselves or as not-a-number, and must not touch
 * their neighbours. */
void test_activation_special(void **state)
{
    (void)state;
    for (size_t a = 0; a < N_ACTS; a++) {
        struct matrix x = make(1, 20, 0, 1, 1.0f), y = make(1, 20, 0, 0, 0);
        *at(&x, 0, 0) = NAN;
        *at(&x, 0, 19) = NAN;
        *at(&x, 0, 3) = INFINITY;
        upload(&x);
        assert_ok(ge_activate(dev, acts[a], x.t, y.t));
        fetch(&y);
        assert_true(isnan(*at(&y, 0, 0)) && isnan(*at(&y, 0, 19)));
        assert_true(isfinite(*at(&y, 0, 1)));
        if (acts[a] == GE_ACT_TANH)
            assert_true(*at(&y, 0, 3) == 1.0f);
        else
            assert_true(isinf(*at(&y, 0, 3)));
        drop(&x);
        drop(&y);
    }
}

static void one_layernorm(size_t m, size_t n)
{
    struct matrix x = make(m, n, 2, 1, 3.0f), y = make(m, n, 1, 0, 0);
    struct matrix g = make_as(GE_F32, 1, n, 0, 2, 1.0f), b = make_as(GE_F32, 1, n, 0, 3, 1.0f);
    double *want = doubles(m * n);

    for (size_t r = 0; r < m; r++) {
        double mean = 0, var = 0;
        for (size_t c = 0; c < n; c++) mean += *at(&x, r, c) / (double)n;
        for (size_t c = 0; c < n; c++) var += pow(*at(&x, r, c) - mean, 2) / (double)n;
        for (size_t c = 0; c < n; c++)
            want[r * n + c] =
                (*at(&x, r, c) - mean) / sqrt(var + 1e-5) * *at(&g, 0, c) + *at(&b, 0, c);
    }
    assert_ok(ge_layernorm(dev, x.t, g.t, b.t, 1e-5f, y.t));
    check("layernorm", &y, want, n);
    assert_ok(ge_layernorm(dev, x.t, g.t, b.t, 1e-5f, x.t));
    check("layernorm", &x, want, n);
    free(want);
    drop(&x);
    drop(&g);
    drop(&b);
    drop(&y);
}

void test_layernorm(void **state)
{
    static const size_t widths[] = {1,  2,   15,  16,   17,   31,   32,   33,
                                    37, 384, 768, 1023, 1024, 1152, 1536, 4096};
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) one_layernorm(19, widths[i]);
}

void test_elementwise(void **state)
{
    (void)state;
    for (size_t rows = 1; rows < 40; rows += 19) {
        struct matrix a = make(rows, 33, 1, 1, 2.0f), b = make(rows, 33, 0, 2, 2.0f);
        struct matrix one = make(1, 33, 0, 3, 2.0f), y = make(rows, 33, 2, 0, 0);
        double *sum = doubles(rows * 33), *product = doubles(rows * 33), *copy = doubles(rows * 33);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < 33; c++) {
                sum[r * 33 + c] = (double)*at(&a, r, c) + *at(&b, r, c);
                product[r * 33 + c] = (double)*at(&a, r, c) * *at(&one, 0, c);
                copy[r * 33 + c] = *at(&b, r, c);
            }
        assert_ok(ge_add_to(dev, a.t, b.t, y.t));
        check("add", &y, sum, 0);
        assert_ok(ge_mul_by(dev, a.t, one.t, a.t)); /* by one row, in place */
        check("mul", &a, product, 0);
        assert_ok(ge_copy(dev, b.t, y.t));
        check("copy", &y, copy, 0);
        free(sum);
        free(product);
        free(copy);
        drop(&a);
        drop(&b);
        drop(&one);
        drop(&y);
    }
}

void test_gather(void **state)
{
    const int32_t rows[] = {3, 0, 3, 8};
    struct ge_tensor r = ints(rows, 4);
    struct matrix x = make(9, 13, 1, 1, 1.0f), out = make(4, 13, 1, 0, 0);
    double want[4 * 13];

    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (size_t c = 0; c < 13; c++) want[i * 13 + c] = *at(&x, (size_t)rows[i], c);
    assert_ok(ge_gather(dev, x.t, r, out.t));
    check("gather", &out, want, 0);
    ge_buffer_delete(&r.buf);
    drop(&x);
    drop(&out);
}

void test_l2_normalize(void **state)
{
    struct matrix x = make(6, 100, 1, 1, 3.0f), y = make(6, 100, 0, 0, 0);
    double want[600];

    (void)state;
    for (size_t c = 0; c < 100; c++) *at(&x, 5, c) = 0; /* a zero row */
    upload(&x);
    for (size_t r = 0; r < 6; r++) {
        double norm = 0;
        for (size_t c = 0; c < 100; c++) norm += pow(*at(&x, r, c), 2);
        norm = sqrt(norm) > 1e-12 ? sqrt(norm) : 1e-12;
        for (size_t c = 0; c < 100; c++) want[r * 100 + c] = *at(&x, r, c) / norm;
    }
    assert_ok(ge_l2_normalize(dev, x.t, 1e-12f, y.t));
    check("l2_normalize", &y, want, 100);
    assert_ok(ge_l2_normalize(dev, x.t, 0, y.t));
    fetch(&y);
    assert_true(isnan(*at(&y, 5, 0)) && isnan(*at(&y, 5, 99))); /* 0/0 */
    assert_true(isfinite(*at(&y, 4, 99)));
    drop(&x);
    drop(&y);
}

/* ---- conversion --------------------------------------------------------------------------- */

static const enum ge_dtype types[] = {GE_F32, GE_BF16, GE_F16};

/* Bits of `v` in a type; every NaN is the same. */
static uint32_t bits_in(enum ge_dtype type, float v)
{
    if (isnan(v)) return 0x7FFFFFFFu;
    return type == GE_F32    ? ge_float_bits(v)
           : type == GE_BF16 ? ge_float_to_bf16(v)
                             : ge_float_to_fp16(v);
}

/* Every number of the 16-bit types, and floats around the places where rounding turns. */
static void fill(struct matrix *m, enum ge_dtype from)
{
    uint16_t *half = m->raw;
    float *wide = m->raw;

    for (size_t i = 0; i < m->all.cols; i++) {
        uint16_t h = (uint16_t)i;
        float near = ge_fp16_to_float(h), f = ge_bf16_to_float(h);
        if (from != GE_F32) half[i] = h;
        if (from == GE_F32 && i % 3 == 0)
            wide[i] = ge_bits_float(ge_float_bits(near) + (uint32_t)(i % 7) * 0x7FFu);
        if (from == GE_F32 && i % 3 == 1)
            wide[i] = ge_bits_float(ge_float_bits(f) + 0x7FFFu + (uint32_t)(i % 5));
        if (from == GE_F32 && i % 3 == 2) wide[i] = ge_bits_float((uint32_t)ge_mix(5, i));
    }
    assert_ok(ge_upload(m->all, m->raw));
}

/* Converting gives the bits of base/half.h: rounding to even, subnormal numbers, infinities. */
void test_copy_types(void **state)
{
    enum { ROWS = 64, COLS = 1024 }; /* 65536 elements and the guards */

    (void)state;
    for (size_t f = 0; f < 3; f++) {
        for (size_t t = 0; t < 3; t++) {
            if (!ge_device_supports(dev, types[f]) || !ge_device_supports(dev, types[t])) continue;
            struct matrix x = make_as(types[f], ROWS, COLS, 0, 0, 0);
            struct matrix y = make_as(types[t], ROWS, COLS, 3, 0, 0);
            fill(&x, types[f]);
            assert_ok(ge_copy(dev, x.t, y.t));
            fetch(&x);
            fetch(&y);
            for (size_t i = 0; i < (size_t)ROWS * COLS; i++) {
                float v = *at(&x, i / COLS, i % COLS), got = *at(&y, i / COLS, i % COLS);
                if (bits_in(types[t], v) == bits_in(types[t], got)) continue;
                print_error("%s %a as %s is %a\n", ge_dtype_name(types[f]), (double)v,
                            ge_dtype_name(types[t]), (double)got);
                fail();
            }
            drop(&x);
            drop(&y);
        }
    }
}
