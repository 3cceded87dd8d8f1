/* What several kinds of parts in tokenizer.json are described by. Used by the readers of normalizers,
 * pre-tokenizers and decoders. `where` names the place for messages; texts are borrowed from the
 * document. Local. */
#ifndef GE_TEXT_PARTS_JSON_H
#define GE_TEXT_PARTS_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/status.h"

struct part_pattern {
    const char *text;
    bool literal; /* else a regex */
};

/* "pattern" of a part of this kind, which also needs the key `beside` (for the message). GE_EFORMAT:
 * not exactly one of {"Regex": …} and {"String": …}. */
ge_status ge_part_pattern(const ge_json *node, const char *kind, const char *beside,
                          const char *where, struct part_pattern *out);

/* A Replace: the pattern, and "content" that it becomes. GE_EFORMAT. */
ge_status ge_part_replace(const ge_json *node, const char *where, struct part_pattern *pattern,
                          const char **content);

/* The one character of the string `key`: its text (NULL: not wanted) and code point. GE_EFORMAT. */
ge_status ge_part_character(const ge_json *node, const char *key, const char *where,
                            const char **text, uint32_t *cp);

#endif
