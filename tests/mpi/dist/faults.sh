#!/bin/bash
# A rank that is killed, hangs or is signalled: the others finish. faults.sh PROGRAM FOLDER LAUNCHER…
#
# The launcher's exit status says nothing under --enable-recovery and a lost rank can keep it
# waiting, so the status file decides and the launcher is ended from outside.
set -eu
. "$(dirname "$0")/../../scratch.sh"
program=$1
scratch "$2"
shift 2
launcher="$* --enable-recovery"

# leave TENTHS : wait so long at most for the launcher to end
leave() {
    left=$1
    while [ $left -gt 0 ] && kill -0 $pid 2>/dev/null; do
        sleep 0.1
        left=$((left - 1))
    done
}

# fault NAME RANKS OPTION… : the run must write "ok" within 40 s
fault() {
    status=$folder/$1 ranks=$2
    shift 2
    $launcher -np "$ranks" "$program" "$status" "$@" &
    pid=$!
    waited=0
    while [ ! -s "$status" ] && [ $waited -lt 400 ] && kill -0 $pid 2>/dev/null; do
        sleep 0.1
        waited=$((waited + 1))
    done
    # Time for the survivors to leave, then an end to whoever does not.
    leave 30
    kill -TERM $pid 2>/dev/null && leave 50
    kill -KILL $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    [ -s "$status" ] || { echo "$status: none after $waited tenths of a second"; exit 1; }
    [ "$(head -n 1 "$status")" = ok ] || { echo "$status:"; head -n 1 "$status"; exit 1; }
}

fault killed-worker 3 kill=2
fault killed-at-once 3 kill=1 at=0
fault killed-of-five 5 kill=4 at=3
fault killed-dedicated 3 kill=1 dedicated=1
fault hung-worker 3 hang=1
# 11 is GE_EINTERRUPTED. The signal may reach another rank than 0.
fault stopped 2 stop=0 at=3 ms=40 expect=11
fault stopped-elsewhere 3 stop=2 at=3 ms=40 expect=11
