"""Makes the demo's recorded systems: make_systems.py (no arguments) writes systems/ and truth.jsonl beside this file.

For every item and system the pair (understood, shown) is drawn from the system's joint table and then made real: a
right or a wrong answer in varied words, and a picture of the wanted scene or of one that differs in one fact, drawn afresh
(other background, sizes and places, slight noise, JPEG). truth.jsonl keeps what was drawn; systems.json the tables.
The fragile system also loses answers: missing or empty texts, missing or damaged pictures. The same bytes are written
every time (same versions as requirements.txt).
"""
import random
import shutil
from pathlib import Path

import make_items
import scenes
from make_items import LABEL_OF, PLACE_OF, write_lines
from make_tokenizers import write_json
from scenes import NUMBERS, SHAPES, caption

HERE = Path(__file__).resolve().parent

# Of the seeds 1 to 399 the one whose drawn rates are nearest to the tables, so that 240 items show what a table says.
SEED = 87

# probabilities of (understood and shown, understood only, shown only, neither)
EVEN = {"p11": .87, "p10": .03, "p01": .03, "p00": .07}
SYSTEMS = {
    "even": {"about": "the same items right in words and in pictures", **EVEN, "failures": 0},
    "says-not-shows": {"about": "answers well, draws badly", "p11": .53, "p10": .42, "p01": .02, "p00": .03,
                       "failures": 0},
    "shows-not-says": {"about": "draws well, answers badly", "p11": .53, "p10": .02, "p01": .42, "p00": .03,
                       "failures": 0},
    "independent": {"about": "equal rates, no connection between words and pictures", "p11": .5625, "p10": .1875,
                    "p01": .1875, "p00": .0625, "failures": 0},
    "fragile": {"about": "as even, with answers missing or damaged", **EVEN, "failures": .08},
}
EVASIONS = ["I am not sure.", "I cannot tell.", "That is hard to say."]
OTHER_FORMS = {("even", 20): "png", ("says-not-shows", 80): "webp", ("shows-not-says", 140): "png",
               ("independent", 200): "webp", ("fragile", 100): "webp"}        # all other pictures are JPEG


# ---- words

def article(text):
    """"a orange ring" -> "an orange ring"; other texts unchanged."""
    for vowel in "aeiou":
        text = text.replace(f" a {vowel}", f" an {vowel}")
        if text.startswith((f"a {vowel}", f"A {vowel}")):
            text = text[0] + "n" + text[1:]
    return text


def said(item, right, rng):
    """A right or a wrong answer; a wrong one is sometimes an evasion."""
    if not right and rng.random() < .08:
        return rng.choice(EVASIONS)
    value, frame = rng.choice(item.right if right else item.wrong), rng.choice(item.frames)
    task = item.und["task"]
    if task == "number":
        name = item.und["objects"][0]["name"]                   # "red circles"
        if value == 1:
            colour, shapes = name.split()
            name = f"{colour} {next(s for s in SHAPES if SHAPES[s] == shapes)}"
        text = frame.format(n=value, word=NUMBERS[value] if value < 7 else "seven", name=name,
                            Word=(NUMBERS[value] if value < 7 else "seven").capitalize())
        return text.replace("There are one", "There is one").replace("There are 1", "There is 1")
    if task == "choice":
        return frame.format(*value)
    if task == "label" and "place" in frame.lower():
        label = next((x for x in PLACE_OF if value == x or value in make_items.ALIASES.get(x, [])), value)
        place = PLACE_OF[label].replace(label, value)
        return frame.format(place=place, Place=place.capitalize())
    text = article(frame.format(value)).replace("There are one", "There is one")
    return text[0].upper() + text[1:] if rng.random() < .6 else text


# ---- pictures

def shown(item, right, rng):
    """The facts of the generated picture: the target, or something else. A failed edit often leaves all as it was."""
    if right:
        return item.target
    if item.gen["task"] == "edit" and rng.random() < .4:
        return item.facts
    return scenes.slip(item.target, rng)


def damaged(data, rng):
    """(how, bytes) of a picture that cannot be decoded."""
    how = rng.choice(["cut off", "empty", "no image"])
    return how, {"cut off": data[:len(data) // 2], "empty": b"", "no image": b"<html>502 Bad Gateway</html>\n"}[how]


# ---- systems

def respond(name, table, items):
    """(answer lines, {file name: bytes}, truth lines) of one system."""
    answers, files, truth = [], {}, []
    for number, item in enumerate(items):
        rng = random.Random(f"{SEED} {name} {item.id}")
        und, gen = rng.choices([(1, 1), (1, 0), (0, 1), (0, 0)], [table[p] for p in ("p11", "p10", "p01", "p00")])[0]
        facts = shown(item, gen, rng)
        text = said(item, und, rng)
        form = OTHER_FORMS.get((name, number), "jpg")
        data, failed = make_items.encoded(scenes.picture(facts, rng), form, rng), {}
        if rng.random() < table["failures"]:
            failed["und"] = rng.choice(["missing", "empty"])
        if rng.random() < table["failures"]:
            failed["gen"] = rng.choice(["missing", "no file", "damaged", "damaged"])
        if failed.get("und") != "missing":
            answers.append({"item": item.id, "direction": "und", "text": "" if "und" in failed else text})
        if failed.get("gen") != "missing":
            file = f"images/{item.id}.{form}"
            if failed.get("gen") == "damaged":
                how, data = damaged(data, rng)
                failed["gen"] = how
            if failed.get("gen") != "no file":
                files[file] = data
            answers.append({"item": item.id, "direction": "gen", "image": file})
        row = {"system": name, "item": item.id, "und": und, "gen": gen, "shown": caption(facts)}
        truth.append({**row, "failed": failed} if failed else row)
    return answers, files, truth


def main():
    items, _ = make_items.build()
    truth, size, images = [], 0, 0
    shutil.rmtree(HERE / "systems", ignore_errors=True)
    for name, table in SYSTEMS.items():
        answers, files, rows = respond(name, table, items)
        folder = HERE / "systems" / name
        (folder / "images").mkdir(parents=True)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        write_lines(folder / "answers.jsonl", [{"system": name, **a} for a in answers])
        truth += rows
        size, images = size + sum(map(len, files.values())), images + len(files)
    write_lines(HERE / "truth.jsonl", truth)
    write_json(HERE / "systems.json", SYSTEMS)
    print(len(SYSTEMS), "systems,", images, "images,", size, "bytes")
    for name in SYSTEMS:
        rows = [r for r in truth if r["system"] == name]
        cells = {f"p{u}{g}": sum((r["und"], r["gen"]) == (u, g) for r in rows) for u in (1, 0) for g in (1, 0)}
        print(f"{name:16}", cells, "failed:", sum(len(r.get("failed", {})) for r in rows), "of", 2 * len(rows))


if __name__ == "__main__":
    main()
