/* CIDEr-D over numbered n-grams. Counts are arrays by n-gram number, put back to 0 by walking the
 * same n-grams again; so an n-gram that stands twice in a caption is met once with its count and
 * once with 0. */
#include <math.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/mem.h"
#include "metric/captions.h"

struct cider {
    const struct ge_caption_corpus *cc;
    double *weight[GE_NGRAM_ORDERS]; /* idf of each n-gram */
    uint32_t *count, *ref_count;
};

/* idf: log of the number of entries less the log of in how many entries' references it is. */
static ge_status weights(struct cider *c, size_t used)
{
    const struct ge_caption_corpus *cc = c->cc;
    double log_n = ge_log((double)used);
    uint32_t *seen = NULL; /* by n-gram: the last entry that had it, + 1 */
    ge_status rc = GE_OK;
    GE_NEW(seen, ge_caption_most_distinct(cc));
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) {
        GE_NEW(c->weight[k], cc->distinct[k]);
        for (size_t g = 0; g < ge_caption_most_distinct(cc); g++) seen[g] = 0;
        for (size_t i = 0; i < cc->n; i++) {
            const struct ge_caption_entry *e = &cc->entries[i];
            for (size_t r = 0; r < e->n_refs; r++) {
                size_t n;
                const uint32_t *g = ge_caption_grams(cc, &cc->refs[e->first_ref + r], k, &n);
                for (size_t j = 0; j < n; j++) {
                    if (seen[g[j]] != i + 1) c->weight[k][g[j]] += 1;
                    seen[g[j]] = (uint32_t)(i + 1);
                }
            }
        }
        for (size_t g = 0; g < cc->distinct[k]; g++) {
            double df = c->weight[k][g];
            c->weight[k][g] = log_n - ge_log(df > 1 ? df : 1);
        }
    }
done:
    free(seen);
    return rc;
}

static void count_in(const struct ge_caption_corpus *cc, const struct ge_caption *caption, int k,
                     uint32_t *count)
{
    size_t n;
    const uint32_t *g = ge_caption_grams(cc, caption, k, &n);
    for (size_t i = 0; i < n; i++) count[g[i]]++;
}

/* Norm of a caption's tf-idf vector of order k + 1; its counts are in `count` and go back to 0. */
static double norm_and_clear(const struct cider *c, const struct ge_caption *caption, int k,
                             uint32_t *count)
{
    size_t n;
    const uint32_t *g = ge_caption_grams(c->cc, caption, k, &n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double v = count[g[i]] * c->weight[k][g[i]];
        sum += v * v;
        count[g[i]] = 0;
    }
    return sqrt(sum);
}

/* Σ min(a, b)·b over the n-grams of the text, which `count` has; each once. */
static double overlap(const struct cider *c, const struct ge_caption *text, int k)
{
    size_t n;
    const uint32_t *g = ge_caption_grams(c->cc, text, k, &n);
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double in_ref = c->ref_count[g[i]] * c->weight[k][g[i]];
        double in_text = c->count[g[i]] * c->weight[k][g[i]];
        sum += (in_text < in_ref ? in_text : in_ref) * in_ref;
        c->ref_count[g[i]] = 0;
    }
    return sum;
}

static double cider_of(const struct cider *c, const struct ge_caption_entry *e)
{
    const struct ge_caption_corpus *cc = c->cc;
    double score = 0;
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) {
        double norm, order = 0;
        count_in(cc, &e->text, k, c->count);
        norm = norm_and_clear(c, &e->text, k, c->count);
        count_in(cc, &e->text, k, c->count);
        for (size_t r = 0; r < e->n_refs; r++) {
            const struct ge_caption *ref = &cc->refs[e->first_ref + r];
            double bigrams = (double)(e->text.n > 0 ? e->text.n - 1 : 0);
            double delta = bigrams - (double)(ref->n > 0 ? ref->n - 1 : 0);
            double ref_norm, value;
            count_in(cc, ref, k, c->ref_count);
            ref_norm = norm_and_clear(c, ref, k, c->ref_count);
            count_in(cc, ref, k, c->ref_count);
            value = overlap(c, &e->text, k);
            norm_and_clear(c, ref, k, c->ref_count);
            if (norm != 0 && ref_norm != 0) value /= norm * ref_norm;
            order += value * ge_exp(-(delta * delta) / 72);
        }
        norm_and_clear(c, &e->text, k, c->count);
        score += order;
    }
    return score / GE_NGRAM_ORDERS / (double)e->n_refs * 10;
}

ge_status ge_caption_cider_d(const struct ge_caption_corpus *cc, double *mean, double *per_text)
{
    struct cider c = {.cc = cc};
    size_t used = 0;
    double sum = 0;
    ge_status rc = GE_OK;
    *mean = NAN;
    ge_corpus_no_values(per_text, cc->n);
    for (size_t i = 0; i < cc->n; i++) used += cc->entries[i].n_refs > 0;
    if (used == 0) return GE_OK;
    GE_NEW(c.count, ge_caption_most_distinct(cc));
    GE_NEW(c.ref_count, ge_caption_most_distinct(cc));
    GE_TRY(weights(&c, used));
    for (size_t i = 0; i < cc->n; i++) {
        double value;
        if (cc->entries[i].n_refs == 0) continue;
        value = cider_of(&c, &cc->entries[i]);
        sum += value;
        if (per_text != NULL) per_text[i] = value;
    }
    *mean = sum / (double)used;
done:
    free(c.count);
    free(c.ref_count);
    for (int k = 0; k < GE_NGRAM_ORDERS; k++) free(c.weight[k]);
    return rc;
}
