#!/usr/bin/env python3
"""Make pipelines.json: every kind of part that a tokenizer.json may have, and what `tokenizers` does.

A case is a tokenizer.json without its model ("parts", JSON text) and the name of one of the models.
"ids" has for each of the texts the FNV-1a hash (32 bits) of the ids as decimal text with spaces, or
null where `tokenizers` itself stops; "decoded" that of each of the id lists decoded, without and with special tokens skipped.

    make_pipelines.py
"""
import base64
import json
import random
from pathlib import Path

from tokenizers import Tokenizer

import charsmap

HERE = Path(__file__).parent
LETTERS = list("▁ abcdefghijklmnopqrstuvwxyzABCDEF0123456789.,!?'-#<>[]éàßñ中文가☆Ġ") + ["\u0301"]
BYTES = [f"<0x{b:02X}>" for b in range(256)]
TEXTS = [
    "", " ", "a", "  a photo of  2 cats. ", "Don't WE'LL!", "foo-bar 3.5 1,234", "\ta\r\nb\n\n",
    "café cafe\u0301 CAFÉ", "İstanbul ΣΑΣ ß ẞ ŉ", "ﬁne Ａ ㎏ ½ Å", "中文 漢字 \U0002b820x", "가 가",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 ☆", "a▁b ▁ ▁▁c", "soft\u00adhyphen\u200b\ufeff",
    "a\u0085b\u00a0c\u180ed\u2003e\u3000f", "dead BEEF 0x1f", "<img>  x <img>  Foo foo bar bart",
    "bar none <S> <s> [MASK] abab", "A  <img>    <img>x", "aa" * 30, "!?!? ... --", "x]y[z]^&&&-a",
    "नमस्ते दुनिया", "٣ Ⅷ ²", "the 'quoted' word's end", "\u2581", "a\u000bb\u001cc", "the foo a cat",
]
WORDS = ["cat", "cats", "photo", "the", "ab", "▁a", "▁the", "aa", "foo"]


# ---- models -------------------------------------------------------------------------------------


def bpe(symbols, prefix="", suffix="", words=WORDS, **more):
    tokens, merges = list(dict.fromkeys(symbols)), []
    for w in words:
        parts = [w[0], *(prefix + c for c in w[1:])]
        parts[-1] += suffix
        left = parts[0]
        for right in parts[1:]:
            joined = left + right[len(prefix):]
            if left in tokens and right in tokens:
                merges.append([left, right])
                tokens.append(joined)
            left = joined
    return {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": prefix,
            "end_of_word_suffix": suffix, "fuse_unk": False, "byte_fallback": False,
            "ignore_merges": False, "vocab": {t: i for i, t in enumerate(dict.fromkeys(tokens))},
            "merges": [list(m) for m in dict.fromkeys(map(tuple, merges))]} | more


def models():
    every = ["<unk>", *LETTERS]
    pieces = [["<unk>", 0.0]] + [[c, -3.0 - 0.37 * i % 5] for i, c in enumerate(LETTERS[2:])]
    pieces += [[w, -1.5 - 0.25 * i] for i, w in enumerate(WORDS + ["th", "▁", "ca", "ats"])]
    wordpieces = ["[UNK]", *LETTERS[2:], *("##" + c for c in LETTERS[2:]), "cat", "##s", "photo", "##oto"]
    return {
        # The text itself can be read off these ids,
        "bytes": bpe(every + BYTES, byte_fallback=True, fuse_unk=True),
        # … and the words off these: the last symbol of each has an id of its own.
        "ends": bpe(every + [c + "</w>" for c in LETTERS], suffix="</w>", words=["cat", "the", "foo"]),
        "inside": bpe(every + ["##" + c for c in LETTERS], prefix="##", words=["cat", "photo"]),
        "fused": bpe(every[:20], fuse_unk=True),
        "whole": bpe(every + ["photo", "Don"], ignore_merges=True),
        "dropped": bpe(every[1:30], unk_token=None),
        "some_bytes": bpe(every + BYTES[:0xE4], byte_fallback=True),
        "wordpiece": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                      "max_input_chars_per_word": 50,
                      "vocab": {t: i for i, t in enumerate(dict.fromkeys(wordpieces))}},
        "unigram": {"type": "Unigram", "unk_id": 0, "vocab": pieces, "byte_fallback": False},
        # No piece for "h" and "f": only words that hold them.
        "no_unknown": {"type": "Unigram", "unk_id": None, "byte_fallback": False,
                       "vocab": [p for p in pieces[1:] + [["▁foo", -2.0]] if p[0] not in "hf"]},
        "unigram_bytes": {"type": "Unigram", "unk_id": 0, "byte_fallback": True,
                          "vocab": pieces + [[b, -9.0] for b in BYTES]},
    }


# ---- parts --------------------------------------------------------------------------------------

REGEXES = [r"\s+", r"\S+", r"[\s\S]", r"\h+", r"\H", r"[\h-]+", r"[^\s\p{L}]+", r" ?[^(\s|[.,!?])]+", r"[[a-c][x-z]]+",
           r"[^[a-c]\s]+", r"[]x]+", r"[^]x]+", r"[[:alpha:]_]+", r"[^[:alnum:] ]",
           r"[[:punct:]]+|[[:upper:]]", r"\w+", r"[^\w\s]+", r"\p{N}{1,3}", r"(?i:cat)|'s|'t", "x*", "",
           r"^a", r"(?<=a)b", r"\s+(?!\S)|\s+", r"[\r\n]", r"\[a|\]"]


def regex(pattern):
    return {"Regex": pattern}


def normalizers():
    smaller = charsmap.make({b"a": "X", b"ab": "Y", "é".encode(): "", b"\r": " ", "中".encode(): "zhong",
                             "e\u0301".encode(): "é", b"1": "▁"})
    simple = ["NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"]
    yield from ({"type": t} for t in simple)
    yield {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(smaller).decode()}
    yield from ({"type": "Strip", "strip_left": left, "strip_right": not left} for left in (True, False))
    yield {"type": "Prepend", "prepend": "▁"}
    yield from ({"type": "Replace", "pattern": {"String": s}, "content": "▁"} for s in (" ", "a", "  "))
    yield from ({"type": "Replace", "pattern": regex(r), "content": "-"} for r in REGEXES)
    for accents in (None, True, False):
        yield {"type": "BertNormalizer", "clean_text": accents is not True, "handle_chinese_chars": accents is None,
               "strip_accents": accents, "lowercase": accents is not False}
    yield {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}]}


def pretokenizers():
    kinds = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    for i, behavior in enumerate(kinds):
        yield {"type": "Split", "pattern": {"String": "a"}, "behavior": behavior, "invert": False}
        yield {"type": "Split", "pattern": regex(r"\p{L}+"), "behavior": behavior, "invert": i % 2 == 0}
        yield {"type": "Punctuation", "behavior": behavior}
    yield from ({"type": "Split", "pattern": regex(r), "behavior": "Isolated", "invert": False} for r in REGEXES)
    yield from ({"type": "Digits", "individual_digits": each} for each in (False, True))
    for scheme in ("always", "first", "never"):
        yield {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": scheme != "never"}
    yield from ({"type": t} for t in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit"))
    yield {"type": "CharDelimiterSplit", "delimiter": "-"}
    yield from (byte_level(space, words) for space in (False, True) for words in (False, True))
    yield {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, {"type": "Digits", "individual_digits": True},
                                                 {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first",
                                                  "split": True}]}


def byte_level(space=True, words=True):
    return {"type": "ByteLevel", "add_prefix_space": space, "trim_offsets": True, "use_regex": words}


def postprocessors():
    yield {"type": "BertProcessing", "sep": ["x", 3], "cls": ["y", 4]}
    yield {"type": "RobertaProcessing", "sep": ["x", 3], "cls": ["y", 4], "trim_offsets": True, "add_prefix_space": False}
    yield byte_level()
    special = {n: {"id": n, "ids": ids, "tokens": [n] * len(ids)} for n, ids in (("x", [3, 4]), ("y", [5]))}
    template = {"type": "TemplateProcessing",
                "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                           {"SpecialToken": {"id": "y", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": special}
    yield template
    yield {"type": "Sequence", "processors": [byte_level(), template]}


def decoders():
    yield byte_level()
    yield from ({"type": "WordPiece", "prefix": "##", "cleanup": cleanup} for cleanup in (False, True))
    yield from ({"type": "Replace", "pattern": p, "content": "_"} for p in ({"String": "▁"}, regex("[a-c]+|^x")))
    yield {"type": "ByteFallback"}
    yield {"type": "Fuse"}
    yield {"type": "Strip", "content": "a", "start": 1, "stop": 1}
    yield from ({"type": "Metaspace", "replacement": "▁", "prepend_scheme": s, "split": True}
                for s in ("always", "never", "first"))
    yield {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                            {"type": "ByteFallback"}, {"type": "Fuse"},
                                            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}


def added(first, **flags):
    """Tokens with white space of their own to take; several begin inside that of the one before."""
    tokens = [("<img>", {"lstrip": True, "rstrip": True, "special": True}), (" x", {}), ("Foo", {"normalized": True}),
              ("bar", {"single_word": True}), ("bar none", {}), ("<S>", {"normalized": True, "special": True}),
              ("  ", {"lstrip": True}), ("ab", {"rstrip": True})]
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return [{"id": first + i, "content": c} | plain | own | flags for i, (c, own) in enumerate(tokens)]


def cases():
    every = models()
    for part in normalizers():
        yield "bytes", {"normalizer": part}
    for part in pretokenizers():
        yield "ends", {"pre_tokenizer": part}
    for part in postprocessors():
        yield "bytes", {"post_processor": part}
    for part in decoders():
        yield "bytes", {"decoder": part}
    for name in every:
        yield name, {"pre_tokenizer": {"type": "WhitespaceSplit"}}
        yield name, {"normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}}
    first = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    for pattern, content in (("a| {2}", ""), ("a", "xy"), ("ca|  ", "-"), ("..", "-"), ("[^a]+", "-b")):
        yield "bytes", {"normalizer": {"type": "Replace", "pattern": regex(pattern), "content": content},
                        "pre_tokenizer": first}
    yield "no_unknown", {"pre_tokenizer": first}
    for flags in ({}, {"normalized": True}, {"rstrip": True}, {"single_word": True}):
        yield "bytes", {"normalizer": {"type": "Lowercase"}, "added_tokens": added(len(every["bytes"]["vocab"]), **flags)}
    yield "unigram_bytes", {"pre_tokenizer": first, "added_tokens": added(len(every["unigram_bytes"]["vocab"]))}


# ---- what tokenizers does -----------------------------------------------------------------------


def fnv32(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return f"{h:08x}"


def encode(tokenizer, text):
    try:
        return fnv32(" ".join(map(str, tokenizer.encode(text).ids)))
    except BaseException as stop:  # a panic is no Exception
        print("no ids for", ascii(text), stop)
        return None


def lists(n):
    r = random.Random(5)
    return [[r.randrange(n) for _ in range(k % 9)] for k in range(12)]


def make():
    every, out = models(), []
    for name, parts in cases():
        whole = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
                 "pre_tokenizer": None, "post_processor": None, "decoder": None} | parts | {"model": every[name]}
        tokenizer = Tokenizer.from_str(json.dumps(whole))
        entry = {"model": name, "parts": json.dumps(parts, ensure_ascii=False)[1:-1]}
        if "decoder" in parts:
            ids = lists(len(every[name]["vocab"]))
            entry["decoded"] = [fnv32(tokenizer.decode(i, skip_special_tokens=s)) for s in (False, True) for i in ids]
        else:
            entry["ids"] = [encode(tokenizer, t) for t in TEXTS]
        out.append(entry)
    document = {"texts": TEXTS, "lists": lists(len(every["bytes"]["vocab"])),
                "models": {n: json.dumps(m, ensure_ascii=False, separators=(",", ":")) for n, m in every.items()},
                "cases": out}
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":")).replace('{"model"', '\n{"model"')
    (HERE / "pipelines.json").write_text(text + "\n", encoding="utf-8")
    print(len(out), "cases,", len(text.encode()), "bytes")


if __name__ == "__main__":
    make()
