"""How a text reads: figures worked out by hand, and places to look at again."""

import pytest

from tests.texts import hostile
from texts.analysis.keywords import FEWEST, Background, keywords
from texts.analysis.readability import Readability, readability
from texts.analysis.style import Hint, Kind, hints


def noticed(text: str) -> list[tuple[str, str, int]]:
    return [(hint.kind.value, text[slice(*hint.span)], hint.count) for hint in hints(text)]


def test_formulas_are_what_their_authors_wrote() -> None:
    # 12 words of 50 letters in 2 sentences; "remarkable" and "machines" are long.
    found = readability("The remarkable old machines did run. They all went on for days.")

    assert (found.letters, found.words, found.sentences, found.long_words) == (50, 12, 2, 2)
    assert found.lix == pytest.approx(12 / 2 + 100 * 2 / 12)
    assert found.rix == pytest.approx(1.0)
    assert found.ari == pytest.approx(4.71 * 50 / 12 + 0.5 * 6 - 21.43)
    assert found.coleman_liau == pytest.approx(0.0588 * 100 * 50 / 12 - 0.296 * 100 * 2 / 12 - 15.8)
    assert found.variety is None


def test_variety_is_taken_over_stretches_of_fifty_words() -> None:
    assert readability("same " * 60).variety == pytest.approx(1 / 50)
    different = " ".join(f"w{'abcdefghij'[n // 10]}{'abcdefghij'[n % 10]}" for n in range(100))
    assert readability(different).variety == 1.0
    assert readability(f"{'same ' * 50}{different}").variety == pytest.approx(
        (2 * sum(range(2, 51)) / 2 + 51 * 50 - 1224) / 101 / 50, abs=0.3
    )


@pytest.mark.parametrize("text", ["", "...", "你好世界。", "ສະບາຍດີ", "หมา แมว"])
def test_where_no_words_are_told_apart_nothing_is_said(text: str) -> None:
    assert readability(text) == Readability(0, 0, 0, 0)
    assert keywords(text, Background()) == []


def test_easy_texts_have_lower_figures_than_hard_ones() -> None:
    easy = readability("The cat sat on the mat. It was a big cat. The dog ran to it.")
    hard = readability(
        "Notwithstanding contradictory interpretations, administrative jurisdictions acknowledge precedents."
    )

    assert (easy.lix, easy.rix, easy.ari, easy.coleman_liau) < (hard.lix, hard.rix, hard.ari, hard.coleman_liau)
    assert easy.lix < 20
    assert hard.lix > 60


def test_long_sentences_and_paragraphs_are_noticed_with_their_length() -> None:
    sentence = " ".join(["word", "other"] * 21)

    assert noticed(f"Short. {sentence}. Short.") == [("long_sentence", sentence, 42)]
    assert noticed(f"{sentence[:-11]}.") == []
    paragraph = ". ".join(f"{name} is said of it here" for name in "abcdefghijklmnopqrstuvwxyz" * 2)
    assert [hint.kind for hint in hints(f"{paragraph}\n\nShort")] == [Kind.LONG_PARAGRAPH]


def test_words_twice_in_a_row_are_noticed() -> None:
    assert noticed("It is the The end, end. 3 3 and a a.") == [("repeated_word", "the The", 2)]


def test_sentences_that_begin_alike_are_noticed() -> None:
    text = "We ask why. We look around. We find out. They do not."

    assert noticed(text) == [("same_beginnings", "We ask why. We look around. We find out", 3)]


def test_what_hides_copies_is_noticed() -> None:
    assert noticed("A pаper") == [("mixed_scripts", "pаper", 2)]
    assert noticed("A pa\u2060per, не латиница, soft\u00adly") == [("unseen_characters", "pa\u2060per", 1)]


def test_keywords_are_what_a_text_has_oftener_than_others() -> None:
    others = [f"Somebody wrote about their garden, which number {n} describes with care." for n in range(FEWEST)]
    text = "Granary floods are rare. Which granary floods first? Their granary floods often, which somebody describes."

    found = keywords(text, Background(others))

    assert (found[0].phrase, found[0].count) == ("Granary floods", 3)
    assert [text[slice(*span)].casefold() for span in found[0].spans] == ["granary floods"] * 3
    assert not {"which", "their", "somebody", "describes"} & {each.phrase.casefold() for each in found}
    assert [each.weight for each in found] == sorted((each.weight for each in found), reverse=True)


def test_without_others_long_words_tell_more_than_short_ones() -> None:
    found = keywords("They examined sedimentation. It is what they did.", Background())

    assert [each.phrase for each in found[:2]] == ["sedimentation", "examined"]
    assert len(keywords("alpha beta gamma delta epsilon", Background(), most=2)) == 2


@hostile.needed
def test_hostile_strings_are_read() -> None:
    background = Background(hostile.strings())
    for text in hostile.strings():
        for hint in hints(text):
            assert isinstance(hint, Hint)
            assert 0 <= hint.span[0] < hint.span[1] <= len(text)
        for keyword in keywords(text, background):
            assert keyword.phrase == text[slice(*keyword.spans[0])] != ""
        assert readability(text).words >= 0
