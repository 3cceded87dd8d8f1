/* Which letter a multiple-choice answer chooses. Private to score/. */
#ifndef GE_SCORE_MATCH_CHOICE_H
#define GE_SCORE_MATCH_CHOICE_H

#include <stdbool.h>
#include <stddef.h>

#include "score/tokens.h"

struct ge_choice {
    int option;   /* index, or -1 */
    bool spoken;  /* letters were named: without an option the answer is undecided */
    bool certain; /* they stand in a form that only an option has; a lone capital may be else */
};

/* Option of a letter in either case, or -1. */
int ge_choice_option(char letter, size_t n_choices);

/* The rules are those of ge_match_choice(). */
struct ge_choice ge_choice_letter(const struct ge_tokens *t, size_t n_choices);

#endif
