#!/usr/bin/env python3
"""Write src/text/unicode_tables.c and tests/golden/text/unicode.json from the tokenizers library.

The library takes each character class from another table of another Unicode version (Rust's
standard library, Oniguruma, two crates). Asking it about every code point is the only way to agree
with it everywhere; it also pins the classes, so that they do not change with the system's utf8proc.

What it cannot be asked is taken from the `regex` module (Hangul, flags, pictographs, Indic
conjuncts: parts of the grapheme rules) and from Python's own lowercase (cased and case-ignorable
characters, for the final sigma).

    make_unicode.py REPOSITORY
"""
import bisect
import json
import sys
from pathlib import Path

import charsmap
import regex
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, models, normalizers, pre_tokenizers

# Bits of a class word; unicode.c has the same order.
FLAGS = ["SPACE", "LETTER", "NUMBER", "PUNCT", "CONTROL", "MARK", "WORD", "NFC", "NFD"]
# Bits of a word of the second table, above the grapheme class.
MORE_FLAGS = ["NUMERIC", "COMBINING", "COMPAT", "CASED", "CASE_IGNORABLE"]
# Grapheme classes; unicode.h has the same order.
GRAPHEME = ["OTHER", "CONTROL", "EXTEND", "SPACING", "PREPEND", "L", "V", "T", "LV", "LVT", "FLAG",
            "PICTOGRAPH", "CONSONANT", "LINKER"]
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]


def removed_by(normalizer):
    return {c for c in CODE_POINTS if normalizer.normalize_str(chr(c)) == ""}


def regex_class(pattern):
    return removed_by(normalizers.Replace(Regex(pattern), ""))


def bert(clean=False, strip=False):
    return normalizers.BertNormalizer(
        clean_text=clean, handle_chinese_chars=False, strip_accents=strip, lowercase=False
    )


def punctuation():
    split = pre_tokenizers.BertPreTokenizer()
    return {c for c in CODE_POINTS if len(split.pre_tokenize_str(f"a{chr(c)}a")) == 3}


def word_characters():
    """Characters next to which a single_word token does not match."""
    tok = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tok.add_tokens([AddedToken("\U0010fffd\U0010fffd", single_word=True, normalized=False)])
    return {
        c for c in CODE_POINTS if 1 not in tok.encode(chr(c) + "\U0010fffd\U0010fffd").ids
    }


def normal_forms():
    """Code points that NFC (NFD) may change or that may react with the one before."""
    nfc, nfd = normalizers.NFC(), normalizers.NFD()
    ordered, seconds, changed_c, changed_d = set(), set(), set(), set()
    for c in CODE_POINTS:
        ch = chr(c)
        d = nfd.normalize_str(ch)
        if d != ch:
            changed_d.add(c)
        if nfc.normalize_str(ch) != ch:
            changed_c.add(c)
        seconds.update(ord(x) for x in d[1:])
        # A combining class other than 0 shows when a mark of the lowest (highest) class moves.
        if nfd.normalize_str(ch + "\u0334") == "\u0334" + ch or (
            nfd.normalize_str("\u0345" + ch) == ch + "\u0345"
        ):
            ordered.add(c)
    ordered.update({0x334, 0x345})
    return ordered | seconds | changed_c, ordered | changed_d


def class_words():
    clean = bert(clean=True)
    space, control = regex_class(r"\s"), removed_by(clean)
    cleaned = {c for c in CODE_POINTS if clean.normalize_str(chr(c)) == " "}
    assert cleaned == space - control, "white space of Rust and of Oniguruma differ"
    nfc, nfd = normal_forms()
    sets = {
        "SPACE": space,
        "LETTER": regex_class(r"\p{L}"),
        "NUMBER": regex_class(r"\p{N}"),
        "PUNCT": punctuation(),
        "CONTROL": control,
        "MARK": removed_by(bert(strip=True)),
        "WORD": word_characters(),
        "NFC": nfc,
        "NFD": nfd,
    }
    words = [0] * 0x110000
    for bit, name in enumerate(FLAGS):
        for c in sets[name]:
            words[c] |= 1 << bit
    return words


def precompiled(source):
    """A normalizer that makes X of one character, or of a short grapheme that begins with it."""
    return normalizers.Precompiled(charsmap.make({source.encode(): "X"}))


def grapheme_classes():
    """Class of each code point. What is before or after a short grapheme shows whether the library
    took the replacement for the whole of it (a mark is lost) or for its first character."""
    letter, mark = precompiled("a"), precompiled("\u0301")
    classes = [0] * 0x110000

    def put(name, members):
        for c in members:
            classes[c] = GRAPHEME.index(name)

    def known(pattern):
        one = regex.compile(pattern)
        return [c for c in CODE_POINTS if one.match(chr(c))]

    put("PICTOGRAPH", known(r"\p{Extended_Pictographic}"))
    put("CONSONANT", known(r"\p{InCB=Consonant}"))
    put("FLAG", known(r"\p{GCB=Regional_Indicator}"))
    for name in ("L", "V", "T", "LV", "LVT"):
        put(name, known(rf"\p{{GCB={name}}}"))
    put("EXTEND", [c for c in CODE_POINTS if letter.normalize_str("a" + chr(c)) == "X"])
    put("SPACING", [c for c in known(r"\p{GCB=SpacingMark}") if classes[c] == GRAPHEME.index("EXTEND")])
    put("LINKER", known(r"\p{InCB=Linker}"))
    put("PREPEND", [c for c in CODE_POINTS
                    if c != 0x61 and letter.normalize_str(chr(c) + "a\u0301").endswith("X\u0301")])
    put("CONTROL", [c for c in CODE_POINTS
                    if mark.normalize_str(chr(c) + "\u0301\u0302") == chr(c) + "X"])
    return classes


def more_words():
    nfkd, marks = normalizers.NFKD(), normalizers.StripAccents()
    digits = pre_tokenizers.Digits(True)
    sets = {
        "NUMERIC": [c for c in CODE_POINTS if len(digits.pre_tokenize_str(f"a{chr(c)}a")) == 3],
        "COMBINING": removed_by(marks),
        "COMPAT": [c for c in CODE_POINTS if nfkd.normalize_str(chr(c)) != chr(c)],
        "CASED": [c for c in CODE_POINTS if (chr(c) + "Σ").lower()[-1] == "ς"],
        "CASE_IGNORABLE": [c for c in CODE_POINTS if ("Aʼ" + chr(c) + "Σ").lower()[-1] == "ς"],
    }
    # A cased character before the sigma makes it final too; it is not ignorable if it does so alone.
    sets["CASE_IGNORABLE"] = sorted(set(sets["CASE_IGNORABLE"]) - set(sets["CASED"]))
    words = grapheme_classes()
    for bit, name in enumerate(MORE_FLAGS):
        for c in sets[name]:
            words[c] |= 1 << bit + 4
    return words


def lower_ranges():
    """Rows (first, last, step, delta) of single code points, and the multiple ones apart."""
    lower = normalizers.Lowercase()
    rows, multiple = [], []
    for c in CODE_POINTS:
        low = lower.normalize_str(chr(c))
        if len(low) != 1:
            multiple.append((c, low))
            continue
        delta = ord(low) - c
        if delta == 0:
            continue
        if rows:
            first, last, step, d = rows[-1]
            gap = c - last
            if d == delta and gap <= 2 and (first == last or gap == step):
                rows[-1] = (first, c, gap, d)
                continue
        rows.append((c, c, 1, delta))
    assert multiple == [(0x130, "i\u0307")], multiple
    return rows


def word_table(name, blocks, words):
    """Rows of runs of equal words, and the row of each block of 256."""
    starts = [c for c in range(0x110000) if c == 0 or words[c] != words[c - 1]]
    out = [f"const uint32_t {name}[] = {{"]
    cells = [f"0x{c << 11 | words[c]:X}," for c in starts]
    for i in range(0, len(cells), 8):
        out.append("    " + " ".join(cells[i : i + 8]))
    out += ["};", "", f"const uint16_t {blocks}[] = {{"]
    cells = [f"{bisect.bisect_right(starts, b << 8) - 1}," for b in range(0x1101)]
    for i in range(0, len(cells), 16):
        out.append("    " + " ".join(cells[i : i + 16]))
    return out + ["};", ""]


def write_tables(path):
    rows = lower_ranges()
    out = [
        "/* Character classes and lowercase, as the tokenizers library has them. Written by",
        " * tests/golden/text/make_unicode.py; do not edit. */",
        '#include "text/unicode_tables.h"',
        "",
        "/* clang-format off */",
    ]
    out += word_table("ge_unicode_classes", "ge_unicode_blocks", class_words())
    out += word_table("ge_unicode_more_classes", "ge_unicode_more_blocks", more_words())
    out += ["const struct ge_unicode_lower ge_unicode_lower[] = {"]
    cells = [f"{{0x{f:X}, 0x{l:X}, {s}, {d}}}," for f, l, s, d in rows]
    for i in range(0, len(cells), 3):
        out.append("    " + " ".join(cells[i : i + 3]))
    out += [
        "};",
        "const size_t ge_unicode_n_lower = sizeof ge_unicode_lower / sizeof *ge_unicode_lower;",
        "/* clang-format on */",
        "",
    ]
    path.write_text("\n".join(out), encoding="utf-8")


def fnv(pieces):
    """FNV-1a, 64 bits, over the UTF-8 of all pieces, each followed by a NUL."""
    h = 0xCBF29CE484222325
    for piece in pieces:
        for byte in piece.encode() + b"\0":
            h = (h ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def write_digests(path):
    """Digests of what each normalizer makes of every code point, alone and between letters."""
    kinds = {
        "nfc": normalizers.NFC(),
        "nfd": normalizers.NFD(),
        "lower": normalizers.Lowercase(),
        "bert": normalizers.BertNormalizer(),
        "bert_cased": normalizers.BertNormalizer(lowercase=False),
        "nfkc": normalizers.NFKC(),
        "nfkd": normalizers.NFKD(),
        "strip_accents": normalizers.StripAccents(),
        "nmt": normalizers.Nmt(),
    }
    doc = {"tokenizers": tokenizers.__version__}
    for name, n in kinds.items():
        doc[name] = fnv(n.normalize_str(f"e{chr(c)}\u0301 {chr(c)}") for c in CODE_POINTS)
    path.write_text(json.dumps(doc, indent=1) + "\n")


if __name__ == "__main__":
    root = Path(sys.argv[1])
    write_tables(root / "src/text/unicode_tables.c")
    write_digests(root / "tests/golden/text/unicode.json")
