/* Ratings from a table or from JSON lines; both end in put_row(). */
#include "dataset/ratings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/sort.h"
#include "dataset/fields.h"
#include "dataset/index.h"
#include "dataset/lines.h"

enum { NAME_BYTES_MAX = 256, SAMPLE_MAX = 1000000 };

enum column { ITEM, SYSTEM, DIRECTION, RATER, DIMENSION, SCORE, SAMPLE, COLUMNS };
static const char *const column_names[COLUMNS] = {"item",      "system", "direction", "rater",
                                                  "dimension", "score",  "sample"};

/* Distinct names in the order of their first use. */
struct names {
    struct ge_dataset_index *index;
    const char **v; /* heap; strings in the arena */
    size_t n, cap;
};

struct row {
    struct ge_rating r;
    size_t line;
};

struct import {
    const char *path;
    const struct ge_rated_run *about;
    struct ge_arena *arena;
    struct ge_dataset_index *items, *systems;
    struct names raters, dimensions;
    struct row *rows;
    size_t n, cap, skipped;
};

/* One line as texts and numbers, wherever it came from. */
struct line {
    size_t number;
    const char *text[COLUMNS]; /* those before SCORE */
    double score;
    uint32_t sample;
};

static ge_status refuse(const struct import *im, size_t line, enum column c, const char *found,
                        const char *allowed)
{
    return ge_fail(GE_EFORMAT, "%s line %zu: %s: found \"%.80s\", allowed: %s", im->path, line,
                   column_names[c], found, allowed);
}

/* ---- one rating ------------------------------------------------------------------------------ */

static ge_status name_index(struct import *im, struct names *names, const char *name,
                            uint32_t *index)
{
    ge_status rc = GE_OK;
    bool fresh;
    const char *kept;
    const uint32_t *found = ge_index_find(names->index, name);
    if (found != NULL) {
        *index = *found;
        return GE_OK;
    }
    GE_TRY_PTR(kept, ge_arena_strdup(im->arena, name));
    GE_GROW(names->v, names->n, names->cap);
    GE_TRY(ge_index_add(names->index, kept, (uint32_t)names->n, &fresh));
    *index = (uint32_t)names->n;
    names->v[names->n++] = kept;
done:
    return rc;
}

static ge_status check_name(const struct import *im, const struct line *l, enum column c)
{
    size_t len = strlen(l->text[c]);
    if (len > 0 && len <= NAME_BYTES_MAX) return GE_OK;
    return refuse(im, l->number, c, l->text[c], "a name of 1 to 256 bytes");
}

/* The item's index; *skip if the selection leaves it out. */
static ge_status find_item(const struct import *im, const struct line *l, uint32_t *item,
                           bool *skip)
{
    bool known = im->about->partial;
    const uint32_t *found = ge_index_find(im->items, l->text[ITEM]);
    *skip = false;
    if (found != NULL) {
        *item = *found;
        return GE_OK;
    }
    if (im->about->dataset != NULL) {
        (void)ge_dataset_find(im->about->dataset, l->text[ITEM], &known);
    }
    *skip = known;
    if (known) return GE_OK;
    return refuse(im, l->number, ITEM, l->text[ITEM],
                  im->about->dataset != NULL ? "the id of an item in the dataset"
                                             : "the id of an item in the store");
}

static ge_status put_row(struct import *im, const struct line *l)
{
    ge_status rc = GE_OK;
    struct row row = {.line = l->number, .r.score = l->score};
    bool skip;
    const uint32_t *cell = ge_index_find(im->systems, l->text[SYSTEM]);
    enum ge_direction direction;
    if (cell == NULL) {
        GE_TRY(refuse(im, l->number, SYSTEM, l->text[SYSTEM], "the name of a system in the run"));
    }
    if (!ge_direction_find(l->text[DIRECTION], &direction)) {
        GE_TRY(refuse(im, l->number, DIRECTION, l->text[DIRECTION], "und or gen"));
    }
    row.r.cell = *cell;
    row.r.key.direction = (uint8_t)direction;
    row.r.key.sample = l->sample;
    if (!(fabs(l->score) <= GE_RATING_SCORE_MOST)) {
        char score[32];
        ge_double_text(l->score, score);
        GE_TRY(refuse(im, l->number, SCORE, score, "a number from -1e9 to 1e9"));
    }
    GE_TRY(check_name(im, l, RATER));
    GE_TRY(check_name(im, l, DIMENSION));
    GE_TRY(find_item(im, l, &row.r.key.item, &skip));
    im->skipped += skip;
    if (skip) goto done;
    if (!im->about->items[row.r.key.item].task[row.r.key.direction].present) {
        GE_TRY(
            refuse(im, l->number, DIRECTION, l->text[DIRECTION], "a direction that the item has"));
    }
    GE_TRY(name_index(im, &im->raters, l->text[RATER], &row.r.rater));
    GE_TRY(name_index(im, &im->dimensions, l->text[DIMENSION], &row.r.dimension));
    GE_GROW(im->rows, im->n, im->cap);
    im->rows[im->n++] = row;
done:
    return rc;
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* Where each column is; a column that means nothing to us is refused, it may be a slip. */
static ge_status find_columns(const struct ge_csv *csv, size_t at[COLUMNS])
{
    ge_status rc = GE_OK;
    for (int c = 0; c < SAMPLE; c++) GE_TRY(ge_csv_need(csv, column_names[c], &at[c]));
    at[SAMPLE] = ge_csv_find(csv, column_names[SAMPLE]);
    for (size_t i = 0; i < csv->n_columns; i++) {
        bool known = false;
        for (int c = 0; c < COLUMNS; c++) known |= at[c] == i;
        if (known) continue;
        GE_TRY(ge_fail(GE_EFORMAT,
                       "%s: found the column \"%.80s\", allowed: item, system, direction, rater, "
                       "dimension, score and, if answers have several samples, sample",
                       csv->name, csv->columns[i]));
    }
done:
    return rc;
}

static ge_status read_table(struct import *im, char separator)
{
    ge_status rc = GE_OK;
    struct ge_csv *csv = NULL;
    size_t at[COLUMNS];
    GE_TRY(ge_csv_read(im->path, separator, &csv));
    GE_TRY(find_columns(csv, at));
    for (size_t i = 0; i < csv->n_rows; i++) {
        struct line l = {.number = csv->lines[i]};
        const char *sample = ge_csv_field(csv, i, at[SAMPLE]);
        double number = 0;
        for (int c = 0; c < SCORE; c++) l.text[c] = ge_csv_field(csv, i, at[c]);
        GE_TRY(ge_csv_number(csv, i, at[SCORE], &l.score));
        if (sample[0] != '\0') GE_TRY(ge_csv_number(csv, i, at[SAMPLE], &number));
        if (!(number >= 0 && number <= SAMPLE_MAX && number == floor(number))) {
            GE_TRY(refuse(im, l.number, SAMPLE, sample, "a whole number from 0 to 1000000"));
        }
        l.sample = (uint32_t)number;
        GE_TRY(put_row(im, &l));
    }
done:
    ge_csv_delete(&csv);
    return rc;
}

/* ---- JSON lines ------------------------------------------------------------------------------ */

static ge_status check_keys(const struct ge_fields *f)
{
    for (const ge_json *m = ge_json_first(f->object); m != NULL; m = ge_json_next(m)) {
        bool known = false;
        for (int c = 0; c < COLUMNS; c++) known |= strcmp(ge_json_key(m), column_names[c]) == 0;
        if (known) continue;
        return ge_fail(GE_EFORMAT,
                       "%s: found the key \"%.80s\", allowed: item, system, direction, rater, "
                       "dimension, score, sample",
                       f->place, ge_json_key(m));
    }
    return GE_OK;
}

static ge_status read_object(void *ctx, const struct ge_fields *f, size_t number)
{
    struct import *im = ctx;
    ge_status rc = GE_OK;
    struct line l = {.number = number};
    int64_t sample = 0;
    const ge_json *score = ge_json_get(f->object, column_names[SCORE]);
    GE_TRY(check_keys(f));
    GE_TRY(ge_fields_id(f, column_names[ITEM], &l.text[ITEM]));
    GE_TRY(ge_fields_string(f, column_names[SYSTEM], true, &l.text[SYSTEM]));
    GE_TRY(ge_fields_string(f, column_names[DIRECTION], true, &l.text[DIRECTION]));
    GE_TRY(ge_fields_id(f, column_names[RATER], &l.text[RATER]));
    GE_TRY(ge_fields_string(f, column_names[DIMENSION], true, &l.text[DIMENSION]));
    GE_TRY(ge_fields_int(f, column_names[SAMPLE], 0, SAMPLE_MAX, &sample));
    l.sample = (uint32_t)sample;
    l.score = ge_json_number(score, NAN);
    if (!isfinite(l.score)) {
        GE_TRY(ge_fields_refuse(f, column_names[SCORE], score, "a number from -1e9 to 1e9"));
    }
    GE_TRY(put_row(im, &l));
done:
    return rc;
}

/* ---- all together ---------------------------------------------------------------------------- */

static ge_status index_run(struct import *im)
{
    ge_status rc = GE_OK;
    bool fresh;
    GE_TRY_PTR(im->items, ge_index_new());
    GE_TRY_PTR(im->systems, ge_index_new());
    GE_TRY_PTR(im->raters.index, ge_index_new());
    GE_TRY_PTR(im->dimensions.index, ge_index_new());
    for (size_t i = 0; i < im->about->n_items; i++) {
        GE_TRY(ge_index_add(im->items, im->about->items[i].id, (uint32_t)i, &fresh));
    }
    for (size_t i = 0; i < im->about->n_cells; i++) {
        GE_TRY(ge_index_add(im->systems, im->about->cells[i].system, (uint32_t)i, &fresh));
    }
done:
    return rc;
}

/* Names in byte order into the arena; place (names->n) is where each has gone. */
static ge_status sort_names(const struct import *im, const struct names *names, uint32_t **place,
                            struct ge_strings *out)
{
    ge_status rc = GE_OK;
    GE_NEW(*place, names->n);
    GE_TRY_PTR(out->v, ge_arena_alloc(im->arena, names->n, sizeof *out->v));
    out->n = names->n;
    if (names->n > 0) memcpy(out->v, names->v, names->n * sizeof *out->v);
    if (names->n > 0) qsort(out->v, names->n, sizeof *out->v, ge_compare_strings);
    for (size_t i = 0; i < names->n; i++) {
        (*place)[i] = (uint32_t)ge_rating_name(out, names->v[i]);
    }
done:
    return rc;
}

/* By key; equal keys by line, so that the message names the later one. */
static int compare_rows(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    int by = ge_rating_compare(&x->r, &y->r);
    return by != 0 ? by : (x->line > y->line) - (x->line < y->line);
}

static ge_status finish(struct import *im, struct ge_ratings *out)
{
    ge_status rc = GE_OK;
    uint32_t *raters = NULL, *dimensions = NULL;
    if (im->n + im->skipped == 0) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s: found no rating, allowed: one or more", im->path));
    }
    GE_TRY(sort_names(im, &im->raters, &raters, &out->raters));
    GE_TRY(sort_names(im, &im->dimensions, &dimensions, &out->dimensions));
    for (size_t i = 0; i < im->n; i++) {
        im->rows[i].r.rater = raters[im->rows[i].r.rater];
        im->rows[i].r.dimension = dimensions[im->rows[i].r.dimension];
    }
    if (im->n > 0) qsort(im->rows, im->n, sizeof *im->rows, compare_rows);
    GE_TRY_PTR(out->v, ge_arena_alloc(im->arena, im->n, sizeof *out->v));
    for (size_t i = 0; i < im->n; i++) {
        const struct row *row = &im->rows[i];
        if (i > 0 && ge_rating_compare(&im->rows[i - 1].r, &row->r) == 0) {
            GE_TRY(ge_fail(GE_EFORMAT,
                           "%s line %zu: found the rating of line %zu again (item \"%.80s\", "
                           "rater \"%.80s\", dimension \"%.80s\"), allowed: each once",
                           im->path, row->line, im->rows[i - 1].line,
                           im->about->items[row->r.key.item].id, out->raters.v[row->r.rater],
                           out->dimensions.v[row->r.dimension]));
        }
        out->v[i] = row->r;
    }
    out->n = im->n;
done:
    free(raters);
    free(dimensions);
    return rc;
}

static ge_status read_file(struct import *im)
{
    const char *ending = ge_fs_extension(im->path);
    if (strcasecmp(ending, "csv") == 0) return read_table(im, ',');
    if (strcasecmp(ending, "tsv") == 0) return read_table(im, '\t');
    if (strcasecmp(ending, "jsonl") == 0)
        return ge_lines_each(im->path, NULL, NULL, read_object, im, NULL);
    return ge_fail(GE_EINVAL,
                   "%s: found the ending \"%s\", allowed for ratings: .csv, .tsv or .jsonl",
                   im->path, ending);
}

ge_status ge_ratings_load(const char *path, const struct ge_rated_run *about,
                          struct ge_arena *arena, struct ge_ratings *out, size_t *skipped)
{
    ge_status rc = GE_OK;
    struct import im = {.path = path, .about = about, .arena = arena};
    *out = (struct ge_ratings){0};
    GE_TRY(index_run(&im));
    GE_TRY(read_file(&im));
    GE_TRY(finish(&im, out));
    *skipped = im.skipped;
done:
    if (rc != GE_OK) *out = (struct ge_ratings){0};
    ge_index_delete(&im.items);
    ge_index_delete(&im.systems);
    ge_index_delete(&im.raters.index);
    ge_index_delete(&im.dimensions.index);
    free(im.raters.v);
    free(im.dimensions.v);
    free(im.rows);
    return rc;
}
