/* Homogeneity of a system's outputs. */
#include "metric/homogeneity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/mem.h"
#include "metric/captions.h"

/* ---- distinct-n ------------------------------------------------------------------------------- */

static ge_status distinct(const struct ge_corpus *c, int k, double *value, double *per_text)
{
    struct ge_caption_corpus *cc = NULL;
    size_t *seen = NULL; /* by n-gram: the last text that had it, + 1 */
    size_t all = 0, different = 0;
    ge_status rc = GE_OK;
    GE_TRY(ge_caption_corpus_take(c, GE_CAPTION_PLAIN, &cc));
    GE_NEW(seen, ge_caption_most_distinct(cc));
    for (size_t i = 0; i < cc->n; i++) {
        size_t n, own = 0;
        const uint32_t *g = ge_caption_grams(cc, &cc->entries[i].text, k, &n);
        for (size_t j = 0; j < n; j++) {
            different += seen[g[j]] == 0;
            own += seen[g[j]] != i + 1;
            seen[g[j]] = i + 1;
        }
        all += n;
        if (per_text != NULL) per_text[i] = n > 0 ? (double)own / (double)n : NAN;
    }
    *value = all > 0 ? (double)different / (double)all : NAN;
done:
    free(seen);
    ge_caption_corpus_put(c, &cc);
    return rc;
}

ge_status ge_corpus_distinct1(const struct ge_corpus *c, double *value, double *per_text)
{
    return distinct(c, 0, value, per_text);
}

ge_status ge_corpus_distinct2(const struct ge_corpus *c, double *value, double *per_text)
{
    return distinct(c, 1, value, per_text);
}

ge_status ge_corpus_distinct3(const struct ge_corpus *c, double *value, double *per_text)
{
    return distinct(c, 2, value, per_text);
}

/* ---- self-BLEU -------------------------------------------------------------------------------- */

/* How often an n-gram stands in the text that has it most often, and in the next such text. */
struct most {
    uint32_t first, second;
    uint32_t owner; /* of `first` */
};

/* The largest counts of order k + 1 over all texts. `count` is 0 before and after. */
static void largest_counts(const struct ge_caption_corpus *cc, int k, uint32_t *count,
                           struct most *most)
{
    for (size_t i = 0; i < cc->n; i++) {
        size_t n;
        const uint32_t *g = ge_caption_grams(cc, &cc->entries[i].text, k, &n);
        for (size_t j = 0; j < n; j++) count[g[j]]++;
        for (size_t j = 0; j < n; j++) {
            struct most *m = &most[g[j]];
            uint32_t now = count[g[j]];
            count[g[j]] = 0;
            if (now > m->first) {
                m->second = m->first;
                m->first = now;
                m->owner = (uint32_t)i;
            } else if (now > m->second) {
                m->second = now;
            }
        }
    }
}

/* Matches of text i, clipped by the largest count in one other text. */
static size_t matches(const struct ge_caption_corpus *cc, size_t i, int k, uint32_t *count,
                      const struct most *most)
{
    size_t n, sum = 0;
    const uint32_t *g = ge_caption_grams(cc, &cc->entries[i].text, k, &n);
    for (size_t j = 0; j < n; j++) count[g[j]]++;
    for (size_t j = 0; j < n; j++) {
        const struct most *m = &most[g[j]];
        uint32_t others = m->owner == i ? m->second : m->first;
        sum += count[g[j]] < others ? count[g[j]] : others;
        count[g[j]] = 0;
    }
    return sum;
}

static double brevity(const struct ge_caption_corpus *cc, size_t i)
{
    size_t n = cc->entries[i].text.n, best = 0, best_d = SIZE_MAX;
    for (size_t j = 0; j < cc->n; j++) {
        size_t m = cc->entries[j].text.n, d = m > n ? m - n : n - m;
        if (j == i || d > best_d || (d == best_d && m >= best)) continue;
        best = m;
        best_d = d;
    }
    return n > best ? 1 : ge_exp(1 - (double)best / (double)n);
}

static ge_status self_bleu(const struct ge_caption_corpus *cc, double *sum, double *per_text)
{
    uint32_t *count = NULL;
    struct most *most[GE_SELF_BLEU_ORDER] = {NULL};
    ge_status rc = GE_OK;
    *sum = 0;
    GE_NEW(count, ge_caption_most_distinct(cc));
    for (int k = 0; k < GE_SELF_BLEU_ORDER; k++) {
        GE_NEW(most[k], cc->distinct[k]);
        largest_counts(cc, k, count, most[k]);
    }
    for (size_t i = 0; i < cc->n; i++) {
        size_t words = cc->entries[i].text.n, m = matches(cc, i, 0, count, most[0]);
        double log_sum = 0, value = 0;
        for (int k = 0; m > 0 && k < GE_SELF_BLEU_ORDER; k++) {
            size_t found = matches(cc, i, k, count, most[k]);
            size_t grams = words > (size_t)k ? words - (size_t)k : 1;
            log_sum += ge_log((found > 0 ? (double)found : 0.1) / (double)grams);
        }
        if (m > 0) value = brevity(cc, i) * ge_exp(log_sum / GE_SELF_BLEU_ORDER);
        *sum += value;
        if (per_text != NULL) per_text[i] = value;
    }
done:
    free(count);
    for (int k = 0; k < GE_SELF_BLEU_ORDER; k++) free(most[k]);
    return rc;
}

ge_status ge_corpus_self_bleu3(const struct ge_corpus *c, double *value, double *per_text)
{
    struct ge_caption_corpus *cc = NULL;
    struct ge_corpus first = {.texts = c->texts, .tasks = c->tasks, .n = c->n};
    double sum;
    ge_status rc = GE_OK;
    *value = NAN;
    ge_corpus_no_values(per_text, c->n);
    if (first.n > GE_SELF_BLEU_TEXTS) first.n = GE_SELF_BLEU_TEXTS;
    if (first.n < 2) return GE_OK;
    GE_TRY(ge_caption_corpus_new(&first, GE_CAPTION_PLAIN, &cc));
    GE_TRY(self_bleu(cc, &sum, per_text));
    *value = sum / (double)first.n;
done:
    ge_caption_corpus_delete(&cc);
    return rc;
}

/* ---- openings --------------------------------------------------------------------------------- */

/* The number of the opening of text i, if it has four words. */
static const uint32_t *opening(const struct ge_caption_corpus *cc, size_t i)
{
    size_t n;
    return ge_caption_grams(cc, &cc->entries[i].text, GE_NGRAM_ORDERS - 1, &n);
}

/* The commonest opening in *best, how many texts have it in *members; *texts have one at all. */
static ge_status commonest(const struct ge_caption_corpus *cc, uint32_t *best, size_t *members,
                           size_t *texts)
{
    size_t *count = NULL;
    ge_status rc = GE_OK;
    *members = 0;
    *texts = 0;
    GE_NEW(count, ge_caption_most_distinct(cc));
    for (size_t i = 0; i < cc->n; i++) {
        const uint32_t *g = opening(cc, i);
        if (g == NULL) continue;
        (*texts)++;
        count[*g]++;
    }
    for (size_t i = 0; i < cc->n; i++) {
        const uint32_t *g = opening(cc, i);
        if (g == NULL || count[*g] <= *members) continue;
        *best = *g;
        *members = count[*g];
    }
done:
    free(count);
    return rc;
}

ge_status ge_corpus_opening_share(const struct ge_corpus *c, double *value, double *per_text)
{
    struct ge_caption_corpus *cc = NULL;
    uint32_t best = 0;
    size_t members, texts;
    ge_status rc = GE_OK;
    *value = NAN;
    GE_TRY(ge_caption_corpus_take(c, GE_CAPTION_PLAIN, &cc));
    GE_TRY(commonest(cc, &best, &members, &texts));
    for (size_t i = 0; per_text != NULL && i < cc->n; i++) {
        const uint32_t *g = opening(cc, i);
        per_text[i] = g == NULL ? NAN : *g == best;
    }
    if (texts > 0) *value = (double)members / (double)texts;
done:
    ge_caption_corpus_put(c, &cc);
    return rc;
}

static ge_status first_words(const char *text, char **out)
{
    struct ge_buf words;
    char *end;
    ge_status rc = GE_OK;
    ge_buf_init(&words, SIZE_MAX);
    GE_TRY(ge_caption_plain_words(text, &words));
    end = words.data;
    for (int k = 1; k < GE_NGRAM_ORDERS && end != NULL; k++) end = strchr(end, ' ') + 1;
    end = end != NULL ? strchr(end, ' ') : NULL;
    GE_TRY_PTR(*out, ge_strndup(words.data, end != NULL ? (size_t)(end - words.data) : words.len));
done:
    ge_buf_free(&words);
    return rc;
}

ge_status ge_opening_find(const struct ge_corpus *c, struct ge_opening *out)
{
    struct ge_caption_corpus *cc = NULL;
    uint32_t best = 0;
    size_t members;
    ge_status rc = GE_OK;
    memset(out, 0, sizeof *out);
    GE_TRY(ge_caption_corpus_take(c, GE_CAPTION_PLAIN, &cc));
    GE_TRY(commonest(cc, &best, &members, &out->n_texts));
    GE_NEW(out->members, members);
    for (size_t i = 0; members > 0 && i < cc->n; i++) {
        const uint32_t *g = opening(cc, i);
        if (g == NULL || *g != best) continue;
        if (out->words == NULL) GE_TRY(first_words(c->texts[i], &out->words));
        out->members[out->n_members++] = i;
    }
done:
    ge_caption_corpus_put(c, &cc);
    if (rc != GE_OK) ge_opening_free(out);
    return rc;
}

void ge_opening_free(struct ge_opening *o)
{
    free(o->words);
    free(o->members);
    memset(o, 0, sizeof *o);
}

/* ---- embeddings ------------------------------------------------------------------------------- */

ge_status ge_set_pairwise_cosine(const struct ge_embedding_set *s, double *value)
{
    double *sum = NULL, squares = 0, square_of_sum = 0;
    size_t dim = (size_t)s->dim;
    ge_status rc = GE_OK;
    *value = NAN;
    if (s->n < 2) return GE_OK;
    GE_NEW(sum, dim);
    for (size_t i = 0; i < s->n; i++) {
        const float *x = s->answers + i * dim;
        for (size_t j = 0; j < dim; j++) {
            sum[j] += x[j];
            squares += (double)x[j] * x[j];
        }
    }
    for (size_t j = 0; j < dim; j++) square_of_sum += sum[j] * sum[j];
    *value = (square_of_sum - squares) / ((double)s->n * ((double)s->n - 1));
done:
    free(sum);
    return rc;
}
