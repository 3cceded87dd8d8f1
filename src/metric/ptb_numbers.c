/* Rules for numbers: dates, fractions, prices, telephone numbers. */
#include "metric/ptb_scan.h"

static size_t digits(const struct ptb_scan *s, size_t p)
{
    size_t n = 0;
    while (ptb_is(s, p + n, PTB_DIGIT)) n++;
    return n;
}

static void date(struct ptb_scan *s, size_t p)
{
    size_t a = digits(s, p), b, c;
    if (a < 1 || a > 2 || !ptb_among(s, p + a, "-/")) return;
    b = digits(s, p + a + 1);
    if (b < 1 || b > 2 || !ptb_among(s, p + a + 1 + b, "-/")) return;
    c = digits(s, p + a + b + 2);
    c = c > 4 ? 4 : c;
    if (c >= 2) ptb_offer(s, a + b + c + 2, a + b + c + 2, PTB_KEEP);
}

static void number(struct ptb_scan *s, size_t p)
{
    size_t q = p + ptb_among(s, p, "+-"), begin = q, n;
    q += digits(s, q);
    while (ptb_among(s, q, ".:,") || s->c[q] == 0xAD || s->c[q] == 0x66B || s->c[q] == 0x66C) {
        if ((n = digits(s, q + 1)) == 0) break;
        q += n + 1;
    }
    if (q > begin) ptb_offer(s, q - p, q - p, PTB_NUMBER);
}

static bool is_superscript(uint32_t c)
{
    return c == 0x2070 || c == 0xB9 || c == 0xB2 || c == 0xB3 || (c >= 0x2074 && c <= 0x2079);
}

static void raised_number(struct ptb_scan *s, size_t p)
{
    size_t sign = s->c[p] == 0x207A || s->c[p] == 0x207B || s->c[p] == 0x208A || s->c[p] == 0x208B;
    size_t q = p + sign;
    while (is_superscript(s->c[q])) q++;
    if (q == p + sign) {
        while (s->c[q] >= 0x2080 && s->c[q] <= 0x2089) q++;
    }
    if (q > p + sign) ptb_offer(s, q - p, q - p, PTB_KEEP);
}

/* 1/2 from p on */
static size_t simple_fraction(const struct ptb_scan *s, size_t p)
{
    size_t a = digits(s, p), slash, b;
    if (a < 1 || a > 4) return 0;
    slash = s->c[p + a] == '\\' && s->c[p + a + 1] == '/'
                ? 2
                : s->c[p + a] == '/' || s->c[p + a] == 0x2044;
    b = slash > 0 ? digits(s, p + a + slash) : 0;
    return b > 0 ? a + slash + (b > 4 ? 4 : b) : 0;
}

static void fraction(struct ptb_scan *s, size_t p)
{
    size_t a = digits(s, p), n = simple_fraction(s, p);
    if (n > 0) ptb_offer(s, n, n, PTB_NBSP);
    if (a >= 1 && a <= 4 && (ptb_among(s, p + a, "- ") || s->c[p + a] == 0xA0)) {
        n = simple_fraction(s, p + a + 1);
        if (n > 0) ptb_offer(s, a + 1 + n, a + 1 + n, PTB_NBSP);
    }
    if ((s->c[p] >= 0xBC && s->c[p] <= 0xBE) || (s->c[p] >= 0x2153 && s->c[p] <= 0x215E))
        ptb_offer(s, 1, 1, PTB_ONE);
}

static void currency(struct ptb_scan *s, size_t p)
{
    size_t n = 0;
    while (s->c[p + n] >= 'A' && s->c[p + n] <= 'Z') n++;
    if (s->c[p + n] == '$') ptb_offer(s, n + 1, n + 1, PTB_KEEP);
}

void ptb_rule_numbers(struct ptb_scan *s, size_t p)
{
    date(s, p);
    number(s, p);
    raised_number(s, p);
    fraction(s, p);
    ptb_rule_slashed(s, p);
    currency(s, p);
}

static size_t figures(const struct ptb_scan *s, size_t p)
{
    size_t n = 0;
    while (ptb_is(s, p + n, PTB_ASCII_DIGIT)) n++;
    return n;
}

static bool is_gap(const struct ptb_scan *s, size_t p)
{
    return ptb_among(s, p, "- ") || s->c[p] == 0xA0;
}

/* The last two groups of a telephone number at p, 3–4 and 3–5 figures, perhaps without a gap. */
static size_t phone_tail(const struct ptb_scan *s, size_t p)
{
    size_t a = figures(s, p), b;
    if (a >= 6) return a > 9 ? 9 : a;
    if (a < 3 || a > 4 || !is_gap(s, p + a)) return 0;
    b = figures(s, p + a + 1);
    return b >= 3 ? a + 1 + (b > 5 ? 5 : b) : 0;
}

static void dotted_phone(struct ptb_scan *s, size_t p, size_t plus)
{
    size_t group[4], q = p + plus, n = 0;
    while (n < 4) {
        group[n] = figures(s, q);
        if (group[n] == 0) break;
        q += group[n++];
        if (s->c[q] != '.' || n == 4) break;
        q++;
    }
    if (n < 3 || group[0] < 2 || group[0] > 4) return;
    if (n == 4 && group[1] >= 2 && group[1] <= 4 && group[2] >= 3 && group[2] <= 4 &&
        group[3] >= 3) {
        size_t last = group[3] > 5 ? 5 : group[3];
        n = plus + group[0] + group[1] + group[2] + last + 3;
        ptb_offer(s, n, n, PTB_NBSP);
    } else if (plus == 0 && group[1] >= 3 && group[1] <= 4 && group[2] >= 3) {
        size_t last = group[2] > 5 ? 5 : group[2];
        n = group[0] + group[1] + last + 2;
        ptb_offer(s, n, n, PTB_NBSP);
    }
}

void ptb_rule_phone(struct ptb_scan *s, size_t p)
{
    size_t plus = 0, a, b, n;
    if (s->c[p] == '(') {
        a = figures(s, p + 1);
        if (a < 2 || a > 3 || s->c[p + a + 1] != ')') return;
        b = a + 2 + (s->c[p + a + 2] == ' ' || s->c[p + a + 2] == 0xA0);
        n = phone_tail(s, p + b);
        if (n > 0) ptb_offer(s, b + n, b + n, PTB_NBSP);
        return;
    }
    while (plus < 2 && s->c[p + plus] == '+') plus++;
    dotted_phone(s, p, plus);
    a = figures(s, p + plus);
    if (a < 2 || a > 4 || !is_gap(s, p + plus + a)) return;
    a += plus + 1;
    n = phone_tail(s, p + a);
    if (n > 0) ptb_offer(s, a + n, a + n, PTB_NBSP);
    b = figures(s, p + a);
    if (b < 2 || b > 4 || !is_gap(s, p + a + b)) return;
    n = phone_tail(s, p + a + b + 1);
    if (n > 0) ptb_offer(s, a + b + 1 + n, a + b + 1 + n, PTB_NBSP);
}
