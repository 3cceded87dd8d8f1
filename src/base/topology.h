/* Which CPUs are near a device, and staying on them. Sole user of hwloc; without it (at build time)
 * every device is unknown and nothing is bound. Used by cli when a rank has a GPU. Local. */
#ifndef GE_BASE_TOPOLOGY_H
#define GE_BASE_TOPOLOGY_H

#include <sched.h>
#include <stddef.h>

#include "base/status.h"

/* CPUs of the socket or NUMA node that the PCI device ("0000:3b:00.0") hangs on. GE_ENOENT: this
 * machine's topology does not show the device. GE_EINVAL: not a PCI address. GE_ENOMEM. */
ge_status ge_topology_near(const char *pci, cpu_set_t *near);

/* Keep the calling thread, and threads that it starts from now on, to those of its CPUs that are
 * near the device. A thread that has none of them, or is bound to fewer already (by its launcher,
 * say), stays as it is. `said` gets a line for people. GE_OK also when nothing was changed; errors
 * of ge_topology_near(); GE_EIO: the system refused. */
ge_status ge_topology_bind_near(const char *pci, char *said, size_t size);

#endif
