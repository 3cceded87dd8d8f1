/* What a person, a log or a program sees of a run while it goes on. Rank 0. Local. */
#ifndef GE_CLI_PROGRESS_H
#define GE_CLI_PROGRESS_H

#include "dist/pump.h"

enum ge_progress_mode {
    GE_PROGRESS_AUTO,  /* a live line on a terminal, otherwise a plain line every 30 s */
    GE_PROGRESS_QUIET, /* nothing */
    GE_PROGRESS_JSON   /* one JSON object a line on stderr, every second */
};

struct ge_progress {
    enum ge_progress_mode mode;
    bool terminal, shown; /* a live line is on the screen */
    double last;          /* when something was printed, in seconds of the run */
};

void ge_progress_init(struct ge_progress *p, enum ge_progress_mode mode);

/* Show the state if it is time to; `last_call`: in any case, and end the live line. */
void ge_progress_show(struct ge_progress *p, const struct ge_dist_progress *state, bool last_call);

#endif
