"""The same facts in many words: sentence(meaning, rng).

A meaning is a tuple: ("scene", Facts) for what a picture shows, or a short answer: ("colour", "red"), ("shape", "ring"),
("number", 3), ("place", "at the top"). Two sentences say the same exactly if key() of their meanings is equal.
"""
import scenes
from scenes import NUMBERS, SHAPES, Facts, one

PLACE_WORDS = {
    "at the top": ["at the top", "in the upper part", "at the upper edge"],
    "at the bottom": ["at the bottom", "in the lower part", "at the lower edge"],
    "on the left": ["on the left", "on the left side", "at the left edge"],
    "on the right": ["on the right", "on the right side", "at the right edge"],
    "in the middle": ["in the middle", "in the centre", "in the center"],
    "in the top left corner": ["in the top left corner", "in the upper left corner", "at the top left"],
    "in the top right corner": ["in the top right corner", "in the upper right corner", "at the top right"],
    "in the bottom left corner": ["in the bottom left corner", "in the lower left corner", "at the bottom left"],
    "in the bottom right corner": ["in the bottom right corner", "in the lower right corner", "at the bottom right"],
}
SHORT = {
    "colour": ["{}", "{}.", "it is {}.", "its colour is {}.", "the colour is {}.", "the object is {}.",
               "I think it is {}.", "a {} one"],
    "shape": ["{}", "a {}", "it is a {}.", "the shape is a {}.", "it looks like a {}.", "the object is a {}."],
    "number": ["{}", "{}.", "there are {}.", "the answer is {}.", "I count {} of them.", "{} of them", "I can see {}."],
    "place": ["{}", "it is {}.", "you can see it {}.", "the object is {}.", "{} of the picture"],
}
FRAMES = ["{}", "{}", "{}.", "there is {}.", "the picture shows {}.", "I can see {}.", "the image contains {}.",
          "{} can be seen.", "a picture of {}", "{} and nothing else.", "you can see {} in the picture."]
FRAMES_MANY = [f.replace("there is", "there are") for f in FRAMES]


def key(meaning):
    what, value = meaning
    if what != "scene":
        return meaning
    value = scenes.same(value)
    if value.kind == "count" and value.number == 1:         # "one red circle" is "a red circle"
        value = Facts("attribute", value.colour, value.shape)
    return what, value


def scene_words(f, rng):
    """Facts as a phrase or a full sentence."""
    c, s, choose = f.colour, f.shape, rng.choice
    if f.kind == "attribute" or f.kind == "count" and f.number == 1:
        whole = [f"the {s} is {c}.", f"it is {one(c, s)}.", f"a {s} that is {c}", f"one {s}, its colour is {c}.",
                 f"a single {s}; it is {c}.", f"there is exactly one object: {one(c, s)}.", f"a {c}-coloured {s}"]
        return choose(whole) if rng.random() < .4 else choose(FRAMES).format(choose([one(c, s), f"one {c} {s}",
                                                                                     f"a single {c} {s}"]))
    if f.kind == "count":
        n, many = choose([NUMBERS[f.number], NUMBERS[f.number], str(f.number)]), SHAPES[s]
        whole = [f"there are {n} {many}, all of them {c}.", f"the number of {c} {many} is {n}.", f"{many}: {n}, all {c}",
                 f"I count {n} {c} {many}.", f"{n} {many} that are {c}", f"{n} {many}; their colour is {c}."]
        return choose(whole) if rng.random() < .4 else choose(FRAMES_MANY).format(
            choose([f"{n} {c} {many}", f"exactly {n} {c} {many}"]))
    if f.kind == "place":
        p = choose(PLACE_WORDS[f.place])
        whole = [f"the {c} {s} is {p}.", f"{p} there is {one(c, s)}.", f"{p} you can see {one(c, s)}.",
                 f"there is {one(c, s)}; it is {p}.", f"{p}: {one(c, s)}", f"a {s} {p}, and it is {c}."]
        return choose(whole) if rng.random() < .5 else choose(FRAMES).format(f"{one(c, s)} {p}")
    if rng.random() < .5:
        f = Facts("two", f.colour2, f.shape2, colour2=c, shape2=s)
    a, b = one(f.colour, f.shape), one(f.colour2, f.shape2)
    whole = [f"there are two objects, {a} and {b}.", f"besides {a} there is {b}.", f"{a} together with {b}",
             f"both {a} and {b} are shown.", f"one object is {a}, the other is {b}.", f"next to {a} there is {b}.",
             f"two objects: {a}, {b}"]
    return choose(whole) if rng.random() < .5 else choose(FRAMES).format(f"{a} and {b}")


def sentence(meaning, rng):
    what, value = meaning
    if what == "scene":
        text = scene_words(value, rng)
    else:
        word = value
        if what == "number":
            word = rng.choice([NUMBERS[value], str(value)])
        elif what == "place":
            word = rng.choice(PLACE_WORDS[value])
        text = rng.choice(SHORT[what]).format(word)
        for c in "aeiou":
            text = text.replace(f" a {c}", f" an {c}")
    return text[0].upper() + text[1:] if rng.random() < .4 else text


VALUES = {"colour": list(scenes.COLOURS), "shape": list(SHAPES), "number": list(range(1, scenes.MOST + 1)),
          "place": list(scenes.PLACES)}


def sample(rng):
    """A meaning: a scene most of the time, otherwise a short answer."""
    if rng.random() < .75:
        return "scene", scenes.sample(rng)
    what = rng.choice(list(VALUES))
    return what, rng.choice(VALUES[what])


def contradictions(meaning):
    """Every meaning that differs in one fact."""
    what, value = meaning
    if what == "scene":
        return [("scene", g) for _, g in scenes.changes(value)]
    return [(what, v) for v in VALUES[what] if v != value]
