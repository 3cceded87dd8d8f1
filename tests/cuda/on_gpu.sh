#!/usr/bin/env bash
# Everything worth knowing about the cuda device on a machine with a GPU, in one go:
#
#     tests/cuda/on_gpu.sh BIN OUT [STEP...]
#
# BIN: the folder with gapeval, gapeval_cuda.so and the gpu tests (build/release/bin). OUT: where every step's
# log goes. Steps go on after a failure, each within its own time ($LIMIT seconds, 120); a table of what
# became of them ends the output, and the exit code is 1 if one failed. Default: the steps of `checks`.
#
#   checks    doctor ops models demo ranks
#   sanitize  memcheck racecheck initcheck synccheck (compute-sanitizer; minutes)
#   bench     tune gemm layer encode-NAME text pipeline
#   compare   compare-NAME compare-text (beside PyTorch and torch.compile)
#   profile   profile-NAME (ncu: time of every kernel of a batch)
#
# NAME: a shape of tests/bench/models.py. From the environment: PYTHON, with torch and transformers; MODELS, a
# folder of model folders by NAME, made when missing; TEXT_MODEL, a folder of all-MiniLM-L6-v2; PHOTOS, a
# folder of JPEGs; DTYPE (bf16); TUNED, a table that the step `tune` wrote, for the steps of `bench`.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$(cd "$1" && pwd) || exit 2
mkdir -p "$2" && out=$(cd "$2" && pwd) || exit 2
shift 2
python=${PYTHON:-python3} dtype=${DTYPE:-bf16} models=${MODELS:-$out/models} limit=${LIMIT:-120}
names=(clip-b-32 clip-l-14 siglip-b-16 dinov2-b-14)
gpu=(--device cuda --dtype "$dtype")
bench=("${gpu[@]}")
[[ -z ${TUNED:-} ]] || bench+=(--tuned "$TUNED")

batch_of() {
    case $1 in clip-b-32) echo 1024 ;; dinov2-b-14) echo 64 ;; *) echo 256 ;; esac
}

make_model() {
    [[ -e $models/$1/model.safetensors ]] || "$python" "$root/tests/bench/models.py" "$models" "$1"
}

# The lines that `text` embeds: 18 common words each, 20 tokens with the ends.
make_texts() {
    [[ -e $out/texts.txt ]] || "$python" - "$out/texts.txt" <<'PYTHON'
import random, sys
words = ("the a of in on with and two three red blue green small large old young man woman child dog cat horse "
         "bird street table kitchen window garden river mountain car bus train boat").split()
draw = random.Random(5)
with open(sys.argv[1], "w") as f:
    for _ in range(200000):
        f.write(" ".join(draw.choice(words) for _ in range(18)) + "\n")
PYTHON
}

demo_run() { # NAME ARGUMENT... : the demo on the GPU, its tables and digest in the log
    local name=$1
    shift
    "$@" "$bin/gapeval" run "$root/jobs/demo.json" --device cuda --output "$out/$name" "${more[@]}"
}

digest() { "$bin/gapeval" digest "$out/$1/demo" | cut -c1-32; }

step() {
    local name=${1#*-} more=()
    case $1 in
    doctor) nvidia-smi && "$bin/gapeval" doctor ;;
    ops) "$bin/gpu_ops_test" ;;
    models) "$bin/gpu_model_test" ;;
    demo) # the same digest whatever the batches, and a run by two ranks
        demo_run a && more=(--batch-size 7) && demo_run b && more=(--set runtime.chunk_items=5) &&
            demo_run c && digest a && [[ $(digest a) == "$(digest b)" && $(digest a) == "$(digest c)" ]] ;;
    ranks) demo_run d && demo_run e mpirun --allow-run-as-root --oversubscribe -np 2 &&
        [[ $(digest d) == "$(digest e)" ]] ;;
    memcheck | racecheck | initcheck | synccheck) # and which kernels reports name: cuBLASLt's are not ours
        local rc=0
        compute-sanitizer --tool "$1" --print-limit 100000 --target-processes all --error-exitcode 1 \
            "$bin/gpu_ops_test" bf16 >"$out/$1.all" 2>&1 || rc=$?
        grep -E "ERROR SUMMARY|RACECHECK SUMMARY" "$out/$1.all"
        grep -oE "(access|Access) at [^+]*|=  +at [^+]*" "$out/$1.all" | cut -c1-100 | sort | uniq -c
        return "$rc" ;;
    tune) "$bin/gapeval" bench gemm "${gpu[@]}" --tune "$out/tuned.json" ;;
    gemm) "$bin/gapeval" bench gemm "${bench[@]}" ;;
    layer) "$bin/gapeval" bench ops "${bench[@]}" ;;
    encode-*) make_model "$name" && "$bin/gapeval" bench encode --model "$models/$name" "${bench[@]}" \
        --batch-size "$(batch_of "$name")" --repeats 3 ;;
    compare-text) make_texts && head -n 20000 "$out/texts.txt" >"$out/some.txt" &&
        "$root/tests/bench/compare" "$TEXT_MODEL" --tower text --texts "$out/some.txt" --threads 16 --batch 256 \
            "${gpu[@]}" --peers torch,sentence-transformers --rounds 3 --program "$bin/gapeval" --python "$python" ;;
    compare-*) make_model "$name" && "$root/tests/bench/compare" "$models/$name" "${gpu[@]}" \
        --peers "${PEERS:-torch,compile}" --batch "$(batch_of "$name")" --rounds 5 --program "$bin/gapeval" \
        --python "$python" ;;
    text) make_texts && "$bin/gapeval" bench encode --model "$TEXT_MODEL" "${bench[@]}" --texts "$out/texts.txt" \
        --threads 16 --repeats 3 ;;
    pipeline) make_model clip-b-32 && "$bin/gapeval" bench pipeline --model "$models/clip-b-32" --images "$PHOTOS" \
        "${bench[@]}" --decode-threads "$(nproc)" --repeats 3 ;;
    profile-*) # launches of the warm-up and one batch more; the sums by kernel
        make_model "$name" && ncu --target-processes all --clock-control none --csv \
            --metrics gpu__time_duration.sum --launch-skip "${SKIP:-400}" --launch-count "${COUNT:-300}" \
            "$bin/gapeval" bench encode --model "$models/$name" "${gpu[@]}" --batch-size "$(batch_of "$name")" \
            --repeats 1 >"$out/$1.csv" && "$python" - "$out/$1.csv" <<'PYTHON'
import collections, csv, sys
lines = [l for l in open(sys.argv[1], errors="replace") if l.startswith('"')]
total = collections.defaultdict(list)
for row in csv.DictReader(lines):
    scale = {"ns": 1e-3, "us": 1, "ms": 1e3, "s": 1e6, "nsecond": 1e-3, "usecond": 1, "msecond": 1e3}[row["Metric Unit"]]
    total[row["Kernel Name"][:90]].append(float(row["Metric Value"].replace(",", "")) * scale)
everything = sum(map(sum, total.values()))
for name, t in sorted(total.items(), key=lambda item: -sum(item[1])):
    print(f"{100 * sum(t) / everything:5.1f} %  {len(t):4} x  {sum(t) / len(t):9.1f} us  {name}")
PYTHON
        ;;
    *) echo "no such step: $1" && return 2 ;;
    esac
}

expand() {
    for s; do
        case $s in
        checks) echo doctor ops models demo ranks ;;
        sanitize) echo memcheck racecheck initcheck synccheck ;;
        bench) echo tune gemm layer "${names[@]/#/encode-}" text pipeline ;;
        compare) echo "${names[@]/#/compare-}" compare-text ;;
        profile) echo "${names[@]/#/profile-}" ;;
        *) echo "$s" ;;
        esac
    done
}

if [[ ${1:-} == --one ]]; then # one step, in this process
    step "$2"
    exit
fi
failed=0 table=""
for s in $(expand "${@:-checks}"); do
    began=$SECONDS
    timeout -k 5 "$limit" bash "${BASH_SOURCE[0]}" "$bin" "$out" --one "$s" >"$out/$s.log" 2>&1
    rc=$?
    case $rc in 0) word=passed ;; 77) word=skipped ;; 124 | 137) word="out of time" ;; *) word="FAILED ($rc)" ;; esac
    [[ $rc == 0 || $rc == 77 ]] || failed=1
    echo "== $s: $word, $((SECONDS - began)) s"
    if [[ $rc == 0 ]]; then tail -n 25 "$out/$s.log"; else tail -n 60 "$out/$s.log"; fi | cut -c1-180
    table+=$(printf '%-22s %-12s %4d s' "$s" "$word" "$((SECONDS - began))")$'\n'
done
printf '\n%s' "$table"
exit "$failed"
