"""Writes answers.jsonl: answers, what they are compared with, and what the published tools give them.

  make_answers.py VQAEVAL LMMS_EVAL VLMEVALKIT

VQAEVAL: vqaEval.py of GT-Vision-Lab/VQA, after 2to3. LMMS_EVAL: the package folder of lmms-eval 0.7.3.
VLMEVALKIT: the package folder of VLMEvalKit (PyPI ms-vlmeval 0.0.20). Only single functions are taken
from them, so that their dependencies need not be there. Python 3.11 (Unicode 14) and NumPy.

anls.strict is the formula of the paper over lmms-eval's edit distance: no tool was found that has it.
choice.*.corrected is arithmetic over choice.*.
"""

import ast
import json
import pathlib
import random
import re
import statistics
import string
import sys
from typing import Optional

import numpy

MISSING = object()


class NoGuess:
    """In the place of the module random: a guess is no answer."""

    @staticmethod
    def choice(_):
        return MISSING


def take(path, names, **known):
    """The functions, classes and tables of these names in a file, without running the rest of it."""
    tree = ast.parse(path.read_text())
    wanted = [n for n in tree.body if getattr(n, "name", None) in names
              or isinstance(n, ast.Assign) and getattr(n.targets[0], "id", None) in names]
    assert len(wanted) == len(names), (path, names)
    for node in wanted:
        node.decorator_list = []  # of no meaning for a table
    space = {"re": re, "np": numpy, "string": string, "statistics": statistics, "Optional": Optional,
             "random": NoGuess, "cp": __import__("copy"), "os": __import__("os"), **known}
    exec(compile(ast.Module(wanted, []), str(path), "exec"), space)
    return space


class Tools:
    def __init__(self, vqaeval, lmms, vlm):
        self.official = {}
        exec(vqaeval.read_text(), self.official)
        processor = take(lmms / "tasks/_task_utils/vqa_eval_metric.py", ["EvalAIAnswerProcessor"])
        self.vqav2 = take(lmms / "tasks/vqav2/utils.py", ["vqav2_process_results"], **processor)
        self.textvqa = take(lmms / "tasks/textvqa/utils.py", ["textvqa_process_results"], **processor)
        self.metrics = take(lmms / "api/metrics.py",
                            ["anls", "levenshtein_distance", "exact_match_hf_evaluate"])
        self.chartqa = take(lmms / "tasks/chartqa/utils.py", ["relaxed_correctness"])
        self.mmmu = take(lmms / "tasks/_task_utils/mmmu_mcq_utils.py",
                         ["get_multi_choice_info", "parse_mmmu_multi_choice_response"])
        punctuation = take(vlm / "smp/misc.py", ["process_punctuation"])
        self.vlm = take(vlm / "dataset/utils/vqa_eval.py",
                        ["_process_digit_article", "process_answer", "relaxed_correctness", "process_line",
                         "hit_calculate", "anls_compute", "levenshtein_distance"],
                        istype=lambda *_: True, listinstr=lambda names, s: s in names, **punctuation)
        self.tallyqa = take(vlm / "dataset/utils/tallyqa.py", ["text_to_int", "extract_count_from_prediction"])
        self.countbench = take(lmms / "tasks/countbench/utils.py",
                               ["NUMBER_WORD_TO_NUMERAL", "_normalize_count_answer", "countbench_doc_to_target",
                                "countbench_process_results"])
        self.pixmo = take(lmms / "tasks/pixmo_count/utils.py", ["pixmo_count_process_results"])
        self.open = take(lmms / "tasks/mmmu/utils.py",
                         ["parse_open_response", "extract_numbers", "check_is_number", "normalize_str", "eval_open"])
        self.infer = take(vlm / "utils/matching_util.py",
                          ["can_infer", "can_infer_option", "can_infer_text"])

    def vqa_official(self, text, references):
        class Answers:
            qa = {1: {"answers": [{"answer": r, "answer_id": i} for i, r in enumerate(references)],
                      "question_type": "", "answer_type": ""}}

            @staticmethod
            def getQuesIds():
                return [1]

        class Result:
            qa = {1: {"answer": text}}

        tool = self.official["VQAEval"](Answers, Result, n=30)
        tool.evaluate()
        return tool.evalQA[1] / 100

    def vqa_lmmseval(self, text, references):
        answers = [{"answer": r, "answer_id": i} for i, r in enumerate(references)]
        return self.vqav2["vqav2_process_results"]({"answers": answers, "question_id": 1}, [text])["exact_match"]

    def vqa_textvqa(self, text, references):
        doc = {"answers": list(references), "question_id": 1}
        return self.textvqa["textvqa_process_results"](doc, [text])["exact_match"]

    def vlm_line(self, text, references, method, dataset):
        line = self.vlm["process_line"]({"answer": repr(references), "prediction": text}, method)
        return float(self.vlm["hit_calculate"]([line], dataset)[0])

    def anls_strict(self, text, references):
        values = []
        for r in references:
            a, b = (" ".join(s.lower().split()) for s in (text, r))
            far = self.metrics["levenshtein_distance"](a, b) / max(len(a), len(b), 1)
            values.append(1 - far if far < 0.5 else 0)
        return max(values)

    def exact(self, text, references, **how):
        """The second line only keeps NumPy from cutting the first to the length of its raw text."""
        def one(r):
            n = 2 * max(len(text), len(r)) + 2
            score = self.metrics["exact_match_hf_evaluate"]([text, "x" * n], [r, "y" * n], **how)
            return 2 * float(score["exact_match"])
        return max(one(r) for r in references)

    def of_references(self, text, references):
        anls = float(self.metrics["anls"](references, [text])["anls"])
        assert abs(anls - self.vlm_line(text, references, "anls", "DocVQA")) < 1e-12
        return {
            "vqa.official": self.vqa_official(text, references),
            "vqa.lmmseval": self.vqa_lmmseval(text, references),
            "vqa.vlmevalkit": self.vlm_line(text, references, "vqa_score", "VQA"),
            "vqa.textvqa": self.vqa_textvqa(text, references),
            "anls.lmmseval": anls,
            "anls.strict": self.anls_strict(text, references),
            "relaxed.pix2struct": float(max(self.chartqa["relaxed_correctness"](text, r) for r in references)),
            "relaxed.vlmevalkit": self.vlm_line(text, references, "relaxed_accuracy", "ChartQA"),
            "exact.evaluate": self.exact(text, references),
            "exact.evaluate.loose": self.exact(text, references, ignore_case=True, ignore_punctuation=True),
            "exact.vlmevalkit": self.vlm_line(text, references, "accuracy", "ChartQA"),
        }

    def of_counts(self, text, reference):
        got = self.tallyqa["extract_count_from_prediction"](text)
        try:
            tallyqa = float(got == int(reference))
        except ValueError:
            tallyqa = None
        return {
            "count.tallyqa": tallyqa,
            "count.countbench": self.countbench["countbench_process_results"]({"number": reference}, [text])["acc"],
            "count.pixmo": self.pixmo["pixmo_count_process_results"]({"answer": reference}, [text])["acc"],
        }

    def of_open(self, text, references):
        return {"open.mmmu": float(self.open["eval_open"](references, self.open["parse_open_response"](text)))}

    def of_choices(self, text, choices, answer):
        index2ans, letters = self.mmmu["get_multi_choice_info"](choices)
        mmmu = self.mmmu["parse_mmmu_multi_choice_response"](text, letters, index2ans)
        vlm = self.infer["can_infer"](text, dict(index2ans))
        values = {}
        for name, got in (("mmmu", mmmu), ("vlmevalkit", vlm)):
            right = float(got == answer)
            values["choice." + name] = right
            values[f"choice.{name}.answered"] = float(got in letters)
            wrong = -1 / (len(choices) - 1) if len(choices) > 1 else None
            values[f"choice.{name}.corrected"] = right if right and wrong else wrong
        return values


# ---- cases ------------------------------------------------------------------------------------

WORDS = """yes no one two Three TEN none zero a an the The cat dog's dogs cat's its dont cant Ive I'm youre
somebody'd let's y'allll oclock 'ows'at red blue dark-blue 10 10. 10.5 .5 5% 1,000 1,,000 1_000 3.14. U.S.A. e.g. no. 7th
$5 5$ don't couldn'tve ice-cream ice cream tv/radio (none) [zero] "one" <ten> x=y a+b a_b me@x.org what? wow! ;
\u0661\u0662 \uff11\uff12 \u0661,\u0662 \u0663. \u00bd \u00b2 caf\u00e9 cafe\u0301 STRASSE stra\u00dfe \ufb01ne \u0130stanbul \u039f\u0394\u039f\u03a3 \u03bf\u03b4\u03bf\u03c2 \u039f\u03a3' \u1e9e
\u4e2d\u6587 \U0001f600 \u2019s it\u2019s na\u00efve \u2013 \u2026 \u00bfqu\u00e9? \u2082 \u0301""".split()
GLUE = [" ", " ", " ", " ", "  ", "\t", "\n", " \n", "\u00a0", "\u3000", "\x1f", "", ", ", ". ", ".", " . ", "-", " - ",
        "! ", " (", ") ", "' "]
NUMBERS = """0 0.0 -0 0% 1 1.0 1.05 1.0500001 1.049 0.95 0.9499999 5 5% 5%% 5% % 0.05 .05 +5 -5 --5 1e3 1000 1,000 1_000 1__000
_1 1_ 1e1_0 1e400 1e-400 -1e400 inf -inf Infinity infinit nan NaN -nan 0x10 16 1e 1e+ . 5. .e1 5.e0 1.0e+00 100% 100
\uff15 \u0665 \u0661\u0660 \u0661_\u0660 \u0665\u066b\u0660 \u06f5 \U0001d7d3 \u00b2 \u2460 1e99999999999 0e99999999999 123456789012345678901234567890
0.1 0.30000000000000004 0.105 0.1049999999999999999 2.2250738585072014e-308 4.9e-324 9007199254740993 nan(1) 1e5L 1f""".split()
NUMBERS += [" 5 ", "5\u00a0", "\u20035", "5 %", "\n5\n", "\x855", "\x7f5", "\x1c5", "5\x1f", "5 5", "1 000", "", " ", "%", "20 percent"]


def scramble(rng, s):
    """The text with a few changes that may or may not matter."""
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        i = rng.randrange(len(s) + 1)
        s = rng.choice([
            lambda: s.upper(), lambda: s.lower(), lambda: s.title(), lambda: s + rng.choice(".!?, \n'"),
            lambda: rng.choice(["a ", "The ", " ", "(", "'"]) + s, lambda: s.replace(" ", rng.choice(["", "  ", "\t"])),
            lambda: s[:i] + rng.choice(".,;-/' \"") + s[i:], lambda: s[:i] + s[i + 1:],
            lambda: s[:i] + rng.choice("xyz\u00e9\u00df\u0130\u4e2d") + s[i + 1:], lambda: s.replace("'", ""),
        ])()
    return s


def random_text(rng, most):
    parts = []
    for _ in range(rng.randrange(most + 1)):
        parts += [rng.choice(WORDS), rng.choice(GLUE)]
    return "".join(parts[:-1])


def reference_cases():
    rng = random.Random(20150514)
    yes = ["yes"] * 10
    for k in range(11):
        yield "Yes.", ["yes"] * k + ["no"] * (10 - k)
    yield from [("yes", yes), ("Yes", yes), ("yes.", ["yes."] * 10), (" yes\n", ["yes "] * 10), ("2", ["two"] * 10),
                ("2", ["two"] * 9 + ["2"]), ("yes", ["yes"]), ("yes", ["yes", "yes"]), ("yes", ["yes"] * 4),
                ("", [""]), ("", ["", ""] + ["a"] * 8), ("the", [""] * 3 + ["x"]), ("", ["x"]), ("x", [""]),
                (" ", ["", "  "]), ("\n", ["\t"]), ("10.", ["10"] * 9 + ["ten"]), ("10.", ["10."] * 9 + ["ten"]),
                ("1,,000 a-b", ["1000 ab"] * 5 + ["1 000 a b"] * 5), ("1,000 a-b", ["1000 ab"] * 5 + ["1 000 a b"] * 5),
                ("a.b" + ".x" * 40, ["ab" + "x" * 40] * 9 + ["y"]), (".5 . .", [".5"] * 9 + ["5"]),
                ("." * 33, ["."] * 9 + ["x"]), ("..5", [".5"] * 9 + ["x"]), ("5..5", ["5.5"] * 9 + ["x"]),
                ("ab" * 200, ["ab" * 200, "ba" * 200]), ("x" * 300, ["y" * 150 + "x" * 150]),
                ("x" * 300, ["y" * 151 + "x" * 149]), ("the quick brown fox " * 9, ["the quick brown fix " * 9]),
                ("abcdefgh" * 20, ["bcdefgha" * 20]), ("ab", ["ac"]), ("abc", ["ad"]), ("ab ", ["ac"]), ("ab", ["ac  "]),
                ("\ufb03x", ["\ufb03y"]), ("\u0130\u0130", ["i\u0307i\u0307"]), ("\u0130", ["i\u0307"]), ("\u0130", ["i"]),
                ("\u039f\u03a3 \u03a3", ["\u03bf\u03c2 \u03c3"]), ("\u03a3\u0301\u03a3", ["\u03c3\u0301\u03c2"])]
    for word in ["aint", "couldn'tve", "hed've", "Id've", "I'dve", "Im", "Ive", "let's", "somebody'd", "'ow'sat", "ow's'at",
                 "twas", "y'alld've", "yall'd've", "whereve", "notve", "maam", "it'dve", "shed've", "she's"]:
        yield word, [word.replace("'", "") + "!", word + " .", word, "x"] * 2
    for text in NUMBERS:
        near = rng.sample(NUMBERS, 3)
        yield text, [text]
        yield text, near
        yield near[0], [text]
    for a, b in [("5", "5.25"), ("5.25", "5"), ("5.2500001", "5"), ("105", "100"), ("105.00000000000001", "100"), ("95", "100"),
                 ("94.99999999999999", "100"), ("0.105", "0.1"), ("0.10500000000000001", "0.1"), ("5%", "0.05"), ("5", "5%"),
                 ("-100", "100"), ("0", "0.0"), ("0.0", "0"), ("0", "0"), ("1e-400", "0"), ("0", "1e-400"), ("inf", "1"),
                 ("1", "inf"), ("-inf", "inf"), ("1_000", "1000"), ("1,000", "1000"), ("1000", "1,000"), ("1,000", "1,000"),
                 (" 5", "five"), ("YES ", "yes"), ("Yes", "yES"), (" 5 ", "5"), ("\u0665", "5"), ("\uff15%", ".05")]:
        yield a, [b]
    for _ in range(190):
        base = random_text(rng, rng.choice([1, 2, 2, 3, 5]))
        n = rng.choice([1, 2, 3, 5, 10, 10, 10])
        others = [base, base, scramble(rng, base), scramble(rng, base), random_text(rng, 3)]
        yield scramble(rng, base), [rng.choice(others) for _ in range(n)]
    for _ in range(12):
        base = random_text(rng, 40)
        yield scramble(rng, base), [scramble(rng, scramble(rng, base)), base[: len(base) // 2 + 1]]


OPTIONS = [["cat", "dog", "bird", "fish"], ["yes", "no"], ["a red circle", "a blue circle", "red", "none"],
           ["10", "100", "5", "1"], ["stra\u00dfe", "\u039f\u0394\u039f\u03a3", "\u0130zmir", "caf\u00e9", "\u4e2d\u6587"], ["", "x"],
           ["Paris", "paris", "PARIS"], ["the left one", "the right one", "both", "neither", "cannot tell"], ["only"],
           ["option %d" % i for i in range(26)], ["north", "northwest", "west", "south west"]]
ANSWERS = """{A} | {A}. | ({A}) | {A}) | {A}: | Answer: {A} | The answer is {A}. | The answer is ({A}). | ({A}) or ({B}) | {A} or {B}
{A}, {B} | IDEA {A} | A cat is {B} | {a} | ({a}) | **{A}** | [{A}] | {{{A}}} | #{A}# | {A};{B} | "{A}" | '{A}' | ,.!{A}?;: | .,{A} | {A}.{B}.
{A}.\n | {A}\nbecause {t} | I think it is {t} | I think that it must be {t} here | it is {t}, not {u}, I would say so | {t} | {t}. | {T}
{t} and {u} | {t} {u} {t} is what can be seen there | Z | The answer is Z | Z {A} | {A} Z | ZA | {A} and Z and {B} | A | A A | A dog
A man is seen; {B} | {A} is the right one of all these options | {A} is right here yes | {A} one two three | {A} one two three four | {B} one {B} two {B}
Sorry, I can't help with images of people yet. {A} | I can't process this file. | I'm sorry, but without the image provided {A} | Cannot determine the answer
Failed to obtain answer via API | Failed to obtain answer via API {A} | Failed to obtain answer via API {t} | | . | ... | \u3000{A}\u3000 | \u00a0{A}\u00a0 | {A}\u3001 | \uff21
MEDIA {A} END | NASA {B} | XA. | XA.{B}. | {A}.5 | ({A} | {A} ) | ( {A} ) | ({A}) {B} | {B} ({A}) | {A}  {B} | {A}\t{B} | \t{A}\t | x {t} y {u} z {t} w v""".replace("\n", " | ").split(" | ")


def choice_cases():
    rng = random.Random(1865)
    for answer in ANSWERS:
        for options in rng.sample(OPTIONS, 3):
            k = len(options)
            i, j = rng.randrange(k), rng.randrange(k)
            fill = {"A": chr(65 + i), "B": chr(65 + j), "a": chr(97 + i), "t": options[i], "u": options[j],
                    "T": options[i].upper()}
            answer = answer.replace("\\n", "\n").replace("\\t", "\t")
            yield answer.format(**fill), options, chr(65 + rng.choice([i, i, j, rng.randrange(k)]))
    for _ in range(60):
        options = rng.choice(OPTIONS)
        parts = []
        for _ in range(rng.randrange(1, 9)):
            parts += [rng.choice(["A", "B", "C", "(A)", "(B)", "B.", "C)", "it", "is", "the", "Z", rng.choice(options),
                                  rng.choice(options).upper(), rng.choice(WORDS)]), rng.choice(GLUE)]
        yield "".join(parts), options, chr(65 + rng.randrange(len(options)))


COUNTS = """{d} | {w} | {W} | {d}. | {d}.5 | -{d} | {d},000 | {d}{d} | 0{d} | {w}teen | {w}ty | There are {w} of them, not {e}. | {e} or {d}
{e}, then {w} | x{d} | {d}x | _{d} | {d}_ | #{d} | ({w}) | {w}-{v} | {w}_{v} | {w}\u0301 | \u00e9{w} | {w}\u00e9 | \u00b2{w} | \u0663{w} | \u0663 | \uff13
\uff13 {d} | {d}\u4e2d | \u4e2d {d} | none | None | NONE. |  none  | no |  | . | \u3000{w}\u3000 | \x1c{d}\x1f | {d}th | {w}th | one hundred {w} | 100 {d}
twenty-one | 21 {d} | 20{d} | 1{d} | zero {d} | a {w} | \u2460 {d} | {d}/{e} | {d}\u2013{e} | {d}\n{e} | SIX{w} | sixteen seven | "{w}" | {w}'s | \u0130{w}""".replace(
    "\n", " | ").split(" | ")
COUNT_WORDS = "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split()


def count_cases():
    rng = random.Random(1654)
    for answer in COUNTS:
        for _ in range(4):
            d, e = rng.randrange(17), rng.randrange(17)
            text = answer.format(d=d, e=e, w=COUNT_WORDS[d], v=COUNT_WORDS[e], W=COUNT_WORDS[d].upper())
            yield text, str(rng.choice([d, d, d, e]))
    for _ in range(60):
        text = "".join(rng.choice(WORDS + COUNT_WORDS * 2) + rng.choice(GLUE) for _ in range(rng.randrange(5)))
        yield text, str(rng.randrange(12))
    for reference in ["three", "3 cats", "", " 3 ", "none", "\u0663", "03", "no cats", "Twenty", "3.5"]:
        for text in ["3", " three ", "03", "no cats", "\u0663", "it is 20", ""]:
            yield text, reference


NUMERALS = """5 -5 12.5 0.125 0.135 2.675 1,234 12,345,678 1,2345 1234,567 1,23,456 12,3 .5 -.5 5. 5, 1e3 1.5e-3 2E+2 1e 1e+ 12.5e3x 1.2.3 1..2 3,
x5 5x 5_ _5 5.5x 5.5, 5.5e 1e400 -1,000 a-1,000 1,000,00 1,000, ,000 \u0665 \u0661,\u0662\u0663\u0664 \u0665.\u0665 \u06655 5\u0301 5\u00b2 $5 5% --5 5-5
nan inf 1,000.5 1,000e3 0.005 0.015 1.005 1.004999 100000000000000000000.005 007 +5 5e3.5 5e3e 5e33,000 12,345.678e2, .5.5 5.5.5 -""".split()
LEADS = ["is ", "so ", "the answer is ", "= ", "x=", "thus ", "final answer ", "result ", "", "could be ", "Therefore "]


def open_cases():
    rng = random.Random(2311)
    for number in NUMERALS:
        yield number, [number]
        yield rng.choice(LEADS) + number + rng.choice(GLUE) + rng.choice(WORDS), [number, "x"]
        yield rng.choice(LEADS) + rng.choice(WORDS) + rng.choice(GLUE) + number, [rng.choice(NUMERALS)]
    for text in ["the answer is A", "A", "a b", "ba", "b a c", "so .", "answer :", "is is ", "it is x\nso y = z", "x = 5\nend", "",
                 "...", ".5.", "=", "\n", "is a\n", "so it is 5. Thus 6", "A. B", "answer is: 3,000 m", "the result is \u0130", "0.125"]:
        for references in [["a"], ["A", "x"], [""], ["z", "5"], ["6"], ["3000"], ["0.12"], ["."], ["\u0130", "b c"]]:
            yield text, references
    for _ in range(120):
        parts = []
        for _ in range(rng.randrange(1, 7)):
            parts += [rng.choice([rng.choice(LEADS), rng.choice(NUMERALS), rng.choice(WORDS)]), rng.choice(GLUE + ["", "", "\n"])]
        text = "".join(parts)
        words = text.replace("=", " ").split() + ["x"]
        yield text, [scramble(rng, rng.choice(words)) for _ in range(rng.choice([1, 1, 2]))]


def main():
    tools = Tools(*map(pathlib.Path, sys.argv[1:]))
    lines, names = [], {}

    def add(kind, want, **task):
        names[kind] = list(want)
        lines.append({"kind": kind, **task, "want": list(want.values())})

    for text, references in reference_cases():
        add("references", tools.of_references(text, references), text=text, references=references)
    for text, choices, answer in choice_cases():
        add("choices", tools.of_choices(text, choices, answer), text=text, choices=choices, answer=answer)
    for text, reference in count_cases():
        add("counts", tools.of_counts(text, reference), text=text, references=[reference])
    for text, references in open_cases():
        add("open", tools.of_open(text, references), text=text, references=references)
    with open(pathlib.Path(__file__).with_name("answers.jsonl"), "w") as out:
        for line in [names] + lines:
            out.write(json.dumps(line) + "\n")
    print(len(lines), "cases")


if __name__ == "__main__":
    main()
