"""Answers to made-up questions, copies of them at three levels of rewording, and independent answers to the same.

Everything follows from a seed. Words are made of syllables; a language has few words that are everywhere, and thousands
that are rare, by Zipf's law, with endings and synonyms. Answers to one question share its subject: half of their rare
words are of a small vocabulary of that question, so that independent answers have much in common, and copies not much
more.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from random import Random
from typing import Literal

Level = Literal["light", "medium", "heavy"]
# How many of its words are exchanged for synonyms or for others, which share of the sentences is left out or moved, and
# how many are turned around.
LEVELS: dict[Level, tuple[float, float, float]] = {
    "light": (0.10, 0.05, 0.10),
    "medium": (0.25, 0.15, 0.40),
    "heavy": (0.60, 0.30, 0.70),
}
ONSETS = ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "st", "tr", "pl", "br", "gr", "ch"]
VOWELS = ["a", "e", "i", "o", "u", "ea", "ou", "ai"]
CODAS = ["", "", "n", "r", "s", "l", "t", "nd"]
ENDINGS = ["", "", "", "s", "ed", "ing"]
COMMON, RARE, OF_SUBJECT, SYNONYMS = 120, 4000, 60, 3
# Which share of all words are common ones, and of the rare ones which share is of the subject.
COMMONNESS, TOPICALITY = 0.45, 0.5


@dataclass
class Language:
    """The words of a made-up language: common ones, and rare ones, each of these with its synonyms."""

    random: Random
    common: list[str] = field(init=False)
    rare: list[list[str]] = field(init=False)
    _weights: list[float] = field(init=False)

    def __post_init__(self) -> None:
        made: set[str] = set()
        self.common = [self._word(made, syllables=1) for _ in range(COMMON)]
        self.rare = [[self._word(made, syllables=self.random.choice([2, 2, 3, 3, 4])) for _ in range(SYNONYMS)]
                     for _ in range(RARE)]  # fmt: skip
        self._weights = list(accumulate(1 / rank for rank in range(1, COMMON + 1)))

    def subject(self) -> list[int]:
        """Return the rare words that a question is about."""
        return self.random.sample(range(RARE), OF_SUBJECT)

    def answer(self, subject: Sequence[int], words: int) -> list[list[str]]:
        """Return an answer as sentences of words."""
        sentences, count = [], 0
        while count < words:
            length = min(words - count, self.random.randint(8, 24))
            sentences.append([self._chosen(subject) for _ in range(max(length, 4))])
            count += max(length, 4)
        return sentences

    def paraphrased(self, sentences: Sequence[Sequence[str]], level: Level) -> list[list[str]]:
        """Return an answer in other words."""
        exchanged, moved, turned = LEVELS[level]
        changed = []
        for sentence in sentences:
            if self.random.random() < moved / 3:
                continue
            words = [self._exchanged(word) if self.random.random() < exchanged else word for word in sentence]
            if self.random.random() < turned:
                middle = self.random.randint(2, max(2, len(words) - 2))
                words = words[middle:] + words[:middle]
            changed.append(words)
        for _ in range(int(len(changed) * moved)):
            changed.insert(self.random.randrange(len(changed)), changed.pop(self.random.randrange(len(changed))))
        return changed

    def _chosen(self, subject: Sequence[int]) -> str:
        if self.random.random() < COMMONNESS:
            return self.random.choices(self.common, cum_weights=self._weights)[0]
        number = (
            self.random.choice(subject) if self.random.random() < TOPICALITY else int(RARE ** self.random.random()) - 1
        )
        return self.random.choice(self.rare[number][:2]) + self.random.choice(ENDINGS)

    def _exchanged(self, word: str) -> str:
        if word in self.common:
            return self.random.choices(self.common, cum_weights=self._weights)[0]
        return self.random.choice(self.random.choice(self.rare)) + self.random.choice(ENDINGS)

    def _word(self, made: set[str], *, syllables: int) -> str:
        while True:
            parts = (self.random.choice(ONSETS) + self.random.choice(VOWELS) for _ in range(syllables))
            word = "".join(parts) + self.random.choice(CODAS)
            if word not in made:
                made.add(word)
                return word


def written(sentences: Sequence[Sequence[str]]) -> str:
    """Return sentences as text."""
    return " ".join(f"{' '.join(words).capitalize()}." for words in sentences if words)


@dataclass(frozen=True)
class Case:
    """An answer, copies of it by level, the plain copy among them, and an answer that somebody else gave."""

    source: str
    copies: dict[str, str]
    independent: str


def cases(seed: int, count: int, words: int = 300) -> Iterator[Case]:
    """Yield so many cases, each on a question of its own."""
    language = Language(Random(seed))  # noqa: S311 - what is wanted is the same each time
    for _ in range(count):
        subject = language.subject()
        answer = language.answer(subject, words)
        copies = {"plain": written(answer)}
        for level in LEVELS:
            copies[level] = written(language.paraphrased(answer, level))
        yield Case(written(answer), copies, written(language.answer(subject, words)))


@dataclass(frozen=True)
class Handed:
    """A text that is handed in: the number of the document that it was copied from and how, or somebody's own."""

    text: str
    level: Level | None = None
    source: int | None = None


class Corpus:
    """Answers to many questions, several to each, and texts that are handed in later to the same questions."""

    def __init__(self, seed: int, *, questions: int, answers: int, words: int) -> None:
        self._language, self._words = Language(Random(seed)), words  # noqa: S311 - what is wanted is the same each time
        self._subjects = [self._language.subject() for _ in range(questions)]
        self._answers = [self._language.answer(subject, words) for subject in self._subjects for _ in range(answers)]

    def documents(self) -> list[str]:
        """Return the answers as texts."""
        return [written(answer) for answer in self._answers]

    def handed_in(self, count: int) -> Iterator[Handed]:
        """Yield so many texts: of ten, one is copied at each level, and the others are somebody's own."""
        for number in range(count):
            kinds: list[Level | None] = [*LEVELS, *[None] * 7]
            level = kinds[number % len(kinds)]
            if level is None:
                subject = self._language.random.choice(self._subjects)
                yield Handed(written(self._language.answer(subject, self._words)))
            else:
                source = self._language.random.randrange(len(self._answers))
                copy = self._language.paraphrased(self._answers[source], level)
                yield Handed(written(copy), level, source)
