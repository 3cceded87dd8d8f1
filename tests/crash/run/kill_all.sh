#!/bin/bash
# Everything is killed at a random moment, again and again; the journal stays sound, and in the end
# the results are those of a run that nothing happened to. kill_all.sh PROGRAM SOURCES FOLDER
. "$(dirname "$0")/../../mpi/run/common.sh"

kills=10
[[ -z ${GE_SANITIZE:-} ]] || kills=4
RANDOM=20260101
last=0

further() { # chunks beyond the last kill's, or the end
    [[ $(chunks_done killed) -gt $last ]] || ! kill -0 $pid 2>/dev/null
}

run whole "${slowly[@]}" --chunk-items 16
for i in $(seq $kills); do
    "$program" run "$job" --output killed --quiet "${slowly[@]}" >/dev/null 2>killed.log &
    pid=$!
    # Every other kill may come at any moment of the start; the rest while work is done, about when
    # the journal, a second after its first record, is written to the disk.
    if [[ $((i % 2)) == 1 ]]; then
        sleep $(printf '0.%03d' $((RANDOM % 400)))
    else
        wait_for 60 further
        sleep $(printf '1.%03d' $((RANDOM % 400)))
    fi
    kill -KILL $pid 2>/dev/null || true
    rc=0
    { wait $pid || rc=$?; } 2>/dev/null
    [[ $rc == 137 || $rc == 0 ]] || { cat killed.log; fail "start $i: exit code $rc"; }
    [[ -e killed/demo/journal/00000000 ]] || continue # killed before there was one
    "$program" verify killed/demo >said || { cat said; fail "damaged by kill $i"; }
    now=$(sed -n 's/.*unfinished: \([0-9]*\) of.*/\1/p' said)
    [[ ${now:-$last} -ge $last ]] || fail "kill $i: $now chunks are left of $last"
    last=${now:-$last}
done
[[ $last -gt 0 ]] || fail "no start got anywhere"
run killed "${slowly[@]}"
same_digest whole killed
cmp whole.md killed.md || fail "another table after kills"
"$program" verify killed/demo >said
says sound
echo "$kills kills, $last chunks done before the last start"
