/* Lifetime of a run: everything in it, itself included, lives in its arena. */
#include "record/run.h"

void ge_run_delete(struct ge_run **run)
{
    if (run == NULL || *run == NULL) return;
    struct ge_arena *arena = (*run)->arena;
    *run = NULL;
    ge_arena_delete(&arena);
}
