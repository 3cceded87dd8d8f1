"""Make preprocess/: small model folders with image processor settings of many kinds, and
preprocess.txt and preprocess_torchvision.txt: what transformers' processors with the PIL and with
the torchvision backend make of pictures from a formula.

Wants transformers, Pillow 13, numpy, xxhash, torch, torchvision, and a CPU with AVX2.
    python make_preprocess.py

One line per case: folder, seed, width, height of the picture, height and width of the result, and
the XXH3-128 of the uint8 (H, W, 3) pixels and of the float32 (3, H, W) tensor.
"""

import json
import pathlib
import shutil

import numpy as np
import transformers
import xxhash
from PIL import Image

from make_resize import picture

HERE = pathlib.Path(__file__).parent
OUT = HERE / "preprocess"

CLIP = "CLIPImageProcessor"
OLD_CLIP = {"crop_size": 224, "do_center_crop": True, "do_normalize": True, "do_resize": True,
            "feature_extractor_type": "CLIPFeatureExtractor",
            "image_mean": [0.48145466, 0.4578275, 0.40821073],
            "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": 224}
SMALL = {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 32},
         "crop_size": {"height": 32, "width": 32}}

FOLDERS = {
    "clip_old": (CLIP, OLD_CLIP),
    "clip_new": (CLIP, {"image_processor_type": "CLIPImageProcessorFast", "do_convert_rgb": True,
                        "crop_size": {"height": 48, "width": 48}, "rescale_factor": 1 / 255,
                        "size": {"shortest_edge": 48}, "resample": 3, "data_format": "channels_first",
                        "device": None, "input_data_format": None, "return_tensors": None}),
    "clip_defaults": (CLIP, {"image_processor_type": "CLIPImageProcessor"}),
    "clip_small": (CLIP, SMALL),
    "clip_pad": (CLIP, SMALL | {"crop_size": {"height": 39, "width": 36}}),
    "clip_no_resize": (CLIP, SMALL | {"do_resize": False, "crop_size": 40}),
    "clip_no_rescale": (CLIP, SMALL | {"do_rescale": False}),
    "clip_no_normalize": (CLIP, SMALL | {"do_normalize": False, "rescale_factor": 0.00784}),
    "clip_exact": (CLIP, SMALL | {"size": {"height": 30, "width": 41}, "resample": 1}),
    "clip_bilinear": (CLIP, SMALL | {"resample": 2}),
    "clip_nearest": (CLIP, SMALL | {"resample": 0}),
    "clip_box": (CLIP, SMALL | {"resample": 4}),
    "clip_means": (CLIP, SMALL | {"image_mean": 0.45, "image_std": [0.2, 0.3, 0.4]}),
    "dinov2": ("BitImageProcessor", {
        "crop_size": {"height": 42, "width": 42}, "do_center_crop": True, "do_convert_rgb": True,
        "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.485, 0.456, 0.406], "image_processor_type": "BitImageProcessor",
        "image_std": [0.229, 0.224, 0.225], "resample": 3, "rescale_factor": 0.00392156862745098,
        "size": {"shortest_edge": 48}}),
    "siglip": ("SiglipImageProcessor", {
        "do_normalize": True, "do_rescale": True, "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessor", "image_std": [0.5, 0.5, 0.5],
        "processor_class": "SiglipProcessor", "resample": 3,
        "rescale_factor": 0.00392156862745098, "size": {"height": 56, "width": 64}}),
    "vit": ("ViTImageProcessor", {"image_processor_type": "ViTImageProcessor", "size": 40}),
    "vit_pil": ("ViTImageProcessor", {"image_processor_type": "ViTImageProcessorPil",
                                      "size": {"height": 24, "width": 56}, "resample": 1}),
    "siglip2": ("SiglipImageProcessor", {  # fixed resolution
        "data_format": "channels_first", "default_to_square": True, "device": None,
        "do_center_crop": None, "do_convert_rgb": None, "do_normalize": True, "do_rescale": True,
        "do_resize": True, "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessorFast", "image_std": [0.5, 0.5, 0.5],
        "input_data_format": None, "resample": 2, "rescale_factor": 0.00392156862745098,
        "size": {"height": 48, "width": 48}}),
    "dinov2_fast": ("BitImageProcessor", {"image_processor_type": "BitImageProcessorFast",
                                          "size": {"shortest_edge": 50},
                                          "crop_size": {"height": 45, "width": 45}}),
}
PICTURES = [(1, 64, 48), (2, 48, 64), (3, 32, 32), (5, 20, 20), (7, 3, 70), (9, 71, 3), (11, 53, 51),
            (13, 39, 33), (15, 1, 1)]


def hashed(a):
    return xxhash.xxh3_128_hexdigest(np.ascontiguousarray(a).tobytes())


def write_folders():
    shutil.rmtree(OUT, ignore_errors=True)
    for name, (_, config) in FOLDERS.items():
        folder = OUT / name
        folder.mkdir(parents=True)
        if name == "clip_new":  # the layout of transformers 5
            whole = {"image_processor": config, "processor_class": "CLIPProcessor"}
            (folder / "processor_config.json").write_text(json.dumps(whole, indent=2) + "\n")
        else:
            (folder / "preprocessor_config.json").write_text(json.dumps(config, indent=2) + "\n")


def write_cases(file, suffix):
    lines = []
    for name, (kind, config) in FOLDERS.items():
        if suffix == "" and config.get("resample") == 4:
            continue  # torchvision has no box filter
        processor = getattr(transformers, kind + suffix).from_pretrained(OUT / name)
        assert processor.backend == ("pil" if suffix == "Pil" else "torchvision")
        for seed, w, h in PICTURES:
            image = Image.fromarray(picture(seed, w, h))
            pixels = np.asarray(processor(image, do_rescale=False, do_normalize=False)["pixel_values"][0])
            tensor = np.asarray(processor(image)["pixel_values"][0])
            assert pixels.dtype == np.uint8
            tensor = tensor.astype(np.float32)  # without rescaling and normalising still 8-bit
            lines.append(f"{name} {seed} {w} {h} {tensor.shape[1]} {tensor.shape[2]} "
                         f"{hashed(pixels.transpose(1, 2, 0))} {hashed(tensor)}")
    (HERE / file).write_text("\n".join(lines) + "\n")
    print(file, len(lines), "cases")


def main():
    write_folders()
    write_cases("preprocess.txt", "Pil")
    write_cases("preprocess_torchvision.txt", "")


if __name__ == "__main__":
    main()
