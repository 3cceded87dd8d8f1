/* Every operation on every device against a naive reference in double precision, over the shapes
 * that models use and degenerate ones; and invariant 1: a row's bits depend on its inputs alone.
 *
 * To add an operation: write its reference here and a test that calls check(). To add a device:
 * register it in main(); nothing else. Results are fetched with the memory around them, which must
 * be untouched; NaN fails every comparison. GE_TEST_LEVEL pins the instruction-set level. */
#include "base/mem.h"
#include "base/rng.h"
#include "device/device_ops.h"
#include "fake_device.h"
#include "test.h"

#ifndef GE_TEST_LEVEL
#define GE_TEST_LEVEL "native"
#endif

enum { GUARD = 37 }; /* elements around every matrix; odd, so that rows are not aligned */

static struct ge_device *dev; /* under test */

/* ---- matrices ----------------------------------------------------------------------------- */

/* A matrix on the device inside guards, rows `stride` apart, and what was uploaded. */
struct matrix {
    struct ge_tensor t;
    struct ge_tensor all; /* the whole buffer as one row */
    float *host;          /* its content */
};

static float random_value(uint64_t stream, uint64_t i)
{
    return (float)(2 * ge_uniform(7, stream, i) - 1);
}

/* scale 0: filled with a sentinel (for results) */
static struct matrix make(size_t rows, size_t cols, size_t gap, uint64_t stream, float scale)
{
    struct matrix m;
    size_t stride = cols + gap, total = rows * stride + 2 * GUARD;

    assert_ok(ge_tensor_new(dev, 1, total, GE_F32, &m.all));
    m.host = ge_calloc(total, sizeof *m.host);
    assert_non_null(m.host);
    for (size_t i = 0; i < total; i++) m.host[i] = 12345.0f;
    for (size_t r = 0; scale != 0 && r < rows; r++)
        for (size_t c = 0; c < cols; c++)
            m.host[GUARD + r * stride + c] = scale * random_value(stream, r * cols + c);
    m.t = ge_tensor_at(m.all.buf, GUARD, rows, cols, GE_F32);
    m.t.stride = stride;
    assert_ok(ge_upload(m.all, m.host));
    return m;
}

static float *at(const struct matrix *m, size_t r, size_t c)
{
    return &m->host[GUARD + r * m->t.stride + c];
}

/* Fetch the result; everything outside the matrix must be as it was. */
static void fetch(struct matrix *m)
{
    float *now = ge_calloc(m->all.cols, sizeof *now);

    assert_non_null(now);
    assert_ok(ge_download(m->all, now));
    for (size_t i = 0; i < m->all.cols; i++) {
        size_t r = i < GUARD ? m->t.rows : (i - GUARD) / m->t.stride;
        bool inside = i >= GUARD && r < m->t.rows && (i - GUARD) % m->t.stride < m->t.cols;
        if (!inside && memcmp(&now[i], &m->host[i], sizeof now[i]) != 0) {
            print_error("element %zu outside the result was written\n", i);
            fail();
        }
    }
    free(m->host);
    m->host = now;
}

static void drop(struct matrix *m)
{
    ge_buffer_delete(&m->all.buf);
    free(m->host);
}

/* |got - want| <= tol for every element; `want` is (rows, cols) dense. */
static void check(const char *what, struct matrix *m, const double *want, double tol)
{
    fetch(m);
    for (size_t r = 0; r < m->t.rows; r++) {
        for (size_t c = 0; c < m->t.cols; c++) {
            double got = *at(m, r, c), w = want[r * m->t.cols + c];
            if (!(fabs(got - w) <= tol * (1 + fabs(w)))) {
                print_error("%s (%zu,%zu): element (%zu,%zu) is %.9g, wanted %.9g within %g\n",
                            what, m->t.rows, m->t.cols, r, c, got, w, tol);
                fail();
            }
        }
    }
}

static struct ge_tensor ints(const int32_t *v, size_t n)
{
    struct ge_tensor t;

    assert_ok(ge_tensor_new(dev, 1, n, GE_I32, &t));
    assert_ok(ge_upload(t, v));
    assert_ok(ge_synchronize(dev));
    return t;
}

static double *doubles(size_t n)
{
    double *p = ge_calloc(n, sizeof *p);

    assert_non_null(p);
    return p;
}

/* ---- reference ---------------------------------------------------------------------------- */

static double ref_act(enum ge_activation act, double x)
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

static const enum ge_activation acts[] = {GE_ACT_NONE,       GE_ACT_GELU, GE_ACT_GELU_TANH,
                                          GE_ACT_QUICK_GELU, GE_ACT_TANH, GE_ACT_SILU,
                                          GE_ACT_RELU};
enum { N_ACTS = sizeof acts / sizeof acts[0] };

/* ---- operations --------------------------------------------------------------------------- */

static void test_activation(void **state)
{
    static const float special[] = {0.0f,   -0.0f, 1e-30f, -1e-30f, 0.5f,   0.94f,
                                    -0.95f, 4.0f,  -4.1f,  9.0f,    -20.0f, 100.0f};
    (void)state;
    for (size_t a = 0; a < N_ACTS; a++) {
        struct matrix x = make(5, 61, 3, 1, 8.0f), y = make(5, 61, 2, 0, 0);
        double *want = doubles(5 * 61);
        for (size_t i = 0; i < sizeof special / sizeof special[0]; i++) *at(&x, 0, i) = special[i];
        assert_ok(ge_upload(x.all, x.host));
        assert_ok(ge_activate(dev, acts[a], x.t, y.t));
        for (size_t r = 0; r < 5; r++)
            for (size_t c = 0; c < 61; c++) want[r * 61 + c] = ref_act(acts[a], *at(&x, r, c));
        /* erf, tanh and exp are good to 2 ulp of 1; x up to 20 multiplies that */
        check(ge_activation_name(acts[a]), &y, want, 1e-6);
        free(want);
        drop(&x);
        drop(&y);
    }
}

/* Not-a-number and infinity must come through as themselves or as not-a-number. */
static void test_activation_nan(void **state)
{
    (void)state;
    for (size_t a = 0; a < N_ACTS; a++) {
        struct matrix x = make(1, 20, 0, 1, 1.0f), y = make(1, 20, 0, 0, 0);
        *at(&x, 0, 0) = NAN;
        *at(&x, 0, 19) = NAN;
        *at(&x, 0, 3) = INFINITY;
        assert_ok(ge_upload(x.all, x.host));
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

static void one_matmul(size_t m, size_t n, size_t k, bool with_bias, enum ge_activation act,
                       bool with_residual, bool in_place)
{
    struct matrix x = make(m, k, m % 3, 1, 1.0f), w = make(n, k, 0, 2, 1.0f);
    struct matrix bias = make(1, n, 0, 3, 1.0f), residual = make(m, n, 5, 4, 1.0f);
    struct matrix y = make(m, n, 1, 0, 0);
    struct ge_tensor none = {0};
    struct ge_weight *weight;
    double *want = doubles(m * n);

    assert_ok(ge_synchronize(dev));
    assert_ok(ge_weight_new(dev, at(&w, 0, 0), with_bias ? at(&bias, 0, 0) : NULL, n, k, GE_F32,
                            &weight));
    for (size_t r = 0; r < m; r++) {
        for (size_t c = 0; c < n; c++) {
            double s = 0;
            for (size_t i = 0; i < k; i++) s += (double)*at(&x, r, i) * *at(&w, c, i);
            if (with_bias) s += *at(&bias, 0, c);
            s = ref_act(act, s);
            if (with_residual) s += *at(&residual, r, c);
            want[r * n + c] = s;
        }
    }
    struct matrix *result = in_place ? &residual : &y;
    assert_ok(ge_matmul(dev, x.t, weight, act, with_residual ? residual.t : none, result->t));
    /* k additions in float, each rounded at the size of the partial sum, up to about sqrt(k)/3 */
    check("matmul", result, want, 1e-6 + 4e-8 * (double)k);
    ge_weight_delete(&weight);
    free(want);
    drop(&x);
    drop(&w);
    drop(&bias);
    drop(&residual);
    drop(&y);
}

static void test_matmul(void **state)
{
    static const size_t ms[] = {1, 2, 7, 16, 48, 63, 64, 65, 131};
    static const size_t nk[][2] = {{1, 1},   {3, 5},    {16, 16},  {17, 33},  {37, 32},
                                   {32, 37}, {96, 32},  {64, 147}, {777, 20}, {48, 588},
                                   {15, 64}, {384, 64}, {128, 192}};
    (void)state;
    for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++)
        for (size_t j = 0; j < sizeof nk / sizeof nk[0]; j++)
            one_matmul(ms[i], nk[j][0], nk[j][1], j % 2 == 0, acts[(i + j) % N_ACTS], j % 3 == 0,
                       j % 6 == 0);
    one_matmul(50, 2304, 768, true, GE_ACT_NONE, false, false); /* CLIP B/32 */
    one_matmul(3, 768, 3072, true, GE_ACT_NONE, true, true);
    one_matmul(2, 1537, 384, true, GE_ACT_GELU, false, false);
}

static void test_layernorm(void **state)
{
    static const size_t widths[] = {1, 2, 15, 16, 17, 32, 37, 384, 768, 1023};
    (void)state;
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++) {
        size_t n = widths[i], m = 19;
        struct matrix x = make(m, n, 2, 1, 3.0f), g = make(1, n, 0, 2, 1.0f);
        struct matrix b = make(1, n, 0, 3, 1.0f), y = make(m, n, 1, 0, 0);
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
        check("layernorm", &y, want, 2e-6); /* a few ulp of the largest value, about 3 */
        assert_ok(ge_layernorm(dev, x.t, g.t, b.t, 1e-5f, x.t));
        check("layernorm in place", &x, want, 2e-6);
        free(want);
        drop(&x);
        drop(&g);
        drop(&b);
        drop(&y);
    }
}

/* Reference attention over one sequence of one head, into `want` (ldw apart). */
static void ref_attend(const struct matrix *qkv, size_t begin, size_t len, size_t d, size_t col,
                       size_t head_dim, const struct ge_attention *a, const double *bias,
                       double *want)
{
    double *p = doubles(len + 1);

    for (size_t i = 0; i < len; i++) {
        size_t seen = a->causal ? i + 1 : len;
        double top = -INFINITY, total = 0;
        for (size_t j = 0; j < seen; j++) {
            double s = 0;
            for (size_t e = 0; e < head_dim; e++)
                s += (double)*at(qkv, begin + i, col + e) * *at(qkv, begin + j, d + col + e);
            p[j] = s * a->scale + (bias != NULL ? bias[j + a->max_kv - 1 - i] : 0);
            if (p[j] > top) top = p[j];
        }
        for (size_t j = 0; j < seen; j++) total += p[j] = exp(p[j] - top);
        for (size_t e = 0; e < head_dim; e++) {
            double s = 0;
            for (size_t j = 0; j < seen; j++)
                s += p[j] / total * *at(qkv, begin + j, 2 * d + col + e);
            want[(begin + i) * d + col + e] = s;
        }
    }
    free(p);
}

static void one_attention(const int32_t *lens, size_t n, size_t heads, size_t head_dim, bool causal,
                          bool with_bias)
{
    size_t rows = 0, longest = 0, d = heads * head_dim;
    int32_t *ends = ge_calloc(n, sizeof *ends);

    assert_non_null(ends);
    for (size_t i = 0; i < n; i++) {
        rows += (size_t)lens[i];
        ends[i] = (int32_t)rows;
        if ((size_t)lens[i] > longest) longest = (size_t)lens[i];
    }
    size_t span = longest > 0 ? 2 * longest - 1 : 1;
    struct matrix qkv = make(rows, 3 * d, 1, 1, 2.0f), out = make(rows, d, 2, 0, 0);
    struct matrix bias = make(heads, span, 0, 5, 2.0f);
    double *want = doubles(rows * d), *b = doubles(span);
    struct ge_tensor e = ints(ends, n);
    struct ge_attention a = {.q = ge_tensor_cols(qkv.t, 0, d),
                             .k = ge_tensor_cols(qkv.t, d, d),
                             .v = ge_tensor_cols(qkv.t, 2 * d, d),
                             .out = out.t,
                             .q_ends = e,
                             .kv_ends = e,
                             .max_q = longest,
                             .max_kv = longest,
                             .heads = heads,
                             .head_dim = head_dim,
                             .scale = (float)(1 / sqrt((double)head_dim)),
                             .causal = causal};
    if (with_bias) a.bias = bias.t;
    for (size_t s = 0, begin = 0; s < n; begin = (size_t)ends[s++]) {
        for (size_t h = 0; h < heads; h++) {
            for (size_t i = 0; i < span; i++) b[i] = *at(&bias, h, i);
            ref_attend(&qkv, begin, (size_t)lens[s], d, h * head_dim, head_dim, &a,
                       with_bias ? b : NULL, want);
        }
    }
    assert_ok(ge_attend(dev, &a));
    check("attention", &out, want, 2e-6); /* weights sum to 1; scores of size 10 in float */
    free(want);
    free(b);
    free(ends);
    ge_buffer_delete(&e.buf);
    drop(&qkv);
    drop(&out);
    drop(&bias);
}

static void test_attention(void **state)
{
    static const size_t dims[] = {8, 32, 64, 72, 80, 5};
    static const int32_t ragged[] = {1, 3, 0, 17, 50, 2, 77, 16};
    static const int32_t one[] = {1}, image[] = {50, 50, 50}, lengthy[] = {257};
    (void)state;
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        for (int causal = 0; causal < 2; causal++) {
            one_attention(ragged, 8, 3, dims[i], causal, false);
            one_attention(one, 1, 1, dims[i], causal, false);
            one_attention(image, 3, 2, dims[i], causal, false);
        }
        one_attention(ragged, 8, 2, dims[i], false, true);
    }
    one_attention(lengthy, 1, 2, 64, false, false);
    one_attention(ragged, 8, 4, 32, true, true);
}

/* Queries of their own against other keys: a pooling head's shape (one query per sequence). */
static void test_cross_attention(void **state)
{
    const int32_t q_ends[] = {1, 2, 3}, kv_ends[] = {4, 5, 12};
    struct matrix q = make(3, 8, 0, 1, 2.0f), kv = make(12, 16, 1, 2, 2.0f),
                  out = make(3, 8, 3, 0, 0);
    struct ge_tensor qe = ints(q_ends, 3), kve = ints(kv_ends, 3);
    struct ge_attention a = {.q = q.t,
                             .k = ge_tensor_cols(kv.t, 0, 8),
                             .v = ge_tensor_cols(kv.t, 8, 8),
                             .out = out.t,
                             .q_ends = qe,
                             .kv_ends = kve,
                             .max_q = 1,
                             .max_kv = 7,
                             .heads = 1,
                             .head_dim = 8,
                             .scale = 0.5f};
    double want[24];

    (void)state;
    for (size_t s = 0; s < 3; s++) {
        size_t begin = s == 0 ? 0 : (size_t)kv_ends[s - 1], end = (size_t)kv_ends[s];
        double p[8], total = 0;
        for (size_t j = begin; j < end; j++) {
            double dot = 0;
            for (size_t e = 0; e < 8; e++) dot += (double)*at(&q, s, e) * *at(&kv, j, e);
            total += p[j - begin] = exp(0.5 * dot);
        }
        for (size_t e = 0; e < 8; e++) {
            want[s * 8 + e] = 0;
            for (size_t j = begin; j < end; j++)
                want[s * 8 + e] += p[j - begin] / total * *at(&kv, j, 8 + e);
        }
    }
    assert_ok(ge_attend(dev, &a));
    check("cross attention", &out, want, 2e-6);
    ge_buffer_delete(&qe.buf);
    ge_buffer_delete(&kve.buf);
    drop(&q);
    drop(&kv);
    drop(&out);
}

static void test_patches(void **state)
{
    static const size_t shapes[][4] = {/* n, height, width, patch */
                                       {1, 4, 4, 4},
                                       {2, 30, 30, 2},
                                       {3, 17, 23, 5},
                                       {1, 28, 14, 14}};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        size_t n = shapes[i][0], h = shapes[i][1], w = shapes[i][2], p = shapes[i][3];
        size_t gy = h / p, gx = w / p, rows = n * gy * gx, cols = 3 * p * p;
        struct matrix pixels = make(n, 3 * h * w, 0, 1, 1.0f), out = make(rows, cols, 1, 0, 0);
        double *want = doubles(rows * cols);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++) {
                size_t image = r / (gy * gx), py = r % (gy * gx) / gx, px = r % gx;
                size_t channel = c / (p * p), y = py * p + c % (p * p) / p, x = px * p + c % p;
                want[r * cols + c] = *at(&pixels, image, (channel * h + y) * w + x);
            }
        assert_ok(ge_patches(dev, pixels.t, 3, h, w, p, out.t));
        check("patches", &out, want, 0);
        free(want);
        drop(&pixels);
        drop(&out);
    }
}

static void test_pixel_patches(void **state)
{
    static const size_t shapes[][4] = {/* n, height, width, patch */
                                       {1, 4, 4, 4},
                                       {2, 30, 30, 2},
                                       {3, 17, 23, 5},
                                       {2, 28, 14, 14}};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        size_t n = shapes[i][0], h = shapes[i][1], w = shapes[i][2], p = shapes[i][3];
        size_t gy = h / p, gx = w / p, rows = n * gy * gx, cols = 3 * p * p, each = 3 * h * w;
        struct matrix table = make(3, 256, 0, 1, 1.0f), out = make(rows, cols, 1, 0, 0);
        struct ge_tensor all, pixels;
        uint8_t *bytes = ge_calloc(n * each + 1, 1); /* from an odd address on */
        double *want = doubles(rows * cols);
        assert_non_null(bytes);
        for (size_t b = 0; b <= n * each; b++) bytes[b] = (uint8_t)(256 * ge_uniform(8, i, b));
        assert_ok(ge_tensor_new(dev, 1, n * each + 1, GE_U8, &all));
        assert_ok(ge_upload(all, bytes));
        pixels = ge_tensor_at(all.buf, 1, n, each, GE_U8);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++) {
                size_t image = r / (gy * gx), py = r % (gy * gx) / gx, px = r % gx;
                size_t channel = c / (p * p), y = py * p + c % (p * p) / p, x = px * p + c % p;
                uint8_t v = bytes[1 + image * each + (y * w + x) * 3 + channel];
                want[r * cols + c] = *at(&table, channel, v);
            }
        assert_ok(ge_pixel_patches(dev, pixels, table.t, h, w, p, out.t));
        check("pixel_patches", &out, want, 0);
        assert_status(ge_pixel_patches(dev, pixels, out.t, h, w, p, out.t), GE_EINVAL);
        free(want);
        free(bytes);
        ge_buffer_delete(&all.buf);
        drop(&table);
        drop(&out);
    }
}

static void test_patch_tokens(void **state)
{
    (void)state;
    for (size_t r = 0; r < 6; r += 5) { /* no prefix; class token and four registers */
        size_t n = 3, p = 4, d = 21;
        struct matrix patches = make(n * p, d, 1, 1, 1.0f), prefix = make(r, d, 0, 2, 1.0f);
        struct matrix positions = make(p, d, 2, 3, 1.0f), out = make(n * (r + p), d, 1, 0, 0);
        double *want = doubles(n * (r + p) * d);
        for (size_t i = 0; i < n * (r + p); i++)
            for (size_t c = 0; c < d; c++) {
                size_t t = i % (r + p), image = i / (r + p);
                want[i * d + c] =
                    t < r ? *at(&prefix, t, c)
                          : *at(&patches, image * p + t - r, c) + *at(&positions, t - r, c);
            }
        assert_ok(ge_patch_tokens(dev, patches.t, r > 0 ? prefix.t : (struct ge_tensor){0},
                                  positions.t, out.t));
        check("patch_tokens", &out, want, 1e-7);
        free(want);
        drop(&patches);
        drop(&prefix);
        drop(&positions);
        drop(&out);
    }
}

static void test_embed(void **state)
{
    const int32_t ids[] = {0, 4, 2, 4, 1}, pos[] = {0, 1, 0, 1, 2};
    struct ge_tensor i = ints(ids, 5), p = ints(pos, 5);

    (void)state;
    for (int shared = 0; shared < 2; shared++) {
        struct matrix table = make(5, 19, 1, 1, 1.0f), type = make(1, 19, 0, 2, 1.0f);
        struct matrix positions = make(3, 19, 0, 3, 1.0f), out = make(5, 19, 4, 0, 0);
        double want[5 * 19];
        for (size_t r = 0; r < 5; r++)
            for (size_t c = 0; c < 19; c++)
                want[r * 19 + c] = (double)*at(&table, (size_t)ids[r], c) +
                                   (shared ? *at(&type, 0, c) : 0) +
                                   *at(&positions, (size_t)pos[r], c);
        assert_ok(ge_embed(dev, i, p, table.t, shared ? type.t : (struct ge_tensor){0}, positions.t,
                           out.t));
        check("embed", &out, want, 2e-7);
        drop(&table);
        drop(&type);
        drop(&positions);
        drop(&out);
    }
    ge_buffer_delete(&i.buf);
    ge_buffer_delete(&p.buf);
}

static void test_elementwise(void **state)
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
        check("add", &y, sum, 1e-7);
        assert_ok(ge_mul_by(dev, a.t, one.t, a.t));
        check("mul by one row, in place", &a, product, 1e-7);
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

static void test_gather(void **state)
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

static double ref_pool(enum ge_pooling mode, const struct matrix *x, size_t begin, size_t len,
                       size_t skip, size_t c)
{
    double sum = 0, weights = 0, top = -INFINITY;

    if (skip >= len) return 0;
    for (size_t t = skip; t < len; t++) {
        double v = *at(x, begin + t, c), w = mode == GE_POOL_WEIGHTED_MEAN ? (double)(t + 1) : 1;
        sum += w * v;
        weights += w;
        if (v > top) top = v;
    }
    if (mode == GE_POOL_MAX) return top;
    return sum / (mode == GE_POOL_MEAN_SQRT_LEN ? sqrt(weights) : weights);
}

static void test_pool(void **state)
{
    const int32_t ends[] = {1, 4, 4, 24, 26}, skips[] = {0, 2, 0, 5, 2};
    const size_t begins[] = {0, 1, 4, 4, 24};
    struct ge_tensor e = ints(ends, 5), s = ints(skips, 5);

    (void)state;
    for (int mode = 0; mode <= GE_POOL_MAX; mode++) {
        for (int with_skip = 0; with_skip < 2; with_skip++) {
            struct matrix x = make(26, 21, 1, 1, 2.0f), wide = make(5, 21, 21, 0, 0);
            double want[5 * 21];
            for (size_t i = 0; i < 5; i++)
                for (size_t c = 0; c < 21; c++)
                    want[i * 21 + c] =
                        ref_pool((enum ge_pooling)mode, &x, begins[i], (size_t)ends[i] - begins[i],
                                 with_skip ? (size_t)skips[i] : 0, c);
            assert_ok(ge_pool_rows(dev, (enum ge_pooling)mode, x.t, e,
                                   with_skip ? s : (struct ge_tensor){0}, wide.t));
            check("pool", &wide, want, 1e-6); /* up to 20 addends of size 40 over their sum */
            drop(&x);
            drop(&wide);
        }
    }
    ge_buffer_delete(&e.buf);
    ge_buffer_delete(&s.buf);
}

static void test_l2_normalize(void **state)
{
    struct matrix x = make(6, 100, 1, 1, 3.0f), y = make(6, 100, 0, 0, 0);
    double want[600];

    (void)state;
    for (size_t c = 0; c < 100; c++) *at(&x, 5, c) = 0; /* a zero row */
    assert_ok(ge_upload(x.all, x.host));
    for (size_t r = 0; r < 6; r++) {
        double norm = 0;
        for (size_t c = 0; c < 100; c++) norm += pow(*at(&x, r, c), 2);
        norm = sqrt(norm) > 1e-12 ? sqrt(norm) : 1e-12;
        for (size_t c = 0; c < 100; c++) want[r * 100 + c] = *at(&x, r, c) / norm;
    }
    assert_ok(ge_l2_normalize(dev, x.t, 1e-12f, y.t));
    check("l2_normalize", &y, want, 3e-7);
    assert_ok(ge_l2_normalize(dev, x.t, 0, y.t));
    fetch(&y);
    assert_true(isnan(*at(&y, 5, 0)));
    assert_true(fabs(*at(&y, 4, 7) - want[4 * 100 + 7]) <= 3e-7);
    drop(&x);
    drop(&y);
}

/* Zero rows are fine everywhere. */
static void test_empty(void **state)
{
    struct matrix x = make(0, 16, 0, 1, 1.0f), y = make(0, 16, 0, 0, 0),
                  row = make(1, 16, 0, 2, 1.0f);
    struct ge_tensor none = {0}, no_ids = ge_tensor_at(row.all.buf, 0, 1, 0, GE_I32);
    struct ge_attention a = {.q = x.t,
                             .k = x.t,
                             .v = x.t,
                             .out = y.t,
                             .q_ends = no_ids,
                             .kv_ends = no_ids,
                             .heads = 2,
                             .head_dim = 8,
                             .scale = 1};
    float w[16 * 16] = {1};
    struct ge_weight *weight;

    (void)state;
    assert_ok(ge_weight_new(dev, w, NULL, 16, 16, GE_F32, &weight));
    assert_ok(ge_matmul(dev, x.t, weight, GE_ACT_GELU, none, y.t));
    assert_ok(ge_layernorm(dev, x.t, row.t, row.t, 1e-5f, y.t));
    assert_ok(ge_attend(dev, &a));
    assert_ok(ge_activate(dev, GE_ACT_TANH, x.t, y.t));
    assert_ok(ge_add_to(dev, x.t, row.t, y.t));
    assert_ok(ge_gather(dev, row.t, no_ids, y.t));
    assert_ok(ge_embed(dev, no_ids, no_ids, row.t, none, row.t, y.t));
    assert_ok(ge_pool_rows(dev, GE_POOL_MEAN, x.t, no_ids, none, y.t));
    assert_ok(ge_l2_normalize(dev, x.t, 0, y.t));
    assert_ok(ge_copy(dev, x.t, y.t));
    assert_ok(ge_download(y.t, w));
    fetch(&y);
    ge_weight_delete(&weight);
    drop(&x);
    drop(&y);
    drop(&row);
}

/* ---- refusals ----------------------------------------------------------------------------- */

static void test_bad_arguments(void **state)
{
    struct matrix x = make(4, 16, 0, 1, 1.0f), y = make(4, 17, 0, 0, 0),
                  g = make(1, 16, 0, 2, 1.0f);
    struct ge_tensor none = {0}, outside = x.t, half = x.t,
                     ids = ge_tensor_at(g.all.buf, 0, 1, 4, GE_I32);
    float w[16 * 16] = {0};
    struct ge_weight *weight;

    (void)state;
    outside.rows = 1000;
    half.dtype = GE_BF16;
    assert_ok(ge_weight_new(dev, w, NULL, 16, 16, GE_F32, &weight));
    assert_status(ge_matmul(dev, x.t, weight, GE_ACT_NONE, none, y.t), GE_EINVAL);
    assert_status(ge_matmul(dev, none, weight, GE_ACT_NONE, none, x.t), GE_EINVAL);
    assert_status(ge_layernorm(dev, outside, g.t, g.t, 1e-5f, outside), GE_EINVAL);
    assert_status(ge_layernorm(dev, x.t, g.t, ids, 1e-5f, x.t), GE_EINVAL);
    assert_status(ge_activate(dev, GE_ACT_GELU, half, half), GE_EUNSUPPORTED);
    assert_status(ge_gather(dev, x.t, g.t, x.t), GE_EINVAL);
    assert_status(ge_patches(dev, x.t, 3, 4, 4, 5, y.t), GE_EINVAL);
    ge_weight_delete(&weight);
    assert_status(ge_weight_new(dev, w, NULL, 0, 16, GE_F32, &weight), GE_EINVAL);
    assert_null(weight);
    assert_status(ge_upload(outside, w), GE_EINVAL);
    drop(&x);
    drop(&y);
    drop(&g);
}

/* ---- invariant 1 -------------------------------------------------------------------------- */

/* Rows of m: row r has the values of row r % kinds. */
static void repeat_rows(struct matrix *m, size_t kinds)
{
    for (size_t r = 0; r < m->t.rows; r++)
        memmove(at(m, r, 0), at(m, r % kinds, 0), m->t.cols * sizeof(float));
    assert_ok(ge_upload(m->all, m->host));
}

/* All rows of one kind must have the bits of the first. */
static void same_bits(const char *what, struct matrix *m, size_t kinds)
{
    fetch(m);
    for (size_t r = kinds; r < m->t.rows; r++) {
        if (memcmp(at(m, r, 0), at(m, r % kinds, 0), m->t.cols * sizeof(float)) != 0) {
            print_error("%s: row %zu of %zu differs in bits from row %zu\n", what, r, m->t.rows,
                        r % kinds);
            fail();
        }
    }
}

static void test_rows_matmul(void **state)
{
    static const size_t nk[][2] = {{768, 768}, {2304, 768}, {768, 3072}, {384, 1536}, {1536, 384},
                                   {37, 32},   {32, 37},    {512, 512},  {2048, 512}, {100, 588}};
    static const size_t ms[] = {1, 7, 50, 64, 130, 193};
    struct ge_tensor none = {0};

    (void)state;
    for (size_t s = 0; s < sizeof nk / sizeof nk[0]; s++) {
        size_t n = nk[s][0], k = nk[s][1];
        struct matrix w = make(n, k, 0, 2, 0.1f);
        struct ge_weight *weight;
        float *first = ge_calloc(n, sizeof *first);
        assert_non_null(first);
        assert_ok(ge_synchronize(dev));
        assert_ok(ge_weight_new(dev, at(&w, 0, 0), NULL, n, k, GE_F32, &weight));
        for (size_t i = 0; i < sizeof ms / sizeof ms[0]; i++) {
            struct matrix x = make(ms[i], k, i % 2, 1, 1.0f), y = make(ms[i], n, i % 3, 0, 0);
            for (size_t c = 0; c < k; c++) *at(&x, 0, c) = random_value(9, c);
            repeat_rows(&x, 1);
            assert_ok(ge_matmul(dev, x.t, weight, GE_ACT_QUICK_GELU, none, y.t));
            same_bits("matmul", &y, 1);
            if (i == 0) memcpy(first, at(&y, 0, 0), n * sizeof *first);
            assert_memory_equal(first, at(&y, 0, 0), n * sizeof *first);
            drop(&x);
            drop(&y);
        }
        ge_weight_delete(&weight);
        free(first);
        drop(&w);
    }
}

/* A sequence's attention has the same bits at every place among others. */
static void test_rows_attention(void **state)
{
    enum { LEN = 50, HEADS = 3, DIM = 64, COPIES = 9 };
    const size_t d = (size_t)HEADS * DIM;

    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        int32_t ends[2 * COPIES], row = 0;
        struct matrix probe = make(LEN, 3 * d, 0, 3, 2.0f);
        for (int i = 0; i < COPIES; i++) {
            ends[2 * i] = row += i % 4; /* a neighbour of another length */
            ends[2 * i + 1] = row += LEN;
        }
        struct matrix qkv = make((size_t)row, 3 * d, 1, 1, 2.0f),
                      out = make((size_t)row, d, 0, 0, 0);
        for (int i = 0; i < COPIES; i++)
            for (size_t r = 0; r < LEN; r++)
                memcpy(at(&qkv, (size_t)ends[2 * i] + r, 0), at(&probe, r, 0),
                       3 * d * sizeof(float));
        assert_ok(ge_upload(qkv.all, qkv.host));
        struct ge_tensor e = ints(ends, 2 * COPIES);
        struct ge_attention a = {.q = ge_tensor_cols(qkv.t, 0, d),
                                 .k = ge_tensor_cols(qkv.t, d, d),
                                 .v = ge_tensor_cols(qkv.t, 2 * d, d),
                                 .out = out.t,
                                 .q_ends = e,
                                 .kv_ends = e,
                                 .max_q = LEN,
                                 .max_kv = LEN,
                                 .heads = HEADS,
                                 .head_dim = DIM,
                                 .scale = 0.125f,
                                 .causal = causal};
        assert_ok(ge_attend(dev, &a));
        fetch(&out);
        for (int i = 1; i < COPIES; i++)
            assert_memory_equal(at(&out, (size_t)ends[2 * i], 0), at(&out, (size_t)ends[0], 0),
                                LEN * d * sizeof(float));
        ge_buffer_delete(&e.buf);
        drop(&probe);
        drop(&qkv);
        drop(&out);
    }
}

static void test_rows_by_row(void **state)
{
    struct matrix x = make(77, 45, 1, 1, 2.0f), y = make(77, 45, 0, 0, 0),
                  g = make(1, 45, 0, 2, 1.0f);

    (void)state;
    repeat_rows(&x, 3);
    assert_ok(ge_layernorm(dev, x.t, g.t, g.t, 1e-5f, y.t));
    same_bits("layernorm", &y, 3);
    for (size_t a = 0; a < N_ACTS; a++) {
        assert_ok(ge_activate(dev, acts[a], x.t, y.t));
        same_bits(ge_activation_name(acts[a]), &y, 3);
    }
    assert_ok(ge_l2_normalize(dev, x.t, 1e-12f, y.t));
    same_bits("l2_normalize", &y, 3);
    drop(&x);
    drop(&y);
    drop(&g);
}

/* ---- running ------------------------------------------------------------------------------ */

static int run_on(const char *name, const char *level, int threads)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activation),    cmocka_unit_test(test_activation_nan),
        cmocka_unit_test(test_matmul),        cmocka_unit_test(test_layernorm),
        cmocka_unit_test(test_attention),     cmocka_unit_test(test_cross_attention),
        cmocka_unit_test(test_patches),       cmocka_unit_test(test_patch_tokens),
        cmocka_unit_test(test_pixel_patches), cmocka_unit_test(test_embed),
        cmocka_unit_test(test_elementwise),   cmocka_unit_test(test_gather),
        cmocka_unit_test(test_pool),          cmocka_unit_test(test_l2_normalize),
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_bad_arguments),
        cmocka_unit_test(test_rows_matmul),   cmocka_unit_test(test_rows_attention),
        cmocka_unit_test(test_rows_by_row),
    };
    struct ge_device_options opt = {.threads = threads, .level = level};
    int failed;

    ge_status rc = ge_device_open(name, &opt, &dev);
    if (rc == GE_EUNSUPPORTED) {
        print_message("Skipped: %s at %s: %s\n", name, level, ge_error());
        return 0;
    }
    if (rc != GE_OK) {
        print_error("%s: %s\n", name, ge_error());
        return 1;
    }
    print_message("device %s (%s), %d threads\n", name, ge_device_describe(dev), threads);
    failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
    ge_device_close(&dev);
    return failed;
}

int main(void)
{
    int failed = 0;

    if (ge_device_register_builtin() != GE_OK || ge_device_register(fake_device_ops()) != GE_OK)
        return 1;
    for (size_t i = 0; ge_device_name_at(i) != NULL; i++)
        failed += run_on(ge_device_name_at(i), GE_TEST_LEVEL, 1 + (int)i);
    failed += run_on("cpu", "base", 2);
    return failed != 0;
}
