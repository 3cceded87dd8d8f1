"""Makes checkpoints/: one state dict in every file format that torch.save() and safetensors write.

    python make_checkpoints.py        (torch, safetensors)

reference/model.safetensors holds the dict's tensors in F32 and row-major; the other folders must give the same numbers.
The bytes of legacy/ differ from run to run (torch orders the storages by their addresses), the content does not.
"""
import json
import shutil
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).resolve().parent / "checkpoints"


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def state_dict():
    g = torch.Generator().manual_seed(7)
    base = torch.randn(6, 10, generator=g)
    qkv = torch.randn(9, 4, generator=g)
    return OrderedDict([
        ("plain", base), ("slice", base[1:4, 2:9]), ("transposed", base.t()), ("every.other", base[::2, 1::3]),
        ("q", qkv[0:3]), ("k", qkv[3:6]), ("v", qkv[6:9]), ("column", qkv[:, 2]),
        ("permuted", torch.randn(2, 3, 4, 5, generator=g).permute(3, 1, 0, 2)),
        ("half", torch.randn(5, 3, generator=g).half()), ("half.transposed", torch.randn(5, 3, generator=g).half().t()),
        ("bfloat16", torch.randn(7, generator=g).bfloat16()), ("double", torch.randn(2, 2, generator=g).double()),
        ("scalar", torch.tensor(2.5)), ("empty", torch.zeros(0, 7)), ("one", base[2:3, :1]),
        ("parameter", torch.nn.Parameter(torch.randn(3, generator=g))),
        ("position_ids", torch.arange(12).expand((1, -1))), ("int", torch.arange(3, dtype=torch.int32)),
        ("byte", torch.arange(3, dtype=torch.uint8)), ("flags", torch.tensor([True, False])),
    ])


dicts = state_dict()
dicts._metadata = OrderedDict([("", {"version": 1})])
save_file({n: t.detach().float().contiguous().clone() for n, t in dicts.items() if t.is_floating_point()},
          fresh("reference") / "model.safetensors")
torch.save(dicts, fresh("zip") / "pytorch_model.bin")
torch.save(dicts, fresh("legacy") / "pytorch_model.bin", _use_new_zipfile_serialization=False)
torch.serialization.set_crc32_options(False)
torch.save(dict(dicts), fresh("unchecked") / "pytorch_model.bin")
torch.serialization.set_crc32_options(True)
folder, names, shards = fresh("shards"), list(dicts), {}
for i in range(2):
    file = f"pytorch_model-{i + 1:05}-of-00002.bin"
    torch.save({n: dicts[n] for n in names[i::2]}, folder / file)
    shards.update({n: file for n in names[i::2]})
(folder / "pytorch_model.bin.index.json").write_text(json.dumps({"metadata": {}, "weight_map": shards}, indent=1) + "\n")
