/* Every operation on every device in every type that it computes in, against a naive reference in
 * double precision, over the shapes that models use and degenerate ones; and invariant 1: a row's
 * bits depend on its inputs alone.
 *
 * To add an operation: a test in the suite_*.c of its kind, a row in the table of tolerances
 * (suite.c), and its name below. To add a device: register it in main(); nothing else. The
 * reference computes from operands as they are in the type. Results are fetched with the memory
 * around them, which must be untouched; NaN fails every comparison. A device, level or type that
 * this machine lacks is reported as skipped. GE_TEST_LEVEL pins the instruction-set level. */
#include "fake_device.h"
#include "suite.h"

#ifndef GE_TEST_LEVEL
#define GE_TEST_LEVEL "native"
#endif

static int run_on(const char *name, const char *level, enum ge_dtype dtype, int threads)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matmul),          cmocka_unit_test(test_matmul_models),
        cmocka_unit_test(test_activation),      cmocka_unit_test(test_activation_special),
        cmocka_unit_test(test_layernorm),       cmocka_unit_test(test_elementwise),
        cmocka_unit_test(test_gather),          cmocka_unit_test(test_l2_normalize),
        cmocka_unit_test(test_copy_types),      cmocka_unit_test(test_patches),
        cmocka_unit_test(test_pixel_patches),   cmocka_unit_test(test_patch_tokens),
        cmocka_unit_test(test_embed),           cmocka_unit_test(test_pool),
        cmocka_unit_test(test_attention),       cmocka_unit_test(test_attention_models),
        cmocka_unit_test(test_cross_attention), cmocka_unit_test(test_attention_special),
        cmocka_unit_test(test_rows_matmul),     cmocka_unit_test(test_rows_attention),
        cmocka_unit_test(test_rows_by_row),     cmocka_unit_test(test_empty),
        cmocka_unit_test(test_bad_arguments),
    };
    struct ge_device_options opt = {.threads = threads, .level = level, .dtype = dtype};
    int failed;

    ge_status rc = ge_device_open(name, &opt, &dev);
    if (rc == GE_EUNSUPPORTED) {
        print_message("Skipped: %s at %s in %s: %s\n", name, level, ge_dtype_name(dtype),
                      ge_error());
        return 0;
    }
    if (rc != GE_OK) {
        print_error("%s: %s\n", name, ge_error());
        return 1;
    }
    print_message("device %s (%s), %d threads: %s\n", name, ge_device_describe(dev), threads,
                  ge_device_numerics(dev));
    suite_dtype = dtype;
    failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
    ge_device_close(&dev);
    return failed;
}

int main(void)
{
    static const enum ge_dtype dtypes[] = {GE_F32, GE_BF16, GE_F16};
    int failed = 0;

    if (ge_device_register_builtin() != GE_OK || ge_device_register(fake_device_ops()) != GE_OK)
        return 1;
    for (size_t d = 0; d < 3; d++) {
        for (size_t i = 0; ge_device_name_at(i) != NULL; i++)
            failed += run_on(ge_device_name_at(i), GE_TEST_LEVEL, dtypes[d], 1 + (int)i);
        failed += run_on("cpu", "base", dtypes[d], 2);
    }
    return failed != 0;
}
