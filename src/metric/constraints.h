/* Constraints that a controlled output must keep to, checked without a model.
 *
 * The kinds and their arguments are in docs/dataset.md §1.1. They follow IFEval (Zhou et al. 2023,
 * google-research/instruction_following_eval) where it has the kind, under names of our own; where
 * a rule of theirs needs a trained model (languages, sentences) ours is a plain one, and the
 * documentation says so. As there, a blank answer keeps to nothing, and an answer keeps to a
 * constraint loosely when one of eight readings of it does: as it is; without its first line, its
 * last, or both; and each of these without asterisks.
 *
 * Answers are read in composed form (NFC), bytes that are not UTF-8 as U+FFFD. Time is linear in
 * the answer for each constraint. Used by the scorer, the checks of a dataset and the diagnoses.
 * Local; thread-safe. */
#ifndef GE_METRIC_CONSTRAINTS_H
#define GE_METRIC_CONSTRAINTS_H

#include "base/buf.h"
#include "metric/corpus.h"
#include "metric/family.h"

enum { GE_CONSTRAINTS_MAX = 256 /* of one task */ };

struct ge_constraints; /* the constraints of a task; read-only after parsing */

/* Parse the JSON array of a task (ge_task.constraints). `where` begins the messages, which name
 * place, found and allowed: "item x: gen.constraints[1].min: found -3, allowed: …". GE_EFORMAT: an
 * argument is wrong, missing or unknown; GE_EUNSUPPORTED: no such kind, format, style, case or
 * language; GE_ELIMIT: too many constraints, a text beyond 4096 bytes; GE_ENOMEM. */
ge_status ge_constraints_parse(const char *json, const char *where, struct ge_constraints **out);
void ge_constraints_delete(struct ge_constraints **c);

/* The same without the result: to refuse a dataset before a run. NULL is fine. */
ge_status ge_constraints_check(const char *json, const char *where);

size_t ge_constraints_count(const struct ge_constraints *c);

/* Constraint i as compact JSON, as the dataset has it. Borrowed. */
const char *ge_constraints_label(const struct ge_constraints *c, size_t i);

/* Which constraints a text keeps to: passed[count]. The task gives the prompt that is to be
 * repeated. GE_ENOMEM, GE_ELIMIT (a text beyond 512 MiB). */
ge_status ge_constraints_eval(const struct ge_constraints *c, const char *text,
                              const struct ge_task *task, bool loose, bool *passed);

/* Append the labels of the constraints that a text breaks, one a line; nothing without constraints.
 * Errors as ge_constraints_parse() and ge_constraints_eval(), and the buffer's. */
ge_status ge_constraints_failed(const char *text, const struct ge_task *task, bool loose,
                                struct ge_buf *out);

/* "constraints.strict", "constraints.loose": 1 if the text keeps to all constraints of its task,
 * else 0 (IFEval's prompt-level accuracy). "constraints.share.strict", "constraints.share.loose":
 * the share that it keeps to. NaN without constraints. Constraints that cannot be parsed are an
 * error, with the message of ge_constraints_parse(). */
ge_status ge_constraints_strict(const char *text, const struct ge_task *task, double *value);
ge_status ge_constraints_loose(const char *text, const struct ge_task *task, double *value);
ge_status ge_constraints_share_strict(const char *text, const struct ge_task *task, double *value);
ge_status ge_constraints_share_loose(const char *text, const struct ge_task *task, double *value);

/* These four together (family.h). */
enum { GE_CONSTRAINTS_ALL = 4 };
ge_text_family_fn ge_constraints_all;

/* Over a corpus: constraints kept / constraints (IFEval's instruction-level accuracy; not the mean
 * of shares; NaN without a constraint). Per text: its share. */
ge_status ge_corpus_constraints_strict(const struct ge_corpus *c, double *value, double *per_text);
ge_status ge_corpus_constraints_loose(const struct ge_corpus *c, double *value, double *per_text);

#endif
