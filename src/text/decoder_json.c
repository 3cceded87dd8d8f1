/* Decoders of tokenizer.json. */
#include <string.h>

#include "text/decoder.h"
#include "text/parts_json.h"

typedef ge_status parse_fn(struct decoder *d, const ge_json *node, const char *where);

static ge_status parse_sequence(struct decoder *d, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(node, "decoders");
    if (ge_json_type(list) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: a Sequence needs \"decoders\", an array", where);
    }
    for (const ge_json *c = ge_json_first(list); c != NULL; c = ge_json_next(c)) {
        GE_TRY(ge_decoder_parse(d, c, where));
    }
done:
    return rc;
}

static ge_status parse_byte_level(struct decoder *d, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_decoder_add_byte_level(d);
}

static ge_status parse_wordpiece(struct decoder *d, const ge_json *node, const char *where)
{
    (void)where;
    return ge_decoder_add_wordpiece(d, ge_json_string(ge_json_get(node, "prefix"), "##"),
                                    ge_json_bool(ge_json_get(node, "cleanup"), true));
}

static ge_status parse_replace(struct decoder *d, const ge_json *node, const char *where)
{
    struct part_pattern pattern;
    const char *content;
    ge_status rc = ge_part_replace(node, where, &pattern, &content);
    if (rc != GE_OK) return rc;
    rc = ge_decoder_add_replace(d, pattern.text, pattern.literal, content);
    return rc == GE_OK ? rc : ge_fail_in(rc, "%s", where);
}

static ge_status parse_byte_fallback(struct decoder *d, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_decoder_add_byte_fallback(d);
}

static ge_status parse_fuse(struct decoder *d, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_decoder_add_fuse(d);
}

static ge_status parse_strip(struct decoder *d, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    int64_t left, right;
    uint32_t cp;
    GE_TRY(ge_part_character(node, "content", where, NULL, &cp));
    rc = ge_json_int(ge_json_get(node, "start"), "start", 0, INT32_MAX, &left);
    if (rc == GE_OK) rc = ge_json_int(ge_json_get(node, "stop"), "stop", 0, INT32_MAX, &right);
    if (rc != GE_OK) {
        rc = ge_fail_in(rc, "%s: Strip", where);
        goto done;
    }
    GE_TRY(ge_decoder_add_strip(d, cp, (size_t)left, (size_t)right));
done:
    return rc;
}

static ge_status parse_metaspace(struct decoder *d, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    uint32_t cp;
    GE_TRY(ge_part_character(node, "replacement", where, NULL, &cp));
    bool add = ge_json_bool(ge_json_get(node, "add_prefix_space"), true);
    const char *scheme =
        ge_json_string(ge_json_get(node, "prepend_scheme"), add ? "always" : "never");
    GE_TRY(ge_decoder_add_metaspace(d, cp, strcmp(scheme, "never") == 0));
done:
    return rc;
}

static const struct {
    const char *kind;
    parse_fn *parse;
} kinds[] = {{"Sequence", parse_sequence},   {"ByteLevel", parse_byte_level},
             {"WordPiece", parse_wordpiece}, {"Replace", parse_replace},
             {"Fuse", parse_fuse},           {"ByteFallback", parse_byte_fallback},
             {"Strip", parse_strip},         {"Metaspace", parse_metaspace}};

ge_status ge_decoder_parse(struct decoder *d, const ge_json *node, const char *where)
{
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) {
        d->none = true;
        return GE_OK;
    }
    const char *kind = ge_json_string(ge_json_get(node, "type"), NULL);
    if (kind == NULL) return ge_fail(GE_EFORMAT, "%s: an entry has no \"type\"", where);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0) return kinds[i].parse(d, node, where);
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: kind \"%.64s\" is not supported (known: Sequence, ByteLevel, WordPiece, "
                   "Replace, Fuse, ByteFallback, Strip, Metaspace)",
                   where, kind);
}
