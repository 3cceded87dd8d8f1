/* ROUGE-L: longest common subsequences by bits, 64 places of the text at a time. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "metric/captions.h"

enum { BLOCK = 64 /* places of a block */ };

/* The text's words by number: the last place of each + 1, and the place before each place. The
 * places of a word that stands more often than the text has blocks, which fewer than 64 words do,
 * are kept as bits once they have been collected. */
struct lcs {
    const uint32_t *text;
    size_t n, blocks;
    uint32_t *last;     /* by word; 0: not in the text */
    uint32_t *previous; /* by place, + 1; 0: none */
    uint64_t *open;     /* bit i: place i adds nothing to the subsequence so far */
    uint64_t *here;     /* the places of the word at hand; 0 between words */
    uint64_t *kept;     /* (BLOCK, blocks): the places of frequent words */
    uint32_t *row;      /* by word: its row of `kept` + 1; 0: none */
    uint32_t n_kept;
    size_t room; /* places that there is room for */
};

static ge_status set_text(struct lcs *l, const uint32_t *text, size_t n)
{
    ge_status rc = GE_OK;
    l->blocks = (n + BLOCK - 1) / BLOCK;
    if (n > l->room) {
        GE_RESIZE(l->previous, n);
        GE_RESIZE(l->open, l->blocks);
        GE_RESIZE(l->here, l->blocks);
        GE_RESIZE(l->kept, BLOCK * l->blocks);
        memset(l->here, 0, l->blocks * sizeof *l->here);
        l->room = n;
    }
    l->text = text;
    l->n = n;
    for (size_t i = 0; i < n; i++) {
        l->previous[i] = l->last[text[i]];
        l->last[text[i]] = (uint32_t)i + 1;
    }
done:
    return rc;
}

static void clear_text(struct lcs *l)
{
    for (size_t i = 0; i < l->n; i++) l->last[l->text[i]] = l->row[l->text[i]] = 0;
    l->n = 0;
    l->n_kept = 0;
}

/* The places of a word of the text, as bits. */
static const uint64_t *places_of(struct lcs *l, uint32_t word)
{
    size_t count = 0;
    if (l->row[word] > 0) return l->kept + (l->row[word] - 1) * l->blocks;
    for (uint32_t p = l->last[word]; p > 0; p = l->previous[p - 1], count++)
        l->here[(p - 1) / BLOCK] |= UINT64_C(1) << ((p - 1) % BLOCK);
    if (count <= l->blocks) return l->here;
    uint64_t *kept = l->kept + l->n_kept * l->blocks;
    memcpy(kept, l->here, l->blocks * sizeof *kept);
    memset(l->here, 0, l->blocks * sizeof *l->here);
    l->row[word] = ++l->n_kept;
    return kept;
}

/* Length of the longest common subsequence with b. V := (V + (V & M)) | (V & ~M) for each word of
 * b, M its places in the text; then the zeros of V are as many (Hyyrö 2004, after Crochemore et al.
 * 2001). */
static size_t lcs_length(struct lcs *l, const uint32_t *b, size_t m)
{
    size_t length = 0;
    for (size_t w = 0; w < l->blocks; w++) l->open[w] = UINT64_MAX;
    for (size_t j = 0; j < m; j++) {
        uint64_t carry = 0;
        if (l->last[b[j]] == 0) continue;
        const uint64_t *places = places_of(l, b[j]);
        for (size_t w = 0; w < l->blocks; w++) {
            uint64_t v = l->open[w], x = v & places[w], sum = v + x + carry;
            carry = carry ? sum <= v : sum < v;
            l->open[w] = sum | (v & ~places[w]);
        }
        if (places == l->here) memset(l->here, 0, l->blocks * sizeof *l->here);
    }
    for (size_t i = 0; i < l->n; i++) length += (l->open[i / BLOCK] >> (i % BLOCK) & 1) == 0;
    return length;
}

static ge_status rouge_of(const struct ge_caption_corpus *cc, const struct ge_caption_entry *e,
                          struct lcs *l, double *value)
{
    static const double beta2 = 1.2 * 1.2;
    double precision = 0, recall = 0;
    ge_status rc = GE_OK;
    GE_TRY(set_text(l, cc->gram[0] + e->text.split_first, e->text.split_n));
    for (size_t r = 0; r < e->n_refs; r++) {
        const struct ge_caption *ref = &cc->refs[e->first_ref + r];
        double n = (double)lcs_length(l, cc->gram[0] + ref->split_first, ref->split_n);
        precision = fmax(precision, n / (double)e->text.split_n);
        recall = fmax(recall, n / (double)ref->split_n);
    }
    *value = precision > 0 && recall > 0
                 ? (1 + beta2) * precision * recall / (recall + beta2 * precision)
                 : 0;
    clear_text(l);
done:
    return rc;
}

ge_status ge_caption_rouge_l(const struct ge_caption_corpus *cc, double *mean, double *per_text)
{
    struct lcs l = {0};
    size_t used = 0;
    double sum = 0;
    ge_status rc = GE_OK;
    *mean = NAN;
    ge_corpus_no_values(per_text, cc->n);
    GE_NEW(l.last, ge_caption_most_distinct(cc));
    GE_NEW(l.row, ge_caption_most_distinct(cc));
    for (size_t i = 0; i < cc->n; i++) {
        double value;
        if (cc->entries[i].n_refs == 0) continue;
        GE_TRY(rouge_of(cc, &cc->entries[i], &l, &value));
        sum += value;
        used++;
        if (per_text != NULL) per_text[i] = value;
    }
    if (used > 0) *mean = sum / (double)used;
done:
    free(l.last);
    free(l.previous);
    free(l.open);
    free(l.here);
    free(l.kept);
    free(l.row);
    return rc;
}
