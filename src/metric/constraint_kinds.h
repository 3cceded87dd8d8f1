/* A parsed constraint, and the checks of the kinds. Local to metric/constraint*.c. */
#ifndef GE_METRIC_CONSTRAINT_KINDS_H
#define GE_METRIC_CONSTRAINT_KINDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/status.h"

/* One reading of an answer; valid UTF-8 in composed form, not blank. */
struct reading {
    const char *text, *lower; /* NUL-terminated */
    size_t len, lower_len;
    const char *prompt; /* of the task, or NULL */
};

/* A text to look for, composed and stripped of white space around it, and in lower case. */
struct needle {
    const char *text, *lower;
};

enum { DIVIDER_BLANK, DIVIDER_STARS };
enum { FORMAT_JSON, FORMAT_LIST };
enum { STYLE_ANY, STYLE_BULLET, STYLE_NUMBERED };
enum { CASE_LOWER, CASE_UPPER, CASE_TITLE };

struct constraint_kind;

struct constraint {
    const struct constraint_kind *kind;
    const char *label;    /* compact JSON */
    unsigned given;       /* bits of the arguments that it has (enum argument) */
    struct needle *texts; /* (n_texts): text, any_of or all_of */
    size_t n_texts;
    int64_t min, max; /* inclusive */
    bool whole_words, match_case;
    const char *letter; /* in lower case */
    int64_t nth;        /* paragraph, from 1 */
    struct needle first_word;
    int divider, format, style, letter_case, language;
    const char **keys; /* (n_keys) */
    size_t n_keys;
};

enum argument {
    ARG_TEXT = 1 << 0,
    ARG_ANY_OF = 1 << 1,
    ARG_ALL_OF = 1 << 2,
    ARG_MIN = 1 << 3,
    ARG_MAX = 1 << 4,
    ARG_EXACTLY = 1 << 5,
    ARG_COUNT = 1 << 6, /* another name of exactly */
    ARG_WHOLE_WORDS = 1 << 7,
    ARG_MATCH_CASE = 1 << 8,
    ARG_LETTER = 1 << 9,
    ARG_DIVIDER = 1 << 10,
    ARG_NTH = 1 << 11,
    ARG_FIRST_WORD = 1 << 12,
    ARG_FORMAT = 1 << 13,
    ARG_STYLE = 1 << 14,
    ARG_KEYS = 1 << 15,
    ARG_CASE = 1 << 16,
    ARG_LANGUAGE = 1 << 17,
    ARG_BOUNDS = ARG_MIN | ARG_MAX | ARG_EXACTLY
};

/* Whether a reading keeps to a constraint. GE_ENOMEM. */
typedef ge_status constraint_check(const struct constraint *c, const struct reading *r,
                                   bool *passed);

struct constraint_kind {
    const char *name;
    unsigned allowed;
    unsigned one_of; /* one of these arguments is required; 0: none is */
    constraint_check *check;
};

/* Parse the object at `node`, named `where` in messages, into the arena. */
ge_status ge_constraint_parse(const ge_json *node, const char *where, struct ge_arena *arena,
                              struct constraint *out);

static inline bool ge_constraint_within(const struct constraint *c, size_t n)
{
    return n <= INT64_MAX && (int64_t)n >= c->min && (int64_t)n <= c->max;
}

/* constraint_content.c: what is said. constraint_form.c: how it is laid out. */
constraint_check ge_check_include, ge_check_exclude, ge_check_starts_with, ge_check_ends_with,
    ge_check_letter, ge_check_postscript, ge_check_repeat_prompt, ge_check_case,
    ge_check_capital_words, ge_check_language, ge_check_no_commas;
constraint_check ge_check_words, ge_check_sentences, ge_check_characters, ge_check_paragraphs,
    ge_check_format, ge_check_title, ge_check_highlights, ge_check_sections, ge_check_placeholders,
    ge_check_quoted, ge_check_two_responses;

#endif
