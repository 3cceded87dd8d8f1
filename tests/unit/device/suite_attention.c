/* Attention: packed sequences of the lengths that models have, of their own keys or of others'. */
#include "suite.h"

struct shape {
    const int32_t *nq, *nk; /* rows of each sequence; nk NULL: self-attention over nq */
    size_t n, heads, head_dim;
    bool causal, bias;
    size_t spare; /* max_kv is larger than the longest sequence by this */
};

/* Long sequences are compared at this many queries, spread over the sequence, first and last among
 * them; the others must be numbers, and the guards untouched. */
enum { COMPARED = 48 };

struct input {
    struct matrix q, kv, bias, out; /* kv holds k and v side by side; self: q, k and v, q unused */
    struct ge_tensor q_ends, kv_ends;
    size_t k_col, v_col; /* of kv */
    struct ge_attention a;
};

static int32_t *ends_of(const int32_t *lens, size_t n, size_t *rows, size_t *longest)
{
    int32_t *ends = ge_calloc(n, sizeof *ends);

    assert_non_null(ends);
    *rows = *longest = 0;
    for (size_t i = 0; i < n; i++) {
        *rows += (size_t)lens[i];
        ends[i] = (int32_t)*rows;
        if ((size_t)lens[i] > *longest) *longest = (size_t)lens[i];
    }
    return ends;
}

static struct input prepare(const struct shape *s)
{
    struct input in;
    size_t d = s->heads * s->head_dim, q_rows, k_rows, max_q, max_k;
    const int32_t *nk = s->nk != NULL ? s->nk : s->nq;
    int32_t *q_ends = ends_of(s->nq, s->n, &q_rows, &max_q);
    int32_t *k_ends = ends_of(nk, s->n, &k_rows, &max_k);
    size_t max_kv = max_k + s->spare;

    in.k_col = s->nk == NULL ? d : 0;
    in.v_col = in.k_col + d;
    in.kv = make(k_rows, in.v_col + d, 1, 1, 2.0f);
    in.q = s->nk == NULL ? in.kv : make(q_rows, d, 2, 2, 2.0f);
    in.out = make(q_rows, d, 2, 0, 0);
    in.bias = make_as(GE_F32, s->heads, max_kv > 0 ? 2 * max_kv - 1 : 1, 0, 5, 2.0f);
    in.q_ends = ints(q_ends, s->n);
    in.kv_ends = ints(k_ends, s->n);
    in.a = (struct ge_attention){.q = ge_tensor_cols(in.q.t, 0, d),
                                 .k = ge_tensor_cols(in.kv.t, in.k_col, d),
                                 .v = ge_tensor_cols(in.kv.t, in.v_col, d),
                                 .out = in.out.t,
                                 .q_ends = in.q_ends,
                                 .kv_ends = in.kv_ends,
                                 .max_q = max_q,
                                 .max_kv = max_kv,
                                 .heads = s->heads,
                                 .head_dim = s->head_dim,
                                 .scale = (float)(1 / sqrt((double)s->head_dim)),
                                 .causal = s->causal};
    if (s->bias) in.a.bias = in.bias.t;
    free(q_ends);
    free(k_ends);
    return in;
}

static void finish(struct input *in, const struct shape *s)
{
    ge_buffer_delete(&in->q_ends.buf);
    ge_buffer_delete(&in->kv_ends.buf);
    if (s->nk != NULL) drop(&in->q);
    drop(&in->kv);
    drop(&in->bias);
    drop(&in->out);
}

/* Query i of a sequence against its nk keys from row k0 on, in double; p: room for nk. */
static void ref_query(const struct input *in, const struct shape *s, size_t head, size_t q_row,
                      size_t i, size_t k0, size_t nk, double *p, double *want)
{
    size_t dim = s->head_dim, col = head * dim, seen = s->causal && i + 1 < nk ? i + 1 : nk;
    const float *q = at(&in->q, q_row, col);
    double top = -INFINITY, total = 0;

    for (size_t j = 0; j < seen; j++) {
        const float *k = at(&in->kv, k0 + j, in->k_col + col);
        double dot = 0;
        for (size_t e = 0; e < dim; e++) dot += (double)q[e] * k[e];
        p[j] = dot * (double)in->a.scale;
        if (s->bias) p[j] += *at(&in->bias, head, j + in->a.max_kv - 1 - i);
        if (p[j] > top) top = p[j];
    }
    for (size_t j = 0; j < seen; j++) total += p[j] = exp(p[j] - top);
    for (size_t e = 0; e < dim; e++) want[col + e] = 0;
    for (size_t j = 0; j < seen; j++) {
        const float *v = at(&in->kv, k0 + j, in->v_col + col);
        for (size_t e = 0; e < dim; e++) want[col + e] += p[j] / total * v[e];
    }
}

static bool compared(size_t i, size_t n)
{
    return n <= COMPARED || i == 0 || i + 1 == n || i * COMPARED / n != (i - 1) * COMPARED / n;
}

static void one_attention(const struct shape *s)
{
    struct input in = prepare(s);
    size_t d = s->heads * s->head_dim, q_row = 0, k_row = 0;
    double *want = doubles(in.out.t.rows * d + 1), *p = doubles(in.a.max_kv + 1);

    for (size_t seq = 0; seq < s->n; seq++) {
        size_t nq = (size_t)s->nq[seq], nk = (size_t)(s->nk != NULL ? s->nk : s->nq)[seq];
        for (size_t i = 0; i < nq; i++) {
            for (size_t e = 0; e < d; e++) want[(q_row + i) * d + e] = NAN;
            for (size_t h = 0; compared(i, nq) && h < s->heads; h++)
                ref_query(&in, s, h, q_row + i, i, k_row, nk, p, want + (q_row + i) * d);
        }
        q_row += nq;
        k_row += nk;
    }
    assert_ok(ge_attend(dev, &in.a));
    check("attention", &in.out, want, in.a.max_kv);
    free(want);
    free(p);
    finish(&in, s);
}

static const int32_t ragged[] = {1, 3, 0, 17, 50, 2, 77, 16};
enum { RAGGED = 8 };

void test_attention(void **state)
{
    static const size_t dims[] = {8, 32, 64, 72, 80, 5};
    static const int32_t one[] = {1}, image[] = {50, 50, 50};

    (void)state;
    for (size_t i = 0; i < sizeof dims / sizeof dims[0]; i++) {
        for (int causal = 0; causal < 2; causal++) {
            one_attention(&(struct shape){ragged, NULL, RAGGED, 3, dims[i], causal, false, 0});
            one_attention(&(struct shape){one, NULL, 1, 1, dims[i], causal, false, 0});
            one_attention(&(struct shape){image, NULL, 3, 2, dims[i], causal, false, 0});
        }
        one_attention(&(struct shape){ragged, NULL, RAGGED, 2, dims[i], false, true, 0});
        one_attention(&(struct shape){ragged, NULL, RAGGED, 2, dims[i], true, true, 11});
    }
}

void test_attention_models(void **state)
{
    static const int32_t b32[] = {50}, text[] = {77}, l14[] = {257, 257}, l14_336[] = {577};
    static const int32_t dino[] = {1370}, dino_registers[] = {1374}, so400m[] = {729};
    static const int32_t minilm[] = {12, 31, 7, 128, 1, 24};
    static const struct shape shapes[] = {
        {b32, NULL, 1, 12, 64, false, false, 0},
        {text, NULL, 1, 8, 64, true, false, 0},
        {minilm, NULL, 6, 12, 32, false, false, 0},
        {minilm, NULL, 6, 12, 64, false, true, 384},
        {l14, NULL, 2, 2, 64, false, false, 0},
        {l14_336, NULL, 1, 1, 64, false, false, 0},
        {so400m, NULL, 1, 1, 72, false, false, 0},
        {dino, NULL, 1, 1, 64, false, false, 0},
        {dino_registers, NULL, 1, 1, 64, true, true, 7},
    };
    size_t n = sizeof shapes / sizeof shapes[0];

    (void)state;
    for (size_t i = 0; i < (suite_quick ? n - 2 : n); i++) one_attention(&shapes[i]);
    if (suite_quick && suite_dtype == GE_F32) one_attention(&shapes[n - 1]);
}

/* Queries against other keys: a pooling head's shape (one query per sequence), and more queries
 * than keys. */
void test_cross_attention(void **state)
{
    static const int32_t one[] = {1, 1, 1, 1, 1, 1, 1, 1};
    static const int32_t keys[] = {4, 1, 7, 196, 257, 730, 1374, 16};
    static const int32_t many[] = {3, 50, 0, 2}, few[] = {5, 2, 9, 1};

    (void)state;
    one_attention(&(struct shape){one, keys, 8, 1, 8, false, false, 0});
    one_attention(&(struct shape){one, keys, 8, 3, 72, false, false, 0});
    one_attention(&(struct shape){many, few, 4, 2, 32, false, false, 0});
    one_attention(&(struct shape){few, many, 2, 2, 32, true, true, 3});
    for (int32_t nk = 1; nk < 70; nk++)
        one_attention(&(struct shape){one, &nk, 1, 1, 16, false, false, 0});
}

/* A NaN or an infinity in one sequence reaches its own rows and nothing else; -inf in the bias
 * takes a key out. */
void test_attention_special(void **state)
{
    static const int32_t lens[] = {20, 33, 9};
    const struct shape s = {lens, NULL, 3, 1, 16, false, true, 0};

    (void)state;
    for (int round = 0; round < 2; round++) {
        struct input in = prepare(&s);
        *at(&in.kv, 20 + 5, in.k_col + 3) = round == 0 ? NAN : INFINITY;
        upload(&in.kv);
        assert_ok(ge_attend(dev, &in.a));
        fetch(&in.out);
        for (size_t r = 0; r < 62; r++) {
            bool broken = r >= 20 && r < 53 && round == 0;
            if (r >= 20 && r < 53 && round == 1) continue; /* inf - inf or a single key */
            assert_true(isnan(*at(&in.out, r, 7)) == broken);
        }
        finish(&in, &s);
    }
    struct input in = prepare(&s);
    for (size_t c = 0; c < in.bias.t.cols; c++) /* only a query's own key is left */
        *at(&in.bias, 0, c) = c == in.a.max_kv - 1 ? 0.5f : -INFINITY;
    upload(&in.bias);
    assert_ok(ge_attend(dev, &in.a));
    fetch(&in.out);
    for (size_t r = 0; r < 62; r++)
        for (size_t e = 0; e < 16; e++)
            assert_true(*at(&in.out, r, e) == *at(&in.kv, r, in.v_col + e));
    finish(&in, &s);
}
