#!/bin/bash
# Figures over whole corpora, diagnoses and copies are the same whoever computed their parts.
# corpus.sh PROGRAM SOURCES FOLDER LAUNCHER...
. "$(dirname "$0")/common.sh"
images=$sources/data/demo/images
job=job.json # named demo like the other, for common.sh

cat >job.json <<JOB
{
  "name": "demo",
  "dataset": {"path": "items.jsonl"},
  "systems": [{"name": "one", "answers": "one.jsonl"}, {"name": "two", "answers": "two.jsonl"}],
  "encoders": {"clip": {"model": "$sources/data/demo/clip"},
               "sentence": {"model": "$sources/data/demo/sentence"}},
  "scoring": {
    "roles": {"image_text": "clip", "image_image": "clip", "text_text": "sentence"},
    "thresholds": {"say": {"details.recall": {"min": 0.5}}, "draw": {"phash.distance": {"max": 64}}},
    "tasks": {
      "ask": {"metrics": ["exact.evaluate", "exact.evaluate.loose", "distinct1"], "verdict": {"rule": "alias"}},
      "say": {"metrics": ["details.recall", "chair.i", "constraints.share.strict", "opening.share", "bleu4.coco",
                          "rouge_l.coco", "cider_d.coco", "self_bleu3.first500", "compression.ratio", "distinct2",
                          "pairwise_cosine"],
              "verdict": {"rule": "threshold", "metric": "details.recall"}},
      "draw": {"metrics": ["cmmd", "kid.full", "pairwise_cosine", "ssim.skimage", "ssim.torchmetrics"],
               "verdict": {"rule": "threshold", "metric": "phash.distance"}}
    }
  },
  "aggregation": {"by": ["category"]}
}
JOB

# Eight items that are said and eight that are drawn; system `two` copies, repeats itself and invents more.
colours=(red green blue yellow)
echo '{"gapeval": "manifest", "version": 1, "name": "corpus"}' >items.jsonl
for i in {0..7}; do
    c=${colours[i % 4]} other=${colours[(i + 1) % 4]} picture=$images/attribute-0$((i + 1)).jpg
    ask='"task": "ask", "prompt": "Which colour?", "references": ["'$c'", "'$c'", "'$other'"]'
    cat >>items.jsonl <<ITEMS
{"id": "say-$i", "category": "$other", "und": {$ask}, "gen": {"task": "say", "prompt": "Describe it.", "references": ["a $c dog by a $other tree"], "details": ["a $c dog", "$other tree"], "objects": [{"name": "dog"}, {"name": "cat", "present": false}], "constraints": [{"kind": "exclude", "text": "photo"}]}}
{"id": "draw-$i", "category": "$c", "und": {$ask}, "gen": {"task": "draw", "prompt": "Draw it.", "reference_images": ["$picture"]}}
ITEMS
    cat >>one.jsonl <<ANSWERS
{"item": "say-$i", "direction": "und", "text": "$c."}
{"item": "say-$i", "direction": "gen", "text": "There is $c grass, and a $c dog under a tree that is number $i."}
{"item": "say-$i", "direction": "gen", "sample": 1, "text": "Here a $c dog sits by a $other tree."}
{"item": "draw-$i", "direction": "und", "text": "purple"}
{"item": "draw-$i", "direction": "gen", "image": "$images/attribute-0$(((i + 3) % 8 + 1)).jpg"}
ANSWERS
    said=$other copied=$picture
    ((i > 0)) || said=purple # which nobody gets right
    ((i % 3 > 0)) || copied=$images/attribute-0$(((i + 1) % 8 + 1)).jpg
    cat >>two.jsonl <<ANSWERS
{"item": "say-$i", "direction": "und", "text": "purple"}
{"item": "say-$i", "direction": "gen", "text": "A photo of a $c cat."}
{"item": "draw-$i", "direction": "und", "text": "$said"}
{"item": "draw-$i", "direction": "gen", "image": "$copied"}
ANSWERS
done

run one
for word in cmmd.clip kid.full.clip pairwise_cosine.sentence bleu4.coco cider_d.coco self_bleu3.first500 chair.i \
    opening.share says-not-shows shows-not-says templated missing-details invented-objects \
    broken-constraints copies metrics-disagree nobody-right; do
    grep -q "\"$word\"" one/demo/summary.json || fail "no $word in the summary"
done
for n in 1 2 3 5; do
    ranks $n ranks-$n --chunk-items 1
    same_digest one ranks-$n
    cmp one/demo/summary.json ranks-$n/demo/summary.json || fail "$n ranks: another summary.json"
    cmp one.md ranks-$n.md || fail "$n ranks: another table"
done
