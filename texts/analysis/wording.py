"""What two texts have in common in other words: sentences of which most words stand in one place of the source.

The order of words makes no difference, nor do their endings: a word counts by its first `STEM` units, which serves many
languages about as well as rules for each (P. McNamee and J. Mayfield, "Character n-gram tokenization for European
language text retrieval", Information Retrieval 7, 2004). Longer words weigh more: they are rarer (G. K. Zipf, The
Psycho-Biology of Language, 1935), and need no list of stop words for any language. Scripts without spaces are read as
overlapping pairs of ideographs, or groups of three letters.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from heapq import nlargest
from itertools import pairwise
from typing import NamedTuple

from texts.analysis.normal import FIRST_UNSPACED, Normal, Word, is_ideographic, is_unspaced

STEM = 6
# A sentence of fewer words is read with the one before it; one of more in parts.
SHORTEST, LONGEST = 5, 30
LIGHTEST, HEAVIEST = 0.3, 8.0
OF_GROUP = 2.0
# From which weight on words make pairs, and of how many of these one is taken.
HEAVY, EVERY = 3.0, 4
# A term that is in more places than `FREQUENT` leads to none; of those found, so many are compared whole.
FREQUENT, CANDIDATES = 60, 8


class Term(NamedTuple):
    """A word by its stem, or a group of signs where words are not told apart; the range of its units."""

    stem: str
    weight: float
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or a part of one: its range of units, and what its terms weigh."""

    start: int
    end: int
    terms: dict[str, float]
    weight: float


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of a sentence stands in one place of the source: a share of 0 to 1, and the sentences of that place."""

    share: float
    first: int = 0
    last: int = 0
    stems: frozenset[str] = frozenset()


def sentences_of(text: Normal) -> list[Sentence]:
    """Return the sentences of a text, none of them very short or very long."""
    groups: list[list[Term]] = []
    for first, last in text.sentences:
        terms = [term for word in text.words[first:last] for term in terms_of(text, word)]
        if groups and _is_continued(groups[-1], terms):
            groups[-1] += terms
            continue
        parts = -(-len(terms) // LONGEST)
        groups += [terms[len(terms) * part // parts : len(terms) * (part + 1) // parts] for part in range(parts)]
    return [_sentence(group) for group in groups]


def terms_of(text: Normal, word: Word) -> Iterator[Term]:
    """Yield the terms of a word: itself, or groups of its signs where it may be several words in one."""
    start, units = word.start, text.units
    if max(units[word.start : word.end]) < FIRST_UNSPACED:
        yield _whole(units, word.start, word.end)
        return
    for end in range(word.start + 1, word.end + 1):
        if end == word.end or _kind(units[end]) != _kind(units[start]):
            yield from _terms(units, start, end)
            start = end


def likenesses(sentences: Sequence[Sentence], source: Sequence[Sentence]) -> list[Likeness]:
    """Return for each sentence where in the source it is most alike: in one sentence, or in two that follow each other.

    The share is what the common terms weigh, by what those of both weigh on the average (Dice's coefficient): a long
    place is not like a short sentence only because it has many words.
    """
    places = _Places(source)
    return [places.most_alike(sentence) for sentence in sentences]


def pairs_of(sentences: Iterable[Sentence]) -> list[int]:
    """Return the hashes of some pairs of long words that follow each other, in whichever order they do.

    By them a text is found of which no passage was left as it was. Those that a number divides are taken (U. Manber,
    "Finding similar files in a large file system", 1994), so two texts take the same ones.
    """
    found = []
    for sentence in sentences:
        stems = [stem for stem, weight in sentence.terms.items() if weight >= HEAVY]
        for pair in pairwise(stems):
            digest = blake2b(" ".join(sorted(pair)).encode(), digest_size=8).digest()
            value = int.from_bytes(digest, "big") >> 2
            found += [value] if value % EVERY == 0 else []
    return found


class _Places:
    """The sentences of a source and the pairs of neighbours among them, found by the terms that they have."""

    def __init__(self, source: Sequence[Sentence]) -> None:
        self._spans = [(at, at) for at in range(len(source))] + list(pairwise(range(len(source))))
        self._terms = [source[a].terms if a == b else source[a].terms | source[b].terms for a, b in self._spans]
        self._weights = [sum(terms.values()) for terms in self._terms]
        self._by_stem = defaultdict[str, list[int]](list)
        for number, terms in enumerate(self._terms):
            for stem in terms:
                self._by_stem[stem].append(number)

    def most_alike(self, sentence: Sentence) -> Likeness:
        found = [(self._dice(sentence, number), -number) for number in self._promising(sentence)]
        if not found:
            return Likeness(0.0)
        share, number = max(found)
        stems = frozenset(sentence.terms.keys() & self._terms[-number].keys())
        return Likeness(min(1.0, share), *self._spans[-number], stems)

    def _promising(self, sentence: Sentence) -> list[int]:
        """Return the few places that have most of the less frequent terms of a sentence.

        Where all of its terms are frequent, they are places of the least frequent one: the work stays small for
        whatever text.
        """
        known = sorted((len(self._by_stem[stem]), stem) for stem in sentence.terms if stem in self._by_stem)
        common: dict[int, float] = {}
        for position, (count, stem) in enumerate(known):
            if position and count > FREQUENT:
                break
            for number in self._by_stem[stem][:FREQUENT]:
                common[number] = common.get(number, 0.0) + sentence.terms[stem]
        return nlargest(CANDIDATES, common, key=lambda number: (common[number] / self._weights[number] ** 0.5, -number))

    def _dice(self, sentence: Sentence, number: int) -> float:
        terms = self._terms[number]
        common = sum(weight for stem, weight in sentence.terms.items() if stem in terms)
        return 2 * common / (sentence.weight + self._weights[number])


def _is_continued(terms: Sequence[Term], following: Sequence[Term]) -> bool:
    """Say whether two sentences are read as one: nothing was left out between them, and one of them is very short."""
    shorter, together = min(len(terms), len(following)), len(terms) + len(following)
    return shorter < SHORTEST and together <= LONGEST and terms[-1].end == following[0].start


def _kind(unit: str) -> int:
    return 2 if is_ideographic(unit) else 1 if is_unspaced(unit) else 0


def _terms(units: str, start: int, end: int) -> Iterator[Term]:
    kind = _kind(units[start])
    size = 3 if kind == 1 else 2
    if kind == 0:
        yield _whole(units, start, end)
    elif end - start <= size:
        yield Term(units[start:end], OF_GROUP, start, end)
    else:
        for at in range(start, end - size + 1):
            yield Term(units[at : at + size], OF_GROUP, at, at + size)


def _whole(units: str, start: int, end: int) -> Term:
    weight = min(HEAVIEST, max(LIGHTEST, end - start - 2.0))
    return Term(units[start : min(end, start + STEM)], weight, start, end)


def _sentence(terms: Sequence[Term]) -> Sentence:
    weights = {term.stem: term.weight for term in terms}
    return Sentence(terms[0].start, max(term.end for term in terms), weights, sum(weights.values()))
