/* Packing: from the journal into results.h5, chunk by chunk in key order. */
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/digest.h"
#include "store/files.h"
#include "store/io.h"
#include "store/journal.h"
#include "store/run_head.h"
#include "store/store.h"
#include "store/table.h"

/* ---- head: names, cells, items -------------------------------------------------------------- */

/* Position of each cell's system in /names/system. */
static ge_status write_systems(const struct ge_h5_file *f, const struct ge_run *run,
                               uint32_t **systems)
{
    ge_status rc = GE_OK;
    const char **all = NULL;
    struct ge_strings names = {0};
    GE_NEW(all, run->n_cells);
    GE_NEW(*systems, run->n_cells);
    for (size_t i = 0; i < run->n_cells; i++) all[i] = run->cells[i].system;
    GE_TRY(ge_distinct(all, run->n_cells, &names));
    for (size_t i = 0; i < run->n_cells; i++) (*systems)[i] = ge_distinct_find(&names, all[i]);
    GE_TRY(ge_names_write(f, "system", names.v, names.n));
done:
    free(names.v);
    free(all);
    return rc;
}

static ge_status write_cells(const struct ge_h5_file *f, const struct ge_run *run,
                             const uint32_t *systems)
{
    ge_status rc = GE_OK;
    struct ge_table_out out = {0};
    GE_TRY(ge_table_out_open(&out, f, &ge_table_cells, systems));
    for (size_t i = 0; i < run->n_cells; i++) {
        GE_TRY(ge_table_out_put(&out, (uint32_t)i, &run->cells[i], 1));
    }
    GE_TRY(ge_table_out_close(&out));
done:
    ge_table_out_free(&out);
    return rc;
}

/* The text dimensions of items that become positions in a name table. */
enum dimension { CATEGORY, SUBCATEGORY, CLUSTER, DIMENSIONS };
static const char *const dimension_names[] = {"category", "subcategory", "cluster"};

static const char *dimension_of(const struct ge_item *item, enum dimension d)
{
    switch (d) {
    case CATEGORY:
        return item->category;
    case SUBCATEGORY:
        return item->subcategory != NULL ? item->subcategory : "";
    case CLUSTER:
    case DIMENSIONS:
        break;
    }
    return item->cluster;
}

static ge_status write_item_rows(const struct ge_h5_file *f, const struct ge_run *run,
                                 const struct ge_strings names[DIMENSIONS])
{
    ge_status rc = GE_OK;
    struct ge_table_out out = {0};
    struct ge_buf record;
    ge_buf_init(&record, SIZE_MAX / 2);
    GE_TRY(ge_table_out_open(&out, f, &ge_table_items, NULL));
    for (size_t i = 0; i < run->n_items; i++) {
        const struct ge_item *item = &run->items[i];
        ge_buf_reset(&record);
        ge_item_print(item, &record);
        GE_TRY(ge_buf_status(&record));
        struct ge_item_row row = {
            .item = (uint32_t)i,
            .category = ge_distinct_find(&names[CATEGORY], dimension_of(item, CATEGORY)),
            .subcategory = ge_distinct_find(&names[SUBCATEGORY], dimension_of(item, SUBCATEGORY)),
            .cluster = ge_distinct_find(&names[CLUSTER], dimension_of(item, CLUSTER)),
            .record = record.data};
        GE_TRY(ge_table_out_put(&out, 0, &row, 1));
    }
    GE_TRY(ge_table_out_close(&out));
done:
    ge_table_out_free(&out);
    ge_buf_free(&record);
    return rc;
}

static ge_status write_items(const struct ge_h5_file *f, const struct ge_run *run)
{
    ge_status rc = GE_OK;
    const char **v = NULL;
    struct ge_strings names[DIMENSIONS] = {{0}};
    GE_NEW(v, run->n_items);
    for (size_t i = 0; i < run->n_items; i++) v[i] = run->items[i].id;
    GE_TRY(ge_names_write(f, "item", v, run->n_items));
    for (int d = 0; d < DIMENSIONS; d++) {
        for (size_t i = 0; i < run->n_items; i++) {
            v[i] = dimension_of(&run->items[i], (enum dimension)d);
        }
        GE_TRY(ge_distinct(v, run->n_items, &names[d]));
        GE_TRY(ge_names_write(f, dimension_names[d], names[d].v, names[d].n));
    }
    rc = write_item_rows(f, run, names);
done:
    for (int d = 0; d < DIMENSIONS; d++) free(names[d].v);
    free(v);
    return rc;
}

static ge_status write_names(const struct ge_h5_file *f, const struct ge_run *run)
{
    ge_status rc = GE_OK;
    const char *directions[GE_DIRECTIONS], *statuses[GE_EINTERNAL + 1];
    for (int d = 0; d < GE_DIRECTIONS; d++) {
        directions[d] = ge_direction_name((enum ge_direction)d);
    }
    for (int s = 0; s <= GE_EINTERNAL; s++) statuses[s] = ge_status_name((ge_status)s);
    GE_TRY(ge_names_write(f, "direction", directions, GE_DIRECTIONS));
    GE_TRY(ge_names_write(f, "status", statuses, GE_EINTERNAL + 1));
    GE_TRY(ge_names_write(f, "metric", run->metrics.v, run->metrics.n));
    GE_TRY(ge_names_write(f, "rule", run->rules.v, run->rules.n));
    GE_TRY(ge_names_write(f, "kind", run->embedding_kinds.v, run->embedding_kinds.n));
done:
    return rc;
}

static ge_status write_groups(const struct ge_h5_file *f)
{
    static const char *const groups[] = {"/meta", "/names", "/strings", "/vectors"};
    ge_status rc = GE_OK;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        GE_TRY(ge_h5_group(f, groups[i]));
    }
done:
    return rc;
}

static ge_status write_ratings(const struct ge_h5_file *f, const struct ge_ratings *r,
                               const uint32_t *systems)
{
    ge_status rc = GE_OK;
    struct ge_table_out out = {0};
    if (r->n == 0) goto done;
    GE_TRY(ge_names_write(f, "rater", r->raters.v, r->raters.n));
    GE_TRY(ge_names_write(f, "dimension", r->dimensions.v, r->dimensions.n));
    GE_TRY(ge_table_out_open(&out, f, &ge_table_ratings, systems));
    for (size_t i = 0; i < r->n; i++) {
        GE_TRY(ge_table_out_put(&out, r->v[i].cell, &r->v[i], 1));
    }
    GE_TRY(ge_table_out_close(&out));
done:
    ge_table_out_free(&out);
    return rc;
}

/* ---- results ---------------------------------------------------------------------------------- */

struct result_out {
    struct ge_table_out chunks, rows[GE_RESULT_TABLES];
};

static ge_status put_result(struct result_out *out, const struct ge_result *r)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_table_out_put(&out->chunks, r->cell, r, 1));
    for (int t = 0; t < GE_RESULT_TABLES; t++) {
        const void *rows;
        size_t n;
        memcpy(&rows, (const char *)r + ge_result_tables[t].rows, sizeof rows);
        memcpy(&n, (const char *)r + ge_result_tables[t].count, sizeof n);
        GE_TRY(ge_table_out_put(&out->rows[t], r->cell, rows, n));
    }
done:
    return rc;
}

/* Copy every recorded chunk, in key order, and give the digest of all. */
static ge_status write_results(const struct ge_h5_file *f, const struct ge_journal_scan *scan,
                               const uint32_t *systems, struct ge_hash *digest)
{
    ge_status rc = GE_OK;
    struct result_out out = {0};
    struct ge_arena *arena = NULL;
    struct ge_digest running = {0};
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_digest_begin(&running, scan->run));
    GE_TRY(ge_table_out_open(&out.chunks, f, &ge_table_chunks, systems));
    for (int t = 0; t < GE_RESULT_TABLES; t++) {
        GE_TRY(ge_table_out_open(&out.rows[t], f, ge_result_tables[t].table, systems));
    }
    for (uint64_t i = 0; i < scan->n_chunks; i++) {
        struct ge_result r;
        if (scan->chunks[i].length == 0) continue;
        ge_arena_reset(arena);
        GE_TRY(ge_journal_load(scan, i, arena, &r));
        GE_TRY(put_result(&out, &r));
        ge_digest_add(&running, &r);
    }
    GE_TRY(ge_table_out_close(&out.chunks));
    for (int t = 0; t < GE_RESULT_TABLES; t++) GE_TRY(ge_table_out_close(&out.rows[t]));
    *digest = ge_digest_end(&running);
done:
    (void)ge_digest_end(&running);
    ge_table_out_free(&out.chunks);
    for (int t = 0; t < GE_RESULT_TABLES; t++) ge_table_out_free(&out.rows[t]);
    ge_arena_delete(&arena);
    return rc;
}

/* ---- the file --------------------------------------------------------------------------------- */

static ge_status write_meta(const struct ge_h5_file *f, const struct ge_journal_scan *scan,
                            struct ge_hash digest)
{
    ge_status rc = GE_OK;
    char hex[GE_HASH_HEX];
    const struct ge_run *run = scan->run;
    ge_hash_hex(digest, hex);
    GE_TRY(ge_h5_put_attribute(f, "schema_version", GE_STORE_SCHEMA));
    GE_TRY(ge_h5_put_u64(f, "/meta/chunk_items", run->chunk_items));
    GE_TRY(ge_h5_put_u64(f, "/meta/chunks", scan->n_chunks));
    GE_TRY(ge_h5_put_u64(f, "/meta/chunks_done", scan->n_done));
    GE_TRY(ge_h5_put_text(f, "/meta/digest", hex));
    GE_TRY(ge_h5_put_text(f, "/meta/run_id", run->id));
    GE_TRY(ge_h5_put_text(f, "/meta/numerics_id", run->numerics_id));
    GE_TRY(ge_h5_put_text(f, "/meta/job", run->job));
    /* Last, because its length differs between runs with equal results. */
    GE_TRY(ge_h5_put_text(f, "/meta/provenance", run->provenance));
done:
    return rc;
}

/* Write a complete store at `path`. */
static ge_status write_file(const char *path, const struct ge_journal_scan *scan)
{
    ge_status rc = GE_OK;
    struct ge_h5_file f = {0};
    struct ge_hash digest;
    uint32_t *systems = NULL;
    GE_TRY(ge_h5_create(&f, path));
    GE_TRY(write_groups(&f));
    GE_TRY(write_names(&f, scan->run));
    GE_TRY(write_systems(&f, scan->run, &systems));
    GE_TRY(write_cells(&f, scan->run, systems));
    GE_TRY(write_items(&f, scan->run));
    GE_TRY(write_ratings(&f, &scan->run->ratings, systems));
    GE_TRY(write_results(&f, scan, systems, &digest));
    GE_TRY(write_meta(&f, scan, digest));
    GE_TRY(ge_h5_close(&f, true));
done:
    if (rc != GE_OK && f.failed != GE_OK) rc = ge_h5_fail(&f, path);
    if (rc != GE_OK) {
        /* Keep the message: closing a half-written file has more to say, but nothing new. */
        char *why = ge_strdup(ge_error());
        (void)ge_h5_close(&f, false);
        if (why != NULL) ge_fail(rc, "%s", why);
        free(why);
    }
    free(systems);
    return rc;
}

ge_status ge_store_pack(const char *dir)
{
    ge_status rc = GE_OK;
    struct ge_journal_scan scan = {0};
    char *journal = NULL, *path = NULL, *aside = NULL;
    GE_TRY_PTR(journal, ge_sprintf("%s/%s", dir, GE_FILE_JOURNAL));
    GE_TRY_PTR(path, ge_sprintf("%s/%s", dir, GE_FILE_RESULTS));
    GE_TRY_PTR(aside, ge_sprintf("%s.new", path));
    GE_TRY(ge_journal_scan(journal, &scan));
    if (scan.run == NULL) {
        rc = ge_fail(GE_ENOENT, "%s: no run was recorded here; nothing to pack", dir);
        goto done;
    }
    GE_TRY(write_file(aside, &scan));
    GE_TRY(ge_sum_install(aside, path));
done:
    if (rc != GE_OK && aside != NULL) (void)ge_io()->unlink(aside);
    ge_journal_scan_free(&scan);
    free(aside);
    free(path);
    free(journal);
    return rc;
}
