/* Speed of a model's tokenizer on the lines of a file. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cli/bench.h"
#include "cli/inputs.h"
#include "model/encoder.h"
#include "text/tokenizer.h"

struct tokenizing {
    const struct ge_tokenizer *tokenizer;
    const struct ge_inputs *texts;
    int most;                 /* tokens of one text */
    struct ge_tokens *tokens; /* [threads] */
    atomic_size_t total, bad;
};

static void tokenize_one(void *ctx, size_t i, int thread)
{
    struct tokenizing *t = ctx;
    struct ge_tokens *tokens = &t->tokens[thread];
    const char *text = t->texts->v[i];
    if (ge_tokenizer_encode(t->tokenizer, text, strlen(text), t->most, true, tokens) == GE_OK) {
        t->total += tokens->count;
    } else {
        t->bad++;
    }
}

ge_status ge_bench_tokens(const struct ge_encoder *encoder, const struct ge_inputs *texts,
                          struct ge_pool *pool, double *tokens)
{
    ge_status rc = GE_OK;
    const int threads = pool != NULL ? ge_pool_threads(pool) : 1;
    struct tokenizing t = {.tokenizer = ge_encoder_tokenizer(encoder), .texts = texts};
    GE_TRY(ge_to_int(ge_encoder_max_tokens(encoder), &t.most));
    GE_NEW(t.tokens, (size_t)threads);
    for (int i = 0; i < threads; i++) ge_tokens_init(&t.tokens[i]);
    ge_pool_run(pool, texts->n, tokenize_one, &t);
    if (t.bad > 0) {
        rc = ge_fail(GE_EFORMAT, "%zu of %zu texts cannot be tokenized", (size_t)t.bad, texts->n);
    }
    *tokens = (double)t.total;
done:
    for (int i = 0; t.tokens != NULL && i < threads; i++) ge_tokens_free(&t.tokens[i]);
    free(t.tokens);
    return rc;
}

static ge_status time_runs(struct ge_bench *b, const struct ge_encoder *encoder,
                           const struct ge_inputs *texts, struct ge_pool *pool)
{
    enum { QUANTITIES = 3 };
    ge_status rc = GE_OK;
    double *rates = NULL, tokens = 0, bytes = 0;
    const size_t n = (size_t)b->repeats;
    GE_NEW(rates, QUANTITIES * n);
    for (size_t i = 0; i < texts->n; i++) bytes += (double)strlen(texts->v[i]);
    GE_TRY(ge_bench_tokens(encoder, texts, pool, &tokens)); /* warm-up */
    for (size_t r = 0; r < n; r++) {
        double start = ge_now();
        GE_TRY(ge_bench_tokens(encoder, texts, pool, &tokens));
        double seconds = ge_now() - start;
        rates[r] = (double)texts->n / seconds;
        rates[n + r] = tokens / seconds;
        rates[2 * n + r] = 1e-6 * bytes / seconds;
    }
    ge_bench_values(b, "texts", "texts/s", rates, n);
    ge_bench_values(b, "tokens", "tokens/s", rates + n, n);
    ge_bench_values(b, "text", "MB/s", rates + 2 * n, n);
    ge_buf_printf(&b->notes, "%zu texts, %.1f tokens each, %ld threads, wall clock", texts->n,
                  tokens / (double)texts->n, b->threads);
done:
    free(rates);
    return rc;
}

ge_status ge_bench_tokenize(struct ge_bench *b)
{
    ge_status rc = GE_OK;
    const struct ge_device_flags where = {.device = "cpu", .threads = 1};
    struct ge_device *dev = NULL;
    struct ge_encoder *encoder = NULL;
    struct ge_inputs texts = {0};
    struct ge_pool *pool = NULL;
    GE_TRY(ge_inputs_texts(b->texts, &texts));
    GE_TRY(ge_inputs_device(&where, &dev));
    GE_TRY(ge_encoder_load(b->model, dev, NULL, &encoder));
    if (!ge_encoder_has_text(encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s has no text tower", b->model));
    }
    GE_TRY(ge_pool_new((int)b->threads, &pool));
    GE_TRY(time_runs(b, encoder, &texts, pool));
done:
    ge_pool_delete(&pool);
    ge_encoder_delete(&encoder);
    ge_device_close(&dev);
    ge_inputs_free(&texts);
    return rc;
}
