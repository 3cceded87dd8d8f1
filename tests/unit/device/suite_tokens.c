/* From pixels and token ids to token rows, and from token rows to one row. */
#include "suite.h"

static const size_t images[][4] = {/* n, height, width, patch */
                                   {1, 4, 4, 4},
                                   {2, 30, 30, 2},
                                   {3, 17, 23, 5},
                                   {2, 28, 14, 14},
                                   {1, 64, 96, 32}};
enum { N_IMAGES = sizeof images / sizeof images[0] };

/* Where element c of patch row r lies: image, channel, y, x. */
static void locate(const size_t shape[4], size_t r, size_t c, size_t at_image[4])
{
    size_t p = shape[3], gy = shape[1] / p, gx = shape[2] / p;

    at_image[0] = r / (gy * gx);
    at_image[1] = c / (p * p);
    at_image[2] = r % (gy * gx) / gx * p + c % (p * p) / p;
    at_image[3] = r % gx * p + c % p;
}

void test_patches(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_IMAGES; i++) {
        size_t n = images[i][0], h = images[i][1], w = images[i][2], p = images[i][3], l[4];
        size_t rows = n * (h / p) * (w / p), cols = 3 * p * p;
        struct matrix pixels = make(n, 3 * h * w, 0, 1, 1.0f), out = make(rows, cols, 1, 0, 0);
        double *want = doubles(rows * cols);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++) {
                locate(images[i], r, c, l);
                want[r * cols + c] = *at(&pixels, l[0], (l[1] * h + l[2]) * w + l[3]);
            }
        assert_ok(ge_patches(dev, pixels.t, 3, h, w, p, out.t));
        check("patches", &out, want, 0);
        free(want);
        drop(&pixels);
        drop(&out);
    }
}

void test_pixel_patches(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_IMAGES; i++) {
        size_t n = images[i][0], h = images[i][1], w = images[i][2], p = images[i][3], l[4];
        size_t rows = n * (h / p) * (w / p), cols = 3 * p * p, each = 3 * h * w;
        struct matrix table = make_as(GE_F32, 3, 256, 0, 1, 1.0f), out = make(rows, cols, 1, 0, 0);
        struct ge_tensor all, pixels;
        uint8_t *bytes = ge_calloc(n * each + 1, 1); /* from an odd address on */
        double *want = doubles(rows * cols);
        assert_non_null(bytes);
        for (size_t b = 0; b <= n * each; b++) bytes[b] = (uint8_t)ge_mix(i, b);
        assert_ok(ge_tensor_new(dev, 1, n * each + 1, GE_U8, &all));
        assert_ok(ge_upload(all, bytes));
        pixels = ge_tensor_at(all.buf, 1, n, each, GE_U8);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++) {
                locate(images[i], r, c, l);
                uint8_t v = bytes[1 + l[0] * each + (l[2] * w + l[3]) * 3 + l[1]];
                want[r * cols + c] = *at(&table, l[1], v);
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

void test_patch_tokens(void **state)
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
                          : (double)*at(&patches, image * p + t - r, c) + *at(&positions, t - r, c);
            }
        assert_ok(ge_patch_tokens(dev, patches.t, r > 0 ? prefix.t : (struct ge_tensor){0},
                                  positions.t, out.t));
        check("patch_tokens", &out, want, 0);
        free(want);
        drop(&patches);
        drop(&prefix);
        drop(&positions);
        drop(&out);
    }
}

void test_embed(void **state)
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
        check("embed", &out, want, 0);
        drop(&table);
        drop(&type);
        drop(&positions);
        drop(&out);
    }
    ge_buffer_delete(&i.buf);
    ge_buffer_delete(&p.buf);
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

void test_pool(void **state)
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
            check("pool", &wide, want, 20);
            drop(&x);
            drop(&wide);
        }
    }
    ge_buffer_delete(&e.buf);
    ge_buffer_delete(&s.buf);
}
