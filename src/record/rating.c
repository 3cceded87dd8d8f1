/* Order and rules of ratings. */
#include "record/rating.h"

#include <math.h>
#include <string.h>

ge_status ge_drawn_parse(const char *text, enum ge_drawn *drawn, const char **within)
{
    static const char prefix[] = "random_within:";
    size_t n = sizeof prefix - 1;
    *drawn = GE_DRAWN_UNSAID;
    *within = NULL;
    if (text == NULL) return GE_OK;
    if (strcmp(text, "random") == 0) {
        *drawn = GE_DRAWN_RANDOM;
    } else if (strcmp(text, "other") == 0) {
        *drawn = GE_DRAWN_OTHER;
    } else if (strncmp(text, prefix, n) == 0 && text[n] != '\0') {
        *drawn = GE_DRAWN_WITHIN;
        *within = text + n;
    } else {
        return ge_fail(GE_EINVAL,
                       "found \"%.80s\", allowed: \"random\", \"random_within:<tag>\" (also "
                       "category or subcategory for the tag) or \"other\"",
                       text);
    }
    return GE_OK;
}

static int order(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int ge_rating_compare(const struct ge_rating *a, const struct ge_rating *b)
{
    int by = order(a->cell, b->cell);
    if (by == 0) by = ge_key_compare(a->key, b->key);
    if (by == 0) by = order(a->dimension, b->dimension);
    return by != 0 ? by : order(a->rater, b->rater);
}

size_t ge_rating_name(const struct ge_strings *names, const char *name)
{
    size_t lo = 0, hi = names->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int by = strcmp(names->v[mid], name);
        if (by == 0) return mid;
        if (by < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return SIZE_MAX;
}

static int equal_names(const struct ge_strings *a, const struct ge_strings *b)
{
    if (a->n != b->n) return 0;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], b->v[i]) != 0) return 0;
    }
    return 1;
}

int ge_ratings_equal(const struct ge_ratings *a, const struct ge_ratings *b)
{
    if (a->n != b->n || !equal_names(&a->raters, &b->raters) ||
        !equal_names(&a->dimensions, &b->dimensions)) {
        return 0;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (ge_rating_compare(&a->v[i], &b->v[i]) != 0) return 0;
        if (memcmp(&a->v[i].score, &b->v[i].score, sizeof(double)) != 0) return 0;
    }
    return 1;
}

static ge_status check_names(const struct ge_strings *names, const char *what)
{
    for (size_t i = 0; i < names->n; i++) {
        bool out = names->v[i] == NULL || names->v[i][0] == '\0' ||
                   (i > 0 && strcmp(names->v[i - 1], names->v[i]) >= 0);
        if (out) {
            return ge_fail(GE_EFORMAT, "ratings: name %zu of the %s is empty or out of order", i,
                           what);
        }
    }
    return GE_OK;
}

ge_status ge_ratings_check(const struct ge_ratings *r, size_t n_cells, size_t n_items)
{
    ge_status rc = GE_OK;
    GE_TRY(check_names(&r->raters, "raters"));
    GE_TRY(check_names(&r->dimensions, "dimensions"));
    for (size_t i = 0; i < r->n; i++) {
        const struct ge_rating *v = &r->v[i];
        const char *bad = NULL;
        if (v->cell >= n_cells || v->key.item >= n_items || v->key.direction >= GE_DIRECTIONS) {
            bad = "no such system, item or direction";
        } else if (v->rater >= r->raters.n || v->dimension >= r->dimensions.n) {
            bad = "no such rater or dimension";
        } else if (!isfinite(v->score)) {
            bad = "the score is not a finite number";
        } else if (i > 0 && ge_rating_compare(&r->v[i - 1], v) >= 0) {
            bad = "out of order or twice";
        }
        if (bad != NULL) return ge_fail(GE_EFORMAT, "ratings row %zu: %s", i, bad);
    }
done:
    return rc;
}
