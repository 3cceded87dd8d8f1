/* What the tests of dataset/ share: small datasets and loading in one call. */
#ifndef GE_TESTS_UNIT_DATASET_DATA_H
#define GE_TESTS_UNIT_DATASET_DATA_H

#include "dataset/dataset.h"
#include "unit/dataset/temp.h"

#define HEADER "{\"gapeval\": \"manifest\", \"version\": 1, \"name\": \"test\"}\n"

/* Two items; the second one has both directions. */
static const char two_items[] =
    HEADER "{\"id\": \"a\", \"category\": \"c1\", \"tags\": [\"t1\"],"
           " \"und\": {\"task\": \"vqa\", \"prompt\": \"what?\", \"images\": [\"a.png\"],"
           "          \"references\": [\"cat\"]}}\n"
           "{\"id\": \"b\", \"category\": \"c2\", \"tags\": [\"t1\", \"t2\"],"
           " \"und\": {\"task\": \"vqa\", \"prompt\": \"what?\"},"
           " \"gen\": {\"task\": \"generation\", \"prompt\": \"draw\"}}\n";

static inline ge_status load_format(const char *dir, const char *name,
                                    enum ge_dataset_format format, struct ge_dataset **ds)
{
    char *path = name[0] != '\0' ? temp_path(dir, name) : ge_strdup(dir);
    struct ge_dataset_options o = {.format = format, .path = path};
    ge_status rc = ge_dataset_load(&o, ds);
    free(path);
    return rc;
}

/* A manifest with this text, loaded. */
static inline ge_status load_text(const char *dir, const char *text, struct ge_dataset **ds)
{
    temp_file(dir, "items.jsonl", text);
    return load_format(dir, "items.jsonl", GE_DATASET_AUTO, ds);
}

/* Answers of system "s" from a file with this text. */
static inline ge_status load_answers(const char *dir, const struct ge_dataset *ds, const char *text,
                                     struct ge_answers_file **answers)
{
    temp_file(dir, "s.jsonl", text);
    char *path = temp_path(dir, "s.jsonl");
    const char *files[] = {path};
    struct ge_answers_source source = {.files = {files, 1}};
    ge_status rc = ge_answers_load(ds, "s", &source, answers);
    free(path);
    return rc;
}

#endif
