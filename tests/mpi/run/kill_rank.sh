#!/bin/bash
# One rank is killed: the launcher ends the job, the next start goes on.
# kill_rank.sh PROGRAM SOURCES FOLDER LAUNCHER...
. "$(dirname "$0")/common.sh"

run whole "${slowly[@]}" --chunk-items 16
for victim in 1 3; do # rank 0 and another, in the order of the process ids
    name=killed-$victim
    "${launcher[@]}" -np 3 "$program" run "$job" --output $name --quiet "${slowly[@]}" >/dev/null \
        2>$name.log &
    pid=$!
    wait_for 60 under_way $name
    kill -KILL $(pgrep -P $pid -f -- "--output $name" | sort -n | sed -n ${victim}p)
    rc=0
    wait $pid || rc=$?
    [[ $rc != 0 ]] || fail "the launcher says that nothing happened"
    done_before=$(chunks_done $name)
    [[ $done_before -gt 0 ]] || fail "nothing was done before the kill"
    ranks 2 $name "${slowly[@]}"
    same_digest whole $name
    "$program" verify $name/demo >said
    says sound
done
