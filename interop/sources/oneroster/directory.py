"""What a package that only brings changes has to ask about what earlier packages brought."""

from collections.abc import Collection, Iterable
from typing import Protocol

SCHEME = "oneroster"


class Directory(Protocol):
    """Answers from the records; ids are the `sourcedId`s of OneRoster."""

    def known(self, file: str, ids: Iterable[str]) -> set[str]:
        """Return those of the ids of a file's kind that earlier packages brought."""
        ...

    def years(self, ids: Iterable[str]) -> set[str]:
        """Return those of the ids that are academic years here."""
        ...

    def absent(self, file: str, ids: Collection[str]) -> int:
        """Return how many rows of a file's kind earlier packages brought that are not among the ids."""
        ...

    def parts(self, user_ids: Iterable[str]) -> dict[str, set[str]]:
        """Return what each user is here already: "students", "faculty" or both."""
        ...

    def instructors(self, class_ids: Iterable[str]) -> dict[str, list[dict[str, str]]]:
        """Return who teaches each class: `{"faculty": employee number, "user": id or "", "role": …}`."""
        ...
