/* Levenshtein distance by bit vectors. The shorter text, the pattern, lies along the rows of the
 * matrix, 64 to a block; a block is worked through along all columns before the next one, so that
 * between blocks only the steps along their common edge are kept: -1, 0 or 1 for each column. */
#include "metric/edit.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK = 64, SLOTS = 128, SLOT_SHIFT = 25 };

/* Where each character of a block stands in it: a hash table that is never more than half full. */
struct places {
    uint32_t character[SLOTS];
    uint64_t rows[SLOTS]; /* 0: the slot is free */
};

static uint32_t slot_of(const struct places *p, uint32_t c)
{
    uint32_t slot = c * 2654435761u >> SLOT_SHIFT;
    while (p->rows[slot] != 0 && p->character[slot] != c) slot = (slot + 1) % SLOTS;
    return slot;
}

static void fill(struct places *p, const uint32_t *pattern, size_t n)
{
    memset(p->rows, 0, sizeof p->rows);
    for (size_t i = 0; i < n; i++) {
        uint32_t slot = slot_of(p, pattern[i]);
        p->character[slot] = pattern[i];
        p->rows[slot] |= (uint64_t)1 << i;
    }
}

/* One block of n rows along the text: steps[] of its upper edge become those of its lower edge. */
static void run_block(const struct places *p, size_t n, const uint32_t *text, size_t columns,
                      int8_t *steps)
{
    const uint64_t last = (uint64_t)1 << (n - 1);
    uint64_t plus = ~(uint64_t)0, minus = 0; /* steps down the current column */
    for (size_t j = 0; j < columns; j++) {
        uint64_t equal = p->rows[slot_of(p, text[j])];
        uint64_t diagonal = equal | minus;
        equal |= steps[j] < 0;
        uint64_t zero = (((equal & plus) + plus) ^ plus) | equal;
        uint64_t right_plus = minus | ~(zero | plus), right_minus = plus & zero;
        int8_t out = (int8_t)((right_plus & last) != 0) - (int8_t)((right_minus & last) != 0);
        right_plus = right_plus << 1 | (steps[j] > 0);
        right_minus = right_minus << 1 | (steps[j] < 0);
        plus = right_minus | ~(diagonal | right_plus);
        minus = right_plus & diagonal;
        steps[j] = out;
    }
}

ge_status ge_edit_distance(const uint32_t *a, size_t na, const uint32_t *b, size_t nb,
                           size_t *distance)
{
    ge_status rc = GE_OK;
    int8_t *steps = NULL;
    struct places places;
    while (na > 0 && nb > 0 && a[0] == b[0]) a++, b++, na--, nb--;
    while (na > 0 && nb > 0 && a[na - 1] == b[nb - 1]) na--, nb--;
    const uint32_t *pattern = na < nb ? a : b, *text = na < nb ? b : a;
    size_t rows = na < nb ? na : nb, columns = na < nb ? nb : na;
    *distance = columns;
    if (rows == 0) goto done;
    if (rows > GE_EDIT_MOST_CELLS / columns) {
        *distance = GE_EDIT_TOO_LONG;
        goto done;
    }
    GE_NEW(steps, columns);
    memset(steps, 1, columns);
    for (size_t i = 0; i < rows; i += BLOCK) {
        size_t n = rows - i < BLOCK ? rows - i : BLOCK;
        fill(&places, pattern + i, n);
        run_block(&places, n, text, columns, steps);
    }
    *distance = rows;
    for (size_t j = 0; j < columns; j++) *distance += (size_t)(ptrdiff_t)steps[j];
done:
    free(steps);
    return rc;
}
