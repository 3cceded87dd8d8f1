/* gapeval inspect: what a store (results.h5 or a run folder) holds, and everything about one
 * item. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/json.h"
#include "cli/cli.h"
#include "cli/show.h"
#include "store/store.h"

/* ---- the store ------------------------------------------------------------------------------------ */

static void show_cells(const struct ge_run *run)
{
    for (size_t c = 0; c < run->n_cells; c++) {
        struct ge_result sum = {0};
        size_t chunks = 0;
        for (size_t i = 0; i < run->n_results; i++) {
            const struct ge_result *r = &run->results[i];
            if (r->cell != c) continue;
            chunks++;
            sum.n_responses += r->n_responses;
            sum.n_scores += r->n_scores;
            sum.n_verdicts += r->n_verdicts;
            sum.n_errors += r->n_errors;
            sum.n_embeddings += r->n_embeddings;
            sum.n_undone += r->n_undone;
        }
        printf("cell      %s: %zu chunks; rows: %zu responses, %zu scores, %zu verdicts, %zu "
               "errors, %zu embeddings; %zu undone\n",
               run->cells[c].system, chunks, sum.n_responses, sum.n_scores, sum.n_verdicts,
               sum.n_errors, sum.n_embeddings, sum.n_undone);
    }
}

/* Rows and range of each metric over the whole store. */
static void show_metrics(const struct ge_run *run)
{
    for (size_t m = 0; m < run->metrics.n; m++) {
        uint64_t n = 0;
        double least = 0, most = 0;
        for (size_t i = 0; i < run->n_results; i++) {
            const struct ge_result *r = &run->results[i];
            for (size_t k = 0; k < r->n_scores; k++) {
                double v = r->scores[k].value;
                if (r->scores[k].metric != m) continue;
                if (n == 0 || v < least) least = v;
                if (n == 0 || v > most) most = v;
                n++;
            }
        }
        if (n == 0) continue;
        printf("metric    %s: %" PRIu64 " rows, %.6g to %.6g\n", run->metrics.v[m], n, least, most);
    }
}

static void show_start(const ge_json *start, size_t number)
{
    const ge_json *ranks = ge_json_get(start, "ranks");
    printf("start %zu   %s, gapeval %s (%s), %zu ranks\n", number,
           ge_json_string(ge_json_get(start, "started"), "?"),
           ge_json_string(ge_json_get(start, "version"), "?"),
           ge_json_string(ge_json_get(start, "commit"), "?"), ge_json_count(ranks));
    const char *job = ge_json_string(ge_json_get(start, "batch_job"), NULL);
    if (job != NULL) {
        printf("          batch job %s, restart %.0f\n", job,
               ge_json_number(ge_json_get(start, "batch_restarts"), 0));
    }
    printf("          %s\n", ge_json_string(ge_json_get(start, "mpi"), "no MPI"));
    for (const ge_json *r = ge_json_first(ranks); r != NULL; r = ge_json_next(r)) {
        printf("          rank %.0f on %s: %s\n", ge_json_number(ge_json_get(r, "rank"), -1),
               ge_json_string(ge_json_get(r, "host"), "?"),
               ge_json_string(ge_json_get(r, "device"), "?"));
    }
    const ge_json *encoders = ge_json_get(start, "encoders");
    for (const ge_json *e = ge_json_first(encoders); e != NULL; e = ge_json_next(e)) {
        printf("          encoder %s: %s\n", ge_json_key(e),
               ge_json_string(ge_json_get(e, "hash"), "?"));
    }
}

static ge_status show_store(const struct ge_run *run)
{
    ge_status rc = GE_OK;
    ge_json *job = NULL, *starts = NULL;
    struct ge_hash digest;
    char hex[GE_HASH_HEX];
    uint64_t tasks[GE_DIRECTIONS] = {0, 0};
    size_t number = 1;
    GE_TRY(ge_json_parse(run->job, strlen(run->job), "the store's job", &job));
    GE_TRY(
        ge_json_parse(run->provenance, strlen(run->provenance), "the store's provenance", &starts));
    GE_TRY(ge_store_digest(run, &digest));
    ge_hash_hex(digest, hex);
    for (size_t i = 0; i < run->n_items; i++) {
        for (int d = 0; d < GE_DIRECTIONS; d++) tasks[d] += run->items[i].task[d].present;
    }
    size_t ranges = (run->n_items + run->chunk_items - 1) / run->chunk_items;
    printf("job       %s\nrun       %s\nschema    %d\nnumerics  %s\ndigest    %s\n",
           ge_json_string(ge_json_get(job, "name"), "?"), run->id, GE_STORE_SCHEMA,
           run->numerics_id, hex);
    printf("items     %zu: %" PRIu64 " und and %" PRIu64 " gen tasks\n", run->n_items,
           tasks[GE_UND], tasks[GE_GEN]);
    size_t done = 0;
    for (size_t i = 0; i < run->n_results; i++) done += run->results[i].n_undone == 0;
    printf("chunks    %zu of %zu done, at most %u items each\n", done, ranges * run->n_cells,
           run->chunk_items);
    show_cells(run);
    if (run->ratings.n > 0) {
        printf("ratings   %zu by %zu raters on %zu dimensions\n", run->ratings.n,
               run->ratings.raters.n, run->ratings.dimensions.n);
    }
    show_metrics(run);
    for (const ge_json *s = ge_json_first(starts); s != NULL; s = ge_json_next(s)) {
        show_start(s, number++);
    }
done:
    ge_json_delete(&job);
    ge_json_delete(&starts);
    return rc;
}

/* ---- one item --------------------------------------------------------------------------------------- */

static void show_response(const struct ge_result *r, struct ge_key key)
{
    for (size_t i = 0; i < r->n_responses; i++) {
        const struct ge_response_row *row = &r->responses[i];
        if (ge_key_compare(row->key, key) != 0) continue;
        ge_show_text("answer", row->text);
        ge_show_text("answer image", row->image);
        if (!ge_hash_is_zero(row->image_hash)) {
            char hex[GE_HASH_HEX];
            ge_hash_hex(row->image_hash, hex);
            ge_show_text("image hash", hex);
        }
        if (row->truncated) printf("  the answer was cut to the encoder's length for scoring\n");
    }
}

static void show_ratings(const struct ge_run *run, uint32_t cell, struct ge_key key)
{
    const struct ge_ratings *ratings = &run->ratings;
    for (size_t i = 0; i < ratings->n; i++) {
        const struct ge_rating *v = &ratings->v[i];
        if (v->cell != cell || ge_key_compare(v->key, key) != 0) continue;
        printf("  rating  %s by %s: %.9g\n", ratings->dimensions.v[v->dimension],
               ratings->raters.v[v->rater], v->score);
    }
}

/* Whether any row of a result belongs to a sample. */
static bool has_sample(const struct ge_result *r, struct ge_key key)
{
    bool found = false;
    for (size_t i = 0; i < r->n_responses; i++) {
        found = found || ge_key_compare(r->responses[i].key, key) == 0;
    }
    for (size_t i = 0; i < r->n_errors; i++) {
        found = found || ge_key_compare(r->errors[i].key, key) == 0;
    }
    for (size_t i = 0; i < r->n_undone; i++) {
        found = found || ge_key_compare(r->undone[i].key, key) == 0;
    }
    return found;
}

/* One past the largest sample number of an item and direction in a result; 0: none. */
static uint32_t count_samples(const struct ge_result *r, struct ge_key key)
{
    uint32_t n = 0;
    for (size_t i = 0; i < r->n_responses + r->n_errors + r->n_undone; i++) {
        struct ge_key k = i < r->n_responses ? r->responses[i].key
                          : i < r->n_responses + r->n_errors
                              ? r->errors[i - r->n_responses].key
                              : r->undone[i - r->n_responses - r->n_errors].key;
        if (k.item == key.item && k.direction == key.direction && k.sample >= n) n = k.sample + 1;
    }
    return n;
}

static void show_direction(const struct ge_run *run, const struct ge_item *item,
                           enum ge_direction d, const char *system)
{
    for (size_t i = 0; i < run->n_results; i++) {
        const struct ge_result *r = &run->results[i];
        const char *name = run->cells[r->cell].system;
        if (item->index < r->first || item->index - r->first >= r->count) continue;
        if (system != NULL && strcmp(name, system) != 0) continue;
        struct ge_key key = {item->index, (uint8_t)d, 0};
        for (uint32_t n = count_samples(r, key); key.sample < n; key.sample++) {
            if (!has_sample(r, key)) continue;
            printf("\n%s, %s, sample %" PRIu32 "\n", name, ge_direction_name(d), key.sample);
            show_response(r, key);
            ge_show_sample(r, key, &run->metrics, &run->rules);
            show_ratings(run, r->cell, key);
        }
    }
}

static ge_status show_one(const struct ge_run *run, const char *id, const char *system)
{
    const struct ge_item *item = NULL;
    bool known = system == NULL;
    for (size_t i = 0; i < run->n_items && item == NULL; i++) {
        if (strcmp(run->items[i].id, id) == 0) item = &run->items[i];
    }
    if (item == NULL) return ge_fail(GE_ENOENT, "--item %s: the store has no such item", id);
    for (size_t c = 0; c < run->n_cells && !known; c++) {
        known = strcmp(run->cells[c].system, system) == 0;
    }
    if (!known) {
        return ge_fail(GE_ENOENT,
                       "--system %s: the store has no such system; `gapeval inspect "
                       "STORE` lists them",
                       system);
    }
    ge_show_item(item);
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        if (!item->task[d].present) continue;
        printf("\n");
        ge_show_task(&item->task[d], (enum ge_direction)d);
        show_direction(run, item, (enum ge_direction)d, system);
    }
    return GE_OK;
}

/* ---- the command -------------------------------------------------------------------------------------- */

static ge_status inspect(const char *path, const char *item, const char *system)
{
    ge_status rc = GE_OK;
    struct ge_run *run = NULL;
    GE_TRY(ge_store_open(path, &run));
    GE_TRY(item != NULL ? show_one(run, item, system) : show_store(run));
done:
    ge_run_delete(&run);
    return rc;
}

int ge_cmd_inspect(int argc, char **argv)
{
    const char *item = NULL, *system = NULL;
    const struct ge_flag flags[] = {
        {"--item", &item, NULL, NULL}, {"--system", &system, NULL, NULL}, {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "inspect", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words != 1) {
        rc = ge_fail(GE_EINVAL, "wanted one run folder or results.h5");
    }
    if (rc == GE_OK && system != NULL && item == NULL) {
        rc = ge_fail(GE_EINVAL, "--system goes with --item");
    }
    if (rc != GE_OK) {
        code = ge_cli_usage("inspect", "%s", ge_error());
    } else {
        rc = inspect(args.words[0], item, system);
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
