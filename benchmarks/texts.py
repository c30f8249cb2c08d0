"""`make bench-text`: whether the score of similarity tells copies from answers of one's own, and how quick it is.

It makes up answers, copies of them in other words at three levels, and independent answers to the same questions
(`benchmarks.paraphrases`), and has a database of its own, kept between runs.
"""

import argparse
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.paraphrases import LEVELS, Case, cases

if TYPE_CHECKING:  # what imports Django waits until it is set up
    from benchmarks.harness import Target

SEED, WORDS = 2003, 300
CASES, CASES_OF_QUICK = 200, 25
# How sure the score has to be: of a copy and of an answer of somebody's own, the copy has the higher one.
LEAST_AUC = 0.95
LEAST_ORDERED = 0.95
RESULTS = Path(__file__).parent / "results" / "texts.json"


def main() -> int:
    """Return 0 when every promise was kept; in a quick run, when the levels were told apart."""
    parser = argparse.ArgumentParser(prog="make bench-text", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few answers, to see that it works; no figure to quote")
    quick: bool = parser.parse_args().quick
    os.environ["DJANGO_SETTINGS_MODULE"] = "campushub360.settings.testing"
    os.environ["TEST_DATABASE_NAME"] = f"benchmarks_texts_{'quick' if quick else 'full'}_campushub360"
    import django

    django.setup()
    from benchmarks import corpora, machine, results

    count = CASES_OF_QUICK if quick else CASES
    size = corpora.QUICK if quick else corpora.FULL
    targets = [*judged(scores_of(cases(SEED, count, WORDS))), *corpora.targets(size, SEED)]
    rows = results.rows_of(targets)
    said = {"questions": count, "words of an answer": WORDS, **asdict(size), "seed": SEED}
    found: dict[str, Any] = {
        "machine": {**machine.described(), "quick": quick},
        "commit": machine.commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": said,
        **results.parted([{"scenario": "texts", **row} for row in rows]),
    }
    sys.stdout.write(results.table(found))
    sys.stdout.write(where(found))
    if not quick:
        results.write(found, RESULTS)
    return 0 if all(row["ok"] for row in found["targets"] if row["is_correctness"] or not quick) else 1


def where(found: Mapping[str, Any]) -> str:
    """Return on what machine and data the figures were found."""
    machine = found["machine"]
    data = ", ".join(f"{name} {value}" for name, value in found["data"].items())
    return (
        f"{machine['cores']} cores ({machine['processor']}), {machine['memory_gib']} GiB, {machine['system']}, "
        f"Python {machine['python']}, PostgreSQL {machine['postgresql']}\n{data}\ncommit {found['commit']}\n"
    )


@dataclass
class Scores:
    """How much of each answer stands in the one that was copied: by level, and of independent answers."""

    whole: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    verbatim: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


def scores_of(made: Iterable[Case]) -> Scores:
    """Compare every answer with the one that was copied."""
    from texts.analysis.comparing import Text, compare

    scores = Scores()
    for case in made:
        source = Text(case.source)
        for name, text in {**case.copies, "independent": case.independent}.items():
            found = compare(Text(text), source)
            scores.whole[name].append(found.score)
            scores.verbatim[name].append(found.verbatim)
    return scores


def judged(scores: Scores) -> "Iterator[Target]":
    """Return what the scores say of how well they tell copies."""
    from benchmarks.harness import Target
    from benchmarks.harness import told as figure

    order, whole = ["plain", *LEVELS, "independent"], scores.whole
    ordered = in_order([whole[name] for name in order])
    count = len(whole["independent"])
    yield Target("questions of which the score orders all levels", "at least", LEAST_ORDERED * count, ordered,
                 f"of {count}", is_correctness=True)  # fmt: skip
    yield Target("levels whose median is not above the next", "at most", 0,
                 disordered([whole[name] for name in order]), f"of {len(order)}", is_correctness=True)  # fmt: skip
    for level in LEVELS:
        yield Target(f"AUC, {level} copies against independent answers", "at least", LEAST_AUC,
                     auc(whole[level], whole["independent"]), "", is_correctness=True)  # fmt: skip
        yield figure(
            f"the same by passages alone, {level}", auc(scores.verbatim[level], scores.verbatim["independent"]), ""
        )
    copied = [score for level in ("plain", *LEVELS) for score in whole[level]]
    yield Target("AUC, copied against independent answers", "at least", LEAST_AUC,
                 auc(copied, whole["independent"]), "", is_correctness=True)  # fmt: skip
    for name in order:
        yield figure(f"score of {name} answers, median", median(whole[name]), "")


def in_order(groups: Sequence[Sequence[float]]) -> int:
    """Return of how many cases the scores fall from group to group."""
    return sum(all(one > other for one, other in pairwise(case)) for case in zip(*groups, strict=True))


def disordered(groups: Sequence[Sequence[float]]) -> int:
    """Return how many groups have a median that is not above that of the group after them."""
    middles = [median(group) for group in groups]
    return sum(one <= other for one, other in pairwise(middles))


def auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Return the area under the ROC curve: how often one of the first is above one of the others, ties by half.

    That is the statistic of Mann and Whitney over the product of the sizes (J. A. Hanley and B. J. McNeil, 1982).
    """
    wins = sum((one > other) + (one == other) / 2 for one in positive for other in negative)
    return wins / (len(positive) * len(negative))


if __name__ == "__main__":
    sys.exit(main())
