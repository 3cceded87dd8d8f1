#!/bin/bash
# The results have the same digest whoever computed them, and tables the same bytes.
# digests.sh PROGRAM SOURCES FOLDER LAUNCHER...
. "$(dirname "$0")/common.sh"

run one "${some[@]}"
same() { # NAME
    same_digest one "$1"
    cmp "one/demo/summary.json" "$1/demo/summary.json" || fail "$1: another summary.json"
    cmp "one/demo/samples.csv" "$1/demo/samples.csv" || fail "$1: another samples.csv"
    cmp one.md "$1.md" || fail "$1: prints another table"
}

for n in 1 2 3 5; do
    ranks $n ranks-$n "${some[@]}" --chunk-items 2
    same ranks-$n
done
ranks 3 dedicated "${some[@]}" --chunk-items 2 --set runtime.dedicated_coordinator=true
same dedicated
for n in 1 2 3; do
    run threads-$n "${some[@]}" --threads $n --decode-threads $n
    same threads-$n
done
for n in 1 7; do
    run batch-$n "${some[@]}" --batch-size $n
    same batch-$n
done
for n in 1 5; do
    run chunk-$n "${some[@]}" --chunk-items $n
    same chunk-$n
done
run no-cache "${some[@]}" --set runtime.embed_cache_mb=0
same no-cache

# A trace changes nothing, and every rank writes its own.
ranks 2 traced "${some[@]}" --trace
same traced
for r in 0 1; do
    grep -q '"encode images"' "traced/demo/trace/rank-$r.json" || fail "rank $r wrote no trace"
done

# The reference device agrees with itself too, on ranks and alone.
run cpu "${some[@]}" --device cpu
ranks 2 cpu-ranks "${some[@]}" --device cpu --batch-size 5
same_digest cpu cpu-ranks

# A pinned level gives the digits of a machine that has no more.
run avx2 "${some[@]}" --level avx2
numerics() { sed -n 's/.*"numerics": "\(.*\)",/\1/p' "$1/demo/summary.json"; }
if [[ $(numerics one) == "$(numerics avx2)" ]]; then same avx2; else
    ranks 2 avx2-ranks "${some[@]}" --level avx2
    same_digest avx2 avx2-ranks
fi

# Other answers have another digest.
run other "${some[@]}" --set image.alpha=white --set scoring.recorded_verdicts=prefer
same_digest one other # neither setting has anything to act on here
run fewer "${some[@]}" --limit 3
[[ $(digest_of fewer) != "$(digest_of one)" ]] || fail "the digest does not depend on the items"

# The store alone gives every table, byte for byte, wherever it lies and whoever asks.
mkdir elsewhere
cp one/demo/results.h5 elsewhere/
"$program" aggregate elsewhere/results.h5 --output elsewhere >elsewhere.md
cmp elsewhere/summary.json one/demo/summary.json || fail "aggregate writes another summary.json"
cmp elsewhere/samples.csv one/demo/samples.csv || fail "aggregate writes another samples.csv"
cmp elsewhere.md one.md || fail "aggregate prints another table"
"$program" report elsewhere/results.h5 >report.md
cmp report.md one.md || fail "report prints another table"

# The job's paths are relative to the job file, the command line's to the current folder.
(cd "$sources/jobs" && "$program" run demo.json --output "$folder/inside" --quiet "${some[@]}") >inside.md
same inside
cp -r "$sources/jobs" jobs
mkdir -p data
ln -s "$sources/data/demo" data/demo
"$program" run jobs/demo.json --quiet "${some[@]}" >moved.md
same_digest one out
