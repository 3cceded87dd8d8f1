#!/usr/bin/env python3
"""Write what pycocoevalcap 1.2 (its jar is CoreNLP 3.4.1; needs Java) and nltk 3.10
give for captions:

    captions_tokens.jsonl   [caption, tokens] of the first 800 of 5,000 captions made to stress the
                            tokenizer
    captions_scores.json    BLEU-1…4, ROUGE-L, CIDEr-D of small corpora, tokens given and end to end
    captions_alike.json     distinct-n, self-BLEU, commonest opening and compression of sets of texts

    make_captions.py FOLDER [ALL.jsonl]

ALL.jsonl gets all 5,000; GE_CAPTION_TOKENS=ALL.jsonl makes captions_golden_test read it instead.

Each caption stands between lines that say "zz", so that its neighbours do not matter; at the end the
script says for how many pycocoevalcap's own way (one caption after the other) gives other tokens.
"""
import collections
import json
import os
import random
import subprocess
import sys
import tempfile
import zlib

import pycocoevalcap.tokenizer.ptbtokenizer as ptb
from nltk.translate.bleu_score import SmoothingFunction, sentence_bleu
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge

COMMITTED, ALL = 800, 5000

NOUNS = """man woman child dog cat horse train bus street kitchen table pizza sandwich kite beach surfboard
sign clock tower giraffe zebra elephant umbrella bench field frisbee skateboard laptop phone bathroom mirror
bear bowl broccoli vase lamp car truck airplane motorcycle bicycle traffic light fire hydrant""".split()
ADJECTIVES = "red blue small large old young wooden yellow empty crowded snowy sunny dirty white".split()
VERBS = "riding holding standing eating sitting looking walking flying throwing parked wearing".split()

STRESS = {
    "contraction": """don't can't cannot won't isn't ain't I'm he's they've we'd you'll it's that's who're
        could've shouldn't've y'all ma'am gonna gotta wanna gimme lemme dunno 'tis 'twas 'em 'til o'clock
        rock'n'roll rock 'n' roll C'mon c'est O'Malley d'Avignon L'Oreal don\u2019t it\u2019s he\u2019d
        they\u2019re can\u2019t \u2019em o\u2019clock don`t it\u00b4s DON'T CAN'T IT'S GONNA Cannot
        d'ye more'n ev'ry li'l s'mores nor'easter int'l gov't""",
    "possessive": """dogs' dog's James' James's men's women\u2019s 1990's '90s 90s '80s Levi's McDonald's
        Wendy\u2019s else's boss's""",
    "quote": """"hello" 'hello' \u201chello\u201d \u2018hello\u2019 ``hello'' `hello' "STOP" ("go") "it's"
        '"both"' \u00abbonjour\u00bb \u201elow\u201c \u2039x\u203a "a 'a' "b &quot;q&quot; 'the end' "$5\"""",
    "hyphen": """t-shirt T-shirt well-known 5-year-old two-tone black-and-white x-ray e-mail co-op
        stop-sign mother-in-law -left right- half- -- --- ---- - a--b a---b pre-1990 U.S.-made non-U.S.
        3.5-inch 10,000-seat mid-air post-war anti- pro- uh-oh o-kay red_and_blue""",
    "number": """1 2 10 100 1,000 10,000 1,000,000 3.5 0.25 .5 -5 +5 1st 2nd 3rd 21st 4x4 2x 50% 5% #1 #10
        No. 7 no. 3 No.5 100k 1e5 1.5m 1-2 3-5 10-12 007 1990 1990s 3,5 1. 2, 3: 1/2/3""",
    "unit": """5ft 6ft. 5' 6'2" 5'10" 10in 3in. 20lb 15oz. 5lbs 75\u00b0 75\u00b0F 20\u00b0C 10km 60mph 5ml
        12V 100W 2\u00d74 m\u00b2 5\u00b5m 30m. 8oz""",
    "date": """10/12/2014 10-12-2014 2014-10-12 1/2/14 Jan. 5 Feb. Dec. 25, Sept. May. Mon. Tues. Wed. Sat.
        July 4th 12/25 '99 1999-2000 2014-05-06T10:20:30Z""",
    "time": "12:30 12:30pm 12:30 p.m. 5pm 5p.m. 9 a.m. 9a.m. 10:00 10:00:30 9-to-5 24/7 noon. 7:15AM",
    "abbreviation": """Mr. Mrs. Ms. Dr. St. Ave. Blvd. Rd. Jr. Sr. Inc. Co. Corp. Ltd. U.S. U.K. U.S.A. D.C.
        Ph.D. M.D. B.C. A.D. e.g. i.e. etc. vs. vs approx. cf. al. fig. figs. p. pp. Mt. Ft. Gen. Gov. Sen.
        Rep. Rev. Prof. Calif. Mass. Wash. Fla. La. Pa. a.k.a. J.R.R. J. T. X. mr. dr st. inc. no. ca. art.
        R.E.M. F.B.I. N.Y. L.A. Bros. Dept.""",
    "address": """http://www.example.com https://example.org/a/b?c=d&e=f http://x.com/a. www.example.com
        example.com example.org/path foo.net, me@example.com <me@example.com> a.b-c@d.co.uk @user @user_name
        #tag #tag2 #a_b photo.jpg IMG_1234.JPG image.png, file.tar.gz C:\\dir readme.txt 10a.pdf a@b
        mailto:me@x.org""",
    "ampersand": "AT&T R&D B&W b&w A&P black&white & &amp; A&amp;W &lt;b&gt; &nbsp; &#39; M&M's H&M S&P-500",
    "slash": """and/or black/white w/ w/o he/she red/green/blue a/b/c/d / // km/h 1/2 1/4 3/4 1/3 1 1/2 2 3/4
        1-1/2 \u00bd \u00bc \u00be 1\u00bd 2 \u00bd \u2153 \u2154 1\u20442 10/10 n/a""",
    "currency": """$5 $5.00 $1,000 $.99 US$5 5$ \u00a35 \u00a310.50 \u20ac5 5\u20ac \u00a5100 99\u00a2 $ $$$ A$20
        C$3 #5 5 \u20ac""",
    "ellipsis": "... .. .... ..... . . . \u2026 wait... ...and a...b hm\u2026 .",
    "bracket": """(left) [sic] {x} (a (b)) <b>bold</b> <br/> <br> <!--x--> < > << >> -LRB- (1) a) 1) [1] ((
        )) <3 <a href="x"> ()""",
    "dash": "\u2013 \u2014 a\u2014b a\u2013b 1990\u20131995 \u2010 well\u2010known \u2011 \u2015 \u2212 ~ _ __",
    "emoji": """\U0001f600 \u2764 \u2764\ufe0f \U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1fa\U0001f1f8 \u263a
        hello\U0001f600 \U0001f44d\U0001f3fd \u2600 :) :-) ;) :( :D :P =) ^_^ T_T <3 :-/ XD (^_^) \u2605 \u266b""",
    "accent": """caf\u00e9 na\u00efve fianc\u00e9e jalape\u00f1o \u00c9cole \u00dcber S\u00e3o cr\u00e8me
        br\u00fbl\u00e9e Z\u00fcrich caf\u00e9-bar cafe\u0301 \u0130stanbul stra\u00dfe \u0160koda \u6f22\u5b57
        \u041c\u043e\u0441\u043a\u0432\u0430 \u03a3\u03b5\u03bb\u03ae\u03bd\u03b7\u03c2 caf\u00e9's pi\u00f1ata \u00c5 \u0663""",
    "space": "a\u00a0b \u00a0 a\u2009b a\u3000b a\u200bb so\u00adft \u00ad a\tb \u2003 1\u00a01/2",
    "mark": """! ? !! ?! !!! ??? , ; : . ,, :: * ** *** % + = == ^ | \\ ~ ` ' " @ # & / \u00a9 \u00ae \u2122 \u2022
        \u00b7 \u00a7 \u00b6 \u2020 \u00bf \u00a1 \u2192 \u2260 Yahoo! E! OK! What?!""",
    "phone": """555-1234 (555) 123-4567 555-123-4567 555.123.4567 1-800-555-1234 +1 555 123 4567 (555)123-4567
        911 5551234""",
    "long": "supercalifragilisticexpialidocious " + "a" * 300 + " " + "ab-" * 60 + "c " + "1" * 80 +
            " aAaAaAa\u00e9\u00e9" + "x." * 40,
    "joined": """end.Start end,start end;start end:start end!start end?start a.b a.1 1.a U.S.A a.b.c e.g. C++ C#
        F# .NET Node.js 3D 4K HD. TV, TV's iPod i.e P.S. A+ B- a+b A+B""",
}


def stress_word(rng):
    kind = rng.choice(sorted(STRESS))
    words = STRESS[kind].split()
    i = rng.randrange(len(words))
    return " ".join(words[i:i + rng.choice((1, 1, 1, 2, 3))])


def plain_part(rng):
    n, a, v = rng.choice(NOUNS), rng.choice(ADJECTIVES), rng.choice(VERBS)
    return rng.choice((f"a {n}", f"A {a} {n}", f"the {n} is {v}", f"{v} on a {a} {n}", f"Two {n}s {v}", n, a))


def caption(rng):
    """Plain parts and stress words in turn, mostly with spaces between, at times a mark or a line
    break instead."""
    parts = []
    for _ in range(rng.choice((1, 2, 2, 3, 3, 4, 5))):
        parts.append(plain_part(rng))
        parts.append(stress_word(rng))
    if rng.random() < 0.5:
        parts.append(plain_part(rng))
    out = parts[0]
    for p in parts[1:]:
        out += rng.choice((" ",) * 24 + ("  ", "\n", ", ", ". ", " - ", "-", "/", "'", '"', "(", ".")) + p
    return out + rng.choice(("", "", ".", ".", "!", " .", "\n", "..."))


def make_captions():
    rng = random.Random(20140827)
    seen = dict.fromkeys(w for k in sorted(STRESS) for w in STRESS[k].split())
    while len(seen) < ALL:
        seen[caption(rng)] = None
    captions = list(seen)
    rng.shuffle(captions)
    return captions


def run_java(text):
    folder = os.path.dirname(os.path.abspath(ptb.__file__))
    with tempfile.NamedTemporaryFile(delete=False) as f:
        f.write(text.encode())
    out = subprocess.run(["java", "-cp", ptb.STANFORD_CORENLP_3_4_1_JAR,
                          "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase", f.name],
                         cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    os.unlink(f.name)
    return out.decode().split("\n")


def without_punctuation(line):
    return " ".join(w for w in line.rstrip().split(" ") if w not in ptb.PUNCTUATIONS)


def tokenize(captions):
    lines = run_java("".join(c.replace("\n", " ") + "\nzz\n" for c in captions))
    assert len(lines) == 2 * len(captions) + 1 and set(lines[1::2]) == {"zz"}
    return [without_punctuation(line) for line in lines[:-1:2]]


# ---- scores --------------------------------------------------------------------------------------


def score(texts, refs):
    """Values of one corpus of tokenized captions; those without references stay out."""
    keep = [i for i, r in enumerate(refs) if r]
    gts = {i: refs[i] for i in keep}
    res = {i: [texts[i]] for i in keep}
    bleu, bleus = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, rouges = Rouge().compute_score(gts, res)
    cider, ciders = Cider().compute_score(gts, res)
    each = {i: [b[k] for b in bleus] + [float(rouges[k]), float(ciders[k])] for k, i in enumerate(keep)}
    return {"all": list(bleu) + [float(rouge), float(cider)],
            "each": [each.get(i) for i in range(len(texts))]}


def describe(rng, topic):
    a, n = topic
    return rng.choice(("a {a} {n} is {v} near a {m}", "there is a {a} {n} in the {m}", "{n} {v} by the {m}",
                       "a {n} and a {n} and a {m}", "the {a} {a} {n}", "a {n}", "{n} , {m} and {n}")).format(
        a=a, n=n, v=rng.choice(VERBS), m=rng.choice(NOUNS))


def make_corpora():
    rng = random.Random(7)
    texts, refs = [], []
    for _ in range(40):
        topic = rng.choice(ADJECTIVES), rng.choice(NOUNS)
        texts.append(describe(rng, topic))
        refs.append([describe(rng, topic) for _ in range(rng.randint(1, 6))])
    long_text = " ".join(rng.choice(NOUNS[:9]) for _ in range(150))
    long_ref = " ".join(rng.choice(NOUNS[:9]) for _ in range(170))
    special = [("a man", ["a man"]), ("a red bus", ["a red bus"]), ("dog", ["cat"]), ("dog", ["dog", "cat"]),
               ("", ["a dog"]), ("a dog", [""]), ("", [""]), ("the the the the", ["the cat", "the the dog"]),
               ("a b c d", ["a b c", "a b c d e"]), ("a b c d", ["a b c d e", "a b c"]),
               ("mix 1\u00a01/2 cups", ["mix 1\u00a01/2 cups of milk", "1 1/2 cups"]),
               (long_text, [long_ref, long_text[:200].strip()]), ("a  b", ["a b", "a  b"]), ("x y z", [])]
    texts += [t for t, _ in special]
    refs += [r for _, r in special]
    raw_texts, raw_refs, pool = [], [], make_captions()
    for i in range(60):
        base = pool[40 * i]
        words = base.split(" ")
        raw_refs.append([base] + [" ".join(words[:j] + [plain_part(rng)] + words[j:])
                                  for j in range(1, min(5, len(words)))])
        raw_texts.append(" ".join(words[::-1]) if i % 3 == 0 else " ".join(words[:-1] + [plain_part(rng)]))
    corpora = [("tokens", True, texts, refs), ("one", True, ["a red bus on a road"], [["a red bus"]]),
               ("end to end", False, raw_texts, raw_refs)]
    out = []
    for name, tokenized, t, r in corpora:
        if tokenized:
            values = score(t, r)
        else:
            flat = tokenize(t + [c for refs_of in r for c in refs_of])
            at = len(t)
            cut = []
            for refs_of in r:
                cut.append(flat[at:at + len(refs_of)])
                at += len(refs_of)
            values = score(flat[:len(t)], cut)
        out.append({"name": name, "tokenized": tokenized, "texts": t, "refs": r, **values})
    return out


# ---- homogeneity ---------------------------------------------------------------------------------


def alike(texts):
    cut = [t.lower().split() for t in texts]

    def grams(words, n):
        return [tuple(words[i:i + n]) for i in range(len(words) - n + 1)]

    distinct = []
    for n in (1, 2, 3):
        grams_of_all = [g for w in cut for g in grams(w, n)]
        distinct.append(len(set(grams_of_all)) / len(grams_of_all))
    first = cut[:500]
    smooth = SmoothingFunction().method1
    bleus = [float(sentence_bleu(first[:i] + first[i + 1:], h, (1 / 3, 1 / 3, 1 / 3), smooth))
             for i, h in enumerate(first)]
    openings = collections.Counter(tuple(w[:4]) for w in cut if len(w) >= 4)
    words, count = openings.most_common(1)[0]
    raw = "\n".join(texts).encode()
    return {"texts": texts, "distinct": distinct, "self_bleu": sum(bleus) / len(bleus),
            "self_bleu_each": bleus, "opening": " ".join(words), "opening_count": count,
            "opening_share": count / sum(openings.values()),
            "compression": len(raw) / len(zlib.compress(raw, 9))}


def make_alike():
    rng = random.Random(11)
    varied = [describe(rng, (rng.choice(ADJECTIVES), rng.choice(NOUNS))) for _ in range(60)]
    varied += ["", "Dog", "dog dog dog dog dog", "The  Image\tshows \u00c9clair"]
    templated = ["The image shows " + describe(rng, (rng.choice(ADJECTIVES), rng.choice(NOUNS)))
                 for _ in range(30)]
    many = [describe(rng, (rng.choice(ADJECTIVES[:3]), rng.choice(NOUNS[:6]))) for _ in range(520)]
    return [alike(varied), alike(templated), alike(many)]


def write(path, value):
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, separators=(",", ":"))
        f.write("\n")


def main():
    folder = sys.argv[1]
    captions = make_captions()
    tokens = tokenize(captions)
    rows = [json.dumps([c, t], ensure_ascii=False) + "\n" for c, t in zip(captions, tokens)]
    with open(os.path.join(folder, "captions_tokens.jsonl"), "w", encoding="utf-8") as f:
        f.writelines(rows[:COMMITTED])
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as f:
            f.writelines(rows)
    write(os.path.join(folder, "captions_scores.json"), make_corpora())
    write(os.path.join(folder, "captions_alike.json"), make_alike())
    batch = [without_punctuation(line) for line in run_java("\n".join(c.replace("\n", " ") for c in captions))]
    differ = sum(a != b for a, b in zip(tokens, batch))
    print(f"{len(captions)} captions; one after the other, {differ} have other tokens than alone")


if __name__ == "__main__":
    main()
