"""Pages of a list: by cursor, or numbered where a table shows numbers.

`?cursor=` pages cost the same everywhere and never count. `?page=` counts, and skips the rows before it.

Either finds the keys of a page first, and loads its rows from there. How many rows a search finds or
a caller sees is beyond what the database can estimate. Expecting many, it would read whole tables
for what belongs to them before it knows which few the page shows.
"""

import json
import re
from functools import partial
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from core.api import keyset
from core.api.counting import counted
from core.api.keyset import Cursor, Keyset
from core.api.responses import StandardResponse
from core.api.rows import Keys
from core.errors import DomainError, InvalidError, MissingError, raise_all

# They choose what is shown of the rows, not which rows: a cursor stays valid when they change.
PRESENTATION = frozenset({"cursor", "fields", "include", "page_size"})
NUMBER = re.compile(r"[1-9][0-9]*", re.ASCII)
# A page number with more digits lies beyond the end of any table.
MAX_DIGITS = 15


class InvalidPageSizeError(InvalidError):
    """`page_size` is no number from 1 to 200."""

    code = "invalid_page_size"
    title = "The page size is a whole number from 1 to 200."
    field = "page_size"


class InvalidPageError(InvalidError):
    """`page` is no number from 1 on."""

    code = "invalid_page"
    title = "A page is a whole number from 1 on."
    field = "page"


class PageWithCursorError(InvalidError):
    """`page` and `cursor` name two different places."""

    code = "page_with_cursor"
    title = "A page is named by its number or by a cursor, not by both."
    field = "page"


class PageNotFoundError(MissingError):
    """The list ends before the page."""

    code = "page_not_found"
    title = "There is no such page."
    field = "page"


class KeysetPagination(BasePagination):
    """Pages by cursor, or by number when `?page=` names one."""

    page_size: ClassVar[int] = 25
    max_page_size: ClassVar[int] = 200

    _links: dict[str, Any]

    def refusals(self, request: Request) -> list[DomainError]:
        """Return what is wrong with the parameters, without looking at the rows."""
        given = request.query_params
        errors: list[DomainError] = []
        if "page_size" in given and self._number(given["page_size"]) not in range(1, self.max_page_size + 1):
            errors.append(InvalidPageSizeError())
        if "page" in given and not self._number(given["page"]):
            errors.append(InvalidPageError())
        if "page" in given and "cursor" in given:
            errors.append(PageWithCursorError())
        return errors

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """Return the rows of the page that the request names, and remember where its neighbours are."""
        raise_all(self.refusals(request))
        self.size = self._number(request.query_params.get("page_size", "")) or self.page_size
        if "page" in request.query_params:
            return self._numbered(queryset, request, view, self._number(request.query_params["page"]))
        return self._by_cursor(queryset, request, view)

    def _by_cursor(self, queryset: QuerySet[Any], request: Request, view: Any) -> list[Any]:
        ordering = Keyset.of(queryset)
        question = self.question(ordering, request, view)
        token = request.query_params.get("cursor")
        cursor = None if token is None else keyset.loads(token, question)
        keys = Keys.after(queryset, ordering, cursor, self.size + 1)
        direction = ordering.reversed() if cursor is not None and cursor.backwards else ordering
        # The keys are of rows in sight, so that sight need not be asked for again.
        rows = view.rows.fetch(direction, keys)
        page = ordering.page(rows, cursor, self.size, partial(view.rows.key, ordering))
        here = request.get_full_path()

        def link(place: Cursor | None) -> str | None:
            return None if place is None else replace_query_param(here, "cursor", keyset.dumps(place, question))

        self._links = {"next": link(page.next), "previous": link(page.previous)}
        return page.rows

    def _numbered(self, queryset: QuerySet[Any], request: Request, view: Any, number: int) -> list[Any]:
        total = counted(queryset)
        pages = max(1, -(-total // self.size))
        if number > pages:
            raise PageNotFoundError(f"The last page is {pages}.", meta={"pages": pages})
        start = (number - 1) * self.size
        ordering = Keyset.of(queryset)
        keys = queryset.order_by(*ordering.names).values("pk")[start : start + self.size]
        here = request.get_full_path()
        self._links = {
            "next": replace_query_param(here, "page", str(number + 1)) if number < pages else None,
            "previous": replace_query_param(here, "page", str(number - 1)) if number > 1 else None,
            "total": total,
            "page": number,
            "pages": pages,
        }
        rows: list[Any] = view.rows.fetch(ordering, Keys(lambda: keys, keys.db))
        return rows

    def question(self, ordering: Keyset, request: Request, view: Any) -> str:
        """Return what a cursor is bound to: the path, the filters, the ordering and the caller.

        Of what everybody is shown alike, one page is remembered for them all, and so is its cursor.
        """
        asked = sorted((name, values) for name, values in request.query_params.lists() if name not in PRESENTATION)
        whose = None if view.is_everybodys else str(getattr(request.user, "pk", None))
        return json.dumps([request.path, asked, ordering.names, whose])

    def get_paginated_response(self, data: Any) -> Response:
        return StandardResponse.success(data, meta={"pagination": {**self._links, "page_size": self.size}})

    @staticmethod
    def _number(text: str) -> int:
        """Return a positive whole number, or 0 for anything else."""
        if not NUMBER.fullmatch(text):
            return 0
        return int(text) if len(text) <= MAX_DIGITS else 10**MAX_DIGITS
