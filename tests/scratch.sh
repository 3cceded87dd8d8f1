# Sourced by the test scripts. scratch PARENT makes a new folder below PARENT and names it in
# $folder; it is deleted at the end if all went well, and kept to look at otherwise. Only what
# mktemp made here is ever deleted, never an argument: a mistaken one must not cost anybody a folder.
scratch() {
    mkdir -p "$1"
    folder=$(cd "$1" && mktemp -d "$PWD/XXXXXX")
    trap 'leave_scratch $?' EXIT
}

leave_scratch() {
    if [[ $1 == 0 ]]; then
        cd /
        rm -rf "${folder:?}"
    else
        echo "kept: $folder" >&2
    fi
}
