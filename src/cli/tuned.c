#include "cli/tuned.h"

#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"

enum { MAX_TABLE = 4 << 20 };

/* What a layer does beside the product, in all the ways that models do. */
static const struct {
    enum ge_activation act;
    bool bias, residual;
} layers[] = {
    {GE_ACT_NONE, false, false},
    {GE_ACT_NONE, true, false},
    {GE_ACT_NONE, true, true},
    {GE_ACT_GELU_TANH, true, false},
};
enum { LAYERS = sizeof layers / sizeof layers[0] };

/* The copy in a run's folder. */
static char *kept_path(const struct ge_job *job)
{
    return ge_fs_join(job->output.dir, "tuned.json");
}

/* A file's text, which is JSON; NULL if it is not there. */
static ge_status read_table(const char *path, char **text)
{
    ge_json *doc = NULL;
    ge_status rc = GE_OK;
    size_t len = 0;

    *text = NULL;
    rc = ge_fs_read(path, MAX_TABLE, text, &len);
    if (rc == GE_ENOENT) return GE_OK;
    GE_TRY(rc);
    GE_TRY(ge_json_parse(*text, len, path, &doc));
    if (ge_json_type(doc) != GE_JSON_OBJECT)
        rc = ge_fail(GE_EFORMAT, "%s: found %s, wanted the object that `gapeval bench` writes",
                     path, ge_json_type_name(ge_json_type(doc)));
done:
    ge_json_delete(&doc);
    if (rc != GE_OK) {
        free(*text);
        *text = NULL;
    }
    return rc;
}

ge_status ge_tuned_read(const char *path, char **text)
{
    ge_status rc = read_table(path, text);

    if (rc == GE_OK && *text == NULL)
        rc = ge_fail(GE_ENOENT, "%s is not there; make it with `gapeval bench gemm --tune FILE`",
                     path);
    return rc;
}

static ge_status choose_table(const struct ge_job *job, char **text)
{
    const char *path = job->runtime.tuned;
    char *kept = NULL, *own = kept_path(job);
    ge_status rc = GE_OK;

    *text = NULL;
    GE_TRY(own == NULL ? GE_ENOMEM : GE_OK);
    GE_TRY(read_table(own, &kept));
    GE_TRY(read_table(path, text));
    if (*text == NULL && kept == NULL) {
        GE_TRY(ge_fail(GE_ENOENT,
                       "runtime.tuned: %s is not there; make one on this GPU with "
                       "`gapeval bench gemm --tune FILE`, or leave the option out",
                       path));
    } else if (*text == NULL) {
        ge_info("runtime.tuned: %s is not there any more; the run goes on with its copy, %s", path,
                own);
        *text = kept;
        kept = NULL;
    } else if (kept != NULL && strcmp(*text, kept) != 0) {
        GE_TRY(ge_fail(GE_ECONFLICT,
                       "runtime.tuned: %s is not the table that the run was begun with, and would "
                       "change digits; name the run's copy, %s, or give this run another name",
                       path, own));
    }
done:
    if (rc != GE_OK) {
        free(*text);
        *text = NULL;
    }
    free(kept);
    free(own);
    return rc;
}

ge_status ge_tuned_load(const struct ge_job *job, struct ge_comm *comm, char **text)
{
    const bool first = ge_comm_rank(comm) == 0;
    ge_status rc = GE_OK;
    void *data = NULL;
    size_t len = 0;

    *text = NULL;
    if (job->runtime.tuned == NULL) return GE_OK;
    if (first) {
        rc = choose_table(job, text);
        data = *text;
        len = *text != NULL ? strlen(*text) : 0;
    }
    GE_TRY(ge_comm_agree(comm, rc));
    GE_TRY(ge_comm_broadcast(comm, &data, &len, MAX_TABLE));
    *text = data;
done:
    return rc;
}

ge_status ge_tuned_keep(const struct ge_job *job, const char *text)
{
    char *own = text != NULL ? kept_path(job) : NULL;
    ge_status rc = GE_OK;

    if (text == NULL) return GE_OK;
    rc = own == NULL ? GE_ENOMEM : GE_OK;
    if (rc == GE_OK && !ge_fs_exists(own)) rc = ge_fs_replace(own, text, strlen(text));
    free(own);
    return rc;
}

ge_status ge_tuned_write(struct ge_device *dev, const struct ge_work_shape *shapes, size_t n,
                         enum ge_dtype dtype, const char *path)
{
    struct ge_tune_shape *all = NULL;
    struct ge_buf json;
    ge_status rc = GE_OK;

    ge_buf_init(&json, MAX_TABLE);
    GE_NEW(all, n * LAYERS);
    for (size_t i = 0; i < n * LAYERS; i++) {
        const struct ge_work_shape *s = &shapes[i / LAYERS];
        all[i] = (struct ge_tune_shape){.m = s->times > 0 ? s->rows / s->times : s->rows,
                                        .n = s->n,
                                        .k = s->k,
                                        .dtype = dtype,
                                        .act = layers[i % LAYERS].act,
                                        .bias = layers[i % LAYERS].bias,
                                        .residual = layers[i % LAYERS].residual};
    }
    GE_TRY(ge_device_tune(dev, all, n * LAYERS, &json));
    ge_buf_printf(&json, "\n");
    GE_TRY(ge_buf_status(&json));
    GE_TRY(ge_fs_replace(path, json.data, json.len));
done:
    ge_buf_free(&json);
    free(all);
    return rc;
}
