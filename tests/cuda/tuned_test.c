/* A tuned table from measuring to use: written to a file, loaded for a job, taken by the device. */
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "cli/tuned.h"
#include "device/device_ops.h"
#include "emulator/emulator.h"
#include "test.h"

static void test_write_and_use(void **state)
{
    /* The second shape again: it is the same weight, of another tower. */
    static const struct ge_work_shape shapes[] = {
        {64, 48, 1, 512}, {48, 64, 2, 1024}, {48, 64, 1, 512}};
    char folder[] = "/tmp/gapeval-tuned-XXXXXX";
    struct ge_device_options options = {.dtype = GE_BF16};
    struct ge_device *dev;
    ge_json *doc;
    char *path, *text;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_non_null(path = ge_fs_join(folder, "table.json"));
    assert_ok(ge_device_open("cuda", &options, &dev));
    assert_ok(ge_tuned_write(dev, shapes, 3, GE_BF16, path));
    ge_device_close(&dev);

    struct ge_job job = {.output.dir = folder, .runtime.tuned = path};
    assert_ok(ge_tuned_load(&job, NULL, &text));
    assert_ok(ge_json_parse(text, strlen(text), "table", &doc));
    assert_int_equal(ge_json_count(ge_json_get(doc, "entries")), 2 * 4);
    ge_json_delete(&doc);
    options.tuned = text;
    assert_ok(ge_device_open("cuda", &options, &dev));
    assert_non_null(strstr(ge_device_numerics(dev), " tuned-"));
    ge_device_close(&dev);
    assert_int_equal(emu_count().live_blocks, 0);
    unlink(path);
    rmdir(folder);
    free(text);
    free(path);
}

static int setup(void **state)
{
    (void)state;
    emu_reset();
    return ge_device_register(ge_device_module()) != GE_OK;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_write_and_use)};
    return cmocka_run_group_tests(tests, setup, NULL);
}
