#include "metric/language.h"

#include <stdint.h>
#include <string.h>

#include "base/log.h"
#include "text/unicode.h"
#include "text/words.h"

enum script {
    LATIN,
    CYRILLIC,
    GREEK,
    HEBREW,
    ARABIC,
    DEVANAGARI,
    BENGALI,
    GURMUKHI,
    GUJARATI,
    TAMIL,
    TELUGU,
    KANNADA,
    MALAYALAM,
    THAI,
    HAN,
    KANA,
    HANGUL,
    SCRIPTS,
    NO_SCRIPT = SCRIPTS
};

struct language {
    const char *code;
    enum script script;
    const char *stop_words; /* with spaces around each; NULL: the script alone tells */
};

const char GE_LANGUAGES[] = "ar, bg, bn, de, el, en, es, fa, fi, fr, gu, he, hi, it, ja, kn, ko, "
                            "ml, mr, nl, pa, pl, pt, ru, sv, ta, te, th, tr, uk, ur, vi, zh";

static const struct language languages[] = {
    {"ar", ARABIC,
     " في من على إلى عن أن إن هذا هذه التي الذي كان كانت مع هو هي لا ما لم أو ثم كل بعد قد كما "},
    {"bg", CYRILLIC,
     " и на да се от за с не е са в като по че ще към това които който или но до си му има след "},
    {"bn", BENGALI, NULL},
    {"de", LATIN,
     " der die das und ist in den von zu mit sich des auf für nicht ein eine als auch es an dem "
     "werden aus er hat dass sie nach bei einer um am sind noch wie einem einen so zum war haben "
     "nur "
     "oder aber vor zur bis mehr durch wird ich wir sehr im "},
    {"el", GREEK, NULL},
    {"en", LATIN,
     " the of and to in a is that for it as was with be by on not he i this are or his from at "
     "which "
     "but have an had they you were their one all we can her has there been if more when will "
     "would "
     "who so no she its my your our very "},
    {"es", LATIN,
     " de la que el en y a los se del las un por con no una su para es al lo como más o pero sus "
     "le "
     "ha me si sin sobre este ya entre cuando todo esta ser son también fue muy hay está están "},
    {"fa", ARABIC,
     " و در به از که این را با است برای آن یک خود تا کرد بر هم نیز می ها شده شد اما یا هر "},
    {"fi", LATIN,
     " ja on ei se että hän oli mutta ovat joka kun niin myös kuin tai sen ole mitä sitä vain jos "
     "nyt "
     "minä sinä me te he tämä siitä voi olla hyvin "},
    {"fr", LATIN,
     " de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il "
     "sont "
     "la avec son ses elle ou mais nous vous cette aux leur ont été je d'un c'est l'on très y "},
    {"gu", GUJARATI, NULL},
    {"he", HEBREW, NULL},
    {"hi", DEVANAGARI,
     " के का में की है और से को पर यह एक ने कि नहीं हैं लिए भी तो कर था वह इस हो जो या थे साथ "},
    {"it", LATIN,
     " di e il la che in un a per è una del non le si da con i dei sono della al lo come più nel "
     "ma "
     "alla gli su delle anche o ha questo se molto c'è ci io dal "},
    {"ja", KANA, NULL},
    {"kn", KANNADA, NULL},
    {"ko", HANGUL, NULL},
    {"ml", MALAYALAM, NULL},
    {"mr", DEVANAGARI,
     " आणि आहे या ते हे एक मध्ये होते नाही त्या होता आहेत मी तर पण केला असे करून हा ही व च "},
    {"nl", LATIN,
     " de van het een en in is dat op te zijn met voor niet aan er die als ook bij maar om uit "
     "door "
     "over naar dan ze hij was heeft hebben worden wordt deze nog of zo wel geen ik je we zeer "},
    {"pa", GURMUKHI, NULL},
    {"pl", LATIN,
     " i w na z się nie do to że jest o a jak po co od za dla przez są ale oraz tym czy już tylko "
     "jego "
     "jej może był było tak ten ta która który bardzo "},
    {"pt", LATIN,
     " de a o que e do da em um para com não uma os no se na por mais as dos como mas foi ao ele "
     "das "
     "tem à seu sua ou ser são nos está também pelo pela muito há eu "},
    {"ru", CYRILLIC,
     " и в не на что с как это по но из у за к то все для от так же его о он она они мы был была "
     "были "
     "или бы только есть ещё еще очень если при уже который "},
    {"sv", LATIN,
     " och i att det som en på är av för med den till inte har de ett om var jag men sig så från "
     "vi "
     "kan när hade nu ska eller mycket finns också "},
    {"ta", TAMIL, NULL},
    {"te", TELUGU, NULL},
    {"th", THAI, NULL},
    {"tr", LATIN,
     " ve bir bu da de için ile çok ne daha olarak gibi kadar olan var mı en ama değil her ben sen "
     "o "
     "sonra ya ki yok iki "},
    {"uk", CYRILLIC,
     " і в не на що з як це та до у за й від він вона вони ми є для але або було був була його її "
     "про "
     "дуже якщо також вже коли при який ще "},
    {"ur", ARABIC,
     " کے کی میں ہے اور سے کا کو نے پر ہیں یہ کہ ایک بھی نہیں اس تھا تھے ہو کر جو وہ کیا لیے "},
    {"vi", LATIN,
     " và của là có không các trong được cho một những với người này đã để khi cũng như đến ở về "
     "từ "
     "rất trên tôi thì nhiều ra "},
    {"zh", HAN, NULL},
};

enum { LANGUAGES = sizeof languages / sizeof languages[0] };

int ge_language_find(const char *code)
{
    for (int i = 0; i < LANGUAGES; i++) {
        if (strcmp(languages[i].code, code) == 0) return i;
    }
    return -1;
}

static enum script script_of(uint32_t cp)
{
    static const struct {
        uint32_t first, last;
        enum script script;
    } blocks[] = {
        {0x41, 0x24F, LATIN},      {0x370, 0x3FF, GREEK},    {0x400, 0x52F, CYRILLIC},
        {0x590, 0x5FF, HEBREW},    {0x600, 0x77F, ARABIC},   {0x900, 0x97F, DEVANAGARI},
        {0x980, 0x9FF, BENGALI},   {0xA00, 0xA7F, GURMUKHI}, {0xA80, 0xAFF, GUJARATI},
        {0xB80, 0xBFF, TAMIL},     {0xC00, 0xC7F, TELUGU},   {0xC80, 0xCFF, KANNADA},
        {0xD00, 0xD7F, MALAYALAM}, {0xE00, 0xE7F, THAI},     {0x1100, 0x11FF, HANGUL},
        {0x1E00, 0x1EFF, LATIN},   {0x1F00, 0x1FFF, GREEK},  {0x3041, 0x30FF, KANA},
        {0x3131, 0x318E, HANGUL},  {0x31F0, 0x31FF, KANA},   {0xAC00, 0xD7A3, HANGUL},
        {0xFB1D, 0xFB4F, HEBREW},  {0xFB50, 0xFDFF, ARABIC}, {0xFE70, 0xFEFC, ARABIC},
        {0xFF66, 0xFF9F, KANA},
    };
    if (ge_unicode_is_cjk(cp)) return HAN;
    if (!(ge_unicode_class(cp) & GE_CHAR_LETTER)) return NO_SCRIPT;
    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        if (cp >= blocks[i].first && cp <= blocks[i].last) return blocks[i].script;
    }
    return NO_SCRIPT;
}

/* The script of most letters; NO_SCRIPT without a letter of a known one. */
static enum script main_script(const char *text, size_t len)
{
    size_t count[SCRIPTS + 1] = {0}, n;
    for (size_t i = 0; i < len; i += n) {
        enum script s = script_of(ge_unicode_at(text + i, len - i, &n));
        count[s] += s == HAN || s == KANA || s == HANGUL ? 3 : 1;
    }
    /* Japanese mixes ideographs and kana; Chinese has a borrowed kana at most now and then. */
    if (count[KANA] * 10 >= count[HAN]) {
        count[KANA] += count[HAN];
        count[HAN] = 0;
    }
    enum script best = NO_SCRIPT;
    size_t most = 0;
    for (int s = 0; s < SCRIPTS; s++) {
        if (count[s] > most) best = (enum script)s;
        if (count[s] > most) most = count[s];
    }
    return best;
}

/* Whether a word stands in a list with spaces around each. */
static bool stands_in(const char *list, const char *word, size_t len)
{
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += len) {
        if (p[-1] == ' ' && p[len] == ' ') return true;
    }
    return false;
}

/* Words of the text that are stop words of each language of a script. */
static ge_status count_stop_words(const char *text, size_t len, enum script script,
                                  size_t count[LANGUAGES])
{
    ge_status rc = GE_OK;
    struct ge_words words;
    struct ge_word w;
    bool found = true;
    ge_words_init(&words, text, len);
    while (found) {
        rc = ge_words_next(&words, &w, &found);
        if (rc == GE_ELIMIT) { /* a word beyond 1 MiB */
            ge_error_clear();
            rc = GE_OK;
            found = true;
            continue;
        }
        GE_TRY(rc);
        for (int i = 0; found && w.len < 16 && i < LANGUAGES; i++) {
            if (languages[i].script != script || languages[i].stop_words == NULL) continue;
            count[i] += stands_in(languages[i].stop_words, w.text, w.len);
        }
    }
done:
    ge_words_free(&words);
    return rc;
}

ge_status ge_language_is(const char *text, size_t len, int language, bool *is)
{
    ge_status rc = GE_OK;
    size_t count[LANGUAGES] = {0}, most = 0;
    GE_ASSERT(language >= 0 && language < LANGUAGES);
    enum script script = main_script(text, len);
    *is = script == NO_SCRIPT || script == languages[language].script;
    if (!*is || script == NO_SCRIPT || languages[language].stop_words == NULL) goto done;
    GE_TRY(count_stop_words(text, len, script, count));
    for (int i = 0; i < LANGUAGES; i++) most = count[i] > most ? count[i] : most;
    *is = count[language] == most;
done:
    return rc;
}
