"""What people write into cells, read as values: dates, numbers, yes and no, days and times."""

import re
from contextlib import suppress
from datetime import UTC, date, datetime, time
from decimal import Decimal

from core.tables import plain

YES = {"true", "t", "yes", "y", "1", "on"}
NO = {"false", "f", "no", "n", "0", "off"}
GENDERS = {
    "f": "female", "female": "female", "w": "female", "woman": "female",
    "m": "male", "male": "male", "man": "male",
    "other": "other", "x": "other", "d": "other", "diverse": "other",
    "undisclosed": "undisclosed", "unspecified": "undisclosed",
}  # fmt: skip
# One letter each, as timetables have them: R is Thursday, U is Sunday.
LETTERS = {"M": 1, "T": 2, "W": 3, "R": 4, "F": 5, "S": 6, "U": 7}
NAMES = {"mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6, "sun": 7}
CLOCK = re.compile(r"(?P<hour>[0-9]{1,2})[:.](?P<minute>[0-9]{2})(:00)?\s*(?P<half>[AaPp])?\.?[Mm]?\.?", re.ASCII)
NOON = 12
# In the digits of ASCII, and with no exponent that would make a long number of a short cell.
NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", re.ASCII)
NUMBER_LENGTH = 40
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?", re.ASCII
)


def code(cell: str) -> str:
    return cell.strip()


def exported(cell: str) -> str:
    """Return a code from a table that may be one of ours, in which an apostrophe keeps it from being a formula."""
    return plain(cell.strip())


def text(cell: str) -> str:
    """Return the text of a cell; the space around it is padding."""
    return cell.strip()


def lowered(cell: str) -> str:
    """Return the name of a choice: "Full time" is "full_time"."""
    return "_".join(cell.strip().casefold().replace("-", " ").split())


def gender(cell: str) -> str:
    return GENDERS.get(cell.strip().casefold(), cell.strip())


def boolean(cell: str) -> bool:
    word = cell.strip().casefold()
    if word not in YES | NO:
        raise ValueError("The value is neither yes nor no.")
    return word in YES


def number(cell: str) -> str:
    written = cell.strip()
    if len(written) > NUMBER_LENGTH or not NUMBER.fullmatch(written):
        raise ValueError("This is not a number.")
    return written


def whole(cell: str) -> int:
    parsed = Decimal(number(cell))
    if parsed != parsed.to_integral_value() or abs(parsed) > 2**31:
        raise ValueError("This is not a whole number.")
    return int(parsed)


def day(cell: str) -> str:
    written = cell.strip()
    # Python reads "20260101" and weeks as well.
    with suppress(ValueError):
        if DAY.fullmatch(written):
            return date.fromisoformat(written).isoformat()
    raise ValueError("A date is written YYYY-MM-DD.")


def instant(cell: str) -> str:
    """Return an instant; a day stands for its beginning in UTC."""
    try:
        moment = datetime.fromisoformat(cell.strip())
    except ValueError:
        raise ValueError("An instant is written as in ISO 8601.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def moment(cell: str) -> str:
    """Return when something begins: an instant in UTC, a time of day there, or the day alone."""
    written = cell.strip()
    if DAY.fullmatch(written):
        return day(written)
    with suppress(ValueError, OverflowError):
        if MOMENT.fullmatch(written):
            found = datetime.fromisoformat(written)
            return (found.astimezone(UTC) if found.tzinfo else found).isoformat()
    raise ValueError("A beginning is written as in ISO 8601: 2026-10-05T09:00:00+02:00, or the day alone.")


def clock(cell: str) -> str:
    """Return a time of day: "14:30", "2:30 PM" and "02.30 pm" are the same."""
    match = CLOCK.fullmatch(cell.strip())
    hour = int(match["hour"]) if match else -1
    if match and match["half"]:
        is_valid = 1 <= hour <= NOON
        hour = hour % NOON + (NOON if match["half"].casefold() == "p" else 0) if is_valid else -1
    try:
        return time(hour, int(match["minute"]) if match else -1).isoformat("minutes")
    except ValueError:
        raise ValueError("A time of day is written HH:MM or HH:MM AM.") from None


def days(cell: str) -> list[int]:
    """Return ISO weekdays: "MWF", "TR", "Mon, Wed" and "1;3" are understood."""
    written = cell.strip()
    if written and all(letter in LETTERS for letter in written):
        found = [LETTERS[letter] for letter in written]
    else:
        found = [_weekday(part) for part in re.split(r"[\s,;/]+", written) if part]
    if not found or len(set(found)) < len(found):
        raise ValueError("Days are written like MWF, where R is Thursday and U is Sunday, or Mon, Wed, Fri.")
    return sorted(found)


def _weekday(part: str) -> int:
    if part in "1234567" and len(part) == 1:
        return int(part)
    found = NAMES.get(part[:3].casefold())
    if found is None:
        raise ValueError("Days are written like MWF, where R is Thursday and U is Sunday, or Mon, Wed, Fri.")
    return found


def several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]
