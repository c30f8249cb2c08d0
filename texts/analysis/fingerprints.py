"""Fingerprints of a text: the hashes of some of its runs of characters, chosen so that equal passages share some.

Winnowing, after S. Schleimer, D. S. Wilkerson and A. Aiken, "Winnowing: local algorithms for document fingerprinting",
SIGMOD 2003: of each `WINDOW` runs of `LETTERS` units that follow each other, the one with the least hash is chosen; of
several the one that was already, or else the rightmost (their "robust" winnowing, which makes little of monotony). What
two texts have in common over `guaranteed` units or more is found for certain; what is shorter than a run never is; and
of a text of n units about 2n / (WINDOW + 1) fingerprints are kept.

Runs that begin with an ideograph are shorter: a character says there what a word does elsewhere.
"""

from typing import NamedTuple

from texts.analysis.normal import BARRIER, Normal, is_ideographic

LETTERS = 14
IDEOGRAPHS = 6
WINDOW = 15

# A polynomial modulo a Mersenne prime: a hash fits into the bigint of a database, and is the same on every machine.
_PRIME = (1 << 61) - 1
_BASE = 0x0B4E4F6F1F3A97D1 % _PRIME


class Fingerprint(NamedTuple):
    """The hash of a run of units, and the index of its first unit."""

    hash: int
    at: int


def length_of_run(unit: str) -> int:
    """Return how many units a run has that begins with this one."""
    return IDEOGRAPHS if is_ideographic(unit) else LETTERS


def guaranteed(unit: str) -> int:
    """Return from how many units on a common passage that begins with this one is certain to be found."""
    return length_of_run(unit) + WINDOW - 1


def fingerprints(text: Normal) -> list[Fingerprint]:
    """Return the fingerprints of a text in the order of their places."""
    found: list[Fingerprint] = []
    start = 0
    for piece in text.units.split(BARRIER):
        found += _winnowed(_hashes(piece), start)
        start += len(piece) + 1
    return found


def _hashes(units: str) -> list[int]:
    """Return the hash of the run at each index, as far as whole runs reach."""
    prime, base = _PRIME, _BASE
    prefix, value = [0], 0
    for unit in units:
        value = (value * base + ord(unit)) % prime
        prefix.append(value)
    lengths = (LETTERS, IDEOGRAPHS)
    powers = {length: pow(base, length, prime) for length in lengths}
    if max(units, default="") < "\u3005":
        power = powers[LETTERS]
        return [(after - before * power) % prime for before, after in zip(prefix, prefix[LETTERS:], strict=False)]
    hashes = []
    for at, unit in enumerate(units):
        length = length_of_run(unit)
        if at + length > len(units):
            break
        hashes.append((prefix[at + length] - prefix[at] * powers[length]) % prime)
    return hashes


def _winnowed(hashes: list[int], start: int) -> list[Fingerprint]:
    """Choose the least hash of each window; a text of fewer runs than a window is one window."""
    if not hashes:
        return []
    chosen: list[Fingerprint] = []
    least, at = hashes[0], -1
    for end in range(min(WINDOW, len(hashes)), len(hashes) + 1):
        first, last = max(0, end - WINDOW), end - 1
        if at < first:
            window = hashes[first:end]
            least = min(window)
            at = last - window[::-1].index(least)
        elif hashes[last] < least:
            least, at = hashes[last], last
        else:
            continue
        chosen.append(Fingerprint(least, start + at))
    return chosen
