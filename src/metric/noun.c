/* English plurals: exceptions first, then endings from the longest to the shortest. */
#include "metric/noun.h"

#include <stdbool.h>
#include <string.h>

struct form {
    const char *plural, *singular;
};

/* Whole words whose singular no rule gives. */
static const struct form irregular[] = {
    {"people", "person"},
    {"men", "man"},
    {"children", "child"},
    {"oxen", "ox"},
    {"mice", "mouse"},
    {"dormice", "dormouse"},
    {"lice", "louse"},
    {"dice", "die"},
    {"feet", "foot"},
    {"teeth", "tooth"},
    {"geese", "goose"},
    {"knives", "knife"},
    {"penknives", "penknife"},
    {"wives", "wife"},
    {"housewives", "housewife"},
    {"midwives", "midwife"},
    {"lives", "life"},
    {"wolves", "wolf"},
    {"werewolves", "werewolf"},
    {"shelves", "shelf"},
    {"bookshelves", "bookshelf"},
    {"leaves", "leaf"},
    {"halves", "half"},
    {"calves", "calf"},
    {"loaves", "loaf"},
    {"thieves", "thief"},
    {"scarves", "scarf"},
    {"hooves", "hoof"},
    {"elves", "elf"},
    {"selves", "self"},
    {"wharves", "wharf"},
    {"dwarves", "dwarf"},
    {"cacti", "cactus"},
    {"octopi", "octopus"},
    {"fungi", "fungus"},
    {"alumni", "alumnus"},
    {"radii", "radius"},
    {"nuclei", "nucleus"},
    {"criteria", "criterion"},
    {"phenomena", "phenomenon"},
    {"vertices", "vertex"},
    {"indices", "index"},
    {"matrices", "matrix"},
    {"appendices", "appendix"},
    {"algae", "alga"},
    {"larvae", "larva"},
    {"antennae", "antenna"},
    {"vertebrae", "vertebra"},
    {"analyses", "analysis"},
    {"oases", "oasis"},
    {"crises", "crisis"},
    {"bases", "base"},
    {"buses", "bus"},
    {"busses", "bus"},
    {"minibuses", "minibus"},
    {"trolleybuses", "trolleybus"},
    {"gases", "gas"},
    {"irises", "iris"},
    {"lenses", "lens"},
    {"canvases", "canvas"},
    {"atlases", "atlas"},
    {"aliases", "alias"},
    {"quizzes", "quiz"},
    {"waltzes", "waltz"},
    {"passersby", "passerby"},
    {"tvs", "tv"},
    {"cds", "cd"},
    {"dvds", "dvd"},
    {"ads", "ad"},
    {"pcs", "pc"},
    {"excuses", "excuse"},
    {"recluses", "recluse"},
};

/* Words in -s that are not plurals, or have no singular that is the same thing. */
static const char *const unchanged[] = {
    "sheep",      "deer",         "series",   "species",     "aircraft",  "scissors",
    "pants",      "shorts",       "jeans",    "trousers",    "clothes",   "goods",
    "news",       "lens",         "gas",      "canvas",      "atlas",     "alias",
    "bias",       "christmas",    "texas",    "kansas",      "pancreas",  "chaos",
    "cosmos",     "ethos",        "does",     "always",      "perhaps",   "sometimes",
    "besides",    "towards",      "physics",  "mathematics", "athletics", "gymnastics",
    "binoculars", "headquarters", "overalls", "sunglasses",  "leggings",  "tongs",
};

/* Words in -men that are one. */
static const char *const singular_men[] = {"specimen", "abdomen", "omen",  "semen", "regimen",
                                           "acumen",   "stamen",  "ramen", "hymen"};

/* Words in -ies whose singular ends in -ie, in -oes whose singular ends in -oe, in -ches whose
 * singular ends in -che. */
static const char *const drop_s[] = {
    "cookies",   "movies",  "zombies",   "selfies",    "smoothies",  "brownies",   "hoodies",
    "hippies",   "birdies", "calories",  "genies",     "veggies",    "rookies",    "bookies",
    "cuties",    "pixies",  "prairies",  "magpies",    "neckties",   "bowties",    "collies",
    "doggies",   "goalies", "beanies",   "potpies",    "shoes",      "horseshoes", "snowshoes",
    "toes",      "tiptoes", "canoes",    "hoes",       "foes",       "oboes",      "woes",
    "caches",    "aches",   "headaches", "toothaches", "avalanches", "niches",     "moustaches",
    "mustaches", "quiches", "brioches",  "axes",       "pickaxes",
};

/* Plurals in -is and -us; other words with these endings are singular ("tennis", "bus"). */
static const char *const plural_is_us[] = {
    "skis",     "taxis",     "kiwis",     "bikinis", "safaris", "salamis",  "emojis",
    "tsunamis", "zucchinis", "broccolis", "corgis",  "yetis",   "raviolis", "martinis",
    "rabbis",   "menus",     "emus",      "gnus",    "gurus",   "tutus",    "haikus",
    "bureaus",  "plateaus",  "chateaus",  "gateaus",
};

/* Whether s is the word; the first letter tells most apart. */
static bool same(const char *s, const char *word, size_t len)
{
    return s[0] == word[0] && strncmp(s, word, len) == 0 && s[len] == '\0';
}

static bool listed(const char *const *list, size_t n, const char *word, size_t len)
{
    for (size_t i = 0; i < n; i++) {
        if (same(list[i], word, len)) return true;
    }
    return false;
}
#define LISTED(list, word, len) listed(list, sizeof(list) / sizeof *(list), word, len)

static bool ends(const char *word, size_t len, const char *ending)
{
    size_t n = strlen(ending);
    return len >= n && memcmp(word + len - n, ending, n) == 0;
}

/* Word without its last `drop` bytes, with `ending` instead. */
static void put(struct ge_buf *out, const char *word, size_t len, size_t drop, const char *ending)
{
    ge_buf_add(out, word, len - drop);
    ge_buf_str(out, ending);
}

/* Bytes of an ending in -es to drop: 2 ("boxes", "buses"), or 1 ("houses"). */
static size_t es_ending(const char *word, size_t len)
{
    if (LISTED(drop_s, word, len)) return 1;
    if (ends(word, len, "sses") || ends(word, len, "xes") || ends(word, len, "zzes") ||
        ends(word, len, "ches") || ends(word, len, "shes") || ends(word, len, "oes")) {
        return 2;
    }
    /* "cactuses", but "houses", "causes", "fuses". */
    bool latin = ends(word, len, "uses") && len > 6 && !ends(word, len, "ouses") &&
                 !ends(word, len, "auses");
    return latin ? 2 : 1;
}

void ge_noun_singular(const char *word, size_t len, struct ge_buf *out)
{
    if (len > 2 && word[len - 2] == '\'' && word[len - 1] == 's') len -= 2;
    for (size_t i = 0; i < sizeof irregular / sizeof irregular[0]; i++) {
        if (same(irregular[i].plural, word, len)) {
            ge_buf_str(out, irregular[i].singular);
            return;
        }
    }
    if (len <= 3 || LISTED(unchanged, word, len)) {
        ge_buf_add(out, word, len);
    } else if (ends(word, len, "men") && !LISTED(singular_men, word, len)) {
        put(out, word, len, 2, "an");
    } else if (ends(word, len, "children")) {
        put(out, word, len, 3, "");
    } else if (ends(word, len, "people")) {
        put(out, word, len, 6, "person"); /* "salespeople" */
    } else if (ends(word, len, "eaux")) {
        put(out, word, len, 1, "");
    } else if (LISTED(plural_is_us, word, len)) {
        put(out, word, len, 1, "");
    } else if (word[len - 1] != 's' || ends(word, len, "ss") || ends(word, len, "us") ||
               ends(word, len, "is")) {
        ge_buf_add(out, word, len);
    } else if (ends(word, len, "ies") && len > 4 && !LISTED(drop_s, word, len)) {
        put(out, word, len, 3, "y");
    } else if (ends(word, len, "es")) {
        put(out, word, len, es_ending(word, len), "");
    } else {
        put(out, word, len, 1, "");
    }
}
