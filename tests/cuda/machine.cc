/* The emulated machine of the module that tests load into the program, set up by the environment:
 *
 *   GE_EMULATED_GPUS       how many (1)
 *   GE_EMULATED_MEMORY_KB  of each (4 GiB)
 *   GE_EMULATED_DRIVER     12080 stands for a driver of CUDA 12.8, 0 for none (13000)
 *   GE_EMULATED_MALLOC     number of the allocation of device memory that fails (none)
 *   GE_EMULATED_LOSE       number of the launch that loses the GPU (none) */
#include <cstdlib>
#include <vector>

#include "emulator/emulator.h"

static long setting(const char *name, long otherwise)
{
    const char *text = getenv(name);

    return text != nullptr ? atol(text) : otherwise;
}

/* After the emulator's own start, which comes before in the list of sources. */
__attribute__((constructor)) static void set_up()
{
    static const char *const addresses[] = {"0000:1a:00.0", "0000:3b:00.0", "0000:5e:00.0"};
    std::vector<struct emu_gpu> gpus;

    for (long i = 0; i < setting("GE_EMULATED_GPUS", 1) && i < 3; i++)
        gpus.push_back({"Emulated GPU", addresses[i], 9, 0, 132,
                        (size_t)setting("GE_EMULATED_MEMORY_KB", 4 << 20) << 10});
    emu_gpus(gpus.data(), (int)gpus.size());
    emu_driver((int)setting("GE_EMULATED_DRIVER", 13000));
    emu_fail_malloc_at(setting("GE_EMULATED_MALLOC", 0));
    emu_lose_device_at(setting("GE_EMULATED_LOSE", 0));
}
