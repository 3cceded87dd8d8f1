/* Which CPUs are near a device, staying on them, and how many of them are a process's share. Sole user
 * of hwloc; without it (at build time) every device is unknown and nothing is bound. Used by cli.
 * Local. */
#ifndef GE_BASE_TOPOLOGY_H
#define GE_BASE_TOPOLOGY_H

#include <sched.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

/* CPUs of the socket or NUMA node that the PCI device ("0000:3b:00.0") hangs on. GE_ENOENT: this
 * machine's topology does not show the device. GE_EINVAL: not a PCI address. GE_ENOMEM. */
ge_status ge_topology_near(const char *pci, cpu_set_t *near);

/* Keep the calling thread, and threads that it starts from now on, to those of its CPUs that are
 * near the device. A thread that has none of them, or is bound to fewer already (by its launcher,
 * say), stays as it is. `said` gets a line for people. GE_OK also when nothing was changed; errors
 * of ge_topology_near(); GE_EIO: the system refused. */
ge_status ge_topology_bind_near(const char *pci, char *said, size_t size);

/* The CPUs that a process of some machine may use, to be compared with others'. Plain bytes: it can
 * be sent. CPUs beyond CPU_SETSIZE are not in it. */
struct ge_cpu_place {
    uint64_t machine; /* hash of its name */
    cpu_set_t cpus;
};
void ge_cpu_place_here(struct ge_cpu_place *here);

/* How many CPUs process `i` of n has when each CPU is shared alike by the processes of its machine
 * that may use it; at least 1. So ranks that a launcher has bound to CPUs of their own have all of
 * those, and ranks that may all use the whole machine its n-th part. */
int ge_cpu_share(const struct ge_cpu_place *all, size_t n, size_t i);

#endif
