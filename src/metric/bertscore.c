#include "metric/bertscore.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* ---- greedy matching ---------------------------------------------------------------------- */

enum { PANEL = 16 }; /* reference tokens whose sums run side by side */

/* Rows turned into panels: element k of token j at [(j / PANEL * dim + k) * PANEL + j % PANEL], so
 * that sums over k run in order and yet many at a time. Zeros fill the last panel. */
static void fill_panels(const struct ge_bertscore_text *t, size_t dim, float *panels)
{
    for (size_t j = 0; j < t->n; j++) {
        float *to = panels + j / PANEL * dim * PANEL + j % PANEL;
        for (size_t k = 0; k < dim; k++) to[k * PANEL] = t->rows[j * dim + k];
    }
}

static void inverse_norms(const struct ge_bertscore_text *t, size_t dim, double *out)
{
    for (size_t i = 0; i < t->n; i++) {
        double sum = 0;
        for (size_t k = 0; k < dim; k++) {
            sum += (double)t->rows[i * dim + k] * (double)t->rows[i * dim + k];
        }
        out[i] = 1 / sqrt(sum);
    }
}

static void dot_panel(const float *row, const float *panel, size_t dim, double sums[PANEL])
{
    for (size_t j = 0; j < PANEL; j++) sums[j] = 0;
    for (size_t k = 0; k < dim; k++, panel += PANEL) {
        double a = (double)row[k];
        for (size_t j = 0; j < PANEL; j++) sums[j] += a * (double)panel[j];
    }
}

static double larger(double best, double c)
{
    return isnan(c) || c > best ? c : best; /* a NaN stays */
}

/* Memory of one pair. */
struct work {
    float *panels;                        /* the reference's */
    double *answer_norm, *reference_norm; /* inverse */
    double *answer_best, *reference_best; /* largest cosine of each token */
};

static void match_tokens(const struct ge_bertscore_text *a, const struct ge_bertscore_text *r,
                         size_t dim, struct work *w)
{
    double sums[PANEL];
    for (size_t i = 0; i < a->n; i++) w->answer_best[i] = -INFINITY;
    for (size_t j = 0; j < r->n; j++) w->reference_best[j] = -INFINITY;
    for (size_t from = 0; from < r->n; from += PANEL) {
        size_t n = r->n - from < PANEL ? r->n - from : PANEL;
        for (size_t i = 0; i < a->n; i++) {
            dot_panel(a->rows + i * dim, w->panels + from * dim, dim, sums);
            for (size_t j = 0; j < n; j++) {
                double c = sums[j] * w->answer_norm[i] * w->reference_norm[from + j];
                w->answer_best[i] = larger(w->answer_best[i], c);
                w->reference_best[from + j] = larger(w->reference_best[from + j], c);
            }
        }
    }
}

static double weighted_mean(const double *x, const double *weights, size_t n)
{
    double sum = 0, total = 0;
    for (size_t i = 0; i < n; i++) {
        sum += weights[i] * x[i];
        total += weights[i];
    }
    return sum / total;
}

ge_status ge_bertscore_pair(const struct ge_bertscore_text *answer,
                            const struct ge_bertscore_text *reference, size_t dim,
                            struct ge_bertscore *out)
{
    struct work w = {0};
    size_t size;
    ge_status rc = GE_OK;

    *out = (struct ge_bertscore){0, 0, 0};
    if (answer->n <= 2 || reference->n <= 2) return GE_OK;
    GE_TRY(ge_mul((reference->n + PANEL - 1) / PANEL * PANEL, dim, &size));
    GE_NEW(w.panels, size);
    GE_NEW(w.answer_norm, answer->n);
    GE_NEW(w.answer_best, answer->n);
    GE_NEW(w.reference_norm, reference->n);
    GE_NEW(w.reference_best, reference->n);
    fill_panels(reference, dim, w.panels);
    inverse_norms(answer, dim, w.answer_norm);
    inverse_norms(reference, dim, w.reference_norm);
    match_tokens(answer, reference, dim, &w);
    out->p = weighted_mean(w.answer_best, answer->weights, answer->n);
    out->r = weighted_mean(w.reference_best, reference->weights, reference->n);
    out->f1 = 2 * out->p * out->r / (out->p + out->r);
    if (isnan(out->f1)) out->f1 = 0;
done:
    free(w.panels);
    free(w.answer_norm);
    free(w.answer_best);
    free(w.reference_norm);
    free(w.reference_best);
    return rc;
}

void ge_bertscore_max(struct ge_bertscore *best, const struct ge_bertscore *other)
{
    best->p = larger(best->p, other->p);
    best->r = larger(best->r, other->r);
    best->f1 = larger(best->f1, other->f1);
}

static double rescale(double x, double b)
{
    return (x - b) / (1 - b);
}

struct ge_bertscore ge_bertscore_rescale(const struct ge_bertscore *score,
                                         const struct ge_bertscore *baseline)
{
    return (struct ge_bertscore){rescale(score->p, baseline->p), rescale(score->r, baseline->r),
                                 rescale(score->f1, baseline->f1)};
}

void ge_bertscore_weights(const struct ge_bertscore_options *o, const int32_t *ids, size_t n,
                          double *weights)
{
    for (size_t i = 0; i < n; i++) {
        bool special = ids[i] == o->cls || ids[i] == o->sep;
        weights[i] = o->idf != NULL ? ge_idf_weight(o->idf, ids[i]) : special ? 0 : 1;
    }
}

/* ---- layers ------------------------------------------------------------------------------- */

/* bert_score's model2layers for the families that model/ reads; vocab 0: any. A row with a vocabulary
 * stands before the one without. */
static const struct {
    const char *type;
    size_t layers, width, vocab, layer;
} chosen[] = {
    {"bert", 12, 768, 21128, 8},   /* bert-base-chinese */
    {"bert", 12, 768, 31090, 8},   /* scibert_scivocab_uncased */
    {"bert", 12, 768, 32000, 10},  /* bert-base-turkish-cased */
    {"bert", 12, 768, 0, 9},       /* bert-base-uncased, -cased, -multilingual-cased */
    {"bert", 24, 1024, 28996, 17}, /* spanbert-large-cased */
    {"bert", 24, 1024, 0, 18},     /* bert-large-uncased */
    {"bert", 2, 128, 30522, 1},    /* google/bert_uncased_L-2_H-128_A-2 and its like */
    {"bert", 2, 256, 30522, 1},       {"bert", 2, 512, 30522, 1},   {"bert", 2, 768, 30522, 2},
    {"bert", 4, 128, 30522, 3},       {"bert", 4, 256, 30522, 3},   {"bert", 4, 512, 30522, 3},
    {"bert", 4, 768, 30522, 3},       {"bert", 6, 128, 30522, 5},   {"bert", 6, 256, 30522, 5},
    {"bert", 6, 512, 30522, 5},       {"bert", 6, 768, 30522, 5},   {"bert", 8, 128, 30522, 7},
    {"bert", 8, 256, 30522, 7},       {"bert", 8, 512, 30522, 6},   {"bert", 8, 768, 30522, 7},
    {"bert", 10, 128, 30522, 8},      {"bert", 10, 256, 30522, 8},  {"bert", 10, 512, 30522, 9},
    {"bert", 10, 768, 30522, 8},      {"bert", 12, 128, 30522, 10}, {"bert", 12, 256, 30522, 11},
    {"bert", 12, 512, 30522, 10},     {"roberta", 6, 768, 0, 5}, /* distilroberta-base */
    {"roberta", 12, 768, 0, 10},                                 /* roberta-base */
    {"roberta", 24, 1024, 0, 17},                                /* roberta-large */
    {"xlm-roberta", 12, 768, 0, 9},                              /* xlm-roberta-base */
    {"xlm-roberta", 24, 1024, 0, 17},                            /* xlm-roberta-large */
    {"mpnet", 12, 768, 0, 8},                                    /* mpnet-base */
};

size_t ge_bertscore_layer(const char *type, size_t layers, size_t width, size_t vocab)
{
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        bool same = strcmp(chosen[i].type, type) == 0 && chosen[i].layers == layers &&
                    chosen[i].width == width;
        if (same && (chosen[i].vocab == 0 || chosen[i].vocab == vocab)) return chosen[i].layer;
    }
    return layers;
}
