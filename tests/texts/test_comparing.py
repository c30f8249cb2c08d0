"""What of a text stands in a source, how much that is, and where exactly."""

from random import Random
from statistics import median

import pytest

from benchmarks.paraphrases import LEVELS, cases
from tests.texts import hostile
from texts.analysis.comparing import Comparison, Text, compare
from texts.analysis.fingerprints import LETTERS, WINDOW, fingerprints, guaranteed
from texts.analysis.normal import normalised
from texts.analysis.parts import quotations, references

PASSAGE = "the granary was emptied before the river rose above the third mark of the old bridge"
LETTERS_ONLY = "abcdefghijklmnopqrstuvwxyz"


def compared(text: str, source: str) -> Comparison:
    return compare(Text(text), Text(source))


def nonsense(seed: int, length: int) -> str:
    random = Random(seed)
    return "".join(random.choice(LETTERS_ONLY) for _ in range(length))


def test_a_passage_is_shown_exactly_where_it_stands_in_both_texts() -> None:
    text = f"QQQ! {PASSAGE}, xyz"
    source = f"Nobody knew why, but “{PASSAGE.upper()}”: vvv"

    (passage,) = compared(text, source).passages

    assert text[slice(*passage.text)] == PASSAGE
    assert source[slice(*passage.source)] == PASSAGE.upper()
    assert passage.matches == ((passage.text, passage.source),)


@pytest.mark.parametrize("length", [guaranteed("a"), guaranteed("a") + 1, 40, 64, 65, 200, 700])
def test_whatever_is_common_and_long_enough_is_found_wherever_it_stands(length: int) -> None:
    for seed in range(20):
        common = nonsense(seed, length)
        text = f"{nonsense(seed + 100, seed * 7)}1{common}2{nonsense(seed + 200, 50)}"
        source = f"{nonsense(seed + 300, 90)}3{common}4{nonsense(seed + 400, seed)}"

        (passage,) = compared(text, source).passages

        assert (text[slice(*passage.text)], source[slice(*passage.source)]) == (common, common)


def test_what_is_shorter_is_no_passage() -> None:
    common = nonsense(1, guaranteed("a") - 1)

    assert compared(f"1{common}2", f"3{common}4").passages == ()


def test_matches_with_little_between_them_are_one_passage_in_two_parts() -> None:
    one, other = nonsense(1, 60), nonsense(2, 60)
    text, source = f"{one} was then {other}", f"0 {one} is now {other}"

    (passage,) = compared(text, source).passages

    assert text[slice(*passage.text)] == text
    assert [(text[slice(*mine)], source[slice(*theirs)]) for mine, theirs in passage.matches] == [
        (one, one),
        (other, other),
    ]


def test_passages_in_another_order_are_each_found() -> None:
    parts = [nonsense(seed, 80) for seed in range(3)]
    text, source = "1 ".join(parts), " 2 ".join(reversed(parts))

    found = compared(text, source)

    assert [text[slice(*each.text)] for each in found.passages] == parts
    assert [source[slice(*each.source)] for each in found.passages] == parts
    assert found.verbatim > 0.98


@pytest.mark.parametrize(
    "text",
    [
        PASSAGE,
        "ຂ້ອຍຮຽນຢູ່ມະຫາວິທະຍາໄລແຫ່ງຊາດລາວໃນຄະນະວິສະວະກຳສາດແລະມັກອ່ານປຶ້ມຫຼາຍ",
        "นักศึกษาทุกคนต้องส่งรายงานความก้าวหน้าของโครงงานก่อนสิ้นภาคการศึกษา",
        "机器学习是人工智能的一个分支它使计算机能够从数据中学习而无需进行明确的编程",
        "일반적으로 학생들은 학기가 끝나기 전에 최종 보고서를 제출해야 한다고 알려져 있다",
    ],
)
def test_a_copy_within_something_else_is_found_whatever_the_script(text: str) -> None:
    source = f"{nonsense(1, 100)}. {text}. {nonsense(2, 100)}"
    found = compared(text, source)

    assert found.score == found.verbatim == 1.0
    assert [source[slice(*each.source)] for each in found.passages] == [text]


def test_the_order_of_words_makes_no_difference_to_wording() -> None:
    text = "Before the river rose, somebody emptied the granary near the bridge."
    source = "The granary near the bridge was emptied by somebody before the rising of the river."

    found = compared(text, source)

    assert found.verbatim < 0.5 < found.score
    (evidence,) = found.reworded
    assert (text[slice(*evidence.text)], source[slice(*evidence.source)]) == (text[:-1], source[:-1])
    assert {"granar", "bridge", "emptie", "river"} <= set(evidence.stems)


def test_the_score_is_the_share_of_the_text_and_not_of_the_source() -> None:
    source = " ".join(f"{nonsense(seed, 60)}." for seed in range(10))
    half = f"{source[:61]} {nonsense(99, 60)}."

    assert compared(source[:61], source).score == 1.0
    assert compared(half, source).score == pytest.approx(0.5, abs=0.01)
    assert compared(source, source[:61]).score == pytest.approx(0.1, abs=0.01)


def test_paraphrases_are_ordered_by_their_level_and_above_independent_answers() -> None:
    scores: dict[str, list[float]] = {}
    for case in cases(seed=7, count=12, words=200):
        source = Text(case.source)
        for name, text in {**case.copies, "independent": case.independent}.items():
            scores.setdefault(name, []).append(compare(Text(text), source).score)

    middles = [median(scores[name]) for name in ("plain", *LEVELS, "independent")]
    assert scores["plain"] == [1.0] * 12
    assert middles == sorted(middles, reverse=True)
    assert min(scores["heavy"]) > max(scores["independent"])


def test_quotations_and_references_are_left_out_on_request() -> None:
    quoted = f"Nobody disputes it: “{PASSAGE}” (Meyer)."
    entry = "Meyer, A. (1987). On granaries and the rivers beside them. Vienna: Flood Press."
    text = f"{nonsense(5, 50)}. {quoted}\n\nReferences\n{entry}\n"
    source = Text(f"{PASSAGE}. {entry}")

    whole = compare(Text(text), source)
    own = compare(Text(text, leaving_out=[*quotations(text), *references(text)]), source)

    assert whole.score > 0.5
    assert (own.score, own.passages) == (pytest.approx(0, abs=0.1), ())


def test_neither_hides_what_is_neither() -> None:
    unclosed = f'He said "that {PASSAGE}.\n\nThis is " another paragraph'
    heading_alone = f"References\n{PASSAGE}\nand so on\nfor many lines\n"

    assert quotations(unclosed) == []
    assert references(heading_alone) == []
    assert references("References\nMeyer (1987).\n" + heading_alone.partition("\n")[2]) == [(0, 24)]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("a „b“ c", ["„b“"]),
        ("« un » et « deux »", ["« un »", "« deux »"]),
        ("他说「好」了", ["「好」"]),
        ("before\n> all of it\nafter", ["> all of it"]),
        (f"“{'x' * 3000}”", []),
    ],
)
def test_quotations_are_found_by_their_marks(text: str, quoted: list[str]) -> None:
    assert [text[slice(*span)] for span in quotations(text)] == quoted


def test_fingerprints_are_few_and_the_same_everywhere() -> None:
    found = fingerprints(normalised(nonsense(1, 10_000)))

    assert len(found) == pytest.approx(2 / (WINDOW + 1) * 10_000, rel=0.1)
    assert all(0 <= mark.hash < 2**63 for mark in found)
    assert fingerprints(normalised("a" * (LETTERS + 3)))[0].hash == fingerprints(normalised("a" * LETTERS))[0].hash
    assert fingerprints(normalised(PASSAGE))[:1] == [(373443908893272958, 12)]


@pytest.mark.parametrize("text", ["a" * 60_000, "a " * 30_000, "a. " * 20_000, "ab cd " * 10_000, "一" * 30_000])
def test_monotonous_texts_are_compared_like_others(text: str) -> None:
    assert compared(text, text[7:] + text[:100]).score > 0.99


@pytest.mark.parametrize("text", ["", " ", "\0", "...", "\ud800", "🙂🙂"])
def test_what_says_nothing_stands_nowhere(text: str) -> None:
    assert compared(text, text) == Comparison(0.0, 0.0, (), ())
    assert compared(text, PASSAGE).score == compared(PASSAGE, text).score == 0.0


@hostile.needed
def test_hostile_strings_are_compared_and_their_evidence_lies_within_them() -> None:
    for text in hostile.strings():
        source = f"{PASSAGE}. {text} {PASSAGE}"
        found = compared(text, source)

        assert 0 <= found.verbatim <= found.score <= 1
        for start, end in [each.text for each in (*found.passages, *found.reworded)]:
            assert 0 <= start < end <= len(text)
