"""Equal wording is equal in normal form, and every unit knows where it comes from."""

import pytest

from tests.texts import hostile
from texts.analysis.normal import BARRIER, normalised


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hello, World!", "hello world"),
        ("naïve café", "NAIVE CAFE\u0301"),
        ("ﬁne Ａ１", "fine a1"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zerowidth"),
        ("сору", "copy"),
        ("ນ້ຳ", "ນ້ໍາ"),
        ("กำ", "ก\u0e4dา"),
        ("が", "か\u3099"),
        ("한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165"),
        ("مُحَمَّد", "محمد"),
        ("STRASSE", "straße"),
    ],
)
def test_what_reads_alike_is_alike(one: str, other: str) -> None:
    assert normalised(one).units == normalised(other).units


@pytest.mark.parametrize(("one", "other"), [("มา", "ม้า"), ("ໃກ້", "ໃກ"), ("क", "कि"), ("8", "9")])
def test_signs_that_tell_words_apart_are_kept(one: str, other: str) -> None:
    assert normalised(one).units != normalised(other).units


def test_a_range_of_units_is_shown_as_the_characters_that_it_comes_from() -> None:
    text = "“Ça ﬁt,” dit-elle."
    found = normalised(text)
    at = found.units.index("fit")

    assert found.units == "cafitditelle"
    assert text[slice(*found.span(at, at + 3))] == "ﬁt"
    assert text[slice(*found.span(0, len(found.units)))] == "Ça ﬁt,” dit-elle"


def test_words_and_sentences_are_told_apart() -> None:
    found = normalised("It's 3.5 km. Really?\n\nYes。好")

    assert [found.units[word.start : word.end] for word in found.words] == [
        "its", "3", "5", "km", "really", "yes", "好",
    ]  # fmt: skip
    assert found.sentences == [(0, 4), (4, 5), (5, 6), (6, 7)]


def test_what_is_left_out_leaves_a_barrier_and_moves_nothing_else() -> None:
    text = "one “two” three"
    found = normalised(text, leaving_out=[(4, 9)])

    assert found.units == f"one{BARRIER}three"
    assert text[slice(*found.span(4, 9))] == "three"
    assert [found.units[word.start : word.end] for word in found.words] == ["one", "three"]


@hostile.needed
def test_hostile_strings_have_a_normal_form() -> None:
    for text in hostile.strings():
        found = normalised(text)

        assert len(found.units) == len(found.offsets)
        assert found.offsets == sorted(found.offsets)
        assert normalised(found.units).units == found.units
        assert all(0 <= word.start < word.end <= len(found.units) for word in found.words)
