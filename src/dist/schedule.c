#include "dist/schedule.h"

#include <stdlib.h>

#include "base/mem.h"

enum { LOOK_AHEAD = 16 }; /* entries of a waiting list looked at for one that suits the worker */
#define NONE UINT32_MAX

/* Where a chunk is. */
enum place { ELSEWHERE, FRESH, WAITING, DROPPED };

struct chunk {
    double due, avoid_until; /* while WAITING */
    uint32_t next;           /* in its group's or level's list */
    uint32_t group, avoid;
    enum place place;
};

struct group {
    uint32_t first;      /* fresh chunks, in order */
    uint32_t owner;      /* worker or NONE */
    uint32_t prev, next; /* in the list of open or owned groups, while first != NONE */
};

/* A list of groups that have fresh chunks. */
struct group_list {
    uint32_t first, last;
};

struct level {
    uint32_t first, last; /* chunks that wait, by due time */
};

struct ge_schedule {
    struct chunk *chunks;
    struct group *groups;
    uint32_t *group_of;            /* (n_workers) its group or NONE */
    struct group_list open, owned; /* nobody's groups; somebody's */
    struct level *levels;
    unsigned n_levels;
    uint32_t n_chunks, n_workers, count;
};

static void list_append(struct ge_schedule *s, struct group_list *l, uint32_t g)
{
    s->groups[g].prev = l->last;
    s->groups[g].next = NONE;
    if (l->last == NONE)
        l->first = g;
    else
        s->groups[l->last].next = g;
    l->last = g;
}

static void list_remove(struct ge_schedule *s, struct group_list *l, uint32_t g)
{
    struct group *e = &s->groups[g];
    if (e->prev == NONE)
        l->first = e->next;
    else
        s->groups[e->prev].next = e->next;
    if (e->next == NONE)
        l->last = e->prev;
    else
        s->groups[e->next].prev = e->prev;
}

static ge_status fill(struct ge_schedule *s, const uint8_t *done, const uint32_t *group)
{
    for (uint32_t g = 0; g < s->n_chunks; g++)
        s->groups[g] = (struct group){.first = NONE, .owner = NONE};
    /* From the last to the first, so that putting in front gives lists in order. */
    for (uint32_t c = s->n_chunks; c-- > 0;) {
        uint32_t g = group == NULL ? c : group[c];
        if (g >= s->n_chunks)
            return ge_fail(GE_EINVAL, "chunk %u has affinity group %u; wanted less than %u", c, g,
                           s->n_chunks);
        s->chunks[c].group = g;
        if (done != NULL && done[c]) continue;
        s->chunks[c].place = FRESH;
        s->chunks[c].next = s->groups[g].first;
        s->groups[g].first = c;
        s->count++;
    }
    for (uint32_t g = 0; g < s->n_chunks; g++)
        if (s->groups[g].first != NONE) list_append(s, &s->open, g);
    return GE_OK;
}

ge_status ge_schedule_new(uint32_t n_chunks, const uint8_t *done, const uint32_t *group,
                          uint32_t n_workers, unsigned levels, struct ge_schedule **out)
{
    ge_status rc = GE_OK;
    struct ge_schedule *s = NULL;
    if (n_chunks == NONE || n_workers == NONE || levels == 0)
        return ge_fail(GE_EINVAL,
                       "%u chunks for %u workers with %u waiting lists cannot be "
                       "scheduled",
                       n_chunks, n_workers, levels);
    GE_NEW(s, 1);
    s->n_chunks = n_chunks;
    s->n_workers = n_workers;
    s->n_levels = levels;
    s->open = s->owned = (struct group_list){NONE, NONE};
    GE_NEW(s->chunks, n_chunks);
    GE_NEW(s->groups, n_chunks);
    GE_NEW(s->group_of, n_workers);
    GE_NEW(s->levels, levels);
    for (uint32_t w = 0; w < n_workers; w++) s->group_of[w] = NONE;
    for (unsigned l = 0; l < levels; l++) s->levels[l] = (struct level){NONE, NONE};
    GE_TRY(fill(s, done, group));
    *out = s;
    s = NULL;
done:
    ge_schedule_delete(&s);
    return rc;
}

void ge_schedule_delete(struct ge_schedule **s)
{
    if (*s == NULL) return;
    free((*s)->chunks);
    free((*s)->groups);
    free((*s)->group_of);
    free((*s)->levels);
    free(*s);
    *s = NULL;
}

/* ---- fresh chunks ------------------------------------------------------------------------ */

static void disown(struct ge_schedule *s, uint32_t g)
{
    if (s->groups[g].owner == NONE) return;
    s->group_of[s->groups[g].owner] = NONE;
    s->groups[g].owner = NONE;
}

/* Take the group's next chunk that is still wanted. A group that runs empty leaves its list and
 * its owner. */
static bool take_from_group(struct ge_schedule *s, uint32_t g, uint32_t *chunk)
{
    struct group *e = &s->groups[g];
    bool found = false;
    while (!found && e->first != NONE) {
        uint32_t c = e->first;
        e->first = s->chunks[c].next;
        found = s->chunks[c].place == FRESH;
        s->chunks[c].place = ELSEWHERE;
        if (found) *chunk = c;
    }
    if (e->first == NONE) {
        list_remove(s, e->owner == NONE ? &s->open : &s->owned, g);
        disown(s, g);
    }
    return found;
}

static bool take_fresh(struct ge_schedule *s, uint32_t worker, uint32_t *chunk)
{
    if (s->group_of[worker] != NONE && take_from_group(s, s->group_of[worker], chunk)) return true;
    while (s->open.first != NONE) {
        uint32_t g = s->open.first;
        list_remove(s, &s->open, g);
        list_append(s, &s->owned, g);
        s->groups[g].owner = worker;
        s->group_of[worker] = g;
        if (take_from_group(s, g, chunk)) return true;
    }
    while (s->owned.first != NONE) {
        /* Steal in turn, so that no worker's group is emptied first. */
        uint32_t g = s->owned.first;
        list_remove(s, &s->owned, g);
        list_append(s, &s->owned, g);
        if (take_from_group(s, g, chunk)) return true;
    }
    return false;
}

/* ---- waiting chunks ---------------------------------------------------------------------- */

static void unlink_waiting(struct ge_schedule *s, struct level *l, uint32_t prev, uint32_t c)
{
    uint32_t next = s->chunks[c].next;
    if (prev == NONE)
        l->first = next;
    else
        s->chunks[prev].next = next;
    if (next == NONE) l->last = prev;
    s->chunks[c].place = ELSEWHERE;
}

static bool take_waiting(struct ge_schedule *s, struct level *l, uint32_t worker, double now,
                         bool alone, uint32_t *chunk)
{
    uint32_t prev = NONE, c = l->first;
    int looked = 0;
    while (c != NONE && s->chunks[c].due <= now && looked < LOOK_AHEAD) {
        const struct chunk *e = &s->chunks[c];
        uint32_t next = e->next;
        if (e->place == DROPPED) {
            unlink_waiting(s, l, prev, c);
        } else if (alone || e->avoid != worker || now >= e->avoid_until) {
            unlink_waiting(s, l, prev, c);
            *chunk = c;
            return true;
        } else {
            prev = c;
            looked++;
        }
        c = next;
    }
    return false;
}

/* ---- public ------------------------------------------------------------------------------ */

bool ge_schedule_take(struct ge_schedule *s, uint32_t worker, double now, bool alone,
                      uint32_t *chunk)
{
    if (s->count == 0) return false;
    bool found = false;
    for (unsigned l = 0; l < s->n_levels && !found; l++)
        found = take_waiting(s, &s->levels[l], worker, now, alone, chunk);
    if (!found) found = take_fresh(s, worker, chunk);
    if (found) s->count--;
    return found;
}

void ge_schedule_return(struct ge_schedule *s, uint32_t chunk, unsigned level, double due,
                        uint32_t avoid, double avoid_until)
{
    struct chunk *e = &s->chunks[chunk];
    struct level *l = &s->levels[level];
    e->due = due;
    e->avoid = avoid;
    e->avoid_until = avoid_until;
    e->next = NONE;
    e->place = WAITING;
    if (l->last == NONE)
        l->first = chunk;
    else
        s->chunks[l->last].next = chunk;
    l->last = chunk;
    s->count++;
}

void ge_schedule_drop(struct ge_schedule *s, uint32_t chunk)
{
    struct chunk *e = &s->chunks[chunk];
    if (e->place != FRESH && e->place != WAITING) return;
    e->place = DROPPED;
    s->count--;
}

void ge_schedule_release(struct ge_schedule *s, uint32_t worker)
{
    uint32_t g = s->group_of[worker];
    if (g == NONE) return;
    list_remove(s, &s->owned, g);
    disown(s, g);
    list_append(s, &s->open, g);
}

uint32_t ge_schedule_count(const struct ge_schedule *s)
{
    return s->count;
}
