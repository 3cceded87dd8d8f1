/* Diagnoses from the score rows. */
#include <math.h>
#include <string.h>

#include "aggregate/finder.h"
#include "base/mem.h"

/* Metrics that come in dialects: those of one family measure the same thing. */
static const char *const families[] = {"vqa.", "anls.", "relaxed.", "choice.", "exact."};
enum { FAMILIES = sizeof families / sizeof families[0] };

/* The family of a metric, or -1; a companion ("….answered", "….corrected") measures something else. */
static int family_of(const char *name)
{
    const char *last = strrchr(name, '.');
    if (last != NULL && (strcmp(last, ".answered") == 0 || strcmp(last, ".corrected") == 0)) {
        return -1;
    }
    for (int i = 0; i < FAMILIES; i++) {
        if (strncmp(name, families[i], strlen(families[i])) == 0) return i;
    }
    return -1;
}

/* The least and the greatest value of one family for one sample. */
struct range {
    const char *low_name, *high_name;
    double low, high;
    size_t n;
};

static void widen(struct range *r, const char *name, double value)
{
    if (isnan(value)) return;
    if (r->n == 0 || value < r->low) {
        r->low = value;
        r->low_name = name;
    }
    if (r->n == 0 || value > r->high) {
        r->high = value;
        r->high_name = name;
    }
    r->n++;
}

static ge_status note_range(const struct finder_context *c, const struct range *r,
                            struct finding *found)
{
    ge_status rc = GE_OK;
    double strength = fmin(1, r->high - r->low);
    if (r->n < 2) goto done;
    if (isnan(found->strength)) found->strength = 0;
    if (strength <= found->strength) goto done;
    found->strength = strength;
    GE_TRY_PTR(found->note, ge_arena_printf(c->arena, "%s %g, %s %g", r->low_name, r->low,
                                            r->high_name, r->high));
done:
    return rc;
}

/* The rows of one sample from `first` on; *next is the row behind them. */
static ge_status look_at_sample(const struct finder_context *c, const struct ge_result *r,
                                size_t first, size_t *next, struct finding *found)
{
    ge_status rc = GE_OK;
    struct range ranges[FAMILIES] = {0};
    struct ge_key key = r->scores[first].key;
    for (*next = first; *next < r->n_scores; ++*next) {
        const struct ge_score_row *s = &r->scores[*next];
        if (ge_key_compare(s->key, key) != 0) break;
        GE_TRY(ge_check_score_row(c->run, s));
        const char *name = c->run->metrics.v[s->metric];
        int family = family_of(name);
        if (family >= 0) widen(&ranges[family], name, s->value);
    }
    for (int i = 0; i < FAMILIES; i++) GE_TRY(note_range(c, &ranges[i], &found[key.item]));
done:
    return rc;
}

ge_status ge_find_disagreement(const struct finder_context *c, size_t cell, struct finding *found)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < c->run->n_results; i++) {
        const struct ge_result *r = &c->run->results[i];
        if (r->cell != cell) continue;
        for (size_t at = 0; at < r->n_scores;) GE_TRY(look_at_sample(c, r, at, &at, found));
    }
done:
    return rc;
}

/* Copies were found when the pictures were scored. */
ge_status ge_find_copies(const struct finder_context *c, size_t cell, struct finding *found)
{
    ge_status rc = GE_OK;
    for (size_t i = 0; i < c->run->n_results; i++) {
        const struct ge_result *r = &c->run->results[i];
        for (size_t k = 0; r->cell == cell && k < r->n_scores; k++) {
            const struct ge_score_row *s = &r->scores[k];
            GE_TRY(ge_check_score_row(c->run, s));
            if (strcmp(c->run->metrics.v[s->metric], "copy.detected") != 0) continue;
            struct finding *f = &found[s->key.item];
            f->strength = isnan(f->strength) ? s->value : fmax(f->strength, s->value);
        }
    }
done:
    return rc;
}
