/* The chosen letter of a multiple-choice answer.
 *
 * Every lone letter of an option is looked at: is it an article or a pronoun, is it ruled out
 * ("not B", "B is wrong"), is it declared ("the answer is B", "B is correct"), or does it just
 * stand there in a form that only an option has ("(B)", "B)", a lone capital)? */
#include <ctype.h>
#include <string.h>

#include "score/match.h"
#include "score/match_choice.h"
#include "score/tokens.h"

int ge_choice_option(char letter, size_t n_choices)
{
    if (letter >= 'a' && letter <= 'z') letter = (char)(letter - 'a' + 'A');
    if (letter < 'A' || letter > 'Z') return -1;
    return (size_t)(letter - 'A') < n_choices ? letter - 'A' : -1;
}

static bool one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Option of token i when it is a lone letter, or -1. */
static int letter_at(const struct ge_tokens *t, ptrdiff_t i, size_t n_choices)
{
    if (i < 0 || (size_t)i >= t->n || t->v[i].end - t->v[i].begin != 1) return -1;
    return ge_choice_option(t->text[t->v[i].begin], n_choices);
}

/* ---- how a letter looks ---------------------------------------------------------------------- */

static bool is_capital(const struct ge_tokens *t, ptrdiff_t i)
{
    return isupper((unsigned char)t->text[t->v[i].begin]) != 0;
}

/* "(B)", "[B]", "**B**", "{B}", "'B'". */
static bool is_enclosed(const struct ge_tokens *t, ptrdiff_t i)
{
    size_t begin = t->v[i].begin;
    return begin > 0 && one_of(t->text[begin - 1], "([{\"'*`_") &&
           one_of(t->text[t->v[i].end], ")]}\"'*`_");
}

/* "B)", "B." or "B:" before a space or the end; small letters with a bracket, or at a line's start.
 */
static bool is_labelled(const struct ge_tokens *t, ptrdiff_t i)
{
    const char *after = t->text + t->v[i].end;
    if (!one_of(*after, ").:") || !(after[1] == '\0' || one_of(after[1], " \t\r\n*"))) return false;
    bool starts_line = i == 0 || ge_token_after_any(t, i, "\n");
    return is_capital(t, i) || *after == ')' || starts_line;
}

/* Whether a letter is the article or the pronoun: "a circle", "I think". */
static bool reads_as_word(const struct ge_tokens *t, ptrdiff_t i)
{
    static const char *const verbs[] = {"is", "was", "because", "since", "as", "or", "and", NULL};
    static const char *const others[] = {"is", "because", "or", NULL};
    char letter = (char)tolower((unsigned char)t->text[t->v[i].begin]);
    if (letter != 'a' && letter != 'i') return false;
    if (is_enclosed(t, i) || is_labelled(t, i)) return false;
    if ((size_t)i + 1 >= t->n) return letter == 'i' && i > 0;
    const char *c = t->text + t->v[i].end, *next = t->text + t->v[i + 1].begin;
    while (c < next && (*c == ' ' || *c == '\t')) c++;
    return c == next && !ge_token_in(t, i + 1, letter == 'a' ? verbs : others);
}

/* ---- what is said about it ------------------------------------------------------------------- */

/* Whether one of the three words up to `i` negates, within the clause that token `of` is in. */
static bool negated_before(const struct ge_tokens *t, ptrdiff_t i, ptrdiff_t of)
{
    for (ptrdiff_t k = of; k > 0 && k > i - 2; k--) {
        if (t->v[k].breaks) return false;
        if (k - 1 <= i && ge_token_negates(t, k - 1)) return true;
    }
    return false;
}

/* The first word before token i that does not just join it to what was said. */
static ptrdiff_t before_joiners(const struct ge_tokens *t, ptrdiff_t i, bool *is, bool *noun)
{
    static const char *const verbs[] = {"is", "was", "be", NULL};
    static const char *const nouns[] = {"option", "choice", "letter", NULL};
    static const char *const fillers[] = {
        "the",     "would",  "must",      "should",   "final", "correct", "definitely",
        "clearly", "likely", "therefore", "probably", "text",  "boxed",   NULL};
    ptrdiff_t k = i - 1;
    *is = *noun = false;
    for (; k >= 0 && k > i - 7; k--) {
        if (ge_token_after_any(t, k + 1, ".;!?")) return -1;
        if (ge_token_in(t, k, verbs)) {
            *is = !*noun || *is;
        } else if (ge_token_in(t, k, nouns)) {
            *noun = true;
        } else if (!ge_token_in(t, k, fillers)) {
            break;
        }
    }
    return k;
}

/* "is correct", "is the right answer" after token i. */
static bool confirmed_after(const struct ge_tokens *t, ptrdiff_t i)
{
    static const char *const praise[] = {"correct", "right", "true", "best", "answer", NULL};
    if (!ge_token_is(t, i + 1, "is") || t->v[i + 1].breaks) return false;
    ptrdiff_t k = i + 2;
    while (ge_token_is(t, k, "the") || ge_token_is(t, k, "my")) k++;
    return ge_token_in(t, k, praise);
}

static bool is_declared(const struct ge_tokens *t, ptrdiff_t i)
{
    static const char *const cues[] = {"answer",    "choose", "chose", "pick", "picked",   "select",
                                       "therefore", "thus",   "hence", "so",   "selected", NULL};
    static const char *const subjects[] = {"it's", "that's", "its", NULL};
    bool is, noun;
    if (confirmed_after(t, i)) return true;
    for (ptrdiff_t k = i - 1; k >= 0 && k > i - 3; k--) {
        if (ge_token_is(t, k, "boxed") || ge_token_is(t, k, "therefore")) return true;
    }
    ptrdiff_t k = before_joiners(t, i, &is, &noun);
    if (noun && (is || ge_token_after_any(t, i, ":="))) return true;
    if (ge_token_in(t, k, cues) || ge_token_in(t, k, subjects)) return true;
    if (ge_token_is(t, k, "it") || ge_token_is(t, k, "that")) return is;
    return ge_token_is(t, k, "with") &&
           (ge_token_is(t, k - 1, "go") || ge_token_is(t, k - 1, "going"));
}

/* "not B", "rather than B", "it isn't B", "B is wrong", "A and B are wrong". */
static bool is_ruled_out(const struct ge_tokens *t, ptrdiff_t i, size_t n_choices)
{
    static const char *const against[] = {"than",       "unlike",  "eliminate", "eliminates",
                                          "eliminated", "exclude", "excludes",  "except",
                                          "out",        NULL};
    static const char *const verbs[] = {"is", "are", "was", "were", "seems", "looks", NULL};
    static const char *const blame[] = {"wrong", "incorrect", "not", "false", "impossible",
                                        "out",   "ruled",     "too", NULL};
    static const char *const joins[] = {"and", "or", "nor", NULL};
    bool is, noun;
    ptrdiff_t k = before_joiners(t, i, &is, &noun);
    if (negated_before(t, k, i) || ge_token_in(t, k, against)) return true;
    if (ge_token_is(t, k, "of") && ge_token_is(t, k - 1, "instead")) return true;
    ptrdiff_t most = i + 2 * (ptrdiff_t)n_choices; /* "A, B and C": no longer than all options */
    for (k = i + 1; k < most && ge_token_in(t, k, joins) && letter_at(t, k + 1, n_choices) >= 0;) {
        k += 2;
    }
    if ((size_t)k >= t->n || t->v[k].breaks) return false;
    if (ge_token_in(t, k, verbs)) return ge_token_in(t, k + 1, blame);
    return ge_token_negates(t, k) && !ge_token_is(t, k, "not") && !ge_token_is(t, k, "no");
}

/* Whether another letter stands beside it on equal terms: "A or B", "A, B", "A/B". */
static bool is_joined(const struct ge_tokens *t, ptrdiff_t i, size_t n_choices)
{
    ptrdiff_t k = i + 1;
    if (ge_token_is(t, k, "or") || ge_token_is(t, k, "and")) k++;
    if (letter_at(t, k, n_choices) < 0 || ge_token_after_any(t, k, ".;:!?\n")) return false;
    return !reads_as_word(t, k) && !is_ruled_out(t, k, n_choices);
}

/* ---- the choice ------------------------------------------------------------------------------ */

/* What the letters of an answer come to. */
struct letters {
    unsigned long mentioned; /* bit by option */
    int last, first;         /* mentioned; `first` only if it opens the answer, otherwise -1 */
    int declared;            /* the last one that is; NONE, or SEVERAL for "the answer is A or B" */
    bool strong;             /* some mention has a form that only an option has */
};
enum { NONE = -1, SEVERAL = -2 };

static struct letters collect(const struct ge_tokens *t, size_t n_choices)
{
    static const char *const joins[] = {"or", "nor", "and", NULL};
    struct letters l = {.last = NONE, .first = NONE, .declared = NONE};
    ptrdiff_t ruled_out = -3;
    for (ptrdiff_t i = 0; (size_t)i < t->n; i++) {
        int option = letter_at(t, i, n_choices);
        if (option < 0 || reads_as_word(t, i)) continue;
        bool carried = ruled_out == i - 2 && ge_token_in(t, i - 1, joins);
        if (carried || is_ruled_out(t, i, n_choices)) {
            ruled_out = i;
            continue;
        }
        bool is, noun;
        before_joiners(t, i, &is, &noun);
        bool declared = is_declared(t, i), joined = is_joined(t, i, n_choices);
        bool strong = declared || noun || is_enclosed(t, i) || is_labelled(t, i);
        if (!strong && !is_capital(t, i)) continue;
        if (declared) l.declared = joined ? SEVERAL : option;
        if (i == 0 && !joined) l.first = option;
        l.strong = l.strong || strong;
        l.mentioned |= 1ul << option;
        l.last = option;
        if (declared && joined) i += ge_token_in(t, i + 1, joins) ? 2 : 1;
    }
    return l;
}

struct ge_choice ge_choice_letter(const struct ge_tokens *t, size_t n_choices)
{
    struct ge_choice c = {.option = -1};
    if (t->n == 1 && letter_at(t, 0, n_choices) >= 0) {
        return (struct ge_choice){letter_at(t, 0, n_choices), true, true};
    }
    struct letters l = collect(t, n_choices);
    size_t count = 0;
    for (unsigned long m = l.mentioned; m != 0; m &= m - 1) count++;
    c.spoken = count > 0;
    c.certain = l.strong || count > 1;
    if (l.declared != NONE) {
        c.option = l.declared == SEVERAL ? -1 : l.declared;
    } else if (count == 1) {
        c.option = l.last;
    } else if (count > 1 && count < n_choices) {
        c.option = l.first;
    }
    return c;
}
