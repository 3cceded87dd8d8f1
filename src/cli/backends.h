/* Opening the device that a command computes on: the devices that were built in, and the CUDA
 * module where there is one. Used by every command with encoders. Local. */
#ifndef GE_CLI_BACKENDS_H
#define GE_CLI_BACKENDS_H

#include "device/device.h"

/* Open a device by name ("auto" or NULL: the best that opens and computes in opt->dtype). With
 * "auto", a GPU that is there but cannot be used is a warning that says why. With "cuda", a module
 * that is not there or cannot be loaded is the error. Others as ge_device_open(). */
ge_status ge_backends_open(const char *name, const struct ge_device_options *opt,
                           struct ge_device **dev);

/* True for a device with memory of its own, whose calls return before the work is done: it wants
 * large batches. */
bool ge_backends_is_accelerator(struct ge_device *dev);

/* What is taken where a job or a command line leaves the size open (0): inputs per encoder call,
 * and items per chunk. No influence on digits. */
size_t ge_backends_batch(struct ge_device *dev, long asked);
uint32_t ge_backends_chunk(struct ge_device *dev, long asked);

/* Bytes of the device's memory that this process may take when `sharers` processes use the device
 * alike; 0 for a device that computes in host memory. To be asked before anything is loaded. */
size_t ge_backends_budget(struct ge_device *dev, int sharers);

/* GE_ENOMEM when the budget will not hold the weights of all these encoders and what passes over their
 * largest batches take, with the figures and what to lower. Budget 0: nothing is checked. */
struct ge_encoder;
ge_status ge_backends_check_memory(struct ge_encoder *const *encoders, size_t n, size_t budget);

#endif
