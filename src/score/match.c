/* Matchers over whole words: exact, alias, label, choice. Numbers are in match_number.c. */
#include "score/match.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "score/match_choice.h"
#include "score/phrase.h"
#include "score/tokens.h"
#include "text/words.h"

ge_status ge_match_exact(const char *text, const struct ge_task *task, enum ge_match *out)
{
    size_t len = strlen(text);
    while (len > 0 && isspace((unsigned char)text[0])) text++, len--;
    while (len > 0 && isspace((unsigned char)text[len - 1])) len--;
    *out = len == 0 ? GE_MATCH_NO_ANSWER : GE_MATCH_WRONG;
    for (size_t i = 0; i < task->references.n; i++) {
        const char *r = task->references.v[i];
        if (strlen(r) == len && memcmp(r, text, len) == 0) *out = GE_MATCH_RIGHT;
    }
    return GE_OK;
}

/* ---- naming ------------------------------------------------------------------------------- */

/* Phrases that an answer may name, each standing for a meaning. */
struct naming {
    struct ge_phrase answer;
    struct ge_phrase *phrases; /* (n) */
    int *meaning;              /* (n) */
    size_t n, capacity;
};

static void naming_free(struct naming *s)
{
    ge_phrase_free(&s->answer);
    for (size_t i = 0; i < s->n; i++) ge_phrase_free(&s->phrases[i]);
    free(s->phrases);
    free(s->meaning);
}

static ge_status naming_init(struct naming *s, const char *text, size_t capacity)
{
    ge_status rc = GE_OK;
    memset(s, 0, sizeof *s);
    GE_TRY(ge_phrase_init(&s->answer, text));
    GE_NEW(s->phrases, capacity);
    GE_NEW(s->meaning, capacity);
    s->capacity = capacity;
done:
    return rc;
}

static ge_status naming_add(struct naming *s, const char *text, int meaning)
{
    GE_ASSERT(s->n < s->capacity);
    ge_status rc = ge_phrase_init(&s->phrases[s->n], text);
    if (rc == GE_OK) s->meaning[s->n++] = meaning;
    return rc;
}

static bool is_word(const struct ge_phrase *p, size_t at, const char *word)
{
    return at < p->n && strcmp(p->words[at], word) == 0;
}

/* Whether what stands at word `at` is denied: "not red", "isn't really red", "rather than red". */
static bool is_denied(const struct ge_phrase *answer, size_t at)
{
    static const char *const fillers[] = {"really", "actually", "quite", "exactly", "any",
                                          "be",     "longer",   "truly", "very"};
    if (at > 1 && ((is_word(answer, at - 1, "than") &&
                    (is_word(answer, at - 2, "rather") || is_word(answer, at - 2, "other"))) ||
                   (is_word(answer, at - 1, "of") && is_word(answer, at - 2, "instead")))) {
        return true;
    }
    for (size_t i = 0; at > 1 && i < sizeof fillers / sizeof fillers[0]; i++) {
        if (is_word(answer, at - 1, fillers[i])) return ge_word_negates(answer->words[at - 2]);
    }
    return at > 0 && ge_word_negates(answer->words[at - 1]);
}

/* "no" answers a question at the start, at the end and after "is" or "answer"; elsewhere it only
 * belongs to the word behind it ("yes, no doubt"). */
static bool is_determiner_no(const struct naming *s, size_t p, size_t at)
{
    if (s->phrases[p].n != 1 || !is_word(&s->answer, at, "no")) return false;
    return at > 0 && at + 1 < s->answer.n && !is_word(&s->answer, at - 1, "is") &&
           !is_word(&s->answer, at - 1, "answer");
}

/* Whether phrase p is said at word `at` of the answer and no longer phrase covers it there. */
static bool said_at(const struct naming *s, size_t p, size_t at)
{
    size_t end = at + s->phrases[p].n;
    if (!ge_phrase_at(&s->answer, at, &s->phrases[p])) return false;
    if (is_denied(&s->answer, at) || is_determiner_no(s, p, at)) return false;
    for (size_t q = 0; q < s->n; q++) {
        size_t n = s->phrases[q].n;
        if (n <= s->phrases[p].n) continue;
        for (size_t from = end > n ? end - n : 0; from <= at; from++) {
            if (ge_phrase_at(&s->answer, from, &s->phrases[q])) return false;
        }
    }
    return true;
}

/* Whether any phrase of a meaning is named. */
static bool named(const struct naming *s, int meaning)
{
    for (size_t p = 0; p < s->n; p++) {
        if (s->meaning[p] != meaning || s->phrases[p].n == 0) continue;
        for (size_t at = 0; at + s->phrases[p].n <= s->answer.n; at++) {
            if (said_at(s, p, at)) return true;
        }
    }
    return false;
}

/* The only meaning of 0…count-1 that is named; -1 for none or several. */
static int only_named(const struct naming *s, int count)
{
    int only = -1;
    for (int m = 0; m < count; m++) {
        if (!named(s, m)) continue;
        if (only >= 0) return -1;
        only = m;
    }
    return only;
}

ge_status ge_match_alias(const char *text, const struct ge_task *task, enum ge_match *out)
{
    enum { RIGHT, WRONG };
    ge_status rc = GE_OK;
    struct naming s;
    GE_TRY(naming_init(&s, text, task->references.n + task->text_distractors.n));
    *out = s.answer.n == 0 ? GE_MATCH_NO_ANSWER : GE_MATCH_WRONG;
    for (size_t i = 0; i < task->references.n; i++) {
        GE_TRY(naming_add(&s, task->references.v[i], RIGHT));
        if (ge_phrase_equal(&s.answer, &s.phrases[i])) *out = GE_MATCH_RIGHT;
    }
    if (*out != GE_MATCH_WRONG) goto done;
    for (size_t i = 0; i < task->text_distractors.n; i++) {
        GE_TRY(naming_add(&s, task->text_distractors.v[i], WRONG));
    }
    if (named(&s, RIGHT) && !named(&s, WRONG)) *out = GE_MATCH_RIGHT;
done:
    naming_free(&s);
    return rc;
}

ge_status ge_match_find(const struct ge_strings *list, const char *text, int *index)
{
    ge_status rc = GE_OK;
    struct ge_phrase want = {0}, have = {0};
    *index = -1;
    GE_TRY(ge_phrase_init(&want, text));
    for (size_t i = 0; i < list->n && *index < 0; i++) {
        GE_TRY(ge_phrase_init(&have, list->v[i]));
        if (ge_phrase_equal(&want, &have)) *index = (int)i;
        ge_phrase_free(&have);
    }
done:
    ge_phrase_free(&want);
    ge_phrase_free(&have);
    return rc;
}

ge_status ge_match_label(const char *text, const struct ge_task *task, enum ge_match *out)
{
    ge_status rc = GE_OK;
    struct naming s;
    int right = -1;
    memset(&s, 0, sizeof s);
    GE_TRY(ge_match_find(&task->labels, task->answer, &right));
    if (right < 0) {
        GE_TRY(ge_fail(GE_EINVAL, "answer \"%s\" is not among the task's %zu labels", task->answer,
                       task->labels.n));
    }
    GE_TRY(naming_init(&s, text, task->labels.n + task->references.n));
    for (size_t i = 0; i < task->labels.n; i++) GE_TRY(naming_add(&s, task->labels.v[i], (int)i));
    for (size_t i = 0; i < task->references.n; i++) {
        GE_TRY(naming_add(&s, task->references.v[i], right));
    }
    int said = only_named(&s, (int)task->labels.n);
    *out = said < 0 ? GE_MATCH_NO_ANSWER : said == right ? GE_MATCH_RIGHT : GE_MATCH_WRONG;
done:
    naming_free(&s);
    return rc;
}

/* ---- multiple choice ------------------------------------------------------------------------ */

/* The only option whose text is named, or -1. */
static ge_status named_choice(const char *text, const struct ge_strings *choices, int *chosen)
{
    ge_status rc = GE_OK;
    struct naming s;
    GE_TRY(naming_init(&s, text, choices->n));
    for (size_t i = 0; i < choices->n; i++) GE_TRY(naming_add(&s, choices->v[i], (int)i));
    *chosen = only_named(&s, (int)choices->n);
done:
    naming_free(&s);
    return rc;
}

ge_status ge_match_choice(const char *text, const struct ge_task *task, int *chosen,
                          enum ge_match *out)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = NULL;
    struct ge_tokens tokens;
    size_t n = task->choices.n;
    int right = -1, named = -1;
    if (strlen(task->answer) == 1) right = ge_choice_option(task->answer[0], n);
    if (right < 0) GE_TRY(ge_match_find(&task->choices, task->answer, &right));
    if (right < 0) {
        GE_TRY(ge_fail(GE_EINVAL,
                       "answer \"%s\" is neither the letter of one of the %zu choices nor a choice",
                       task->answer, n));
    }
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_tokens_make(text, arena, &tokens));
    struct ge_choice letter = ge_choice_letter(&tokens, n);
    *chosen = letter.option;
    if (!letter.spoken || !letter.certain) {
        GE_TRY(named_choice(text, &task->choices, &named));
        if (!letter.spoken) *chosen = named;
        if (letter.spoken && named >= 0 && named != letter.option) *chosen = -1;
    }
    *out = *chosen < 0 ? GE_MATCH_NO_ANSWER : *chosen == right ? GE_MATCH_RIGHT : GE_MATCH_WRONG;
done:
    ge_arena_delete(&arena);
    return rc;
}
