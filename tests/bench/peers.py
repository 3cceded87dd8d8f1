"""The peers that tests/bench/compare times beside gapeval: PyTorch, torch.compile, ONNX Runtime,
sentence-transformers, on a model folder in Hugging Face's layout.

A peer process loads its model once, says {"ready": …}, and then runs its workload once for every
line that it reads, answering with the seconds that it took. So rounds of all peers can alternate on
the same cores. Run by compare, not by hand:

    python3 peers.py PEER FOLDER --tower image|text [--batch N] [--threads N] [--dtype fp32|bf16]
                     [--device cpu|cuda] [--texts FILE]

    python3 peers.py make TOWER FOLDER OUT     a copy of FOLDER with random weights

Images are random tensors, already preprocessed. Texts are the lines of FILE, tokenized as part of the
workload, in batches of N in the order of the file, padded to the longest of each
(sentence-transformers sorts them by length itself).
"""
import argparse
import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

SEED = 7


def arguments():
    p = argparse.ArgumentParser()
    p.add_argument("peer", choices=["torch", "compile", "onnxruntime", "sentence-transformers"])
    p.add_argument("folder")
    p.add_argument("--tower", choices=["image", "text"], default="image")
    p.add_argument("--batch", type=int, default=16)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    p.add_argument("--device", default="cpu")
    p.add_argument("--texts")
    return p.parse_args()


def make(tower, folder, out):
    """Copy a folder and give it random weights, on which speed does not depend: of the image tower
    alone, or all."""
    import shutil

    import torch
    from transformers import AutoConfig, AutoModel

    torch.manual_seed(SEED)
    if os.path.abspath(folder) != os.path.abspath(out):
        shutil.copytree(folder, out, dirs_exist_ok=True)
    model = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    if tower == "image":
        model = getattr(model, "vision_model", model)
        processor = os.path.join(out, "preprocessor_config.json")
        if not os.path.exists(processor):
            size = model.config.image_size
            with open(processor, "w", encoding="utf-8") as f:
                json.dump({"image_processor_type": "CLIPImageProcessor", "do_resize": True,
                           "size": {"shortest_edge": size}, "resample": 3, "do_center_crop": True,
                           "crop_size": {"height": size, "width": size}, "do_rescale": True,
                           "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": [0.5] * 3,
                           "image_std": [0.5] * 3, "do_convert_rgb": True}, f)
    model.save_pretrained(out)


class Workload:
    """What one run of a peer embeds: `items` inputs in `run()`, which returns when they are there."""

    def __init__(self, a):
        import torch

        torch.set_num_threads(a.threads)
        torch.manual_seed(SEED)
        self.torch, self.a = torch, a
        self.dtype = {"fp32": torch.float32, "bf16": torch.bfloat16}[a.dtype]

    def synchronize(self):
        if self.a.device.startswith("cuda"):
            self.torch.cuda.synchronize()


class Tower(Workload):
    """One tower of a transformers model: on tensors, or on texts."""

    def __init__(self, a):
        super().__init__(a)
        from transformers import AutoModel, AutoTokenizer

        model = AutoModel.from_pretrained(a.folder, dtype=self.torch.float32)
        part = "vision_model" if a.tower == "image" else "text_model"
        self.model = getattr(model, part, model).float().eval()
        if a.tower == "image":
            size = self.model.config.image_size
            self.x, self.items = self.torch.randn(a.batch, 3, size, size), a.batch
            return
        self.tokenizer = AutoTokenizer.from_pretrained(a.folder)
        with open(a.texts, encoding="utf-8") as f:
            self.texts = f.read().splitlines()
        self.items = len(self.texts)

    def place(self):
        self.model = self.model.to(self.a.device, self.dtype)
        if self.a.tower == "image":
            self.x = self.x.to(self.a.device, self.dtype)

    def batches(self):
        """The inputs of one run."""
        if self.a.tower == "image":
            yield {"pixel_values": self.x}
            return
        for i in range(0, self.items, self.a.batch):
            yield self.tokenizer(self.texts[i:i + self.a.batch], padding=True, truncation=True,
                                 return_tensors="pt").to(self.a.device)


class Torch(Tower):
    def __init__(self, a):
        super().__init__(a)
        self.place()
        self.call = self.torch.compile(self.model) if a.peer == "compile" else self.model

    def run(self):
        with self.torch.inference_mode():
            for batch in self.batches():
                self.call(**batch).last_hidden_state
        self.synchronize()


class OnnxRuntime(Tower):
    def __init__(self, a):
        super().__init__(a)
        import onnxruntime

        if a.dtype != "fp32" or a.tower != "image":
            sys.exit("onnxruntime: images in fp32 alone")

        class Wrapped(self.torch.nn.Module):
            def __init__(self, model):
                super().__init__()
                self.model = model

            def forward(self, x):
                return self.model(pixel_values=x).last_hidden_state

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = a.threads
        providers = ["CUDAExecutionProvider"] if a.device.startswith("cuda") else ["CPUExecutionProvider"]
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
            path = os.path.join(folder, "model.onnx")
            self.torch.onnx.export(Wrapped(self.model), (self.x,), path, input_names=["x"],
                                   dynamo=True, external_data=True)
            self.session = onnxruntime.InferenceSession(path, options, providers=providers)
        self.feed = {"x": self.x.numpy()}

    def run(self):
        self.session.run(None, self.feed)


class SentenceTransformers(Workload):
    """encode() at its defaults but for the precision, on the lines of a file."""

    def __init__(self, a):
        super().__init__(a)
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(a.folder, device=a.device,
                                         model_kwargs={"dtype": self.dtype}).eval()
        with open(a.texts, encoding="utf-8") as f:
            self.texts = f.read().splitlines()
        self.items = len(self.texts)

    def run(self):
        self.model.encode(self.texts, show_progress_bar=False)
        self.synchronize()


PEERS = {"torch": Torch, "compile": Torch, "onnxruntime": OnnxRuntime,
         "sentence-transformers": SentenceTransformers}


def versions():
    """Versions of the installed peers."""
    found = {}
    for package in ("torch", "transformers", "onnxruntime", "sentence-transformers"):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[package] = importlib.metadata.version(package)
    return found


def main():
    if sys.argv[1:2] == ["make"]:
        return make(*sys.argv[2:])
    a = arguments()
    if a.tower == "text" and not a.texts:
        sys.exit("the text tower wants --texts")
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not come between the answers
    w = PEERS[a.peer](a)
    w.run()  # compiles, fills caches
    w.run()
    print(json.dumps({"ready": a.peer, "items": w.items, "versions": versions()}), file=answers, flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        w.run()
        print(json.dumps({"seconds": time.perf_counter() - start}), file=answers, flush=True)


if __name__ == "__main__":
    main()
