/* The dataset and encoder of the evaluation tests. */
#include "fixture.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

#define IMAGES GE_SOURCE_DIR "/tests/golden/image/samples/"

static const char *references[] = {"a red circle", "two blue squares"};
static const char *distractors[] = {"a green star"};
static const char *reference_images[] = {IMAGES "png_c2_d8.png"};

static void add(struct fixture *f, uint32_t item, enum ge_direction d, const char *text,
                const char *image)
{
    struct ge_answers *a = &f->recorded;
    uint32_t sample = 0;
    if (a->n > 0 && a->v[a->n - 1].item == item && a->v[a->n - 1].direction == d) {
        sample = a->v[a->n - 1].sample + 1;
    }
    a->v[a->n++] = (struct ge_answer){
        .item = item, .direction = d, .sample = sample, .text = text, .image = image};
}

static void add_answers(struct fixture *f)
{
    f->recorded = (struct ge_answers){.system = "s", .v = f->answers};
    add(f, 0, GE_UND, "a red circle", NULL);
    add(f, 0, GE_GEN, NULL, IMAGES "png_c2_d8.png");
    add(f, 1, GE_UND, "a green star", NULL);
    add(f, 1, GE_GEN, NULL, IMAGES "jpeg_small.jpg");
    add(f, 1, GE_GEN, NULL, IMAGES "webp_lossless.webp"); /* a second sample */
    add(f, 2, GE_UND, " \n", NULL);                       /* empty */
    add(f, 2, GE_GEN, NULL, IMAGES "empty.jpg");          /* not an image */
    add(f, 3, GE_UND, "two blue squares", NULL);
    add(f, 3, GE_GEN, NULL, f->missing);
    add(f, 4, GE_GEN, NULL, f->nested); /* und: no answer at all */
    add(f, 5, GE_UND, "who knows", NULL);
    add(f, 5, GE_GEN, NULL, f->fifo);
    add(f, 6, GE_UND, NULL, NULL);
    f->answers[f->recorded.n - 1].problem = "text.json: no output_text";
    add(f, 6, GE_GEN, NULL, IMAGES "png_cut.png");
    add(f, 7, GE_UND, "a red circle", NULL);
    add(f, 7, GE_GEN, NULL, IMAGES "png_c2_d8.png"); /* as item 0 */
    add(f, 8, GE_UND, "red", NULL);                  /* a task that the job does not score */
    add(f, 8, GE_GEN, "a text where an image is asked for", NULL);
    add(f, 9, GE_UND, "a red circle and a green star", NULL);
    add(f, 9, GE_GEN, NULL, IMAGES "jpeg_s2.jpg");
}

static void make_items(struct fixture *f)
{
    static const char *const ids[FIXTURE_ITEMS] = {"0", "1", "2", "3", "4",
                                                   "5", "6", "7", "8", "9"};
    for (uint32_t i = 0; i < FIXTURE_ITEMS; i++) {
        struct ge_item *item = &f->items[i];
        *item = (struct ge_item){.id = ids[i], .index = i, .category = "c", .cluster = ids[i]};
        struct ge_task task = {.present = true,
                               .references = {references, 2},
                               .reference_images = {reference_images, 1},
                               .text_distractors = {distractors, 1}};
        item->task[GE_UND] = item->task[GE_GEN] = task;
        item->task[GE_UND].type = i == 8 ? "unknown" : "vqa";
        item->task[GE_GEN].type = "edit";
    }
}

static void make_scoring(struct fixture *f)
{
    f->scoring[0] = (struct ge_task_scoring){.task = "edit",
                                             .rule = GE_RULE_CONTRASTIVE,
                                             .metric = GE_METRIC_IMAGE_TEXT_MARGIN,
                                             .fallback = GE_METRIC_NONE};
    f->scoring[0].metrics[GE_METRIC_IMAGE_IMAGE_REFERENCE] = true;
    f->scoring[1] =
        (struct ge_task_scoring){.task = "vqa", .rule = GE_RULE_ALIAS, .fallback = GE_METRIC_NONE};
    f->scoring[1].metrics[GE_METRIC_TEXT_TEXT_REFERENCE] = true;
    for (int i = 0; i < 2; i++) assert_ok(ge_task_scoring_complete(&f->scoring[i]));
}

void fixture_batch(struct fixture *f, size_t batch)
{
    const struct ge_encoder_options options = {.max_batch = batch, .threads = 2};
    ge_encoder_delete(&f->encoder);
    assert_ok(ge_encoder_load(GE_SOURCE_DIR "/tests/golden/model/clip_quick", f->device, &options,
                              &f->encoder));
}

void fixture_open(struct fixture *f, const char *device)
{
    memset(f, 0, sizeof *f);
    strcpy(f->folder, "/tmp/gapeval-evaluate-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->fifo, sizeof f->fifo, "%s/fifo.png", f->folder);
    snprintf(f->nested, sizeof f->nested, "%s/folder.png", f->folder);
    snprintf(f->missing, sizeof f->missing, "%s/missing.png", f->folder);
    assert_int_equal(mkfifo(f->fifo, 0600), 0);
    assert_int_equal(mkdir(f->nested, 0700), 0);
    assert_ok(ge_device_register_builtin());
    struct ge_device_options options = {.threads = 1};
    assert_ok(ge_device_open(device, &options, &f->device));
    fixture_batch(f, 4);
    make_items(f);
    make_scoring(f);
    add_answers(f);
    f->cell.responder = ge_respond_recorded(&f->recorded);
    f->ev.items = f->items;
    f->ev.cells = &f->cell;
    f->ev.scoring = f->scoring;
    f->ev.n_scoring = 2;
    f->ev.device = f->device;
    f->ev.encoders = &f->encoder;
    f->ev.n_encoders = 1;
    ge_image_options_init(&f->ev.image);
}

void fixture_close(struct fixture *f)
{
    ge_encoder_delete(&f->encoder);
    ge_device_close(&f->device);
    unlink(f->fifo);
    unlink(f->missing);
    rmdir(f->nested);
    rmdir(f->folder);
}

ge_status fixture_run(struct fixture *f, uint32_t first, uint32_t count, char **data, size_t *len)
{
    ge_status rc = GE_OK;
    struct ge_eval_chunk *chunk = NULL;
    const struct ge_result *result;
    struct ge_buf packed;
    ge_buf_init(&packed, 1 << 24);
    *data = NULL;
    GE_TRY(ge_eval_prepare(&f->ev, 0, first, count, &chunk));
    GE_TRY(ge_eval_encode(&f->ev, chunk));
    GE_TRY(ge_eval_score(&f->ev, chunk, &result));
    ge_result_pack(result, &packed);
    GE_TRY(ge_buf_status(&packed));
    *data = ge_buf_take(&packed, len);
done:
    ge_buf_free(&packed);
    ge_eval_chunk_delete(&chunk);
    return rc;
}
