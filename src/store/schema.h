/* The tables of results.h5 as data: which columns each has, of which type, from which field.
 * docs/store.md is the same for people; a test compares the two. Private to store/. */
#ifndef GE_STORE_SCHEMA_H
#define GE_STORE_SCHEMA_H

#include <stddef.h>
#include <stdint.h>

#include "record/result.h"

/* How a column gets its value from a row. */
enum ge_column_kind {
    GE_COLUMN_U8,
    GE_COLUMN_U16,
    GE_COLUMN_U32,
    GE_COLUMN_U64,
    GE_COLUMN_F64,
    GE_COLUMN_CELL,   /* u32: the cell that the row belongs to; not a field */
    GE_COLUMN_SYSTEM, /* u32: that cell's system, index into /names/system; not a field */
    GE_COLUMN_STRING, /* const char *: i32 column <name>_bytes (-1: none) and bytes in /strings */
    GE_COLUMN_VECTOR  /* u32 dim, followed by const float *: u32 column and values in /vectors */
};

struct ge_column {
    const char *name;
    enum ge_column_kind kind;
    size_t offset; /* of the field in the row struct */
};

struct ge_table {
    const char *name;
    size_t row_bytes; /* of the row struct */
    const struct ge_column *columns;
    size_t n_columns;
};

enum { GE_TABLE_MAX_COLUMNS = 12 };

/* One row of /items: positions in the name tables, and the whole item as JSON. */
struct ge_item_row {
    uint32_t item, category, subcategory, cluster;
    const char *record;
};

extern const struct ge_table ge_table_items;      /* struct ge_item_row */
extern const struct ge_table ge_table_cells;      /* struct ge_cell */
extern const struct ge_table ge_table_chunks;     /* struct ge_result */
extern const struct ge_table ge_table_responses;  /* struct ge_response_row */
extern const struct ge_table ge_table_scores;     /* struct ge_score_row */
extern const struct ge_table ge_table_verdicts;   /* struct ge_verdict_row */
extern const struct ge_table ge_table_errors;     /* struct ge_error_row */
extern const struct ge_table ge_table_embeddings; /* struct ge_embedding_row */
extern const struct ge_table ge_table_undone;     /* struct ge_undone_row */
extern const struct ge_table ge_table_ratings;    /* struct ge_rating; only where there are any */

/* The six tables of rows in the order of struct ge_result, and where a result keeps each. */
struct ge_result_table {
    const struct ge_table *table;
    size_t rows, count; /* offsets of the pointer and of the number in struct ge_result */
};
enum { GE_RESULT_TABLES = 6 };
extern const struct ge_result_table ge_result_tables[GE_RESULT_TABLES];

#endif
