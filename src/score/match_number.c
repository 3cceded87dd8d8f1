/* Counts in a free-form answer.
 *
 *   "three red circles"   a number, then the name within four words of the same clause
 *   "circles: 3"          the name, then a colon or the like (or "are"), then the number
 *   "no circles"          0
 *   "a circle"            1, where nothing else is said about circles
 *
 * A name of several words is looked for as a whole; if it is nowhere in the answer, its noun alone
 * will do, unless another object of the task has the same noun. */
#include <math.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "score/match.h"
#include "score/tokens.h"

enum { REACH = 4 }; /* words from a number to the first word of what it counts */

/* ---- nouns ----------------------------------------------------------------------------------- */

/* Whether `plural` is `stem` followed by `ending`, where the last `cut` bytes of `one` give way. */
static bool ends_as(const char *one, size_t cut, const char *gone, const char *plural,
                    const char *ending)
{
    size_t n = strlen(one);
    if (n <= cut || strcmp(one + n - cut, gone) != 0) return false;
    return strncmp(plural, one, n - cut) == 0 && strcmp(plural + n - cut, ending) == 0;
}

static bool is_plural_of(const char *plural, const char *one)
{
    static const char *const irregular[][2] = {
        {"man", "men"},    {"woman", "women"}, {"person", "people"}, {"child", "children"},
        {"mouse", "mice"}, {"goose", "geese"}, {"foot", "feet"},     {"tooth", "teeth"},
        {"ox", "oxen"},    {"die", "dice"},
    };
    for (size_t i = 0; i < sizeof irregular / sizeof irregular[0]; i++) {
        if (strcmp(one, irregular[i][0]) == 0 && strcmp(plural, irregular[i][1]) == 0) return true;
    }
    return ends_as(one, 0, "", plural, "s") || ends_as(one, 0, "", plural, "es") ||
           ends_as(one, 1, "y", plural, "ies") || ends_as(one, 1, "f", plural, "ves") ||
           ends_as(one, 2, "fe", plural, "ves");
}

static bool same_noun(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || is_plural_of(a, b) || is_plural_of(b, a);
}

/* ---- names ----------------------------------------------------------------------------------- */

/* A name of an object; its words without articles. */
struct name {
    struct ge_tokens words; /* at least one */
    size_t object;
};

struct names {
    struct name *v;
    size_t n;
};

static const char *noun_of(const struct name *name)
{
    return name->words.v[name->words.n - 1].word;
}

static ge_status add_name(struct names *names, const char *text, size_t object,
                          struct ge_arena *arena)
{
    static const char *const articles[] = {"a", "an", "the", NULL};
    struct name *name = &names->v[names->n];
    ge_status rc = ge_tokens_make(text, arena, &name->words);
    if (rc != GE_OK) return rc;
    while (ge_token_in(&name->words, 0, articles)) {
        name->words.v++;
        name->words.n--;
    }
    name->object = object;
    names->n += name->words.n > 0;
    return GE_OK;
}

static ge_status collect_names(const struct ge_task *task, struct ge_arena *arena,
                               struct names *names)
{
    ge_status rc = GE_OK;
    size_t most = 0;
    for (size_t i = 0; i < task->n_objects; i++) most += 1 + task->objects[i].synonyms.n;
    GE_TRY_PTR(names->v, ge_arena_alloc(arena, most, sizeof *names->v));
    for (size_t i = 0; i < task->n_objects; i++) {
        const struct ge_object *o = &task->objects[i];
        GE_TRY(add_name(names, o->name, i, arena));
        for (size_t k = 0; k < o->synonyms.n; k++) {
            GE_TRY(add_name(names, o->synonyms.v[k], i, arena));
        }
    }
done:
    return rc;
}

/* Whether a name stands in the answer with its noun at `at`. */
static bool stands_at(const struct ge_tokens *t, ptrdiff_t at, const struct name *name)
{
    ptrdiff_t first = at - (ptrdiff_t)name->words.n + 1;
    if (first < 0 || !same_noun(t->v[at].word, noun_of(name))) return false;
    for (ptrdiff_t i = first; i < at; i++) {
        if (!ge_token_is(t, i, name->words.v[i - first].word)) return false;
    }
    return true;
}

/* Whether a longer name of another object stands there too: "red circles" are no "circles" then. */
static bool is_covered(const struct ge_tokens *t, ptrdiff_t at, const struct names *names,
                       const struct name *name)
{
    for (size_t i = 0; i < names->n; i++) {
        const struct name *other = &names->v[i];
        if (other->object != name->object && other->words.n > name->words.n &&
            stands_at(t, at, other)) {
            return true;
        }
    }
    return false;
}

static bool shares_noun(const struct names *names, const struct name *name)
{
    for (size_t i = 0; i < names->n; i++) {
        if (names->v[i].object != name->object && same_noun(noun_of(&names->v[i]), noun_of(name))) {
            return true;
        }
    }
    return false;
}

static bool is_any_noun(const struct ge_tokens *t, ptrdiff_t at, const struct names *names)
{
    for (size_t i = 0; at >= 0 && i < names->n; i++) {
        if (same_noun(t->v[at].word, noun_of(&names->v[i]))) return true;
    }
    return false;
}

/* ---- statements ------------------------------------------------------------------------------ */

/* Numbers that the answer states for one object. */
struct stated {
    double wanted;
    bool any, other; /* a number is stated; one that differs from the wanted one is */
};

static void note(struct stated *s, double value)
{
    s->any = true;
    if (value != s->wanted) s->other = true;
}

static bool is_number(const struct ge_tokens *t, ptrdiff_t i)
{
    return i >= 0 && (size_t)i < t->n && t->v[i].number;
}

/* The number at `i`, and the one before it in "3 or 4", "3-4", "between 3 and 4". */
static void note_number(const struct ge_tokens *t, ptrdiff_t i, struct stated *s)
{
    if (ge_token_negates(t, i - 1)) return;
    note(s, t->v[i].value);
    bool joined = ge_token_is(t, i - 1, "or") || ge_token_is(t, i - 1, "to") ||
                  (ge_token_is(t, i - 1, "and") && ge_token_is(t, i - 3, "between"));
    if (joined && is_number(t, i - 2)) note(s, t->v[i - 2].value);
    if (is_number(t, i - 1) && ge_token_after_any(t, i, "-\xE2")) note(s, t->v[i - 1].value);
}

/* "circles: 3", "circles = 3", "circles (3)", "circles are 3". The noun is at `at`. */
static bool number_after(const struct ge_tokens *t, ptrdiff_t at, ptrdiff_t *number)
{
    static const char *const verbs[] = {"is", "are", "equals", "equal", NULL};
    *number = at + 1;
    if (is_number(t, at + 1)) return ge_token_after_any(t, at + 1, ":=(|\xE2-");
    *number = at + 2;
    return ge_token_in(t, at + 1, verbs) && is_number(t, at + 2) && !t->v[at + 1].breaks &&
           !t->v[at + 2].breaks;
}

/* The number that counts what begins at `first`; -1 if there is none. One that belongs to the
 * object before it ("circles: 3 squares: 2") does not. */
static ptrdiff_t number_before(const struct ge_tokens *t, ptrdiff_t first,
                               const struct names *names)
{
    ptrdiff_t owned;
    for (ptrdiff_t i = first - 1; i >= 0 && i >= first - REACH; i--) {
        if (t->v[i + 1].breaks || is_any_noun(t, i, names)) return -1;
        if (!t->v[i].number) continue;
        for (ptrdiff_t noun = i - 1; noun >= 0 && noun >= i - 2; noun--) {
            bool taken = is_any_noun(t, noun, names) && number_after(t, noun, &owned);
            if (taken && owned == i) return -1;
        }
        return i;
    }
    return -1;
}

/* "no circles", "isn't any circle", "without circles". */
static bool is_denied(const struct ge_tokens *t, ptrdiff_t first)
{
    static const char *const none[] = {"no", "without", "neither", NULL};
    if (first <= 0 || t->v[first].breaks) return false;
    if (ge_token_in(t, first - 1, none)) return true;
    if (!ge_token_is(t, first - 1, "any")) return false;
    for (ptrdiff_t i = first - 2; i >= 0 && i >= first - 4; i--) {
        if (ge_token_negates(t, i)) return true;
    }
    return false;
}

/* What is said where `name`, `words` long, ends at `at`. */
static void read_statement(const struct ge_tokens *t, ptrdiff_t at, size_t words,
                           const struct names *names, struct stated *s)
{
    ptrdiff_t first = at - (ptrdiff_t)words + 1, number;
    if (number_after(t, at, &number)) note_number(t, number, s);
    number = number_before(t, first, names);
    if (number >= 0) {
        note_number(t, number, s);
    } else if (is_denied(t, first)) {
        note(s, 0);
    }
}

/* "a circle", "an apple" with the name ending at `at`: one, if it is not a plural. */
static bool has_article(const struct ge_tokens *t, ptrdiff_t at, const struct name *name)
{
    for (ptrdiff_t i = at - 1; i >= 0 && i >= at - REACH; i--) {
        if (t->v[i + 1].breaks) return false;
        if (ge_token_is(t, i, "a") || ge_token_is(t, i, "an")) {
            const char *noun = noun_of(name), *word = t->v[at].word;
            return strcmp(word, noun) != 0 ? is_plural_of(noun, word)
                                           : noun[strlen(noun) - 1] != 's';
        }
    }
    return false;
}

/* Statements about one name: as a whole, or by its noun alone. `seen`: it stands somewhere. */
static void read_name(const struct ge_tokens *t, const struct name *name, bool whole,
                      const struct names *names, struct stated *s, bool *seen, bool *article)
{
    for (ptrdiff_t at = 0; (size_t)at < t->n; at++) {
        if (whole ? !stands_at(t, at, name) : !same_noun(t->v[at].word, noun_of(name))) continue;
        if (is_covered(t, at, names, name)) continue;
        *seen = true;
        read_statement(t, at, whole ? name->words.n : 1, names, s);
        *article = *article || has_article(t, at, name);
    }
}

static void read_object(const struct ge_tokens *t, size_t object, const struct names *names,
                        struct stated *s)
{
    bool seen = false, article = false;
    for (int whole = 1; whole >= 0 && !seen; whole--) {
        for (size_t i = 0; i < names->n; i++) {
            const struct name *name = &names->v[i];
            if (name->object != object || (!whole && shares_noun(names, name))) continue;
            read_name(t, name, whole == 1, names, s, &seen, &article);
        }
    }
    if (!s->any && article) note(s, 1);
}

/* ---- one object alone ------------------------------------------------------------------------ */

/* Whether the words around a number say that it is the final one. */
static bool is_announced(const struct ge_tokens *t, ptrdiff_t i)
{
    static const char *const before[] = {"answer", "total", "sum", "altogether", NULL};
    static const char *const after[] = {"total", "altogether", "overall", NULL};
    if (ge_token_after_any(t, i, "=")) return true;
    for (ptrdiff_t k = i - 1; k >= 0 && k >= i - 3; k--) {
        if (t->v[k + 1].breaks || t->v[k].number) break;
        if (ge_token_in(t, k, before)) return true;
    }
    for (ptrdiff_t k = i + 1; (size_t)k < t->n && k <= i + 4; k++) {
        if (t->v[k].breaks || t->v[k].number) break;
        if (ge_token_in(t, k, after)) return true;
    }
    return false;
}

/* Announced numbers decide. Without one, the object's own statements do; without those, the only
 * number of the answer, or a lone "none". */
static void read_alone(const struct ge_tokens *t, struct stated *s)
{
    struct stated announced = {.wanted = s->wanted}, only = {.wanted = s->wanted};
    double first = NAN;
    bool several = false, none = false;
    for (ptrdiff_t i = 0; (size_t)i < t->n; i++) {
        none = none || (ge_token_is(t, i, "none") && !ge_token_is(t, i + 1, "of"));
        if (!t->v[i].number || ge_token_negates(t, i - 1)) continue;
        if (is_announced(t, i)) note_number(t, i, &announced);
        if (isnan(first)) first = t->v[i].value;
        several = several || t->v[i].value != first;
        note(&only, t->v[i].value);
    }
    if (announced.any) {
        *s = announced;
    } else if (!s->any && only.any && !several) {
        *s = only;
    } else if (!s->any && !only.any && none) {
        note(s, 0);
    }
}

ge_status ge_match_number(const char *text, const struct ge_task *task, enum ge_match *out)
{
    ge_status rc = GE_OK;
    struct ge_arena *arena = NULL;
    struct ge_tokens answer;
    struct names names = {0};
    size_t counted = 0;
    *out = GE_MATCH_RIGHT;
    for (size_t i = 0; i < task->n_objects; i++) counted += task->objects[i].number >= 0;
    if (counted == 0) {
        return ge_fail(GE_EINVAL, "rule \"number\": no object of the item has a \"number\"");
    }
    GE_TRY_PTR(arena, ge_arena_new());
    GE_TRY(ge_tokens_make(text, arena, &answer));
    GE_TRY(collect_names(task, arena, &names));
    for (size_t i = 0; i < task->n_objects; i++) {
        struct stated s = {.wanted = (double)task->objects[i].number};
        if (task->objects[i].number < 0) continue;
        read_object(&answer, i, &names, &s);
        if (task->n_objects == 1) read_alone(&answer, &s);
        if (s.other) {
            *out = GE_MATCH_WRONG;
        } else if (!s.any && *out == GE_MATCH_RIGHT) {
            *out = GE_MATCH_NO_ANSWER;
        }
    }
done:
    ge_arena_delete(&arena);
    return rc;
}
