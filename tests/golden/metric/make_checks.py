"""Golden values of the checks of texts: writes checks.jsonl beside this file.

    python3 make_checks.py        (needs lm-eval, nltk, immutabledict, langdetect, inflect)

Constraints are judged by IFEval's checkers and its strict and loose rules as lm-eval has them
(lm_eval/tasks/ifeval), languages by langdetect, plurals are made by inflect. CHAIR is computed the
way of the original's utils/chair.py (words to nodes, each mention counted), with inflect where that
takes `pattern` and with the objects of the line in place of COCO's.

Lines: {"texts": [...]}, then for each constraint {"constraint", "prompt"?, "strict", "loose"}, whose
last two have a 0 or 1 for each text; {"language", "text", "is"}; {"plural", "singular"};
{"objects": [...]}, then {"text", "i", "s"} of captions over them, whose i is null without a mention.
"""
import importlib.util
import json
import os
import random
import sys
import types

import inflect
import langdetect
import nltk

HERE = os.path.dirname(os.path.abspath(__file__))
nltk.download = lambda *a, **k: None  # its data are for kinds that are not compared


def load_ifeval():
    """The checkers alone, without lm_eval/__init__.py and what it imports."""
    for path in sys.path:
        folder = os.path.join(path, "lm_eval", "tasks", "ifeval")
        if os.path.isdir(folder):
            break
    for name in ("lm_eval", "lm_eval.tasks", "lm_eval.tasks.ifeval"):
        module = sys.modules[name] = types.ModuleType(name)
        module.__path__ = [folder] if name.endswith("ifeval") else []
    from lm_eval.tasks.ifeval import utils

    return utils


# Constraint, IFEval's id and its arguments.
def constraints():
    def pair(ours, name, **kwargs):
        return ours, name, kwargs

    for n in (1, 3, 5, 8, 20):
        yield pair({"kind": "words", "min": n}, "length_constraints:number_words", num_words=n,
                   relation="at least")
        yield pair({"kind": "words", "max": n - 1}, "length_constraints:number_words", num_words=n,
                   relation="less than")
    for n in (1, 2, 3, 4):
        yield pair({"kind": "paragraphs", "exactly": n, "divider": "***"},
                   "length_constraints:number_paragraphs", num_paragraphs=n)
        yield pair({"kind": "format", "format": "list", "style": "bullet", "count": n},
                   "detectable_format:number_bullet_lists", num_bullets=n)
        yield pair({"kind": "highlights", "min": n}, "detectable_format:number_highlighted_sections",
                   num_highlights=n)
        yield pair({"kind": "placeholders", "min": n}, "detectable_content:number_placeholders",
                   num_placeholders=n)
        yield pair({"kind": "letter", "letter": "E", "min": 3 * n}, "keywords:letter_frequency",
                   letter="e", let_frequency=3 * n, let_relation="at least")
        yield pair({"kind": "letter", "letter": "s", "max": n - 1}, "keywords:letter_frequency",
                   letter="S", let_frequency=n, let_relation="less than")
    for nth, n, word in ((1, 1, "the"), (1, 2, "the"), (2, 2, "one"), (2, 2, "the"), (2, 3, "a"),
                         (3, 3, "one")):
        yield pair({"kind": "paragraphs", "exactly": n, "nth": nth, "first_word": word.title()},
                   "length_constraints:nth_paragraph_first_word", num_paragraphs=n,
                   nth_paragraph=nth, first_word=word)
    for words in (["cat"], ["Cat", "dog"], ["art"], ["été"], ["red car"]):
        yield pair({"kind": "include", "all_of": words}, "keywords:existence", keywords=words)
        yield pair({"kind": "exclude", "any_of": words}, "keywords:forbidden_words",
                   forbidden_words=words)
        for n in (1, 2):
            yield pair({"kind": "include", "text": words[0], "min": n}, "keywords:frequency",
                       keyword=words[0], frequency=n, relation="at least")
            yield pair({"kind": "include", "text": words[0], "max": n - 1}, "keywords:frequency",
                       keyword=words[0], frequency=n, relation="less than")
    for mark in ("P.S.", "P.P.S", "Note:"):
        yield pair({"kind": "postscript", "text": mark}, "detectable_content:postscript",
                   postscript_marker=mark)
    for mark in ("Section", "SECTION"):
        for n in (1, 2):
            yield pair({"kind": "sections", "text": mark, "min": n},
                       "detectable_format:multiple_sections", section_spliter=mark, num_sections=n)
    for phrase in ("The end.", "the dog", "été"):
        yield pair({"kind": "ends_with", "text": phrase}, "startend:end_checker", end_phrase=phrase)
    yield pair({"kind": "include", "match_case": True,
                "any_of": ["My answer is yes.", "My answer is no.", "My answer is maybe."]},
               "detectable_format:constrained_response")
    yield pair({"kind": "format", "format": "json"}, "detectable_format:json_format")
    yield pair({"kind": "title"}, "detectable_format:title")
    yield pair({"kind": "no_commas"}, "punctuation:no_comma")
    yield pair({"kind": "quoted"}, "startend:quotation")
    yield pair({"kind": "two_responses"}, "combination:two_responses")
    yield pair({"kind": "repeat_prompt"}, "combination:repeat_prompt",
               prompt_to_repeat="Describe the CAT.")
    # The language part of these two is left out on both sides (upper() and lower() below).
    yield pair({"kind": "case", "case": "upper"}, "change_case:english_capital")
    yield pair({"kind": "case", "case": "lower"}, "change_case:english_lowercase")


LINES = [
    "The cat sat near the dog.", "A concatenation of art, starts and hearts", "one red car, two red CARS",
    "* first point", "- second point", "  * indented", "** bold line **", "*emphasis* and **strong**",
    "*", "***", "******", "---", "", "   ", "[name] and [address]", "[open", "a] b]", "[[x]]",
    "<<Title of it>>", "<< >>", "<<<a>>>", "<<>>", "P.S. more", "p. s. less", "P. P.S. most",
    "NOTE: that", "Section 1", "SECTION 2 text", "Section X", "My answer is yes.", "my answer is no.",
    "THE END.", "\"quoted words\"", "\"", "été à l'ÉTÉ", "naïve_word x2 3.5 1,000", "'One' of them",
    "\"the\" dog", "Describe the cat. It is red.", "UPPER ONLY", "lower only", "日本語 テキスト",
    "{\"a\": 1, \"b\": [true, null]}", "```json", "```", "[1, 2", "{\"a\": }", "3", "Sea shells, she sells",
    "\tTabbed\u00a0space", "x*y*z", "**a** *b* ***c***", "* * *", "The end.\"",
]


def texts(rng):
    whole = [
        "", " ", "\n", "a", ",", "\"\"", "\"a\"", "{}", "[]", "null", "\"json\"", "```json\n{\"a\": 1}\n```",
        "```\n[1]\n```", "```JSON {\"k\": \"v\"}```", "Sure! Here it is:\n{\"a\": 1}\nHope this helps.",
        "```json {\"a\": 1", "{\"a\": 1} extra", "* a\n* b\n* c", "- a\n* b\n\n\n  - c", "*\nfoo\n* b",
        "a\n***\nb", "a *** b *** c", "***\na\n***\nb\n***", "a\n***\n***\nb", "one\n******\ntwo",
        "same ****** same", "a ****** b ****** c", "******a******b", "The a.\n\nOne b.", "The a.\n\n\"One, b.",
        "The a.\n\n\n\nOne b.", "the\n\na b\n\none", "The cat.\n\nA dog.\n\n'One'", "\n\nThe a\n\none",
        "Describe the cat.\nIt sits.", "Sure.\nDescribe the cat. It sits.\nBye", "DESCRIBE THE CAT.",
        "UPPER, CASE TEXT 12", "lower case text", "MIXED Case", "123 456", "My answer is maybe. Or not.",
        "Intro\nUPPER LINE\noutro", "Intro\nlower line\nOutro", "**UPPER**\nlower", "*The cat*\nthe dog",
        "Title\n\"quoted\"\nend", "\"quoted\"\nP.S. bye", "It ends with the end.", "... The END.\"", "the dog\n",
    ]
    for _ in range(90):
        n = rng.randint(1, 6)
        glue = rng.choice(["\n", "\n", "\n", "\n\n", "\n\n", " ", "\n***\n", "\n \n", "\r\n"])
        whole.append(glue.join(rng.choice(LINES) for _ in range(n)))
    return whole


def judge(utils, text, name, kwargs):
    doc = utils.InputExample(0, [name], "", [kwargs])
    strict = utils.test_instruction_following_strict(doc, text)
    loose = utils.test_instruction_following_loose(doc, text)
    return strict.follow_all_instructions, loose.follow_all_instructions


LANGUAGES = {
    "en": ["The quick brown fox jumps over the lazy dog and runs away from it.",
           "There are three birds on the roof of the house, and one of them is singing."],
    "de": ["Der schnelle braune Fuchs springt über den faulen Hund und läuft davon.",
           "Auf dem Dach des Hauses sitzen drei Vögel, und einer von ihnen singt."],
    "fr": ["Le renard brun saute par-dessus le chien paresseux et s'enfuit dans la forêt.",
           "Il y a trois oiseaux sur le toit de la maison, et l'un d'eux chante."],
    "es": ["El zorro marrón salta sobre el perro perezoso y se escapa por el bosque.",
           "Hay tres pájaros en el techo de la casa, y uno de ellos está cantando."],
    "it": ["La volpe marrone salta sopra il cane pigro e scappa nel bosco con gli altri.",
           "Ci sono tre uccelli sul tetto della casa, e uno di loro sta cantando."],
    "pt": ["A raposa marrom salta sobre o cão preguiçoso e foge para a floresta com os outros.",
           "Há três pássaros no telhado da casa, e um deles está cantando uma música."],
    "nl": ["De snelle bruine vos springt over de luie hond en rent weg naar het bos.",
           "Er zitten drie vogels op het dak van het huis, en een van hen zingt."],
    "sv": ["Den snabba bruna räven hoppar över den lata hunden och springer iväg till skogen.",
           "Det sitter tre fåglar på husets tak, och en av dem sjunger för oss."],
    "pl": ["Szybki brązowy lis przeskakuje nad leniwym psem i ucieka do lasu.",
           "Na dachu domu siedzą trzy ptaki, a jeden z nich śpiewa bardzo głośno."],
    "tr": ["Hızlı kahverengi tilki tembel köpeğin üzerinden atlar ve ormana kaçar, bu çok güzel.",
           "Evin çatısında üç kuş var ve bir tanesi şarkı söylüyor."],
    "fi": ["Nopea ruskea kettu hyppää laiskan koiran yli ja juoksee metsään, mutta se ei ole väsynyt.",
           "Talon katolla on kolme lintua, ja yksi niistä laulaa."],
    "vi": ["Con cáo nâu nhanh nhẹn nhảy qua con chó lười và chạy vào trong rừng.",
           "Có ba con chim trên mái nhà và một con đang hót rất hay."],
    "ru": ["Быстрая коричневая лиса прыгает через ленивую собаку и убегает в лес.",
           "На крыше дома сидят три птицы, и одна из них поёт."],
    "uk": ["Швидка коричнева лисиця стрибає через ледачого пса і тікає до лісу.",
           "На даху будинку сидять три птахи, і одна з них співає дуже гарно."],
    "bg": ["Бързата кафява лисица прескача мързеливото куче и бяга в гората, за да се скрие.",
           "На покрива на къщата има три птици и една от тях пее."],
    "ar": ["الثعلب البني السريع يقفز فوق الكلب الكسول ثم يهرب إلى الغابة في الليل.",
           "هناك ثلاثة طيور على سطح المنزل وواحد من هذه الطيور يغني."],
    "fa": ["روباه قهوه‌ای سریع از روی سگ تنبل می‌پرد و به جنگل فرار می‌کند.",
           "سه پرنده روی بام خانه هستند و یکی از آنها آواز می خواند."],
    "ur": ["تیز بھوری لومڑی سست کتے کے اوپر سے چھلانگ لگاتی ہے اور جنگل میں بھاگ جاتی ہے۔",
           "گھر کی چھت پر تین پرندے ہیں اور ان میں سے ایک گا رہا ہے۔"],
    "hi": ["तेज़ भूरी लोमड़ी आलसी कुत्ते के ऊपर से कूदती है और जंगल में भाग जाती है।",
           "घर की छत पर तीन पक्षी हैं और उनमें से एक गा रहा है।"],
    "mr": ["तपकिरी कोल्हा आळशी कुत्र्यावरून उडी मारतो आणि जंगलात पळून जातो, हे खरे आहे.",
           "घराच्या छतावर तीन पक्षी आहेत आणि त्यातील एक गाणे गात आहे."],
    "bn": ["বাড়ির ছাদে তিনটি পাখি আছে এবং তাদের একটি গান গাইছে।"],
    "el": ["Υπάρχουν τρία πουλιά στη στέγη του σπιτιού και ένα από αυτά τραγουδά."],
    "he": ["יש שלוש ציפורים על גג הבית ואחת מהן שרה."],
    "th": ["มีนกสามตัวอยู่บนหลังคาบ้าน และหนึ่งในนั้นกำลังร้องเพลง"],
    "ko": ["지붕 위에 새 세 마리가 있고 그중 하나가 노래하고 있다."],
    "ja": ["屋根の上に鳥が三羽いて、そのうちの一羽が歌っています。", "カメラで写真を撮る。"],
    "ta": ["வீட்டின் கூரையில் மூன்று பறவைகள் உள்ளன."],
    "te": ["ఇంటి పైకప్పు మీద మూడు పక్షులు ఉన్నాయి."],
    "kn": ["ಮನೆಯ ಛಾವಣಿಯ ಮೇಲೆ ಮೂರು ಹಕ್ಕಿಗಳಿವೆ."],
    "ml": ["വീടിന്റെ മേൽക്കൂരയിൽ മൂന്ന് പക്ഷികളുണ്ട്."],
    "gu": ["ઘરની છત પર ત્રણ પક્ષીઓ છે."],
    "pa": ["ਘਰ ਦੀ ਛੱਤ ਤੇ ਤਿੰਨ ਪੰਛੀ ਹਨ."],
    "zh": ["屋顶上有三只鸟，其中一只在唱歌。", "他每天用 Python 写程序，觉得这件事情很有意思，也教会了许多学生。"],
}

NOUNS = """person bicycle car motorcycle airplane bus train truck boat hydrant sign bench bird cat dog horse
sheep cow elephant bear zebra giraffe backpack umbrella handbag tie suitcase frisbee ski snowboard ball
kite bat glove skateboard surfboard racket bottle glass cup fork knife spoon bowl banana apple sandwich
orange broccoli carrot pizza donut cake chair couch plant bed table toilet laptop mouse remote keyboard
phone microwave oven toaster sink refrigerator book clock vase bear drier toothbrush man woman child baby
girl boy fireman snowman lady puppy pony city berry cherry cookie movie leaf shelf wolf loaf thief scarf
calf half hoof elf house rose nose purse blouse horse nurse watch beach church branch brush dish bush fox
box lens gas cactus octopus walrus virus campus circus potato tomato hero tornado volcano shoe toe canoe
foot tooth goose ox piano photo radio camera sofa panda banana tree mountain river lake sky street wall
window door floor roof bridge tower fence flower grass dress tennis canvas atlas ax wave stove sleeve
olive dove valley key monkey donkey turkey toy tray day boy police-officer crisis analysis oasis iris
vertex index axis phenomenon fungus criterion alga policeman specimen quiz size prize breeze sponge
cage bridge garage orange headache niche moustache quiche avalanche tie pie necktie bow smoothie zombie
deer fish salmon aircraft series species bookshelf housewife dwarf roof chief reef cliff cuff giraffe
mango mosquito buffalo echo torpedo domino flamingo kangaroo kiwi taxi menu emu guru corgi zucchini zoo video studio tattoo igloo eye pajama
crutch hatch pitch stitch coach peach ostrich torch lunch wrench finch match patch ditch latch mattress
actress waitress princess compass mass pass class boss cross loss kiss fax tax mix ibex lynx sphinx
waltz topaz maze gaze fuse muse spouse mouse cause clause excuse bruise cruise noise base case phase
phrase pulse lease crease lettuce slice fence face surface office palace necklace ice-cream""".split()

# "axes" is "axe" here; two are not one word; inflect has no right plural of the others.
DROPPED = {"ax", "axis", "ice-cream", "police-officer", "tennis", "waltz", "topaz"}


def nouns():
    engine = inflect.engine()
    for noun in dict.fromkeys(NOUNS):
        if noun not in DROPPED:
            yield engine.plural_noun(noun) or noun, noun


OBJECTS = [
    {"name": "dog", "synonyms": ["puppy", "hound"], "present": True},
    {"name": "traffic light", "synonyms": ["stop light"], "present": True},
    {"name": "light", "synonyms": ["lamp"], "present": False},
    {"name": "person", "synonyms": ["man", "woman", "child", "boy"], "present": True},
    {"name": "knife", "synonyms": [], "present": False},
    {"name": "hot dog", "synonyms": ["sausage"], "present": False},
    {"name": "bus", "synonyms": ["school bus"], "present": False},
    {"name": "mouse", "synonyms": [], "present": True},
]
FILLERS = "a the two some near behind with and big red is are old on street park very".split()


def chair(text):
    """caption_to_words() and compute_chair() of the original over OBJECTS."""
    engine = inflect.engine()
    node = {s: o["name"] for o in OBJECTS for s in [o["name"]] + o["synonyms"]}
    doubles = {s for s in node if " " in s}
    known = {part for name in node for part in name.split()}  # inflect takes "bus" for a plural
    words = [w if w in known else engine.singular_noun(w) or w
             for w in nltk.RegexpTokenizer(r"\w+").tokenize(text.lower())]
    joined, i = [], 0
    while i < len(words):
        double = " ".join(words[i:i + 2])
        if double in doubles:
            joined.append(double)
            i += 2
        else:
            joined.append(words[i])
            i += 1
    nodes = [node[w] for w in joined if w in node]
    truth = {o["name"] for o in OBJECTS if o["present"]}
    wrong = sum(n not in truth for n in nodes)
    return (wrong / len(nodes) if nodes else None), int(wrong > 0)


def captions(rng):
    engine = inflect.engine()
    names = [s for o in OBJECTS for s in [o["name"]] + o["synonyms"]]
    for _ in range(150):
        words = []
        for _ in range(rng.randint(1, 8)):
            name = rng.choice(names)
            words.append(rng.choice([name, engine.plural_noun(name)]) if rng.random() < 0.6 else
                         rng.choice(FILLERS))
        text = " ".join(words)
        yield text[:1].upper() + text[1:] + "."


def main():
    rng = random.Random(5)
    langdetect.DetectorFactory.seed = 0
    utils = load_ifeval()
    out = []
    all_texts = texts(rng)
    out.append({"texts": all_texts})
    detect = langdetect.detect
    langdetect.detect = lambda text: "en"
    for ours, name, kwargs in constraints():
        answers = [judge(utils, t, name, kwargs) for t in all_texts]
        line = {"constraint": ours, "strict": "".join(str(int(a)) for a, _ in answers),
                "loose": "".join(str(int(b)) for _, b in answers)}
        if name == "combination:repeat_prompt":
            line["prompt"] = kwargs["prompt_to_repeat"]
        out.append(line)
    for code, lines in LANGUAGES.items():
        for text in lines:
            found = detect(text)
            if found.split("-")[0] != code:
                print(f"langdetect takes {code} for {found}: {text}")
                continue
            out.append({"language": code, "text": text, "is": True})
            for other in rng.sample(sorted(set(LANGUAGES) - {code}), 4):
                out.append({"language": other, "text": text, "is": False})
    out += [{"plural": p, "singular": s} for p, s in nouns()]
    out.append({"objects": OBJECTS})
    for text in captions(rng):
        i, s = chair(text)
        out.append({"text": text, "i": i, "s": s})
    with open(os.path.join(HERE, "checks.jsonl"), "w", encoding="utf-8") as f:
        for line in out:
            f.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
