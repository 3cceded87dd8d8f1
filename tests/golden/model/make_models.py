"""Makes the tiny random models of this folder and what PyTorch computes with them (float32, eager attention).

    python make_models.py [FOLDER ...]        (torch, transformers 5, sentence-transformers 6, safetensors)

Every folder is a model as Hugging Face stores it, with *.f32 files beside it: expected embeddings, row-major float32.
Pixels come from pixels() below, which the test computes likewise; texts from texts.json.
"""
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from sentencepiece import sentencepiece_model_pb2
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import modules as stm
from sentence_transformers.base import modules as base_modules
from transformers import (BertConfig, BertModel, CLIPConfig, CLIPModel, CLIPTextModel, CLIPTokenizerFast,
                          CLIPVisionModel, Dinov2Config, Dinov2Model, Dinov2WithRegistersConfig,
                          Dinov2WithRegistersModel, MPNetConfig, MPNetModel, RobertaConfig, RobertaModel,
                          SiglipConfig, SiglipModel, SiglipTokenizer, SiglipVisionConfig, SiglipVisionModel,
                          XLMRobertaConfig, XLMRobertaModel, XLMRobertaTokenizer)

HERE = Path(__file__).resolve().parent
TEXTS = ["", "a red circle", "two blue squares left of a green star.", "a", "A RED CIRCLE!", "x" * 150,
         "<|endoftext|> then more", "caf\u00e9 \u4e2d\u6587 3 4 5", "one two three four five six seven eight nine ten " * 6,
         "a <pad> red <pad><pad> circle", "red blue " * 90]
WORDS = "a red circle two blue square ##s left of green star . ! one three four five six seven eight nine ten the cafe 3 4 5 : query".split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def pixels(n, height, width=None):
    shape = (n, 3, height, width or height)
    i = np.arange(np.prod(shape), dtype=np.uint32)
    h = (i * np.uint32(2654435761)) >> np.uint32(8) & np.uint32(0xFFFF)
    return torch.from_numpy((h.astype(np.float32) / np.float32(16384) - np.float32(2)).reshape(shape))


def randomise(model, seed, scale_patches=True):
    """Weights at the scale of trained ones, so that every part of the model shows in the result."""
    g = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=g)
        if p.ndim >= 4 and scale_patches:
            p.data = noise / (p.numel() / p.shape[0]) ** 0.5
        elif p.ndim >= 2:
            p.data = noise * (0.5 if "embedding" in name else 1.2 / (p.numel() / p.shape[0]) ** 0.5)
        elif "norm" in name.lower() and name.endswith("weight"):
            p.data = 1 + 0.2 * noise
        elif name.endswith("logit_scale"):
            p.data = torch.full(p.shape, 2.5)
        else:
            p.data = 0.2 * noise


def write(folder, name, rows):
    np.asarray(rows, dtype="<f4").tofile(folder / name)


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


# ---- CLIP

def byte_alphabet():
    """The characters that stand for the 256 bytes."""
    keep = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    chars = [chr(b) if b in keep else None for b in range(256)]
    extra = 256
    for b in range(256):
        if chars[b] is None:
            chars[b] = chr(extra)
            extra += 1
    return [chars[b] for b in keep] + [chars[b] for b in range(256) if b not in keep]


def clip_tokenizer(folder):
    """Byte vocabulary, a few merges, the two specials; the eos id is the largest."""
    order = byte_alphabet()
    merges = ["r e", "re d</w>", "c i", "t w", "tw o</w>", "l e", "b l", "x x", "xx xx"]
    vocab = order + [c + "</w>" for c in order] + [m.replace(" ", "") for m in merges]
    vocab += ["<|startoftext|>", "<|endoftext|>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(vocab)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": "<|startoftext|>",
         "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>", "unk_token": "<|endoftext|>"}))
    return len(vocab)


def preprocessor(folder, height, width=None, suffix="", kind="CLIP"):
    crop = {"height": height, "width": width or height}
    (folder / f"preprocessor_config{suffix}.json").write_text(json.dumps(
        {"image_processor_type": f"{kind}ImageProcessor", "do_resize": True,
         "size": crop if kind == "Siglip" else {"shortest_edge": max(crop.values())}, "resample": 3,
         **({} if kind == "Siglip" else {"do_center_crop": True, "crop_size": crop}), "do_rescale": True,
         "do_normalize": True, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "do_convert_rgb": True}))


def clip_text_rows(folder, model, max_length):
    tokenizer = CLIPTokenizerFast.from_pretrained(folder)
    rows = []
    for text in TEXTS:
        ids = tokenizer([text], truncation=True, max_length=max_length, return_tensors="pt")
        rows.append(model.text_projection(model.text_model(**ids).pooler_output)[0])
    return torch.stack(rows).detach()


def clip_expected(folder, suffix=""):
    model = CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    text = clip_text_rows(folder, model, model.config.text_config.max_position_embeddings)
    write(folder, f"texts{suffix}.f32", text)
    write(folder, f"texts{suffix}_unit.f32", unit(text))
    size = model.config.vision_config.image_size
    vision = model.vision_model(pixel_values=pixels(5, size)).pooler_output
    images = model.visual_projection(vision).detach()
    write(folder, f"images{suffix}.f32", images)
    write(folder, f"images{suffix}_unit.f32", unit(images))


def save_clip(folder, config, seed, dtype, shard):
    model = CLIPModel(config)
    randomise(model, seed, scale_patches=False)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard)


def make_clip_quick():
    """quick_gelu, patches that fill the image, old eos id 2: the text is pooled at its largest id."""
    folder = fresh("clip_quick")
    vocab = clip_tokenizer(folder)
    preprocessor(folder, 30)
    tower = {"num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
    config = CLIPConfig(text_config={**tower, "hidden_size": 24, "vocab_size": vocab, "max_position_embeddings": 40,
                                     "eos_token_id": 2, "bos_token_id": vocab - 2, "pad_token_id": 1},
                        vision_config={**tower, "hidden_size": 32, "image_size": 30, "patch_size": 2},
                        projection_dim=20)
    save_clip(folder, config, 1, torch.float32, "5GB")
    clip_expected(folder)
    # the same weights with an eos id that is in no text (row 0 is pooled), and with one that is in some texts twice
    saved = json.loads((folder / "config.json").read_text())
    for suffix, eos in (("_eos_absent", vocab - 3), ("_eos_own", vocab - 1)):
        variant = json.loads(json.dumps(saved))
        variant["text_config"]["eos_token_id"] = eos
        (folder / "config.json").write_text(json.dumps(variant))
        clip_expected(folder, suffix)
        (folder / f"config{suffix}.json").write_text(json.dumps(variant, indent=1))
        for kind in ("images", "images_unit"):
            a, b = kind.split("_")[0], "_unit" if "_" in kind else ""
            (folder / f"{a}{suffix}{b}.f32").unlink()
    (folder / "config.json").write_text(json.dumps(saved, indent=1))
    clip_towers(folder, saved)


def clip_towers(folder, saved):
    """Configurations of one tower, for the same weights: as CLIPVisionModel and CLIPTextModel save them, and as the
    classes with a projection do, whose embeddings are those of the whole model."""
    both = CLIPModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    for tower in ("vision", "text"):
        config = {**saved[f"{tower}_config"], "model_type": f"clip_{tower}_model", "projection_dim": 20}
        name = f"CLIP{tower.capitalize()}Model"
        for suffix, architecture in (("", name), ("_projected", name + "WithProjection")):
            (folder / f"config_{tower}{suffix}.json").write_text(
                json.dumps({**config, "architectures": [architecture]}, indent=1))
    alone = CLIPVisionModel(both.config.vision_config).eval()
    alone.load_state_dict(both.vision_model.state_dict())
    write(folder, "images_vision.f32", alone(pixel_values=pixels(5, 30)).pooler_output)
    alone = CLIPTextModel(both.config.text_config).eval()
    alone.load_state_dict(both.text_model.state_dict())
    tokenizer = CLIPTokenizerFast.from_pretrained(folder)
    rows = [alone(**tokenizer([t], truncation=True, max_length=40, return_tensors="pt")).pooler_output[0] for t in TEXTS]
    write(folder, "texts_text.f32", torch.stack(rows))


def make_clip_gelu():
    """gelu, patches that leave a margin, F16 in shards, and text_config_dict, which overrides text_config."""
    folder = fresh("clip_gelu")
    vocab = clip_tokenizer(folder)
    preprocessor(folder, 30)
    tower = {"num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 37, "hidden_act": "gelu"}
    text = {**tower, "hidden_size": 16, "vocab_size": vocab, "max_position_embeddings": 40, "eos_token_id": vocab - 1}
    config = CLIPConfig(text_config=text, projection_dim=24,
                        vision_config={**tower, "hidden_size": 32, "image_size": 30, "patch_size": 7})
    save_clip(folder, config, 2, torch.float16, "30KB")
    saved = json.loads((folder / "config.json").read_text())
    saved["text_config"]["eos_token_id"] = 2            # what the dict overrides
    saved["text_config"]["hidden_act"] = "quick_gelu"
    saved["text_config_dict"] = text
    (folder / "config.json").write_text(json.dumps(saved, indent=1))
    clip_expected(folder)


# ---- BERT

def bert_tokenizer(folder, **more):
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    vocab = SPECIAL + WORDS + letters + ["##" + c for c in letters]
    vocab = list(dict.fromkeys(vocab))
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "unk_token": "[UNK]", "sep_token": "[SEP]",
         "pad_token": "[PAD]", "cls_token": "[CLS]", "mask_token": "[MASK]", "tokenize_chinese_chars": True,
         "strip_accents": None, **more}))
    return len(vocab)


def save_bert(folder, vocab, seed, dtype, heads=4):
    model = BertModel(BertConfig(vocab_size=vocab, hidden_size=32, num_hidden_layers=2, num_attention_heads=heads,
                                 intermediate_size=37, max_position_embeddings=48), add_pooling_layer=False)
    randomise(model, seed)
    model.to(dtype).save_pretrained(folder)


def encode(model, suffix, folder, normalize=False, **more):
    model.eval()
    rows = np.concatenate([model.encode([t], convert_to_numpy=True, **more) for t in TEXTS])
    write(folder, f"texts{suffix}.f32", rows)
    if normalize:
        write(folder, f"texts{suffix}_unit.f32", unit(torch.from_numpy(rows)))


def load(folder):
    return SentenceTransformer(str(folder), device="cpu",
                               model_kwargs={"dtype": torch.float32, "attn_implementation": "eager"})


def write_old_layout(folder, pooling, normalize, limit=32):
    types = ["Transformer", "Pooling"] + ["Normalize"] * normalize
    (folder / "modules.json").write_text(json.dumps(
        [{"idx": i, "name": str(i), "path": "" if i == 0 else f"{i}_{t}", "type": f"sentence_transformers.models.{t}"}
         for i, t in enumerate(types)], indent=1))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": limit, "do_lower_case": False}))
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({"word_embedding_dimension": 32, **pooling}, indent=1))


def make_bert_old():
    """Old layout, F32: mean and Normalize; with config_all.json all six poolings, concatenated."""
    folder = fresh("bert_old")
    save_bert(folder, bert_tokenizer(folder, model_max_length=512), 3, torch.float32)
    flags = ["cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    every = {f"pooling_mode_{f}": True for f in flags}
    write_old_layout(folder, every, False)
    shutil.copy(folder / "1_Pooling" / "config.json", folder / "1_Pooling" / "config_all.json")
    encode(load(folder), "_all", folder)
    write_old_layout(folder, {f"pooling_mode_{f}": f == "mean_tokens" for f in flags}, True)
    encode(load(folder), "", folder)


def make_bert_new():
    """The layout that sentence-transformers 6 writes, F16: three poolings, Dense, Normalize, prompts left out of the
    pooling."""
    folder = fresh("bert_new")
    save_bert(folder, bert_tokenizer(folder, model_max_length=30), 4, torch.float16, heads=1)
    parts = [base_modules.Transformer(str(folder)),
             stm.Pooling(32, pooling_mode=["max", "cls", "weightedmean"], include_prompt=False),
             base_modules.Dense(96, 20, activation_function=torch.nn.Tanh()), stm.Normalize()]
    g = torch.Generator().manual_seed(5)
    parts[2].linear.weight.data = torch.randn(20, 96, generator=g) * 0.1
    model = SentenceTransformer(modules=parts, device="cpu", prompts={"query": "query: ", "none": ""},
                                default_prompt_name=None)
    saved = HERE / "saved"
    model.save(str(saved))
    for name in ["modules.json", "config_sentence_transformers.json", "sentence_bert_config.json", "1_Pooling",
                 "2_Dense"]:
        source = saved / name
        if source.is_dir():
            shutil.copytree(source, folder / name)
        elif source.exists():
            shutil.copy(source, folder / name)
    config = json.loads((saved / "tokenizer_config.json").read_text())
    print("tokenizer_config of the new layout:", config)
    shutil.rmtree(saved)
    model = load(folder)
    encode(model, "", folder)
    encode(model, "_query", folder, prompt_name="query")


def make_bert_plain():
    """No modules.json: mean pooling. BF16 in two shards, names with the old prefix and LayerNorm names."""
    folder = fresh("bert_plain")
    save_bert(folder, bert_tokenizer(folder), 6, torch.bfloat16)
    encode(load(folder), "", folder, normalize=True)
    tensors = load_file(folder / "model.safetensors")
    renamed = {}
    for name, t in tensors.items():
        name = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        renamed["bert." + name] = t.contiguous()
    renamed["bert.embeddings.position_ids"] = torch.arange(48)[None]
    (folder / "model.safetensors").unlink()
    shards = {"model-00001-of-00002.safetensors": {}, "model-00002-of-00002.safetensors": {}}
    for i, (name, t) in enumerate(sorted(renamed.items())):
        shards[list(shards)[i % 2]][name] = t
    for file, part in shards.items():
        save_file(part, folder / file, metadata={"format": "pt"})
    (folder / "model.safetensors.index.json").write_text(json.dumps(
        {"metadata": {"total_size": 0}, "weight_map": {n: f for f, part in shards.items() for n in part}}, indent=1))


# ---- RoBERTa, XLM-R, MPNet

SENTENCE = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 37}
MEAN = {"pooling_mode_mean_tokens": True}


def sentence_model(folder, model, seed, dtype, limit, normalize=False):
    """Save with random weights, in the old layout of sentence-transformers, and encode."""
    randomise(model, seed)
    model.to(dtype).save_pretrained(folder)
    write_old_layout(folder, MEAN, normalize, limit)
    encode(load(folder), "", folder, normalize=not normalize)


def to_bin(folder, shards=1, prefix=""):
    """The same tensors as pytorch_model.bin."""
    tensors = list(load_file(folder / "model.safetensors").items())
    (folder / "model.safetensors").unlink()
    if shards == 1:
        torch.save({prefix + n: t for n, t in tensors}, folder / "pytorch_model.bin")
        return
    names = {}
    for i in range(shards):
        file = f"pytorch_model-{i + 1:05}-of-{shards:05}.bin"
        torch.save({prefix + n: t for n, t in tensors[i::shards]}, folder / file)
        names.update({prefix + n: file for n, t in tensors[i::shards]})
    (folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}, indent=1))


def make_roberta():
    """Positions from the pad's id on, which is 1; one token type; pytorch_model.bin with the class's prefix."""
    folder = fresh("roberta")
    order = byte_alphabet()
    merges = ["r e", "re d", "\u0120 re", "\u0120re d", "c i", "t w", "\u0120 b", "l u", "x x", "xx xx"]
    vocab = ["<s>", "<pad>", "</s>", "<unk>"] + order + [m.replace(" ", "") for m in merges] + ["<mask>"]
    (folder / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(vocab)}, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "RobertaTokenizer", "model_max_length": 512, "add_prefix_space": False}))
    model = RobertaModel(RobertaConfig(**SENTENCE, vocab_size=len(vocab), max_position_embeddings=50, type_vocab_size=1,
                                       layer_norm_eps=1e-5), add_pooling_layer=False)
    sentence_model(folder, model, 12, torch.float32, 48)
    to_bin(folder, prefix="roberta.")


def pieces(first):
    """A vocabulary of sentence pieces with scores: words, their beginnings, letters."""
    words = [w for w in dict.fromkeys(w.strip("#") for w in WORDS) if w.isalnum()]
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.!<>|")
    tokens = first + ["\u2581" + w for w in words] + ["\u2581"] + letters
    return [(t, 0.0 if t in first else -2.0 - 0.37 * i % 5) for i, t in enumerate(dict.fromkeys(tokens))]


def make_xlm_roberta():
    """A vocabulary of pieces; F16 in shards of pytorch_model.bin; the positions of pad id 1."""
    folder = fresh("xlm_roberta")
    vocab = pieces(["<s>", "<pad>", "</s>", "<unk>"]) + [("<mask>", 0.0)]
    XLMRobertaTokenizer(vocab=vocab, model_max_length=512).save_pretrained(folder)
    model = XLMRobertaModel(XLMRobertaConfig(**SENTENCE, vocab_size=len(vocab), max_position_embeddings=66,
                                             type_vocab_size=1, layer_norm_eps=1e-5), add_pooling_layer=False)
    sentence_model(folder, model, 13, torch.float16, 64, normalize=True)
    to_bin(folder, shards=3)


def make_mpnet():
    """Distances beyond those of the last bucket, BF16."""
    folder = fresh("mpnet")
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)]
    vocab = ["<s>", "<pad>", "</s>"] + WORDS + letters + ["##" + c for c in letters] + ["[UNK]", "<mask>"]
    vocab = list(dict.fromkeys(vocab))
    (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "MPNetTokenizer", "do_lower_case": True, "model_max_length": 512}))
    model = MPNetModel(MPNetConfig(**SENTENCE, vocab_size=len(vocab), max_position_embeddings=202, layer_norm_eps=1e-5),
                       add_pooling_layer=False)
    sentence_model(folder, model, 14, torch.bfloat16, 190)


# ---- DINOv2, SigLIP

def pooled_images(folder, cls, suffix, height, width, normalize=True):
    """What the model computes from the folder as it is, for pictures of that size."""
    model = cls.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    rows = model(pixel_values=pixels(5, height, width)).pooler_output
    write(folder, f"images{suffix}.f32", rows)
    if normalize:
        write(folder, f"images{suffix}_unit.f32", unit(rows))


TOWER = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}


def make_dinov2():
    """Positions of 11 x 11 patches for pictures of 5 x 7, larger ones of 13 x 12, and of the stored size. Pictures that
    are not a whole number of patches."""
    folder = fresh("dinov2")
    model = Dinov2Model(Dinov2Config(**TOWER, mlp_ratio=2, image_size=45, patch_size=4))
    randomise(model, 8)
    model.save_pretrained(folder)
    preprocessor(folder, 21, 30, kind="Bit")
    pooled_images(folder, Dinov2Model, "", 21, 30)
    preprocessor(folder, 52, 48, "_larger", kind="Bit")
    pooled_images(folder, Dinov2Model, "_larger", 52, 48, False)
    preprocessor(folder, 45, 45, "_stored", kind="Bit")
    pooled_images(folder, Dinov2Model, "_stored", 45, 45, False)


def make_dinov2_swiglu():
    """SwiGLU, no bias in the attention's projections; pytorch_model.bin with the class's prefix, as a model with a
    classifier has it."""
    folder = fresh("dinov2_swiglu")
    model = Dinov2Model(Dinov2Config(**TOWER, mlp_ratio=2, image_size=30, patch_size=7, use_swiglu_ffn=True,
                                     qkv_bias=False))
    randomise(model, 9)
    model.save_pretrained(folder)
    preprocessor(folder, 30, kind="Bit")
    pooled_images(folder, Dinov2Model, "", 30, 30)
    tensors = {f"dinov2.{n}": t for n, t in load_file(folder / "model.safetensors").items()}
    torch.save({**tensors, "classifier.weight": torch.ones(2, 64)}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def make_dinov2_registers():
    """Four registers, BF16; with config_none.json none at all. Positions are resized with antialias."""
    folder = fresh("dinov2_registers")
    config = Dinov2WithRegistersConfig(**TOWER, mlp_ratio=2, image_size=45, patch_size=4, num_register_tokens=4)
    model = Dinov2WithRegistersModel(config)
    randomise(model, 10)
    model.to(torch.bfloat16).save_pretrained(folder)
    saved = json.loads((folder / "config.json").read_text())
    preprocessor(folder, 21, 30, kind="Bit")
    pooled_images(folder, Dinov2WithRegistersModel, "", 21, 30)
    preprocessor(folder, 52, 48, "_larger", kind="Bit")
    pooled_images(folder, Dinov2WithRegistersModel, "_larger", 52, 48, False)
    (folder / "config_none.json").write_text(json.dumps({**saved, "num_register_tokens": 0}, indent=1))
    config.num_register_tokens = 0
    bare = Dinov2WithRegistersModel._from_config(config, attn_implementation="eager").float().eval()
    missing = bare.load_state_dict({n: t for n, t in model.float().state_dict().items() if "register" not in n}, False)
    assert missing.missing_keys == ["embeddings.register_tokens"] and not missing.unexpected_keys
    write(folder, "images_none.f32", bare(pixel_values=pixels(5, 21, 30)).pooler_output)


def make_siglip_vision():
    """A vision tower alone, as SiglipVisionModel saves it; heads of 72 elements, F16."""
    folder = fresh("siglip_vision")
    model = SiglipVisionModel(SiglipVisionConfig(hidden_size=72, num_hidden_layers=1, num_attention_heads=1,
                                                 intermediate_size=37, image_size=23, patch_size=5))
    randomise(model, 11)
    model.half().save_pretrained(folder)
    preprocessor(folder, 23, kind="Siglip")
    pooled_images(folder, SiglipVisionModel, "", 23, 23)


def spiece_model(folder, vocab):
    """A SentencePiece file of these pieces without a table of characters."""
    proto = sentencepiece_model_pb2.ModelProto()
    kinds = {"<unk>": 2, "</s>": 3}
    for piece, score in vocab:
        proto.pieces.add(piece=piece, score=score, type=kinds.get(piece, 1))
    proto.trainer_spec.model_type = 1
    proto.trainer_spec.unk_id, proto.trainer_spec.eos_id = 2, 1
    proto.trainer_spec.bos_id = proto.trainer_spec.pad_id = -1
    proto.normalizer_spec.name = "identity"
    proto.normalizer_spec.add_dummy_prefix = proto.normalizer_spec.remove_extra_whitespaces = True
    proto.normalizer_spec.escape_whitespaces = True
    (folder / "spiece.model").write_bytes(proto.SerializeToString())


def make_siglip():
    """Both towers: texts of 16 tokens, mostly pads, and as long as the pictures' embeddings only after the head."""
    folder = fresh("siglip")
    vocab = pieces(["<never>", "</s>", "<unk>"])
    spiece_model(folder, vocab)
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "SiglipTokenizer", "model_max_length": 16, "pad_token": "</s>", "eos_token": "</s>",
         "unk_token": "<unk>", "do_lower_case": True}))
    text = {**TOWER, "hidden_size": 24, "intermediate_size": 37, "vocab_size": len(vocab), "max_position_embeddings": 16,
            "projection_size": 32}
    model = SiglipModel(SiglipConfig(text_config=text, vision_config={**TOWER, "intermediate_size": 37, "image_size": 23,
                                                                      "patch_size": 5}))
    randomise(model, 15)
    model.save_pretrained(folder)
    preprocessor(folder, 23, kind="Siglip")
    model = SiglipModel.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    rows = model.get_image_features(pixel_values=pixels(5, 23)).pooler_output
    write(folder, "images.f32", rows)
    write(folder, "images_unit.f32", unit(rows))
    tokenizer = SiglipTokenizer.from_pretrained(folder)
    rows = []
    for text in TEXTS:
        ids = tokenizer([text], padding="max_length", truncation=True, max_length=16, return_tensors="pt")["input_ids"]
        rows.append(model.get_text_features(input_ids=ids).pooler_output[0])
    write(folder, "texts.f32", torch.stack(rows))
    write(folder, "texts_unit.f32", unit(torch.stack(rows)))
    saved = json.loads((folder / "config.json").read_text())
    for tower in ("vision", "text"):  # a tower alone, for the same weights
        config = {**saved[f"{tower}_config"], "architectures": [f"Siglip{tower.capitalize()}Model"]}
        (folder / f"config_{tower}.json").write_text(json.dumps(config, indent=1))


torch.set_grad_enabled(False)
(HERE / "texts.json").write_text(json.dumps(TEXTS, indent=1) + "\n")
for make in (make_clip_quick, make_clip_gelu, make_bert_old, make_bert_new, make_bert_plain, make_roberta,
             make_xlm_roberta, make_mpnet, make_dinov2, make_dinov2_swiglu, make_dinov2_registers, make_siglip_vision,
             make_siglip):
    if len(sys.argv) == 1 or make.__name__.removeprefix("make_") in sys.argv[1:]:
        torch.manual_seed(0)  # for what a library fills at random
        make()
