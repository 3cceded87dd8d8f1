#!/bin/bash
# Stopping, going on, and what a second start may change. resume.sh PROGRAM SOURCES FOLDER LAUNCHER...
. "$(dirname "$0")/common.sh"

state_is() { # NAME STATE
    grep -q "\"state\":\"$2\"" "$1/demo/status"
}

run whole "${slowly[@]}" --chunk-items 16

# ---- asked to stop: exit 75, then the rest
"$program" run "$job" --output stopped --quiet "${slowly[@]}" >stopped.md 2>stopped.log &
pid=$!
wait_for 30 under_way stopped
kill -USR1 $pid
rc=0
wait $pid || rc=$?
[[ $rc == 75 ]] || { cat stopped.log; fail "exit code $rc after USR1, wanted 75"; }
state_is stopped interrupted || fail "status: $(cat stopped/demo/status)"
[[ ! -e stopped/demo/lock ]] || fail "the lock was left behind"
"$program" verify stopped/demo >said
says unfinished
before=$(chunks_done stopped)

# Another job's settings are refused by name, those that change no result are accepted.
exits 1 run stopped "${slowly[@]}" --set image.pillow=12
says image.pillow
exits 1 run stopped "${slowly[@]}" --limit 5
says dataset.limit
[[ $(chunks_done stopped) == "$before" ]] || fail "a refused start did work"
run stopped "${slowly[@]}" --threads 2 --batch-size 5 --chunk-items 3
same_digest whole stopped
state_is stopped done || fail "status: $(cat stopped/demo/status)"
"$program" verify stopped/demo >said
says sound
cmp stopped.md whole.md || fail "another table after a stop"

# A finished run prints its tables again, and does nothing.
cp stopped.md first.md
cp -r stopped/demo/journal journal.before
run stopped "${slowly[@]}"
cmp stopped.md first.md || fail "a finished run prints another table"
diff -r stopped/demo/journal journal.before || fail "a finished run was written to"

# ---- the same under the launcher
"${launcher[@]}" -np 3 "$program" run "$job" --output three --quiet "${slowly[@]}" >three.md 2>three.log &
pid=$!
wait_for 60 under_way three
kill -USR1 $(pgrep -P $pid -f -- '--output three' | tail -n 1) # any rank
rc=0
wait $pid || rc=$?
[[ $rc == 75 ]] || { cat three.log; fail "the launcher's exit code is $rc after USR1, wanted 75"; }
state_is three interrupted || fail "status: $(cat three/demo/status)"
ranks 2 three "${slowly[@]}"
same_digest whole three

# ---- two writers on one folder: the second is refused and names the first
"$program" run "$job" --output shared --quiet "${slowly[@]}" >shared.md 2>shared.log &
pid=$!
wait_for 30 under_way shared
kill -STOP $pid # so that it is still there when the second one looks
kill -CONT $pid
exits 1 "$program" run "$job" --output shared --quiet "${slowly[@]}"
says "process $pid"
wait $pid || { cat shared.log; fail "the first writer was disturbed"; }
same_digest whole shared
