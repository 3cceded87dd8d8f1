/* Extended grapheme clusters, by the rules of Unicode's Annex 29. */
#include "text/unicode.h"

/* What the rules remember of the cluster so far. */
struct cluster {
    uint32_t cp;         /* its last character */
    enum ge_grapheme is; /* and that one's class */
    bool emoji;          /* ends in a pictograph with extensions, then perhaps a joiner */
    bool conjunct;       /* ends in a consonant, extensions and linkers */
    bool linked;         /* … of which at least one is a linker */
    unsigned flags;      /* regional indicators at the end */
};

enum { JOINER = 0x200D };

static enum ge_grapheme class_of(uint32_t cp)
{
    return (enum ge_grapheme)(ge_unicode_more(cp) & GE_MORE_GRAPHEME);
}

static bool extends(enum ge_grapheme is)
{
    return is == GE_GRAPHEME_EXTEND || is == GE_GRAPHEME_LINKER;
}

static bool joins_hangul(enum ge_grapheme a, enum ge_grapheme b)
{
    switch (a) {
    case GE_GRAPHEME_L:
        return b == GE_GRAPHEME_L || b == GE_GRAPHEME_V || b == GE_GRAPHEME_LV ||
               b == GE_GRAPHEME_LVT;
    case GE_GRAPHEME_LV:
    case GE_GRAPHEME_V:
        return b == GE_GRAPHEME_V || b == GE_GRAPHEME_T;
    case GE_GRAPHEME_LVT:
    case GE_GRAPHEME_T:
        return b == GE_GRAPHEME_T;
    default:
        return false;
    }
}

/* Whether a character of class `is` belongs to the cluster before it. */
static bool belongs(const struct cluster *c, uint32_t cp, enum ge_grapheme is)
{
    if (c->cp == '\r' && cp == '\n') return true;
    if (c->is == GE_GRAPHEME_CONTROL || is == GE_GRAPHEME_CONTROL) return false;
    if (extends(is) || is == GE_GRAPHEME_SPACING || c->is == GE_GRAPHEME_PREPEND) return true;
    if (is == GE_GRAPHEME_CONSONANT) return c->conjunct && c->linked;
    if (is == GE_GRAPHEME_PICTOGRAPH) return c->emoji && c->cp == JOINER;
    if (is == GE_GRAPHEME_FLAG) return c->flags % 2 == 1;
    return joins_hangul(c->is, is);
}

static void append(struct cluster *c, uint32_t cp, enum ge_grapheme is)
{
    bool more = extends(is);
    c->emoji = is == GE_GRAPHEME_PICTOGRAPH || (more && c->emoji && c->cp != JOINER);
    c->conjunct = is == GE_GRAPHEME_CONSONANT || (more && c->conjunct);
    c->linked = is != GE_GRAPHEME_CONSONANT && (is == GE_GRAPHEME_LINKER || c->linked);
    c->flags = is == GE_GRAPHEME_FLAG ? c->flags + 1 : 0;
    c->cp = cp;
    c->is = is;
}

size_t ge_unicode_grapheme(const char *s, size_t len)
{
    size_t n, i;
    struct cluster c = {0};
    uint32_t cp = ge_unicode_at(s, len, &i);
    append(&c, cp, class_of(cp));
    for (; i < len; i += n) {
        cp = ge_unicode_at(s + i, len - i, &n);
        enum ge_grapheme is = class_of(cp);
        if (!belongs(&c, cp, is)) break;
        append(&c, cp, is);
    }
    return i;
}
