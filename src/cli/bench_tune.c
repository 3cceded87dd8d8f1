/* Tuned tables: the fastest steady algorithm of every product of the published towers. */
#include "cli/bench.h"
#include "cli/inputs.h"
#include "cli/tuned.h"

/* Rows of a product: a batch of 256 pictures has more, one of 256 sentences fewer. */
enum { TUNE_ROWS = 8192 };

/* A tower's width, that of its hidden layer, and the elements of a patch (0: texts alone). */
static const struct {
    size_t width, hidden, patch;
} towers[] = {
    {384, 1536, 588}, /* MiniLM, DINOv2 S/14 */
    {512, 2048, 0},   /* texts of CLIP B */
    {768, 3072, 768}, /* B/16, BERT base */
    {768, 3072, 588},  {768, 3072, 3072}, {1024, 4096, 588}, {1024, 4096, 768}, /* B/14, B/32, L */
    {1152, 4304, 588}, /* SigLIP so400m/14 */
    {1280, 5120, 588}, /* H/14 */
};
enum { TOWERS = sizeof towers / sizeof towers[0], LAYERS = 6 };

ge_status ge_bench_tune(struct ge_bench *b)
{
    const struct ge_device_flags flags = {b->device_name, b->dtype, b->level, b->threads, NULL};
    struct ge_work_shape shapes[TOWERS * LAYERS];
    struct ge_device *dev = NULL;
    enum ge_dtype dtype;
    ge_status rc = GE_OK;
    size_t n = 0;

    for (size_t i = 0; i < TOWERS; i++) {
        const size_t w = towers[i].width, h = towers[i].hidden, p = towers[i].patch;
        const size_t layers[LAYERS][2] = {{3 * w, w}, {2 * w, w}, {w, w}, {h, w}, {w, h}, {w, p}};
        for (size_t j = 0; j < LAYERS; j++)
            if (layers[j][1] > 0)
                shapes[n++] = (struct ge_work_shape){layers[j][0], layers[j][1], 1, TUNE_ROWS};
    }
    GE_TRY(ge_inputs_dtype(b->dtype, &dtype));
    GE_TRY(ge_check_out(b->tune));
    GE_TRY(ge_inputs_device(&flags, &dev));
    GE_TRY(ge_tuned_write(dev, shapes, n, dtype, b->tune));
    ge_buf_printf(&b->notes, "%s; the table of %zu products of published towers in %s is in %s",
                  ge_device_describe(dev), n, ge_dtype_name(dtype), b->tune);
done:
    ge_device_close(&dev);
    return rc;
}
