"""Where in a list a page lies: after a cursor's key, or so many pages from the beginning.

A place is settled once for a question. It makes the page of what was found there, and says where its neighbours are.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

from rest_framework.utils.urls import replace_query_param

from core.api import keyset
from core.api.counting import Count
from core.api.keyset import Cursor, Keyset
from core.errors import MissingError

Key = Callable[[Keyset, Any], tuple[Any, ...]]


class PageNotFoundError(MissingError):
    """The list ends before the page."""

    code = "page_not_found"
    title = "There is no such page."
    field = "page"


class Place(Protocol):
    """Where a page lies."""

    @property
    def tags(self) -> Sequence[str]:
        """Return what is asked of the generations to make the page."""

    def again(self) -> "Place":
        """Return the same place in the list as it is now; raise `PageNotFoundError` if it is gone."""

    def page(self, found: Sequence[Any], key: Key) -> tuple[list[Any], dict[str, Any]]:
        """Return the rows of the page, of what was found, and what `meta.pagination` says of it.

        `key` tells where in an ordering a row stands.
        """


@dataclass(frozen=True)
class CursorPlace:
    """From a cursor on; the beginning without one. `here` is the path with its query."""

    ordering: Keyset
    cursor: Cursor | None
    size: int
    question: str
    here: str
    tags: Sequence[str] = ()

    @property
    def direction(self) -> Keyset:
        """In which order the rows are read."""
        return self.ordering.reversed() if self.cursor is not None and self.cursor.backwards else self.ordering

    def again(self) -> Self:
        return self

    def page(self, found: Sequence[Any], key: Key) -> tuple[list[Any], dict[str, Any]]:
        page = self.ordering.page(found, self.cursor, self.size, lambda row: key(self.ordering, row))
        return page.rows, {"next": self._link(page.next), "previous": self._link(page.previous), "page_size": self.size}

    def _link(self, place: Cursor | None) -> str | None:
        if place is None:
            return None
        return replace_query_param(self.here, "cursor", keyset.dumps(place, self.question))


@dataclass(frozen=True)
class NumberedPlace:
    """The page with a number of a list that has so many rows."""

    count: Count
    number: int
    size: int
    here: str
    total: int = 0

    @property
    def tags(self) -> Sequence[str]:
        return self.count.tags or ()

    @property
    def start(self) -> int:
        """How many rows come before it."""
        return (self.number - 1) * self.size

    def again(self) -> Self:
        place = replace(self, total=self.count.now())
        if place.number > place._pages:
            raise PageNotFoundError(f"The last page is {place._pages}.", meta={"pages": place._pages})
        return place

    def page(self, found: Sequence[Any], key: Key) -> tuple[list[Any], dict[str, Any]]:
        return list(found), {
            "next": self._link(self.number + 1) if self.number < self._pages else None,
            "previous": self._link(self.number - 1) if self.number > 1 else None,
            "total": self.total,
            "page": self.number,
            "pages": self._pages,
            "page_size": self.size,
        }

    @property
    def _pages(self) -> int:
        return max(1, -(-self.total // self.size))

    def _link(self, number: int) -> str:
        return replace_query_param(self.here, "page", str(number))
