"""Trains the demo's CLIP encoder on rendered scenes: train_clip.py MINUTES [--out FOLDER] [--steps N] [--adamw]

Image tower 64 px, patch 8, width 128, 4 layers; text tower width 96, 2 layers; projection 128. Writes a CLIP folder in
the published form (config.json, model.safetensors, preprocessor_config.json, tokenizer files; default data/demo/clip).
The learning rate follows the clock, so MINUTES is what the training takes; a usable folder is written every few
minutes, and --resume FOLDER goes on from one.

What matters:
 - initialisation: fan-in scaled weights with damped residual outputs, 2-D sine position embeddings at the scale of the
   patch embeddings, wide token embeddings (with the class's own initialisation the place of an object is not learnt);
 - the texts: each picture is compared with its near misses, and with every other text of the batch that is not true
   of it; texts are encoded once per batch, however many pictures they are compared with;
 - the pictures: three in five with the noise and the JPEG round trip that stored pictures have;
 - where the objects are: two layers of the image tower also learn, patch by patch, which thing has its centre there
   (with two linear layers that are not part of the encoder and are thrown away);
 - phrasings ("draw three red circles", "3 red circles.") are pulled towards the plain caption.
"""
import argparse
import json
import math
import multiprocessing
import os
import random
import shutil
import time
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
import torch.nn.functional as F
from tokenizers import Tokenizer
from transformers import CLIPConfig, CLIPModel

import make_tokenizers
import scenes

HERE = Path(__file__).resolve().parent
BATCH, WIDTH, LAYERS, TEXT_WIDTH, TEXT_LAYERS, PROJECTION = 48, 128, 4, 96, 2, 128
SHARE = {"attribute": .10, "count": .40, "place": .15, "two": .35}      # of the training scenes
FRESH = .4              # share of a batch drawn anew; the rest are earlier scenes, mirrored or with new noise
POOL = 30000            # earlier scenes kept
PHRASES = ["{}.", "draw {}", "draw {}.", "show {}", "a picture of {}", "a picture of {}.", "a picture with {}",
           "an image of {}", "a photo of {}", "a drawing of {}", "the picture shows {}.", "generate an image of {}."]
MIRRORED = {p: p.replace("left", "L").replace("right", "left").replace("L", "right") for p in scenes.PLACES}
GRID = 8                # patches along a side
THINGS = [(c, s) for c in scenes.COLOURS for s in scenes.SHAPES]
MEAN, STD = [.48145466, .4578275, .40821073], [.26862954, .26130258, .27577711]


# ---- batches (made by a worker process)

def phrased(text, rng):
    """The caption in other words: a digit for the number word, a prompt around it."""
    first, _, rest = text.partition(" ")
    if first in scenes.NUMBERS and rng.random() < .5:
        text = f"{scenes.NUMBERS.index(first)} {rest}"
        if rng.random() < .3:
            return text
    return rng.choice(PHRASES).format(text)


class Texts:
    """Captions to token ids; remembers what it has seen."""

    def __init__(self):
        self.tokenizer = Tokenizer.from_file(str(HERE / "clip/tokenizer.json"))
        self.seen = {}

    def ids(self, text):
        if text not in self.seen:
            self.seen[text] = self.tokenizer.encode(text).ids
        return self.seen[text]

    def padded(self, texts):
        """[n, longest] token ids; padding is the end token, as CLIP's is."""
        rows = [self.ids(t) for t in texts]
        out = np.full((len(rows), max(map(len, rows))), rows[0][-1], np.int64)
        for i, row in enumerate(rows):
            out[i, :len(row)] = row
        return out


def things(f):
    """The coloured shapes a caption names."""
    return {(f.colour, f.shape)} | ({(f.colour2, f.shape2)} if f.kind == "two" else set())


class Batches:
    def __init__(self, seed, texts):
        self.rng, self.texts, self.pool = random.Random(seed), texts, []
        self.noise = np.random.default_rng(seed)

    def scene(self):
        """(facts, objects, 64 x 64 x 3 uint8), fresh or an earlier one, mirrored half the time."""
        rng = self.rng
        if len(self.pool) < 2000 or rng.random() < FRESH:
            f = scenes.sample(rng, rng.choices(list(SHARE), SHARE.values())[0])
            objects, background = scenes.layout(f, rng)
            pixels = np.asarray(scenes.render(objects, background))
            if len(self.pool) < POOL:
                self.pool.append((f, objects, pixels))
            else:
                self.pool[rng.randrange(POOL)] = (f, objects, pixels)
        else:
            f, objects, pixels = rng.choice(self.pool)
            if rng.random() < .5:
                pixels = pixels[:, ::-1]
                objects = [(s, c, scenes.SIZE - x, y, r) for s, c, x, y, r in objects]
                if f.kind == "place":
                    f = scenes.replace(f, place=MIRRORED[f.place])
            if f.kind == "two" and rng.random() < .5:
                f = scenes.replace(f, colour=f.colour2, shape=f.shape2, colour2=f.colour, shape2=f.shape)
        return f, objects, pixels

    def misses(self, f):
        """All near misses of an attribute or a number; of the other kinds, which have more, the main ones and some."""
        changes = scenes.changes(f)
        if f.kind in ("attribute", "count"):
            return [g for _, g in changes]
        main = [g for what, g in changes if what in ("place", "swap")]
        rest = [g for what, g in changes if what not in ("place", "swap")]
        return main + self.rng.sample(rest, 4 if f.kind == "place" else 9)

    def batch(self, n=BATCH):
        """pixels [n, 64, 64, 3] uint8, ids [u, t], own [n] index of the caption, near and wide [n, u] bool (which texts
        to compare with), phrases [p, t] token ids of other phrasings and the index [p] of the text each belongs to,
        centres [n, 64] (the thing whose centre lies in the patch, counted from 1; 0: none)."""
        rng = self.rng
        picked = [self.scene() for _ in range(n)]
        pixels = np.stack([p for _, _, p in picked])
        centres = np.zeros((n, GRID * GRID), np.int64)
        for i, (_, objects, _) in enumerate(picked):
            for s, c, x, y, _ in objects:
                centres[i, int(y * GRID / scenes.SIZE) * GRID + int(x * GRID / scenes.SIZE)] = 1 + THINGS.index((c, s))
        stored = np.array([rng.random() < .6 for _ in range(n)])
        level = np.where(stored, [rng.uniform(0, 4.5) for _ in range(n)], 0).astype(np.float32)
        noise = self.noise.standard_normal(pixels.shape, np.float32) * level[:, None, None, None]
        pixels = np.clip(pixels + noise + .5, 0, 255).astype(np.uint8)
        for i in np.flatnonzero(stored):
            pixels[i] = np.asarray(scenes.opened(scenes.jpeg(scenes.Image.fromarray(pixels[i]), rng.randint(84, 96))))

        column, facts, own, near = {}, [], [], []

        def index(f):
            text = scenes.caption(f)
            if text not in column:
                column[text] = len(column)
                facts.append(f)
            return column[text]

        for f, _, _ in picked:
            own.append(index(f))
            near.append([index(g) for g in self.misses(f)])
        kind = np.array([scenes.KINDS.index(g.kind) for g in facts])
        pairs = np.zeros((len(facts), len(THINGS)), np.int32)
        for i, g in enumerate(facts):
            for thing in things(g):
                pairs[i, THINGS.index(thing)] = 1
        near_mask = np.zeros((n, len(facts)), bool)
        for i in range(n):
            near_mask[i, near[i]] = True
        own = np.array(own)
        shared = pairs[own] @ pairs.T
        same_kind = kind[own][:, None] == kind[None]
        equal = same_kind & (kind[None] == scenes.KINDS.index("two")) & (shared == 2)
        wide_mask = np.where(same_kind, ~equal, shared == 0)            # texts that are not true of the picture
        near_mask[np.arange(n), own] = wide_mask[np.arange(n), own] = True

        texts = list(column)
        chosen = rng.sample(range(len(texts)), 32)
        phrases = self.texts.padded([phrased(texts[i], rng) for i in chosen])
        return pixels, self.texts.padded(texts), own, near_mask, wide_mask, phrases, np.array(chosen), centres


def produce(queue, seed):
    torch.set_num_threads(1)
    batches = Batches(seed, Texts())
    while True:
        queue.put(batches.batch())


# ---- model

def sine_positions(n, width):
    y, x = torch.meshgrid(torch.arange(n).float(), torch.arange(n).float(), indexing="ij")
    w = 3.0 / 20 ** (torch.arange(width // 4).float() / (width // 4))
    return torch.cat([f(a.reshape(-1, 1) * w) for a in (x, y) for f in (torch.sin, torch.cos)], 1)


@torch.no_grad()
def initialise(m):
    for tower, layers in ((m.vision_model, LAYERS), (m.text_model, TEXT_LAYERS)):
        for name, p in tower.named_parameters():
            if p.dim() == 2 and "embedding" not in name:
                std = p.shape[1] ** -.5
                p.normal_(0, std * (2 * layers) ** -.5 if "out_proj" in name or "fc2" in name else std)
    v, t = m.vision_model.embeddings, m.text_model.embeddings
    v.patch_embedding.weight.normal_(0, (3 * 64) ** -.5)
    v.position_embedding.weight[0].zero_()
    v.position_embedding.weight[1:].copy_(.7 * sine_positions(8, WIDTH))
    t.token_embedding.weight.normal_(0, .5)
    t.position_embedding.weight.normal_(0, .5)
    m.visual_projection.weight.normal_(0, WIDTH ** -.5)
    m.text_projection.weight.normal_(0, TEXT_WIDTH ** -.5)


def build(vocab):
    start, end = vocab[make_tokenizers.START], vocab[make_tokenizers.END]
    model = CLIPModel(CLIPConfig(
        text_config=dict(vocab_size=len(vocab), hidden_size=TEXT_WIDTH, intermediate_size=4 * TEXT_WIDTH,
                         num_hidden_layers=TEXT_LAYERS, num_attention_heads=4, projection_dim=PROJECTION,
                         max_position_embeddings=make_tokenizers.TEXT_LENGTH,
                         bos_token_id=start, eos_token_id=end, pad_token_id=end),
        vision_config=dict(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=LAYERS,
                           num_attention_heads=4, image_size=scenes.SIZE, patch_size=8, projection_dim=PROJECTION),
        projection_dim=PROJECTION))
    model.set_attn_implementation("eager")      # faster than the fused kernels at these sizes
    initialise(model)
    return model


def normal(pixels):
    """[n, 64, 64, 3] uint8 -> [n, 3, 64, 64] as preprocessor_config.json says (already 64 x 64: no resize, no crop)."""
    x = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(STD).view(1, 3, 1, 1)


def embed_images(model, pixels):
    return F.normalize(model.visual_projection(model.vision_model(pixel_values=pixels).pooler_output), dim=-1)


def embed_texts(model, ids):
    return F.normalize(model.text_projection(model.text_model(input_ids=ids).pooler_output), dim=-1)


def fast_layers(x, tower, last, causal, inner=None):
    """The tower's layers on x [n, t, d], with fewer and larger operations; last [n] is the one position that is read,
    and the final layer is computed there only. Returns [n, d]; the inputs of the last two layers go to `inner`."""
    n, t, d = x.shape
    heads, rows = tower.config.num_attention_heads, torch.arange(n)
    later = torch.arange(t) > torch.arange(t)[:, None]
    for b in tower.encoder.layers:
        a, final = b.self_attn, b is tower.encoder.layers[-1]
        if inner is not None and b in tower.encoder.layers[-2:]:
            inner.append(x)
        y = F.layer_norm(x, (d,), b.layer_norm1.weight, b.layer_norm1.bias)
        parts = [a.k_proj, a.v_proj] if final else [a.k_proj, a.v_proj, a.q_proj]
        k, v, *q = F.linear(y, torch.cat([p.weight for p in parts]), torch.cat([p.bias for p in parts])).view(
            n, t, len(parts), heads, -1).permute(2, 0, 3, 1, 4)
        q = a.q_proj(y[rows, last]).view(n, heads, 1, -1) if final else q[0]
        scores = (q * (d // heads) ** -.5) @ k.mT
        if causal:
            scores = scores.masked_fill(later[last][:, None, None] if final else later, -1e9)
        mixed = (scores.softmax(-1) @ v).transpose(1, 2)
        x = (x[rows, last] if final else x) + a.out_proj(mixed.reshape(n, d) if final else mixed.reshape(n, t, d))
        y = F.layer_norm(x, (d,), b.layer_norm2.weight, b.layer_norm2.bias)
        y = F.silu(F.linear(y, 1.702 * b.mlp.fc1.weight, 1.702 * b.mlp.fc1.bias))          # quick_gelu, scaled
        x = x + F.linear(y, b.mlp.fc2.weight / 1.702, b.mlp.fc2.bias)
    return x


def fast_images(model, pixels, inner=None):
    """embed_images with about 4/5 of its work."""
    v, n, p = model.vision_model, len(pixels), model.config.vision_config.patch_size
    side = pixels.shape[-1] // p
    x = pixels.view(n, 3, side, p, side, p).permute(0, 2, 4, 1, 3, 5).reshape(n, side * side, 3 * p * p)
    x = F.linear(x, v.embeddings.patch_embedding.weight.view(-1, 3 * p * p))
    x = torch.cat([v.embeddings.class_embedding.expand(n, 1, -1), x], 1) + v.embeddings.position_embedding.weight
    x = fast_layers(v.pre_layrnorm(x), v, torch.zeros(n, dtype=torch.long), False, inner)
    return F.normalize(model.visual_projection(v.post_layernorm(x)), dim=-1)


def fast_texts(model, ids):
    """embed_texts with about 2/3 of its work."""
    t = model.text_model
    x = t.embeddings.token_embedding(ids) + t.embeddings.position_embedding.weight[:ids.shape[1]]
    last = (ids == model.config.text_config.eos_token_id).int().argmax(1)
    x = fast_layers(x, t, last, True)
    return F.normalize(model.text_projection(t.final_layer_norm(x)), dim=-1)


def save(model, out):
    """A complete folder; weights are stored as fp16."""
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    half = CLIPModel(model.config)
    half.load_state_dict(model.state_dict())
    half.half().save_pretrained(fresh)
    config = json.loads((fresh / "config.json").read_text(encoding="utf-8"))
    make_tokenizers.write_json(fresh / "config.json", {**config, "dtype": "float32"})       # to compute with
    make_tokenizers.write_json(fresh / "preprocessor_config.json", {
        "crop_size": {"height": 64, "width": 64}, "do_center_crop": True, "do_convert_rgb": True, "do_normalize": True,
        "do_rescale": True, "do_resize": True, "image_mean": MEAN, "image_processor_type": "CLIPImageProcessor",
        "image_std": STD, "resample": 3, "rescale_factor": 1 / 255, "size": {"shortest_edge": 64}})
    out.mkdir(parents=True, exist_ok=True)
    make_tokenizers.clip_tokenizer(fresh)
    for file in fresh.iterdir():
        file.chmod(0o644)
        os.replace(file, out / file.name)
    fresh.rmdir()


@torch.no_grad()
def accuracy(model, held_out):
    """Share of unseen stored scenes whose own caption beats all near misses, by kind."""
    pixels, ids, own, near, kinds = held_out
    image = torch.cat([embed_images(model, normal(p)) for p in np.array_split(pixels, 8)])
    s = (image @ embed_texts(model, torch.from_numpy(ids)).T).masked_fill(~torch.from_numpy(near), -9)
    right = (s.argmax(1) == torch.from_numpy(own)).float().numpy()
    return {k: round(float(right[kinds == k].mean()), 3) for k in scenes.KINDS}


def held_out(n, seed, texts):
    """n stored scenes, a quarter of each kind, with all their near misses."""
    rng, column, own, near, pixels, kinds = random.Random(seed), {}, [], [], [], []
    index = lambda t: column.setdefault(t, len(column))
    for i in range(n):
        f = scenes.sample(rng, scenes.KINDS[i % 4])
        pixels.append(np.asarray(scenes.opened(scenes.stored(scenes.picture(f, rng), rng))))
        own.append(index(scenes.caption(f)))
        near.append([index(t) for t in scenes.near_misses(f)])
        kinds.append(f.kind)
    mask = np.zeros((n, len(column)), bool)
    for i in range(n):
        mask[i, [own[i], *near[i]]] = True
    return np.stack(pixels), texts.padded(column), np.array(own), mask, np.array(kinds)


# ---- optimiser

class Muon(torch.optim.Optimizer):
    """Momentum whose matrix updates are orthogonalised (Newton-Schulz); matrices of one shape are treated together."""

    def __init__(self, matrices, lr, momentum=.95, weight_decay=.05):
        super().__init__(matrices, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                shapes.setdefault(tuple(p.shape), []).append(p)
            for shape, params in shapes.items():
                grad = torch.stack([p.grad for p in params])
                state = self.state[params[0]]
                mean = state.setdefault("mean", torch.zeros_like(grad))
                mean.lerp_(grad, 1 - group["momentum"])
                x = grad.lerp(mean, group["momentum"])
                tall = shape[0] > shape[1]
                x = x.mT if tall else x
                x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
                for _ in range(5):
                    a = x @ x.mT
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                x = x.mT if tall else x
                for p, update in zip(params, x):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update, alpha=-group["lr"] * .2 * max(shape) ** .5)


def optimisers(model, muon):
    matrices = [p for n, p in model.named_parameters()
                if p.dim() == 2 and "embedding" not in n and "projection" not in n]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    decayed, plain = [p for p in rest if p.dim() > 1], [p for p in rest if p.dim() <= 1]
    if not muon:
        decayed, matrices = matrices + decayed, []
    out = [torch.optim.AdamW([dict(params=decayed, weight_decay=.05), dict(params=plain, weight_decay=0)],
                             betas=(.9, .98))]
    return out + ([Muon(matrices, 0)] if matrices else [])


def train(rank, args):
    """One of args.ranks equal processes with one thread each: own batches, averaged gradients, equal weights."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if args.ranks > 1:
        dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{args.port}", rank=rank, world_size=args.ranks)
    queue = multiprocessing.Queue(4)
    multiprocessing.Process(target=produce, args=(queue, args.seed + rank), daemon=True).start()
    vocab = json.loads((HERE / "clip/vocab.json").read_text(encoding="utf-8"))
    model = build(vocab)
    if args.resume:
        model.load_state_dict(CLIPModel.from_pretrained(args.resume, dtype=torch.float32).state_dict())
    test = held_out(1024, 12345, Texts()) if rank == 0 else None
    chosen = optimisers(model, not args.adamw)
    finders = torch.nn.ModuleList(torch.nn.Linear(WIDTH, 1 + len(THINGS)) for _ in range(2))
    chosen.append(torch.optim.AdamW(finders.parameters(), betas=(.9, .98)))
    weight = torch.tensor([.1] + [1.] * len(THINGS))
    params = [*model.parameters(), *finders.parameters()]
    start = last = time.time()
    step, waited, totals, used = 0, 0., np.zeros(4), torch.zeros(1)
    while step < args.steps:
        used[0] = (time.time() - start) / (args.minutes * 60)
        if args.ranks > 1:
            dist.broadcast(used, 0)
        if used >= 1:
            break
        rate = args.rate * min(1, (step + 1) / 150) * (.5 * (1 + math.cos(math.pi * used.item())) + .003)
        for optimiser in chosen:
            for group in optimiser.param_groups:
                group["lr"] = rate * (args.muon if isinstance(optimiser, Muon) else 1)
        t = time.time()
        pixels, ids, own, near, wide, phrases, which, centres = queue.get()
        waited += time.time() - t
        own, near, wide = torch.from_numpy(own), torch.from_numpy(near), torch.from_numpy(wide)
        inner = []
        image = fast_images(model, normal(pixels), inner)
        text = fast_texts(model, torch.from_numpy(ids))
        other = fast_texts(model, torch.from_numpy(phrases))
        logits = image @ text.T * model.logit_scale.exp().clamp(max=100)
        loss_near = F.cross_entropy(logits.masked_fill(~near, -1e4), own)
        loss_wide = F.cross_entropy(logits.masked_fill(~wide, -1e4), own)
        loss_phrases = (1 - (other * text[which].detach()).sum(-1)).mean()
        found = [finder(x[:, 1:]).flatten(0, 1) for finder, x in zip(finders, inner)]
        loss_centres = sum(F.cross_entropy(y, torch.from_numpy(centres).flatten(), weight) for y in found) / 2
        for p in params:
            p.grad = None
        (loss_near + .5 * loss_wide + loss_phrases + .5 * loss_centres).backward()
        if args.ranks > 1:
            flat = torch.cat([p.grad.flatten() for p in params])
            dist.all_reduce(flat)
            for p, g in zip(params, (flat / args.ranks).split([p.numel() for p in params])):
                p.grad = g.view_as(p)
        torch.nn.utils.clip_grad_norm_(params, 1.)
        for optimiser in chosen:
            optimiser.step()
        step += 1
        if rank:
            continue
        totals += [loss_near.item(), loss_wide.item(), loss_phrases.item(), loss_centres.item()]
        if step % 50 == 0:
            seconds = time.time() - start
            print(f"step {step} {seconds:.0f} s, {seconds / step:.2f} s/step, waited {waited:.0f} s, "
                  f"{len(ids)} texts, losses", (totals / 50).round(3), flush=True)
            totals[:] = 0
        if step % (100 if step <= 400 else 400) == 0:
            print("    accuracy", accuracy(model, test), flush=True)
        if time.time() - last > 240:
            save(model, args.out)
            last = time.time()
    if rank == 0:
        model.eval()
        save(model, args.out)
        print("end", step, accuracy(model, held_out(4096, 54321, Texts())), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("minutes", type=float)
    parser.add_argument("--out", type=Path, default=HERE / "clip")
    parser.add_argument("--steps", type=int, default=10 ** 9, help="stop after so many steps (for trials)")
    parser.add_argument("--ranks", type=int, default=2, help="training processes, one core each")
    parser.add_argument("--port", type=int, default=29517, help="by which they find each other on this machine")
    parser.add_argument("--adamw", action="store_true", help="AdamW for all parameters")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--muon", type=float, default=3, help="the matrices' rate as a multiple of the rate")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--resume", type=Path, help="start from the weights of this folder")
    args = parser.parse_args()

    make_tokenizers.clip_tokenizer(HERE / "clip")
    others = [multiprocessing.Process(target=train, args=(rank, args)) for rank in range(1, args.ranks)]
    for process in others:
        process.start()
    train(0, args)
    for process in others:
        process.join()


if __name__ == "__main__":
    main()
