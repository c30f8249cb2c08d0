"""Places of a text that its writer may want to look at again. Each is a fact about it; none is a mistake for sure."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from texts.analysis.normal import Normal, Span, normalised

LONGEST_SENTENCE = 40
# So many sentences in a row that begin alike are noticed.
ALIKE = 3
LONGEST_PARAGRAPH = 300


class Kind(StrEnum):
    """What is noticed."""

    LONG_SENTENCE = "long_sentence"
    LONG_PARAGRAPH = "long_paragraph"
    REPEATED_WORD = "repeated_word"
    SAME_BEGINNINGS = "same_beginnings"
    MIXED_SCRIPTS = "mixed_scripts"
    UNSEEN_CHARACTERS = "unseen_characters"


@dataclass(frozen=True, slots=True)
class Hint:
    """What is noticed at a range of characters; `count` says of how many words, sentences or characters it is."""

    kind: Kind
    span: Span
    count: int


def hints(text: str, normal: Normal | None = None) -> list[Hint]:
    """Return what is noticed in a text, by its place.

    A sentence of more than 40 words, a paragraph of more than 300; the same word twice in a row; three sentences or
    more in a row with the same first word; a word with letters of several alphabets, and characters within a word that
    are not seen: both hide copies from those who look for them, and come from copying as well.
    """
    normal = normal or normalised(text)
    found = [
        *_long_sentences(normal), *_long_paragraphs(text, normal), *_repeated_words(text, normal),
        *_same_beginnings(normal), *_odd_words(text, normal),
    ]  # fmt: skip
    return sorted(found, key=lambda hint: (hint.span, hint.kind))


def _long_sentences(normal: Normal) -> Iterator[Hint]:
    for first, last in normal.sentences:
        if last - first > LONGEST_SENTENCE:
            yield Hint(Kind.LONG_SENTENCE, _span(normal, first, last), last - first)


def _long_paragraphs(text: str, normal: Normal) -> Iterator[Hint]:
    first = 0
    for number in range(1, len(normal.words) + 1):
        if number == len(normal.words) or "\n\n" in _between(text, normal, number - 1, number).replace("\r", ""):
            if number - first > LONGEST_PARAGRAPH:
                yield Hint(Kind.LONG_PARAGRAPH, _span(normal, first, number), number - first)
            first = number


def _repeated_words(text: str, normal: Normal) -> Iterator[Hint]:
    for first, last in normal.sentences:
        for number in range(first + 1, last):
            name = _name(normal, number)
            # Numbers in tables, and names of one letter, are repeated for good reasons.
            is_same = len(name) > 1 and name.isalpha() and name == _name(normal, number - 1)
            if is_same and _between(text, normal, number - 1, number).isspace():
                yield Hint(Kind.REPEATED_WORD, _span(normal, number - 1, number + 1), 2)


def _same_beginnings(normal: Normal) -> Iterator[Hint]:
    start = 0
    sentences = normal.sentences
    for number in range(1, len(sentences) + 1):
        is_same = number < len(sentences) and _name(normal, sentences[number][0]) == _name(normal, sentences[start][0])
        if not is_same:
            if number - start >= ALIKE:
                yield Hint(
                    Kind.SAME_BEGINNINGS, _span(normal, sentences[start][0], sentences[number - 1][1]), number - start
                )
            start = number


def _odd_words(text: str, normal: Normal) -> Iterator[Hint]:
    for number in range(len(normal.words)):
        span = _span(normal, number, number + 1)
        word = text[slice(*span)]
        if word.isascii():
            continue
        alphabets = {_alphabet(each) for each in word if each.isalpha()} - {""}
        if len(alphabets) > 1:
            yield Hint(Kind.MIXED_SCRIPTS, span, len(alphabets))
        if unseen := sum(unicodedata.category(each) == "Cf" and each not in _JOINERS for each in word):
            yield Hint(Kind.UNSEEN_CHARACTERS, span, unseen)


# What scripts of their own need between letters, and what says where a word may be divided.
_JOINERS = frozenset("\u200c\u200d\u00ad\u200b")
_ALPHABETS = ("LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE")


def _alphabet(letter: str) -> str:
    """Return of which of the alphabets with letters that look alike a letter is."""
    name = unicodedata.name(letter, "")
    return next((alphabet for alphabet in _ALPHABETS if name.startswith(alphabet)), "")


def _name(normal: Normal, number: int) -> str:
    word = normal.words[number]
    return normal.units[word.start : word.end]


def _span(normal: Normal, first: int, last: int) -> Span:
    return normal.span(normal.words[first].start, normal.words[last - 1].end)


def _between(text: str, normal: Normal, one: int, other: int) -> str:
    return text[_span(normal, one, one + 1)[1] : _span(normal, other, other + 1)[0]]
