#include "base/sort.h"

#include <stdlib.h>
#include <string.h>

int ge_compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int ge_compare_strings(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t ge_unique_strings(const char **v, size_t n)
{
    size_t kept = 0;
    if (n > 0) qsort(v, n, sizeof *v, ge_compare_strings);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || strcmp(v[i], v[kept - 1]) != 0) v[kept++] = v[i];
    }
    return kept;
}
