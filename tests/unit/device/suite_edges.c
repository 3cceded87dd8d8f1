/* Calls that have nothing to do, and calls that must be refused. */
#include "suite.h"

void test_empty(void **state)
{
    struct matrix x = make(0, 16, 0, 1, 1.0f), y = make(0, 16, 0, 0, 0), row = make(1, 16, 0, 2, 1);
    struct matrix gain = make_as(GE_F32, 1, 16, 0, 2, 1.0f);
    struct ge_tensor none = {0}, no_ids = ge_tensor_at(gain.all.buf, 0, 1, 0, GE_I32);
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
    assert_ok(ge_weight_new(dev, w, NULL, 16, 16, suite_dtype, &weight));
    assert_ok(ge_matmul(dev, x.t, weight, GE_ACT_GELU, none, y.t));
    assert_ok(ge_layernorm(dev, x.t, gain.t, gain.t, 1e-5f, y.t));
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
    drop(&gain);
}

void test_bad_arguments(void **state)
{
    struct matrix x = make(4, 16, 0, 1, 1.0f), y = make(4, 17, 0, 0, 0);
    struct matrix g = make_as(GE_F32, 1, 16, 0, 2, 1.0f);
    struct ge_tensor none = {0}, outside = x.t, bytes = x.t, other = x.t, low = g.t,
                     ids = ge_tensor_at(g.all.buf, 0, 1, 4, GE_I32);
    float w[16 * 16] = {0};
    struct ge_weight *weight;

    (void)state;
    outside.rows = 1000;
    bytes.dtype = GE_U8;
    other.dtype = suite_dtype == GE_BF16 ? GE_F16 : GE_BF16;
    low.dtype = GE_BF16;
    assert_ok(ge_weight_new(dev, w, NULL, 16, 16, suite_dtype, &weight));
    assert_status(ge_matmul(dev, x.t, weight, GE_ACT_NONE, none, y.t), GE_EINVAL);
    assert_status(ge_matmul(dev, none, weight, GE_ACT_NONE, none, x.t), GE_EINVAL);
    assert_status(ge_matmul(dev, other, weight, GE_ACT_NONE, none, x.t), GE_EINVAL);
    assert_status(ge_layernorm(dev, outside, g.t, g.t, 1e-5f, outside), GE_EINVAL);
    assert_status(ge_layernorm(dev, x.t, g.t, ids, 1e-5f, x.t), GE_EINVAL);
    assert_status(ge_layernorm(dev, x.t, g.t, low, 1e-5f, x.t), GE_EINVAL);
    assert_status(ge_activate(dev, GE_ACT_GELU, bytes, bytes), GE_EUNSUPPORTED);
    assert_status(ge_activate(dev, GE_ACT_GELU, other, x.t), GE_EINVAL);
    assert_status(ge_gather(dev, x.t, g.t, x.t), GE_EINVAL);
    assert_status(ge_patches(dev, x.t, 3, 4, 4, 5, y.t), GE_EINVAL);
    ge_weight_delete(&weight);
    assert_status(ge_weight_new(dev, w, NULL, 0, 16, suite_dtype, &weight), GE_EINVAL);
    assert_null(weight);
    assert_status(ge_weight_new(dev, w, NULL, 16, 16, GE_I32, &weight), GE_EUNSUPPORTED);
    assert_status(ge_upload(outside, w), GE_EINVAL);
    drop(&x);
    drop(&y);
    drop(&g);
}
