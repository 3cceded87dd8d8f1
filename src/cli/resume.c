/* Everything that decides digits must be as it was when the run began. */
#include "cli/resume.h"

#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "job/options.h"

/* Settings that affect results and differ between the stored job and this one, in one message. */
static ge_status refuse_changed_job(const struct ge_run *stored, const struct ge_job *job)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = NULL;
    ge_json *old = NULL;
    struct ge_option_change *changes;
    struct ge_buf list;
    size_t n;
    ge_buf_init(&list, 1024);
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_json_parse(stored->job, strlen(stored->job), "stored job", &old));
    GE_TRY(ge_options_diff(old, job->doc, arena, &changes, &n));
    for (size_t i = 0; i < n; i++) {
        if (!changes[i].affects_results) continue;
        ge_buf_printf(&list, "\n  %s: stored %s, now %s", changes[i].path,
                      changes[i].old_value != NULL ? changes[i].old_value : "nothing",
                      changes[i].new_value != NULL ? changes[i].new_value : "nothing");
    }
    if (list.len == 0) goto done;
    GE_TRY(ge_fail(GE_ECONFLICT,
                   "%s holds a run of another job; give this one another name or output.dir. "
                   "Differing settings:%s",
                   job->output.dir, list.data));
done:
    ge_buf_free(&list);
    ge_json_delete(&old);
    ge_arena_delete(&arena);
    return rc;
}

/* The golden hash that the first start of a stored run recorded; zero if it did not. */
static struct ge_hash stored_golden(const struct ge_run *stored)
{
    struct ge_hash golden = {0, 0};
    ge_json *doc = NULL;
    if (stored->provenance == NULL || ge_json_parse(stored->provenance, strlen(stored->provenance),
                                                    "provenance", &doc) != GE_OK) {
        return golden;
    }
    const char *hex = ge_json_string(ge_json_get(ge_json_first(doc), "golden"), "");
    if (ge_hash_parse(hex, &golden) != GE_OK) golden = (struct ge_hash){0, 0};
    ge_json_delete(&doc);
    return golden;
}

ge_status ge_resume_check(const struct ge_job *job, const struct ge_run *stored,
                          const struct ge_run *now, struct ge_hash golden)
{
    ge_status rc = GE_OK;
    bool mixed = job->runtime.allow_mixed;
    struct ge_hash first = stored_golden(stored);
    /* From the most to the least telling: changed weights, say, change the golden batch, too. */
    GE_TRY(refuse_changed_job(stored, job));
    if (!mixed && strcmp(stored->numerics_id, now->numerics_id) != 0) {
        GE_TRY(ge_fail(GE_ECONFLICT,
                       "%s was begun with \"%s\", this node computes with \"%s\"; pin "
                       "runtime.level or runtime.device, or set runtime.allow_mixed",
                       job->output.dir, stored->numerics_id, now->numerics_id));
    }
    if (stored->n_items != now->n_items || stored->n_cells != now->n_cells) {
        GE_TRY(ge_fail(GE_ECONFLICT, "%s: the dataset or the systems changed since the run began",
                       job->output.dir));
    }
    for (size_t i = 0; i < now->n_cells && !mixed; i++) {
        if (ge_hash_equal(stored->cells[i].hash, now->cells[i].hash)) continue;
        GE_TRY(ge_fail(GE_ECONFLICT,
                       "%s: a file that system \"%s\" depends on (dataset, answers, images, "
                       "weights) changed since the run began",
                       job->output.dir, now->cells[i].system));
    }
    if (!mixed && !ge_hash_is_zero(first) && !ge_hash_equal(first, golden)) {
        GE_TRY(ge_fail(GE_ECONFLICT,
                       "%s: this node's embeddings of the golden batch differ from those of the "
                       "run's first start, with the same numerics id \"%s\"",
                       job->output.dir, now->numerics_id));
    }
done:
    return rc;
}
