"""Tables that those who see their rows may take away: which there are, and how each is read.

An app declares its own in its `exports.py`. A table of a few rows is streamed while its reader waits
(`core.api.tables`); one of any length is made by a worker. Both ask the same table, with the sight of whoever asks.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from django.db.models import Model, QuerySet
from django.utils.module_loading import autodiscover_modules

from core.errors import DomainError, InvalidError, raise_all
from core.recording import Disclosure
from core.search import refusal_of, search
from core.visibility import Actor, visible
from core.workbooks import MOST_ROWS

ModelT = TypeVar("ModelT", bound=Model)
Line = Sequence[Any]

CSV, XLSX = "csv", "xlsx"
FORMATS = ((CSV, "CSV"), (XLSX, "XLSX"))
# Rows of a table that is sent while its reader waits: a second or two of a web worker.
MOST_AT_ONCE = 10_000
# Rows of any table; what is longer is no longer made within the time of a task.
MOST = 2_000_000
WHERE = "/api/v1/exports/"


class UnknownFilterError(InvalidError):
    """The table cannot be narrowed by this."""

    code = "unknown_filter"
    title = "The table has no such filter."


class TooManyRowsError(InvalidError):
    """More is asked for than is sent while somebody waits."""

    code = "too_many_rows"
    title = f"At most {MOST_AT_ONCE:,} rows are sent while you wait; ask for fewer, or POST to {WHERE} for all of them."


class WorkbookTooLongError(InvalidError):
    """A sheet of a workbook holds no more."""

    code = "too_many_rows"
    title = f"A workbook has at most {MOST_ROWS - 1:,} rows; ask for CSV, or for fewer."
    field = "format"


class TableTooLongError(InvalidError):
    """Writing the table would take longer than anybody waits."""

    code = "too_many_rows"
    title = f"A table has at most {MOST:,} rows; ask for fewer, of fewer days for instance."
    field = "filters"


class Table(ABC, Generic[ModelT]):
    """A kind of table: of which rows, narrowed by what, for whom, and what its lines are.

    `permission` is what its readers hold, `filters` the class of the filters that its list has, and `discloses` says
    of whom showing it tells something: `subject` there is a path of the ORM.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    permission: ClassVar[str]
    queryset: QuerySet[ModelT]
    filters: ClassVar[Any]
    searchable: ClassVar[bool] = False
    discloses: ClassVar[Disclosure]

    @abstractmethod
    def batches(self, rows: QuerySet[ModelT], asked: Mapping[str, Any]) -> Iterator[Sequence[Line]]:
        """Yield the lines, the header first, some of which are read at a time.

        After each batch, which may be empty, whoever writes the table looks whether it is still wanted: what takes long
        and finds nothing yields an empty one now and then.
        """

    def lines(self, rows: QuerySet[ModelT], asked: Mapping[str, Any]) -> Iterator[Line]:
        """Yield the header and then the rows."""
        return chain.from_iterable(self.batches(rows, asked))

    @abstractmethod
    def facts(self, rows: QuerySet[ModelT], asked: Mapping[str, Any]) -> list[str]:
        """Return what is not the same any more when one of the cells is not."""

    def refuse(self, asked: Mapping[str, Any]) -> None:
        """Refuse what is narrowed too little to be anybody's table."""

    def read(self, given: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of filters as they are written in a URL; raise all that is wrong with them."""
        known = {*self.filters.base_filters, *(["search"] if self.searchable else [])}
        errors: list[DomainError] = [
            UnknownFilterError(f"There is no filter {name!r} here.", field=name) for name in given if name not in known
        ]
        asked, refused = self.filters.read(given)
        too_long = refusal_of(given.get("search", "")) if self.searchable else None
        raise_all([*errors, *refused, *([too_long] if too_long else [])])
        self.refuse(asked)
        found: dict[str, Any] = asked
        return found

    def rows(self, actor: Actor, given: Mapping[str, str]) -> QuerySet[ModelT]:
        """Return the rows that somebody sees now, narrowed."""
        found: QuerySet[ModelT] = self.filters(given, queryset=visible(self.queryset.all(), actor)).qs
        text = given.get("search", "") if self.searchable else ""
        return search(found, text) if text else found

    def size(self, rows: QuerySet[ModelT], *, most: int) -> int:
        """Return how many rows there are, counted no further than to one too many."""
        return rows.order_by()[: most + 1].count()

    def people(self, rows: QuerySet[ModelT]) -> list[UUID]:
        """Return whom rows are about, in a fixed order."""
        path = self.discloses.subject.replace(".", "__")
        return sorted(rows.order_by().values_list(path, flat=True).distinct())


_declared: dict[str, Table[Any]] = {}


def declare(table: type[Table[Any]]) -> type[Table[Any]]:
    """Let a table be taken away, under its name."""
    _declared[table.name] = table()
    return table


@cache
def tables() -> Mapping[str, Table[Any]]:
    """Return every table, by name."""
    autodiscover_modules("exports")
    return {name: _declared[name] for name in sorted(_declared)}


def require_length(number: int, *, written_as: str) -> None:
    """Refuse a table of more rows than a file of its format, or any file, is made of."""
    if written_as == XLSX and number >= MOST_ROWS:
        raise WorkbookTooLongError(meta={"rows": number})
    if number > MOST:
        raise TableTooLongError
