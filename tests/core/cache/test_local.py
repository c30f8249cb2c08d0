"""What a process remembers: within a bound, and for a time."""

from core.cache.answers import MOST_BYTES, Answer, Answers
from core.cache.local import LocalCache


def test_keeps_the_most_recently_used_within_a_bound():
    kept = LocalCache[str, str](most=3)
    for name in "abc":
        kept.add(name, name, until=float("inf"))
    kept.get("a")
    kept.add("d", "d", until=float("inf"))

    assert [kept.get(name) for name in "abcd"] == ["a", None, "c", "d"]
    assert len(kept) == 3


def test_forgets_at_the_end():
    now = [100.0]
    kept = LocalCache[str, str](most=3, clock=lambda: now[0])
    kept.add("a", "a", until=110)

    assert kept.get("a") == "a"
    now[0] = 110.0
    assert kept.get("a") is None
    assert len(kept) == 0


def test_answers_of_a_few_bytes_are_bounded_by_what_keeping_them_takes(monkeypatch):
    monkeypatch.setattr("core.cache.answers.MOST_BYTES", MOST_BYTES // 1000)
    nowhere = Answers("redis://127.0.0.1:1/0", prefix="none", pause=600)
    names = [str(number).encode() for number in range(1000)]
    for name in names:
        nowhere.add(name, Answer("", name))

    assert sum(nowhere.near(name) is not None for name in names) < 100
