/* From JSON to constraints: one row per kind, one row per argument. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "metric/chars.h"
#include "metric/constraint_kinds.h"
#include "metric/language.h"
#include "text/unicode.h"
#include "text/words.h"

enum { TEXT_BYTES_MAX = 4096, FOUND_BYTES_MAX = 60 };

#define NUMBER_MAX INT64_C(1000000000)

static const struct constraint_kind kinds[] = {
    {"include", ARG_TEXT | ARG_ANY_OF | ARG_ALL_OF | ARG_BOUNDS | ARG_WHOLE_WORDS | ARG_MATCH_CASE,
     ARG_TEXT | ARG_ANY_OF | ARG_ALL_OF, ge_check_include},
    {"exclude", ARG_TEXT | ARG_ANY_OF | ARG_WHOLE_WORDS | ARG_MATCH_CASE, ARG_TEXT | ARG_ANY_OF,
     ge_check_exclude},
    {"starts_with", ARG_TEXT | ARG_ANY_OF | ARG_MATCH_CASE, ARG_TEXT | ARG_ANY_OF,
     ge_check_starts_with},
    {"ends_with", ARG_TEXT | ARG_ANY_OF | ARG_MATCH_CASE, ARG_TEXT | ARG_ANY_OF,
     ge_check_ends_with},
    {"letter", ARG_LETTER | ARG_BOUNDS, ARG_LETTER, ge_check_letter},
    {"words", ARG_BOUNDS, ARG_BOUNDS, ge_check_words},
    {"sentences", ARG_BOUNDS, ARG_BOUNDS, ge_check_sentences},
    {"characters", ARG_BOUNDS, ARG_BOUNDS, ge_check_characters},
    {"paragraphs", ARG_BOUNDS | ARG_DIVIDER | ARG_NTH | ARG_FIRST_WORD, ARG_BOUNDS,
     ge_check_paragraphs},
    {"format", ARG_FORMAT | ARG_BOUNDS | ARG_COUNT | ARG_STYLE | ARG_KEYS, ARG_FORMAT,
     ge_check_format},
    {"title", 0, 0, ge_check_title},
    {"highlights", ARG_BOUNDS, 0, ge_check_highlights},
    {"sections", ARG_TEXT | ARG_BOUNDS, 0, ge_check_sections},
    {"placeholders", ARG_BOUNDS, 0, ge_check_placeholders},
    {"postscript", ARG_TEXT, 0, ge_check_postscript},
    {"case", ARG_CASE, ARG_CASE, ge_check_case},
    {"capital_words", ARG_BOUNDS, ARG_BOUNDS, ge_check_capital_words},
    {"language", ARG_LANGUAGE, ARG_LANGUAGE, ge_check_language},
    {"no_commas", 0, 0, ge_check_no_commas},
    {"quoted", 0, 0, ge_check_quoted},
    {"two_responses", 0, 0, ge_check_two_responses},
    {"repeat_prompt", ARG_TEXT, 0, ge_check_repeat_prompt},
};

/* ---- messages ------------------------------------------------------------------------------ */

/* A constraint while it is parsed. */
struct parser {
    const char *where; /* "item x: gen.constraints[1]" */
    struct ge_arena *arena;
    struct constraint *out;
};

/* "<where>.<key>: found <found>, allowed: <allowed>". */
static ge_status refuse(ge_status status, const char *where, const char *key, const ge_json *found,
                        const char *allowed)
{
    struct ge_buf text;
    ge_buf_init(&text, GE_JSON_MAX_BYTES);
    if (found != NULL) ge_json_print(found, &text);
    size_t len = text.len;
    if (len > FOUND_BYTES_MAX) len = ge_utf8_valid(text.data, FOUND_BYTES_MAX);
    ge_fail(status, "%s%s%s: found %.*s%s, allowed: %s", where, key[0] != '\0' ? "." : "", key,
            text.data != NULL ? (int)len : 7, text.data != NULL ? text.data : "nothing",
            len < text.len ? "…" : "", allowed);
    ge_buf_free(&text);
    return status;
}

/* One more name of a list with commas between. */
static void put_name(struct ge_buf *out, const char *name)
{
    if (out->len > 0) ge_buf_str(out, ", ");
    ge_buf_str(out, name);
}

/* ---- arguments ----------------------------------------------------------------------------- */

static ge_status make_needle(struct parser *p, const char *key, const ge_json *node,
                             struct needle *out)
{
    ge_status rc = GE_OK;
    struct ge_buf text, lower;
    size_t begin = 0, end;
    ge_buf_init(&text, 8 * TEXT_BYTES_MAX);
    ge_buf_init(&lower, 8 * TEXT_BYTES_MAX);
    const char *s = ge_json_string(node, NULL);
    if (s == NULL) {
        rc = refuse(GE_EFORMAT, p->where, key, node, "a string that is not blank");
        goto done;
    }
    if (strlen(s) > TEXT_BYTES_MAX) {
        rc = refuse(GE_ELIMIT, p->where, key, node, "a string of at most 4096 bytes");
        goto done;
    }
    GE_TRY(ge_words_normalize(s, strlen(s), GE_WORDS_NFC, &text));
    end = text.len;
    ge_chars_strip(text.data, &begin, &end);
    if (begin == end) {
        rc = refuse(GE_EFORMAT, p->where, key, node, "a string that is not blank");
        goto done;
    }
    GE_TRY_PTR(out->text, ge_arena_strndup(p->arena, text.data + begin, end - begin));
    ge_unicode_lowercase(text.data + begin, end - begin, &lower);
    GE_TRY(ge_buf_status(&lower));
    GE_TRY_PTR(out->lower, ge_arena_strndup(p->arena, lower.data, lower.len));
done:
    ge_buf_free(&text);
    ge_buf_free(&lower);
    return rc;
}

static ge_status read_text(struct parser *p, const char *key, const ge_json *node)
{
    ge_status rc = GE_OK;
    GE_TRY_PTR(p->out->texts, ge_arena_alloc(p->arena, 1, sizeof *p->out->texts));
    p->out->n_texts = 1;
    GE_TRY(make_needle(p, key, node, p->out->texts));
done:
    return rc;
}

static ge_status read_texts(struct parser *p, const char *key, const ge_json *node)
{
    ge_status rc = GE_OK;
    size_t n = ge_json_type(node) == GE_JSON_ARRAY ? ge_json_count(node) : 0;
    if (n == 0) return refuse(GE_EFORMAT, p->where, key, node, "a list of strings, not empty");
    GE_TRY_PTR(p->out->texts, ge_arena_alloc(p->arena, n, sizeof *p->out->texts));
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        GE_TRY(make_needle(p, key, e, &p->out->texts[p->out->n_texts]));
        p->out->n_texts++;
    }
done:
    return rc;
}

static ge_status read_keys(struct parser *p, const char *key, const ge_json *node)
{
    ge_status rc = GE_OK;
    if (ge_json_type(node) != GE_JSON_ARRAY) {
        return refuse(GE_EFORMAT, p->where, key, node, "a list of strings");
    }
    GE_TRY_PTR(p->out->keys, ge_arena_alloc(p->arena, ge_json_count(node), sizeof *p->out->keys));
    for (const ge_json *e = ge_json_first(node); e != NULL; e = ge_json_next(e)) {
        const char *s = ge_json_string(e, NULL);
        if (s == NULL) return refuse(GE_EFORMAT, p->where, key, e, "a list of strings");
        GE_TRY_PTR(p->out->keys[p->out->n_keys], ge_arena_strdup(p->arena, s));
        p->out->n_keys++;
    }
done:
    return rc;
}

static ge_status read_number(struct parser *p, const char *key, const ge_json *node)
{
    int64_t v, least = strcmp(key, "nth") == 0;
    if (ge_json_int(node, key, least, NUMBER_MAX, &v) != GE_OK) {
        return refuse(GE_EFORMAT, p->where, key, node,
                      least > 0 ? "a whole number from 1 to 1000000000"
                                : "a whole number from 0 to 1000000000");
    }
    struct constraint *c = p->out;
    if (strcmp(key, "nth") == 0) {
        c->nth = v;
    } else if (strcmp(key, "min") == 0) {
        c->min = v;
    } else if (strcmp(key, "max") == 0) {
        c->max = v;
    } else {
        c->min = c->max = v; /* exactly, count */
    }
    return GE_OK;
}

static ge_status read_flag(struct parser *p, const char *key, const ge_json *node)
{
    if (ge_json_type(node) != GE_JSON_BOOL) {
        return refuse(GE_EFORMAT, p->where, key, node, "true or false");
    }
    *(strcmp(key, "match_case") == 0 ? &p->out->match_case : &p->out->whole_words) =
        ge_json_bool(node, false);
    return GE_OK;
}

static ge_status read_letter(struct parser *p, const char *key, const ge_json *node)
{
    struct needle letter;
    size_t n = 0;
    ge_status rc = make_needle(p, key, node, &letter);
    if (rc != GE_OK) return rc;
    ge_unicode_at(letter.lower, strlen(letter.lower), &n);
    if (letter.lower[n] != '\0') return refuse(GE_EFORMAT, p->where, key, node, "one letter");
    p->out->letter = letter.lower;
    return GE_OK;
}

static ge_status read_first_word(struct parser *p, const char *key, const ge_json *node)
{
    return make_needle(p, key, node, &p->out->first_word);
}

/* One of a few names: its place in *out. */
static ge_status read_choice(struct parser *p, const char *key, const ge_json *node,
                             const char *const *names, int *out)
{
    ge_status rc = GE_OK;
    struct ge_buf allowed;
    const char *s = ge_json_string(node, "");
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], s) != 0) continue;
        *out = i;
        return GE_OK;
    }
    ge_buf_init(&allowed, 1000);
    for (int i = 0; names[i] != NULL; i++) put_name(&allowed, names[i]);
    GE_TRY(ge_buf_status(&allowed));
    rc = refuse(ge_json_type(node) == GE_JSON_STRING ? GE_EUNSUPPORTED : GE_EFORMAT, p->where, key,
                node, allowed.data);
done:
    ge_buf_free(&allowed);
    return rc;
}

static ge_status read_divider(struct parser *p, const char *key, const ge_json *node)
{
    static const char *const names[] = {"blank", "***", NULL};
    return read_choice(p, key, node, names, &p->out->divider);
}

static ge_status read_format(struct parser *p, const char *key, const ge_json *node)
{
    static const char *const names[] = {"json", "list", NULL};
    return read_choice(p, key, node, names, &p->out->format);
}

static ge_status read_style(struct parser *p, const char *key, const ge_json *node)
{
    static const char *const names[] = {"any", "bullet", "numbered", NULL};
    return read_choice(p, key, node, names, &p->out->style);
}

static ge_status read_case(struct parser *p, const char *key, const ge_json *node)
{
    static const char *const names[] = {"lower", "upper", "title", NULL};
    return read_choice(p, key, node, names, &p->out->letter_case);
}

static ge_status read_language(struct parser *p, const char *key, const ge_json *node)
{
    const char *code = ge_json_string(node, NULL);
    p->out->language = code != NULL ? ge_language_find(code) : -1;
    if (p->out->language >= 0) return GE_OK;
    return refuse(code != NULL ? GE_EUNSUPPORTED : GE_EFORMAT, p->where, key, node, GE_LANGUAGES);
}

static const struct {
    const char *key;
    enum argument bit;
    ge_status (*read)(struct parser *p, const char *key, const ge_json *node);
} arguments[] = {
    {"text", ARG_TEXT, read_text},
    {"any_of", ARG_ANY_OF, read_texts},
    {"all_of", ARG_ALL_OF, read_texts},
    {"min", ARG_MIN, read_number},
    {"max", ARG_MAX, read_number},
    {"exactly", ARG_EXACTLY, read_number},
    {"count", ARG_COUNT, read_number},
    {"whole_words", ARG_WHOLE_WORDS, read_flag},
    {"match_case", ARG_MATCH_CASE, read_flag},
    {"letter", ARG_LETTER, read_letter},
    {"divider", ARG_DIVIDER, read_divider},
    {"nth", ARG_NTH, read_number},
    {"first_word", ARG_FIRST_WORD, read_first_word},
    {"format", ARG_FORMAT, read_format},
    {"style", ARG_STYLE, read_style},
    {"keys", ARG_KEYS, read_keys},
    {"case", ARG_CASE, read_case},
    {"language", ARG_LANGUAGE, read_language},
};

enum { ARGUMENTS = sizeof arguments / sizeof arguments[0], KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- a constraint -------------------------------------------------------------------------- */

/* The keys of some arguments in front of a message's end. */
static ge_status refuse_keys(struct parser *p, const char *key, const ge_json *found, unsigned bits,
                             const char *rule)
{
    ge_status rc = GE_OK;
    struct ge_buf allowed;
    ge_buf_init(&allowed, 1000);
    for (int i = 0; i < ARGUMENTS; i++) {
        if (arguments[i].bit & bits) put_name(&allowed, arguments[i].key);
    }
    ge_buf_str(&allowed, allowed.len > 0 ? rule : "kind alone");
    GE_TRY(ge_buf_status(&allowed));
    rc = refuse(GE_EFORMAT, p->where, key, found, allowed.data);
done:
    ge_buf_free(&allowed);
    return rc;
}

static ge_status read_argument(struct parser *p, const ge_json *member)
{
    const char *key = ge_json_key(member);
    for (int i = 0; i < ARGUMENTS; i++) {
        if (!(arguments[i].bit & p->out->kind->allowed) || strcmp(arguments[i].key, key) != 0) {
            continue;
        }
        p->out->given |= arguments[i].bit;
        return arguments[i].read(p, key, member);
    }
    return refuse_keys(p, key, member, p->out->kind->allowed, " as keys beside kind");
}

/* More than one bit. */
static bool several(unsigned bits)
{
    return (bits & (bits - 1)) != 0;
}

/* Arguments that exclude or need each other. */
static ge_status check_together(struct parser *p, const ge_json *node)
{
    const struct constraint *c = p->out;
    const unsigned texts = ARG_TEXT | ARG_ANY_OF | ARG_ALL_OF, exact = ARG_EXACTLY | ARG_COUNT;
    if (c->kind->one_of != 0 && !(c->given & c->kind->one_of)) {
        return refuse_keys(p, "", node, c->kind->one_of, ": one is needed");
    }
    if (several(c->given & texts)) {
        return refuse(GE_EFORMAT, p->where, "", node, "one of text, any_of and all_of");
    }
    if (several(c->given & exact) ||
        ((c->given & exact) != 0 && (c->given & (ARG_MIN | ARG_MAX)) != 0)) {
        return refuse(GE_EFORMAT, p->where, "", node, "one of exactly (or count) and min, max");
    }
    if (c->min > c->max) {
        return refuse(GE_EFORMAT, p->where, "", node, "a min that is not above max");
    }
    if (((c->given & ARG_NTH) != 0) != ((c->given & ARG_FIRST_WORD) != 0) ||
        ((c->given & ARG_NTH) != 0 && c->divider != DIVIDER_BLANK)) {
        return refuse(GE_EFORMAT, p->where, "", node,
                      "nth and first_word together, of paragraphs with blank lines between");
    }
    if (c->kind->check == ge_check_format &&
        (c->given & (c->format == FORMAT_LIST ? ARG_KEYS : ARG_BOUNDS | ARG_COUNT | ARG_STYLE)) !=
            0) {
        return refuse(GE_EFORMAT, p->where, "", node,
                      "keys with the format json; count, min, max, exactly, style with list");
    }
    return GE_OK;
}

static ge_status find_kind(const ge_json *node, const char *where,
                           const struct constraint_kind **out)
{
    ge_status rc = GE_OK;
    struct ge_buf allowed;
    const ge_json *kind = ge_json_get(node, "kind");
    const char *name = ge_json_string(kind, NULL);
    for (int i = 0; i < KINDS && name != NULL; i++) {
        if (strcmp(kinds[i].name, name) != 0) continue;
        *out = &kinds[i];
        return GE_OK;
    }
    ge_buf_init(&allowed, 1000);
    for (int i = 0; i < KINDS; i++) put_name(&allowed, kinds[i].name);
    GE_TRY(ge_buf_status(&allowed));
    rc = refuse(name != NULL ? GE_EUNSUPPORTED : GE_EFORMAT, where, "kind", kind, allowed.data);
done:
    ge_buf_free(&allowed);
    return rc;
}

ge_status ge_constraint_parse(const ge_json *node, const char *where, struct ge_arena *arena,
                              struct constraint *out)
{
    ge_status rc = GE_OK;
    struct parser p = {.where = where, .arena = arena, .out = out};
    struct ge_buf label;
    ge_buf_init(&label, GE_JSON_MAX_BYTES);
    *out = (struct constraint){.min = -1, .max = INT64_MAX};
    if (ge_json_type(node) != GE_JSON_OBJECT) {
        rc = refuse(GE_EFORMAT, where, "", node, "an object with a kind");
        goto done;
    }
    GE_TRY(find_kind(node, where, &out->kind));
    out->whole_words = out->kind->check == ge_check_exclude; /* as IFEval looks for them */
    for (const ge_json *m = ge_json_first(node); m != NULL; m = ge_json_next(m)) {
        if (strcmp(ge_json_key(m), "kind") == 0) continue;
        if (ge_json_type(m) == GE_JSON_NULL) continue; /* as good as absent */
        GE_TRY(read_argument(&p, m));
    }
    GE_TRY(check_together(&p, node));
    if (out->min < 0) out->min = (out->given & ARG_MAX) != 0 ? 0 : 1;
    ge_json_print(node, &label);
    GE_TRY(ge_buf_status(&label));
    GE_TRY_PTR(out->label, ge_arena_strndup(arena, label.data, label.len));
done:
    ge_buf_free(&label);
    return rc;
}
