"""What two texts have in common word for word, and where in both of them.

Fingerprints that both have are the seeds: each is compared unit by unit and extended both ways as far as the texts are
equal, so no collision of hashes is evidence of anything. Matches that follow each other in both texts, with little in
between, are one passage.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from texts.analysis.fingerprints import LETTERS, Fingerprint, guaranteed
from texts.analysis.normal import BARRIER, Normal, Span

# A run that a source repeats more often is looked up at the first so many places.
PLACES = 8
# Units between two matches in either text, up to which they are one passage: a few exchanged words.
GAP = 60
# Fingerprints within a match of so many units add nothing to it: monotonous texts have one for every place.
LONG = 500
STEP = 64


class Match(NamedTuple):
    """A run of equal units: where it begins in the text, where in the source, and how long it is."""

    start: int
    source: int
    length: int

    @property
    def end(self) -> int:
        return self.start + self.length

    @property
    def source_end(self) -> int:
        return self.source + self.length


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage of the text and the passage of the source that it agrees with, as ranges of characters of both.

    `matches` are the parts of it that are equal but for case, accents and punctuation: (range in the text, range in the
    source) each, in the order of the text.
    """

    text: Span
    source: Span
    matches: tuple[tuple[Span, Span], ...]


def matches_of(
    text: Normal, source: Normal, of_text: Iterable[Fingerprint], of_source: Iterable[Fingerprint]
) -> list[Match]:
    """Return the longest equal runs by their place in the text: those that are long enough to be found for certain."""
    places = defaultdict[int, list[int]](list)
    for mark in of_source:
        places[mark.hash].append(mark.at)
    found: list[Match] = []
    # By diagonal, how far in the text a run of equal units was already followed.
    followed: dict[int, int] = {}
    shown = 0
    for mark in of_text:
        for at in places.get(mark.hash, ())[:PLACES]:
            if followed.get(at - mark.at, -1) > mark.at or mark.at + LETTERS <= shown:
                continue
            match = _extended(text.units, source.units, mark.at, at)
            followed[at - mark.at] = max(match.end, mark.at + 1)
            if match.length >= guaranteed(text.units[match.start]):
                found.append(match)
                shown = max(shown, match.end) if match.length >= LONG else shown
    return _longest(found)


def passages(text: Normal, source: Normal, matches: Sequence[Match]) -> list[Passage]:
    """Return matches as passages, those that follow each other in both texts as one."""
    chains: list[list[Match]] = []
    for match in matches:
        chain = next((chain for chain in reversed(chains[-PLACES:]) if _follows(chain[-1], match)), None)
        if chain is None:
            chains.append([match])
        else:
            chain.append(match)
    return [_passage(text, source, chain) for chain in chains]


def covered(matches: Iterable[Match]) -> list[Span]:
    """Return the ranges of units of the text that matches cover, apart from each other."""
    spans: list[Span] = []
    for match in sorted(matches):
        if spans and match.start <= spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], match.end)
        else:
            spans.append((match.start, match.end))
    return spans


def _extended(text: str, source: str, at: int, there: int) -> Match:
    """Follow the texts both ways from where they may be equal; of length 0 where they are not."""
    ahead = _equal_ahead(text, source, at, there)
    if not ahead:
        return Match(at, there, 0)
    back = _equal_behind(text, source, at, there)
    return Match(at - back, there - back, ahead + back)


def _equal_ahead(text: str, source: str, at: int, there: int) -> int:
    length = 0
    while True:
        mine, theirs = text[at + length : at + length + STEP], source[there + length : there + length + STEP]
        equal = _equal(mine, theirs)
        length += equal
        if equal < STEP:
            return length


def _equal_behind(text: str, source: str, at: int, there: int) -> int:
    length = 0
    while True:
        step = min(STEP, at - length, there - length)
        mine, theirs = text[at - length - step : at - length], source[there - length - step : there - length]
        equal = _equal(mine[::-1], theirs[::-1])
        length += equal
        if equal < STEP:
            return length


def _equal(mine: str, theirs: str) -> int:
    """Return how many units at the beginning of both are equal, up to a barrier."""
    if mine == theirs and BARRIER not in mine:
        return len(mine)
    length = 0
    for one, other in zip(mine, theirs, strict=False):
        if one != other or one == BARRIER:
            break
        length += 1
    return length


def _longest(found: Iterable[Match]) -> list[Match]:
    """Leave out what lies within a longer match, so that each place of the text is shown at its best."""
    kept: list[Match] = []
    for match in sorted(found, key=lambda match: (match.start, -match.length)):
        if not kept or match.end > kept[-1].end:
            kept.append(match)
    return kept


def _follows(match: Match, later: Match) -> bool:
    """Say whether a match continues another one, in both texts."""
    return -GAP <= later.start - match.end <= GAP and (
        later.source > match.source and -GAP <= later.source - match.source_end <= GAP
    )


def _passage(text: Normal, source: Normal, chain: Sequence[Match]) -> Passage:
    pairs = tuple((text.span(match.start, match.end), source.span(match.source, match.source_end)) for match in chain)
    return Passage(
        text=(pairs[0][0][0], max(mine[1] for mine, _ in pairs)),
        source=(min(theirs[0] for _, theirs in pairs), max(theirs[1] for _, theirs in pairs)),
        matches=pairs,
    )
