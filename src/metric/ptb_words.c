/* Rules for words, contractions, abbreviations and compounds. */
#include <stdlib.h>
#include <string.h>

#include "metric/ptb_scan.h"

enum { LONGEST_ABBREVIATION = 8 };

size_t ptb_apostrophe(const struct ptb_scan *s, size_t p, bool wide)
{
    static const char entity[] = "&apos;";
    switch (s->c[p]) {
    case '\'':
    case 0x92:
    case 0x2019:
        return 1;
    case '`':
    case 0x91:
    case 0x2018:
    case 0x201B:
        return wide;
    case '&':
        break;
    default:
        return 0;
    }
    for (size_t i = 0; i < sizeof entity - 1; i++) {
        if (ptb_lower(s->c[p + i]) != (unsigned char)entity[i]) return 0;
    }
    return sizeof entity - 1;
}

size_t ptb_literal_slow(const struct ptb_scan *s, size_t p, const char *word)
{
    size_t begin = p;
    for (; *word != '\0'; word++) {
        size_t n = *word == '\'' ? ptb_apostrophe(s, p, false)
                                 : ptb_lower(s->c[p]) == (unsigned char)*word;
        if (n == 0) return 0;
        p += n;
    }
    return p - begin;
}

/* One letter of a word, which may be an entity such as &eacute; */
static size_t letter(const struct ptb_scan *s, size_t p)
{
    static const char *const accents[] = {"acute;", "grave;", "uml;"};
    if (ptb_is(s, p, PTB_WORD)) return 1;
    if (s->c[p] != '&' || !ptb_among(s, p + 1, "aeiouAEIOU")) return 0;
    for (size_t i = 0; i < sizeof accents / sizeof accents[0]; i++) {
        size_t n = ptb_literal(s, p + 2, accents[i]);
        if (n > 0) return n + 2;
    }
    return 0;
}

size_t ptb_word(const struct ptb_scan *s, size_t p)
{
    size_t begin = p, n = letter(s, p);
    while (n > 0) {
        p += n;
        n = ptb_is(s, p, PTB_DIGIT) ? 1 : letter(s, p);
        if (n == 0 && ptb_among(s, p, ".!?") && (n = letter(s, p + 1)) > 0) n++;
    }
    return p - begin;
}

/* 's, 'm, 'd, 're, 've, 'll */
static size_t short_verb(const struct ptb_scan *s, size_t p)
{
    static const char *const tails[] = {"re", "ve", "ll", "s", "m", "d"};
    size_t n = ptb_apostrophe(s, p, false);
    if (n == 0) return 0;
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        size_t m = ptb_literal(s, p + n, tails[i]);
        if (m > 0) return n + m;
    }
    return 0;
}

/* n't with any apostrophe */
static size_t short_not(const struct ptb_scan *s, size_t p)
{
    size_t n;
    if (ptb_lower(s->c[p]) != 'n') return 0;
    n = ptb_apostrophe(s, p + 1, true);
    return n > 0 && ptb_lower(s->c[p + 1 + n]) == 't' ? n + 2 : 0;
}

/* The part of an ASCII word before n't: not empty, and its last letter no n. */
static void before_not(struct ptb_scan *s, size_t p)
{
    size_t end = p, last, n;
    while (ptb_is(s, end, PTB_ALPHA) || s->c[end] == 0xAD) end++;
    if (end < p + 2 || (n = short_not(s, end - 1)) == 0) return;
    last = --end;
    while (last > p && s->c[last - 1] == 0xAD) last--;
    if (last > p && ptb_lower(s->c[last - 1]) != 'n') ptb_offer(s, end - p + n, end - p, PTB_SOFT);
}

/* Two words written as one, and the number of letters of the second. */
static const struct {
    const char *word;
    unsigned char second;
} pairs[] = {{"cannot", 3}, {"gonna", 2}, {"gotta", 2}, {"lemme", 2},
             {"gimme", 2},  {"wanna", 2}, {"more'n", 2}};

bool ptb_is_plain_word(const struct ptb_scan *s, size_t p, size_t n)
{
    size_t after = p + n + (s->c[p + n] == ',');
    if (n == 0 || !ptb_among(s, after, " \n")) return false;
    for (size_t i = 0; n >= 5 && n <= 6 && i < sizeof pairs / sizeof pairs[0]; i++)
        if (ptb_literal(s, p, pairs[i].word) == n) return false;
    return true;
}

void ptb_rule_words(struct ptb_scan *s, size_t p)
{
    size_t n;
    if (ptb_literal(s, p, "c++") > 0) ptb_offer(s, 3, 3, PTB_KEEP);
    if (ptb_among(s, p, "cCfF") && s->c[p + 1] == '#') ptb_offer(s, 2, 2, PTB_KEEP);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        n = ptb_literal(s, p, pairs[i].word);
        if (n == strlen(pairs[i].word)) ptb_offer(s, n, n - pairs[i].second, PTB_KEEP);
    }
    if (s->c[p] == '\'' && ptb_literal(s, p, "'tis") > 0) ptb_offer(s, 4, 2, PTB_KEEP);
    if (s->c[p] == '\'' && ptb_literal(s, p, "'twas") > 0) ptb_offer(s, 5, 2, PTB_KEEP);
    n = ptb_word(s, p);
    if (n > 0 && short_verb(s, p + n) > 0) ptb_offer(s, n + short_verb(s, p + n), n, PTB_SOFT);
    before_not(s, p);
    ptb_offer(s, n, n, PTB_SOFT);
}

void ptb_rule_contraction(struct ptb_scan *s, size_t p, bool wherever)
{
    size_t verb = short_verb(s, p), negation = short_not(s, p);
    if (wherever) {
        ptb_offer(s, verb, verb, PTB_QUOTE_RIGHT);
        ptb_offer(s, negation, negation, PTB_QUOTE_RIGHT);
        return;
    }
    if (!ptb_is(s, p + verb, PTB_ALPHA)) ptb_offer(s, verb + 1, verb, PTB_QUOTE_RIGHT);
    if (!ptb_is(s, p + negation, PTB_ALPHA)) ptb_offer(s, negation + 1, negation, PTB_QUOTE_RIGHT);
}

static size_t letters(const struct ptb_scan *s, size_t p)
{
    size_t n = 0;
    while (ptb_is(s, p + n, PTB_LETTER)) n++;
    return n;
}

void ptb_rule_apostrophe_words(struct ptb_scan *s, size_t p)
{
    static const char *const any[] = {"'n'",       "'n",     "l'",    "d'",    "j'",
                                      "dunkin'",   "ol'",    "'em",   "'till", "'til",
                                      "somethin'", "'cause", "cap'n", "c'est"};
    static const char *const straight[] = {"c'mon", "e'er",    "s'mores", "ev'ry",
                                           "li'l",  "cont'd.", "nat'l",   "nor'easter"};
    size_t n, a, m;
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++) {
        n = ptb_literal(s, p, any[i]);
        ptb_offer(s, n, n, PTB_KEEP);
    }
    for (size_t i = 0; i < sizeof straight / sizeof straight[0]; i++) {
        n = ptb_literal(s, p, straight[i]);
        if (n == 0 || n != strlen(straight[i])) continue; /* &apos; is longer */
        if (s->c[p + (size_t)(strchr(straight[i], '\'') - straight[i])] != '\'') continue;
        ptb_offer(s, n, n, PTB_KEEP);
    }
    a = ptb_apostrophe(s, p, false);
    if (a > 0 && ptb_among(s, p + a, "23456789") && ptb_literal(s, p + a + 1, "0s") > 0)
        ptb_offer(s, a + 3, a + 3, PTB_KEEP);
    n = letters(s, p);
    if (n == 0 || (a = ptb_apostrophe(s, p + n, true)) == 0) return;
    m = letters(s, p + n + a);
    if (n == 1 && m >= 2 && ptb_among(s, p, "ABCDEFGHJKLMNOPQRSTUVWXZn"))
        ptb_offer(s, n + a + m, n + a + m, PTB_KEEP);
    if (n >= 2 && m >= 1 && ptb_among(s, p + n - 1, "aeiouyAEIOUY") &&
        ptb_among(s, p + n + a, "aeiouABCDEFGHIJKLMNOPQRSTUVWXYZ"))
        ptb_offer(s, n + a + m, n + a + m, PTB_KEEP);
    if (n == 1 && m >= 1 && ptb_lower(s->c[p]) == 'y' && ptb_apostrophe(s, p + 1, false) > 0)
        ptb_offer(s, 1 + a + 1, 1 + a, PTB_KEEP);
    if (n == 1 && m >= 1 && ptb_lower(s->c[p]) == 'o' && ptb_lower(s->c[p + 1 + a]) == 'o')
        ptb_offer(s, 1 + a + 1, 1 + a + 1, PTB_KEEP);
}

/* Abbreviations that keep their period, sorted. */
enum follower {
    ANY,    /* whatever follows, also without a space: "Jan.5" */
    NAME,   /* as a word of its own: titles and the like */
    NUMBER, /* before a digit */
    CAPITAL /* as ANY, and its first letter must be a capital */
};
static const struct abbreviation {
    char word[LONGEST_ABBREVIATION + 1];
    enum follower follower;
} abbreviations[] = {
    {"adj", NAME},    {"adm", NAME},    {"adv", NAME},   {"al", ANY},       {"ala", ANY},
    {"alex", NAME},   {"apr", ANY},     {"ariz", ANY},   {"ark", CAPITAL},  {"art", NUMBER},
    {"assn", ANY},    {"assoc", NAME},  {"asst", NAME},  {"atty", NAME},    {"attys", NAME},
    {"aug", ANY},     {"ave", NAME},    {"az", CAPITAL}, {"bancorp", ANY},  {"bhd", ANY},
    {"bldg", ANY},    {"blvd", ANY},    {"brig", NAME},  {"bros", ANY},     {"ca", NUMBER},
    {"calif", ANY},   {"capt", NAME},   {"cf", NAME},    {"cie", NAME},     {"cmdr", NAME},
    {"co", ANY},      {"col", NAME},    {"colo", ANY},   {"comdr", NAME},   {"conn", ANY},
    {"corp", ANY},    {"cos", ANY},     {"cpl", NAME},   {"ct", ANY},       {"dak", ANY},
    {"dec", ANY},     {"del", CAPITAL}, {"dept", NAME},  {"det", NAME},     {"dr", NAME},
    {"drs", NAME},    {"elec", NAME},   {"ens", NAME},   {"esq", ANY},      {"est", ANY},
    {"etc", ANY},     {"ext", ANY},     {"feb", ANY},    {"fig", NUMBER},   {"figs", NUMBER},
    {"fla", ANY},     {"fri", ANY},     {"ft", NAME},    {"ga", ANY},       {"gen", NAME},
    {"gov", NAME},    {"govs", NAME},   {"hon", NAME},   {"ill", CAPITAL},  {"inc", ANY},
    {"ind", ANY},     {"insp", NAME},   {"intl", ANY},   {"invt", NAME},    {"jan", ANY},
    {"jos", NAME},    {"jr", ANY},      {"jul", ANY},    {"jun", ANY},      {"kan", ANY},
    {"kans", ANY},    {"ky", ANY},      {"la", CAPITAL}, {"lieut", NAME},   {"lt", NAME},
    {"ltd", ANY},     {"maj", NAME},    {"mar", ANY},    {"mass", CAPITAL}, {"md", ANY},
    {"messrs", NAME}, {"mfg", NAME},    {"mich", ANY},   {"minn", ANY},     {"miss", CAPITAL},
    {"mlle", NAME},   {"mme", NAME},    {"mo", ANY},     {"mon", ANY},      {"mont", ANY},
    {"mr", NAME},     {"mrs", NAME},    {"ms", NAME},    {"msgr", NAME},    {"mt", NAME},
    {"mtg", NAME},    {"natl", NAME},   {"neb", ANY},    {"nev", ANY},      {"no", NUMBER},
    {"nos", NUMBER},  {"nov", ANY},     {"oct", ANY},    {"okla", ANY},     {"op", NUMBER},
    {"ore", CAPITAL}, {"pa", CAPITAL},  {"penn", ANY},   {"pfc", NAME},     {"ph", NAME},
    {"plc", ANY},     {"pp", NUMBER},   {"pres", NAME},  {"prof", NAME},    {"profs", NAME},
    {"prop", NUMBER}, {"pte", ANY},     {"ptes", ANY},   {"pty", ANY},      {"ptys", ANY},
    {"pvt", NAME},    {"rd", ANY},      {"rep", NAME},   {"reps", NAME},    {"rev", NAME},
    {"rt", ANY},      {"sen", NAME},    {"sens", NAME},  {"sep", ANY},      {"sept", ANY},
    {"seq", ANY},     {"sfc", NAME},    {"sgt", NAME},   {"spc", NAME},     {"sq", ANY},
    {"sr", ANY},      {"st", NAME},     {"ste", NAME},   {"supt", NAME},    {"supts", NAME},
    {"sys", ANY},     {"tel", ANY},     {"tenn", ANY},   {"tex", CAPITAL},  {"thu", ANY},
    {"thurs", ANY},   {"treas", NAME},  {"tue", ANY},    {"tues", ANY},     {"univ", ANY},
    {"va", ANY},      {"vs", NAME},     {"vt", ANY},     {"wash", CAPITAL}, {"wed", ANY},
    {"wis", ANY},     {"wisc", ANY},    {"wm", NAME},    {"wyo", ANY}};

static int compare_words(const void *key, const void *row)
{
    return strcmp(key, ((const struct abbreviation *)row)->word);
}

static void listed_abbreviation(struct ptb_scan *s, size_t p)
{
    char word[LONGEST_ABBREVIATION + 1];
    const struct abbreviation *row;
    size_t n = 0, space;
    while (ptb_is(s, p + n, PTB_ALPHA)) {
        if (n == LONGEST_ABBREVIATION) return;
        word[n] = (char)ptb_lower(s->c[p + n]);
        n++;
    }
    if (n == 0 || s->c[p + n] != '.') return;
    word[n++] = '\0'; /* n: with the period */
    row = bsearch(word, abbreviations, sizeof abbreviations / sizeof abbreviations[0],
                  sizeof abbreviations[0], compare_words);
    if (row == NULL) return;
    switch (row->follower) {
    case CAPITAL:
        if (s->c[p] >= 'a') break;
        /* fallthrough */
    case ANY:
        ptb_offer(s, s->c[p + n + 1] == PTB_END ? n : n + 2, n, PTB_KEEP);
        break;
    case NAME:
        ptb_offer(s, n, n, PTB_KEEP);
        break;
    case NUMBER:
        space = ptb_is(s, p + n, PTB_SPACE);
        if (ptb_is(s, p + n + space, PTB_DIGIT)) ptb_offer(s, n + space + 1, n, PTB_KEEP);
        break;
    }
}

/* Letters with periods between them, "e.g", and a few compounds with one. */
static size_t acronym(const struct ptb_scan *s, size_t p)
{
    static const char *const compounds[] = {"canada-u.s", "sino-u.s", "korean-u.s",   "eu-u.s",
                                            "japan-u.s",  "non-u.s",  "u.s.-u.s.s.r", "u.s.-u.k"};
    size_t n = 1;
    for (size_t i = 0; i < sizeof compounds / sizeof compounds[0]; i++) {
        size_t m = ptb_literal(s, p, compounds[i]);
        if (m > 0) return m;
    }
    if (!ptb_is(s, p, PTB_ALPHA)) return 0;
    while (s->c[p + n] == '.' && ptb_is(s, p + n + 1, PTB_ALPHA)) n += 2;
    return n;
}

/* Does a sentence begin at p? Told by words that seldom follow an abbreviation within one. */
static bool sentence_begins(struct ptb_scan *s, size_t p)
{
    static const char *const words[] = {
        "about", "according", "additionally", "after", "an",    "a",    "as",   "at",      "but",
        "did",   "during",    "earlier",      "he",    "her",   "here", "how",  "however", "if",
        "in",    "it",        "last",         "many",  "more",  "mr.",  "ms.",  "now",     "once",
        "one",   "other",     "our",          "she",   "since", "so",   "some", "such",    "that",
        "the",   "their",     "then",         "there", "these", "they", "this", "we",      "when",
        "while", "what",      "who",          "why",   "yet",   "you"};
    size_t n = ptb_tag(s, p);
    if (n > 0 && ptb_is(s, p + n, PTB_SPACE)) return true;
    if (s->c[p] < 'A' || s->c[p] > 'Z') return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        n = ptb_literal(s, p, words[i]);
        if (n > 0 && ptb_is(s, p + n, PTB_SPACE)) return true;
    }
    return false;
}

void ptb_rule_abbreviations(struct ptb_scan *s, size_t p)
{
    size_t n = acronym(s, p), next, m;
    if (n > 0 && s->c[p + n] == '.') {
        next = p + n + 1;
        while (ptb_is(s, next, PTB_SPACE)) next++;
        /* One letter at a sentence's end is a word and its period; a longer one keeps it. */
        if (next > p + n + 1 && sentence_begins(s, next))
            ptb_offer(s, next - p + 1, n == 1 ? n : n + 1, PTB_KEEP);
        ptb_offer(s, n + 1, n + 1, PTB_KEEP);
    }
    listed_abbreviation(s, p);
    m = ptb_literal(s, p, "ph.d.");
    if (m == 0) m = ptb_literal(s, p, "ed.d.");
    if (m > 0) ptb_offer(s, m + 2, m, PTB_KEEP);
    if (n > 0 && ptb_is(s, p + n, PTB_SPACE)) ptb_offer(s, n + 1, n, PTB_KEEP);
    n = ptb_apostrophe(s, p, false);
    if (n > 0 && ptb_is(s, p + n, PTB_ASCII_DIGIT) && ptb_is(s, p + n + 1, PTB_ASCII_DIGIT) &&
        ptb_is(s, p + n + 2, PTB_SPACE))
        ptb_offer(s, n + 3, n + 2, PTB_KEEP);
    n = ptb_word(s, p);
    if (n > 0 && s->c[p + n] == '.' &&
        (ptb_among(s, p + n + 1, ",;:") || s->c[p + n + 1] == 0x3001))
        ptb_offer(s, n + 2, n + 1, PTB_SOFT);
}

static size_t run_of(const struct ptb_scan *s, size_t p, unsigned kinds)
{
    size_t n = 0;
    while (ptb_is(s, p + n, kinds)) n++;
    return n;
}

static bool is_hyphen(uint32_t c)
{
    return c == '-' || c == '_' || c == 0x58A || c == 0x2010 || c == 0x2011;
}

/* One part of a compound at p; it may begin with d', l' or o'. */
static size_t compound_part(const struct ptb_scan *s, size_t p)
{
    size_t n = run_of(s, p, PTB_LETTER | PTB_DIGIT), a, m;
    if (n != 1 || !ptb_among(s, p, "dDlLoO") || (a = ptb_apostrophe(s, p + 1, true)) == 0) return n;
    m = run_of(s, p + 1 + a, PTB_LETTER | PTB_DIGIT);
    return m >= 2 ? 1 + a + m : n;
}

/* A compound that begins with a number or an abbreviation, "3.5-inch", or ends in one, "x-U.S." */
static void compound_with_figures(struct ptb_scan *s, size_t p)
{
    struct ptb_run *run = &s->hyphened;
    size_t q, n;
    if (!ptb_is(s, p, PTB_ALPHA | PTB_ASCII_DIGIT)) return;
    if (!ptb_covers(run, p)) {
        for (q = p;
             ptb_is(s, q, PTB_ALPHA | PTB_ASCII_DIGIT) || ptb_among(s, q, ".,") || s->c[q] == 0xAD;)
            q++;
        *run = (struct ptb_run){p, q, q, q};
    }
    for (q = run->end; s->c[q] == '-';) {
        size_t dotted = q + 1;
        while (ptb_is(s, dotted, PTB_ALPHA) && s->c[dotted + 1] == '.') dotted += 2;
        for (n = 0; ptb_is(s, q + 1 + n, PTB_ALPHA | PTB_ASCII_DIGIT) || s->c[q + 1 + n] == 0xAD;)
            n++;
        if (dotted > q + 3) {
            ptb_offer(s, dotted - p, dotted - p, PTB_SOFT);
            if (s->c[dotted] == '-') {
                q = dotted;
                continue;
            }
        }
        if (n == 0) break;
        q += 1 + n;
        ptb_offer(s, q - p, q - p, PTB_SOFT);
        if (s->c[q] == '.' && ptb_among(s, q + 1, ",;:"))
            ptb_offer(s, q - p + 2, q - p + 1, PTB_SOFT);
    }
}

void ptb_rule_hyphened(struct ptb_scan *s, size_t p)
{
    size_t q = p, n;
    compound_with_figures(s, p);
    n = compound_part(s, p);
    while (n > 0) {
        q += n;
        n = is_hyphen(s->c[q]) ? compound_part(s, q + 1) : 0;
        n += n > 0;
    }
    if (q > p) ptb_offer(s, q - p, q - p, PTB_KEEP);
    if (q > p && s->c[q] == '.' && ptb_among(s, q + 1, ",;:"))
        ptb_offer(s, q - p + 2, q - p + 1, PTB_KEEP);

    /* AT&T, A+B: capitals alone. */
    for (q = p; s->c[q] >= 'A' && s->c[q] <= 'Z';) {
        while (s->c[q] >= 'A' && s->c[q] <= 'Z') q++;
        if (s->c[q] == '+' || s->c[q] == '&')
            n = ptb_literal(s, q, "&amp;") > 0 ? 5 : 1;
        else
            n = 0;
        if (n == 0 || s->c[q + n] < 'A' || s->c[q + n] > 'Z') break;
        q += n;
    }
    if (q > p) ptb_offer(s, q - p, q - p, PTB_AMPERSAND);
    if (q > p && s->c[q] == '.' && ptb_among(s, q + 1, ",;:"))
        ptb_offer(s, q - p + 2, q - p + 1, PTB_AMPERSAND);
}

/* alphanumerics with up to two -parts of letters; each end on the way is one */
static size_t slash_part(const struct ptb_scan *s, size_t p)
{
    size_t n = run_of(s, p, PTB_ALPHA | PTB_ASCII_DIGIT), m;
    for (int i = 0; n > 0 && i < 2 && s->c[p + n] == '-'; i++) {
        for (m = 0; ptb_is(s, p + n + 1 + m, PTB_ALPHA);) m++;
        if (m == 0) break;
        n += 1 + m;
    }
    return n;
}

void ptb_rule_slashed(struct ptb_scan *s, size_t p)
{
    size_t q = p + slash_part(s, p), n;
    for (int i = 0; q > p && i < 2; i++) {
        size_t slash = s->c[q] == '\\' && s->c[q + 1] == '/' ? 2 : s->c[q] == '/';
        if (slash == 0 || (n = slash_part(s, q + slash)) == 0) break;
        q += slash + n;
        ptb_offer(s, q - p, q - p, PTB_KEEP);
    }
}
