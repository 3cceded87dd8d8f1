/* Reading a multiple-choice answer. */
#include "metric/choice_read.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "metric/pystr.h"

/* ---- searches ----------------------------------------------------------------------------- */

static ge_status lower(const char *text, struct ge_buf *out)
{
    ge_buf_reset(out);
    ge_pystr_lower(text, strlen(text), out);
    return ge_buf_status(out);
}

static void mirror(struct ge_buf *b)
{
    for (size_t i = 0; i < b->len / 2; i++) {
        char c = b->data[i];
        b->data[i] = b->data[b->len - 1 - i];
        b->data[b->len - 1 - i] = c;
    }
}

/* ---- MMMU --------------------------------------------------------------------------------- */

/* The answer without , . ! ? ; : ' at its ends, one mark after the other, between two spaces. */
static ge_status pad(const char *text, struct ge_buf *out)
{
    size_t len = strlen(text);
    for (const char *mark = ",.!?;:'"; *mark != '\0'; mark++) {
        while (len > 0 && text[0] == *mark) text++, len--;
        while (len > 0 && text[len - 1] == *mark) len--;
    }
    ge_buf_char(out, ' ');
    ge_buf_add(out, text, len);
    ge_buf_char(out, ' ');
    return ge_buf_status(out);
}

/* The option whose letter occurs between `before` and `after`. Among several the one whose letter
 * comes last between `place_before` and `place_after`, the first option if none does. -1: none. */
static int last_letter(const struct ge_buf *answer, size_t n, const char *before, const char *after,
                       const char *place_before, const char *place_after)
{
    int chosen = -1;
    ptrdiff_t best = -1;
    for (size_t i = 0; i < n; i++) {
        char needle[8], place[8], letter = (char)('A' + i);
        snprintf(needle, sizeof needle, "%s%c%s", before, letter, after);
        snprintf(place, sizeof place, "%s%c%s", place_before, letter, place_after);
        if (strstr(answer->data, needle) == NULL) continue;
        ptrdiff_t at = ge_pystr_find_last(answer->data, answer->len, place);
        if (chosen < 0 || at > best) {
            chosen = (int)i;
            best = at;
        }
    }
    return chosen;
}

/* The option whose text occurs last; the first one of several that begin there. -1: none. Both texts
 * are mirrored, so that the last place is the first one and strstr() finds it in linear time. */
static ge_status last_text(const struct ge_buf *answer, const struct ge_strings *options,
                           int *chosen)
{
    ge_status rc = GE_OK;
    struct ge_buf low, option;
    ptrdiff_t best = -1;
    ge_buf_init(&low, SIZE_MAX / 2);
    ge_buf_init(&option, SIZE_MAX / 2);
    GE_TRY(lower(answer->data, &low));
    mirror(&low);
    for (size_t i = 0; i < options->n; i++) {
        GE_TRY(lower(options->v[i], &option));
        mirror(&option);
        const char *found = strstr(low.data, option.data);
        if (found == NULL) continue;
        ptrdiff_t at = (ptrdiff_t)(low.len - option.len) - (found - low.data);
        if (at > best) {
            *chosen = (int)i;
            best = at;
        }
    }
done:
    ge_buf_free(&low);
    ge_buf_free(&option);
    return rc;
}

ge_status ge_choice_read_mmmu(const char *text, const struct ge_strings *options, int *chosen)
{
    ge_status rc = GE_OK;
    struct ge_buf answer;
    size_t words = 0, pos = 0, begin;
    ge_buf_init(&answer, SIZE_MAX / 2);
    GE_TRY(pad(text, &answer));
    *chosen = last_letter(&answer, options->n, "(", ")", "(", ")");
    if (*chosen < 0) *chosen = last_letter(&answer, options->n, "", " ", " ", " ");
    if (*chosen < 0) *chosen = last_letter(&answer, options->n, "", ".", " ", " ");
    if (*chosen >= 0) goto done;
    while (words <= 5 && ge_pystr_word(answer.data, answer.len, &pos, &begin)) words++;
    if (words > 5) GE_TRY(last_text(&answer, options, chosen));
done:
    ge_buf_free(&answer);
    return rc;
}

/* ---- VLMEvalKit --------------------------------------------------------------------------- */

/* Phrases by which it knows a refusal. */
static const char *const refusals[] = {
    "Sorry, I can't help with images of people yet.",
    "I can't process this file.",
    "I'm sorry, but without the image provided",
    "Cannot determine the answer",
};

/* How the words of an answer name letters. */
struct letters {
    size_t words;
    size_t named; /* different letters of options */
    int option;   /* the first named one, by the order of options */
    size_t place; /* of its first occurrence among the words */
    bool none;    /* "Z", where that is no option */
};

static ge_status read_letters(const char *text, size_t n, struct letters *l)
{
    ge_status rc = GE_OK;
    struct ge_buf spaced;
    size_t len = strlen(text), pos = 0, begin, first[GE_CHOICE_MOST];
    ge_buf_init(&spaced, SIZE_MAX / 2);
    ge_buf_add(&spaced, text, len);
    GE_TRY(ge_buf_status(&spaced));
    for (size_t i = 0; i < len; i++) {
        if (strchr(".()[],:;!*#{}", text[i]) != NULL) spaced.data[i] = ' ';
    }
    *l = (struct letters){.option = -1};
    for (size_t i = 0; i < n; i++) first[i] = SIZE_MAX;
    for (; ge_pystr_word(spaced.data, len, &pos, &begin); l->words++) {
        if (pos - begin != 1 || spaced.data[begin] < 'A' || spaced.data[begin] > 'Z') continue;
        size_t option = (size_t)(spaced.data[begin] - 'A');
        if (option >= n) {
            l->none = l->none || spaced.data[begin] == 'Z';
        } else if (first[option] == SIZE_MAX) {
            first[option] = l->words;
            l->named++;
            l->option = (int)option;
        }
    }
    if (l->option >= 0) l->place = first[l->option];
done:
    ge_buf_free(&spaced);
    return rc;
}

/* The only option whose text the answer holds, or -1. */
static ge_status only_text(const char *text, const struct ge_strings *options, int *chosen)
{
    ge_status rc = GE_OK;
    struct ge_buf low, option;
    size_t length = 0, found = 0;
    ge_buf_init(&low, SIZE_MAX / 2);
    ge_buf_init(&option, SIZE_MAX / 2);
    GE_TRY(lower(text, &low));
    for (size_t i = 0; i < options->n; i++) {
        length += ge_pystr_length(options->v[i], strlen(options->v[i]));
    }
    if (ge_pystr_length(low.data, low.len) > 2 * length) goto done;
    for (size_t i = 0; i < options->n; i++) {
        GE_TRY(lower(options->v[i], &option));
        if (strstr(low.data, option.data) == NULL) continue;
        *chosen = (int)i;
        found++;
    }
    if (found != 1) *chosen = -1;
done:
    ge_buf_free(&low);
    ge_buf_free(&option);
    return rc;
}

ge_status ge_choice_read_vlmevalkit(const char *text, const struct ge_strings *options, int *chosen)
{
    ge_status rc = GE_OK;
    struct letters l;
    *chosen = -1;
    if (strstr(text, "Failed to obtain answer via API") == NULL) {
        for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
            if (strstr(text, refusals[i]) == NULL) continue;
            if (options->n == GE_CHOICE_MOST) *chosen = GE_CHOICE_MOST - 1; /* says Z, as there */
            goto done;
        }
        GE_TRY(read_letters(text, options->n, &l));
        if (l.named == 1 && l.place + 4 >= l.words) {
            *chosen = l.option;
            goto done;
        }
        if (l.named == 0 && l.none) goto done;
    }
    GE_TRY(only_text(text, options, chosen));
done:
    return rc;
}
