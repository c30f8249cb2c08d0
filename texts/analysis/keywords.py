"""What a text is about: the words and phrases that it has oftener than other texts do.

A word weighs how often it stands in the text, times the logarithm of how few of the texts beside it have it (tf-idf:
K. Spärck Jones, "A statistical interpretation of term specificity and its application in retrieval", Journal of
Documentation 28, 1972). A phrase of up to `LONGEST_PHRASE` words, all of which tell something, weighs what its words do
together, as far as they stand in it (after RAKE: S. Rose and others, "Automatic keyword extraction from individual
documents", 2010).

With fewer than `FEWEST` texts beside it a word weighs by its length instead, since long words are rare. Texts without
spaces between words have no keywords by this.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import log

from texts.analysis.normal import Normal, Span, is_ideographic, is_unspaced, normalised

SHORTEST, LONGEST_PHRASE = 4, 3
FEWEST = 20
# A phrase is one if it stands there so often.
OFTEN = 2
# A word that more than this share of the texts beside it have tells nothing.
COMMON = 0.3
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Keyword:
    """A word or a phrase as it stands in the text first, what it weighs, how often it stands there, and where."""

    phrase: str
    weight: float
    count: int
    spans: tuple[Span, ...]


class Background:
    """In how many of the texts beside one each word stands."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._texts = 0
        self._having = Counter[str]()
        for text in texts:
            self._texts += 1
            self._having.update({name for sentence in _named(normalised(text)) for name, _ in sentence})

    def rarity(self, name: str) -> float:
        """Return what a word tells, from 0 on; 0 for one that is everywhere."""
        if len(name) < SHORTEST or name.isdigit():
            return 0.0
        if self._texts < FEWEST:
            return log(len(name) - SHORTEST + 2)
        having = self._having[name]
        return log((1 + self._texts) / (1 + having)) if having <= COMMON * self._texts else 0.0


def keywords(text: str, background: Background, normal: Normal | None = None, *, most: int = 10) -> list[Keyword]:
    """Return the most telling words and phrases of a text, of which none is a part of another."""
    normal = normal or normalised(text)
    sentences = list(_named(normal))
    counts = Counter(name for sentence in sentences for name, _ in sentence)
    weights = {name: count * background.rarity(name) for name, count in counts.items()}
    places = defaultdict[tuple[str, ...], list[Span]](list)
    for sentence in sentences:
        for names, span in _phrases(normal, sentence, weights):
            places[names].append(span)
    weighed = {
        names: _weight(names, len(spans), counts, weights)
        for names, spans in places.items()
        if len(names) == 1 or len(spans) >= OFTEN
    }
    found: list[tuple[str, ...]] = []
    for names in sorted(weighed, key=lambda names: (-weighed[names], places[names][0])):
        if len(found) == most:
            break
        if not any(_is_part(names, other) or _is_part(other, names) for other in found):
            found.append(names)
    return [_keyword(text, places[names], weighed[names]) for names in found]


_Named = Sequence[tuple[str, int]]


def _named(normal: Normal) -> Iterator[_Named]:
    """Yield the sentences as their words, each with its number, as far as words are told apart."""
    for first, last in normal.sentences:
        words = ((normal.units[word.start : word.end], number)
                 for number, word in enumerate(normal.words[first:last], start=first))  # fmt: skip
        if told := [(name, number) for name, number in words if not (is_ideographic(name[0]) or is_unspaced(name[0]))]:
            yield told


def _phrases(normal: Normal, sentence: _Named, weights: dict[str, float]) -> Iterator[tuple[tuple[str, ...], Span]]:
    for start in range(len(sentence)):
        for end in range(start + 1, min(len(sentence), start + LONGEST_PHRASE) + 1):
            name, last = sentence[end - 1]
            if not weights[name] or last - sentence[start][1] != end - start - 1:
                break
            names = tuple(name for name, _ in sentence[start:end])
            words = normal.words[sentence[start][1]], normal.words[last]
            yield names, normal.span(words[0].start, words[1].end)


def _weight(names: Sequence[str], count: int, counts: Counter[str], weights: dict[str, float]) -> float:
    """Return what a phrase weighs: what its words do together, for the share of their places that are in it."""
    return sum(weights[name] * count / counts[name] for name in names)


def _keyword(text: str, spans: Sequence[Span], weight: float) -> Keyword:
    return Keyword(text[slice(*spans[0])], weight, len(spans), tuple(spans[:SHOWN]))


def _is_part(names: Sequence[str], other: Sequence[str]) -> bool:
    return any(tuple(names) == tuple(other[at : at + len(names)]) for at in range(len(other) - len(names) + 1))
