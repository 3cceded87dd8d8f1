/* JSON documents. Sole user of cJSON.
 *
 * Text is checked before cJSON sees it: UTF-8, no NUL (raw or \u0000), depth and size caps, no
 * duplicate keys in an object, nothing after the value. Key lookup is case-sensitive. A document
 * is read-only after parsing and may be read by several threads. Nodes are borrowed from their
 * document. For files of tens of MB use json_pull.h. Local. */
#ifndef GE_BASE_JSON_H
#define GE_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/status.h"

typedef struct ge_json ge_json; /* a node; opaque */

enum { GE_JSON_MAX_DEPTH = 64 };
#define GE_JSON_MAX_BYTES ((size_t)64 << 20)

enum ge_json_type {
    GE_JSON_NULL,
    GE_JSON_BOOL,
    GE_JSON_NUMBER,
    GE_JSON_STRING,
    GE_JSON_ARRAY,
    GE_JSON_OBJECT
};

/* Parse. `name` (a file name or "line 3 of x.jsonl") goes into messages, which give line and
 * column. GE_EFORMAT, GE_ELIMIT, GE_ENOMEM. Free with ge_json_delete(). */
ge_status ge_json_parse(const char *text, size_t len, const char *name, ge_json **doc);
ge_status ge_json_read(const char *path, ge_json **doc);
void ge_json_delete(ge_json **doc);

enum ge_json_type ge_json_type(const ge_json *n);
const char *ge_json_type_name(enum ge_json_type t); /* "object", … */

/* Object member by exact key, or NULL. NULL in, NULL out. */
const ge_json *ge_json_get(const ge_json *object, const char *key);

/* Children of an array or object in file order; NULL after the last. */
const ge_json *ge_json_first(const ge_json *parent);
const ge_json *ge_json_next(const ge_json *child);
const char *ge_json_key(const ge_json *member); /* member's key; NULL in an array */
size_t ge_json_count(const ge_json *parent);

/* Values; a NULL or wrong-typed node gives the fallback. */
const char *ge_json_string(const ge_json *n, const char *fallback);
double ge_json_number(const ge_json *n, double fallback);
bool ge_json_bool(const ge_json *n, bool fallback);

/* Whole number in [min, max]; GE_EFORMAT otherwise (also for 1.5, "1", null, beyond 2^53).
 * `what` names the node in the message. */
ge_status ge_json_int(const ge_json *n, const char *what, int64_t min, int64_t max, int64_t *out);

/* Strings of an array of strings, or of one string, in a heap array of borrowed pointers
 * (free() the array). NULL node: n = 0. GE_EFORMAT for anything else. */
ge_status ge_json_strings(const ge_json *n, const char *what, const char ***out, size_t *count);

/* Append the node as compact JSON; numbers as ge_double_text() writes them. */
void ge_json_print(const ge_json *n, struct ge_buf *out);

/* Editing, for --set and sweeps: `doc` gets a deep copy of `value` at a dotted path, making
 * objects on the way. GE_EINVAL when the path runs through something that is not an object. */
ge_status ge_json_set_path(ge_json *doc, const char *path, const ge_json *value);
const ge_json *ge_json_get_path(const ge_json *doc, const char *path);
ge_status ge_json_copy(const ge_json *n, ge_json **out);

/* Append the library's name and version, as found now and as compiled with. */
void ge_json_library(struct ge_buf *out);

/* ---- writing ---------------------------------------------------------------------------- */

/* Streaming writer over a buffer: commas, escapes and indentation are its business. Keys are
 * NULL inside arrays and at the top. A non-finite number is written as null. Errors stick in the
 * buffer. indent 0: one line. */
struct ge_jsonw {
    struct ge_buf *out;
    int indent, depth;
    bool first[GE_JSON_MAX_DEPTH + 1];
};
void ge_jsonw_init(struct ge_jsonw *w, struct ge_buf *out, int indent);
void ge_jsonw_object(struct ge_jsonw *w, const char *key);
void ge_jsonw_object_end(struct ge_jsonw *w);
void ge_jsonw_array(struct ge_jsonw *w, const char *key);
void ge_jsonw_array_end(struct ge_jsonw *w);
void ge_jsonw_string(struct ge_jsonw *w, const char *key, const char *value); /* NULL: null */
void ge_jsonw_double(struct ge_jsonw *w, const char *key, double value);
void ge_jsonw_int(struct ge_jsonw *w, const char *key, int64_t value);
void ge_jsonw_bool(struct ge_jsonw *w, const char *key, bool value);
void ge_jsonw_null(struct ge_jsonw *w, const char *key);
void ge_jsonw_raw(struct ge_jsonw *w, const char *key, const char *json); /* checked JSON text */

/* Append s as a JSON string with quotes. s must be UTF-8 (others: U+FFFD for each bad byte). */
void ge_json_escape(struct ge_buf *out, const char *s, size_t len);

/* Decimal text that reads back as exactly v: whole numbers below 2^53 in full, others by the
 * fewest of 15, 16 or 17 digits that do ("null" if not finite). */
void ge_double_text(double v, char out[32]);

#endif
