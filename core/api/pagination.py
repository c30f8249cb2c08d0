"""Pages of a list: by cursor, or numbered where a table shows numbers.

`?cursor=` pages cost the same everywhere and never count. `?page=` counts, and skips the rows before it.

Either finds the keys of a page first, and loads its rows from there. How many rows a search finds or
a caller sees is beyond what the database can estimate. Expecting many, it would read whole tables
for what belongs to them before it knows which few the page shows.
"""

import json
import re
from typing import Any, ClassVar

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import keyset
from core.api.counting import Count
from core.api.keyset import Keyset
from core.api.places import CursorPlace, NumberedPlace, Place
from core.api.responses import StandardResponse
from core.api.rows import Keys, Rows
from core.errors import DomainError, InvalidError, raise_all
from core.partitions import key_of

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


class KeysetPagination(BasePagination):
    """Pages by cursor, or by number when `?page=` names one."""

    page_size: ClassVar[int] = 25
    max_page_size: ClassVar[int] = 200

    # Where the page lies that was asked for.
    place: Place
    _said: dict[str, Any]

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
        size = self._number(request.query_params.get("page_size", "")) or self.page_size
        if "page" in request.query_params:
            return self._numbered(queryset, request, view, size)
        return self._by_cursor(queryset, request, view, size)

    def _by_cursor(self, queryset: QuerySet[Any], request: Request, view: Any, size: int) -> list[Any]:
        ordering = Keyset.of(queryset)
        question = self.question(ordering, request, view)
        token = request.query_params.get("cursor")
        cursor = None if token is None else keyset.loads(token, question)
        place = CursorPlace(ordering, cursor, size, question, request.get_full_path())
        keys = Keys.after(queryset, ordering, cursor, size + 1)
        return self._made(place, view.rows, view.rows.fetch(place.direction, keys))

    def _numbered(self, queryset: QuerySet[Any], request: Request, view: Any, size: int) -> list[Any]:
        number = self._number(request.query_params["page"])
        place = NumberedPlace(Count(queryset), number, size, request.get_full_path()).again()
        ordering = Keyset.of(queryset)
        keys = queryset.order_by(*ordering.names).values(*key_of(queryset.model))[place.start : place.start + size]
        return self._made(place, view.rows, view.rows.fetch(ordering, Keys(lambda: keys, keys.db)))

    def _made(self, place: Place, rows: Rows, found: list[Any]) -> list[Any]:
        # The keys are of rows in sight, so that sight need not be asked for again.
        self.place = place
        page, self._said = place.page(found, rows.key)
        return page

    def question(self, ordering: Keyset, request: Request, view: Any) -> str:
        """Return what a cursor is bound to: the path, the filters, the ordering and the caller.

        Of what everybody is shown alike, one page is remembered for them all, and so is its cursor.
        """
        asked = sorted((name, values) for name, values in request.query_params.lists() if name not in PRESENTATION)
        whose = None if view.is_everybodys else str(getattr(request.user, "pk", None))
        return json.dumps([request.path, asked, ordering.names, whose])

    def get_paginated_response(self, data: Any) -> Response:
        return StandardResponse.success(data, meta={"pagination": self._said})

    @staticmethod
    def _number(text: str) -> int:
        """Return a positive whole number, or 0 for anything else."""
        if not NUMBER.fullmatch(text):
            return 0
        return int(text) if len(text) <= MAX_DIGITS else 10**MAX_DIGITS
