/* The golden tests of models run on every built-in device and on one of the tests' own that behaves
 * like an accelerator. Here that one is the emulated GPU. */
#include "fake_device.h"

const struct ge_device_ops *fake_device_ops(void)
{
    return ge_device_module();
}

void fake_device_fail_at(int n)
{
    (void)n;
}
