/* Pre-tokenizers of tokenizer.json. */
#include <string.h>

#include "text/parts_json.h"
#include "text/pretokenizer.h"

typedef ge_status parse_fn(struct pretokenizer *p, const ge_json *node, const char *where);

static ge_status parse_sequence(struct pretokenizer *p, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    const ge_json *list = ge_json_get(node, "pretokenizers");
    if (ge_json_type(list) != GE_JSON_ARRAY) {
        return ge_fail(GE_EFORMAT, "%s: a Sequence needs \"pretokenizers\", an array", where);
    }
    for (const ge_json *c = ge_json_first(list); c != NULL; c = ge_json_next(c)) {
        GE_TRY(ge_pretokenizer_parse(p, c, where));
    }
done:
    return rc;
}

static ge_status parse_behavior(const ge_json *node, const char *fallback, const char *where,
                                enum split_behavior *out)
{
    static const char *const names[] = {[SPLIT_REMOVED] = "Removed",
                                        [SPLIT_ISOLATED] = "Isolated",
                                        [SPLIT_MERGED_WITH_PREVIOUS] = "MergedWithPrevious",
                                        [SPLIT_MERGED_WITH_NEXT] = "MergedWithNext",
                                        [SPLIT_CONTIGUOUS] = "Contiguous"};
    const ge_json *value = ge_json_get(node, "behavior");
    const char *name = value == NULL ? fallback : ge_json_string(value, NULL);
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(name, names[i]) == 0) {
            *out = (enum split_behavior)i;
            return GE_OK;
        }
    }
    if (name == NULL) return ge_fail(GE_EFORMAT, "%s: \"behavior\" is missing or no string", where);
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: behavior \"%.64s\" is not supported (known: Removed, Isolated, "
                   "MergedWithPrevious, MergedWithNext, Contiguous)",
                   where, name);
}

static ge_status parse_split(struct pretokenizer *p, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    enum split_behavior behavior;
    struct part_pattern pattern;
    GE_TRY(ge_part_pattern(node, "Split", "behavior", where, &pattern));
    GE_TRY(parse_behavior(node, NULL, where, &behavior));
    rc = ge_pretokenizer_add_split(p, pattern.text, pattern.literal, behavior,
                                   ge_json_bool(ge_json_get(node, "invert"), false));
    if (rc != GE_OK) rc = ge_fail_in(rc, "%s", where);
done:
    return rc;
}

static ge_status parse_byte_level(struct pretokenizer *p, const ge_json *node, const char *where)
{
    (void)where;
    return ge_pretokenizer_add_byte_level(p,
                                          ge_json_bool(ge_json_get(node, "add_prefix_space"), true),
                                          ge_json_bool(ge_json_get(node, "use_regex"), true));
}

/* Old files have "add_prefix_space" (and "str_rep", which repeats the symbol) for
 * "prepend_scheme". */
static ge_status parse_metaspace(struct pretokenizer *p, const ge_json *node, const char *where)
{
    ge_status rc = GE_OK;
    static const char *const names[] = {
        [METASPACE_ALWAYS] = "always", [METASPACE_FIRST] = "first", [METASPACE_NEVER] = "never"};
    const char *symbol;
    uint32_t cp;
    GE_TRY(ge_part_character(node, "replacement", where, &symbol, &cp));
    bool add = ge_json_bool(ge_json_get(node, "add_prefix_space"), true);
    const char *name = ge_json_string(ge_json_get(node, "prepend_scheme"), names[add ? 0 : 2]);
    size_t scheme = 0;
    while (scheme < sizeof names / sizeof names[0] && strcmp(name, names[scheme]) != 0) scheme++;
    if (scheme == sizeof names / sizeof names[0]) {
        return ge_fail(
            GE_EUNSUPPORTED,
            "%s: prepend_scheme \"%.64s\" is not supported (known: always, first, never)", where,
            name);
    }
    if (!add && scheme != METASPACE_NEVER) {
        return ge_fail(GE_EFORMAT,
                       "%s: add_prefix_space is false, but prepend_scheme is \"%s\": remove one of "
                       "them",
                       where, name);
    }
    GE_TRY(ge_pretokenizer_add_metaspace(p, symbol, (enum metaspace_scheme)scheme,
                                         ge_json_bool(ge_json_get(node, "split"), true)));
done:
    return rc;
}

static ge_status parse_delimiter(struct pretokenizer *p, const ge_json *node, const char *where)
{
    const char *text;
    uint32_t cp;
    ge_status rc = ge_part_character(node, "delimiter", where, &text, &cp);
    return rc == GE_OK ? ge_pretokenizer_add_delimiter(p, cp) : rc;
}

static ge_status parse_digits(struct pretokenizer *p, const ge_json *node, const char *where)
{
    const ge_json *one_by_one = ge_json_get(node, "individual_digits");
    if (one_by_one == NULL || ge_json_type(one_by_one) != GE_JSON_BOOL) {
        return ge_fail(GE_EFORMAT, "%s: Digits needs \"individual_digits\"", where);
    }
    return ge_pretokenizer_add_digits(p, ge_json_bool(one_by_one, false));
}

static ge_status parse_punctuation(struct pretokenizer *p, const ge_json *node, const char *where)
{
    enum split_behavior behavior;
    ge_status rc = parse_behavior(node, "Isolated", where, &behavior);
    return rc == GE_OK ? ge_pretokenizer_add_punctuation(p, behavior) : rc;
}

static ge_status parse_bert(struct pretokenizer *p, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_pretokenizer_add_bert(p);
}

static ge_status parse_whitespace(struct pretokenizer *p, const ge_json *node, const char *where)
{
    (void)node;
    (void)where;
    return ge_pretokenizer_add_whitespace(p);
}

static ge_status parse_whitespace_split(struct pretokenizer *p, const ge_json *node,
                                        const char *where)
{
    (void)node;
    (void)where;
    return ge_pretokenizer_add_whitespace_split(p);
}

static const struct {
    const char *kind;
    parse_fn *parse;
} kinds[] = {{"Sequence", parse_sequence},
             {"Split", parse_split},
             {"ByteLevel", parse_byte_level},
             {"Metaspace", parse_metaspace},
             {"BertPreTokenizer", parse_bert},
             {"Whitespace", parse_whitespace},
             {"WhitespaceSplit", parse_whitespace_split},
             {"Punctuation", parse_punctuation},
             {"Digits", parse_digits},
             {"CharDelimiterSplit", parse_delimiter}};

ge_status ge_pretokenizer_parse(struct pretokenizer *p, const ge_json *node, const char *where)
{
    if (node == NULL || ge_json_type(node) == GE_JSON_NULL) return GE_OK;
    const char *kind = ge_json_string(ge_json_get(node, "type"), NULL);
    if (kind == NULL) return ge_fail(GE_EFORMAT, "%s: an entry has no \"type\"", where);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (strcmp(kind, kinds[i].kind) == 0) return kinds[i].parse(p, node, where);
    }
    return ge_fail(GE_EUNSUPPORTED,
                   "%s: kind \"%.64s\" is not supported (known: Sequence, Split, ByteLevel, "
                   "Metaspace, BertPreTokenizer, Whitespace, WhitespaceSplit, Punctuation, Digits, "
                   "CharDelimiterSplit)",
                   where, kind);
}
