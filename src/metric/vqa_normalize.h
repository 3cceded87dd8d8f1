/* The normal form in which answers of visual question answering are compared: punctuation goes or
 * becomes a space, articles go, number words up to ten become digits, contractions get their
 * apostrophe. Used by vqa.c. Local; thread-safe. */
#ifndef GE_METRIC_VQA_NORMALIZE_H
#define GE_METRIC_VQA_NORMALIZE_H

#include "base/buf.h"
#include "base/status.h"

/* Whose normal form. All tools share the lists of words and take a mark of ; / [ ] " { } ( ) = + \ _
 * - > < @ ` , ? ! out where one such mark stands beside a space or a comma between two digits is
 * anywhere in the text; otherwise it becomes a space. They differ in what a comma between two digits
 * and what a loose period is. The first 32 loose periods go, because each tool hands the flag
 * re.UNICODE (32) over as the number of replacements. */
enum ge_vqa_dialect {
    GE_VQA_OFFICIAL,   /* one comma between digits; loose: a period that no digit follows */
    GE_VQA_LMMSEVAL,   /* one or more commas between digits; periods as above */
    GE_VQA_VLMEVALKIT, /* one comma between digits; loose: a period beside no digit */
    GE_VQA_TEXTVQA     /* as LMMSEVAL, after lower case, without commas and question marks, and with
                          a space before 's */
};

/* Append the text with line ends and tabs as spaces, and no white space at the ends: what a
 * dialect that does not normalise compares. GE_ENOMEM. */
ge_status ge_vqa_trim(const char *text, struct ge_buf *out);

/* Append the normal form. Linear in the text. GE_ENOMEM. */
ge_status ge_vqa_normalize(const char *text, enum ge_vqa_dialect dialect, struct ge_buf *out);

#endif
