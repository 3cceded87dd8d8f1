#!/bin/bash
# Runs of 1, 2, 3 and 5 ranks give the same rows: run.sh PROGRAM FOLDER LAUNCHER…
set -eu
. "$(dirname "$0")/../../scratch.sh"
program=$1
scratch "$2"
shift 2
"$program" "$folder/alone"
for n in 1 2 3 5; do
    "$@" -np $n "$program" "$folder/ranks-$n"
done
"$@" -np 3 "$program" "$folder/dedicated-3" dedicated=1
"$@" -np 2 "$program" "$folder/nothing-2" chunks=0
for status in "$folder"/*; do
    [ "$(head -n 1 "$status")" = ok ] || { echo "$status:"; head -n 1 "$status"; exit 1; }
    case $status in
    */nothing-2) ;;
    *) cmp "$folder/alone" "$status" ;;
    esac
done
[ "$(wc -l < "$folder/alone")" = 61 ]
