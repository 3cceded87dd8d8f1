"""Makes the demo of texts: make_texts.py (no arguments) writes texts/ beside this file.

40 pictures of three objects each; three items a picture ask to describe it in a sentence, to describe it in detail, and to
write about it under constraints, each beside a question about the picture. Five systems answer; all but the first have one
planted fault: opening every text alike, leaving objects out, inventing objects, breaking constraints. Simulated raters,
named as such, judge a random part of the answers with a known rate of error. truth.jsonl keeps what was planted. The same
bytes are written every time (same versions as requirements.txt).
"""
import random
import shutil
from pathlib import Path

import scenes
from make_items import write_lines
from make_tokenizers import write_json
from scenes import COLOURS, PLACES, SHAPES, one

HERE = Path(__file__).resolve().parent
TEXTS = HERE / "texts"
SEED = 5
PICTURES = 40
SPOTS = ["in the middle", "in the top left corner", "in the top right corner", "in the bottom left corner",
         "in the bottom right corner"]
SYSTEMS = {
    "faithful": {"about": "says what is there, in many words"},
    "templated": {"about": "says what is there, but opens every text alike", "templated": 1.0},
    "omits": {"about": "leaves an object out", "omits": .5},
    "invents": {"about": "adds an object that is not there", "invents": .4},
    "disobeys": {"about": "breaks one of the constraints", "disobeys": .6},
}
UNDERSTANDS = .9           # share of questions that every system answers right
RATED = 40                 # items that the simulated raters see, drawn at random
RATERS = {"simulated-rater-1": .03, "simulated-rater-2": .06, "simulated-rater-3": .09}     # rates of error
TEMPLATE = "This wonderful picture shows a beautiful composition: "


# ---- pictures

def draw_scene(rng):
    """Three objects of different shapes and colours in different places."""
    shapes, colours = rng.sample(list(SHAPES), 3), rng.sample(list(COLOURS), 3)
    objects = []
    for shape, colour, spot in zip(shapes, colours, rng.sample(SPOTS, 3)):
        r = rng.uniform(7, 10)
        x, y = (q * scenes.SIZE + rng.uniform(-3, 3) for q in PLACES[spot])
        x, y = (min(max(v, r + 1), scenes.SIZE - r - 1) for v in (x, y))
        objects.append({"shape": shape, "colour": colour, "spot": spot, "drawn": (shape, colour, x, y, r)})
    background = rng.choice(scenes.BACKGROUNDS)
    return objects, scenes.stored(scenes.render([o["drawn"] for o in objects], background), rng)


def name(o):
    return one(o["colour"], o["shape"])


def listing(words):
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


# ---- items

def references(objects):
    a = [name(o) for o in objects]
    placed = [f"{name(o)} {o['spot']}" for o in objects]
    return [listing(a).capitalize() + ".", f"The picture shows {listing(a[::-1])}.", f"There is {listing(placed)}."]


def listed_objects(objects):
    present = {o["shape"] for o in objects}
    return [{"name": s, "synonyms": ["hoop"] if s == "ring" else [], "present": s in present} for s in SHAPES]


def constraints(objects, rng):
    """(what the prompt asks, the constraints, the kind of each)."""
    named = f"{objects[0]['colour']} {objects[0]['shape']}"
    menu = [
        (f"mention the {named}", {"kind": "include", "text": named}),
        ("do not use the word \"picture\"", {"kind": "exclude", "text": "picture", "whole_words": True}),
        ("use at most 25 words", {"kind": "words", "max": 25}),
        ("write in lower case only", {"kind": "case", "case": "lower"}),
        ("write exactly two sentences", {"kind": "sentences", "exactly": 2}),
        ("use no commas", {"kind": "no_commas"}),
    ]
    return rng.sample(menu, rng.randint(2, 3))


def item(number, task, objects, rng):
    asked = rng.choice(objects)
    picture = f"images/{number:02}.jpg"
    und = {"task": "label", "prompt": f"What colour is the {asked['shape']}?", "images": [picture],
           "labels": list(COLOURS), "answer": asked["colour"]}
    gen = {"task": task, "images": [picture], "references": references(objects), "objects": listed_objects(objects)}
    out = {"id": f"{number:02}-{task}", "category": task.replace("_", " "), "tags": [f"task:{task}"], "und": und, "gen": gen}
    if task == "description":
        gen["prompt"] = "Describe the picture in one sentence."
        gen["details"] = [f"{o['colour']} {o['shape']}" for o in objects]
    elif task == "detailed_description":
        gen["prompt"] = "Describe the picture in detail: which objects are there, and where?"
        gen["details"] = [f"{o['colour']} {o['shape']} {o['spot']}" for o in objects]
    else:
        wanted = constraints(objects, rng)
        gen["prompt"] = "Say what the picture shows, and " + "; ".join(w for w, _ in wanted) + "."
        gen["constraints"] = [c for _, c in wanted]
    return out, asked


# ---- what a system says

OPENINGS = ["I see", "The scene holds", "There is", "One can see", "It contains", "Here we find", "Visible are",
            "The image has", "You can make out", "In front of us", "What we get is", "Shown here:", "We notice",
            "On display:", "It is made of"]


def sentence(objects, rng, placed):
    words = [f"{name(o)} {o['spot']}" if placed else name(o) for o in objects]
    rng.shuffle(words)
    return f"{rng.choice(OPENINGS)} {listing(words)}."


def detailed(objects, rng):
    """A sentence for each object, so that each detail stands in one."""
    out = [f"{rng.choice(OPENINGS)} {name(o)} {o['spot']}." for o in objects]
    rng.shuffle(out)
    return " ".join(out)


FIRST = ["there is", "i see", "we find", "one sees", "here stands", "it shows", "you get"]
SECOND = ["near it stand", "beside it are", "next to it lie", "around it i see", "with it come"]


def obedient(objects, rng):
    """A text that keeps to all constraints of the menu at once, whichever were asked."""
    first, *rest = [name(o) for o in objects]
    return f"{rng.choice(FIRST)} {first}! {rng.choice(SECOND)} {' and '.join(rest)}."


def disobedient(text, constraint):
    """The text changed so that it breaks this constraint and no other of the menu."""
    kind = constraint["kind"]
    if kind == "include":
        colour, shape = constraint["text"].split()
        return text.replace(f"{colour} {shape}", f"{colour} and shiny {shape}")
    if kind == "exclude":
        return text[:-1] + " in this picture."
    if kind == "words":
        return text[:-1] + " and" + " so on" * 13 + "."
    if kind == "case":
        return text[0].upper() + text[1:]
    if kind == "sentences":
        return text.replace("! ", " and ")
    return text.replace(" and ", ", and ", 1)


def respond(system, line, objects, rng):
    """(text, what was planted in it)."""
    fault, planted, shown = SYSTEMS[system], {}, list(objects)
    task = line["gen"]["task"]
    if task != "controlled" and rng.random() < fault.get("omits", 0):
        lost = rng.choice(shown)
        shown.remove(lost)
        planted["omitted"] = lost["shape"]
    if rng.random() < fault.get("invents", 0):
        absent = rng.choice([s for s in SHAPES if s not in {o["shape"] for o in objects}])
        shown.append({"shape": absent, "colour": rng.choice(list(COLOURS)), "spot": rng.choice(SPOTS)})
        planted["invented"] = absent
    if task == "controlled":
        text = obedient(shown, rng)
        if rng.random() < fault.get("disobeys", 0):
            broken = rng.choice(line["gen"]["constraints"])
            text = disobedient(text, broken)
            planted["broken"] = broken["kind"]
    else:
        text = detailed(shown, rng) if task == "detailed_description" else sentence(shown, rng, False)
    if fault.get("templated") and task != "controlled":
        text = TEMPLATE + text[0].lower() + text[1:]
        planted["templated"] = True
    return text, planted


def is_right(planted):
    """What a person would call right: nothing left out, invented or disobeyed. A dull opening is no mistake."""
    return not any(k in planted for k in ("omitted", "invented", "broken"))


# ---- raters

def ratings(truth, items, rng):
    rated = {line["id"] for line in rng.sample(items, RATED)}
    rows = ["item,system,direction,rater,dimension,score"]
    for row in truth:
        if row["item"] not in rated:
            continue
        for rater, error in RATERS.items():
            for direction in ("und", "gen"):
                says = row[direction] ^ (rng.random() < error)
                rows.append(f"{row['item']},{row['system']},{direction},{rater},right,{int(says)}")
            faults = sum(k in row["planted"] for k in ("omitted", "invented", "broken", "templated"))
            quality = min(5, max(1, 5 - 2 * faults + rng.choice([-1, 0, 0, 0])))
            rows.append(f"{row['item']},{row['system']},gen,{rater},quality,{quality}")
    return "\n".join(rows) + "\n"


def main():
    rng = random.Random(SEED)
    shutil.rmtree(TEXTS, ignore_errors=True)
    (TEXTS / "images").mkdir(parents=True)
    items, truth, answers = [], [], {s: [] for s in SYSTEMS}
    for number in range(1, PICTURES + 1):
        objects, data = draw_scene(rng)
        (TEXTS / f"images/{number:02}.jpg").write_bytes(data)
        for task in ("description", "detailed_description", "controlled"):
            line, asked = item(number, task, objects, rng)
            items.append(line)
            for system in SYSTEMS:
                own = random.Random(f"{SEED} {system} {line['id']}")
                und = own.random() < UNDERSTANDS
                colour = asked["colour"] if und else own.choice([c for c in COLOURS if c != asked["colour"]])
                text, planted = respond(system, line, objects, own)
                answers[system] += [{"system": system, "item": line["id"], "direction": "und", "text": f"It is {colour}."},
                                    {"system": system, "item": line["id"], "direction": "gen", "text": text}]
                truth.append({"system": system, "item": line["id"], "und": int(und), "gen": int(is_right(planted)),
                              "planted": planted})
    header = {"gapeval": "manifest", "version": 1, "name": "demo texts", "license": "Apache-2.0"}
    write_lines(TEXTS / "items.jsonl", [header, *items])
    for system, lines in answers.items():
        write_lines(TEXTS / f"{system}.jsonl", lines)
    write_lines(TEXTS / "truth.jsonl", truth)
    (TEXTS / "ratings.csv").write_text(ratings(truth, items, rng), encoding="utf-8")
    write_json(TEXTS / "systems.json", {"systems": SYSTEMS, "raters": RATERS, "rated": RATED})
    for system in SYSTEMS:
        rows = [r for r in truth if r["system"] == system]
        print(f"{system:10} und {sum(r['und'] for r in rows)} gen {sum(r['gen'] for r in rows)} of {len(rows)}")


if __name__ == "__main__":
    main()
