# Common ground of the tests that run the program on the demo: sourced, with
#   PROGRAM SOURCES FOLDER [LAUNCHER...]
# as arguments, and then works in a new folder below FOLDER. GE_SANITIZE in the environment: a slow build, do less.
set -euo pipefail
program=$1 sources=$2
. "$(dirname "$0")/../../scratch.sh"
scratch "$3"
shift 3
launcher=("$@")
job=$sources/jobs/demo.json
cd "$folder"

# Some items of every category, so that every rule and metric of the demo takes part.
per_category=6
[[ -z ${GE_SANITIZE:-} ]] || per_category=2
items=
for category in counting attribute place composition; do
    for i in $(seq -f %03g 1 $per_category); do items+=",\"$category-$i\""; done
done
some=(--set "dataset.select.items=[${items#,}]")

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# run NAME ARGUMENT... : one process, results in NAME/demo
run() {
    local name=$1
    shift
    "$program" run "$job" --output "$name" --quiet "$@" >"$name.md" 2>"$name.log" || {
        local rc=$?
        cat "$name.log" >&2
        return $rc
    }
}

# ranks N NAME ARGUMENT... : under the launcher
ranks() {
    local n=$1 name=$2
    shift 2
    "${launcher[@]}" -np "$n" "$program" run "$job" --output "$name" --quiet "$@" \
        >"$name.md" 2>"$name.log" || {
        local rc=$?
        cat "$name.log" >&2
        return $rc
    }
}

digest_of() {
    "$program" digest "$1/demo" | cut -d' ' -f1
}

# same_digest NAME OTHER
same_digest() {
    local a b
    a=$(digest_of "$1")
    b=$(digest_of "$2")
    [[ ${#a} == 32 && $a == "$b" ]] || fail "digest of $1 is $a, of $2 $b"
}

# exits CODE COMMAND... : the command must exit so; what it says goes to the file said
exits() {
    local want=$1 rc=0
    shift
    "$@" >said 2>&1 || rc=$?
    [[ $rc == "$want" ]] || { cat said >&2; fail "exit code $rc, wanted $want: $*"; }
}

# says WORDS : the last command of `exits` said them
says() {
    grep -qF -- "$1" said || { cat said >&2; fail "does not say: $1"; }
}

# chunks_done NAME : how many chunks the status file counts; 0 without one
chunks_done() {
    sed -n 's/.*"chunks_done":\([0-9]*\).*/\1/p' "$1/demo/status" 2>/dev/null || true
}

# wait_for SECONDS COMMAND... : until the command succeeds
wait_for() {
    local left=$(($1 * 20))
    shift
    until "$@"; do
        ((left-- > 0)) || fail "waited in vain: $*"
        sleep 0.05
    done
}

# under_way NAME : some chunks of it are done
under_way() {
    [[ $(chunks_done "$1") -gt 0 ]]
}

# A run that takes some seconds, in small steps, with an up-to-date status file.
slowly=(--set runtime.device=cpu --set runtime.embed_cache_mb=0 --chunk-items 1 --threads 1
        --set runtime.status_s=0.05 --set runtime.lock_stale_s=2)
[[ -z ${GE_SANITIZE:-} ]] || slowly+=("${some[@]}")
