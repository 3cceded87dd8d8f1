/* A device for tests that behaves like an accelerator: memory of its own, and operations that are
 * only queued when they are called. A second thread runs the queue, as late as the seam allows:
 * when something waits for the device. So an upload whose source changes too early, a result that
 * is read without waiting, or a host pointer taken for a device's shows up every time. */
#ifndef GE_TESTS_FAKE_DEVICE_H
#define GE_TESTS_FAKE_DEVICE_H

#include "device/device_ops.h"

const struct ge_device_ops *fake_device_ops(void);

/* Make the n-th queued operation from now on fail with GE_EDEVICE; 0: none. */
void fake_device_fail_at(int n);

/* Make the n-th queued operation from now on lose the device: it and all after it fail. */
void fake_device_lose_at(int n);

#endif
