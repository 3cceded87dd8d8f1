#!/bin/bash
# Includes under src/ and cuda/ of the tree ROOT: each third-party header only in its home, each
# folder only what it may use, no cycles between folders. check_includes.sh ROOT
set -euo pipefail
cd "$1"
failed=0

complain() {
    echo "$1" >&2
    failed=1
}

# What each folder may include, beside itself and base.
declare -A allowed=(
    [base]="" [record]="" [stats]="" [device]="" [image]="" [text]=""
    [job]="record" [dataset]="record" [dist]="record" [store]="record"
    [model]="device image text"
    [cuda]="device"
    [metric]="record text image"
    [score]="record text image metric"
    [respond]="record model"
    [evaluate]="record dataset image text metric device respond model score"
    [aggregate]="record score text metric stats"
    [report]="record aggregate stats"
    [cli]="record job dataset image text device metric stats model respond score evaluate dist
           store aggregate report"
)

# Header (a pattern), and the paths that may include it (a pattern).
third_party='
^mpi\.h$                        ^src/dist/comm_mpi[^/]*\.[ch]$
^(hdf5|H5[A-Za-z]+)\.h$         ^src/store/
^dnnl[^/]*\.h$                  ^src/device/onednn/
^omp\.h$                        ^src/device/onednn/
^immintrin\.h$                  ^src/(image/resize_kernels\.c|device/simd/vec\.h)$
^arm_neon\.h$                   ^src/device/simd/vec\.h$
^(cuda|cublas|cudnn|nvml)[^/]*\.h$  ^cuda/
^nvtx3/[A-Za-z]+\.h$           ^cuda/
^cjson/cJSON\.h$|^cJSON\.h$     ^src/base/json[^/]*\.c$
^xxhash\.h$                     ^src/base/hash\.c$
^hwloc\.h$                      ^src/base/topology\.c$
^(jpeglib|jerror|spng)\.h$      ^src/image/
^webp/[a-z]+\.h$                ^src/image/
^(utf8proc|pcre2)\.h$           ^src/text/
^zlib\.h$                       ^src/metric/compression\.c$
'

# Headers of C17 and POSIX (Linux).
system='^(ctype|errno|float|inttypes|limits|math|setjmp|signal|stdalign|stdarg|stdatomic|stdbool|
stddef|stdint|stdio|stdlib|stdnoreturn|string|time|dirent|dlfcn|fcntl|poll|pthread|sched|strings|
unistd|sys/(file|mman|random|resource|stat|statvfs|time|types|uio|utsname|wait|sysinfo|ioctl))\.h$'
system=${system//$'\n'/}

check_third_party() { # FILE HEADER
    local header home
    [[ $2 =~ $system ]] && return
    while read -r header home; do
        [[ -n $header && $2 =~ $header ]] || continue
        [[ $1 =~ $home ]] || complain "$1: <$2> belongs to $home"
        return
    done <<<"$third_party"
    complain "$1: <$2> is neither a system header nor a library that has a home"
}

check_own() { # FILE HEADER
    local from to=${2%%/*}
    [[ $1 == cuda/* ]] && from=cuda || { from=${1#src/}; from=${from%%/*}; }
    [[ $2 == */* ]] || return 0                 # generated or beside the file
    [[ $from == main.c ]] && from=cli
    if [[ -z ${allowed[$from]+known} ]]; then
        complain "$1: folder $from has no row in $(basename "$0")"
        return
    fi
    [[ $to == "$from" || $to == base ]] && { echo "$from $to" >>"$edges"; return; }
    [[ " ${allowed[$from]//$'\n'/ } " == *" $to "* ]] ||
        complain "$1: includes \"$2\"; $from may use: base ${allowed[$from]}"
    echo "$from $to" >>"$edges"
}

edges=$(mktemp)
trap 'rm -f "$edges"' EXIT
folders=(src)
[[ -d cuda ]] && folders+=(cuda)
n=0
while IFS=: read -r file line; do
    [[ $line =~ include[[:space:]]*([<\"])([^>\"]+) ]] || continue
    n=$((n + 1))
    if [[ ${BASH_REMATCH[1]} == '<' ]]; then
        check_third_party "$file" "${BASH_REMATCH[2]}"
    else
        check_own "$file" "${BASH_REMATCH[2]}"
    fi
done < <(grep -rE '^[[:space:]]*#[[:space:]]*include' --include='*.[ch]' --include='*.cu' \
              --include='*.cuh' "${folders[@]}")
[[ $n -gt 0 ]] || complain "no include found under $1: wrong folder?"

# A folder that includes itself is no cycle: tsort takes "a a" as a node.
sort -u "$edges" | tsort >/dev/null 2>"$edges.cycle" || true
[[ -s $edges.cycle ]] && complain "folders include each other in a circle: $(tr '\n' ' ' <"$edges.cycle")"
rm -f "$edges.cycle"
exit $failed
