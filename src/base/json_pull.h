/* Pull parser: JSON as a stream of events, for files too large for a tree (tokenizer.json) and as
 * the check that stands in front of cJSON. Enforces UTF-8, no NUL, depth; duplicate keys are the
 * business of json.c (it sees the whole object) or of the caller. No recursion. Local. */
#ifndef GE_BASE_JSON_PULL_H
#define GE_BASE_JSON_PULL_H

#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"

enum ge_jsonp_event {
    GE_JSONP_END, /* the document is over */
    GE_JSONP_OBJECT,
    GE_JSONP_OBJECT_END,
    GE_JSONP_ARRAY,
    GE_JSONP_ARRAY_END,
    GE_JSONP_KEY,    /* text: the key; the value's events follow */
    GE_JSONP_STRING, /* text */
    GE_JSONP_NUMBER, /* number */
    GE_JSONP_TRUE,
    GE_JSONP_FALSE,
    GE_JSONP_NULL
};

struct ge_jsonp {
    const char *data, *name; /* borrowed */
    size_t len, pos;
    struct ge_buf text; /* last KEY or STRING, unescaped, NUL-terminated */
    double number;      /* last NUMBER */
    int depth;          /* open objects and arrays */
    unsigned char state;
    unsigned char stack[64]; /* kind of each open level */
};

void ge_jsonp_init(struct ge_jsonp *p, const char *data, size_t len, const char *name);
void ge_jsonp_free(struct ge_jsonp *p);

/* Next event. GE_EFORMAT or GE_ELIMIT with line and column in the message. */
ge_status ge_jsonp_next(struct ge_jsonp *p, enum ge_jsonp_event *event);

/* After KEY, or before an element: consume the whole value, however deep. */
ge_status ge_jsonp_skip(struct ge_jsonp *p);

/* Line and column (from 1, in bytes) of the current position, for messages. */
void ge_jsonp_where(const struct ge_jsonp *p, size_t *line, size_t *column);

#endif
