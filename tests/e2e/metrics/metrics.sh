#!/bin/bash
# gapeval metrics on a file of predictions: values, what has none, and what is refused.
# metrics.sh PROGRAM SOURCES FOLDER
set -euo pipefail
program=$1 demo=$2/data/demo
. "$(dirname "$0")/../../scratch.sh"
scratch "$3"
cd "$folder"
problems=0

problem() {
    echo "FAILED: $*"
    problems=$((problems + 1))
}

# metrics NAMES [FLAG…]: over predictions.jsonl; output in `said`, lines in out.jsonl
metrics() {
    local names=$1
    shift
    rc=0
    "$program" metrics --predictions predictions.jsonl --metric "$names" --out out.jsonl "$@" \
        >said 2>&1 || rc=$?
}

# wants FILE LINE…: each line, as it stands, is in the file
wants() {
    local file=$1 line
    shift
    for line; do
        grep -qxF -- "$line" "$file" || problem "no line \"$line\" in:" "$(cat "$file")"
    done
}

# refused WORD…: exit code 1 or 2 and a message with every word, and no output
refused() {
    local word
    [[ $rc == 1 || $rc == 2 ]] || problem "exit code $rc: $(cat said)"
    [[ ! -e out.jsonl ]] || problem "there is an output: $*"
    for word; do grep -qF -- "$word" said || problem "no \"$word\" in: $(cat said)"; done
    rm -f out.jsonl
}

# ---- values, in the order of the lines; means over the lines that have one
cat >predictions.jsonl <<'LINES'
{"id": "a", "prediction": "A red circle", "references": ["red circle", "circle"]}
{"id": 7, "prediction": "two blue squares", "references": ["two squares"]}
{"id": "no reference", "prediction": ""}
LINES
metrics match.alias,match.exact,length.words,length.words.mean
[[ $rc == 0 ]] || problem "exit code $rc: $(cat said)"
wants out.jsonl \
    '{"id":"a","match.exact":0,"match.alias":1,"length.words":3,"length.words.mean":3}' \
    '{"id":"7","match.exact":0,"match.alias":0,"length.words":3,"length.words.mean":3}' \
    '{"id":"no reference","length.words":0,"length.words.mean":0}' \
    '{"predictions":3,"means":{"match.alias":{"n":2,"mean":0.5},"match.exact":{"n":2,"mean":0},"length.words":{"n":3,"mean":2}},"corpus":[{"metric":"length.words.mean","task":"text","n":3,"value":2}]}'
wants said '| `match.alias` | mean of lines | 2 | 0.5 |' '| `length.words.mean` | corpus of text | 3 | 2 |'

# ---- encoders: the same text again has cosine 1; a picture is compared with itself
cat >predictions.jsonl <<LINES
{"id": "text", "prediction": "a red circle", "references": ["a red circle"]}
{"id": "image", "prediction_image": "$demo/images/attribute-01.jpg", "reference_images": ["$demo/images/attribute-01.jpg"]}
{"id": "nothing"}
{"id": "broken", "prediction_image": "predictions.jsonl", "reference_images": ["$demo/images/attribute-01.jpg"]}
LINES
metrics similarity.text_text.reference,similarity.image_image.reference \
    --encoder clip="$demo/clip" --encoder "sentence=$demo/sentence"
[[ $rc == 1 ]] || problem "exit code $rc, wanted 1: two lines have no value"
grep -qE '^\{"id":"text","similarity.text_text.reference":(1|1.0000000[0-9]*|0.9999999[0-9]*)\}$' out.jsonl ||
    problem "text: $(cat out.jsonl)"
grep -qE '^\{"id":"image","similarity.image_image.reference":(1|1.0000000[0-9]*|0.9999999[0-9]*)\}$' out.jsonl ||
    problem "image: $(cat out.jsonl)"
wants out.jsonl '{"id":"nothing","error":"no prediction"}'
grep -q '^{"id":"broken","error":"' out.jsonl || problem "broken: $(cat out.jsonl)"
rm out.jsonl

# ---- BERTScore: the same text has 1, an empty one 0; the baseline is 0; with idf a token that all
# references have weighs nothing
cat >predictions.jsonl <<'LINES'
{"id": "same", "prediction": "a red circle", "references": ["two blue stars", " a red circle\n"]}
{"id": "empty", "prediction": "", "references": ["a red circle"]}
LINES
metrics bertscore.f1,bertscore.f1.rescaled --encoder "bertscore=$demo/sentence" --bertscore-layer 1 \
    --bertscore-baseline 0.25,0.25,0.5
[[ $rc == 0 ]] || problem "exit code $rc: $(cat said)"
grep -qE '^\{"id":"same","bertscore.f1":(1|1.0000000[0-9]*|0.9999999[0-9]*),"bertscore.f1.rescaled":(1|1.0000000[0-9]*|0.9999999[0-9]*)\}$' out.jsonl ||
    problem "bertscore: $(cat out.jsonl)"
wants out.jsonl '{"id":"empty","bertscore.f1":0,"bertscore.f1.rescaled":-1}'
rm out.jsonl
cat >predictions.jsonl <<'LINES'
{"id": "common", "prediction": "red", "references": ["red"]}
LINES
metrics bertscore.p,bertscore.f1 --encoder "bertscore=$demo/sentence" --bertscore-idf
wants out.jsonl '{"id":"common","bertscore.f1":0}'
rm out.jsonl

# ---- CLIPScore: a picture and the prompt that it was drawn for, in three dialects
cat >predictions.jsonl <<LINES
{"id": "drawn", "prediction_image": "$demo/images/counting-02.png", "prompt": "one white square"}
{"id": "said", "prediction": "one white square", "image": "$demo/images/counting-02.png", "references": ["one white square"]}
LINES
metrics clipscore.cos,clipscore.100,clipscore.2.5,refclipscore.2.5 --encoder clip="$demo/clip"
[[ $rc == 0 ]] || problem "exit code $rc: $(cat said)"
grep -qE '^\{"id":"drawn","clipscore.2.5":[01]\.[0-9]+,"clipscore.100":77\.[0-9]+,"clipscore.cos":0\.77[0-9]+\}$' out.jsonl ||
    problem "clipscore: $(cat out.jsonl)"
grep -qE '^\{"id":"said","clipscore.2.5":[01]\.[0-9]+,"clipscore.100":77\.[0-9]+,"clipscore.cos":0\.77[0-9]+,"refclipscore.2.5":[01]\.[0-9]+\}$' out.jsonl ||
    problem "refclipscore: $(cat out.jsonl)"
rm out.jsonl

# ---- pictures without an encoder, and sets: a copy, and another picture
cat >predictions.jsonl <<LINES
{"id": "same", "prediction_image": "$demo/images/attribute-01.jpg", "reference_images": ["$demo/images/attribute-01.jpg"]}
{"id": "other", "prediction_image": "$demo/images/counting-02.png", "reference_images": ["$demo/images/attribute-01.jpg"]}
LINES
metrics ssim.skimage,copy.detected,phash.distance
[[ $rc == 0 ]] || problem "exit code $rc: $(cat said)"
wants out.jsonl '{"id":"same","ssim.skimage":1,"phash.distance":0,"copy.detected":1}'
grep -qE '^\{"id":"other","ssim.skimage":0.[0-9]+,"phash.distance":[1-9][0-9]*,"copy.detected":0\}$' out.jsonl ||
    problem "pictures: $(cat out.jsonl)"
rm out.jsonl
metrics cmmd,pairwise_cosine --encoder clip="$demo/clip" --encoder sentence="$demo/sentence"
[[ $rc == 0 ]] || problem "exit code $rc: $(cat said)"
grep -qE '"corpus":\[\{"metric":"cmmd.clip","task":"image","n":2,"value":[0-9.e-]+\},\{"metric":"pairwise_cosine.clip","task":"image","n":2,"value":0[0-9.]+\}\]\}$' out.jsonl ||
    problem "sets: $(cat out.jsonl)"
rm out.jsonl

# ---- refused
metrics cmmd;                            refused sets --encoder clip
metrics match.exact,match.exact;         refused match.exact twice
metrics bertscore.f1;                    refused bertscore.f1 --encoder bertscore
metrics bertscore.f1 --encoder "bertscore=$demo/clip"; refused bertscore clip "no token states"
metrics bertscore.f1 --encoder "bertscore=$demo/sentence" --bertscore-layer 99; refused layer 99
metrics bertscore.p.rescaled --encoder "bertscore=$demo/sentence"; refused bertscore.p.rescaled --bertscore-baseline
metrics bertscore.p --encoder "bertscore=$demo/sentence" --bertscore-baseline 0.1,0.2; refused --bertscore-baseline P,R,F1
metrics bertscore.p --encoder "bertscore=$demo/sentence" --bertscore-baseline 0.1,0.2,1; refused 0.999999
metrics similarity.text_text.reference;  refused similarity.text_text.reference --encoder sentence
metrics similarity.text_text.reference --encoder text="$demo/sentence"; refused text= clip sentence
metrics similarity.text_text.reference --encoder sentence=nowhere; refused sentence nowhere
metrics match.exakt;                     refused match.exakt --list
metrics ,;                               refused --metric
echo '{"id": "a"' >predictions.jsonl;    metrics match.exact; refused 'line 1'
: >predictions.jsonl;                    metrics match.exact; refused predictions.jsonl empty
printf '{"id": "a", "prediction": "x"}\n{"id": "a", "prediction": "y"}\n' >predictions.jsonl
metrics match.exact;                     refused 'line 2' '"a"'
printf '{"id": "a", "prediction": "\xff"}\n' >predictions.jsonl
metrics match.exact;                     refused 'line 1'
printf '{"id": "a", "prediction": "x", "prediction_image": "y"}\n' >predictions.jsonl
metrics match.exact;                     refused 'line 1' prediction_image
printf '{"id": "a", "prediction": 3}\n' >predictions.jsonl
metrics match.exact;                     refused 'line 1' prediction 'number 3'
printf '{"prediction": "x"}\n' >predictions.jsonl; metrics match.exact; refused 'line 1' id
rm predictions.jsonl;                    metrics match.exact; refused predictions.jsonl

# ---- what is printed must arrive
echo '{"id": "a", "prediction": "x", "references": ["x"]}' >predictions.jsonl
if [[ -w /dev/full ]]; then
    for command in 'metrics --list' 'metrics --predictions predictions.jsonl --metric match.exact' \
        'plan --power --items 240' 'docs metrics' doctor; do
        rc=0
        "$program" $command >/dev/full 2>said || rc=$?
        [[ $rc == 1 ]] || problem "$command: exit code $rc, wanted 1: its output was lost"
        grep -q 'cannot be written' said || problem "$command: $(cat said)"
    done
fi

# ---- the list: each metric with its range, direction and reference
"$program" metrics --list >said
wants said match.exact length.words.mean meteor '    0 to 1, higher is better; reference: own definition' \
    '    -1 to 1, lower is better, encoder of role text_text; reference: own definition'
[[ $problems == 0 ]]
