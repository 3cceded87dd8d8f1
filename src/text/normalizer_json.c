/* Normalizers of tokenizer.json. */
#include <string.h>

#include "text/normalizer.h"
#include "text/parts_json.h"

typedef ge_status parse_fn(struct normalizer *n, const ge_json *node, const char *where);

static ge_status parse_sequence(struct normalizer *n, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(node, "normalizers");
    if (ge_json_type(list) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: a Sequence needs \"normalizers\", an array", where);
    }
    for (const ge_json *c = ge_json_first(list); c != NULL; c = ge_json_next(c)) {
        GE_TRY(ge_normalizer_parse(n, c, where));
    }
done:
    return rc;
}

static ge_status parse_replace(struct normalizer *n, const ge_json *node, const char *where)
{
    struct part_pattern pattern;
    const char *content;
    ge_status rc = ge_part_replace(node, where, &pattern, &content);
    if (rc != GE_OK) return rc;
    rc = ge_normalizer_add_replace(n, pattern.text, pattern.literal, content);
    return rc == GE_OK ? rc : ge_fail_in(rc, "%s", where);
}

static ge_status parse_prepend(struct normalizer *n, const ge_json *node, const char *where)
{
    const char *content = ge_json_string(ge_json_get(node, "prepend"), NULL);
    if (content == NULL) {
        return ge_fail(GE_EFORMAT, "%s: a Prepend needs \"prepend\", a string", where);
    }
    return ge_normalizer_add_prepend(n, content);
}

static ge_status parse_strip(struct normalizer *n, const ge_json *node, const char *where)
{
    const ge_json *left = ge_json_get(node, "strip_left"),
                  *right = ge_json_get(node, "strip_right");
    if (ge_json_type(left) != GE_JSON_BOOL || ge_json_type(right) != GE_JSON_BOOL) {
        return ge_fail(GE_EFORMAT, "%s: a Strip needs \"strip_left\" and \"strip_right\"", where);
    }
    return ge_normalizer_add_strip(n, ge_json_bool(left, false), ge_json_bool(right, false));
}

static ge_status parse_bert(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)where;
    bool lowercase = ge_json_bool(ge_json_get(node, "lowercase"), true);
    return ge_normalizer_add_bert(n, ge_json_bool(ge_json_get(node, "clean_text"), true),
                                  ge_json_bool(ge_json_get(node, "handle_chinese_chars"), true),
                                  ge_json_bool(ge_json_get(node, "strip_accents"), lowercase),
                                  lowercase);
}

static ge_status parse_precompiled(struct normalizer *n, const ge_json *node, const char *where)
{
    struct charsmap map = {0};
    const char *text = ge_json_string(ge_json_get(node, "precompiled_charsmap"), NULL);
    if (text == NULL) {
        return ge_fail(GE_EFORMAT, "%s: a Precompiled needs \"precompiled_charsmap\", base64",
                       where);
    }
    ge_status rc = ge_charsmap_read_base64(&map, text);
    if (rc == GE_OK) rc = ge_normalizer_add_precompiled(n, &map);
    ge_charsmap_free(&map);
    return rc == GE_OK ? rc : ge_fail_in(rc, "%s", where);
}

static ge_status parse_form(struct normalizer *n, const ge_json *node, const char *where)
{
    char name[] = "nfkc";
    const char *kind = ge_json_string(ge_json_get(node, "type"), "");
    (void)where;
    for (size_t i = 0; i < sizeof name - 1 && kind[i] != '\0'; i++) {
        name[i] = (char)(kind[i] | 0x20);
        name[i + 1] = '\0';
    }
    return ge_normalizer_add_form(n, name);
}

static ge_status parse_lowercase(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_normalizer_add_lowercase(n);
}

static ge_status parse_strip_accents(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_normalizer_add_strip_accents(n);
}

static ge_status parse_nmt(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_normalizer_add_nmt(n);
}

static ge_status parse_byte_level(struct normalizer *n, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_normalizer_add_byte_level(n);
}

static const struct {
    const char *kind;
    parse_fn *parse;
} kinds[] = {{"Sequence", parse_sequence},
             {"NFC", parse_form},
             {"NFD", parse_form},
             {"NFKC", parse_form},
             {"NFKD", parse_form},
             {"Lowercase", parse_lowercase},
             {"Replace", parse_replace},
             {"Prepend", parse_prepend},
             {"Strip", parse_strip},
             {"StripAccents", parse_strip_accents},
             {"BertNormalizer", parse_bert},
             {"Precompiled", parse_precompiled},
             {"ByteLevel", parse_byte_level},
             {"Nmt", parse_nmt}};

ge_status ge_normalizer_parse(struct normalizer *n, const ge_json *node, const char *where)
{
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    const char *kind = ge_json_string(ge_json_get(node, "type"), NULL);
    if (kind == NULL) return ge_fail(GE_EFORMAT, "%s: an entry has no \"type\"", where);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0) return kinds[i].parse(n, node, where);
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: kind \"%.64s\" is not supported (known: Sequence, NFC, NFD, NFKC, NFKD, "
                   "Lowercase, Replace, Prepend, Strip, StripAccents, BertNormalizer, Precompiled, "
                   "ByteLevel, Nmt)",
                   where, kind);
}
