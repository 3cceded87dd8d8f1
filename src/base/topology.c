#include "base/topology.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/hash.h"

#ifdef GE_HAVE_HWLOC
#include <hwloc.h>

static void to_cpu_set(hwloc_const_cpuset_t from, cpu_set_t *to)
{
    unsigned cpu;

    CPU_ZERO(to);
    hwloc_bitmap_foreach_begin(cpu, from)
    {
        if (cpu < CPU_SETSIZE) CPU_SET(cpu, to);
    }
    hwloc_bitmap_foreach_end();
}

static ge_status find_near(hwloc_topology_t topology, const char *pci, cpu_set_t *near)
{
    hwloc_obj_t object;

    if (hwloc_topology_set_io_types_filter(topology, HWLOC_TYPE_FILTER_KEEP_IMPORTANT) != 0 ||
        hwloc_topology_load(topology) != 0)
        return ge_fail(GE_ENOENT, "hwloc cannot read this machine's topology: %s", strerror(errno));
    errno = 0;
    object = hwloc_get_pcidev_by_busidstring(topology, pci);
    if (object == NULL && errno == EINVAL)
        return ge_fail(GE_EINVAL, "\"%s\" is no PCI address; wanted one like 0000:3b:00.0", pci);
    if (object == NULL) return ge_fail(GE_ENOENT, "hwloc does not show the PCI device %s", pci);
    object = hwloc_get_non_io_ancestor_obj(topology, object);
    to_cpu_set(object->cpuset, near);
    return GE_OK;
}

ge_status ge_topology_near(const char *pci, cpu_set_t *near)
{
    hwloc_topology_t topology;
    ge_status rc;

    if (hwloc_topology_init(&topology) != 0) return ge_fail(GE_ENOMEM, "hwloc: out of memory");
    rc = find_near(topology, pci, near);
    hwloc_topology_destroy(topology);
    return rc;
}
#else
ge_status ge_topology_near(const char *pci, cpu_set_t *near)
{
    CPU_ZERO(near);
    return ge_fail(GE_ENOENT, "which CPUs are near %s is not known: built without hwloc", pci);
}
#endif

ge_status ge_topology_bind_near(const char *pci, char *said, size_t size)
{
    cpu_set_t near, mine, both;
    ge_status rc = GE_OK;

    snprintf(said, size, "not bound");
    GE_TRY(ge_topology_near(pci, &near));
    if (sched_getaffinity(0, sizeof mine, &mine) != 0)
        GE_TRY(ge_fail(GE_EIO, "the CPUs of this process: %s", strerror(errno)));
    CPU_AND(&both, &near, &mine);
    if (CPU_COUNT(&both) == 0) {
        snprintf(said, size, "not bound: none of this rank's CPUs is near %s", pci);
    } else if (CPU_EQUAL(&both, &mine)) {
        snprintf(said, size, "all %d CPUs of this rank are near %s", CPU_COUNT(&mine), pci);
    } else {
        if (sched_setaffinity(0, sizeof both, &both) != 0)
            GE_TRY(ge_fail(GE_EIO, "binding to the CPUs near %s: %s", pci, strerror(errno)));
        snprintf(said, size, "bound to the %d of %d CPUs near %s", CPU_COUNT(&both),
                 CPU_COUNT(&mine), pci);
    }
done:
    return rc;
}

void ge_cpu_place_here(struct ge_cpu_place *here)
{
    struct utsname host;

    memset(here, 0, sizeof *here); /* with padding: it is sent */
    if (uname(&host) == 0) here->machine = ge_hash_bytes(host.nodename, strlen(host.nodename)).lo;
    if (sched_getaffinity(0, sizeof here->cpus, &here->cpus) != 0) CPU_SET(0, &here->cpus);
}

int ge_cpu_share(const struct ge_cpu_place *all, size_t n, size_t i)
{
    double share = 0;

    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        int users = 0;
        if (!CPU_ISSET(cpu, &all[i].cpus)) continue;
        for (size_t j = 0; j < n; j++)
            users += all[j].machine == all[i].machine && CPU_ISSET(cpu, &all[j].cpus);
        share += 1.0 / users;
    }
    return share < 1 ? 1 : (int)(share + 1e-6); /* n-ths add up to a little less than a whole */
}
