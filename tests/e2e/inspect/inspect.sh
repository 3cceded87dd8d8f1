#!/bin/bash
# embed, tokenize, preprocess, score, inspect, docs, doctor and bench on the demo's data.
# inspect.sh PROGRAM SOURCES
set -euo pipefail
program=$1 sources=$2
data=$sources/data/demo
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

fail() {
    echo "FAILED: $1"
    exit 1
}

# code WANTED COMMAND… : the exit code, with a message whenever it is not 0
code() {
    local wanted=$1 got=0
    shift
    "$program" "$@" >said.out 2>said.err || got=$?
    [[ $got == "$wanted" ]] || { cat said.err; fail "gapeval $*: exit code $got, wanted $wanted"; }
    [[ $wanted == 0 || -s said.err ]] || fail "gapeval $*: failed without a message"
}

# header FILE TYPE SHAPE BYTES : a .npy header, and the size of what follows
header() {
    local length
    [[ $(head -c 8 "$1" | od -An -tx1 | tr -d ' \n') == 934e554d50590100 ]] ||
        fail "$1 does not begin as .npy"
    length=$((10 + $(od -An -tu2 -j8 -N2 "$1")))
    [[ $((length % 64)) == 0 ]] || fail "$1: the header has $length bytes"
    head -c "$length" "$1" | tail -c +11 |
        grep -q "{'descr': '$2', 'fortran_order': False, 'shape': ($3), }" ||
        fail "$1: header is $(head -c "$length" "$1" | tail -c +11)"
    [[ $(stat -c %s "$1") == $((length + $4)) ]] || fail "$1 has $(stat -c %s "$1") bytes"
    tail -c +$((length + 1)) "$1" >values
}

# rows N : the float32 values of the file last given to header, one row of N per line
rows() {
    od -An -v -tf4 -w$((4 * $1)) values
}

# ---- plan --power -----------------------------------------------------------------------------

code 0 plan --power --items 646 --gap 5
grep -q 'needs 804 items' said.out || fail "plan --power: $(cat said.out)"
grep -Eq '646 +5\.6$' said.out || fail "plan --power: $(cat said.out)"
for wrong in '' '--items 100 --und 120' '--gap 5 --phi 0.95' '--items 20000000'; do
    # shellcheck disable=SC2086
    code 2 plan --power $wrong
done
code 2 plan --items 100

# ---- embed ------------------------------------------------------------------------------------

answer=$data/systems/even/images/counting-001.jpg
printf '%s\n' "$answer" "$data/images/counting-02.png" "$answer" >images.txt
code 0 embed --model "$data/clip" --images images.txt --out images.npy --batch-size 2
header images.npy '<f4' '3, 128, ' $((3 * 128 * 4))
rows 128 | awk '{ for (i = 1; i <= NF; i++) if ($i != $i + 0 && $i !~ /e/) exit 1 }
    NF != 128 { exit 1 }' || fail "image rows are not 128 numbers"
[[ $(rows 128 | sed -n 1p) == $(rows 128 | sed -n 3p) ]] || fail "equal images, unequal rows"
[[ $(rows 128 | sed -n 1p) != $(rows 128 | sed -n 2p) ]] || fail "unequal images, equal rows"
code 0 embed --model "$data/clip" --images images.txt --out one.npy --batch-size 1 --threads 1
cmp images.npy one.npy || fail "rows depend on the batch"

printf 'one white square\ntwo white squares\n' >texts.txt
code 0 embed --model "$data/clip" --texts texts.txt --out texts.npy --normalize
header texts.npy '<f4' '2, 128, ' $((2 * 128 * 4))
rows 128 | awk '{ s = 0; for (i = 1; i <= NF; i++) s += $i * $i
    if (!(s > 0.99999 && s < 1.00001)) exit 1 }' || fail "--normalize leaves norms other than 1"
printf '"one white square"\n"two white \\u0073quares"\n' >texts.jsonl
code 0 embed --model "$data/clip" --texts texts.jsonl --out jsonl.npy --normalize
cmp texts.npy jsonl.npy || fail "texts as lines and as JSON differ"
code 0 embed --model "$data/sentence" --texts texts.txt --out sentence.npy
header sentence.npy '<f4' '2, 64, ' $((2 * 64 * 4))

# One input that is no picture: a row of NaN among sound ones, and exit code 1.
printf 'no picture' >broken.png
printf '%s\n' "$answer" broken.png "$answer" >mixed.txt
code 1 embed --model "$data/clip" --images mixed.txt --out mixed.npy
grep -q 'broken.png' said.err || fail "the broken picture is not named"
header mixed.npy '<f4' '3, 128, ' $((3 * 128 * 4))
rows 128 | awk '{ n = 0; for (i = 1; i <= NF; i++) n += $i ~ /nan/
    if (n != (NR == 2 ? 128 : 0)) exit 1 }' || fail "NaN is not in the second row alone"

# ---- tokenize ---------------------------------------------------------------------------------

code 0 tokenize --model "$data/clip" --texts texts.txt
[[ $(wc -l <said.out) == 2 ]] || fail "tokenize: wanted a line per text"
if grep -Evq '^\[906(, ?[0-9]+)+, ?907\]$' said.out; then fail "tokenize: $(head -1 said.out)"; fi
printf 'white %.0s' {1..100} >long.txt
code 0 tokenize --model "$data/clip" --texts long.txt
[[ $(tr ',' '\n' <said.out | wc -l) == 32 ]] || fail "a long text is not cut to 32 tokens"
code 0 tokenize --model "$data/clip" --texts long.txt --no-truncate
[[ $(tr ',' '\n' <said.out | wc -l) -ge 102 ]] || fail "--no-truncate cuts"

# ---- preprocess -------------------------------------------------------------------------------

code 0 preprocess --model "$data/clip" --images images.txt --out pixels.npy --stage pixels
header pixels.npy '|u1' '3, 64, 64, 3, ' $((3 * 64 * 64 * 3))
first=$(od -An -tu1 -N1 values | tr -d ' ')
code 0 preprocess --model "$data/clip" --images images.txt --out tensor.npy
header tensor.npy '<f4' '3, 3, 64, 64, ' $((3 * 64 * 64 * 3 * 4))
od -An -tf4 -N4 values | awk -v v="$first" \
    '{ d = $1 - (v / 255 - 0.48145466) / 0.26862954; exit !(d < 1e-5 && d > -1e-5) }' ||
    fail "the tensor's first value is not that of the first pixel"

# ---- score and inspect ------------------------------------------------------------------------

code 0 run "$sources/jobs/demo.json" --output out --limit 2 --quiet
code 0 inspect out/demo
code 0 inspect out/demo --item counting-001 --system even
grep -E '^  (score|verdict) ' said.out >stored
code 0 score "$sources/jobs/demo.json" --item counting-001 --system even
grep -E '^  (score|verdict) ' said.out >scored
[[ -s stored ]] || fail "inspect shows no scores"
diff stored scored || fail "score and inspect disagree"

# The cosine of the two rows of embed is the score.
code 0 embed --model "$data/clip" --images images.txt --out unit.npy --normalize
header unit.npy '<f4' '3, 128, ' $((3 * 128 * 4))
rows 128 | sed -n 1p >pair
header texts.npy '<f4' '2, 128, ' $((2 * 128 * 4))
rows 128 | sed -n 1p >>pair
awk 'FNR == NR && /similarity.image_text.reference/ { wanted = $3; next }
     FNR == NR { next }
     FNR == 1 { split($0, a); next }
     { s = 0; for (i = 1; i <= NF; i++) s += a[i] * $i
       d = s - wanted; exit !(wanted != "" && d < 1e-5 && d > -1e-5) }' scored pair ||
    fail "the stored cosine is not that of the embeddings"

# ---- docs, doctor, bench ----------------------------------------------------------------------

for name in job metrics; do
    code 0 docs $name
    diff said.out "$sources/docs/$name.md" || fail "docs/$name.md is not what the program prints"
done

code 0 doctor
for words in 'HDF5 [0-9]' 'libjpeg' 'libspng [0-9]' 'libwebp [0-9]' 'utf8proc [0-9]' \
    'PCRE2 [0-9]' 'cJSON [0-9]' 'xxHash [0-9]' 'device .*cpu: ' 'numerics cpu' '^mpi ' '^cores '; do
    grep -q "$words" said.out || fail "doctor says nothing about $words"
done

code 0 bench grants --repeats 1 --json
for key in bench version notes figures best median; do
    grep -q "\"$key\"" said.out || fail "bench grants --json lacks $key"
done
[[ $(head -c 1 said.out) == '{' && $(tail -c 2 said.out) == '}' ]] || fail "bench: no JSON object"
code 0 bench decode --images "$data/images" --repeats 1
code 0 bench store --repeats 1 --dir .
if compgen -G 'gapeval-bench-*' >/dev/null; then fail "bench leaves files behind"; fi
code 0 bench encode --model "$data/clip" --batch-size 2 --repeats 1 --json
code 0 bench gemm --repeats 1
code 0 bench gemm --repeats 1 --device cpu --dtype bf16
code 0 bench ops --repeats 1 --batch-size 2
for words in 'attention .* GFLOP/s' 'layer norm .* GB/s' 'of the memory.s bandwidth .* %'; do
    grep -q "$words" said.out || fail "bench ops says nothing of $words"
done
code 0 bench encode --model "$data/sentence" --texts texts.txt --repeats 1
grep -q 'tokens/s' said.out || fail "bench encode of texts has no rate of tokens"
code 0 bench tokenize --model "$data/sentence" --texts texts.txt --repeats 1 --threads 2
code 0 bench pipeline --model "$data/clip" --images "$data/images" --repeats 1 --decode-threads 2
grep -q 'stream, of min(a, b)' said.out || fail "bench pipeline has no share"
printf '\n\n' | "$program" bench encode --model "$data/clip" --follow >said.out
[[ $(grep -c seconds said.out) == 2 && $(head -n 1 said.out) == *'"ready":true'* ]] ||
    fail "bench encode --follow does not answer each line"

# ---- what is wrong is said --------------------------------------------------------------------

code 2 embed --model "$data/clip" --images images.txt
code 2 embed --model "$data/clip" --images images.txt --texts texts.txt --out x.npy
code 2 embed --model "$data/clip" --images images.txt --out x.npy --colour red
code 2 preprocess --model "$data/clip" --images images.txt --out x.npy --stage raw
code 2 tokenize --texts texts.txt
code 2 score "$sources/jobs/demo.json" --item counting-001
code 2 docs nothing
code 2 doctor now
code 2 bench
code 2 bench everything
code 1 bench gemm --repeats 1 --device cpu --tuned nowhere.json
grep -q "nowhere.json is not there" said.err || fail "bench does not say which table is missing"
code 2 bench gemm --tune a.json --tuned b.json
code 2 bench grants --tuned a.json
code 2 bench encode
code 2 bench encode --model "$data/clip" --shape vit-b-32
code 2 bench decode
code 2 bench tokenize --model "$data/sentence"
code 2 bench pipeline --model "$data/clip"
code 2 bench decode --images "$data/images" --follow
code 1 bench encode --model "$data/sentence"
code 1 bench encode --model "$data/clip" --texts missing.txt
code 1 bench pipeline --model "$data/sentence" --images "$data/images"
code 1 bench pipeline --model "$data/clip" --images "$data/clip"
code 1 embed --model "$data/sentence" --images images.txt --out x.npy
code 1 embed --model missing --images images.txt --out x.npy
code 1 embed --model "$data/clip" --images missing.txt --out x.npy
code 1 embed --model "$data/clip" --images images.txt --out x.npy --device none
code 1 embed --model "$data/clip" --images images.txt --out x.npy --dtype int3
code 1 embed --model "$data/clip" --images images.txt --out nowhere/x.npy
mkdir taken
code 1 embed --model "$data/clip" --images images.txt --out taken
mkfifo pipe
code 1 preprocess --model "$data/clip" --images images.txt --out pipe
[[ -p pipe ]] || fail "a pipe was replaced"
code 1 tokenize --model "$data/clip" --texts texts.txt --out taken
code 1 score "$sources/jobs/demo.json" --item nothing --system even
code 1 inspect out/demo --item nothing
code 1 tokenize --model "$data/clip" --texts /dev/null
code 1 inspect missing
code 1 bench encode --shape vit-x-1
code 1 bench decode --images mixed.txt
[[ ! -e x.npy ]] || fail "a failed command left its output behind"
echo "all as it should be"
