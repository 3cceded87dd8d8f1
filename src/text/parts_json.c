#include "text/parts_json.h"

#include <string.h>

#include "text/unicode.h"

static ge_status missing(const char *kind, const char *beside, const char *where)
{
    return ge_fail(GE_EFORMAT,
                   "%s: a %s needs \"pattern\", {\"Regex\": …} or {\"String\": …}, and \"%s\"",
                   where, kind, beside);
}

ge_status ge_part_pattern(const ge_json *node, const char *kind, const char *beside,
                          const char *where, struct part_pattern *out)
{
    const ge_json *pattern = ge_json_get(node, "pattern");
    const char *regex = ge_json_string(ge_json_get(pattern, "Regex"), NULL);
    const char *literal = ge_json_string(ge_json_get(pattern, "String"), NULL);
    if ((regex == NULL) == (literal == NULL)) return missing(kind, beside, where);
    *out = (struct part_pattern){regex != NULL ? regex : literal, regex == NULL};
    return GE_OK;
}

ge_status ge_part_replace(const ge_json *node, const char *where, struct part_pattern *pattern,
                          const char **content)
{
    ge_status rc = ge_part_pattern(node, "Replace", "content", where, pattern);
    *content = ge_json_string(ge_json_get(node, "content"), NULL);
    return rc == GE_OK && *content == NULL ? missing("Replace", "content", where) : rc;
}

ge_status ge_part_character(const ge_json *node, const char *key, const char *where,
                            const char **text, uint32_t *cp)
{
    size_t n = 0;
    const char *s = ge_json_string(ge_json_get(node, key), "");
    size_t len = strlen(s);
    if (text != NULL) *text = s;
    *cp = len == 0 ? 0 : ge_unicode_at(s, len, &n);
    if (len > 0 && n == len) return GE_OK;
    return ge_fail(GE_EFORMAT, "%s: \"%s\" is \"%.16s\", wanted one character", where, key, s);
}
