"""Trains the two small tokenizers of the demo: make_tokenizers.py (no arguments; writes beside this file).

    clip/       byte-level BPE as CLIP has it: tokenizer.json, vocab.json, merges.txt, tokenizer_config.json, ...
    sentence/   WordPiece as BERT has it: tokenizer.json, vocab.txt, tokenizer_config.json, ...

The trainer is deterministic: the most frequent pair is merged first, of equally frequent pairs the alphabetically
first. All single bytes (CLIP) and the common letters and signs (BERT) are in the vocabularies, so any text can be
encoded; the words of the corpus below are single tokens.
"""
import json
import random
import re
from collections import Counter
from pathlib import Path

import scenes

HERE = Path(__file__).resolve().parent
TEXT_LENGTH = 32            # longest CLIP text, <|startoftext|> and <|endoftext|> included
SENTENCE_LENGTH = 48        # longest BERT text, [CLS] and [SEP] included
START, END = "<|startoftext|>", "<|endoftext|>"

SENTENCES = """
How many red circles are there in the picture? How many objects can you see? Count the stars in the image.
What is the number of crosses in this picture? Give the number as a word or a digit. Answer with one number.
What colour is the ring? Which colour does the square have? What color is it? Name the colour of the triangle.
What shape is shown? Which shape is in the picture? What is the shape of the red object? Name the shape.
Where is the star? Where in the picture can the blue ring be found? Describe what is in the picture.
What does the picture show? Which of these is in the picture? Which two objects are shown? What else is shown?
Which description fits the picture? Choose one of the answers. Answer with the letter of the right choice.
If one more were added, how many would there be? If one were taken away, how many would be left?
What would the picture show if the circle were blue? Suppose the shape moved to the other side; where would it be?
Draw a picture of three red circles. Draw the scene. Show a red circle and a blue square. An image of it.
A photo of two stars. A drawing of a green cross. Generate an image with exactly four yellow rings.
Make it blue. Make the circle green instead. Change the colour to red. Change the shape to a star. Replace it.
Add one more circle. Remove one of the squares. Move it to the left. Swap the two colours. Keep everything else.
There are three circles, all of them red. There is one red circle. There is exactly one object: a blue star.
I can see six purple crosses in the image. I see a ring. The picture shows an orange triangle at the bottom.
The image contains five black squares. The picture contains nothing else. It looks like a white circle to me.
The scene shows a single yellow star; it is in the middle. In the top left corner there is a red ring.
Its colour is red. The colour is blue. It is red. The object is green. The shape is a square. They are all black.
The answer is three. The answer is 3. I count 4. I counted five of them. Six of them are there. 1 2 3 4 5 6 7 8 9 0
zero one two three four five six seven eight nine ten eleven twelve none no not any several many few only just
Next to a red circle there is a blue square. Both a ring and a cross are shown, one yellow and the other purple.
Besides the star, you can see a square. Together with a white ring you see an orange cross.
left right top bottom middle centre center upper lower corner side above below edge part half image picture scene
round four-sided pointed hollow red-coloured coloured colored single pair of exactly Answer: (A) A. (B) B. (C) C.
(D) D. yes no sure, okay, well - I think so; perhaps it's that's they're I'd we've you'll don't can't
"""


def corpus():
    """The texts both tokenizers are trained on: every caption of one object, many of two, and the sentences above."""
    f, rng, texts = scenes.Facts, random.Random(11), []
    for colour in scenes.COLOURS:
        for shape in scenes.SHAPES:
            texts.append(scenes.caption(f("attribute", colour, shape)))
            texts += [scenes.caption(f("count", colour, shape, number=n)) for n in range(1, scenes.MOST + 1)]
            texts += [scenes.caption(f("place", colour, shape, place=p)) for p in scenes.PLACES]
    texts += [scenes.caption(scenes.sample(rng, "two")) for _ in range(300)]
    return texts + SENTENCES.strip().split("\n") * 3


def merges(words, limit):
    """words: {tuple of symbols: count}. Returns the merged pairs, in order, until every word is one symbol."""
    words, order = dict(words), []
    while len(order) < limit:
        pairs = Counter()
        for symbols, count in words.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += count
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        order.append(best)
        merged = Counter()
        for symbols, count in words.items():
            out, i = [], 0
            while i < len(symbols):
                if symbols[i:i + 2] == best:
                    out.append(join(best))
                    i += 2
                else:
                    out.append(symbols[i])
                    i += 1
            merged[tuple(out)] += count
        words = merged
    return order


def join(pair):
    return pair[0] + pair[1].removeprefix("##")


def write_json(path, value, indent=2):
    path.write_text(json.dumps(value, indent=indent, ensure_ascii=False) + "\n", encoding="utf-8")


# ---- CLIP

def byte_map():
    """byte -> printable character, in CLIP's order of the vocabulary."""
    shown = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [b for b in range(256) if b not in shown]
    return {**{b: chr(b) for b in shown}, **{b: chr(0x100 + i) for i, b in enumerate(hidden)}}


def clip_tokenizer(folder, limit=600):
    table, words = byte_map(), Counter()
    for text in corpus():                                   # the corpus is ASCII: these classes equal \p{L}, \p{N}
        for piece in re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[0-9]|[^\sa-z0-9]+", text.lower()):
            symbols = [table[b] for b in piece.encode()]
            words[(*symbols[:-1], symbols[-1] + "</w>")] += 1
    pairs = merges(words, limit)
    tokens = [*table.values(), *(c + "</w>" for c in table.values()), *map(join, pairs), START, END]
    vocab = {t: i for i, t in enumerate(tokens)}
    assert len(vocab) == len(tokens)

    def added(token):
        return dict(id=vocab[token], content=token, single_word=False, lstrip=False, rstrip=False, normalized=True,
                    special=True)

    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "vocab.json", vocab, None)
    lines = [" ".join(p) for p in pairs]
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines]) + "\n", encoding="utf-8")
    split = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [added(START), added(END)],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"}, {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
            {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": split}, "behavior": "Removed", "invert": True},
            {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}]},
        "post_processor": {"type": "RobertaProcessing", "sep": [END, vocab[END]], "cls": [START, vocab[START]],
                           "trim_offsets": False, "add_prefix_space": False},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": END, "continuing_subword_prefix": "",
                  "end_of_word_suffix": "</w>", "fuse_unk": False, "vocab": vocab, "merges": lines}})
    special = dict(single_word=False, lstrip=False, rstrip=False, normalized=True)
    start, end = dict(content=START, **special), dict(content=END, **special)
    write_json(folder / "special_tokens_map.json",
               {"bos_token": start, "eos_token": end, "unk_token": end, "pad_token": END})
    write_json(folder / "tokenizer_config.json", {
        "unk_token": {**end, "__type": "AddedToken"}, "bos_token": {**start, "__type": "AddedToken"},
        "eos_token": {**end, "__type": "AddedToken"}, "pad_token": END, "add_prefix_space": False, "errors": "replace",
        "do_lower_case": True, "model_max_length": TEXT_LENGTH, "tokenizer_class": "CLIPTokenizer"})
    return vocab


# ---- BERT

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def bert_tokenizer(folder, limit=900):
    ascii_signs = [chr(c) for c in range(0x21, 0x7F) if not chr(c).isupper()]
    letters = [chr(c) for c in [*range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x3B1, 0x3CA), *range(0x430, 0x450)]
               if not chr(c).isupper()]
    signs = ascii_signs + letters + list("–—‘’“”…€")
    words = Counter()
    for text in corpus():
        for piece in re.findall(r"[a-z0-9]+|[^\sa-z0-9]", text.lower()):
            words[(piece[0], *("##" + c for c in piece[1:]))] += 1
    pairs = merges(words, limit)
    tokens = SPECIAL + signs + ["##" + c for c in signs] + [join(p) for p in pairs]
    vocab = {t: i for i, t in enumerate(dict.fromkeys(tokens))}

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n", encoding="utf-8")
    write_json(folder / "tokenizer.json", {
        "version": "1.0", "truncation": None, "padding": None,
        "added_tokens": [dict(id=vocab[t], content=t, single_word=False, lstrip=False, rstrip=False, normalized=False,
                              special=True) for t in SPECIAL],
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                       {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                     {"SpecialToken": {"id": "[SEP]", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                     {"SpecialToken": {"id": "[SEP]", "type_id": 1}}],
            "special_tokens": {t: {"id": t, "ids": [vocab[t]], "tokens": [t]} for t in ("[CLS]", "[SEP]")}},
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": vocab}})
    names = {"unk_token": "[UNK]", "sep_token": "[SEP]", "pad_token": "[PAD]", "cls_token": "[CLS]",
             "mask_token": "[MASK]"}
    write_json(folder / "special_tokens_map.json", names)
    write_json(folder / "tokenizer_config.json", {
        "do_lower_case": True, **names, "tokenize_chinese_chars": True, "strip_accents": None,
        "model_max_length": SENTENCE_LENGTH, "tokenizer_class": "BertTokenizer"})
    return vocab


if __name__ == "__main__":
    print("clip", len(clip_tokenizer(HERE / "clip")), "tokens")
    print("sentence", len(bert_tokenizer(HERE / "sentence")), "tokens")
