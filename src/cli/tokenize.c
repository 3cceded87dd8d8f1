/* gapeval tokenize: token ids as a model's text tower gets them, one JSON array per line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "cli/inputs.h"
#include "model/encoder.h"
#include "text/tokenizer.h"

struct tokenize {
    const char *model, *texts, *out;
    bool whole; /* not truncated */
    struct ge_inputs inputs;
    struct ge_device *device;
    struct ge_encoder *encoder;
    struct ge_tokens tokens;
    struct ge_buf text;
};

static ge_status write_line(struct tokenize *c, const char *text)
{
    ge_status rc = GE_OK;
    int most = 0;
    if (!c->whole) GE_TRY(ge_to_int(ge_encoder_max_tokens(c->encoder), &most));
    GE_TRY(ge_tokenizer_encode(ge_encoder_tokenizer(c->encoder), text, strlen(text), most, true,
                               &c->tokens));
    ge_buf_char(&c->text, '[');
    for (size_t i = 0; i < c->tokens.count; i++) {
        ge_buf_printf(&c->text, "%s%d", i > 0 ? ", " : "", (int)c->tokens.ids[i]);
    }
    ge_buf_str(&c->text, "]\n");
    rc = ge_buf_status(&c->text);
done:
    return rc;
}

/* To stdout line by line, or to a file at the end. */
static ge_status put(struct tokenize *c, bool last)
{
    if (c->out != NULL) {
        return last ? ge_fs_replace(c->out, c->text.data, c->text.len) : GE_OK;
    }
    size_t n = fwrite(c->text.data, 1, c->text.len, stdout);
    if (n < c->text.len || (last && fflush(stdout) != 0)) {
        return ge_fail(GE_EIO, "the standard output cannot be written");
    }
    ge_buf_reset(&c->text);
    return GE_OK;
}

static ge_status tokenize(struct tokenize *c)
{
    ge_status rc = GE_OK;
    ge_tokens_init(&c->tokens);
    ge_buf_init(&c->text, (size_t)8 << 30);
    if (c->out != NULL) GE_TRY(ge_check_out(c->out));
    GE_TRY(ge_inputs_texts(c->texts, &c->inputs));
    GE_TRY(ge_inputs_device(&(struct ge_device_flags){.device = "cpu", .threads = 1}, &c->device));
    GE_TRY(ge_encoder_load(c->model, c->device, NULL, &c->encoder));
    if (!ge_encoder_has_text(c->encoder)) {
        GE_TRY(ge_fail(GE_EINVAL, "%s has no text tower", c->model));
    }
    for (size_t i = 0; i < c->inputs.n; i++) {
        rc = write_line(c, c->inputs.v[i]);
        if (rc != GE_OK) {
            rc = ge_fail_in(rc, "%s, text %zu", c->texts, i + 1);
            goto done;
        }
        GE_TRY(put(c, i + 1 == c->inputs.n));
    }
done:
    ge_encoder_delete(&c->encoder);
    ge_device_close(&c->device);
    ge_inputs_free(&c->inputs);
    ge_tokens_free(&c->tokens);
    ge_buf_free(&c->text);
    return rc;
}

int ge_cmd_tokenize(int argc, char **argv)
{
    struct tokenize c = {0};
    const struct ge_flag flags[] = {{"--model", &c.model, NULL, NULL},
                                    {"--texts", &c.texts, NULL, NULL},
                                    {"--out", &c.out, NULL, NULL},
                                    {"--no-truncate", NULL, NULL, &c.whole},
                                    {NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "tokenize", .flags = flags};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && (c.model == NULL || c.texts == NULL || args.n_words > 0)) {
        rc = ge_fail(GE_EINVAL, "wanted --model and --texts");
    }
    if (rc != GE_OK) {
        code = ge_cli_usage("tokenize", "%s", ge_error());
    } else {
        rc = tokenize(&c);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
