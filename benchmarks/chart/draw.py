"""Draws how each target of a run came out: how far above or below its bound, on one scale for all.

Reads the results from its standard input, and writes a PNG to the file that is named.
"""

import json
import sys
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

MET, MISSED = "#2a7f62", "#c0392b"
LEAST = 0.02


def share(row: dict[str, Any]) -> float:
    """Return how well a target came out: 1 is just met, 2 is twice as good as promised."""
    one, other = row["measured"], row["target"]
    if row["bound"] == "at most":
        one, other = other, one
    return max(one / max(other, 1e-9), LEAST)


def main(file: str) -> None:
    results = json.load(sys.stdin)
    rows = [row for row in results["targets"] if row["target"] > 0][::-1]
    figure, axes = plt.subplots(figsize=(9, 0.34 * len(rows) + 1.4))
    shares = [min(share(row), 10) for row in rows]
    axes.barh([row["name"] for row in rows], shares, color=[MET if row["ok"] else MISSED for row in rows], height=0.6)
    axes.axvline(1, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.25, 0.5, 1, 2, 4, 10], ["0.1", "0.25", "0.5", "target", "2", "4", "10 or more"])
    axes.set_xlabel(f"times as good as promised; commit {results['commit']}, {results['machine']['processor']}, "
                    f"{results['machine']['cores']} cores")  # fmt: skip
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, dpi=110, metadata={"Software": None}, bbox_inches="tight")


main(sys.argv[1])
