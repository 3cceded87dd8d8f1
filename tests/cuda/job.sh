#!/usr/bin/env bash
# A job on emulated GPUs through the program as a user runs it:
#
#   job.sh PROGRAM SOURCES FOLDER MODULE_FOLDER LAUNCHER...
#
# The module of the cuda device, loaded at run time; one GPU shared and two; what a machine without
# a GPU, with an old driver or a broken module says; too little memory; a GPU lost in mid-run; tuned
# tables over a restart. GE_SANITIZE in the environment: a slow build, do less.
set -euo pipefail
program=$1 sources=$2 module=$4
demo=$sources/data/demo
. "$(dirname "$0")/../scratch.sh"
scratch "$3"
shift 4
launcher=("$@")
cd "$folder"
export GAPEVAL_MODULE_DIR=$module
unset CUDA_VISIBLE_DEVICES
[[ -z ${GE_SANITIZE:-} ]] || export ASAN_OPTIONS=detect_leaks=0

ids='counting-001|attribute-013|place-003|composition-001'
mkdir even
{ head -n 1 "$demo/items.jsonl"; grep -E "^\{\"id\": \"($ids)\"" "$demo/items.jsonl"; } >items.jsonl
grep -E "\"item\": \"($ids)\"" "$demo/systems/even/answers.jsonl" >even/answers.jsonl
ln -s "$demo/images" images
ln -s "$demo/systems/even/images" even/images
cat >job.json <<JOB
{
  "name": "gpu",
  "dataset": {"path": "items.jsonl"},
  "systems": [{"name": "even", "answers": "even/answers.jsonl"}],
  "encoders": {"clip": {"model": "$demo/clip"}},
  "scoring": {
    "roles": {"image_text": "clip", "image_image": "clip"},
    "tasks": {"open": {"metrics": ["similarity.image_image.reference"], "verdict": {"rule": "alias"}}}
  },
  "runtime": {"device": "cuda", "batch_size": 4, "chunk_items": 1, "retry_backoff_s": 0.01}
}
JOB

fail() {
    echo "FAILED: $*" >&2
    sed 's/^/    /' said | cut -c1-300 | tail -n 20 >&2
    exit 1
}

# exits CODE NAME ARGUMENT... : a run into NAME with that exit code; what it says goes to `said`
exits() {
    local want=$1 name=$2 rc=0
    shift 2
    "$program" run job.json --quiet --output "$name" "$@" >"$name.md" 2>said </dev/null || rc=$?
    [[ $rc == "$want" ]] || fail "exit code $rc, wanted $want: $name $*"
}

says() {
    local words
    for words in "$@"; do grep -qF -- "$words" said || fail "does not say: $words"; done
}

same_digest() {
    [[ $("$program" digest "$1/gpu" | cut -c1-32) == "$digest" ]] || fail "another digest: $1"
}

# ---- a run, and tuned tables ---------------------------------------------------------------------

table='{"gpu": "Emulated GPU", "cublaslt": 130101, "entries": []}'
echo "$table" >table.json
exits 0 first --set runtime.tuned=table.json
digest=$("$program" digest first/gpu | cut -c1-32)
cmp -s table.json first/gpu/tuned.json || fail "the run has no copy of its table"
"$program" inspect first/gpu >said
says "Emulated GPU (GPU 0, 0000:1a:00.0)" " tuned-"
rm table.json
exits 0 first --set runtime.tuned=table.json # finished: the same tables again, by the copy
same_digest first
echo "${table/]/ ]}" >table.json
exits 1 first --set runtime.tuned=table.json
says "not the table that the run was begun with" first/gpu/tuned.json
exits 1 first
says "tuned-" "this node computes with"
echo "${table/Emulated GPU/H900}" >table.json
exits 1 elsewhere --set runtime.tuned=table.json
says 'made on "H900"' 'GPU 0 is "Emulated GPU"'

# ---- what doctor finds ---------------------------------------------------------------------------

GE_EMULATED_GPUS=3 "$program" doctor >said
says "device      cuda: Emulated GPU (GPU 0, 0000:1a:00.0)" "memory: 4.0 of 4.0 GiB free"
[[ $(grep -c "cuda: Emulated GPU (GPU [012]," said) == 3 ]] || fail "doctor does not list three GPUs"
GE_EMULATED_DRIVER=0 "$program" doctor >said
says "cuda: cannot be opened" "no NVIDIA driver" "device      cpu:"

# ---- what is not there ---------------------------------------------------------------------------

GE_EMULATED_DRIVER=0 exits 1 none
says "no NVIDIA driver"
GE_EMULATED_DRIVER=12080 exits 1 none
says "the driver is for CUDA 12.8" "built with CUDA 13.0" "newer driver"
GE_EMULATED_GPUS=0 CUDA_VISIBLE_DEVICES="" exits 1 none
says 'CUDA_VISIBLE_DEVICES is ""' "--gres=gpu:1"
GE_EMULATED_DRIVER=0 exits 0 cpu --device auto # another device takes its place
mkdir broken
echo "no library" >broken/gapeval_cuda.so
GAPEVAL_MODULE_DIR=$folder/broken exits 1 none
says "broken/gapeval_cuda.so cannot be loaded"
GAPEVAL_MODULE_DIR=$folder/broken exits 0 cpu2 --device auto
GAPEVAL_MODULE_DIR=$folder exits 1 none
says "no gapeval_cuda.so" GAPEVAL_MODULE_DIR
GE_EMULATED_MEMORY_KB=50000 exits 1 none --batch-size 4096
says "device memory: weights take" "lower runtime.batch_size"

[[ -z ${GE_SANITIZE:-} ]] || exit 0

# ---- several ranks -------------------------------------------------------------------------------

# ranks NAME ARGUMENT... : two ranks; the second one under the environment in $second
second=()
ranks() {
    local name=$1 rc=0
    shift
    local call=("$program" run job.json --quiet --output "$name" "$@")
    "${launcher[@]}" -np 1 "${call[@]}" : -np 1 env "${second[@]}" "${call[@]}" \
        >"$name.md" 2>said </dev/null || rc=$?
    [[ $rc == 0 ]] || fail "exit code $rc: $name"
}

exits 0 plain
digest=$("$program" digest plain/gpu | cut -c1-32)
for at in $(seq 90 5 140); do # the allocation that fails, once passes have begun
    rm -rf "${folder:?}/short"
    if GE_EMULATED_MALLOC=$at "$program" run job.json --quiet --output short >short.md 2>said; then
        if grep -qF "images at a time from now on" said; then break; fi
    fi
done
says "the device's memory is short"
same_digest short

ranks shared
same_digest shared
"$program" inspect shared/gpu >said
[[ $(grep -c "rank . on .*GPU 0, 0000:1a:00.0" said) == 2 ]] || fail "two ranks do not share GPU 0"
export GE_EMULATED_GPUS=2
second=(GE_EMULATED_LOSE=400)
ranks lost
says "the GPU is lost to this process"
same_digest lost
"$program" inspect lost/gpu >said
says "rank 0 on" "GPU 0, 0000:1a:00.0" "rank 1 on" "GPU 1, 0000:3b:00.0"
