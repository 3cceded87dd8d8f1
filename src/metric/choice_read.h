/* Which option an answer chooses, as two harnesses read it; the rules are in choice.h. Used by
 * choice.c. Local; thread-safe. */
#ifndef GE_METRIC_CHOICE_READ_H
#define GE_METRIC_CHOICE_READ_H

#include "base/status.h"
#include "record/item.h"

enum { GE_CHOICE_MOST = 26 }; /* A to Z */

/* *chosen is the index of one of the 1 to 26 options, or -1: no answer. Linear in the texts, per
 * option. GE_ENOMEM. */
typedef ge_status ge_choice_reader(const char *text, const struct ge_strings *options, int *chosen);
ge_choice_reader ge_choice_read_mmmu;
ge_choice_reader ge_choice_read_vlmevalkit;

#endif
