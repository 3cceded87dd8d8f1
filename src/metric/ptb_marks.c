/* Rules for tags, entities, addresses, marks and quotes. */
#include <string.h>

#include "metric/ptb_scan.h"

static size_t spaces(const struct ptb_scan *s, size_t p)
{
    size_t n = 0;
    while (s->c[p + n] == ' ') n++;
    return n;
}

/* A name in a tag: from a letter on. */
static size_t tag_name(const struct ptb_scan *s, size_t p)
{
    size_t n = 0;
    if (!ptb_is(s, p, PTB_ALPHA)) return 0;
    while (ptb_is(s, p + n, PTB_ALPHA | PTB_ASCII_DIGIT) || ptb_among(s, p + n, "_:.-")) n++;
    return n;
}

/* name, or name = "text" */
static size_t attribute(const struct ptb_scan *s, size_t p)
{
    size_t n = tag_name(s, p), q = p + n + spaces(s, p + n);
    uint32_t mark;
    if (n == 0 || s->c[q] != '=') return n;
    q += 1 + spaces(s, q + 1);
    mark = s->c[q];
    if (mark != '"' && mark != '\'') return n;
    for (q++; q < s->n && !ptb_among(s, q, "'\"");) q++;
    return q < s->n ? q + 1 - p : n;
}

size_t ptb_tag(struct ptb_scan *s, size_t p)
{
    size_t q = p + 1, n;
    if (s->c[p] != '<' || s->no_tag_end) return 0;
    if (ptb_among(s, q, "!?")) {
        if (!ptb_is(s, q + 1, PTB_ALPHA) && s->c[q + 1] != '-') return 0;
        while (q < s->n && s->c[q] != '>') q++;
        s->no_tag_end = q == s->n;
        return q < s->n ? q + 1 - p : 0;
    }
    if (s->c[q] == '/') {
        if ((n = tag_name(s, q + 1)) == 0) return 0;
        q += 1 + n;
    } else {
        if ((n = tag_name(s, q)) == 0) return 0;
        q += n;
        while ((n = spaces(s, q)) > 0 && ptb_is(s, q + n, PTB_ALPHA)) q += n + attribute(s, q + n);
        q += spaces(s, q);
        q += s->c[q] == '/';
    }
    q += spaces(s, q);
    return s->c[q] == '>' ? q + 1 - p : 0;
}

void ptb_rule_tag(struct ptb_scan *s, size_t p)
{
    size_t n = ptb_tag(s, p);
    ptb_offer(s, n, n, PTB_NBSP);
}

void ptb_rule_entities(struct ptb_scan *s, size_t p)
{
    static const char *const dashes[] = {"&md;", "&mdash;", "&ndash;"};
    static const char *const kept[] = {"&ht;", "&tl;", "&ur;",  "&lr;", "&qc;",
                                       "&ql;", "&qr;", "&odq;", "&cdq;"};
    size_t n = 2;
    if (s->c[p] != '&') return;
    for (size_t i = 0; i < sizeof dashes / sizeof dashes[0]; i++) {
        size_t m = ptb_literal(s, p, dashes[i]);
        ptb_offer(s, m, m, PTB_DASH);
    }
    if (ptb_literal(s, p, "&amp;") > 0) ptb_offer(s, 5, 5, PTB_AMPERSAND);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        size_t m = ptb_literal(s, p, kept[i]);
        ptb_offer(s, m, m, PTB_KEEP);
    }
    if (s->c[p + 1] == '#') {
        while (ptb_is(s, p + n, PTB_ASCII_DIGIT)) n++;
        if (n > 2 && s->c[p + n] == ';') ptb_offer(s, n + 1, n + 1, PTB_KEEP);
    }
    if (ptb_literal(s, p, "&nbsp;") > 0) ptb_offer(s, 6, 6, PTB_DROP);
    if (ptb_literal(s, p, "&lt;") > 0) ptb_offer(s, 4, 4, PTB_ONE);
    if (ptb_literal(s, p, "&gt;") > 0) ptb_offer(s, 4, 4, PTB_ONE);
}

/* ---- addresses -------------------------------------------------------------------------------- */

static bool printing(const struct ptb_scan *s, size_t p, const char *but)
{
    return s->c[p] != PTB_END && s->c[p] != 0 && !ptb_among(s, p, " \t\n\f\r\"<>|()") &&
           !ptb_among(s, p, but);
}

static void full_url(struct ptb_scan *s, size_t p)
{
    static const char *const schemes[] = {"http://", "https://"};
    size_t n = 0, q, end;
    for (size_t i = 0; i < 2 && n == 0; i++) n = ptb_literal(s, p, schemes[i]);
    if (n == 0) return;
    for (q = p + n; printing(s, q, "{}");) q++;
    for (end = q; end > p + n + 1 && ptb_among(s, end - 1, ".!?(){},-");) end--;
    if (end > p + n + 1) ptb_offer(s, end - p, end - p, PTB_KEEP);
}

/* May c stand in a part of a host name? Not what ASCII has from , to _ (digits and capitals too). */
static bool host_char(const struct ptb_scan *s, size_t p)
{
    return printing(s, p, "`'!?{}$") && (s->c[p] < ',' || s->c[p] > '_');
}

/* /path behind a host name; its length */
static size_t url_path(const struct ptb_scan *s, size_t p)
{
    size_t q = p + 1;
    if (s->c[p] != '/') return 0;
    while (printing(s, q, "")) q++;
    while (q > p + 2 && ptb_among(s, q - 1, ".!?(){},-")) q--;
    return q > p + 2 ? q - p : 0;
}

/* Parts with a point between two, the last one com, net, org or edu; where it ends, 0: none. */
static size_t known_domain(struct ptb_scan *s, size_t p)
{
    static const char *const domains[] = {".com", ".net", ".org", ".edu"};
    struct ptb_run *run = &s->host;
    size_t q;
    if (!host_char(s, p)) return 0;
    if (!ptb_covers(run, p)) { /* the last domain of the stretch, found once */
        *run = (struct ptb_run){p, p, 0, 0};
        for (q = p; host_char(s, q) || (s->c[q] == '.' && s->c[q - 1] != '.'); q++) {
            for (size_t i = 0; s->c[q] == '.' && i < 4; i++) {
                if (ptb_literal(s, q, domains[i]) > 0) run->at = q;
            }
        }
        run->to = q;
    }
    return run->at > p ? run->at + 4 : 0;
}

/* "www." and parts with a point between two, the last one of 2 to 4 letters. */
static size_t www(struct ptb_scan *s, size_t p)
{
    struct ptb_run *run = &s->www;
    size_t q, n;
    if (ptb_literal(s, p, "www.") == 0) return 0;
    if (!ptb_covers(run, p)) { /* the last such part of the stretch, found once */
        *run = (struct ptb_run){p, p, 0, 0};
        for (q = p; printing(s, q, "!?{},") && !(s->c[q] == '.' && s->c[q - 1] == '.'); q++) {
            if (s->c[q] != '.') continue;
            for (n = 0; n < 4 && ptb_is(s, q + 1 + n, PTB_ALPHA);) n++;
            if (n < 2) continue;
            run->at = q;
            run->end = q + 1 + n;
        }
        run->to = q;
    }
    return run->at > p + 4 ? run->end : 0;
}

static void host_name(struct ptb_scan *s, size_t p)
{
    size_t end = known_domain(s, p), other = www(s, p);
    if (other > end) end = other;
    if (end > p) end += url_path(s, end);
    if (end > p) ptb_offer(s, end - p, end - p, PTB_KEEP);
}

static void mail(struct ptb_scan *s, size_t p)
{
    struct ptb_run *run = &s->mail;
    size_t begin = p, q, n, end;
    n = s->c[p] == '<' ? 1 : ptb_literal(s, p, "&lt;");
    p += n;
    if (!ptb_is(s, p, PTB_ALPHA | PTB_ASCII_DIGIT)) return;
    if (!ptb_covers(run, p)) { /* the last @ of the stretch that has something behind it */
        *run = (struct ptb_run){p, p, 0, 0};
        for (q = p; printing(s, q, "{}") && s->c[q] != 0xA0; q++) {
            if (s->c[q] == '@' && printing(s, q + 1, ".{}") && s->c[q + 1] != 0xA0) run->at = q;
        }
        run->to = q;
        for (q = run->at + 1; run->at > 0 && q < run->to;) {
            if (s->c[q] == '.' && (q + 1 == run->to || s->c[q + 1] == '.')) break;
            q++;
        }
        run->end = q;
    }
    if (run->at <= p) return;
    end = run->end;
    end += s->c[end] == '>' ? 1 : ptb_literal(s, end, "&gt;");
    ptb_offer(s, end - begin, end - begin, PTB_KEEP);
}

/* A file name, of letters, digits and points, with a known extension at its end. */
void ptb_rule_file_name(struct ptb_scan *s, size_t p)
{
    static const char *const extensions[] = {
        "bat", "bmp", "c",    "class", "cgi",  "cpp",  "dll", "doc", "docx", "exe", "gif", "gz",
        "h",   "htm", "html", "jar",   "java", "jpeg", "jpg", "mov", "mp3",  "pdf", "php", "pl",
        "png", "ppt", "ps",   "py",    "sql",  "tar",  "txt", "wav", "x",    "xml", "zip"};
    struct ptb_run *run = &s->file;
    size_t q, n;
    if (!ptb_is(s, p, PTB_WORD | PTB_DIGIT)) return;
    if (!ptb_covers(run, p)) { /* the end of the last one in the stretch, found once */
        *run = (struct ptb_run){p, p, 0, 0};
        for (q = p; ptb_is(s, q, PTB_WORD | PTB_DIGIT) || (s->c[q] == '.' && s->c[q - 1] != '.');
             q++) {
            for (size_t i = 0; s->c[q] == '.' && i < sizeof extensions / sizeof extensions[0];
                 i++) {
                n = ptb_literal(s, q + 1, extensions[i]);
                if (n == 0) continue;
                if (!ptb_is(s, q + 1 + n, PTB_SPACE) && !ptb_among(s, q + 1 + n, ".?!,")) continue;
                run->at = q;
                run->end = q + 1 + n;
            }
        }
        run->to = q;
    }
    if (run->at > p) ptb_offer(s, run->end - p + 1, run->end - p, PTB_KEEP);
}

static void network_names(struct ptb_scan *s, size_t p)
{
    size_t n = 2;
    if (s->c[p] == '@' && (ptb_is(s, p + 1, PTB_ALPHA) || s->c[p + 1] == '_')) {
        while (ptb_is(s, p + n, PTB_ALPHA | PTB_ASCII_DIGIT) || s->c[p + n] == '_') n++;
        ptb_offer(s, n, n, PTB_KEEP);
    }
    if (s->c[p] == '#' && ptb_is(s, p + 1, PTB_WORD)) {
        while (ptb_is(s, p + n, PTB_WORD)) n++;
        ptb_offer(s, n, n, PTB_KEEP);
    }
}

void ptb_rule_address(struct ptb_scan *s, size_t p)
{
    full_url(s, p);
    host_name(s, p);
    mail(s, p);
    network_names(s, p);
}

/* ---- marks ------------------------------------------------------------------------------------ */

void ptb_rule_double_quotes(struct ptb_scan *s, size_t p)
{
    size_t n = s->c[p] == '"' ? 1 : ptb_literal(s, p, "&quot;");
    if (n == 0 && s->c[p] == '\'' && s->c[p + 1] == '\'') n = 2;
    if (n == 0) return;
    if (ptb_is(s, p + n, PTB_ALPHA | PTB_ASCII_DIGIT) || s->c[p + n] == '$')
        ptb_offer(s, n + 1, n, PTB_QUOTE_LEFT);
    ptb_offer(s, n, n, PTB_QUOTE_RIGHT);
}

/* Faces: two or three characters of the East, eyes and mouth of the West. */
void ptb_rule_smileys(struct ptb_scan *s, size_t p)
{
    static const char eyes[] = "^x=~<>";
    size_t n = p + ptb_among(s, p, "<>");
    if (ptb_among(s, n, ":;=")) {
        n++;
        n += ptb_among(s, n, "-o*'") && ptb_among(s, n + 1, "()DPdpO\\{@|[]");
        if (ptb_among(s, n, "()DPdpO\\{@|[]") && !ptb_is(s, n + 1, PTB_ALPHA | PTB_ASCII_DIGIT))
            ptb_offer(s, n + 2 - p, n + 1 - p, PTB_NBSP);
    }
    if ((ptb_among(s, p, eyes) || ptb_among(s, p, "-'")) && s->c[p + 1] == '_' &&
        (ptb_among(s, p + 2, eyes) || ptb_among(s, p + 2, "-'")))
        ptb_offer(s, 3, 3, PTB_NBSP);
    if (s->c[p] != '(') return;
    if (ptb_among(s, p + 1, eyes) || ptb_among(s, p + 1, "-'")) {
        n = p + 2 + ptb_among(s, p + 2, "_.");
        if ((ptb_among(s, n, eyes) || ptb_among(s, n, "-'")) && s->c[n + 1] == ')')
            ptb_offer(s, n + 2 - p, n + 2 - p, PTB_NBSP);
    }
    if (ptb_among(s, p + 1, eyes) && s->c[p + 2] == '-' &&
        (ptb_among(s, p + 3, eyes) || ptb_among(s, p + 3, "'`")) && s->c[p + 4] == ')')
        ptb_offer(s, 5, 5, PTB_NBSP);
}

static size_t repeated(const struct ptb_scan *s, size_t p)
{
    size_t n = 1;
    while (s->c[p + n] == s->c[p]) n++;
    return n;
}

static void points(struct ptb_scan *s, size_t p)
{
    size_t n = repeated(s, p), q = p + 1, last = 0;
    if (n >= 3) ptb_offer(s, n, n, PTB_ELLIPSIS);
    while ((s->c[q] == ' ' || s->c[q] == 0xA0) && s->c[q + 1] == '.') {
        if (q > p + 1) last = q + 2;
        q += 2;
    }
    if (last > 0) ptb_offer(s, last - p, last - p, PTB_ELLIPSIS);
}

void ptb_rule_punctuation(struct ptb_scan *s, size_t p)
{
    size_t n;
    switch (s->c[p]) {
    case '-':
        n = repeated(s, p);
        ptb_offer(s, n, n, n == 3 || n == 4 ? PTB_DASH : PTB_KEEP);
        break;
    case '.':
        points(s, p);
        break;
    case '@':
    case '#':
    case '_':
    case '*':
        n = repeated(s, p);
        ptb_offer(s, n, n, PTB_KEEP);
        break;
    case '\\':
        for (n = 0; n < 6 && s->c[p + n] == '\\' && s->c[p + n + 1] == '*';) n += 2;
        ptb_offer(s, n, n, PTB_KEEP);
        break;
    case '?':
    case '!':
        for (n = 1; ptb_among(s, p + n, "?!");) n++;
        ptb_offer(s, n, n, PTB_KEEP);
        break;
    case '<':
    case '>':
        if (s->c[p + 1] == s->c[p]) ptb_offer(s, 2, 2, PTB_KEEP);
        break;
    }
}

static bool is_quote(uint32_t c)
{
    return c == '`' || (c >= 0x2018 && c <= 0x201F) || c == 0x82 || c == 0x84 ||
           (c >= 0x91 && c <= 0x94) || c == 0x2039 || c == 0x203A || c == 0xAB || c == 0xBB;
}

void ptb_rule_quotes(struct ptb_scan *s, size_t p)
{
    size_t n = 0, a = ptb_apostrophe(s, p, false);
    while (n < 2 && is_quote(s->c[p + n])) n++;
    if (a > n) n = a;
    if (n == 0) return;
    /* Before a word a straight quote opens; 'd is no word. */
    if (s->c[p] == '\'' && ptb_is(s, p + 1, PTB_ALPHA) && !ptb_is(s, p + 2, PTB_SPACE))
        ptb_offer(s, 3, 1, PTB_QUOTE_LEFT);
    ptb_offer(s, n, n, PTB_QUOTE_RIGHT);
}

void ptb_rule_symbols(struct ptb_scan *s, size_t p)
{
    static const char *const brackets[] = {"-lrb-", "-rrb-", "-lcb-", "-rcb-", "-lsb-", "-rsb-"};
    static const char *const kept[] = {"s&p-500", "s&amp;p-500", "s&ls", "s&amp;ls",
                                       "c.d.s",   "pro-",        "anti-"};
    for (size_t i = 0; i < sizeof brackets / sizeof brackets[0]; i++) {
        if (ptb_literal(s, p, brackets[i]) > 0) ptb_offer(s, 5, 5, PTB_KEEP);
    }
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        size_t n = ptb_literal(s, p, kept[i]);
        ptb_offer(s, n, n, PTB_AMPERSAND);
    }
    if (ptb_is(s, p, PTB_SYMBOL)) ptb_offer(s, 1, 1, PTB_ONE);
}
