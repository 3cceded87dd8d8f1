/* Schema version 1. A changed or removed column needs a new version; added ones do not. */
#include "store/schema.h"

#include "record/run.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TABLE(title, type, list)                                                                   \
    {                                                                                              \
        .name = (title), .row_bytes = sizeof(type), .columns = (list), .n_columns = COUNT(list)    \
    }

/* The key that every row of results begins with. */
#define KEY_COLUMNS(type)                                                                          \
    {"cell", GE_COLUMN_CELL, 0}, {"system", GE_COLUMN_SYSTEM, 0},                                  \
        {"item", GE_COLUMN_U32, offsetof(type, key.item)},                                         \
        {"direction", GE_COLUMN_U8, offsetof(type, key.direction)},                                \
    {                                                                                              \
        "sample", GE_COLUMN_U32, offsetof(type, key.sample)                                        \
    }

static const struct ge_column item_columns[] = {
    {"item", GE_COLUMN_U32, offsetof(struct ge_item_row, item)},
    {"category", GE_COLUMN_U32, offsetof(struct ge_item_row, category)},
    {"subcategory", GE_COLUMN_U32, offsetof(struct ge_item_row, subcategory)},
    {"cluster", GE_COLUMN_U32, offsetof(struct ge_item_row, cluster)},
    {"record", GE_COLUMN_STRING, offsetof(struct ge_item_row, record)},
};
const struct ge_table ge_table_items = TABLE("items", struct ge_item_row, item_columns);

static const struct ge_column cell_columns[] = {
    {"cell", GE_COLUMN_CELL, 0},
    {"system", GE_COLUMN_SYSTEM, 0},
    {"hash_hi", GE_COLUMN_U64, offsetof(struct ge_cell, hash.hi)},
    {"hash_lo", GE_COLUMN_U64, offsetof(struct ge_cell, hash.lo)},
    {"settings", GE_COLUMN_STRING, offsetof(struct ge_cell, settings)},
};
const struct ge_table ge_table_cells = TABLE("cells", struct ge_cell, cell_columns);

static const struct ge_column chunk_columns[] = {
    {"cell", GE_COLUMN_CELL, 0},
    {"system", GE_COLUMN_SYSTEM, 0},
    {"first", GE_COLUMN_U32, offsetof(struct ge_result, first)},
    {"count", GE_COLUMN_U32, offsetof(struct ge_result, count)},
    {"samples", GE_COLUMN_U32, offsetof(struct ge_result, n_samples)},
};
const struct ge_table ge_table_chunks = TABLE("chunks", struct ge_result, chunk_columns);

static const struct ge_column response_columns[] = {
    KEY_COLUMNS(struct ge_response_row),
    {"image_hash_hi", GE_COLUMN_U64, offsetof(struct ge_response_row, image_hash.hi)},
    {"image_hash_lo", GE_COLUMN_U64, offsetof(struct ge_response_row, image_hash.lo)},
    {"truncated", GE_COLUMN_U8, offsetof(struct ge_response_row, truncated)},
    {"text", GE_COLUMN_STRING, offsetof(struct ge_response_row, text)},
    {"image", GE_COLUMN_STRING, offsetof(struct ge_response_row, image)},
};
const struct ge_table ge_table_responses =
    TABLE("responses", struct ge_response_row, response_columns);

static const struct ge_column score_columns[] = {
    KEY_COLUMNS(struct ge_score_row),
    {"metric", GE_COLUMN_U16, offsetof(struct ge_score_row, metric)},
    {"value", GE_COLUMN_F64, offsetof(struct ge_score_row, value)},
};
const struct ge_table ge_table_scores = TABLE("scores", struct ge_score_row, score_columns);

static const struct ge_column verdict_columns[] = {
    KEY_COLUMNS(struct ge_verdict_row),
    {"value", GE_COLUMN_F64, offsetof(struct ge_verdict_row, value)},
    {"rule", GE_COLUMN_U16, offsetof(struct ge_verdict_row, rule)},
    {"judges", GE_COLUMN_U32, offsetof(struct ge_verdict_row, judges)},
};
const struct ge_table ge_table_verdicts = TABLE("verdicts", struct ge_verdict_row, verdict_columns);

static const struct ge_column error_columns[] = {
    KEY_COLUMNS(struct ge_error_row),
    {"status", GE_COLUMN_U8, offsetof(struct ge_error_row, status)},
    {"reason", GE_COLUMN_STRING, offsetof(struct ge_error_row, reason)},
};
const struct ge_table ge_table_errors = TABLE("errors", struct ge_error_row, error_columns);

static const struct ge_column embedding_columns[] = {
    KEY_COLUMNS(struct ge_embedding_row),
    {"kind", GE_COLUMN_U16, offsetof(struct ge_embedding_row, kind)},
    {"dim", GE_COLUMN_VECTOR, offsetof(struct ge_embedding_row, dim)},
};
const struct ge_table ge_table_embeddings =
    TABLE("embeddings", struct ge_embedding_row, embedding_columns);

static const struct ge_column undone_columns[] = {
    KEY_COLUMNS(struct ge_undone_row),
    {"status", GE_COLUMN_U8, offsetof(struct ge_undone_row, status)},
    {"reason", GE_COLUMN_STRING, offsetof(struct ge_undone_row, reason)},
};
const struct ge_table ge_table_undone = TABLE("undone", struct ge_undone_row, undone_columns);

static const struct ge_column rating_columns[] = {
    KEY_COLUMNS(struct ge_rating),
    {"dimension", GE_COLUMN_U32, offsetof(struct ge_rating, dimension)},
    {"rater", GE_COLUMN_U32, offsetof(struct ge_rating, rater)},
    {"score", GE_COLUMN_F64, offsetof(struct ge_rating, score)},
};
const struct ge_table ge_table_ratings = TABLE("ratings", struct ge_rating, rating_columns);

#define RESULT_TABLE(list)                                                                         \
    {                                                                                              \
        &ge_table_##list, offsetof(struct ge_result, list), offsetof(struct ge_result, n_##list)   \
    }
const struct ge_result_table ge_result_tables[GE_RESULT_TABLES] = {
    RESULT_TABLE(responses), RESULT_TABLE(scores),     RESULT_TABLE(verdicts),
    RESULT_TABLE(errors),    RESULT_TABLE(embeddings), RESULT_TABLE(undone),
};
