"""Make the sample pictures and decode.txt: what Pillow and transformers see in each of them.

Wants Pillow 13, numpy, transformers, xxhash.   python make_images.py

decode.txt has one line per sample: name, then either "error" or, for exif=apply and exif=ignore,
width, height and the XXH3-128 of the RGB bytes with alpha=drop and with alpha=white.
"""

import io
import pathlib
import struct
import warnings
import zlib

import numpy as np
import xxhash
from PIL import Image, ImageOps
from transformers.image_transforms import convert_to_rgb

HERE = pathlib.Path(__file__).parent
OUT = HERE / "samples"
rng = np.random.default_rng(7)
samples = {}


def scene(w, h, channels=3):
    """A smooth picture with some texture."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    planes = []
    for c in range(channels):
        a = 127 + 90 * np.sin(x / (3.0 + c) + c) * np.cos(y / (4.0 - c / 2)) + rng.normal(0, 12, (h, w))
        planes.append(np.clip(a, 0, 255).astype(np.uint8))
    return planes[0] if channels == 1 else np.stack(planes, -1)


def save(name, image, fmt, **options):
    b = io.BytesIO()
    image.save(b, fmt, **options)
    samples[name] = b.getvalue()
    return samples[name]


# ---- PNG, written by hand: every depth, colour type and interlacing -------------------------


def chunk(kind, data, crc=None):
    crc = zlib.crc32(kind + data) if crc is None else crc
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def pack_rows(a, depth):
    """(h, w, c) samples to filtered (type 0..4 in turn) rows."""
    h, w, c = a.shape
    bpp = max(1, c * depth // 8)
    rows, previous = [], None
    for y in range(h):
        if depth == 16:
            row = a[y].astype(">u2").tobytes()
        elif depth == 8:
            row = a[y].astype(np.uint8).tobytes()
        else:
            bits = "".join(f"{v:0{depth}b}" for v in a[y, :, 0])
            bits += "0" * (-len(bits) % 8)
            row = bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))
        previous = previous or bytes(len(row))
        kind = y % 5
        out = bytearray()
        for i, v in enumerate(row):
            left = row[i - bpp] if i >= bpp else 0
            up = previous[i]
            corner = previous[i - bpp] if i >= bpp else 0
            p = left + up - corner
            d = abs(p - left), abs(p - up), abs(p - corner)
            paeth = left if d[0] <= d[1] and d[0] <= d[2] else up if d[1] <= d[2] else corner
            out.append((v - (0, left, up, (left + up) // 2, paeth)[kind]) & 255)
        rows.append(bytes([kind]) + bytes(out))
        previous = row
    return b"".join(rows)


def png(a, depth, color, before=b"", after=b"", interlace=0, split=None, end=True):
    h, w, _ = a.shape
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, interlace))
    if interlace:
        raw = b""
        for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4),
                               (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
            part = a[y0::dy, x0::dx]
            if part.size:
                raw += pack_rows(part, depth)
    else:
        raw = pack_rows(a, depth)
    data = zlib.compress(raw, 9)
    parts = [data[i : i + split] for i in range(0, len(data), split)] if split else [data]
    body = b"".join(chunk(b"IDAT", p) for p in parts)
    return b"\x89PNG\r\n\x1a\n" + head + before + body + after + (chunk(b"IEND", b"") if end else b"")


def noise(w, h, channels, depth):
    a = rng.integers(0, 1 << depth, (h, w, channels))
    if depth == 16:
        a[: h // 2] = rng.integers(0, 400, a[: h // 2].shape)  # around the clip of 16-bit grey
    return a


def exif(orientation, order="<", kind=3):
    code = {"<": b"II", ">": b"MM"}[order]
    size = {1: "B3x", 3: "H2x", 4: "I"}[kind]
    return (code + struct.pack(order + "HI", 42, 8) + struct.pack(order + "H", 1)
            + struct.pack(order + "HHI" + size, 0x0112, kind, 1, orientation)
            + struct.pack(order + "I", 0))


def xmp(orientation):
    return (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="%d"/></x:xmpmeta>'
            % orientation)


def itxt(key, value):
    return chunk(b"iTXt", key + b"\0\0\0\0\0" + value)


def make_png():
    for color, depths, channels in ((0, (1, 2, 4, 8, 16), 1), (2, (8, 16), 3), (3, (1, 2, 4, 8), 1),
                                    (4, (8, 16), 2), (6, (8, 16), 4)):
        for depth in depths:
            for interlace in (0, 1):
                w, h = (13, 11) if interlace else (11, 9)
                a = noise(w, h, channels, depth)
                n = min(1 << depth, 200)
                if color == 3:
                    a %= n
                plte = chunk(b"PLTE", rng.bytes(3 * n)) if color == 3 else b""
                name = f"png_c{color}_d{depth}" + ("_adam7" if interlace else "")
                samples[name + ".png"] = png(a, depth, color, plte, interlace=interlace)
                if color == 3:
                    trns = chunk(b"tRNS", rng.bytes(max(1, n // 2)))
                elif color in (0, 2):
                    trns = chunk(b"tRNS", b"".join(struct.pack(">H", v) for v in a[0, 0]))
                else:
                    continue
                if not interlace:
                    samples[name + "_trns.png"] = png(a, depth, color, plte + trns)
    a = noise(7, 5, 1, 2)
    a[0, 0] = 1
    samples["png_d2_trns_stretched.png"] = png(a, 2, 0, chunk(b"tRNS", b"\0\x55"))
    samples["png_palette_short.png"] = png(noise(9, 5, 1, 4), 4, 3, chunk(b"PLTE", rng.bytes(15)))
    samples["png_palette_none.png"] = png(noise(9, 5, 1, 4), 4, 3)
    samples["png_palette_one_clear.png"] = png(
        noise(9, 5, 1, 2), 2, 3, chunk(b"PLTE", rng.bytes(12)) + chunk(b"tRNS", b"\xff\xff\0"))
    samples["png_1x1.png"] = png(noise(1, 1, 3, 8), 8, 2)
    samples["png_1x1_adam7.png"] = png(noise(1, 1, 3, 8), 8, 2, interlace=1)
    samples["png_split.png"] = png(noise(20, 20, 3, 8), 8, 2, split=7)
    rgb = noise(6, 4, 3, 8)
    samples["png_exif6.png"] = png(rgb, 8, 2, chunk(b"eXIf", exif(6, ">")))
    samples["png_exif8_late.png"] = png(rgb, 8, 2, after=chunk(b"eXIf", exif(8)))
    samples["png_xmp3.png"] = png(rgb, 8, 2, itxt(b"XML:com.adobe.xmp", xmp(3)))
    def raw(o, width=72):
        digits = exif(o).hex()
        rows = [digits[i : i + width] for i in range(0, len(digits), width)]
        return ("\nexif\n%8d\n" % (len(digits) // 2) + "\n".join(rows) + "\n").encode()

    key = b"Raw profile type exif\0"
    samples["png_raw_exif5.png"] = png(rgb, 8, 2, chunk(b"tEXt", key + raw(5)))
    samples["png_raw_exif7.png"] = png(rgb, 8, 2, chunk(b"zTXt", key + b"\0" + zlib.compress(raw(7, 40))))
    samples["png_raw_exif7_exif2.png"] = png(rgb, 8, 2, chunk(b"tEXt", key + raw(7))
                                             + chunk(b"eXIf", exif(2)))
    samples["png_xmp3_packed.png"] = png(rgb, 8, 2, chunk(
        b"iTXt", b"XML:com.adobe.xmp\0\x01\0en\0\0" + zlib.compress(xmp(3))))
    samples["png_xmp4_late.png"] = png(rgb, 8, 2, after=itxt(b"XML:com.adobe.xmp", xmp(4)))
    samples["png_xmp4_raw_exif8.png"] = png(rgb, 8, 2, itxt(b"XML:com.adobe.xmp", xmp(4))
                                            + chunk(b"tEXt", key + raw(8)))
    samples["png_text_bomb.png"] = png(rgb, 8, 2, chunk(
        b"zTXt", key + b"\0" + zlib.compress(bytes(16 << 20), 9)))
    samples["png_exif6_alpha.png"] = png(noise(6, 4, 4, 8), 8, 6, chunk(b"eXIf", exif(6)))
    samples["png_trns_late.png"] = png(rgb, 8, 2, after=chunk(
        b"tRNS", b"".join(struct.pack(">H", v) for v in rgb[0, 0])))
    samples["png_no_iend.png"] = png(rgb, 8, 2, end=False)
    samples["png_trailing.png"] = png(rgb, 8, 2) + b"garbage"
    samples["png_profile.png"] = png(rgb, 8, 2, chunk(b"gAMA", struct.pack(">I", 45455))
                                     + chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")))
    samples["png_unknown_chunk.png"] = png(rgb, 8, 2, chunk(b"abCd", b"hello"))
    samples["png_bad_crc.png"] = png(rgb, 8, 2, chunk(b"tEXt", b"a\0b", crc=1))
    samples["png_cut.png"] = png(rgb, 8, 2)[:-30]
    samples["png_bad_filter.png"] = (b"\x89PNG\r\n\x1a\n" + chunk(
        b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\x07abc")) + chunk(b"IEND", b""))
    frames = [Image.fromarray(scene(10, 8)) for _ in range(3)]
    save("png_animated.png", frames[0], "PNG", save_all=True, append_images=frames[1:])
    save("png_animated_default.png", frames[0], "PNG", save_all=True, append_images=frames[1:],
         default_image=True)


# ---- JPEG ------------------------------------------------------------------------------------


def insert(jpeg, segment, kind=0xE1):
    return jpeg[:2] + struct.pack(">BBH", 0xFF, kind, len(segment) + 2) + segment + jpeg[2:]


def patch(jpeg, old, new):
    assert jpeg.count(old) == 1
    return jpeg.replace(old, new)


def make_jpeg():
    photo = Image.fromarray(scene(61, 45))
    for subsampling in (0, 1, 2):
        for progressive in (False, True):
            save(f"jpeg_s{subsampling}{'_progressive' if progressive else ''}.jpg", photo, "JPEG",
                 quality=85, subsampling=subsampling, progressive=progressive)
    for quality in (5, 60, 100):
        save(f"jpeg_q{quality}.jpg", photo, "JPEG", quality=quality)
    save("jpeg_optimized.jpg", photo, "JPEG", optimize=True)
    save("jpeg_restart.jpg", photo, "JPEG", restart_marker_blocks=3)
    save("jpeg_rgb.jpg", photo, "JPEG", keep_rgb=True)
    save("jpeg_1x1.jpg", Image.fromarray(scene(1, 1)), "JPEG")
    save("jpeg_2x33.jpg", Image.fromarray(scene(2, 33)), "JPEG", subsampling=2)
    save("jpeg_grey.jpg", Image.fromarray(scene(37, 29, 1)), "JPEG")
    save("jpeg_grey_progressive.jpg", Image.fromarray(scene(37, 29, 1)), "JPEG", progressive=True)
    cmyk = Image.fromarray(scene(33, 21, 4), "CMYK")
    save("jpeg_cmyk.jpg", cmyk, "JPEG", quality=90)
    save("jpeg_cmyk_progressive.jpg", cmyk, "JPEG", quality=90, progressive=True)
    adobe = samples["jpeg_cmyk.jpg"]
    at = adobe.index(b"Adobe") + 11
    samples["jpeg_ycck.jpg"] = adobe[:at] + b"\x02" + adobe[at + 1 :]
    samples["jpeg_cmyk_no_adobe.jpg"] = adobe.replace(b"Adobe", b"Other")
    square = save("jpeg_square.jpg", Image.fromarray(scene(32, 32)), "JPEG", subsampling=1)
    at = square.index(b"\x01\x21\x00") + 1  # 2x1 to 1x2 sampling: as many blocks, other order
    samples["jpeg_440.jpg"] = square[:at] + b"\x12" + square[at + 1 :]

    small = save("jpeg_small.jpg", Image.fromarray(scene(23, 14)), "JPEG", quality=80)
    for orientation in range(1, 9):
        samples[f"jpeg_exif{orientation}.jpg"] = insert(
            small, b"Exif\0\0" + exif(orientation, "<>"[orientation % 2], (3, 4, 1)[orientation % 3]))
    samples["jpeg_exif9.jpg"] = insert(small, b"Exif\0\0" + exif(9))
    block = exif(6)
    samples["jpeg_exif_split.jpg"] = insert(
        insert(small, b"Exif\0\0" + block[9:]), b"Exif\0\0" + block[:9])
    samples["jpeg_xmp5.jpg"] = insert(small, b"http://ns.adobe.com/xap/1.0/\0" + xmp(5))
    samples["jpeg_exif7_xmp5.jpg"] = insert(samples["jpeg_xmp5.jpg"], b"Exif\0\0" + exif(7))
    samples["jpeg_trailing.jpg"] = small + b"\0garbage" * 9
    samples["jpeg_no_eoi.jpg"] = small[:-2]
    samples["jpeg_padding.jpg"] = small[:2] + b"\xff\xff\xff" + small[2:]
    samples["jpeg_comment.jpg"] = insert(small, b"hello", 0xFE)
    samples["jpeg_cut.jpg"] = small[: len(small) * 3 // 4]
    samples["jpeg_cut_header.jpg"] = small[:100]
    progressive = samples["jpeg_s2_progressive.jpg"]
    samples["jpeg_cut_progressive.jpg"] = progressive[: len(progressive) * 3 // 4]
    at = small.index(b"\xff\xda") + 40
    samples["jpeg_damaged.jpg"] = small[:at] + bytes(v ^ 0x55 for v in small[at : at + 6]) + small[at + 6 :]
    samples["jpeg_12bit.jpg"] = patch(small, b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c")
    samples["jpeg_two_components.jpg"] = patch(small, b"\x03\x01\x22\0\x02\x11", b"\x02\x01\x22\0\x02\x11")
    save("jpeg_mpo.jpg", photo, "MPO", save_all=True, append_images=[photo])


# ---- WebP ------------------------------------------------------------------------------------


def make_webp():
    photo = Image.fromarray(scene(43, 31))
    clear = Image.fromarray(scene(27, 19, 4), "RGBA")
    save("webp_lossy.webp", photo, "WEBP", quality=70)
    save("webp_lossy_best.webp", photo, "WEBP", quality=100)
    save("webp_lossless.webp", photo, "WEBP", lossless=True)
    save("webp_alpha.webp", clear, "WEBP", quality=75)
    save("webp_alpha_lossless.webp", clear, "WEBP", lossless=True, exact=True)
    save("webp_1x1.webp", Image.fromarray(scene(1, 1)), "WEBP", lossless=True)
    save("webp_exif6.webp", photo, "WEBP", quality=50, exif=b"Exif\0\0" + exif(6))
    save("webp_exif3_bare.webp", photo, "WEBP", quality=50, exif=exif(3))
    save("webp_xmp8.webp", photo, "WEBP", quality=50, xmp=xmp(8))
    frames = [Image.fromarray(scene(20, 16, 4), "RGBA") for _ in range(2)]
    save("webp_animated.webp", frames[0], "WEBP", save_all=True, append_images=frames[1:],
         lossless=True)
    still = samples["webp_lossy.webp"]
    samples["webp_trailing.webp"] = still + b"garbage!"
    samples["webp_cut.webp"] = still[: len(still) // 2]


def make_wide():
    """So wide that a crop out of the middle leaves blocks undecoded."""
    wide = Image.fromarray(scene(217, 51))
    for subsampling in (0, 1, 2):
        save(f"jpeg_wide_s{subsampling}.jpg", wide, "JPEG", quality=60, subsampling=subsampling)
    save("jpeg_wide_progressive.jpg", wide, "JPEG", quality=60, progressive=True)
    save("jpeg_wide_restart.jpg", wide, "JPEG", quality=60, restart_marker_blocks=5)
    save("jpeg_wide_rgb.jpg", wide, "JPEG", quality=60, keep_rgb=True)
    save("jpeg_wide_grey.jpg", Image.fromarray(scene(217, 51, 1)), "JPEG", quality=60)
    save("jpeg_wide_cmyk.jpg", Image.fromarray(scene(217, 51, 4), "CMYK"), "JPEG", quality=60)
    square = save("jpeg_wide_440.jpg", Image.fromarray(scene(224, 224)), "JPEG", quality=30, subsampling=1)
    at = square.index(b"\x01\x21\x00") + 1  # 2x1 to 1x2 sampling: as many blocks, other order
    samples["jpeg_wide_440.jpg"] = square[:at] + b"\x12" + square[at + 1 :]


# ---- what Pillow sees ------------------------------------------------------------------------


def views(data):
    fields = []
    for apply in (True, False):
        image = Image.open(io.BytesIO(data))
        image.load()
        if apply:
            image = ImageOps.exif_transpose(image)
        drop = np.array(image.convert("RGB"))
        white = convert_to_rgb(image, return_numpy=True)
        fields += [drop.shape[1], drop.shape[0]]
        fields += [xxhash.xxh3_128_hexdigest(np.ascontiguousarray(a).tobytes()) for a in (drop, white)]
    return " ".join(map(str, fields))


def main():
    warnings.simplefilter("ignore")
    make_png()
    make_jpeg()
    make_webp()
    make_wide()
    samples["empty.jpg"] = b""
    samples["text.png"] = b"this is not a picture\n" * 3
    samples["wrong_name.png"] = samples["webp_lossy.webp"]
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    lines = []
    for name, data in sorted(samples.items()):
        (OUT / name).write_bytes(data)
        try:
            lines.append(f"{name} {views(data)}")
        except (OSError, SyntaxError, ValueError) as error:
            lines.append(f"{name} error")
            print(name, type(error).__name__, error)
    (HERE / "decode.txt").write_text("\n".join(lines) + "\n")
    print(len(samples), "samples,", sum(map(len, samples.values())), "bytes")


if __name__ == "__main__":
    main()
