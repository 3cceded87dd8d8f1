#include "suite.h"

#include "base/half.h"

enum { GUARD = 37 }; /* elements around every matrix; odd, so that rows are not aligned */

struct ge_device *dev;
enum ge_dtype suite_dtype;
#if defined(__SANITIZE_ADDRESS__)
const bool suite_quick = true;
#else
const bool suite_quick = false;
#endif
const enum ge_activation acts[] = {GE_ACT_NONE, GE_ACT_GELU, GE_ACT_GELU_TANH, GE_ACT_QUICK_GELU,
                                   GE_ACT_TANH, GE_ACT_SILU, GE_ACT_RELU};

/* ---- tolerances --------------------------------------------------------------------------- */

/* What a correct implementation may be off by, whatever its order of sums, at a result w:
 *
 *   fp32        (fp32 + per_term * terms) * (1 + |w|)
 *   bf16, fp16  the same, plus u * (rounded * |w| + inner), u = 2^-8 or 2^-11: half the distance of
 *               neighbours, relative. `rounded`: roundings of the result's size; `inner`: of
 *               operands and intermediate values that an implementation may keep in the type, times
 *               the size that they have in this suite.
 *
 * An operation that only moves elements must be exact. */
struct tolerance {
    const char *op;
    double fp32, per_term, rounded, inner;
};

static const struct tolerance tolerances[] = {
    /* erf, tanh and exp within 2 ulp of 1; x up to 20 multiplies that */
    {"activation", 1e-6, 0, 1, 0},
    /* each of the k additions is rounded at the size of the partial sum, up to about sqrt(k)/3. An
     * epilogue may hold bias (up to 1) and the value before the residual (2) in the type. */
    {"matmul", 1e-6, 4e-8, 2, 2},
    /* a few ulp of the largest value, about 3 */
    {"layernorm", 2e-6, 0, 1, 0},
    /* Scores up to 10 carry a few 1e-7 into the exponent, sums of N weights and values (up to 2) as
     * much again; weights sum to 1. A device may round the weights to the type before they meet
     * the values, normalised or not: u * 2, and their sum: as much again. */
    {"attention", 3e-6, 0, 1, 4},
    {"patches", 0, 0, 0, 0},
    {"pixel_patches", 0, 0, 1, 0}, /* the table is in fp32 */
    {"patch_tokens", 1e-7, 0, 1, 0},
    {"embed", 2e-7, 0, 1, 0}, /* two additions in fp32, one rounding to the type */
    {"add", 1e-7, 0, 1, 0},
    {"mul", 1e-7, 0, 1, 0},
    {"copy", 0, 0, 0, 0},
    {"gather", 0, 0, 0, 0},
    /* up to 20 addends of size 40 over their sum */
    {"pool", 1e-6, 0, 1, 0},
    {"l2_normalize", 3e-7, 0, 1, 0},
};

static const struct tolerance *tolerance_of(const char *op)
{
    for (size_t i = 0; i < sizeof tolerances / sizeof tolerances[0]; i++)
        if (strcmp(tolerances[i].op, op) == 0) return &tolerances[i];
    print_error("%s has no tolerance\n", op);
    fail();
    return NULL;
}

static double tolerated(const struct tolerance *t, enum ge_dtype dtype, double w, size_t terms)
{
    double tol = (t->fp32 + t->per_term * (double)terms) * (1 + fabs(w));
    double u = dtype == GE_BF16 ? 0x1p-8 : dtype == GE_F16 ? 0x1p-11 : 0;

    tol += u * (t->rounded * fabs(w) + t->inner);
    if (dtype == GE_F16 && t->rounded > 0) tol += 0x1p-25; /* subnormal results */
    return tol;
}

void check(const char *op, struct matrix *m, const double *want, size_t terms)
{
    const struct tolerance *t = tolerance_of(op);

    fetch(m);
    for (size_t r = 0; r < m->t.rows; r++) {
        for (size_t c = 0; c < m->t.cols; c++) {
            double got = *at(m, r, c), w = want[r * m->t.cols + c];
            double tol = tolerated(t, m->t.dtype, w, terms);
            if (isnan(w) ? isnan(got) : !(fabs(got - w) <= tol)) {
                print_error("%s (%zu,%zu): element (%zu,%zu) is %.9g, wanted %.9g within %g\n", op,
                            m->t.rows, m->t.cols, r, c, got, w, tol);
                fail();
            }
        }
    }
}

/* ---- matrices ----------------------------------------------------------------------------- */

float random_value(uint64_t stream, uint64_t i)
{
    return (float)((double)(ge_mix(stream, i) >> 40) * 0x1p-23 - 1);
}

/* Numbers to the bytes of their type, and the numbers that these bytes stand for. */
static void to_raw(enum ge_dtype dtype, float *x, size_t n, void *raw)
{
    uint16_t *h = raw;

    if (dtype == GE_F32) memcpy(raw, x, n * sizeof *x);
    for (size_t i = 0; dtype != GE_F32 && i < n; i++) {
        h[i] = dtype == GE_BF16 ? ge_float_to_bf16(x[i]) : ge_float_to_fp16(x[i]);
        x[i] = dtype == GE_BF16 ? ge_bf16_to_float(h[i]) : ge_fp16_to_float(h[i]);
    }
}

static void from_raw(enum ge_dtype dtype, const void *raw, size_t n, float *x)
{
    const uint16_t *h = raw;

    if (dtype == GE_F32) memcpy(x, raw, n * sizeof *x);
    for (size_t i = 0; dtype != GE_F32 && i < n; i++)
        x[i] = dtype == GE_BF16 ? ge_bf16_to_float(h[i]) : ge_fp16_to_float(h[i]);
}

struct matrix make_as(enum ge_dtype dtype, size_t rows, size_t cols, size_t gap, uint64_t stream,
                      float scale)
{
    struct matrix m;
    size_t stride = cols + gap, total = rows * stride + 2 * GUARD;

    assert_ok(ge_tensor_new(dev, 1, total, dtype, &m.all));
    m.host = ge_calloc(total, sizeof *m.host);
    m.raw = ge_calloc(total, ge_dtype_size(dtype));
    assert_true(m.host != NULL && m.raw != NULL);
    for (size_t i = 0; i < total; i++) m.host[i] = 12345.0f;
    for (size_t r = 0; scale != 0 && r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            m.host[GUARD + r * stride + c] = scale * random_value(stream, r * cols + c);
    m.t = ge_tensor_at(m.all.buf, GUARD, rows, cols, dtype);
    m.t.stride = stride;
    upload(&m);
    return m;
}

struct matrix make(size_t rows, size_t cols, size_t gap, uint64_t stream, float scale)
{
    return make_as(suite_dtype, rows, cols, gap, stream, scale);
}

float *at(const struct matrix *m, size_t r, size_t c)
{
    return &m->host[GUARD + r * m->t.stride + c];
}

const char *raw_at(const struct matrix *m, size_t r)
{
    return (const char *)m->raw + (GUARD + r * m->t.stride) * ge_dtype_size(m->t.dtype);
}

size_t raw_bytes(const struct matrix *m)
{
    return m->t.cols * ge_dtype_size(m->t.dtype);
}

void upload(struct matrix *m)
{
    to_raw(m->t.dtype, m->host, m->all.cols, m->raw);
    assert_ok(ge_upload(m->all, m->raw));
}

void fetch(struct matrix *m)
{
    size_t size = ge_dtype_size(m->t.dtype);
    char *now = ge_calloc(m->all.cols, size);

    assert_non_null(now);
    assert_ok(ge_download(m->all, now));
    for (size_t i = 0; i < m->all.cols; i++) {
        size_t r = i < GUARD ? m->t.rows : (i - GUARD) / m->t.stride;
        bool inside = i >= GUARD && r < m->t.rows && (i - GUARD) % m->t.stride < m->t.cols;
        if (!inside && memcmp(now + i * size, (char *)m->raw + i * size, size) != 0) {
            print_error("element %zu outside the result was written\n", i);
            fail();
        }
    }
    from_raw(m->t.dtype, now, m->all.cols, m->host);
    free(m->raw);
    m->raw = now;
}

void drop(struct matrix *m)
{
    ge_buffer_delete(&m->all.buf);
    free(m->host);
    free(m->raw);
}

struct ge_tensor ints(const int32_t *v, size_t n)
{
    struct ge_tensor t;

    assert_ok(ge_tensor_new(dev, 1, n, GE_I32, &t));
    assert_ok(ge_upload(t, v));
    return t;
}

double *doubles(size_t n)
{
    double *p = ge_calloc(n, sizeof *p);

    assert_non_null(p);
    return p;
}

double ref_act(enum ge_activation act, double x)
{
    switch (act) {
    case GE_ACT_NONE:
        return x;
    case GE_ACT_GELU:
        return 0.5 * x * (1 + erf(x / sqrt(2)));
    case GE_ACT_GELU_TANH:
        return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1.0)) * (x + 0.044715 * x * x * x)));
    case GE_ACT_QUICK_GELU:
        return x / (1 + exp(-1.702 * x));
    case GE_ACT_TANH:
        return tanh(x);
    case GE_ACT_SILU:
        return x / (1 + exp(-x));
    case GE_ACT_RELU:
        return x > 0 ? x : 0;
    }
    return NAN;
}
