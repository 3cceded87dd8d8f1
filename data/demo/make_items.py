"""Makes the demo's items: make_items.py (no arguments) writes items.jsonl and images/ beside this file.

240 items, 60 in each of four categories. Every item asks for one thing twice: in words (a question about a picture) and
in a picture (a prompt). The form of a pair is a template below; `Item.facts` is what the question's picture shows,
`Item.target` what the generated picture must show. Pictures are drawn by scenes.py and kept as JPEG, five of them as
PNG or WebP; some pictures serve several items. The same bytes are written every time (same versions as requirements.txt).
"""
import io
import json
import random
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import scenes
from scenes import COLOURS, NUMBERS, PLACES, SHAPES, Facts, caption, changes, near_misses, one, some

HERE = Path(__file__).resolve().parent
LETTERS = "ABCD"
LABEL_OF = {"at the top": "top", "at the bottom": "bottom", "on the left": "left", "on the right": "right",
            "in the middle": "middle", "in the top left corner": "top left", "in the top right corner": "top right",
            "in the bottom left corner": "bottom left", "in the bottom right corner": "bottom right"}
PLACE_OF = {label: place for place, label in LABEL_OF.items()}
ALIASES = {"middle": ["centre", "center"], "top left": ["upper left"], "top right": ["upper right"],
           "bottom left": ["lower left"], "bottom right": ["lower right"]}
OPPOSITE = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}


@dataclass
class Item:
    """One line of items.jsonl, with what make_systems.py needs to answer it: `right` and `wrong` are what an answer may
    say, `frames` how it may say it."""
    facts: Facts
    target: Facts
    und: dict
    gen: dict
    tasks: list
    right: list
    wrong: list
    frames: list
    id: str = ""
    category: str = ""
    subcategory: str = ""
    objects: list = field(default_factory=list)             # of the question's picture
    background: tuple = ()


def plural(shape):
    return SHAPES[shape]


def many(n, colour, shape):
    return f"{colour} {shape if n == 1 else plural(shape)}"


def opposite(place):
    return PLACE_OF[" ".join(OPPOSITE[w] for w in LABEL_OF[place].split())]


# ---- the two halves of an item

def generation(target, rng):
    prompt = rng.choice(["Draw {}.", "Draw a picture of {}.", "Generate an image of {}.", "Show {}.",
                         "A picture of {}, please."]).format(caption(target))
    return {"task": "generation", "prompt": prompt, "references": [caption(target)],
            "text_distractors": near_misses(target)}


def editing(target, prompt):
    return {"task": "edit", "prompt": prompt, "references": [caption(target)],
            "text_distractors": near_misses(target)}


def open_question(prompt, answer, others, frames, aliases=()):
    """Right if the answer names `answer` (or an alias) and none of the others."""
    return dict(und={"task": "open", "prompt": prompt, "references": [answer, *aliases], "text_distractors": others},
                right=[answer, *aliases], wrong=others, frames=frames)


def label_question(prompt, answer, labels, frames, aliases=()):
    return dict(und={"task": "label", "prompt": prompt, "labels": labels, "answer": answer,
                     **({"references": list(aliases)} if aliases else {})},
                right=[answer, *aliases], wrong=[x for x in labels if x != answer], frames=frames)


def number_question(prompt, name, n, frames):
    return dict(und={"task": "number", "prompt": prompt, "objects": [{"name": name, "number": n}]},
                right=[n], wrong=[k for k in range(0 if n > 1 else 2, scenes.MOST + 2) if k != n], frames=frames)


def choice_question(prompt, right, others, rng):
    """Four options; an answer names a letter, an option, or both."""
    options = [right, *others]
    rng.shuffle(options)
    pairs = list(zip(LETTERS, options))
    return dict(und={"task": "choice", "prompt": prompt + "".join(f"\n{x}. {t}" for x, t in pairs), "choices": options,
                     "answer": LETTERS[options.index(right)]},
                right=[p for p in pairs if p[1] == right], wrong=[p for p in pairs if p[1] != right],
                frames=["{0}", "({0})", "{0}.", "The answer is {0}.", "{0}. {1}", "I would choose {0}.",
                        "It shows {1}.", "{1}"])


def main_changes(target, what, rng, n=3):
    """n captions that differ from the target in `what` (in anything, where that gives too few)."""
    captions = [caption(g) for w, g in changes(target) if w in what]
    rest = [t for t in near_misses(target) if t not in captions]
    rng.shuffle(captions)
    return (captions + rng.sample(rest, len(rest)))[:n]


def other(rng, values, *taken):
    return rng.choice([v for v in values if v not in taken])


COUNT_FRAMES = ["{n}", "{word}", "{Word}.", "There are {n}.", "I count {n}.", "The answer is {n}.", "{Word} of them."]
SHAPE_FRAMES = ["{}", "A {}.", "It is a {}.", "The picture shows a {}.", "The shape is a {}."]


# ---- counting

def how_many(f, rng):
    name = f"{f.colour} {plural(f.shape)}"
    prompt = rng.choice(["How many {} are there in the picture?", "Count the {} in the picture.",
                         "What is the number of {} in this picture?"]).format(name)
    q = number_question(prompt, name, f.number, [*COUNT_FRAMES, "There are {word} {name}.", "I can see {n} {name}."])
    return Item(f, f, gen=generation(f, rng), tasks=["vqa", "generation"], **q)


def one_more_or_less(f, rng):
    up = f.number == 1 or f.number < scenes.MOST and rng.random() < .5
    target, name = replace(f, number=f.number + (1 if up else -1)), f"{f.colour} {plural(f.shape)}"
    if up:
        prompt = f"If one more {f.colour} {f.shape} were added to the picture, how many {name} would there be?"
        change = rng.choice(["Add one more {}.", "Add another {} to the picture."]).format(f"{f.colour} {f.shape}")
    else:
        prompt = f"If one of the {name} were taken away, how many would be left?"
        change = rng.choice(["Remove one of the {}.", "Take one of the {} away."]).format(name)
    q = number_question(prompt, name, target.number, ["{n}", "{word}", "{Word}.", "There would be {n}.",
                                                      "Then there would be {word} {name}.", "The answer is {n}."])
    return Item(f, target, gen=editing(target, change), tasks=["reasoning", "editing"], **q)


def which_number(f, rng):
    q = choice_question("Which description fits the picture?", caption(f), main_changes(f, ["number"], rng), rng)
    return Item(f, f, gen=generation(f, rng), tasks=["recognition", "generation"], **q)


def number_in_a_word(f, rng):
    words = NUMBERS[1:scenes.MOST + 1]
    q = open_question(f"How many {plural(f.shape)} can you see? Answer with one word.", NUMBERS[f.number],
                      [w for w in words if w != NUMBERS[f.number]],
                      ["{}", "{}.", "There are {}.", "I see {} of them."], [str(f.number)])
    return Item(f, f, gen=generation(f, rng), tasks=["vqa", "generation"], **q)


# ---- attribute

def what_colour(f, rng):
    prompt = rng.choice(["What colour is the {}?", "Which colour does the {} have?"]).format(f.shape)
    q = open_question(prompt, f.colour, [c for c in COLOURS if c != f.colour],
                      ["{}", "{}.", "It is {}.", f"The {f.shape} is {{}}.", "Its colour is {}.", "It looks {} to me."])
    return Item(f, f, gen=generation(f, rng), tasks=["vqa", "generation"], **q)


def what_shape(f, rng):
    prompt = rng.choice(["Which shape is in the picture?", f"What is the shape of the {f.colour} object?"])
    q = label_question(prompt, f.shape, list(SHAPES), SHAPE_FRAMES)
    return Item(f, f, gen=generation(f, rng), tasks=["recognition", "generation"], **q)


def which_thing(f, rng):
    others = [rng.choice(main_changes(f, [what], rng)) for what in ("colour", "shape")]
    others.append(other(rng, near_misses(f), *others))
    q = choice_question("Which description fits the picture?", caption(f), others, rng)
    return Item(f, f, gen=generation(f, rng), tasks=["recognition", "generation"], **q)


def recoloured(f, rng):
    target = replace(f, colour=other(rng, COLOURS, f.colour))
    prompt = f"Suppose the {f.shape} were {target.colour}. What would the picture show?"
    q = open_question(prompt, caption(target), near_misses(target), ["{}", "{}.", "It would show {}.",
                                                                     "You would see {}.", "Then it would be {}."])
    change = rng.choice(["Make it {}.", f"Make the {f.shape} {{}}.", f"Change the colour of the {f.shape} to {{}}."])
    return Item(f, target, gen=editing(target, change.format(target.colour)), tasks=["reasoning", "editing"], **q)


def reshaped(f, rng):
    target = replace(f, shape=other(rng, SHAPES, f.shape))
    prompt = f"Suppose the {f.shape} were replaced by a {target.shape} of the same colour. Which description would fit?"
    others = [caption(f), *main_changes(target, ["colour"], rng, 2)]
    q = choice_question(prompt, caption(target), others, rng)
    change = rng.choice([f"Replace the {f.shape} by a {target.shape} of the same colour.",
                         f"Turn the {f.shape} into a {target.shape}."])
    return Item(f, target, gen=editing(target, change), tasks=["reasoning", "editing"], **q)


# ---- place

def place_frames(shape):
    return ["{}", "{}.", "{place}", "It is {place}.", f"The {shape} is {{place}}.", "{Place}."]


def where(f, rng):
    prompt = rng.choice(["Where in the picture is the {}?", "Where is the {}?"]).format(f"{f.colour} {f.shape}")
    label = LABEL_OF[f.place]
    q = label_question(prompt, label, list(PLACE_OF), place_frames(f.shape), ALIASES.get(label, []))
    return Item(f, f, gen=generation(f, rng), tasks=["vqa", "generation"], **q)


def which_place(f, rng):
    q = choice_question("Which description fits the picture?", caption(f), main_changes(f, ["place"], rng), rng)
    return Item(f, f, gen=generation(f, rng), tasks=["recognition", "generation"], **q)


def moved(f, rng):
    target = replace(f, place=opposite(f.place))
    whole = "corner" if "corner" in f.place else "side"
    prompt = f"Suppose the {f.shape} moved straight through the middle to the opposite {whole}. Where would it be?"
    label = LABEL_OF[target.place]
    q = label_question(prompt, label, list(PLACE_OF), ["{}", "{}.", "{place}", "It would be {place}.", "{Place}."],
                       ALIASES.get(label, []))
    change = rng.choice([f"Move the {f.shape} to the opposite {whole}.",
                         f"Move the {f.colour} {f.shape} so that it is {target.place}."])
    return Item(f, target, gen=editing(target, change), tasks=["reasoning", "editing"], **q)


def what_is_there(f, rng):
    thing = Facts("attribute", f.colour, f.shape)
    q = open_question(f"What can be seen {f.place} of the picture?", caption(thing), near_misses(thing),
                      ["{}", "{}.", "I see {}.", "There is {}.", "It is {}."])
    return Item(f, f, gen=generation(f, rng), tasks=["recognition", "generation"], **q)


# ---- composition

def what_else(f, rng):
    thing = Facts("attribute", f.colour2, f.shape2)
    q = open_question(f"What else is in the picture besides {one(f.colour, f.shape)}?", caption(thing),
                      near_misses(thing), ["{}", "{}.", "There is also {}.", "I also see {}.", "The other one is {}."])
    return Item(f, f, gen=generation(f, rng), tasks=["vqa", "generation"], **q)


def colour_of_one(f, rng):
    q = label_question(f"What colour is the {f.shape2}?", f.colour2, list(COLOURS),
                       ["{}", "{}.", "It is {}.", f"The {f.shape2} is {{}}.", "Its colour is {}."])
    return Item(f, f, gen=generation(f, rng), tasks=["vqa", "generation"], **q)


def which_pair(f, rng):
    others = main_changes(f, ["swap"], rng, 1)
    others += [other(rng, [caption(g) for w, g in changes(f) if w == what], *others) for what in ("colour", "shape")]
    q = choice_question("Which description fits the picture?", caption(f), others, rng)
    return Item(f, f, gen=generation(f, rng), tasks=["recognition", "generation"], **q)


def swapped(f, rng):
    target = replace(f, colour=f.colour2, colour2=f.colour)
    others = [caption(f)] + [rng.choice([caption(g) for w, g in changes(target) if w == what])
                             for what in ("colour", "shape")]
    prompt = f"Suppose the {f.shape} and the {f.shape2} swapped their colours. Which description would fit?"
    q = choice_question(prompt, caption(target), others, rng)
    return Item(f, target, gen=editing(target, "Swap the colours of the two objects."), tasks=["reasoning", "editing"],
                **q)


def one_recoloured(f, rng):
    target = replace(f, colour=other(rng, COLOURS, f.colour, f.colour2))
    others = [caption(f), *main_changes(target, ["swap"], rng, 1), *main_changes(target, ["shape"], rng, 1)]
    prompt = f"Suppose the {f.shape} were {target.colour}. Which description would fit?"
    q = choice_question(prompt, caption(target), others, rng)
    return Item(f, target, gen=editing(target, f"Make the {f.shape} {target.colour}."), tasks=["reasoning", "editing"],
                **q)


def movable(f):
    return f.place != "in the middle"


def distinct(f):
    return f.colour != f.colour2 and f.shape != f.shape2


def anything(f):
    return True


# category: (kind of scene, [(template, how many items, which scenes it can be asked about)])
CATEGORIES = {
    "counting": ("count", [(how_many, 22, anything), (one_more_or_less, 16, anything), (which_number, 12, anything),
                           (number_in_a_word, 10, anything)]),
    "attribute": ("attribute", [(what_colour, 16, anything), (what_shape, 16, anything), (which_thing, 10, anything),
                                (recoloured, 9, anything), (reshaped, 9, anything)]),
    "place": ("place", [(where, 22, anything), (which_place, 14, anything), (moved, 14, movable),
                        (what_is_there, 10, anything)]),
    "composition": ("two", [(what_else, 16, distinct), (colour_of_one, 16, distinct), (which_pair, 12, distinct),
                            (swapped, 8, distinct), (one_recoloured, 8, distinct)]),
}
OTHER_FORMS = {("counting", 2): "png", ("counting", 30): "png", ("attribute", 30): "webp", ("place", 30): "png",
               ("composition", 30): "webp"}
SHARED = [3] * 4 + [2] * 12 + [1] * 24      # items to a picture, in each category: 40 pictures, 60 items


def groups(templates, rng):
    """The category's items as one list of templates for each picture, different ones within a picture."""
    left, out = {t: n for t, n, _ in templates}, []
    for size in SHARED:
        names = sorted(left, key=lambda t: (-left[t], t.__name__))
        if size > 1:
            picked = rng.sample(names[:max(size, 3)], size)
        else:
            picked = rng.choices(names, [left[t] for t in names])
        for t in picked:
            left[t] -= 1
            if not left[t]:
                del left[t]
        out.append(picked)
    return out


def edited(item, rng):
    """The objects of the item's picture, changed as the prompt asks."""
    f, target, objects = item.facts, item.target, list(item.objects)
    if f.kind == "count":
        if target.number < f.number:
            return objects[1:]
        while True:
            r = rng.uniform(4.5, 8)
            x, y = (rng.uniform(r + 1, scenes.SIZE - r - 1) for _ in "xy")
            if all((x - a) ** 2 + (y - b) ** 2 > (r + q + 1.5) ** 2 for _, _, a, b, q in objects):
                return [*objects, (f.shape, f.colour, x, y, r)]
    if f.kind == "place":
        return scenes.layout(target, rng)[0]
    wanted = [(target.shape, target.colour), (target.shape2, target.colour2)]
    return [(*w, x, y, r) for w, (_, _, x, y, r) in zip(wanted, objects)]


def encoded(image, form, rng):
    """The bytes of an image file: JPEG with noise as scenes.stored() makes it, or PNG or WebP with the same noise."""
    if form == "jpg":
        return scenes.stored(image, rng)
    buffer = io.BytesIO()
    options = dict(format="PNG", optimize=True) if form == "png" else dict(format="WEBP", quality=95, method=6)
    scenes.noisy(image, rng, 1.5).save(buffer, **options)
    return buffer.getvalue()


def build():
    """(items, {file name: bytes}): everything this program writes, in memory."""
    items, files = [], {}
    for category, (kind, templates) in CATEGORIES.items():
        rng = random.Random(f"items of {category}")
        accepts = {t: test for t, _, test in templates}
        made = []
        for number, picked in enumerate(groups(templates, rng), 1):
            while True:
                f = scenes.sample(rng, kind)
                if all(accepts[t](f) for t in picked):
                    break
            objects, background = scenes.layout(f, rng)
            form = OTHER_FORMS.get((category, number), "jpg")
            name = f"images/{category}-{number:02}.{form}"
            files[name] = encoded(scenes.render(objects, background), form, rng)
            for template in picked:
                item = template(f, rng)
                item.category, item.subcategory = category, template.__name__.replace("_", "-")
                item.objects, item.background = objects, background
                item.und["images"] = [name]
                made.append(item)
        rng.shuffle(made)
        for number, item in enumerate(made, 1):
            item.id, source = f"{category}-{number:03}", item.und["images"][0]
            item.gen["reference_images"] = [source]
            if item.gen["task"] == "edit":
                reference = f"images/{item.id}-edited.jpg"
                files[reference] = scenes.stored(scenes.render(edited(item, rng), item.background), rng)
                item.gen |= {"images": [source], "reference_images": [reference]}
        items += made
    return items, files


def line(item):
    tags = [f"skill:{item.category}", *(f"task:{t}" for t in item.tasks)]
    return {"id": item.id, "category": item.category, "subcategory": item.subcategory, "tags": tags, "und": item.und,
            "gen": item.gen}


def write_lines(path, rows):
    path.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows), encoding="utf-8")


def main():
    items, files = build()
    shutil.rmtree(HERE / "images", ignore_errors=True)
    (HERE / "images").mkdir()
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    header = {"gapeval": "manifest", "version": 1, "name": "demo", "license": "Apache-2.0"}
    write_lines(HERE / "items.jsonl", [header, *map(line, items)])
    print(len(items), "items,", len(files), "images,", sum(map(len, files.values())), "bytes")


if __name__ == "__main__":
    main()
