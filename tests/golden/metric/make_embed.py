"""Makes embed.json: BERTScore as bert_score 0.3.13 computes it, over the tiny models of ../model in float32, and over given
matrices in float64; CLIPScore and RefCLIPScore by the formulas of jmhessel/clipscore in numpy.

    python make_embed.py        (bert-score 0.3.13, torch, transformers 5, numpy)

bert_score was published for transformers 3 and 4, whose behaviour is given back to it: build_inputs_with_special_tokens(),
which it calls for an empty text; encode(..., add_prefix_space=True), which put a space in front of RoBERTa's texts and is
passed over by transformers 5; weights as float32, whatever the file's type. Pairs go through it one at a time: in a larger
batch, pads would count as tokens with cosine 0.
"""
import json
import sys
import types
from pathlib import Path

for name in ("matplotlib", "matplotlib.pyplot", "mpl_toolkits", "mpl_toolkits.axes_grid1", "pandas"):
    try:                                            # plots and tables, which are not used
        __import__(name)
    except ImportError:
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].make_axes_locatable = None
        if name == "matplotlib.pyplot":
            sys.modules["matplotlib"].pyplot = sys.modules[name]

import numpy as np
import torch
from bert_score import utils
from transformers import AutoModel

HERE = Path(__file__).resolve().parent
MODELS = HERE.parent / "model"
PAIRS = [("a red circle", ["a red circle"]),
         ("a red circle", ["two blue squares left of a green star.", "the red circle"]),
         ("A RED CIRCLE!", ["a red circle", "a", "red blue red blue"]),
         (" \x1c red\u3000", ["red"]),
         ("", ["a red circle"]),
         ("two blue squares", [" \n"]),
         ("", [""]),
         ("caf\u00e9 3 4 5 one", ["the cafe 3", "five four three"]),
         ("<s> red </s> [SEP] circle", ["[CLS] red circle", "a <pad> red"]),
         ("one two three four five six seven eight nine ten", ["ten nine eight", "one two three four"])]
LONG = [("red blue " * 40, ["blue red " * 60]), ("a red circle", ["one two " * 80])]


def load(folder, layer, limit):
    tokenizer = utils.get_tokenizer(str(folder))
    if limit:
        tokenizer.model_max_length = limit
    tokenizer.build_inputs_with_special_tokens = lambda ids: tokenizer.encode("", add_special_tokens=True)
    encode = tokenizer.encode
    tokenizer.encode = lambda text, add_prefix_space=False, **more: encode(" " * add_prefix_space + text, **more)
    loaded = AutoModel.from_pretrained
    AutoModel.from_pretrained = lambda path: loaded(path, dtype=torch.float32, attn_implementation="eager")
    model = utils.get_model(str(folder), layer)
    AutoModel.from_pretrained = loaded
    return tokenizer, model


def weights(tokenizer, references, idf):
    """As bert_score.score() makes them."""
    if idf:
        return utils.get_idf_dict(references, tokenizer, nthreads=0)
    table = utils.defaultdict(lambda: 1.0)
    table[tokenizer.sep_token_id] = 0
    table[tokenizer.cls_token_id] = 0
    return table


def number(x):
    x = float(x)
    return None if np.isnan(x) else x


def group(name, layer, idf, pairs, limit=0):
    tokenizer, model = load(MODELS / name, layer, limit)
    table = weights(tokenizer, [r for _, refs in pairs for r in refs], idf)
    out = []
    for answer, references in pairs:
        preds = torch.cat([utils.bert_cos_score_idf(model, [r], [answer], tokenizer, table, device="cpu", batch_size=1)
                           for r in references])
        p, r, f1 = preds.max(dim=0)[0]
        out.append({"answer": answer, "references": references, "p": number(p), "r": number(r), "f1": number(f1)})
    return {"model": name, "layer": layer, "idf": idf, "pairs": out}


def matrices(seed, n, m, dim, idf):
    """greedy_cos_idf() of random float32 rows, in float64."""
    g = np.random.default_rng(seed)
    a, b = (g.standard_normal((k, dim)).astype(np.float32) for k in (n, m))
    wa, wb = (np.round(g.random(k), 3) if idf else np.array([0] + [1] * (k - 2) + [0], dtype=float) for k in (n, m))
    one = [torch.from_numpy(x.astype(np.float64))[None].clone() for x in (b, a)]
    mask = [torch.ones(1, k, dtype=torch.bool) for k in (m, n)]
    weight = [torch.from_numpy(w)[None].clone() for w in (wb, wa)]
    p, r, f1 = utils.greedy_cos_idf(one[0], mask[0], weight[0], one[1], mask[1], weight[1])
    return {"dim": dim, "answer": a.ravel().tolist(), "reference": b.ravel().tolist(), "answer_weights": wa.tolist(),
            "reference_weights": wb.tolist(), "p": p.item(), "r": r.item(), "f1": f1.item()}


def clipscores():
    """per = w * clip(sum(images * candidates), 0, None) and 2ab / (a + b) of jmhessel/clipscore."""
    image_text = np.array([-0.25, -0.001, 0.0, 0.07, 0.3125, 0.75, 1.0])
    text_text = np.array([0.5, -0.75, 0.0, 0.9, -0.1, 0.83, 1.0])
    per = 2.5 * np.clip(image_text, 0, None)
    with np.errstate(all="ignore"):
        ref = 2 * per * text_text / (per + text_text)
    return [{"cosine": c, "reference": t, "clipscore": s, "refclipscore": number(r)}
            for c, t, s, r in zip(image_text.tolist(), text_text.tolist(), per.tolist(), ref)]


def main():
    groups = [group(name, layer, idf, PAIRS, limit=48)
              for name in ("bert_old", "roberta", "xlm_roberta", "mpnet") for layer, idf in ((2, False), (1, True), (0, False))]
    groups.append(group("bert_plain", 2, False, LONG, limit=48))
    cases = [matrices(1, 4, 6, 5, False), matrices(2, 17, 3, 8, True), matrices(3, 3, 33, 4, True),
             matrices(4, 16, 16, 3, False)]
    (HERE / "embed.json").write_text(json.dumps({"groups": groups, "matrices": cases, "clipscores": clipscores()},
                                                indent=0) + "\n")


main()
