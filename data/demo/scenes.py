"""Rendered scenes with exactly known content.

A scene is a `Facts` value: what is in the picture, and nothing about how it is drawn. From the facts follow

    caption(facts)            "three red circles"
    near_misses(facts)        every caption that differs in exactly one fact
    layout(facts, rng)        objects with jittered sizes and positions, and a background
    picture(facts, rng)       the same facts drawn afresh: 64 x 64 RGB
    stored(image, rng)        slight Gaussian noise and one JPEG round trip, as pictures are kept on disk

Run as a program it draws a sheet of examples: python data/demo/scenes.py SHEET.png
"""
import io
import math
import random
import sys
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

SIZE, OVERSAMPLE = 64, 4
KINDS = ["attribute", "count", "place", "two"]
COLOURS = {"red": (214, 39, 40), "green": (44, 160, 44), "blue": (31, 89, 200), "yellow": (240, 200, 20),
           "purple": (130, 60, 170), "orange": (250, 130, 20), "black": (20, 20, 20), "white": (250, 250, 250)}
SHAPES = {"circle": "circles", "square": "squares", "triangle": "triangles", "star": "stars", "cross": "crosses",
          "ring": "rings"}
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six"]
MOST = 6
PLACES = {"at the top": (.5, .2), "at the bottom": (.5, .8), "on the left": (.2, .5), "on the right": (.8, .5),
          "in the middle": (.5, .5), "in the top left corner": (.2, .2), "in the top right corner": (.8, .2),
          "in the bottom left corner": (.2, .8), "in the bottom right corner": (.8, .8)}
BACKGROUNDS = [(200, 200, 205), (225, 215, 200), (190, 205, 190), (205, 195, 215), (180, 190, 200)]


@dataclass(frozen=True)
class Facts:
    """What a picture shows; `number`, `place`, `colour2` and `shape2` are used by their own kind only."""
    kind: str
    colour: str
    shape: str
    number: int = 1
    place: str = ""
    colour2: str = ""
    shape2: str = ""


def one(colour, shape):
    return f"{'an' if colour[0] in 'aeiou' else 'a'} {colour} {shape}"


def some(number, colour, shape):
    return f"{NUMBERS[number]} {colour} {shape if number == 1 else SHAPES[shape]}"


def caption(f):
    if f.kind == "attribute":
        return one(f.colour, f.shape)
    if f.kind == "count":
        return some(f.number, f.colour, f.shape)
    if f.kind == "place":
        return f"{one(f.colour, f.shape)} {f.place}"
    return f"{one(f.colour, f.shape)} and {one(f.colour2, f.shape2)}"


def same(f):
    """The facts in one fixed order: two scenes show the same thing exactly if these are equal."""
    if f.kind == "two" and (f.colour2, f.shape2) < (f.colour, f.shape):
        return replace(f, colour=f.colour2, shape=f.shape2, colour2=f.colour, shape2=f.shape)
    return f


def changes(f):
    """[(what changed, changed facts)] for every single change that yields another valid scene of the kind."""
    out = []
    if f.kind == "count":
        out += [("number", replace(f, number=n)) for n in range(1, MOST + 1)]
    if f.kind == "place":
        out += [("place", replace(f, place=p)) for p in PLACES]
    if f.kind == "two":
        out += [("swap", replace(f, colour=f.colour2, colour2=f.colour))]
    out += [("colour", replace(f, colour=c)) for c in COLOURS]
    out += [("shape", replace(f, shape=s)) for s in SHAPES]
    if f.kind == "two":
        out += [("colour", replace(f, colour2=c)) for c in COLOURS]
        out += [("shape", replace(f, shape2=s)) for s in SHAPES]
        out = [(what, g) for what, g in out if (g.colour, g.shape) != (g.colour2, g.shape2)]
    seen, unique = {same(f)}, []
    for what, g in out:
        if same(g) not in seen:
            seen.add(same(g))
            unique.append((what, g))
    return unique


def near_misses(f):
    return [caption(g) for _, g in changes(f)]


def slip(f, rng):
    """Facts of a scene that misses f by one change; half the time by what the kind is about (number, place, swap)."""
    wrong = changes(f)
    own = [g for what, g in wrong if what == {"count": "number", "place": "place", "two": "swap"}.get(f.kind)]
    return rng.choice(own if own and rng.random() < .5 else [g for _, g in wrong])


def sample(rng, kind=None):
    """Facts drawn uniformly within the kind."""
    kind = kind or rng.choice(KINDS)
    f = Facts(kind, rng.choice(list(COLOURS)), rng.choice(list(SHAPES)))
    if kind == "count":
        f = replace(f, number=rng.randint(1, MOST))
    elif kind == "place":
        f = replace(f, place=rng.choice(list(PLACES)))
    elif kind == "two":
        while True:
            f = replace(f, colour2=rng.choice(list(COLOURS)), shape2=rng.choice(list(SHAPES)))
            if (f.colour, f.shape) != (f.colour2, f.shape2):
                break
    return f


# ---- drawing

def positions(rng, n, smallest, largest):
    """n discs (x, y, r) inside the picture that do not touch."""
    while True:
        placed = []
        for _ in range(60 * n):
            r = rng.uniform(smallest, largest)
            x, y = rng.uniform(r + 1, SIZE - r - 1), rng.uniform(r + 1, SIZE - r - 1)
            if all((x - a) ** 2 + (y - b) ** 2 > (r + q + 1.5) ** 2 for a, b, q in placed):
                placed.append((x, y, r))
                if len(placed) == n:
                    return placed
        largest = max(smallest, .95 * largest)


def layout(f, rng):
    """([(shape, colour, x, y, r)], background): sizes, positions and background are free, the facts are not."""
    background = rng.choice(BACKGROUNDS)
    if f.kind == "attribute":
        objects = [(f.shape, f.colour, *positions(rng, 1, 8, 20)[0])]
    elif f.kind == "count":
        objects = [(f.shape, f.colour, *p) for p in positions(rng, f.number, 5, 9)]
    elif f.kind == "place":
        r = rng.uniform(7, 12)
        x, y = (min(max(q * SIZE + rng.uniform(-4.5, 4.5), r + 1), SIZE - r - 1) for q in PLACES[f.place])
        objects = [(f.shape, f.colour, x, y, r)]
    else:
        p, q = positions(rng, 2, 7, 12)
        objects = [(f.shape, f.colour, *p), (f.shape2, f.colour2, *q)]
    return objects, background


def draw_shape(canvas, shape, x, y, r, colour):
    if shape == "circle":
        canvas.ellipse([x - r, y - r, x + r, y + r], fill=colour)
    elif shape == "square":
        canvas.rectangle([x - .85 * r, y - .85 * r, x + .85 * r, y + .85 * r], fill=colour)
    elif shape == "triangle":
        canvas.polygon([(x, y - r), (x - .95 * r, y + .8 * r), (x + .95 * r, y + .8 * r)], fill=colour)
    elif shape == "star":
        radii = [r if i % 2 == 0 else .42 * r for i in range(10)]
        angles = [-math.pi / 2 + i * math.pi / 5 for i in range(10)]
        canvas.polygon([(x + q * math.cos(a), y + q * math.sin(a)) for q, a in zip(radii, angles)], fill=colour)
    elif shape == "cross":
        canvas.rectangle([x - r, y - .32 * r, x + r, y + .32 * r], fill=colour)
        canvas.rectangle([x - .32 * r, y - r, x + .32 * r, y + r], fill=colour)
    elif shape == "ring":
        canvas.ellipse([x - r, y - r, x + r, y + r], outline=colour, width=int(max(1, .38 * r)))
    else:
        raise ValueError(f"unknown shape: {shape}")


def render(objects, background):
    """Exactly these objects, drawn at 4x and reduced: 64 x 64 RGB."""
    image = Image.new("RGB", (SIZE * OVERSAMPLE,) * 2, background)
    canvas = ImageDraw.Draw(image)
    for shape, colour, x, y, r in objects:
        draw_shape(canvas, shape, x * OVERSAMPLE, y * OVERSAMPLE, r * OVERSAMPLE, COLOURS[colour])
    return image.resize((SIZE, SIZE), Image.BICUBIC)


def picture(f, rng):
    return render(*layout(f, rng))


# ---- how pictures are kept

def noisy(image, rng, most=3.0):
    """Gaussian noise with a standard deviation of 0 to `most` grey levels."""
    noise = np.random.default_rng(rng.getrandbits(64)).standard_normal((image.height, image.width, 3))
    return Image.fromarray(np.clip(np.asarray(image) + rng.uniform(0, most) * noise + .5, 0, 255).astype(np.uint8))


def jpeg(image, quality):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def stored(image, rng):
    """The bytes of a JPEG file: slight noise, quality 85 to 95."""
    image = noisy(image, rng)
    return jpeg(image, rng.randint(85, 95))


def opened(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def main():
    rng, columns, rows = random.Random(1), 8, 4
    sheet = Image.new("RGB", (SIZE * columns, SIZE * rows))
    for i in range(columns * rows):
        f = sample(rng, KINDS[i % 4])
        sheet.paste(opened(stored(picture(f, rng), rng)), (SIZE * (i % columns), SIZE * (i // columns)))
        print(f.kind, "|", caption(f), "|", len(near_misses(f)), "near misses:", "; ".join(near_misses(f)[:3]), "...")
    sheet.resize((sheet.width * 2, sheet.height * 2), Image.NEAREST).save(sys.argv[1])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
