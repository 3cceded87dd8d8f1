/* Encoders of gapeval metrics. */
#include <string.h>

#include "base/mem.h"
#include "cli/backends.h"
#include "cli/metrics_internal.h"
#include "score/metric.h"

/* The roles that one name on the command line stands for. */
static const struct {
    const char *name;
    enum ge_role roles[2];
} encoder_names[] = {
    {"clip", {GE_ROLE_IMAGE_TEXT, GE_ROLE_IMAGE_IMAGE}},
    {"sentence", {GE_ROLE_TEXT_TEXT, GE_ROLE_TEXT_TEXT}},
    {"bertscore", {GE_ROLE_BERTSCORE, GE_ROLE_BERTSCORE}},
};
enum { ENCODER_NAMES = sizeof encoder_names / sizeof encoder_names[0] };

/* "clip=FOLDER". */
static ge_status read_encoder(struct metrics *c, const char *given, int *index, const char **folder)
{
    const char *equals = strchr(given, '=');
    for (int i = 0; equals != NULL && i < ENCODER_NAMES; i++) {
        size_t len = strlen(encoder_names[i].name);
        if ((size_t)(equals - given) != len || strncmp(given, encoder_names[i].name, len) != 0) {
            continue;
        }
        if (c->evaluator.role_encoder[encoder_names[i].roles[0]] >= 0) {
            return ge_fail(GE_EINVAL, "--encoder %s: given twice", encoder_names[i].name);
        }
        *index = i;
        *folder = equals + 1;
        return GE_OK;
    }
    return ge_fail(GE_EINVAL,
                   "--encoder %s: wanted clip=FOLDER, sentence=FOLDER or bertscore=FOLDER", given);
}

static ge_status load_encoder(struct metrics *c, int index, const char *folder)
{
    ge_status rc = GE_OK;
    size_t n = c->n_encoders;
    struct ge_encoder_options options = {.switches = &c->image,
                                         .threads = ge_device_threads(c->device),
                                         .max_batch = ge_backends_batch(c->device, c->batch_size),
                                         .memory = ge_backends_budget(c->device, 1)};
    GE_TRY(ge_inputs_dtype(c->where.dtype, &options.dtype));
    GE_TRY(ge_encoder_load(folder, c->device, &options, &c->encoder[n]));
    for (int k = 0; k < 2; k++) {
        c->evaluator.role_encoder[encoder_names[index].roles[k]] = (int)n;
    }
    c->encoder_name[n] = encoder_names[index].name;
    c->n_encoders++;
done:
    return rc;
}

static const char *name_of(enum ge_role role)
{
    int i = 0;
    while (encoder_names[i].roles[0] != role && encoder_names[i].roles[1] != role) i++;
    return encoder_names[i].name;
}

static ge_status check_roles(const struct metrics *c)
{
    for (size_t i = 0; i < c->n_scoring; i++) {
        for (int m = 0; m < GE_METRICS; m++) {
            const struct ge_metric_info *info = ge_metric_info((enum ge_metric_id)m);
            if (!c->scoring[i].metrics[m] || !ge_role_needs_encoder(info->role)) continue;
            if (c->evaluator.role_encoder[info->role] >= 0) continue;
            return ge_fail(GE_EINVAL, "%s needs an encoder: --encoder %s=FOLDER", info->name,
                           name_of(info->role));
        }
        if (c->scoring[i].sets && c->n_encoders == 0) {
            return ge_fail(GE_EINVAL,
                           "a metric over sets of embeddings needs an encoder: --encoder "
                           "clip=FOLDER for images, sentence=FOLDER for texts");
        }
    }
    return GE_OK;
}

static ge_status prepare_bertscore(struct metrics *c)
{
    struct ge_job_bertscore how;
    int role = c->evaluator.role_encoder[GE_ROLE_BERTSCORE];
    ge_status rc = ge_bertscore_flags_read(&c->bertscore, &how);
    if (rc != GE_OK || role < 0) return rc;
    return ge_bertscore_prepare(&how, "bertscore", c->encoder[role], c->dataset->items,
                                c->dataset->n, c->scoring, c->n_scoring, &c->idf,
                                &c->evaluator.bertscore_layer);
}

ge_status metrics_load_encoders(struct metrics *c)
{
    ge_status rc = GE_OK;
    char *copy = NULL, *rest;
    for (int r = 0; r < GE_ROLES; r++) c->evaluator.role_encoder[r] = -1;
    if (c->encoders != NULL) {
        GE_TRY_PTR(copy, ge_arena_strdup(c->arena, c->encoders));
        GE_TRY(ge_inputs_device(&c->where, &c->device));
    }
    for (char *given = copy == NULL ? NULL : strtok_r(copy, "\n", &rest); given != NULL;
         given = strtok_r(NULL, "\n", &rest)) {
        int index = 0;
        const char *folder = NULL;
        GE_TRY(read_encoder(c, given, &index, &folder));
        rc = load_encoder(c, index, folder);
        if (rc != GE_OK) GE_TRY(ge_fail_in(rc, "--encoder %s", encoder_names[index].name));
    }
    GE_TRY(check_roles(c));
    GE_TRY(prepare_bertscore(c));
done:
    return rc;
}

ge_status metrics_name_kinds(struct metrics *c)
{
    ge_status rc = GE_OK;
    struct ge_strings *kinds = &c->run.embedding_kinds;
    const size_t n = c->n_encoders;
    GE_TRY_PTR(kinds->v, ge_arena_alloc(c->arena, 3 * n, sizeof *kinds->v));
    for (size_t i = 0; i < 3 * n; i++) {
        size_t encoder = i < 2 * n ? i / 2 : i - 2 * n;
        GE_TRY_PTR(kinds->v[i], ge_arena_printf(c->arena, "%s:%s", c->encoder_name[encoder],
                                                i >= 2 * n   ? "reference"
                                                : i % 2 == 0 ? "text"
                                                             : "image"));
    }
    kinds->n = 3 * n;
done:
    return rc;
}
