/* Printing for people what an item, an answer and a result hold, on stdout: shared by score and
 * inspect. Strings are shown as JSON strings, so that a line stays a line. Local. */
#ifndef GE_CLI_SHOW_H
#define GE_CLI_SHOW_H

#include "record/item.h"
#include "record/result.h"
#include "record/run.h"

/* "<label>  "text"" with the label padded; nothing for NULL. */
void ge_show_text(const char *label, const char *text);
void ge_show_list(const char *label, const struct ge_strings *list);

/* Everything that the dataset says about an item, and about one of its tasks. */
void ge_show_item(const struct ge_item *item);
void ge_show_task(const struct ge_task *task, enum ge_direction direction);

/* Scores, verdict, error or "undone" of one sample. */
void ge_show_sample(const struct ge_result *r, struct ge_key key, const struct ge_strings *metrics,
                    const struct ge_strings *rules);

#endif
