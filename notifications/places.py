"""Where somebody is in what they were told: what they know already, so that nothing is missing or comes twice.

Rows become visible when their transactions commit, which is not the order in which they were written. So a place is
what the database calls a snapshot: which transactions had ended when somebody last read. What was told by any other is
new to them, however long ago it began, and nothing waits for transactions that take long.

One reading may bring several notifications, and break off after any of them. So each but the last has a place of its
own: where the reading began, where it ended, and how far it was sent.

A snapshot holds on one server and its replicas, as long as the numbers of transactions grow. One from before a dump was
loaded into another server says nothing there.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self
from uuid import UUID

# As much of a header as servers read, of which others need something.
LONGEST = 6000
FIRST_ID = UUID(int=0)
# Numbers of transactions have 64 bits, and the column that holds them has a sign.
END_OF_NUMBERS = 1 << 63


class NoPlaceError(ValueError):
    """The text is no place."""


@dataclass(frozen=True)
class Place:
    """After everything in the snapshot `known`.

    With a snapshot `until`, also after what stands in that one, up to the notification `row` of the transaction
    `number`.
    """

    known: str
    until: str = ""
    number: int = 0
    row: UUID = FIRST_ID

    def __str__(self) -> str:
        return f"{self.known}/{self.until}/{self.number}-{self.row.hex}" if self.until else self.known

    @property
    def end(self) -> int:
        """Return the number of the first transaction that had not begun."""
        return int((self.until or self.known).split(":")[1])

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that a text spells; raise `NoPlaceError`."""
        if len(text) > LONGEST:
            raise NoPlaceError
        known, *rest = text.split("/")
        _check(known)
        if not rest:
            return cls(known)
        try:
            until, last = rest
            number, row = last.split("-")
        except ValueError:
            raise NoPlaceError from None
        _check(until)
        return cls(known, until, _number(number), _id(row))


@dataclass(frozen=True)
class Told:
    """What an account was told since a place: rows, each with the place after it, and the place after all of them.

    `goes_on` says whether there is more to be read at once.
    """

    rows: list[tuple[Any, Place]]
    place: Place
    goes_on: bool


def _check(snapshot: str) -> None:
    """Refuse what the database would not read: the first that had not ended, the first of the future, those between."""
    first, _, rest = snapshot.partition(":")
    end, colon, between = rest.partition(":")
    numbers = [_number(first), *map(_number, between.split(",") if between else ()), _number(end)]
    if not colon or numbers[0] < 1 or numbers[0] > numbers[-1]:
        raise NoPlaceError
    open_ones = numbers[1:-1]
    is_within = all(numbers[0] <= each < numbers[-1] for each in open_ones)
    if not is_within or any(left >= right for left, right in pairwise(open_ones)):
        raise NoPlaceError


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(END_OF_NUMBERS)):
        raise NoPlaceError
    number = int(text)
    if number >= END_OF_NUMBERS or str(number) != text:
        raise NoPlaceError
    return number


def _id(text: str) -> UUID:
    try:
        row = UUID(text)
    except ValueError:
        raise NoPlaceError from None
    if row.hex != text:
        raise NoPlaceError
    return row
