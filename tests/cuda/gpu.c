#include "gpu.h"

#include <stdio.h>
#include <stdlib.h>

#include "device/device.h"

enum { SKIPPED = 77 };

static void leave(ge_status rc, const char *why)
{
    printf("%s: %s\n", rc == GE_EUNSUPPORTED ? "Skipped" : "FAILED", why);
    exit(rc == GE_EUNSUPPORTED ? SKIPPED : 1);
}

void gpu_or_skip(void)
{
    struct ge_device *dev;
    bool found;
    ge_status rc = ge_device_load("cuda", &found);

    if (rc != GE_OK) leave(rc, ge_error());
    if (!found) leave(GE_EUNSUPPORTED, "there is no gapeval_cuda.so: it was built without nvcc");
    rc = ge_device_open("cuda", NULL, &dev);
    if (rc != GE_OK) leave(rc, ge_error());
    printf("%s\n", ge_device_describe(dev));
    ge_device_close(&dev);
}
