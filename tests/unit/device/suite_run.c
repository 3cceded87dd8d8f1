/* All tests of the suite on one device. */
#include "suite.h"

int suite_run(const char *name, const char *level, enum ge_dtype dtype, int threads)
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
