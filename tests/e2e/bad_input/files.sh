#!/bin/bash
# Bad images, models and stores. files.sh PROGRAM SOURCES FOLDER
. "$(dirname "$0")/common.sh"

# flip FILE OFFSET : change one byte
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1" | tr -d ' ')
    printf "\\x$(printf %02x $((byte ^ 0x55)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# spoil FILE KEY VALUE : another number for a key of a JSON file
spoil() {
    sed -i "s/\"$2\": [0-9]*/\"$2\": $3/" "$1"
}

# ---- generated images: error rows
image=even/images/counting-001.jpg
row='^even,counting-001,gen,.*'
fresh "no image";             rm $image;                        rows "$row,missing,"
fresh "cut off image";        truncate -s 300 $image;           rows "$row,format,"
fresh "empty image";          : >$image;                        rows "$row,format,"
fresh "image is a folder";    rm $image; mkdir $image;          rows "$row,format,"
fresh "image is a pipe";      rm $image; mkfifo $image;         rows "$row,format,"
fresh "image is a device";    rm $image; ln -s /dev/zero $image; rows "$row,format,"
fresh "link to itself";       rm $image; ln -s counting-001.jpg $image; rows "$row,missing,"
fresh "text for an image";    echo '<html>' >$image;            rows "$row,(format|unsupported),"
fresh "huge file";            truncate -s 50G $image;           rows "$row,(limit|format),"
fresh "PNG bomb" # of 60000 x 60000
    printf '\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x00\xea\x60\x00\x00\xea\x60\x08\x02\x00\x00\x00' >$image
    printf '\x0f\xb0\xe2\x15' >>$image
    rows "$row,limit,"
fresh "JPEG bomb" # of 65500 x 65500
    sof=$(LC_ALL=C grep -obUaP '\xff\xc0' $image | head -n 1 | cut -d: -f1)
    printf '\xff\xdc\xff\xdc' | dd of=$image bs=1 seek=$((sof + 5)) conv=notrunc status=none
    rows "$row,limit,"
fresh "noise behind the head"
    head -c 2000 /dev/urandom | dd of=$image bs=1 seek=300 conv=notrunc status=none; rows "$row"
fresh "no question image";    rm images/*; rows "$row"

flips=40
[[ -z ${GE_SANITIZE:-} ]] || flips=8
RANDOM=7
fresh "flipped bytes in images"
size=$(stat -c %s $image)
for i in $(seq $flips); do
    flip $image $((RANDOM % size))
    rm -rf "${folder:?}/case/out"
    call run job.json --quiet --limit 1
    [[ $rc == 0 ]] || problem "flip $i: exit code $rc"
done

# ---- models
weights=clip/model.safetensors config=clip/config.json pixels=clip/preprocessor_config.json
fresh "no model folder";      rm clip;                          refused clip
fresh "model is a file";      rm clip; echo x >clip;            refused clip
fresh "empty model folder";   rm clip; mkdir clip;              refused clip config.json
fresh "cut off weights";      own clip; truncate -s 100000 $weights; refused model.safetensors
fresh "empty weights";        own clip; : >$weights;            refused model.safetensors
fresh "no weights";           own clip; rm $weights;            refused clip safetensors
fresh "huge header"
    own clip; printf '\xff\xff\xff\xff\xff\xff\xff\xff' | dd of=$weights bs=1 conv=notrunc status=none
    refused model.safetensors
fresh "header is no JSON";    own clip; flip $weights 8;        refused model.safetensors
fresh "weights that are no numbers"
    own clip
    size=$(stat -c %s $weights)
    head -c 200000 /dev/zero | tr '\0' '\377' |
        dd of=$weights bs=1000 seek=$((size / 1000 - 300)) conv=notrunc status=none
    call run job.json --quiet
    if [[ $rc == 0 ]] && grep -E '^even,[^,]*,gen,.*,ok,' out/small/samples.csv >said; then
        problem "verdicts out of NaN"
    fi
fresh "broken tokenizer";     own clip; truncate -s 500 clip/tokenizer.json; refused tokenizer.json
fresh "tokenizer is a list";  own clip; echo '[]' >clip/tokenizer.json; refused tokenizer.json
fresh "unknown tokenizer"
    own clip; sed -i 's/"type": *"BPE"/"type": "Magic"/' clip/tokenizer.json; refused tokenizer.json Magic
fresh "unknown model type"
    own clip; sed -i 's/"model_type": "clip"/"model_type": "blimp"/' $config; refused config.json blimp
fresh "no heads";             own clip; spoil $config num_attention_heads 0; refused config.json num_attention_heads
fresh "huge width";           own clip; spoil $config hidden_size 2000000000; refused clip
fresh "patch of nothing";     own clip; spoil $config patch_size 0; refused config.json patch_size
fresh "config is cut off";    own clip; truncate -s 100 $config; refused config.json
fresh "no preprocessor";      own clip; rm $pixels;             refused preprocessor_config.json
fresh "images of size 0";     own clip; spoil $pixels shortest_edge 0; refused preprocessor_config.json
fresh "huge images";          own clip; spoil $pixels shortest_edge 1000000000; refused preprocessor_config.json
fresh "no vocabulary";        own sentence; rm sentence/tokenizer.json sentence/vocab.txt; refused sentence
fresh "unknown module"
    own sentence; sed -i 's/models.Pooling/models.Guessing/' sentence/modules.json; refused modules.json Guessing
fresh "path out of the folder"
    own sentence; sed -i 's/1_Pooling/..\/..\/..\/etc/' sentence/modules.json; refused sentence

# ---- journals and stores
fresh "a finished run"
    call run job.json --quiet; cp -r out "$folder/done"; [[ $rc == 0 ]] || problem "exit code $rc"
stored() {
    fresh "$1"
    cp -r "$folder/done" out
}
digest() {
    "$program" digest "$1" | cut -d' ' -f1
}
journal=out/small/journal/00000000 store=out/small/results.h5
stored "store with a flipped byte";  flip $store 3000; command_fails results.h5 verify out/small
    command_fails results.h5 report $store
stored "cut off store";              truncate -s 5000 $store; command_fails results.h5 report $store
stored "empty store";                : >$store; command_fails results.h5 digest $store
stored "store is a pipe";            rm $store; mkfifo $store; command_fails results.h5 report $store
stored "store is a folder";          rm $store; mkdir $store; command_fails results.h5 report $store
stored "text for a store";           echo hello >$store; rm $store.sum; command_fails results.h5 report $store
stored "no store";                   rm $store; command_fails results.h5 report $store
stored "no run";                     command_fails nowhere status nowhere
stored "cut off journal";            truncate -s -10 $journal; call verify out/small
    call run job.json --quiet; [[ $rc == 0 || $rc == 1 ]] || problem "exit code $rc"
stored "flipped byte in the journal"; flip $journal 1000; command_fails 00000000 verify out/small
    command_fails 00000000 run job.json --quiet
stored "empty journal";              : >$journal; call run job.json --quiet; call verify out/small
stored "noise for a journal";        head -c 5000 /dev/urandom >$journal; call run job.json --quiet
    [[ $rc == 0 ]] || problem "exit code $rc"; said_all 'never acknowledged' # nothing of it counts
    [[ $(digest out/small) == "$(digest "$folder/done/small")" ]] || problem "another digest after starting over"
stored "strange file in the journal"; echo x >out/small/journal/notes.txt; mkdir out/small/journal/99999999
    call run job.json --quiet; call verify out/small
stored "lock that is no lock";       echo '{' >out/small/lock
    call run job.json --quiet --set runtime.lock_stale_s=1
stored "status that is no status";   echo '[' >out/small/status; command_fails status status out/small

stored "flipped bytes in stores"
rm $store.sum
size=$(stat -c %s $store)
for i in $(seq $flips); do
    cp "$folder/done/small/results.h5" $store
    flip $store $((RANDOM * 32768 % size + RANDOM % 100))
    call report $store
    [[ $rc == 0 || $rc == 1 ]] || problem "flip $i: exit code $rc"
done
stored "flipped bytes in journals"
size=$(stat -c %s $journal)
for i in $(seq $flips); do
    cp "$folder/done/small/journal/00000000" $journal
    flip $journal $((RANDOM % size))
    call verify out/small
    [[ $rc == 1 ]] || problem "flip $i: a flipped byte is not noticed"
done
finish
