/* The normal form of VQA answers, step by step as the references take it: each step reads what the
 * one before wrote. */
#include "metric/vqa_normalize.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "metric/pystr.h"
#include "text/unicode.h"

enum { MOST_PERIODS = 32 };

struct word_pair {
    const char *from, *to;
};

/* Sorted by the bytes of `from`. Four can never be met, because the text is in lower case by then. */
static const struct word_pair contractions[] = {
    /* clang-format off */
    {"'ow'sat", "'ow's'at"}, {"'ows'at", "'ow's'at"}, {"I'dve", "I'd've"}, {"Id've", "I'd've"},
    {"Im", "I'm"}, {"Ive", "I've"}, {"aint", "ain't"}, {"arent", "aren't"}, {"cant", "can't"},
    {"couldn'tve", "couldn't've"}, {"couldnt", "couldn't"}, {"couldnt've", "couldn't've"},
    {"couldve", "could've"}, {"didnt", "didn't"}, {"doesnt", "doesn't"}, {"dont", "don't"},
    {"hadn'tve", "hadn't've"}, {"hadnt", "hadn't"}, {"hadnt've", "hadn't've"}, {"hasnt", "hasn't"},
    {"havent", "haven't"}, {"he'dve", "he'd've"}, {"hed", "he'd"}, {"hed've", "he'd've"},
    {"hes", "he's"}, {"howd", "how'd"}, {"howll", "how'll"}, {"hows", "how's"}, {"isnt", "isn't"},
    {"it'dve", "it'd've"}, {"itd", "it'd"}, {"itd've", "it'd've"}, {"itll", "it'll"},
    {"let's", "let's"}, {"maam", "ma'am"}, {"mightn'tve", "mightn't've"}, {"mightnt", "mightn't"},
    {"mightnt've", "mightn't've"}, {"mightve", "might've"}, {"mustnt", "mustn't"},
    {"mustve", "must've"}, {"neednt", "needn't"}, {"notve", "not've"}, {"oclock", "o'clock"},
    {"oughtnt", "oughtn't"}, {"ow's'at", "'ow's'at"}, {"shant", "shan't"}, {"she'dve", "she'd've"},
    {"she's", "she's"}, {"shed've", "she'd've"}, {"shouldn'tve", "shouldn't've"},
    {"shouldnt", "shouldn't"}, {"shouldnt've", "shouldn't've"}, {"shouldve", "should've"},
    {"somebody'd", "somebodyd"}, {"somebody'dve", "somebody'd've"},
    {"somebodyd've", "somebody'd've"}, {"somebodyll", "somebody'll"}, {"somebodys", "somebody's"},
    {"someone'dve", "someone'd've"}, {"someoned", "someone'd"}, {"someoned've", "someone'd've"},
    {"someonell", "someone'll"}, {"someones", "someone's"}, {"something'dve", "something'd've"},
    {"somethingd", "something'd"}, {"somethingd've", "something'd've"},
    {"somethingll", "something'll"}, {"thats", "that's"}, {"there'dve", "there'd've"},
    {"thered", "there'd"}, {"thered've", "there'd've"}, {"therere", "there're"},
    {"theres", "there's"}, {"they'dve", "they'd've"}, {"theyd", "they'd"},
    {"theyd've", "they'd've"}, {"theyll", "they'll"}, {"theyre", "they're"}, {"theyve", "they've"},
    {"twas", "'twas"}, {"wasnt", "wasn't"}, {"we'dve", "we'd've"}, {"wed've", "we'd've"},
    {"werent", "weren't"}, {"weve", "we've"}, {"whatll", "what'll"}, {"whatre", "what're"},
    {"whats", "what's"}, {"whatve", "what've"}, {"whens", "when's"}, {"whered", "where'd"},
    {"wheres", "where's"}, {"whereve", "where've"}, {"who'dve", "who'd've"}, {"whod", "who'd"},
    {"whod've", "who'd've"}, {"wholl", "who'll"}, {"whos", "who's"}, {"whove", "who've"},
    {"whyll", "why'll"}, {"whyre", "why're"}, {"whys", "why's"}, {"wont", "won't"},
    {"wouldn'tve", "wouldn't've"}, {"wouldnt", "wouldn't"}, {"wouldnt've", "wouldn't've"},
    {"wouldve", "would've"}, {"y'all'dve", "y'all'd've"}, {"y'alld've", "y'all'd've"},
    {"y'allll", "y'all'll"}, {"yall", "y'all"}, {"yall'd've", "y'all'd've"},
    {"yall'll", "y'all'll"}, {"you'dve", "you'd've"}, {"youd", "you'd"}, {"youd've", "you'd've"},
    {"youll", "you'll"}, {"youre", "you're"}, {"youve", "you've"},
    /* clang-format on */
};

static const struct word_pair numbers[] = {
    {"eight", "8"}, {"five", "5"}, {"four", "4"}, {"nine", "9"},  {"none", "0"}, {"one", "1"},
    {"seven", "7"}, {"six", "6"},  {"ten", "10"}, {"three", "3"}, {"two", "2"},  {"zero", "0"},
};

ge_status ge_vqa_trim(const char *text, struct ge_buf *out)
{
    size_t len = strlen(text);
    ge_pystr_strip(&text, &len); /* first: both are white space themselves */
    for (size_t i = 0; i < len; i++) {
        ge_buf_char(out, text[i] == '\n' || text[i] == '\t' ? ' ' : text[i]);
    }
    return ge_buf_status(out);
}

/* TextVQA's first step. */
static void split_possessives(const char *s, size_t len, struct ge_buf *out)
{
    for (size_t i = 0; i < len; i++) {
        if (s[i] == ',' || s[i] == '?') continue;
        if (s[i] == '\'' && i + 1 < len && s[i + 1] == 's') ge_buf_char(out, ' ');
        ge_buf_char(out, s[i]);
    }
}

/* ---- punctuation -------------------------------------------------------------------------- */

static bool is_mark(char c)
{
    return c != '\0' && strchr(";/[]\"{}()=+\\_-><@`,?!", c) != NULL;
}

/* Whether digits of any script stand on both sides of a comma, or of several where that counts. */
static bool comma_between_digits(const char *s, size_t len, bool several)
{
    size_t n, commas = 0;
    bool digit_before = false; /* of the commas, if there are any */
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        if (cp == ',') {
            commas++;
            continue;
        }
        bool digit = ge_pystr_digit(cp) >= 0;
        if (digit && digit_before && (commas == 1 || (several && commas > 1))) return true;
        digit_before = digit;
        commas = 0;
    }
    return false;
}

static void strip_marks(const char *s, size_t len, bool several, struct ge_buf *out)
{
    bool goes[128] = {false}; /* marks that leave nothing behind */
    bool all = comma_between_digits(s, len, several);
    for (size_t i = 0; i < len; i++) {
        if (!is_mark(s[i])) continue;
        bool beside = (i > 0 && s[i - 1] == ' ') || (i + 1 < len && s[i + 1] == ' ');
        if (all || beside) goes[(unsigned char)s[i]] = true;
    }
    for (size_t i = 0; i < len; i++) {
        if (!is_mark(s[i])) {
            ge_buf_char(out, s[i]);
        } else if (!goes[(unsigned char)s[i]]) {
            ge_buf_char(out, ' ');
        }
    }
}

static void strip_periods(const char *s, size_t len, bool after_digits_too, struct ge_buf *out)
{
    size_t n, next, dropped = 0;
    bool digit_before = false;
    for (size_t i = 0; i < len; i += n) {
        uint32_t cp = ge_unicode_at(s + i, len - i, &n);
        bool loose = cp == '.' && dropped < MOST_PERIODS && (after_digits_too || !digit_before);
        if (loose && i + 1 < len) {
            loose = ge_pystr_digit(ge_unicode_at(s + i + 1, len - i - 1, &next)) < 0;
        }
        digit_before = ge_pystr_digit(cp) >= 0;
        dropped += loose;
        if (!loose) ge_buf_add(out, s + i, n);
    }
}

/* ---- words -------------------------------------------------------------------------------- */

static int compare_pairs(const void *key, const void *pair)
{
    const struct ge_buf *word = key;
    return strcmp(word->data, ((const struct word_pair *)pair)->from);
}

static void replace_word(struct ge_buf *word, const struct word_pair *table, size_t n)
{
    const struct word_pair *found = bsearch(word, table, n, sizeof *table, compare_pairs);
    if (found == NULL) return;
    ge_buf_reset(word);
    ge_buf_str(word, found->to);
}

static bool is_article(const char *word)
{
    return strcmp(word, "a") == 0 || strcmp(word, "an") == 0 || strcmp(word, "the") == 0;
}

static ge_status map_words(const char *s, size_t len, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct ge_buf word;
    size_t pos = 0, begin, start = out->len;
    ge_buf_init(&word, SIZE_MAX / 2);
    while (ge_pystr_word(s, len, &pos, &begin)) {
        ge_buf_reset(&word);
        ge_buf_add(&word, s + begin, pos - begin);
        GE_TRY(ge_buf_status(&word));
        replace_word(&word, numbers, sizeof numbers / sizeof numbers[0]);
        if (is_article(word.data)) continue;
        replace_word(&word, contractions, sizeof contractions / sizeof contractions[0]);
        GE_TRY(ge_buf_status(&word));
        if (out->len > start) ge_buf_char(out, ' ');
        ge_buf_add(out, word.data, word.len);
    }
    rc = ge_buf_status(out);
done:
    ge_buf_free(&word);
    return rc;
}

/* Empty, but with data. */
static ge_status start(struct ge_buf *b)
{
    ge_buf_reset(b);
    ge_buf_str(b, "");
    return ge_buf_status(b);
}

ge_status ge_vqa_normalize(const char *text, enum ge_vqa_dialect dialect, struct ge_buf *out)
{
    ge_status rc = GE_OK;
    struct ge_buf a, b;
    bool textvqa = dialect == GE_VQA_TEXTVQA;
    ge_buf_init(&a, SIZE_MAX / 2);
    ge_buf_init(&b, SIZE_MAX / 2);
    GE_TRY(start(&a));
    GE_TRY(start(&b));
    if (textvqa) {
        ge_pystr_lower(text, strlen(text), &a);
        GE_TRY(ge_buf_status(&a));
        split_possessives(a.data, a.len, &b);
        GE_TRY(ge_buf_status(&b));
        GE_TRY(start(&a));
        text = b.data;
    }
    GE_TRY(ge_vqa_trim(text, &a));
    GE_TRY(start(&b));
    strip_marks(a.data, a.len, textvqa || dialect == GE_VQA_LMMSEVAL, &b);
    GE_TRY(ge_buf_status(&b));
    GE_TRY(start(&a));
    strip_periods(b.data, b.len, dialect != GE_VQA_VLMEVALKIT, &a);
    GE_TRY(ge_buf_status(&a));
    GE_TRY(start(&b));
    ge_pystr_lower(a.data, a.len, &b);
    GE_TRY(ge_buf_status(&b));
    GE_TRY(map_words(b.data, b.len, out));
done:
    ge_buf_free(&a);
    ge_buf_free(&b);
    return rc;
}
