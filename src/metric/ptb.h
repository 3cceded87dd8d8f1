/* The tokens that the COCO caption tools count: Penn Treebank tokens as CoreNLP 3.4.1's PTBTokenizer
 * makes them with -preserveLines -lowerCase, less the 17 punctuation tokens that pycocoevalcap drops.
 *
 * A scanner with rules of our own for what that program does: at each place the longest wins, with
 * what follows a token and decides about it counted; of equals the first. Brackets stay ("-lrb-"), because
 * the list of dropped tokens has them in capitals only. A token may hold U+00A0 for a space
 * ("1 1/2", a phone number, a tag). Characters that the reference cannot tokenize vanish, emoji
 * among them.
 *
 * The reference reads many captions as one text, so that one's last token can depend on the next
 * one's first word ("vitamin C." before "The"); here a caption stands alone. A line break inside a
 * caption is a space; the reference does so for \n alone and loses count of its lines at others.
 * Bytes that are not UTF-8 vanish. Letters are those of a newer Unicode than the reference's. Used
 * by the caption metrics. Local; thread-safe; time is linear in the length. */
#ifndef GE_METRIC_PTB_H
#define GE_METRIC_PTB_H

#include <stddef.h>

#include "base/buf.h"
#include "base/status.h"

/* Append the tokens of a caption (UTF-8, len bytes), one space between two. GE_ENOMEM, GE_ELIMIT
 * (out's cap). */
ge_status ge_ptb_caption(const char *text, size_t len, struct ge_buf *out);

#endif
