"""How much of a text stands in a source, and the evidence for it.

The score is a containment: the share of the text, 0 to 1, that the source has. Each sentence counts by its length, with
the greater of two shares: what of it is word for word in the source, and how alike it is to one place there in other
words. It judges nobody: texts agree for many reasons.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from texts.analysis.fingerprints import Fingerprint, fingerprints
from texts.analysis.normal import Normal, Span, normalised
from texts.analysis.passages import Passage, covered, matches_of, passages
from texts.analysis.wording import Likeness, Sentence, likenesses, pairs_of, sentences_of

# From this share on a sentence is shown as evidence of rewording.
TELLING = 0.5


@dataclass(frozen=True, slots=True)
class Reworded:
    """A sentence of the text and a place of the source with mostly the same words, as ranges of characters of both.

    `share` is Dice's coefficient of their words by weight; `stems` are the beginnings of the words in common.
    """

    text: Span
    source: Span
    share: float
    stems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """How much of a text a source has (`score`), word for word alone (`verbatim`), and where: all shares of 0 to 1."""

    score: float
    verbatim: float
    passages: tuple[Passage, ...]
    reworded: tuple[Reworded, ...]


class Text:
    """A text as it is compared: what is worked out of it once serves every comparison."""

    def __init__(self, text: str, *, leaving_out: Iterable[Span] = ()) -> None:
        self.normal: Normal = normalised(text, leaving_out=leaving_out)

    @cached_property
    def fingerprints(self) -> list[Fingerprint]:
        return fingerprints(self.normal)

    @cached_property
    def sentences(self) -> list[Sentence]:
        return sentences_of(self.normal)

    @cached_property
    def hashes(self) -> list[int]:
        """The hashes by which it is found among many, each once: of passages, and of pairs of words."""
        return sorted({*(mark.hash for mark in self.fingerprints), *pairs_of(self.sentences)})


def compare(text: Text, source: Text) -> Comparison:
    """Say how much of `text` stands in `source`, and where."""
    matches = matches_of(text.normal, source.normal, text.fingerprints, source.fingerprints)
    spans = covered(matches)
    alike = likenesses(text.sentences, source.sentences)
    exact = _shares(text.sentences, spans)
    lengths = [sentence.end - sentence.start for sentence in text.sentences]
    whole = sum(lengths)
    if not whole:
        return Comparison(0.0, 0.0, (), ())
    shares = [max(one, reworded(each.share)) for one, each in zip(exact, alike, strict=True)]
    return Comparison(
        score=_mean(shares, lengths),
        verbatim=_mean(exact, lengths),
        passages=tuple(passages(text.normal, source.normal, matches)),
        reworded=tuple(_evidence(text, source, exact, alike)),
    )


def reworded(likeness: float) -> float:
    """Return how much of a sentence counts as taken over in other words: the square of how alike it is, 0 to 1.

    Sentences of two people on one subject are alike by a fifth or so, which the square makes next to nothing of; it has
    no threshold below which all would be the same.
    """
    return likeness * likeness


def _mean(shares: Sequence[float], lengths: Sequence[int]) -> float:
    total = sum(share * length for share, length in zip(shares, lengths, strict=True))
    return min(1.0, total / sum(lengths))


def _shares(sentences: Sequence[Sentence], spans: Sequence[Span]) -> list[float]:
    """Return of each sentence which share of its units the spans cover."""
    found, first = [], 0
    for sentence in sentences:
        while first < len(spans) and spans[first][1] <= sentence.start:
            first += 1
        inside, at = 0, first
        while at < len(spans) and spans[at][0] < sentence.end:
            inside += min(sentence.end, spans[at][1]) - max(sentence.start, spans[at][0])
            at += 1
        found.append(inside / (sentence.end - sentence.start))
    return found


def _evidence(text: Text, source: Text, exact: Sequence[float], alike: Sequence[Likeness]) -> Iterable[Reworded]:
    for sentence, share, each in zip(text.sentences, exact, alike, strict=True):
        if each.share >= TELLING and share < each.share:
            first, last = source.sentences[each.first], source.sentences[each.last]
            yield Reworded(
                text=text.normal.span(sentence.start, sentence.end),
                source=source.normal.span(first.start, last.end),
                share=each.share,
                stems=tuple(sorted(each.stems)),
            )
