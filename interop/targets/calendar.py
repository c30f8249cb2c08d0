"""Academic years and terms as places that records go to.

A term lies within its year. A file that says of both how long they are and contradicts itself is not believed: the
term is refused, since nobody but its author knows which of the two is wrong. A year is not cut shorter than the terms
it has, which are read after it: it goes on holding them, and is as short as the file says the next time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from departments.models import AcademicYear, Term, TermState
from departments.services import days_outside
from interop.faults import Fault
from interop.models import ImportAction, ImportJob, ImportRow
from interop.targets.items import Item
from interop.targets.structure import StructureTarget
from interop.targets.values import PENDING, Value

HOLDS_TERMS = "holds_its_terms"
DAYS = ("starts_on", "ends_on")


def years_with_terms() -> QuerySet[Any]:
    """Return the academic years, each with the first day of its terms and the last one."""
    terms = Term.objects.filter(academic_year=OuterRef("pk"))
    return AcademicYear.objects.annotate(
        first_taught=Subquery(terms.order_by("starts_on").values("starts_on")[:1]),
        last_taught=Subquery(terms.order_by("-ends_on").values("ends_on")[:1]),
    )


class AcademicYears(StructureTarget):
    resource = "academic-years"
    model = AcademicYear
    key_paths = ("code",)
    values = (Value("code"), Value("name"), Value("starts_on", "date"), Value("ends_on", "date"))

    def queryset(self) -> QuerySet[Any]:
        return years_with_terms()

    def normalise(self, item: Item) -> None:
        if item.row is None or item.row.first_taught is None:
            return
        starts_on, ends_on = item.values.get("starts_on"), item.values.get("ends_on")
        if starts_on is not None and starts_on > item.row.first_taught:
            _hold(item, "starts_on", item.row.first_taught, "begins on that day")
        if ends_on is not None and ends_on < item.row.last_taught:
            _hold(item, "ends_on", item.row.last_taught, "ends on that day")


def _hold(item: Item, name: str, day: date, how: str) -> None:
    """Let a year begin or end on the day that one of its terms does, and say so."""
    item.values[name] = day
    # What the preview noted is read again when the row is written.
    if all((note.code, note.field) != (HOLDS_TERMS, name) for note in item.record.notes):
        item.record.notes.append(Fault(HOLDS_TERMS, f"{day}: a term of the year {how}, and so does the year.", name))


class Terms(StructureTarget):
    """Terms; one that is over when it is first heard of is closed from the beginning."""

    resource = "terms"
    model = Term
    key_paths = ("code",)
    values: ClassVar = (
        Value("academic_year", "ref", to="academic-years"),
        Value("code"),
        Value("name"),
        Value("starts_on", "date"),
        Value("ends_on", "date"),
        Value("state", fixed=True),
    )

    def queryset(self) -> QuerySet[Any]:
        return Term.objects.select_related("academic_year")

    def forecast(self, items: Sequence[Item]) -> None:
        years = _YearsToBe(self.job, items)
        for item in items:
            year = years.of(item)
            if year is not None:
                days = {name: day for name in DAYS if (day := _wanted(item, name)) is not None}
                item.refuse_all([Fault.of(error)[0] for error in days_outside(year.code, year.span, days)])

    def create(self, items: Sequence[Item]) -> None:
        today = timezone.localdate()
        for item in items:
            ends_on = item.values.get("ends_on") or item.initial.get("ends_on")
            if ends_on is not None and ends_on < today:
                item.initial.setdefault("state", TermState.CLOSED)
        super().create(items)


def _wanted(item: Item, name: str) -> Any:
    """Return what a row is going to hold once an item is written."""
    if item.row is None:
        return item.new_values.get(name)
    return item.values[name] if name in item.changes else getattr(item.row, name)


@dataclass(frozen=True, slots=True)
class _Year:
    code: str
    span: tuple[date, date]


class _YearsToBe:
    """How long the academic years of terms are going to be when the terms are written, which years precede."""

    def __init__(self, job: ImportJob, items: Sequence[Item]) -> None:
        staged = ImportRow.objects.filter(job=job, resource=AcademicYears.resource)
        self._made: dict[str, _Year] = {}
        said: dict[Any, dict[str, Any]] = {}
        for row in staged.filter(action__in=(ImportAction.CREATE, ImportAction.UPDATE)):
            if row.action == ImportAction.CREATE:
                year = _year_made(row)
                self._made |= {f"={row.natural_key}": year, f"@{row.external_id}": year}
            else:
                stays = {reason["field"] for reason in row.reasons}
                said[row.object_id] = {name: value for name, value in row.values.items() if value and name not in stays}
        named = {pk for item in items if isinstance(pk := _wanted(item, "academic_year"), UUID)}
        kept = {item.row.academic_year_id for item in items if item.row is not None}
        years = years_with_terms().filter(pk__in=named | kept)
        self._known = {year.pk: _year_changed(year, said.get(year.pk, {})) for year in years}

    def of(self, item: Item) -> _Year | None:
        """Return the year of a term; None when nobody knows it, which is said elsewhere."""
        year = _wanted(item, "academic_year")
        if year is PENDING:
            given = item.record.values.get("academic_year", item.record.initial.get("academic_year"))
            return self._made.get(f"@{given['external']}" if isinstance(given, dict) else f"={given}")
        return self._known.get(getattr(year, "pk", year))


def _year_made(row: ImportRow) -> _Year:
    values = {**row.initial, **row.values}
    return _Year(values["code"], (date.fromisoformat(values["starts_on"]), date.fromisoformat(values["ends_on"])))


def _year_changed(year: Any, said: Mapping[str, str]) -> _Year:
    """Return a year as it will be: what is said of it, but no shorter than the terms that it has."""
    first = date.fromisoformat(said["starts_on"]) if "starts_on" in said else year.starts_on
    last = date.fromisoformat(said["ends_on"]) if "ends_on" in said else year.ends_on
    return _Year(year.code, (min(first, year.first_taught or first), max(last, year.last_taught or last)))
