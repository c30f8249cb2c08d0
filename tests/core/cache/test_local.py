"""What a process remembers: within a bound, and for a time."""

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
