/* How long an answer is. */
#include <stdbool.h>

#include "metric/corpus.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

ge_status ge_length_words(const char *text, const struct ge_task *task, double *value)
{
    size_t n = 0;
    (void)task;
    for (const char *p = text; *p != '\0'; p++)
        n += !is_space(*p) && (p == text || is_space(p[-1]));
    *value = (double)n;
    return GE_OK;
}

ge_status ge_length_characters(const char *text, const struct ge_task *task, double *value)
{
    size_t n = 0;
    (void)task;
    for (const char *p = text; *p != '\0'; p++) n += ((unsigned char)*p & 0xC0) != 0x80;
    *value = (double)n;
    return GE_OK;
}

ge_status ge_corpus_length(const struct ge_corpus *c, double *value, double *per_text)
{
    double sum = 0, words;
    for (size_t i = 0; i < c->n; i++) {
        ge_length_words(c->texts[i], c->tasks[i], &words);
        if (per_text != NULL) per_text[i] = words;
        sum += words;
    }
    *value = sum / (double)c->n;
    return GE_OK;
}
