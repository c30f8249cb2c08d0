"""Which names the time zone database knows."""

from functools import cache
from zoneinfo import available_timezones


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def is_time_zone(name: str) -> bool:
    """Say whether `name` is an IANA time zone."""
    return name in _names()
