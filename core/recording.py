"""What the foundation tells whoever keeps the record: what was disclosed of whom, and what was refused.

The foundation knows neither who keeps it nor how. An app appoints itself; without one, nothing that has to be on
record is done.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Protocol
from uuid import UUID

from django.core.exceptions import ImproperlyConfigured

# The order of UUIDs, without asking each of two for its class.
BY_NUMBER = attrgetter("int")


@dataclass(frozen=True)
class Disclosure:
    """That showing rows of a resource discloses something of a person.

    `what` names the record; `subject` is the dotted path from a row, as its reader loads it, to the person's id;
    `permission` is what lets people see rows of others where the action itself is open to everybody who is logged in.
    Where no path leads to a person, `behind` returns the people by all that `subject` leads to, in a fixed number of
    queries.
    """

    what: str
    subject: str
    permission: str = ""
    behind: Callable[[Collection[Any]], Collection[UUID]] | None = None

    def subjects(self, rows: Collection[Any]) -> list[UUID]:
        """Return whose records the rows are, each once, in a fixed order."""
        return self.people(map(attrgetter(self.subject), rows))

    def people(self, found: Iterable[Any]) -> list[UUID]:
        """Return the people by what `subject` leads to from rows, each once, in a fixed order; empty is nobody's."""
        keys = set(found) - {None}
        people = keys if self.behind is None or not keys else set(self.behind(keys))
        return sorted(people, key=BY_NUMBER)


class Recorder(Protocol):
    """Keeps the record."""

    def disclosed(self, *, what: str, subjects: Collection[UUID], to: Any, permission: str, route: str) -> None:
        """Put on record that `to` was shown the records of people by a permission; raise if that is impossible.

        Without anybody it was whoever runs the system, by a command.
        """

    def denied(self, *, code: str, route: str) -> None:
        """Put on record that a request was refused because it was not the caller's to make."""

    def administered(self, *, action: str, subject: Any) -> None:
        """Put on record what somebody did with a row, or with a kind of row, on the administration pages."""


_appointed: list[Recorder] = []


def appoint(recorder: Recorder) -> None:
    """Let `recorder` keep the record from now on."""
    _appointed[:] = [recorder]


def recorder() -> Recorder:
    """Return who keeps the record."""
    if not _appointed:
        raise ImproperlyConfigured("Nobody keeps the record: no app has appointed itself.")
    return _appointed[0]
