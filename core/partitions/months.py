"""Months, each by its first day. A month begins at midnight UTC where the rows have an instant."""

import re
from datetime import date, datetime

_NAME = re.compile(r"_(\d{4})(0[1-9]|1[0-2])$")


def month_of(day: date) -> date:
    return date(day.year, day.month, 1)


def later(month: date, number: int) -> date:
    """Return the month that comes a number of months later, or earlier for a negative one."""
    years, index = divmod(month.year * 12 + month.month - 1 + number, 12)
    return date(years, index + 1, 1)


def months_between(first: date, last: date) -> int:
    """Return how many months the month of one day is later than that of another."""
    return (last.year - first.year) * 12 + last.month - first.month


def read_month(text: str) -> date:
    """Return the month that `2026-03` names; raise ValueError for anything else."""
    return datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007 - a month has no time of day


def month_in(partition: str) -> date | None:
    """Return the month that the name of a partition ends in, if it does."""
    found = _NAME.search(partition)
    return date(int(found[1]), int(found[2]), 1) if found else None


def name_of(table: str, month: date) -> str:
    return f"{table}_{month:%Y%m}"
