/* The option table as a tree: private to job/. A container's members are the rows one level below
 * its path. Local; thread-safe. */
#ifndef GE_JOB_OPTION_WALK_H
#define GE_JOB_OPTION_WALK_H

#include "job/options.h"

/* Key of `row` if it is a member of the container with path `parent` ("" is the whole job): its
 * last segment, "*" for a map's row, "[]" for a list's; NULL if it is no member. */
const char *ge_option_member(const struct ge_option *row, const char *parent);

/* Member of a container for a concrete key: the row with that key, otherwise the map's row; NULL
 * if the container has neither. */
const struct ge_option *ge_option_child(const char *parent, const char *key);

/* Whether the row or any row below it affects results. */
bool ge_option_affects(const struct ge_option *row);

bool ge_option_is_container(const struct ge_option *row); /* object, map or list of objects */

/* Allowed values in words: "a whole number from 1 to 64", "\"apply\" or \"ignore\"". */
void ge_option_describe(const struct ge_option *row, struct ge_buf *out);

/* Whether `value` is one of "a|b|c". */
bool ge_option_allows(const char *allowed, const char *value);

/* Members of an object, sorted by key in byte order, in a heap array (free() it). */
ge_status ge_option_sorted_members(const ge_json *object, const ge_json ***members, size_t *n);

#endif
