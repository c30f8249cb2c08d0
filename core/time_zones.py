"""Which names the time zone database knows."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError


@cache
def _names() -> frozenset[str]:
    # Some systems list a file of their own beside those of the database.
    return frozenset(available_timezones()) - {"localtime", "posixrules", "Factory"}


def is_time_zone(name: str) -> bool:
    """Say whether `name` is an IANA time zone."""
    return name in _names()


def validate_time_zone(name: str) -> None:
    """Refuse what is no name of the IANA time zone database."""
    if not is_time_zone(name):
        raise ValidationError("This is no IANA time zone, such as Europe/Vienna.", code="unknown_time_zone")
