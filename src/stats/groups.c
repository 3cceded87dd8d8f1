#include "stats/groups.h"

#include <stdlib.h>

#include "base/mem.h"

struct place {
    uint32_t name, at;
};

static int compare_places(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    if (x->name != y->name) return x->name < y->name ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

ge_status ge_group_index(const uint32_t *name, size_t n, uint32_t *index, size_t *count)
{
    ge_status rc = GE_OK;
    struct place *places = NULL;
    size_t groups = 0;
    if (name == NULL) {
        for (size_t i = 0; i < n; i++) index[i] = (uint32_t)i;
        *count = n;
        return GE_OK;
    }
    GE_NEW(places, n);
    for (size_t i = 0; i < n; i++) places[i] = (struct place){name[i], (uint32_t)i};
    if (n > 0) qsort(places, n, sizeof *places, compare_places);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || places[i].name != places[i - 1].name) groups++;
        index[places[i].at] = (uint32_t)groups - 1;
    }
    *count = groups;
done:
    free(places);
    return rc;
}
