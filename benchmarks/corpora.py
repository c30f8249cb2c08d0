"""How long it takes to look texts up among many, and whether what they were copied from is found.

The database is the benchmark's own, filled once and kept for the next run.
"""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median, quantiles
from typing import TYPE_CHECKING
from uuid import UUID

from django.db import connection
from django.test.utils import setup_databases, setup_test_environment, teardown_test_environment

from benchmarks.harness import Target, told
from benchmarks.paraphrases import LEVELS, Corpus, Handed

if TYPE_CHECKING:
    from texts.selectors import Similarity

CORPUS = "benchmarks.texts"
MOST_SECONDS, MOST_MILLISECONDS = 300, 300
LEAST_FOUND = {"light": 1.0, "medium": 0.99, "heavy": 0.95}


@dataclass(frozen=True)
class Size:
    """How many documents there are, of so many words each, how many texts are handed in, and how many questions."""

    documents: int
    submissions: int
    words: int
    answers: int


QUICK = Size(documents=300, submissions=40, words=300, answers=10)
FULL = Size(documents=10_000, submissions=1000, words=800, answers=20)


def targets(size: Size, seed: int) -> Iterator[Target]:
    """Look every text up that is handed in, one after the other in one process."""
    from texts.selectors import similarity

    corpus = Corpus(seed, questions=size.documents // size.answers, answers=size.answers, words=size.words)
    with _database():
        yield from _filled(corpus, size)
        found, times = [], list[float]()
        for handed in corpus.handed_in(size.submissions):
            before = time.perf_counter()
            found.append((handed, similarity(handed.text, corpora=[CORPUS])))
            times.append((time.perf_counter() - before) * 1000)
    yield Target(
        f"{size.submissions:,} texts against {size.documents:,}", "at most", MOST_SECONDS, sum(times) / 1000, "s"
    )
    yield Target("one text against all, 95 of 100", "at most", MOST_MILLISECONDS, quantiles(times, n=20)[-1], "ms")
    yield told("one text against all, median", median(times), "ms")
    yield from judged(found)


def judged(found: "list[tuple[Handed, Similarity]]") -> Iterator[Target]:
    """Return of how many copies the first source is what they were copied from."""
    copies, right = Counter[str](), Counter[str]()
    for handed, similarity in found:
        if handed.level and handed.source is not None:
            copies[handed.level] += 1
            first = similarity.sources[0].owner if similarity.sources else None
            right[handed.level] += first == owner_of(handed.source)
    for level in LEVELS:
        yield Target(f"{level} copies whose source comes first", "at least", LEAST_FOUND[level] * copies[level],
                     right[level], f"of {copies[level]}", is_correctness=True)  # fmt: skip


def owner_of(number: int) -> UUID:
    """Return the record that a document of this number belongs to."""
    return UUID(int=number + 1)


def _filled(corpus: Corpus, size: Size) -> Iterator[Target]:
    from texts.models import Document
    from texts.services import Entry, register_many

    if Document.objects.filter(corpus=CORPUS).count() == size.documents:
        return
    documents = corpus.documents()
    began = time.perf_counter()
    register_many(Entry(corpus=CORPUS, owner=owner_of(number), text=text) for number, text in enumerate(documents))
    yield told(f"registering {size.documents:,} texts", time.perf_counter() - began, "s")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE texts_document, texts_fingerprint")


@contextmanager
def _database() -> Iterator[None]:
    setup_test_environment(debug=False)
    try:
        setup_databases(verbosity=0, interactive=False, keepdb=True, serialized_aliases=())
        yield
    finally:
        teardown_test_environment()
