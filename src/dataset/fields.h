/* Typed members of a JSON object, copied into an arena, with messages that name file, line, key,
 * found and allowed. Private to dataset/. Local. */
#ifndef GE_DATASET_FIELDS_H
#define GE_DATASET_FIELDS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"
#include "record/item.h"

struct ge_fields {
    struct ge_arena *arena;
    const char *place;  /* "items.jsonl line 3" */
    const char *prefix; /* in front of keys in messages: "und.", "" */
    const char *folder; /* that relative paths start from */
    const ge_json *object;
};

/* GE_EFORMAT: "<place>: <prefix><key>: found <found>, allowed: <allowed>". found NULL: nothing. */
ge_status ge_fields_refuse(const struct ge_fields *f, const char *key, const ge_json *found,
                           const char *allowed);

/* A string; absent or null gives NULL, unless it is required (then it must not be empty). */
ge_status ge_fields_string(const struct ge_fields *f, const char *key, bool required,
                           const char **out);

/* A list of strings; absent or null gives none. */
ge_status ge_fields_strings(const struct ge_fields *f, const char *key, struct ge_strings *out);

/* A list of paths (none empty), each joined to the folder. */
ge_status ge_fields_paths(const struct ge_fields *f, const char *key, struct ge_strings *out);

ge_status ge_fields_bool(const struct ge_fields *f, const char *key, bool *out); /* absent: as is */

/* A whole number in [min, max]; absent: *out as it is. */
ge_status ge_fields_int(const struct ge_fields *f, const char *key, int64_t min, int64_t max,
                        int64_t *out);

/* An id as text: a string that is not empty, or a whole number. Required. */
ge_status ge_fields_id(const struct ge_fields *f, const char *key, const char **out);

/* `path` joined to the folder, in the arena; NULL when out of memory. */
const char *ge_fields_join(const struct ge_fields *f, const char *path);

/* JSON text of a node in the arena. GE_ENOMEM, GE_ELIMIT. */
ge_status ge_fields_text(struct ge_arena *arena, const ge_json *node, const char **out);

/* A list with one string. */
ge_status ge_fields_one(struct ge_arena *arena, const char *s, struct ge_strings *out);

#endif
