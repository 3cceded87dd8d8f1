#!/bin/bash
# The checks of this folder find what they are for: each planted fault must be reported.
# selftest.sh FOLDER (makes a new folder below it)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../../scratch.sh"
scratch "$1"
failed=0

# A small sound tree, named in $tree.
fresh() {
    tree=$(mktemp -d "$folder/XXXXXX")
    mkdir -p "$tree"/src/{base,dist,image,cli,record,score,device/cpu} "$tree/tests"
    printf '/* A header. */\n#include <stddef.h>\n#include "base/status.h"\n' >"$tree/src/base/a.h"
    printf '#include "base/a.h"\n#include "score/metric.h"\n' >"$tree/src/cli/cli.c"
}

# plant CHECK FILE TEXT : CHECK must fail with FILE named
plant() {
    fresh
    printf '%b' "$3" >"$tree/$2"
    local said
    if said=$("$here/$1" "$tree" 2>&1); then
        echo "$1 does not see in $2: $3"
        failed=1
    elif [[ $said != *"${2##*/}"* ]]; then
        echo "$1 fails for another reason: $said"
        failed=1
    fi
}

for check in check_includes check_functions check_text; do
    fresh
    "$here/$check.sh" "$tree" || { echo "$check.sh complains about nothing"; failed=1; }
done
plant check_includes.sh src/dist/pump.c '#include <mpi.h>\n'
plant check_includes.sh src/image/x.c '#include <hdf5.h>\n'
plant check_includes.sh src/base/net.c '#include <curl/curl.h>\n'
plant check_includes.sh src/cli/x.c '#include <cjson/cJSON.h>\n'
plant check_includes.sh src/image/x.c '#include <immintrin.h>\n'
plant check_includes.sh src/device/x.c '#include <cuda_runtime.h>\n'
plant check_includes.sh src/cli/x.c '#include <nvtx3/nvToolsExt.h>\n'
plant check_includes.sh src/image/x.c '#include "model/encoder.h"\n'
plant check_includes.sh src/dist/x.c '  #  include "store/store.h"\n'
plant check_includes.sh src/base/x.c '#include "record/run.h"\n'
plant check_functions.sh src/cli/x.c 'void f(char *s) { strcpy(s, "a"); }\n'
plant check_functions.sh src/cli/x.c 'int f(void) { return rand(); }\n'
plant check_functions.sh src/cli/x.c 'void f(void) { exit (1); }\n'
plant check_functions.sh src/dist/x.c 'void f(void) { _exit(1); }\n'
plant check_functions.sh src/image/x.c 'char *p = malloc(3);\n'
plant check_functions.sh src/device/cpu/x.c 'float y = expf(1);\n'
plant check_functions.sh src/score/x.c 'double y = /* why */ pow(1, 2);\n'
plant check_text.sh src/image/x.c '/* TO''DO: later */\n'
plant check_text.sh tests/x.sh 'cat /''work/main/x\n'
plant check_text.sh src/image/x.c 'const char *p = "/''tmp/x";\n'
plant check_text.sh tests/x.sh 'rm -rf ''"$1"\n'

# Folders in a circle, each include allowed on its own.
fresh
mkdir -p "$tree/src/text"
printf '#include "text/x.h"\n' >"$tree/src/score/x.c"
printf '#include "score/x.h"\n' >"$tree/src/text/x.c"
if "$here/check_includes.sh" "$tree" 2>"$folder/said"; then echo "a circle is not seen"; failed=1; fi
grep -q circle "$folder/said" || { echo "a circle is not named"; failed=1; }

# What only looks like a fault.
fresh
printf '/* strcpy(a, b) */\nconst char *s = "exit(1)"; // malloc(1)\nint x = ge_rand(2);\n' \
    >"$tree/src/score/x.c"
"$here/check_functions.sh" "$tree" || { echo "comments and strings are no calls"; failed=1; }
exit $failed
