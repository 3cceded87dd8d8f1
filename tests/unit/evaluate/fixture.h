/* A small dataset over the golden images, a tiny CLIP encoder and recorded answers of every kind,
 * good and bad. Shared by the tests of evaluation. */
#ifndef GE_TESTS_EVALUATE_FIXTURE_H
#define GE_TESTS_EVALUATE_FIXTURE_H

#include "evaluate/evaluate.h"

enum { FIXTURE_ITEMS = 10 };

struct fixture {
    struct ge_evaluator ev;
    struct ge_device *device;
    struct ge_encoder *encoder;
    struct ge_item items[FIXTURE_ITEMS];
    struct ge_answer answers[2 * FIXTURE_ITEMS];
    struct ge_answers recorded;
    struct ge_eval_cell cell;
    struct ge_task_scoring scoring[2];
    char folder[64]; /* a folder of its own, with a FIFO and a folder in it */
    char fifo[96], nested[96], missing[96];
};

/* Loads the encoder onto a device; exits the test on failure. */
void fixture_open(struct fixture *f, const char *device);
void fixture_batch(struct fixture *f, size_t batch); /* images per encoder call */
void fixture_close(struct fixture *f);

/* Evaluate items first…first+count-1 in one go; the packed result in *data (free() it). */
ge_status fixture_run(struct fixture *f, uint32_t first, uint32_t count, char **data, size_t *len);

#endif
