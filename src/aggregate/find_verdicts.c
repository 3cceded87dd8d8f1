/* Diagnoses from verdicts: which of an item's two directions is right. */
#include "aggregate/finder.h"

/* Both verdicts of an item; false if one is not there. */
static bool verdicts(const struct finder_context *c, size_t cell, size_t item, double *und,
                     double *gen)
{
    const struct ge_item *it = &c->run->items[item];
    return it->task[GE_UND].present && it->task[GE_GEN].present &&
           ge_direction_state(ge_values_at(c->values, cell, item, GE_UND), false, und) ==
               DIRECTION_JUDGED &&
           ge_direction_state(ge_values_at(c->values, cell, item, GE_GEN), false, gen) ==
               DIRECTION_JUDGED;
}

ge_status ge_find_says_not_shows(const struct finder_context *c, size_t cell, struct finding *found)
{
    double und, gen;
    for (size_t i = 0; i < c->run->n_items; i++) {
        if (verdicts(c, cell, i, &und, &gen)) found[i].strength = und * (1 - gen);
    }
    return GE_OK;
}

ge_status ge_find_shows_not_says(const struct finder_context *c, size_t cell, struct finding *found)
{
    double und, gen;
    for (size_t i = 0; i < c->run->n_items; i++) {
        if (verdicts(c, cell, i, &und, &gen)) found[i].strength = (1 - und) * gen;
    }
    return GE_OK;
}

/* Whether at least two systems were judged in this direction of an item, and all of them wrong. */
static bool is_too_hard(const struct finder_context *c, size_t item, enum ge_direction d,
                        bool *applies)
{
    size_t judged = 0;
    double best = 0, value;
    for (size_t cell = 0; cell < c->run->n_cells; cell++) {
        const struct direction_value *v = ge_values_at(c->values, cell, item, d);
        if (ge_direction_state(v, false, &value) != DIRECTION_JUDGED) continue;
        judged++;
        if (value > best) best = value;
    }
    *applies = *applies || judged >= 2;
    return judged >= 2 && best == 0;
}

ge_status ge_find_nobody_right(const struct finder_context *c, size_t cell, struct finding *found)
{
    static const char *const notes[] = {"", "und", "gen", "und, gen"};
    (void)cell;
    for (size_t i = 0; i < c->run->n_items; i++) {
        bool applies = false;
        int hard = is_too_hard(c, i, GE_UND, &applies);
        hard += 2 * is_too_hard(c, i, GE_GEN, &applies);
        if (!applies) continue;
        found[i] = (struct finding){hard != 0, notes[hard]};
    }
    return GE_OK;
}
