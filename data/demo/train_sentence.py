"""Trains the demo's sentence encoder on paraphrases of scene descriptions: train_sentence.py MINUTES [--out FOLDER]

A BERT of width 64 with 2 layers, mean pooling and normalisation, in the folder layout of sentence-transformers (default
data/demo/sentence). A sentence is pulled towards another wording of the same facts and pushed away from wordings of
facts that differ in one thing ("three red circles" and "there are 3 circles, all of them red", not "two red circles").
"""
import argparse
import json
import math
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

import make_tokenizers
import scenes
import wording
from train_clip import Muon

HERE = Path(__file__).resolve().parent
WIDTH, LAYERS, BATCH, HARD, SCALE = 64, 2, 96, 3, 10.0


def build(vocab_size):
    model = BertModel(BertConfig(
        vocab_size=vocab_size, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=4,
        intermediate_size=4 * WIDTH, max_position_embeddings=64, pad_token_id=0, hidden_dropout_prob=0.,
        attention_probs_dropout_prob=0.))                   # with the class's pooler, which is not used
    with torch.no_grad():                                   # fan-in scaled, as for the image encoder
        for name, p in model.named_parameters():
            if "embeddings" in name and p.dim() == 2:
                p.normal_(0, .1 if "token_type" in name else .5)
            elif p.dim() == 2:
                p.normal_(0, p.shape[1] ** -.5)
    return model


def embed(model, tokenizer, texts):
    """[n, width], normalised mean over the tokens, [CLS] and [SEP] included."""
    batch = tokenizer.encode_batch(texts)
    ids = torch.tensor([e.ids for e in batch])
    mask = torch.tensor([e.attention_mask for e in batch])
    hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
    mean = (hidden * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
    return F.normalize(mean, dim=-1)


def batch(rng):
    """Texts (anchors, positives, then HARD contradictions of each) and the mask [n, n + n * HARD] of valid targets."""
    meanings = [wording.sample(rng) if rng.random() < .5 else ("scene", scenes.sample(rng, "two"))
                for _ in range(BATCH)]
    hard = [wording.contradictions(m) for m in meanings]    # the first one of two objects: their colours swapped
    hard = [[h[0], *rng.choices(h, k=HARD - 1)] for h in hard]
    targets = meanings + [h for row in hard for h in row]
    texts = [wording.sentence(m, rng) for m in meanings + targets]
    keys = [wording.key(m) for m in targets]
    number = {k: i for i, k in enumerate(dict.fromkeys(keys))}
    codes = np.array([number[k] for k in keys])
    allowed = codes[:BATCH, None] != codes[None]            # other facts, or the positive itself
    np.fill_diagonal(allowed, True)
    return texts, torch.from_numpy(allowed)


@torch.no_grad()
def accuracy(model, tokenizer, n=300, seed=77):
    """By kind: share of sentences that are closer to a paraphrase than to every contradiction of it."""
    rng, rows = random.Random(seed), {}
    kinds = [("scene", k) for k in scenes.KINDS] + [("answer", w) for w in wording.VALUES]
    for i in range(n):
        which, kind = kinds[i % len(kinds)]
        meaning = ("scene", scenes.sample(rng, kind)) if which == "scene" else (kind, rng.choice(wording.VALUES[kind]))
        texts = [wording.sentence(m, rng) for m in [meaning, meaning, *wording.contradictions(meaning)]]
        v = embed(model, tokenizer, texts)
        s = v[1:] @ v[0]
        rows.setdefault(f"{which} {kind}", []).append(float(s[0] > s[1:].max()))
    return {k: round(float(np.mean(v)), 3) for k, v in rows.items()}


def save(model, out):
    """The published layout; weights are stored as fp16."""
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    half = BertModel(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(fresh)
    write = make_tokenizers.write_json
    config = json.loads((fresh / "config.json").read_text(encoding="utf-8"))
    write(fresh / "config.json", {**config, "dtype": "float32"})                            # to compute with
    make_tokenizers.bert_tokenizer(fresh)
    write(fresh / "modules.json", [
        {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])
    write(fresh / "sentence_bert_config.json",
          {"max_seq_length": make_tokenizers.SENTENCE_LENGTH, "do_lower_case": False})
    write(fresh / "config_sentence_transformers.json", {
        "__version__": {"sentence_transformers": "6.2.0"}, "prompts": {}, "default_prompt_name": None,
        "similarity_fn_name": "cosine"})
    for name, content in (("1_Pooling", {
            "word_embedding_dimension": WIDTH, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
            "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}), ("2_Normalize", {})):
        (out / name).mkdir(parents=True, exist_ok=True)
        write(out / name / "config.json", content)
    for file in fresh.iterdir():
        file.chmod(0o644)
        os.replace(file, out / file.name)
    fresh.rmdir()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--out", type=Path, default=HERE / "sentence")
    args = parser.parse_args()

    torch.set_num_threads(1)
    torch.manual_seed(0)
    rng = random.Random(5)
    vocab = make_tokenizers.bert_tokenizer(HERE / "sentence")
    tokenizer = Tokenizer.from_file(str(HERE / "sentence/tokenizer.json"))
    tokenizer.enable_padding(pad_id=0)
    tokenizer.enable_truncation(make_tokenizers.SENTENCE_LENGTH)
    model = build(len(vocab))
    print(sum(p.numel() for p in model.parameters()), "parameters", flush=True)
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embeddings" not in n and "pooler" not in n]
    chosen = {id(p) for p in matrices}
    optimisers = [torch.optim.AdamW([p for p in model.parameters() if id(p) not in chosen], weight_decay=.02,
                                    betas=(.9, .98)), Muon(matrices, 0)]
    start, step = time.time(), 0
    while (used := (time.time() - start) / (args.minutes * 60)) < 1:
        rate = 2e-3 * min(1, (step + 1) / 100) * (.5 * (1 + math.cos(math.pi * used)) + .003)
        for optimiser, factor in zip(optimisers, (1, 3)):
            for group in optimiser.param_groups:
                group["lr"] = factor * rate
        texts, allowed = batch(rng)
        v = embed(model, tokenizer, texts)
        logits = (v[:BATCH] @ v[BATCH:].T * SCALE).masked_fill(~allowed, -1e4)
        loss = F.cross_entropy(logits, torch.arange(BATCH))
        model.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.)
        for optimiser in optimisers:
            optimiser.step()
        step += 1
        if step % 200 == 0:
            print(f"step {step} {time.time() - start:.0f} s, loss {loss:.3f}", accuracy(model, tokenizer), flush=True)
    model.eval()
    save(model, args.out)
    print("end", step, accuracy(model, tokenizer, 2400, 78), flush=True)


if __name__ == "__main__":
    main()
