/* Text matchers: does a free-form answer say the right thing? All are pure and thread-safe, take
 * UTF-8 and never guess: where the answer does not commit itself the outcome is "no answer", which
 * counts as wrong but is told apart in the store.
 *
 * exact, alias and label compare normal forms (text/words.h, GE_WORDS_ANSWER; exact: bytes): lower
 * case, no punctuation, no articles, numbers as digits. "Names" means: holds as a run of whole
 * words, not inside a longer phrase of the same task that is named there too ("dark blue" does not
 * name "blue" when both are labels), and not denied ("not red", "isn't really red", "rather than
 * red"). "no" is named at the answer's start or end or after "is" or "answer". */
#ifndef GE_SCORE_MATCH_H
#define GE_SCORE_MATCH_H

#include "base/status.h"
#include "record/item.h"

enum ge_match { GE_MATCH_WRONG, GE_MATCH_RIGHT, GE_MATCH_NO_ANSWER };

/* Right if the text, trimmed of white space, equals one of the references byte for byte.
 * GE_ENOMEM is the only failure of this and the next two. */
ge_status ge_match_exact(const char *text, const struct ge_task *task, enum ge_match *out);

/* Right if the normal form equals that of a reference, or names a reference and no text
 * distractor. An empty normal form is no answer. */
ge_status ge_match_alias(const char *text, const struct ge_task *task, enum ge_match *out);

/* Right if exactly one label of task->labels is named, and it is task->answer, which may also be
 * named by one of task->references. None or several: no answer. */
ge_status ge_match_label(const char *text, const struct ge_task *task, enum ge_match *out);

/* The chosen option of task->choices; *chosen is its index or -1 (no answer).
 *
 * A lone letter of an option is mentioned when it is the whole answer, enclosed ("(B)", "**B**"),
 * labelled ("B)", "B.", "B:"), named ("option b") or a capital that is neither the article A nor
 * the pronoun I; not when it is ruled out ("not B", "B is wrong", "rather than B"). It is declared
 * after "answer", "choose", "pick", "select", "go with", "so", "it's", "option is" and the like, or
 * before "is correct". In this order:
 *   1. the last declared letter; two declared as equals ("A or B"): no answer
 *   2. the only letter mentioned; a lone capital that contradicts the only option whose text is
 *      named: no answer
 *   3. several letters, not all of them: the one that opens the answer ("B) because A) is …"),
 *      otherwise no answer
 *   4. no letter: the only option whose text is named.
 * GE_EINVAL: task->answer is neither a letter of an option nor an option. */
ge_status ge_match_choice(const char *text, const struct ge_task *task, int *chosen,
                          enum ge_match *out);

/* Right if for every object with a required number the text states that number and no other. A
 * number is stated for an object when the object's name (its last word in singular or plural; a
 * synonym's) follows within four words of the same clause and before the next number, or stands
 * before it with ":", "=", a bracket or "are" between; "no <name>" states 0, and "a <name>" 1 where
 * nothing else is said; "3 or 4", "3-4" state both. A name of several words counts as a whole; when
 * the text never has it whole, by its noun alone, unless another object has that noun. With one
 * object alone, numbers after "answer", "total", "sum" or "=" or before "in total" decide if there
 * are any, and without a statement the only number of the text does ("none": 0). An object without
 * a stated number: no answer. */
ge_status ge_match_number(const char *text, const struct ge_task *task, enum ge_match *out);

/* Index of the list entry with the same normal form as `text`, as the label matcher compares a task's
 * answer with its labels; -1 if there is none. GE_ENOMEM. */
ge_status ge_match_find(const struct ge_strings *list, const char *text, int *index);

#endif
