/* Rows of structs into columns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/sort.h"
#include "store/table.h"

enum ge_h5_type ge_column_type(enum ge_column_kind kind)
{
    switch (kind) {
    case GE_COLUMN_U8:
        return GE_H5_U8;
    case GE_COLUMN_U16:
        return GE_H5_U16;
    case GE_COLUMN_U64:
        return GE_H5_U64;
    case GE_COLUMN_F64:
        return GE_H5_F64;
    case GE_COLUMN_STRING:
        return GE_H5_I32;
    case GE_COLUMN_U32:
    case GE_COLUMN_CELL:
    case GE_COLUMN_SYSTEM:
    case GE_COLUMN_VECTOR:
        break;
    }
    return GE_H5_U32;
}

static ge_status column_open(struct ge_column_out *out, const struct ge_h5_file *f,
                             const struct ge_table *table, const struct ge_column *c)
{
    ge_status rc = GE_OK;
    char path[128];
    bool string = c->kind == GE_COLUMN_STRING, vector = c->kind == GE_COLUMN_VECTOR;
    snprintf(path, sizeof path, "/%s/%s%s", table->name, c->name, string ? "_bytes" : "");
    GE_TRY(ge_h5_out_open(&out->column, f, path, ge_column_type(c->kind), 0));
    out->has_content = string || vector;
    if (string) {
        snprintf(path, sizeof path, "/strings/%s.%s", table->name, c->name);
        GE_TRY(ge_h5_out_open(&out->content, f, path, GE_H5_U8, 0));
    } else if (vector) {
        snprintf(path, sizeof path, "/vectors/%s", table->name);
        GE_TRY(ge_h5_out_open(&out->content, f, path, GE_H5_F32, 0));
    }
done:
    return rc;
}

ge_status ge_table_out_open(struct ge_table_out *out, const struct ge_h5_file *f,
                            const struct ge_table *table, const uint32_t *systems)
{
    ge_status rc = GE_OK;
    char path[64];
    GE_ASSERT(table->n_columns <= GE_TABLE_MAX_COLUMNS);
    *out = (struct ge_table_out){.table = table, .systems = systems};
    snprintf(path, sizeof path, "/%s", table->name);
    GE_TRY(ge_h5_group(f, path));
    for (size_t i = 0; i < table->n_columns; i++) {
        GE_TRY(column_open(&out->columns[i], f, table, &table->columns[i]));
    }
done:
    return rc;
}

static ge_status put_string(struct ge_column_out *out, const char *s)
{
    ge_status rc = GE_OK;
    size_t len = s != NULL ? strlen(s) : 0;
    int32_t bytes = -1;
    if (len > INT32_MAX) {
        rc = ge_fail(GE_ELIMIT, "%s: a text of %zu bytes, at most %d are possible",
                     out->column.path, len, INT32_MAX);
        goto done;
    }
    if (s != NULL) bytes = (int32_t)len;
    GE_TRY(ge_h5_out_put(&out->column, &bytes, 1));
    GE_TRY(ge_h5_out_put(&out->content, s, len));
done:
    return rc;
}

static ge_status put_field(struct ge_table_out *out, size_t i, uint32_t cell,
                           const unsigned char *row)
{
    struct ge_column_out *c = &out->columns[i];
    const struct ge_column *column = &out->table->columns[i];
    const unsigned char *field = row + column->offset;
    const char *string;
    const float *values;
    uint32_t dim;
    switch (column->kind) {
    case GE_COLUMN_CELL:
        return ge_h5_out_put(&c->column, &cell, 1);
    case GE_COLUMN_SYSTEM:
        return ge_h5_out_put(&c->column, &out->systems[cell], 1);
    case GE_COLUMN_STRING:
        memcpy(&string, field, sizeof string);
        return put_string(c, string);
    case GE_COLUMN_VECTOR:
        memcpy(&dim, field, sizeof dim);
        memcpy(&values, row + offsetof(struct ge_embedding_row, values), sizeof values);
        if (dim > 0) {
            ge_status rc = ge_h5_out_put(&c->content, values, dim);
            if (rc != GE_OK) return rc;
        }
        return ge_h5_out_put(&c->column, &dim, 1);
    case GE_COLUMN_U8:
    case GE_COLUMN_U16:
    case GE_COLUMN_U32:
    case GE_COLUMN_U64:
    case GE_COLUMN_F64:
        break;
    }
    return ge_h5_out_put(&c->column, field, 1);
}

ge_status ge_table_out_put(struct ge_table_out *out, uint32_t cell, const void *rows, size_t n)
{
    ge_status rc = GE_OK;
    const unsigned char *row = rows;
    for (size_t r = 0; r < n; r++, row += out->table->row_bytes) {
        for (size_t i = 0; i < out->table->n_columns; i++) GE_TRY(put_field(out, i, cell, row));
    }
done:
    return rc;
}

ge_status ge_table_out_close(struct ge_table_out *out)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < out->table->n_columns; i++) {
        GE_TRY(ge_h5_out_close(&out->columns[i].column));
        if (out->columns[i].has_content) GE_TRY(ge_h5_out_close(&out->columns[i].content));
    }
done:
    return rc;
}

void ge_table_out_free(struct ge_table_out *out)
{
    if (out->table == NULL) return;
    for (size_t i = 0; i < out->table->n_columns; i++) {
        ge_h5_out_free(&out->columns[i].column);
        ge_h5_out_free(&out->columns[i].content);
    }
    out->table = NULL;
}

/* ---- name tables -------------------------------------------------------------------------------- */

ge_status ge_names_write(const struct ge_h5_file *f, const char *name, const char *const *v,
                         size_t n)
{
    ge_status rc = GE_OK;
    struct ge_h5_out out = {0};
    char path[64], *padded = NULL;
    size_t size = 1;
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(v[i]);
        if (len > size) size = len;
    }
    snprintf(path, sizeof path, "/names/%s", name);
    GE_NEW(padded, size);
    GE_TRY(ge_h5_out_open(&out, f, path, GE_H5_TEXT, size));
    for (size_t i = 0; i < n; i++) {
        size_t len = strlen(v[i]);
        memcpy(padded, v[i], len);
        memset(padded + len, 0, size - len);
        GE_TRY(ge_h5_out_put(&out, padded, 1));
    }
    GE_TRY(ge_h5_out_close(&out));
done:
    ge_h5_out_free(&out);
    free(padded);
    return rc;
}

ge_status ge_distinct(const char *const *v, size_t n, struct ge_strings *out)
{
    ge_status rc = GE_OK;
    *out = (struct ge_strings){0};
    GE_NEW(out->v, n);
    for (size_t i = 0; i < n; i++) out->v[i] = v[i];
    out->n = ge_unique_strings(out->v, n);
done:
    return rc;
}

uint32_t ge_distinct_find(const struct ge_strings *names, const char *s)
{
    const char **p = bsearch(&s, names->v, names->n, sizeof *names->v, ge_compare_strings);
    GE_ASSERT(p != NULL);
    return (uint32_t)(p - names->v);
}
