#include "image/jpeg_loop.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

#include "base/mem.h"
#include "image/decode.h"

struct ge_jpeg_loop {
    struct jpeg_decompress_struct lib;
    struct jpeg_error_mgr errors;
    jmp_buf escape;
};

static void on_error(j_common_ptr lib)
{
    struct ge_jpeg_loop *loop = lib->client_data;
    char text[JMSG_LENGTH_MAX];
    lib->err->format_message(lib, text);
    ge_fail(GE_EFORMAT, "jpeg: %s", text);
    longjmp(loop->escape, 1);
}

static void on_message(j_common_ptr lib)
{
    (void)lib;
}

ge_status ge_jpeg_loop_new(struct ge_jpeg_loop **out)
{
    struct ge_jpeg_loop *loop = ge_calloc(1, sizeof *loop);
    *out = loop;
    if (loop == NULL) return GE_ENOMEM;
    loop->lib.err = jpeg_std_error(&loop->errors);
    loop->errors.error_exit = on_error;
    loop->errors.output_message = on_message;
    loop->lib.client_data = loop;
    if (setjmp(loop->escape) != 0) return GE_ENOMEM;
    jpeg_create_decompress(&loop->lib);
    return GE_OK;
}

void ge_jpeg_loop_delete(struct ge_jpeg_loop **loop)
{
    if (*loop != NULL) jpeg_destroy_decompress(&(*loop)->lib);
    free(*loop);
    *loop = NULL;
}

ge_status ge_jpeg_loop_run(struct ge_jpeg_loop *loop, const void *data, size_t len,
                           struct ge_image *out)
{
    struct jpeg_decompress_struct *lib = &loop->lib;
    if (setjmp(loop->escape) != 0) {
        jpeg_abort_decompress(&loop->lib);
        return GE_EFORMAT;
    }
    jpeg_mem_src(lib, data, len);
    jpeg_read_header(lib, TRUE);
    lib->out_color_space = JCS_RGB;
    lib->dct_method = JDCT_ISLOW;
    lib->do_fancy_upsampling = TRUE;
    jpeg_start_decompress(lib);
    ge_status rc = ge_image_alloc_raw(out, (int)lib->output_width, (int)lib->output_height);
    if (rc != GE_OK) {
        jpeg_abort_decompress(lib);
        return rc;
    }
    while (lib->output_scanline < lib->output_height) {
        JSAMPROW row = out->rgb + (size_t)lib->output_scanline * lib->output_width * 3;
        jpeg_read_scanlines(lib, &row, 1);
    }
    jpeg_finish_decompress(lib);
    return GE_OK;
}
