"""Reading `expectations.yaml`, whose first lines say what its cells mean."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests.authorization.cast import UNIDENTIFIED
from tests.authorization.world import ARCHIVED, MISSING, OTHER, OWN

if TYPE_CHECKING:
    from tests.authorization.matrix import Operation

FILE = Path(__file__).with_name("expectations.yaml")
ROWS = {"all": (OWN, OTHER, ARCHIVED), "own": (OWN, ARCHIVED), "current": (OWN, OTHER), "own current": (OWN,),
        "archived": (ARCHIVED,), "none": ()}  # fmt: skip

# Members whose own names are data.
OPAQUE = ("changes", "custom_fields", "detail", "expr", "raw", "values")


@dataclass(frozen=True)
class Cell:
    """What one actor gets from one operation: a status for each row, or the rows of a list."""

    statuses: tuple[int, ...]
    rows: str | None = None
    is_refused: bool = False

    def _outcome(self, target: str) -> int:
        if self.is_refused:
            return self.statuses[0]
        if target == MISSING:
            return 404
        if target == ARCHIVED:
            return self.statuses[2] if len(self.statuses) > 2 else self.statuses[0]
        return self.statuses[-1 if len(self.statuses) == 1 else target == OTHER]

    def is_empty(self, target: str) -> bool:
        """Say whether the list below a row is expected to show nothing: 0 in the file."""
        return not self.is_refused and self._outcome(target) == 0

    def status(self, target: str) -> int:
        return self._outcome(target) or 200

    def shows(self, target: str) -> bool:
        return target in ROWS[self.rows or "none"]


REFUSED = Cell((403,), is_refused=True)
UNKNOWN = Cell((401,), is_refused=True)


@dataclass(frozen=True)
class Line:
    """What everybody gets from one operation."""

    cells: dict[str, Cell]
    is_public: bool

    def cell(self, actor: str) -> Cell:
        return self.cells.get(actor, UNKNOWN if actor in UNIDENTIFIED and not self.is_public else REFUSED)


class Expectations:
    """The reviewed file."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.groups: dict[str, list[str]] = content["groups"]
        self.resources: dict[str, dict[str, Any]] = content["resources"]
        self.readable: dict[str, Any] = content["readable"]
        self.protected: dict[str, Any] = content["protected"]

    def line(self, operation: "Operation") -> Line:
        """Return what is expected of an operation; says what to add where nothing is."""
        resource, key = address(operation)
        for keys, cells in self.resources.get(resource, {}).items():
            methods, _, suffixes = keys.partition(" ")
            if operation.method in methods.split("|") and key in suffixes.split("|"):
                return self._line(cells)
        raise AssertionError(
            f"Nobody has said who may {operation}: add `{operation.method}{' ' * bool(key)}{key}: {{…}}` below "
            f"`{resource}:` in tests/authorization/expectations.yaml; everybody whom it does not name is refused."
        )

    def lines(self) -> Iterator[tuple[str, str, str]]:
        """Yield (resource, method, suffix) of every line."""
        for resource, lines in self.resources.items():
            for keys in lines:
                methods, _, suffixes = keys.partition(" ")
                yield from ((resource, method, key) for method in methods.split("|") for key in suffixes.split("|"))

    def _line(self, cells: dict[str, Any]) -> Line:
        found: dict[str, Cell] = {}
        for outcome, names in cells.items():
            for actor in self.members(names):
                if actor in found:
                    raise AssertionError(f"{actor} stands twice in {cells}.")
                found[actor] = cell_of(str(outcome))
        return Line(found, is_public=any(name in found for name in UNIDENTIFIED))

    def members(self, names: Any) -> list[str]:
        """Return the actors that a list of actors and groups names."""
        listed = names if isinstance(names, list) else [names]
        return [
            actor for name in listed for actor in (self.members(self.groups[name]) if name in self.groups else [name])
        ]

    def unreadable(self, operation: "Operation", actor: str, data: Any, where: str) -> Iterator[str]:
        """Say which names of an answer the actor may not read."""
        place = operation.place
        listed = next((names for places, names in self.readable.items() if place in places.split(", ")), None)
        if listed is None:
            yield f"Nobody has said what {where} shows: add `{place}: {' '.join(sorted(dotted(data)))}` to `readable:`."
            return
        unknown = dotted(data) - set(listed.split())
        if unknown:
            yield f"{where} shows {', '.join(sorted(unknown))}, which `readable: {place}:` does not name"
        for names, actors in self.protected.get(place, {}).items():
            rows = data if isinstance(data, list) else [data]
            told = {name for name in names.split() for row in rows if value_at(row, name) not in (None, "")}
            if told and actor not in self.members(actors):
                yield f"{where} tells {actor} {', '.join(sorted(told))}, which `protected: {place}:` keeps from them"
            kept = set(names.split()) - told
            # The other student and the other instructor are told of themselves, which is neither row.
            is_own = where.endswith("of the own row") and not actor.startswith("other_")
            if kept and is_own and actor in self.members(actors) and operation.method == "GET":
                yield f"{where} keeps {', '.join(sorted(kept))} from {actor}, whom `protected: {place}:` lets know"


def value_at(row: Any, path: str) -> Any:
    """Return what stands in a row under a name, with dots into what is nested."""
    for name in path.split("."):
        row = row.get(name) if isinstance(row, dict) else None
    return row


def cell_of(outcome: str) -> Cell:
    """Read `200/404` or the rows of a list."""
    if outcome in ROWS:
        return Cell((200,), rows=outcome)
    return Cell(tuple(int(status) for status in outcome.split("/")))


def address(operation: "Operation") -> tuple[str, str]:
    """Return the resource of an operation and the rest of its path."""
    resource, _, rest = str(operation.route).partition("/")
    return resource, rest.removesuffix("/")


def dotted(data: Any, prefix: str = "") -> set[str]:
    """Return the names in an answer, nested ones with dots; rows of lists count as one."""
    if isinstance(data, list):
        return set().union(*(dotted(each, prefix) for each in data)) if data else set()
    if not isinstance(data, dict) or (prefix and prefix.removesuffix(".").endswith(OPAQUE)):
        return {prefix.removesuffix(".")} if prefix else set()
    names = [dotted(value, f"{prefix}{name}.") or {f"{prefix}{name}"} for name, value in data.items()]
    return set().union(*names) if names else set()


@cache
def reviewed() -> Expectations:
    """Return the expectations."""
    return Expectations(yaml.safe_load(FILE.read_text()))
