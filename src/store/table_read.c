/* Columns back into rows of structs, a block at a time, with every extent checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "store/table.h"

enum { BLOCK = GE_H5_ROWS };

/* A table being read. */
struct input {
    const struct ge_table *table;
    struct ge_arena *arena;
    struct ge_h5_in columns[GE_TABLE_MAX_COLUMNS];
    struct ge_h5_in content[GE_TABLE_MAX_COLUMNS];
    uint64_t used[GE_TABLE_MAX_COLUMNS]; /* of the content, in elements */
    uint64_t n;
    void *block; /* (BLOCK) elements of one column */
};

static ge_status open_column(struct input *in, const struct ge_h5_file *f, size_t i)
{
    ge_status rc = GE_OK;
    char path[128];
    const struct ge_column *c = &in->table->columns[i];
    bool string = c->kind == GE_COLUMN_STRING, vector = c->kind == GE_COLUMN_VECTOR;
    snprintf(path, sizeof path, "/%s/%s%s", in->table->name, c->name, string ? "_bytes" : "");
    GE_TRY(ge_h5_in_open(&in->columns[i], f, path, ge_column_type(c->kind)));
    if (string) {
        snprintf(path, sizeof path, "/strings/%s.%s", in->table->name, c->name);
        GE_TRY(ge_h5_in_open(&in->content[i], f, path, GE_H5_U8));
    } else if (vector) {
        snprintf(path, sizeof path, "/vectors/%s", in->table->name);
        GE_TRY(ge_h5_in_open(&in->content[i], f, path, GE_H5_F32));
    }
    if (i == 0) in->n = in->columns[0].rows;
    if (in->columns[i].rows != in->n) {
        rc = ge_fail(GE_EFORMAT, "%s: /%s: column %s has %llu rows, column %s has %llu", f->path,
                     in->table->name, c->name, (unsigned long long)in->columns[i].rows,
                     in->table->columns[0].name, (unsigned long long)in->n);
    }
done:
    return rc;
}

static ge_status bad_content(const struct input *in, size_t i)
{
    return ge_fail(GE_EFORMAT, "%s: %s does not fit the lengths in %s", in->content[i].file->path,
                   in->content[i].path, in->columns[i].path);
}

/* Strings of a block: lengths are in the block, the bytes follow those already used. */
static ge_status read_strings(struct input *in, size_t i, unsigned char *rows, size_t n)
{
    ge_status rc = GE_OK;
    const int32_t *bytes = in->block;
    char *content = NULL;
    uint64_t total = 0;
    for (size_t r = 0; r < n; r++) {
        if (bytes[r] < -1) return bad_content(in, i);
        if (bytes[r] > 0) total += (uint64_t)bytes[r];
    }
    if (total > in->content[i].rows - in->used[i]) return bad_content(in, i);
    GE_NEW(content, (size_t)total);
    GE_TRY(ge_h5_in_get(&in->content[i], in->used[i], (size_t)total, content));
    in->used[i] += total;
    size_t at = 0;
    for (size_t r = 0; r < n; r++) {
        const char *s = NULL;
        if (bytes[r] >= 0) {
            size_t len = (size_t)bytes[r];
            if (memchr(content + at, '\0', len) != NULL) {
                rc = bad_content(in, i);
                goto done;
            }
            GE_TRY_PTR(s, ge_arena_strndup(in->arena, content + at, len));
            at += len;
        }
        memcpy(rows + r * in->table->row_bytes + in->table->columns[i].offset, &s, sizeof s);
    }
done:
    free(content);
    return rc;
}

/* Vectors of a block: one allocation that its rows point into. */
static ge_status read_vectors(struct input *in, size_t i, unsigned char *rows, size_t n)
{
    ge_status rc = GE_OK;
    const uint32_t *dims = in->block;
    float *values = NULL;
    uint64_t total = 0;
    for (size_t r = 0; r < n; r++) total += dims[r];
    if (total > in->content[i].rows - in->used[i]) return bad_content(in, i);
    GE_TRY_PTR(values, ge_arena_alloc(in->arena, (size_t)total, sizeof *values));
    GE_TRY(ge_h5_in_get(&in->content[i], in->used[i], (size_t)total, values));
    in->used[i] += total;
    for (size_t r = 0; r < n; r++) {
        unsigned char *row = rows + r * in->table->row_bytes;
        memcpy(row + in->table->columns[i].offset, &dims[r], sizeof dims[r]);
        memcpy(row + offsetof(struct ge_embedding_row, values), &values, sizeof values);
        values += dims[r];
    }
done:
    return rc;
}

/* One column's part of a block of n rows that begins at row `first`. */
static ge_status read_column(struct input *in, size_t i, uint64_t first, unsigned char *rows,
                             size_t n, struct ge_row_cells *cells)
{
    ge_status rc = GE_OK;
    const struct ge_column *c = &in->table->columns[i];
    size_t size = in->columns[i].size;
    GE_TRY(ge_h5_in_get(&in->columns[i], first, n, in->block));
    switch (c->kind) {
    case GE_COLUMN_STRING:
        return read_strings(in, i, rows, n);
    case GE_COLUMN_VECTOR:
        return read_vectors(in, i, rows, n);
    case GE_COLUMN_CELL:
        if (cells != NULL) memcpy(cells->cell + first, in->block, n * size);
        return GE_OK;
    case GE_COLUMN_SYSTEM:
        if (cells != NULL) memcpy(cells->system + first, in->block, n * size);
        return GE_OK;
    case GE_COLUMN_U8:
    case GE_COLUMN_U16:
    case GE_COLUMN_U32:
    case GE_COLUMN_U64:
    case GE_COLUMN_F64:
        break;
    }
    for (size_t r = 0; r < n; r++) {
        memcpy(rows + r * in->table->row_bytes + c->offset, (char *)in->block + r * size, size);
    }
done:
    return rc;
}

static ge_status read_rows(struct input *in, unsigned char *rows, struct ge_row_cells *cells)
{
    ge_status rc = GE_OK;
    for (uint64_t first = 0; first < in->n; first += BLOCK) {
        size_t n = in->n - first < BLOCK ? (size_t)(in->n - first) : BLOCK;
        unsigned char *to = rows + first * in->table->row_bytes;
        for (size_t i = 0; i < in->table->n_columns; i++) {
            GE_TRY(read_column(in, i, first, to, n, cells));
        }
    }
    for (size_t i = 0; i < in->table->n_columns; i++) {
        if (in->content[i].path != NULL && in->used[i] != in->content[i].rows) {
            return bad_content(in, i);
        }
    }
done:
    return rc;
}

ge_status ge_table_read(const struct ge_h5_file *f, const struct ge_table *table,
                        struct ge_arena *arena, void **rows, size_t *n, struct ge_row_cells *cells)
{
    ge_status rc = GE_OK;
    struct input in = {.table = table, .arena = arena};
    *rows = NULL;
    *n = 0;
    for (size_t i = 0; i < table->n_columns; i++) {
        in.columns[i].dataset = in.columns[i].type = H5I_INVALID_HID;
        in.content[i].dataset = in.content[i].type = H5I_INVALID_HID;
    }
    for (size_t i = 0; i < table->n_columns; i++) GE_TRY(open_column(&in, f, i));
    GE_TRY_PTR(in.block, ge_calloc(BLOCK, sizeof(uint64_t)));
    GE_TRY_PTR(*rows, ge_arena_alloc(arena, (size_t)in.n, table->row_bytes));
    if (cells != NULL) {
        GE_NEW(cells->cell, (size_t)in.n);
        GE_NEW(cells->system, (size_t)in.n);
    }
    GE_TRY(read_rows(&in, *rows, cells));
    *n = (size_t)in.n;
done:
    for (size_t i = 0; i < table->n_columns; i++) {
        ge_h5_in_close(&in.columns[i]);
        ge_h5_in_close(&in.content[i]);
    }
    free(in.block);
    return rc;
}

/* ---- name tables -------------------------------------------------------------------------------- */

ge_status ge_names_read(const struct ge_h5_file *f, const char *name, struct ge_arena *arena,
                        struct ge_strings *out)
{
    ge_status rc = GE_OK;
    struct ge_h5_in in;
    char path[64], *block = NULL;
    *out = (struct ge_strings){0};
    snprintf(path, sizeof path, "/names/%s", name);
    rc = ge_h5_in_open(&in, f, path, GE_H5_TEXT);
    if (rc != GE_OK) return rc;
    size_t step = ((size_t)1 << 20) / in.size + 1;
    GE_NEW(block, step * in.size);
    GE_TRY_PTR(out->v, ge_arena_alloc(arena, (size_t)in.rows, sizeof *out->v));
    while (out->n < in.rows) {
        size_t n = in.rows - out->n < step ? (size_t)(in.rows - out->n) : step;
        GE_TRY(ge_h5_in_get(&in, out->n, n, block));
        for (size_t i = 0; i < n; i++) {
            const char *s = block + i * in.size;
            GE_TRY_PTR(out->v[out->n], ge_arena_strndup(arena, s, strnlen(s, in.size)));
            out->n++;
        }
    }
done:
    ge_h5_in_close(&in);
    free(block);
    return rc;
}
