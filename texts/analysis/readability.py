"""How a text reads, by formulas that count letters, words and sentences and need no dictionary.

None says whether a text is good. Each was fitted to the language that stands beside it; LIX and RIX have been used for
many. Where words are not told apart by spaces, there is nothing to count.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from texts.analysis.normal import Normal, is_ideographic, is_unspaced, normalised

# A long word has more letters than this (C. H. Björnsson).
LONG = 6
# So many words the variety of words is taken over, wherever in the text.
STRETCH = 50

Spacing = Literal["words", "none"]


@dataclass(frozen=True, slots=True)
class Readability:
    """What was counted, and what the formulas make of it: `None` where there is too little to count.

    `lix` and `rix` rise with difficulty, LIX from about 20 (children's books) to 60 and more (statutes); `ari` and
    `coleman_liau` are years of school in the United States; `variety` is a share, 0 to 1.
    """

    letters: int
    words: int
    sentences: int
    long_words: int
    lix: float | None = None
    rix: float | None = None
    ari: float | None = None
    coleman_liau: float | None = None
    variety: float | None = None


def readability(text: str | Normal) -> Readability:
    """Count a text.

    LIX: C. H. Björnsson, Läsbarhet, 1968. RIX: J. Anderson, "Lix and Rix: variations on a little-known readability
    index", Journal of Reading 26, 1983. ARI: R. J. Senter and E. A. Smith, AMRL-TR-66-220, 1967 (English). Coleman and
    Liau: M. Coleman and T. L. Liau, "A computer readability formula designed for machine scoring", Journal of Applied
    Psychology 60, 1975 (English). Variety is the moving-average type-token ratio: M. A. Covington and J. D. McFall,
    "Cutting the Gordian knot", Journal of Quantitative Linguistics 17, 2010.
    """
    normal = normalised(text) if isinstance(text, str) else text
    names = [normal.units[word.start : word.end] for word in normal.words if _is_told_apart(normal.units[word.start])]
    letters, words = sum(map(len, names)), len(names)
    sentences = _sentences(normal)
    long_words = sum(len(name) > LONG for name in names)
    if not words or not sentences:
        return Readability(letters, words, sentences, long_words)
    of_sentence, of_word = words / sentences, letters / words
    return Readability(
        letters,
        words,
        sentences,
        long_words,
        lix=of_sentence + 100 * long_words / words,
        rix=long_words / sentences,
        ari=4.71 * of_word + 0.5 * of_sentence - 21.43,
        coleman_liau=0.0588 * 100 * of_word - 0.296 * 100 / of_sentence - 15.8,
        variety=_variety(names),
    )


def _is_told_apart(unit: str) -> bool:
    return not (is_ideographic(unit) or is_unspaced(unit))


def _sentences(normal: Normal) -> int:
    """Return how many sentences have a word that is told apart from others."""
    words, units = normal.words, normal.units
    return sum(any(_is_told_apart(units[word.start]) for word in words[first:last]) for first, last in normal.sentences)


def _variety(names: list[str]) -> float | None:
    if len(names) < STRETCH:
        return None
    within = Counter(names[:STRETCH])
    total = len(within)
    for gone, come in zip(names, names[STRETCH:], strict=False):
        within[come] += 1
        within[gone] -= 1
        if not within[gone]:
            del within[gone]
        total += len(within)
    return total / STRETCH / (len(names) - STRETCH + 1)
