/* BLEU over numbered n-grams. Counts are arrays by n-gram number, put back to 0 by walking the same
 * n-grams again. */
#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"
#include "metric/captions.h"

struct bleu_sums {
    double matches[GE_NGRAM_ORDERS], guesses[GE_NGRAM_ORDERS];
    double length, ref_length;
};

struct bleu_counts {
    uint32_t *count, *most; /* of the text at hand; the largest of one reference */
};

static size_t closest_length(const struct ge_caption *refs, size_t n_refs, size_t length)
{
    size_t best = refs[0].n;
    for (size_t r = 1; r < n_refs; r++) {
        size_t n = refs[r].n;
        size_t d = n > length ? n - length : length - n;
        size_t best_d = best > length ? best - length : length - best;
        if (d < best_d || (d == best_d && n < best)) best = n;
    }
    return best;
}

/* Matches of order k + 1, clipped. */
static size_t clipped(const struct ge_caption_corpus *cc, const struct ge_caption_entry *e, int k,
                      const struct bleu_counts *b)
{
    size_t n, matches = 0;
    const uint32_t *g;
    for (size_t r = 0; r < e->n_refs; r++) {
        g = ge_caption_grams(cc, &cc->refs[e->first_ref + r], k, &n);
        for (size_t i = 0; i < n; i++) {
            uint32_t now = ++b->count[g[i]];
            if (now > b->most[g[i]]) b->most[g[i]] = now;
        }
        for (size_t i = 0; i < n; i++) b->count[g[i]] = 0;
    }
    g = ge_caption_grams(cc, &e->text, k, &n);
    for (size_t i = 0; i < n; i++) {
        if (b->most[g[i]] == 0) continue;
        b->most[g[i]]--;
        matches++;
    }
    for (size_t r = 0; r < e->n_refs; r++) {
        g = ge_caption_grams(cc, &cc->refs[e->first_ref + r], k, &n);
        for (size_t i = 0; i < n; i++) b->most[g[i]] = 0;
    }
    return matches;
}

static void bleu_of(const struct bleu_sums *s, double out[GE_NGRAM_ORDERS])
{
    static const double tiny = 1e-15, small = 1e-9;
    double product = 1, ratio = (s->length + tiny) / (s->ref_length + small);
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) {
        product *= (s->matches[k] + tiny) / (s->guesses[k] + small);
        out[k] = ge_pow(product, 1.0 / (k + 1));
        if (ratio < 1) out[k] *= ge_exp(1 - 1 / ratio);
    }
}

ge_status ge_caption_bleu(const struct ge_caption_corpus *cc, double corpus[GE_NGRAM_ORDERS],
                          double *const per_text[GE_NGRAM_ORDERS])
{
    struct bleu_counts b = {0};
    struct bleu_sums all = {0};
    size_t used = 0;
    ge_status rc = GE_OK;
    GE_NEW(b.count, ge_caption_most_distinct(cc));
    GE_NEW(b.most, ge_caption_most_distinct(cc));
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) {
        corpus[k] = NAN;
        if (per_text != NULL) ge_corpus_no_values(per_text[k], cc->n);
    }
    for (size_t i = 0; i < cc->n; i++) {
        const struct ge_caption_entry *e = &cc->entries[i];
        struct bleu_sums one = {0};
        double bleu[GE_NGRAM_ORDERS];
        if (e->n_refs == 0) continue;
        used++;
        one.length = (double)e->text.n;
        one.ref_length = (double)closest_length(&cc->refs[e->first_ref], e->n_refs, e->text.n);
        all.length += one.length;
        all.ref_length += one.ref_length;
        for (int k = 0; k < GE_NGRAM_ORDERS; k++) {
            one.matches[k] = (double)clipped(cc, e, k, &b);
            one.guesses[k] = e->text.n > (size_t)k ? (double)(e->text.n - (size_t)k) : 0;
            all.matches[k] += one.matches[k];
            all.guesses[k] += one.guesses[k];
        }
        bleu_of(&one, bleu);
        for (int k = 0; k < GE_NGRAM_ORDERS; k++)
            if (per_text != NULL && per_text[k] != NULL) per_text[k][i] = bleu[k];
    }
    if (used > 0) bleu_of(&all, corpus);
done:
    free(b.count);
    free(b.most);
    return rc;
}
