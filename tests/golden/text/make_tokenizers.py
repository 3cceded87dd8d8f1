#!/usr/bin/env python3
"""Make small tokenizer folders in every layout, texts, and the ids that transformers gives.

Writes beside itself, below folders/: one folder per layout, with case.json (how to load it) and
ids.txt. Line i of ids.txt belongs to line i of texts.jsonl: the FNV-1a hash (32 bits) of the ids as
decimal text with spaces, and for the first texts the ids themselves.

    make_tokenizers.py
"""
import json
import random
import shutil
from pathlib import Path

from tokenizers import normalizers
from transformers import AutoTokenizer

HERE = Path(__file__).parent
FOLDERS = HERE / "folders"
SHOWN = 30  # texts whose ids are written out
START, END = "<|startoftext|>", "<|endoftext|>"

CORPUS = (
    "a photo of a cat a photo of two dogs the red ball is on the left of the blue box there are "
    "three green cones in the picture how many apples are on the table a large yellow sphere next "
    "to a small purple cylinder the answer is seven what colour is the car it is raining in the "
    "street at night people walking under umbrellas an old man reading a newspaper drawing of the "
    "mountain with snow and trees generate an image that shows the same scene from another side "
    "is there anything between them counting objects understanding and generation don't can't"
).split()


# ---- training -----------------------------------------------------------------------------------


def byte_symbols():
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in plain]
    table = {b: chr(b) for b in plain} | {b: chr(256 + i) for i, b in enumerate(rest)}
    return [table[b] for b in range(256)]


def train_bpe(n_merges):
    """Most frequent pair first, ties in order of the pair."""
    words = {}
    for w in CORPUS:
        words[w] = words.get(w, 0) + 1
    split = {w: [*w[:-1], w[-1] + "</w>"] for w in words}
    merges = []
    for _ in range(n_merges):
        pairs = {}
        for w, symbols in split.items():
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] = pairs.get(pair, 0) + words[w]
        if not pairs:
            break
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        for w, s in split.items():
            i = 0
            while i + 1 < len(s):
                if (s[i], s[i + 1]) == best:
                    s[i : i + 2] = [s[i] + s[i + 1]]
                i += 1
    return merges


def clip_vocabulary():
    merges = train_bpe(260)
    base = byte_symbols()
    # Merges inside characters of several bytes, as real vocabularies have them.
    merges += [("Ã", "©"), ("Ã©", "s</w>"), ("ä", "¸"), ("ä¸", "Ń</w>"), ("ð", "Ł")]
    tokens = base + [b + "</w>" for b in base]
    known, kept = set(tokens), []
    for a, b in merges:
        if a in known and b in known and a + b not in known:
            known.add(a + b)
            tokens.append(a + b)
            kept.append((a, b))
    tokens += [START, END]
    return {t: i for i, t in enumerate(tokens)}, kept


def bert_vocabulary(cased):
    singles = [chr(c) for c in range(0x21, 0x7F)] + list("éßøñçüİıабвгд中国文漢字ー가한☆…“”’💥")
    words = sorted(set(CORPUS)) + ["hello", "world", "cafe", "café", "Paris", "UNK"]
    pieces = sorted({w[:n] for w in words for n in (2, 3, 4)} | {w[-n:] for w in words for n in (2, 3)})
    tokens = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    for t in singles + words + pieces + ["##" + t for t in singles + pieces]:
        if not cased and t.lower() != t:
            continue
        if t not in tokens:
            tokens.append(t)
    return tokens


# ---- folders ------------------------------------------------------------------------------------


def flags(content, normalized, **more):
    d = {"content": content, "single_word": False, "lstrip": False, "rstrip": False}
    return d | {"normalized": normalized} | more


def write(folder, name, data):
    path = FOLDERS / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(data, str):
        data = json.dumps(data, ensure_ascii=False, separators=(",", ":")) + "\n"
    path.write_text(data, encoding="utf-8")


def clip_json(vocab, merges, added, as_pairs=False):
    """tokenizer.json as the published CLIP folders have it."""
    words = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    return {
        "version": "1.0",
        "truncation": {"max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": added,
        "normalizer": {
            "type": "Sequence",
            "normalizers": [
                {"type": "NFC"},
                {"type": "Replace", "pattern": {"Regex": r"\s+"}, "content": " "},
                {"type": "Lowercase"},
            ],
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {"type": "Split", "pattern": {"Regex": words}, "behavior": "Removed", "invert": True},
                {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True},
            ],
        },
        "post_processor": {
            "type": "RobertaProcessing",
            "sep": [END, vocab[END]],
            "cls": [START, vocab[START]],
            "trim_offsets": False,
            "add_prefix_space": False,
        },
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": END,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "vocab": vocab,
            "merges": [list(m) if as_pairs else " ".join(m) for m in merges],
        },
    }


def bert_json(tokens, added, lowercase, post):
    return {
        "version": "1.0",
        "truncation": None,
        "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None,
                    "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": added,
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
                       "strip_accents": None, "lowercase": lowercase},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": post,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": 100, "vocab": {t: i for i, t in enumerate(tokens)}},
    }


def template(tokens):
    cls, sep = tokens.index("[CLS]"), tokens.index("[SEP]")
    return {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}},
                   {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [cls], "tokens": ["[CLS]"]},
                           "[SEP]": {"id": "[SEP]", "ids": [sep], "tokens": ["[SEP]"]}},
    }


def case(folder, family, **options):
    write(folder, "case.json", {"family": family} | options)
    if not (FOLDERS / folder / "config.json").exists():
        write(folder, "config.json", {"model_type": family})


def make_clip():
    vocab, merges = clip_vocabulary()
    lists = "#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges)
    added = [flags(t, True, id=vocab[t], special=True) for t in (START, END)]
    tagged = {k: flags(t, True) | {"__type": "AddedToken"} for k, t in
              (("bos_token", START), ("eos_token", END), ("unk_token", END))}
    config = {"tokenizer_class": "CLIPTokenizer", "pad_token": END, "model_max_length": 77}

    write("clip_published", "tokenizer.json", clip_json(vocab, merges, added))
    write("clip_published", "tokenizer_config.json", config | tagged)
    case("clip_published", "clip", max_length=12)

    write("clip_lists", "vocab.json", vocab)
    write("clip_lists", "merges.txt", lists)
    write("clip_lists", "tokenizer_config.json", config | tagged)
    write("clip_lists", "special_tokens_map.json",
          {k: flags(v["content"], True) for k, v in tagged.items()} | {"pad_token": END})
    case("clip_lists", "clip")

    write("clip_bare", "vocab.json", vocab)
    write("clip_bare", "merges.txt", lists)
    case("clip_bare", "clip", max_length=77)

    # Tokens that were added later, with every property, and a pad token of its own.
    n = len(vocab)
    decoder = {str(vocab[t]): flags(t, True, special=True) for t in (START, END)}
    decoder |= {
        str(n): flags("<img>", False, special=True) | {"lstrip": True, "rstrip": True},
        str(n + 1): flags("Foo", True, special=False),
        str(n + 2): flags("bar", True, special=False) | {"single_word": True},
        str(n + 3): flags("bar none", True, special=False),
    }
    write("clip_added", "tokenizer.json", clip_json(vocab, merges, added, as_pairs=True))
    write("clip_added", "tokenizer_config.json",
          config | {"added_tokens_decoder": decoder, "pad_token": "!", "bos_token": START,
                    "eos_token": END, "unk_token": END})
    case("clip_added", "clip")

    write("clip_legacy", "vocab.json", vocab)
    write("clip_legacy", "merges.txt", lists)
    write("clip_legacy", "added_tokens.json", {"<extra>": n, "Foo": n + 1})
    case("clip_legacy", "clip")


def make_bert():
    lower, cased = bert_vocabulary(False), bert_vocabulary(True)
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    def added(tokens):
        return [flags(t, False, id=tokens.index(t), special=True) for t in special]

    post = {"type": "BertProcessing", "sep": ["[SEP]", cased.index("[SEP]")],
            "cls": ["[CLS]", cased.index("[CLS]")]}
    write("bert_published", "tokenizer.json", bert_json(lower, added(lower), True, template(lower)))
    write("bert_published", "tokenizer_config.json",
          {"do_lower_case": True, "tokenizer_class": "BertTokenizer", "model_max_length": 512})
    case("bert_published", "bert", max_length=16)

    write("bert_lists", "vocab.txt", "\n".join(lower) + "\n")
    case("bert_lists", "bert")

    write("bert_cased", "vocab.txt", "\r\n".join(cased) + "\r\n")
    write("bert_cased", "tokenizer_config.json", {"do_lower_case": False})
    case("bert_cased", "bert")

    write("bert_cased_strip", "vocab.txt", "\n".join(cased) + "\n")
    write("bert_cased_strip", "tokenizer_config.json",
          {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False})
    case("bert_cased_strip", "bert")

    write("bert_accents", "vocab.txt", "\n".join(lower) + "\n")
    write("bert_accents", "tokenizer_config.json",
          {"do_lower_case": True, "strip_accents": False, "mask_token": flags("[MASK]", False)
           | {"lstrip": True, "__type": "AddedToken"}})
    case("bert_accents", "bert")

    # The generic class takes tokenizer.json as it is.
    write("bert_generic", "tokenizer.json", bert_json(cased, added(cased), False, post))
    write("bert_generic", "tokenizer_config.json",
          {"tokenizer_class": "PreTrainedTokenizerFast", "cls_token": "[CLS]", "pad_token": "[PAD]",
           "sep_token": "[SEP]", "unk_token": "[UNK]", "mask_token": "[MASK]"})
    case("bert_generic", "bert")

    # sentence-transformers puts a Lowercase in front for do_lower_case.
    write("bert_prepend", "tokenizer.json", bert_json(cased, added(cased), False, post))
    write("bert_prepend", "tokenizer_config.json",
          {"do_lower_case": False, "tokenizer_class": "BertTokenizer"})
    case("bert_prepend", "bert", prepend_lowercase=True)


# ---- texts --------------------------------------------------------------------------------------

CHOSEN = [
    "", " ", "\n\t ", "A\n'll 11p223RF☆ho!!to?'d'd''d of a cat to-$''d.",
    "ã", "a\u0303", "caf\u00e9 cafe\u0301 CAF\u00c9", "a\u000bb", "a\u200eb", "a\u2028b", "a\u0085b",
    "中文 漢字 \U0002b820 \U0002b91f \U0002b920x", "a" * 100, "a" * 101, "b" + "é" * 99, "é" * 101,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467", "soft\u00adhyphen", "İstanbul ΣΑΣ ẞß ŉ",
    "[MASK] [mask] [CLS][SEP]x[UNK]", f"{END}a {START}b {END.upper()} <|StartOfText|>",
    "<img>  x <img>  Foo foo bar bart bar none <extra>", "\u0000a\u0000b", "\ufffd x", "ﬁ Å Å 가 가",
    "1,234.5 ¼ ² Ⅷ ٣", "don't WE'LL i'm you're they've he'd it's", "#hash ##tag [unused0]",
    "a photo of a cat", "naïve façade — “quoted” … ☆💥",
]


def random_text(r):
    word = r.choice(CORPUS)
    kind = r.random()
    if kind < 0.35:
        return " ".join(r.choice(CORPUS) for _ in range(r.randint(1, 12)))
    if kind < 0.5:
        blocks = [(0x20, 0x7E), (0x80, 0x2FF), (0x300, 0x36F), (0x370, 0x5FF), (0x900, 0x1FFF),
                  (0x2000, 0x2FFF), (0x3000, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x3FFFF)]
        return "".join(chr(r.randint(*r.choice(blocks))) for _ in range(r.randint(1, 12)))
    if kind < 0.65:
        alphabet = " '.,-!?\t\n\u00a0\u3000abXYZ019éñ中ß☆\u0301\u0327<|>[]#"
        return "".join(r.choice(alphabet) for _ in range(r.randint(1, 30)))
    if kind < 0.75:
        parts = ["[MASK]", "[CLS]", END, END.upper(), "[mask]", START, "<img>", "Foo", "bar", " ", "\n"]
        return "".join(r.choice(parts) for _ in range(r.randint(1, 6)))
    if kind < 0.85:
        return "".join(r.choice([" ", "", "-"]) + r.choice(CORPUS).upper() for _ in range(r.randint(1, 8)))
    if kind < 0.92:
        return "".join(chr(r.randint(0x20, 0x7E)) for _ in range(r.randint(1, 40)))
    base = r.choice([0x400, 0x5D0, 0x600, 0x900, 0xE00, 0x1100, 0x1D00, 0x1F00, 0x3040, 0xAC00])
    return word + "".join(chr(base + r.randint(0, 0x5F)) for _ in range(r.randint(1, 12)))


def make_texts():
    r = random.Random(20)
    texts = CHOSEN + [random_text(r) for _ in range(2000)]
    with open(HERE / "texts.jsonl", "w", encoding="utf-8") as f:
        for t in texts:
            # The tests' JSON reader takes no NUL; U+10FFFE, which no text has, stands for it.
            f.write(json.dumps(t.replace("\0", "\U0010fffe"), ensure_ascii=False) + "\n")
    return texts


# ---- ids ----------------------------------------------------------------------------------------


def fnv32(text):
    h = 0x811C9DC5
    for byte in text.encode():
        h = (h ^ byte) * 0x01000193 & 0xFFFFFFFF
    return h


def write_ids(folder, texts):
    options = json.loads((FOLDERS / folder / "case.json").read_text())
    tokenizer = AutoTokenizer.from_pretrained(FOLDERS / folder)
    if options.get("prepend_lowercase"):
        backend = tokenizer.backend_tokenizer
        backend.normalizer = normalizers.Sequence([normalizers.Lowercase(), backend.normalizer])
    limit = options.get("max_length")
    lines = []
    for i, text in enumerate(texts):
        ids = tokenizer(text, truncation=limit is not None, max_length=limit).input_ids
        shown = " ".join(map(str, ids))
        lines.append(f"{fnv32(shown):08x}" + (f" {shown}" if i < SHOWN else ""))
    write(folder, "ids.txt", "\n".join(lines) + "\n")
    print(folder, type(tokenizer).__name__, len(tokenizer))


if __name__ == "__main__":
    shutil.rmtree(FOLDERS, ignore_errors=True)
    make_clip()
    make_bert()
    all_texts = make_texts()
    for path in sorted(FOLDERS.iterdir()):
        write_ids(path.name, all_texts)
