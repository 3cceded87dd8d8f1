/* gapeval doctor: what this program finds on this machine, and what to do about what is missing.
 * Fails only when no device can be opened: then nothing can run. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/log.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "cli/version.h"
#include "device/device.h"
#include "dist/comm.h"
#include "image/image.h"
#include "metric/homogeneity.h"
#include "store/store.h"
#include "text/pattern.h"
#include "text/unicode.h"

enum { WANTED_FILES = 1024 }; /* descriptors: images, journal and the sockets of many ranks */
#define WANTED_MEMORY ((uint64_t)2 << 30) /* bytes: a CLIP ViT-B/32 and two chunks of images */

static void print_row(const char *name, const char *text)
{
    printf("%-11s %s\n", name, text);
}

static void print_advice(const char *text)
{
    printf("%-11s -> %s\n", "", text);
}

/* ---- libraries and machine ------------------------------------------------------------------- */

static void print_libraries(void)
{
    static void (*const libraries[])(struct ge_buf *) = {
        ge_store_library,   ge_jpeg_library, ge_png_library,  ge_webp_library, ge_unicode_library,
        ge_pattern_library, ge_zlib_library, ge_json_library, ge_hash_library,
    };
    struct ge_buf line;
    ge_buf_init(&line, 1 << 12);
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        ge_buf_reset(&line);
        libraries[i](&line);
        print_row("library", line.len > 0 ? line.data : "one that does not tell its version");
    }
    ge_buf_free(&line);
}

static void print_cpu(void)
{
    struct utsname host;
    print_row("system", uname(&host) == 0 ? host.machine : "unknown");
#if defined(__x86_64__)
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    printf("%-11s avx2 with fma: %s; avx512 (f, bw, vl, dq): %s\n", "cpu", avx2 ? "yes" : "no",
           avx512 ? "yes" : "no");
    if (!avx2) print_advice("encoders will be slow: this CPU lacks AVX2");
#elif defined(__aarch64__)
    print_row("cpu", "64-bit ARM, which has fused multiply-adds: level \"base\" only");
#else
    print_row("cpu", "neither x86-64 nor 64-bit ARM: level \"base\" only, without simd");
#endif
}

static void print_limits(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t memory = pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : 0;
    struct rlimit files;
    printf("%-11s %d this process may use, %ld online\n", "cores", ge_cpu_count(),
           sysconf(_SC_NPROCESSORS_ONLN));
    printf("%-11s %.1f GiB\n", "memory", (double)memory / (1 << 30));
    if (memory < WANTED_MEMORY) {
        print_advice("little memory: lower runtime.batch_size and start fewer ranks");
    }
    if (getrlimit(RLIMIT_NOFILE, &files) != 0) return;
    if (files.rlim_cur == RLIM_INFINITY) {
        print_row("open files", "no limit");
        return;
    }
    printf("%-11s at most %ju\n", "open files", (uintmax_t)files.rlim_cur);
    if (files.rlim_cur < WANTED_FILES) {
        print_advice("raise the limit before a run with many ranks: ulimit -n 4096");
    }
}

/* ---- launcher -------------------------------------------------------------------------------- */

static void print_launcher(void)
{
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMIX_RANK", "SLURM_JOB_ID",
                                        "SLURM_STEP_NUM_TASKS"};
    bool any = false;
    print_row("mpi", ge_comm_library());
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value == NULL) continue;
        printf("%-11s %s=%.80s\n", "launcher", names[i], value);
        any = true;
    }
    if (!any) {
        print_row("launcher", "none: a run has one rank here");
        print_advice("start several with `mpirun -n 4 gapeval run JOB` or `srun --mpi=pmix`");
    }
}

/* ---- devices --------------------------------------------------------------------------------- */

/* The `index`-th of a backend's devices; false: there is none such. `first` (of PCI ids) is filled by
 * index 0: when it comes again, all have been seen. */
static bool print_device(const char *name, int index, char first[64])
{
    const struct ge_device_options options = {.threads = 1, .index = index};
    struct ge_device *dev = NULL;
    size_t free, total;
    if (ge_device_open(name, &options, &dev) != GE_OK) {
        printf("%-11s %s: cannot be opened: %s\n", "device", name, ge_error());
        return false;
    }
    bool seen = index > 0 && strcmp(ge_device_pci(dev), first) == 0;
    if (index == 0) snprintf(first, 64, "%s", ge_device_pci(dev));
    if (!seen) {
        printf("%-11s %s: %s\n", "device", name, ge_device_describe(dev));
        if (ge_device_memory(dev, &free, &total)) {
            printf("%-11s memory: %.1f of %.1f GiB free\n", "", (double)free / (1 << 30),
                   (double)total / (1 << 30));
        }
        printf("%-11s numerics %s\n", "", ge_device_numerics(dev));
    }
    ge_device_close(&dev);
    return !seen;
}

/* All of a backend's devices; how many could be opened. */
static int print_backend(const char *name)
{
    enum { MOST = 64 };
    char first[64] = "";
    int n = 0;
    while (n < MOST && print_device(name, n, first)) n++;
    return n;
}

static void print_cuda(void)
{
    bool found;
    if (ge_device_load("cuda", &found) != GE_OK) {
        printf("%-11s cannot be used: %s\n", "cuda", ge_error());
    } else if (found) {
        print_row("cuda", "module found");
    } else {
        print_row("cuda", "no module");
        print_advice("only for GPUs: put gapeval_cuda.so beside the program, or name its folder in "
                     "GAPEVAL_MODULE_DIR");
    }
}

/* Devices that could be opened. */
static int print_devices(void)
{
    int usable = 0;
    bool onednn = false;
    const char *name;
    for (size_t i = 0; (name = ge_device_name_at(i)) != NULL; i++) {
        usable += print_backend(name);
        if (strcmp(name, "onednn") == 0) onednn = true;
    }
    if (!onednn) {
        print_row("device", "onednn: not built in");
        print_advice("bench compares with its products, and no more needs it: libdnnl-dev");
    }
    return usable;
}

static ge_status doctor(void)
{
    ge_status rc = GE_OK;
    print_row("gapeval", GE_VERSION_LONG);
    print_libraries();
    print_cpu();
    print_limits();
    print_launcher();
    GE_TRY(ge_device_register_builtin());
    print_cuda();
    if (print_devices() == 0) {
        rc = ge_fail(GE_EDEVICE, "no device can be opened, so nothing can run; the reasons are "
                                 "above");
    }
done:
    return rc;
}

int ge_cmd_doctor(int argc, char **argv)
{
    static const struct ge_flag none[] = {{NULL, NULL, NULL, NULL}};
    struct ge_args args = {.command = "doctor", .flags = none};
    int code = GE_EXIT_DONE;
    ge_status rc = ge_args_parse(&args, argc, argv);
    if (rc == GE_OK && args.n_words > 0) {
        rc = ge_fail(GE_EINVAL, "\"%s\" is not wanted", args.words[0]);
    }
    if (rc != GE_OK) {
        code = ge_cli_usage("doctor", "%s", ge_error());
    } else {
        rc = doctor();
        fflush(stdout);
        if (rc != GE_OK) code = ge_cli_fail(rc);
    }
    ge_args_free(&args);
    return code;
}
