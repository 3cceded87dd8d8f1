/* Verdicts from CSV. */
#include "cli/verdicts.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate/irt.h"
#include "base/csv.h"
#include "base/mem.h"
#include "dataset/index.h"

struct columns {
    size_t model, item, category, cluster, judges, verdict[GE_DIRECTIONS];
};

struct reader {
    struct ge_csv *csv;
    struct columns at;
    bool whole;
    struct ge_dataset_index *models, *items; /* names to positions, in the order of first rows */
    uint32_t *system, *item;                 /* (rows) positions of each row's */
    size_t *model_row, *item_row;            /* (rows; used: n_models, n_items) first row of each */
    size_t n_models, n_items;
    struct ge_run *run;
};

static ge_status bad(const struct reader *r, size_t row, const char *what, const char *value)
{
    return ge_fail(GE_EFORMAT, "%s, line %zu: %s \"%.100s\"", r->csv->name, r->csv->lines[row],
                   what, value);
}

static const char *field(const struct reader *r, size_t row, size_t column)
{
    return ge_csv_field(r->csv, row, column);
}

static ge_status find_columns(struct reader *r)
{
    ge_status rc = GE_OK;
    GE_TRY(ge_csv_need(r->csv, "model", &r->at.model));
    GE_TRY(ge_csv_need(r->csv, "item", &r->at.item));
    GE_TRY(ge_csv_need(r->csv, "category", &r->at.category));
    GE_TRY(ge_csv_need(r->csv, "und", &r->at.verdict[GE_UND]));
    GE_TRY(ge_csv_need(r->csv, "gen", &r->at.verdict[GE_GEN]));
    r->at.cluster = ge_csv_find(r->csv, "cluster");
    r->at.judges = ge_csv_find(r->csv, "judges");
    if (r->csv->n_rows == 0 || r->csv->n_rows > UINT32_MAX) {
        GE_TRY(ge_fail(GE_EFORMAT, "%s: %zu lines of verdicts; wanted at least one", r->csv->name,
                       r->csv->n_rows));
    }
done:
    return rc;
}

/* ---- models and items ------------------------------------------------------------------------------ */

/* The position of a row's name; a new one comes behind the others. */
static ge_status position(const struct reader *r, struct ge_dataset_index *index, size_t row,
                          size_t column, size_t *first_row, size_t *n, uint32_t *out)
{
    ge_status rc = GE_OK;
    const char *name = field(r, row, column);
    bool fresh = false;
    if (name[0] == '\0') {
        GE_TRY(ge_fail(GE_EFORMAT, "%s, line %zu: no %s", r->csv->name, r->csv->lines[row],
                       r->csv->columns[column]));
    }
    GE_TRY(ge_index_add(index, name, (uint32_t)*n, &fresh));
    if (fresh) first_row[(*n)++] = row;
    *out = *ge_index_find(index, name);
done:
    return rc;
}

/* Every line of an item says the same about it. */
static ge_status check_item(const struct reader *r, size_t row)
{
    const size_t columns[] = {r->at.category, r->at.cluster};
    size_t first = r->item_row[r->item[row]];
    for (int i = 0; i < 2; i++) {
        const char *here = field(r, row, columns[i]), *there = field(r, first, columns[i]);
        if (strcmp(here, there) == 0) continue;
        return ge_fail(GE_EFORMAT,
                       "%s, line %zu: item \"%.100s\" has %s \"%.100s\", on line %zu \"%.100s\"",
                       r->csv->name, r->csv->lines[row], field(r, row, r->at.item),
                       r->csv->columns[columns[i]], here, r->csv->lines[first], there);
    }
    return GE_OK;
}

static ge_status name_rows(struct reader *r)
{
    ge_status rc = GE_OK;
    size_t rows = r->csv->n_rows;
    GE_TRY_PTR(r->models, ge_index_new());
    GE_TRY_PTR(r->items, ge_index_new());
    GE_NEW(r->system, rows);
    GE_NEW(r->item, rows);
    GE_NEW(r->model_row, rows);
    GE_NEW(r->item_row, rows);
    for (size_t row = 0; row < rows; row++) {
        GE_TRY(
            position(r, r->models, row, r->at.model, r->model_row, &r->n_models, &r->system[row]));
        GE_TRY(position(r, r->items, row, r->at.item, r->item_row, &r->n_items, &r->item[row]));
        GE_TRY(check_item(r, row));
    }
done:
    return rc;
}

/* Each model and item once. */
static ge_status check_twice(const struct reader *r)
{
    ge_status rc = GE_OK;
    unsigned char *seen = NULL; /* (models, items) bits */
    size_t bits = 0;
    GE_TRY(ge_mul(r->n_models, r->n_items, &bits));
    GE_NEW(seen, bits / 8 + 1);
    for (size_t row = 0; row < r->csv->n_rows; row++) {
        size_t bit = r->system[row] * r->n_items + r->item[row], first = 0;
        if ((seen[bit / 8] >> (bit % 8) & 1) == 0) {
            seen[bit / 8] |= (unsigned char)(1u << (bit % 8));
            continue;
        }
        while (r->system[first] != r->system[row] || r->item[first] != r->item[row]) first++;
        GE_TRY(ge_fail(
            GE_EFORMAT,
            "%s, line %zu: model \"%.100s\", item \"%.100s\" is on line %zu already; wanted one "
            "line for each (average repeated judgements and say how many in judges)",
            r->csv->name, r->csv->lines[row], field(r, row, r->at.model), field(r, row, r->at.item),
            r->csv->lines[first]));
    }
done:
    free(seen);
    return rc;
}

/* ---- verdicts ----------------------------------------------------------------------------------------- */

static ge_status read_judges(const struct reader *r, size_t row, uint32_t *out)
{
    double v = 1;
    ge_status rc = GE_OK;
    if (field(r, row, r->at.judges)[0] != '\0') rc = ge_csv_number(r->csv, row, r->at.judges, &v);
    if (rc != GE_OK) return rc;
    if (!(v >= 1 && v <= GE_IRT_JUDGED_MOST) || v != (double)(uint32_t)v) {
        return bad(r, row, "judges is a whole number from 1, found", field(r, row, r->at.judges));
    }
    *out = (uint32_t)v;
    return GE_OK;
}

/* One direction of a row, into the model's result. */
static ge_status read_verdict(const struct reader *r, size_t row, int direction, uint32_t judges,
                              struct ge_result *result)
{
    ge_status rc = GE_OK;
    size_t column = r->at.verdict[direction];
    struct ge_key key = {.item = r->item[row], .direction = (uint8_t)direction};
    double v = 0;
    uint32_t right;
    if (field(r, row, column)[0] == '\0') {
        result->errors[result->n_errors++] =
            (struct ge_error_row){.key = key, .status = GE_EFORMAT, .reason = "no verdict"};
        return GE_OK;
    }
    GE_TRY(ge_csv_number(r->csv, row, column, &v));
    if (!(v >= 0 && v <= 1)) {
        GE_TRY(bad(r, row, "a verdict is a number from 0 to 1, or empty; found",
                   field(r, row, column)));
    }
    if (r->whole && ge_irt_right(v, judges, &right) != GE_OK) {
        GE_TRY(ge_fail_in(GE_EFORMAT, "%s, line %zu", r->csv->name, r->csv->lines[row]));
    }
    result->verdicts[result->n_verdicts++] =
        (struct ge_verdict_row){.key = key, .value = v, .judges = judges};
done:
    return rc;
}

/* A result for each model, with as much room as it has rows. */
static ge_status make_results(struct reader *r)
{
    ge_status rc = GE_OK;
    struct ge_run *run = r->run;
    size_t *rows = NULL;
    GE_NEW(rows, r->n_models);
    GE_TRY_PTR(run->results, ge_arena_alloc(run->arena, r->n_models, sizeof *run->results));
    for (size_t row = 0; row < r->csv->n_rows; row++) rows[r->system[row]]++;
    for (size_t m = 0; m < r->n_models; m++) {
        struct ge_result *result = &run->results[m];
        size_t most = GE_DIRECTIONS * rows[m];
        result->cell = (uint32_t)m;
        result->count = (uint32_t)r->n_items;
        GE_TRY_PTR(result->verdicts, ge_arena_alloc(run->arena, most, sizeof *result->verdicts));
        GE_TRY_PTR(result->errors, ge_arena_alloc(run->arena, most, sizeof *result->errors));
    }
    run->n_results = r->n_models;
done:
    free(rows);
    return rc;
}

static ge_status read_verdicts(struct reader *r)
{
    ge_status rc = GE_OK;
    GE_TRY(make_results(r));
    for (size_t row = 0; row < r->csv->n_rows; row++) {
        uint32_t judges = 1;
        GE_TRY(read_judges(r, row, &judges));
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            GE_TRY(read_verdict(r, row, d, judges, &r->run->results[r->system[row]]));
        }
    }
done:
    return rc;
}

/* ---- all of it ------------------------------------------------------------------------------------------ */

static ge_status make_run(struct reader *r)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = NULL;
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY_PTR(r->run, ge_arena_alloc(arena, 1, sizeof *r->run));
    r->run->arena = arena;
    arena = NULL; /* the run's */
done:
    ge_arena_delete(&arena);
    return rc;
}

static ge_status make_cells(struct reader *r)
{
    ge_status rc = GE_OK;
    struct ge_run *run = r->run;
    GE_TRY_PTR(run->cells, ge_arena_alloc(run->arena, r->n_models, sizeof *run->cells));
    for (run->n_cells = 0; run->n_cells < r->n_models; run->n_cells++) {
        const char *name = field(r, r->model_row[run->n_cells], r->at.model);
        GE_TRY_PTR(run->cells[run->n_cells].system, ge_arena_strdup(run->arena, name));
    }
done:
    return rc;
}

static ge_status make_items(struct reader *r)
{
    ge_status rc = GE_OK;
    struct ge_run *run = r->run;
    GE_TRY_PTR(run->items, ge_arena_alloc(run->arena, r->n_items, sizeof *run->items));
    for (run->n_items = 0; run->n_items < r->n_items; run->n_items++) {
        struct ge_item *item = &run->items[run->n_items];
        size_t row = r->item_row[run->n_items];
        const char *category = field(r, row, r->at.category),
                   *cluster = field(r, row, r->at.cluster);
        item->index = (uint32_t)run->n_items;
        for (int d = 0; d < GE_DIRECTIONS; d++) {
            item->task[d].present = true;
            item->task[d].type = "verdict";
        }
        GE_TRY_PTR(item->id, ge_arena_strdup(run->arena, field(r, row, r->at.item)));
        item->cluster = item->id;
        if (cluster[0] != '\0') GE_TRY_PTR(item->cluster, ge_arena_strdup(run->arena, cluster));
        if (category[0] != '\0') GE_TRY_PTR(item->category, ge_arena_strdup(run->arena, category));
    }
done:
    return rc;
}

ge_status ge_verdicts_read(const char *path, bool whole, struct ge_run **run)
{
    ge_status rc = GE_OK;
    struct reader r = {.whole = whole};
    *run = NULL;
    GE_TRY(ge_csv_read(path, ',', &r.csv));
    GE_TRY(find_columns(&r));
    GE_TRY(name_rows(&r));
    GE_TRY(check_twice(&r));
    GE_TRY(make_run(&r));
    GE_TRY(make_cells(&r));
    GE_TRY(make_items(&r));
    GE_TRY(read_verdicts(&r));
    *run = r.run;
    r.run = NULL;
done:
    ge_index_delete(&r.models);
    ge_index_delete(&r.items);
    ge_run_delete(&r.run);
    ge_csv_delete(&r.csv);
    free(r.system);
    free(r.item);
    free(r.model_row);
    free(r.item_row);
    return rc;
}
