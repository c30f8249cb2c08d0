"""Texts in a form in which equal wording is equal: letters, digits and the signs that belong to them, nothing else.

Case, accents, spaces, punctuation, invisible characters and look-alike letters make no difference; vowel and tone signs
of scripts that write them as marks (Thai, Lao, Devanagari) do. Each unit knows from which character it comes, so
whatever is found is shown in the text as it was sent.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

# Stands where something was left out; no unit is like it, so nothing is found across it.
BARRIER = "\0"
REMEMBERED = 20_000

# Marks that people write or leave out: accents (Unicode's own blocks of them), Hebrew points, Arabic vowels, and
# selectors and joiners that are not seen.
_IGNORED = (
    (0x0300, 0x036F), (0x0591, 0x05C7), (0x0640, 0x0640), (0x064B, 0x065F), (0x0670, 0x0670), (0x115F, 0x1160),
    (0x17B4, 0x17B5), (0x180B, 0x180F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFE20, 0xFE2F), (0xE0100, 0xE01EF),
)  # fmt: skip
# Letters that are drawn alike; read as the Latin ones wherever they stand, so that no letter of another alphabet hides
# a copied word. After Unicode Technical Standard 39, of which this is the part that matters here.
_CYRILLIC, _CYRILLIC_AS = "авгеѕіјкмнорстухһԁԛԝ", "abresijkmhopctyxhdqw"
_GREEK, _GREEK_AS = "αβεικνορτυχ", "abeikvoptyx"
_LOOK_ALIKES = str.maketrans(_CYRILLIC + _GREEK, _CYRILLIC_AS + _GREEK_AS)
# Scripts without spaces between words, of which none begins earlier than the first one here.
FIRST_UNSPACED = "\u0e00"
_UNSPACED = (
    (0x0E00, 0x0EFF), (0x0F00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0x1980, 0x19DF), (0xA9E0, 0xA9FF),
)  # fmt: skip
_IDEOGRAPHIC = (
    (0x3005, 0x3007), (0x3040, 0x30FF), (0x31F0, 0x31FF), (0x3400, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF),
)  # fmt: skip
_WITHIN_WORDS = frozenset("'’ʼ＇")
_ENDS = frozenset("!?。！？।॥။៕؟።։؛…\u2029")
# Of characters that are no letters, those that part no words: what is not seen, and marks that belong to a letter.
_UNSEEN = frozenset({"Cf", "Mn", "Me", "Lm", "Cs"})

Span = tuple[int, int]


class Word(NamedTuple):
    """A word, as the half-open range of its units."""

    start: int
    end: int


@dataclass(slots=True)
class Normal:
    """A normalised text: its units, and for each of them the offset of the character that it comes from.

    `words` are runs of units between separators, `sentences` are ranges of words.
    """

    units: str
    offsets: list[int]
    words: list[Word] = field(default_factory=list)
    sentences: list[Span] = field(default_factory=list)

    def span(self, start: int, end: int) -> Span:
        """Return the half-open range of characters of the text from which a range of units comes."""
        return self.offsets[start], self.offsets[end - 1] + 1


def is_ideographic(unit: str) -> bool:
    """Say whether a unit says about as much as a syllable or a word does elsewhere."""
    return unit >= "\u3005" and _within(ord(unit), _IDEOGRAPHIC)


def is_unspaced(unit: str) -> bool:
    """Say whether a unit is of an alphabet that is written without spaces between words."""
    return unit >= FIRST_UNSPACED and _within(ord(unit), _UNSPACED)


def normalised(text: str, *, leaving_out: Iterable[Span] = ()) -> Normal:
    """Return a text in its normal form, without the ranges of characters that are to be left out."""
    units: list[str] = []
    offsets: list[int] = []
    breaks, out, known = _Breaks(), _Out(leaving_out), _UNITS
    is_whole = out.is_empty
    for offset, character in enumerate(text):
        found = known[character]
        if not is_whole and out.has(offset):
            if not units or units[-1] != BARRIER:
                breaks.end_sentence(len(units))
                units.append(BARRIER)
                offsets.append(offset)
                breaks.skip(len(units))
        elif found:
            units += found
            offsets += [offset] * len(found)
        else:
            breaks.separate(text, offset, len(units))
    breaks.end_sentence(len(units))
    joined = "".join(units)
    if not unicodedata.is_normalized("NFD", joined):
        joined = _in_canonical_order(units, offsets)
    return Normal(joined, offsets, breaks.words, breaks.sentences)


class _Units(dict[str, str]):
    """What becomes of each character, remembered for the first so many."""

    def __missing__(self, character: str) -> str:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
        kept = "".join(each for each in folded if unicodedata.category(each)[0] in "LMN" and not _is_ignored(each))
        units = kept.translate(_LOOK_ALIKES)
        if len(self) < REMEMBERED:
            self[character] = units
        return units


def _is_ignored(character: str) -> bool:
    return _within(ord(character), _IGNORED)


def _within(code: int, ranges: tuple[Span, ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


_UNITS = _Units()


class _Out:
    """Answers, for offsets that only grow, whether they are in a range that is left out."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._left = iter(sorted(spans))
        self._start, self._end = next(self._left, (-1, -1))

    @property
    def is_empty(self) -> bool:
        return self._start < 0

    def has(self, offset: int) -> bool:
        while self._start >= 0 and offset >= self._end:
            self._start, self._end = next(self._left, (-1, -1))
        return 0 <= self._start <= offset


class _Breaks:
    """Collects words and sentences from where they end."""

    def __init__(self) -> None:
        self.words: list[Word] = []
        self.sentences: list[Span] = []
        self._word = self._sentence = 0

    def separate(self, text: str, offset: int, at: int) -> None:
        """End what the character at an offset ends, which is no letter."""
        character = text[offset]
        if _ends_sentence(text, offset, character):
            self.end_sentence(at)
        elif character == " " or not (character in _WITHIN_WORDS or unicodedata.category(character) in _UNSEEN):
            self.end_word(at)

    def end_word(self, at: int) -> None:
        if at > self._word:
            self.words.append(Word(self._word, at))
            self._word = at

    def end_sentence(self, at: int) -> None:
        self.end_word(at)
        if len(self.words) > self._sentence:
            self.sentences.append((self._sentence, len(self.words)))
            self._sentence = len(self.words)

    def skip(self, to: int) -> None:
        self._word = to


def _ends_sentence(text: str, offset: int, character: str) -> bool:
    """Say whether a character ends a sentence: a full stop before a space does, and so does an empty line."""
    if character == ".":
        return text[offset + 1 : offset + 2].isspace()
    if character == "\n":
        return text[offset + 1 : offset + 2] in ("\n", "\r")
    return character in _ENDS


def _in_canonical_order(units: list[str], offsets: list[int]) -> str:
    """Put marks after the same letter into the order that Unicode gives them, with their offsets."""
    for start, end in _runs_of_marks(units):
        order = sorted(range(start, end), key=lambda index: unicodedata.combining(units[index]))
        units[start:end] = [units[index] for index in order]
        # What belongs to one letter is shown as one range whatever the order of its marks is.
        offsets[start:end] = sorted(offsets[start:end])
    return "".join(units)


def _runs_of_marks(units: list[str]) -> Iterator[Span]:
    start = None
    for index, unit in enumerate([*units, "a"]):
        if unicodedata.combining(unit):
            start = index if start is None else start
        elif start is not None:
            yield start, index
            start = None
