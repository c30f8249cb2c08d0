"""What changes academic years, terms, and what the calendar says of single days."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import transaction
from django.db.models import Func, Max, Min

from core import crud
from core.db.locks import lock_named, named_lock_shared
from core.errors import ConflictError, DomainError, raise_all
from core.events import publish
from core.steps import Steps
from core.visibility import Actor
from departments.events import CalendarChanged, TermMoved
from departments.models import AcademicYear, CalendarEvent, Campus, Term, TermState, TermStateEvent

# A term moves forward step by step; one step back is allowed until it is closed.
TRANSITIONS: dict[str, set[str]] = {
    TermState.PLANNED: {TermState.REGISTRATION},
    TermState.REGISTRATION: {TermState.PLANNED, TermState.IN_PROGRESS},
    TermState.IN_PROGRESS: {TermState.REGISTRATION, TermState.GRADING},
    TermState.GRADING: {TermState.IN_PROGRESS, TermState.CLOSED},
    TermState.CLOSED: {TermState.ARCHIVED},
    TermState.ARCHIVED: set(),
}

# Names the locks on the states of terms.
STATE = "departments.term.state"


class AcademicYearValues(TypedDict, total=False):
    code: str
    name: str
    starts_on: date
    ends_on: date


class TermValues(TypedDict, total=False):
    academic_year: AcademicYear
    code: str
    name: str
    starts_on: date
    ends_on: date


class CalendarEventValues(TypedDict, total=False):
    name: str
    kind: str
    campus: Campus | None
    starts_on: date
    ends_on: date
    taught_as: int | None


class TransitionError(ConflictError):
    """The term cannot go from its state to the one asked for."""

    code = "illegal_transition"
    title = "The term cannot move to this state."
    field = "state"


class OutsideAcademicYearError(ConflictError):
    """A term would begin before its academic year, or end after it."""

    code = "outside_academic_year"
    title = "A term lies within its academic year."
    field = "academic_year"


class TermsOutsideYearError(ConflictError):
    """An academic year would begin after one of its terms, or end before it."""

    code = "terms_outside_year"
    title = "An academic year holds all of its terms."


STEPS = Steps("A term that is", TRANSITIONS, TransitionError, TermStateEvent, "term", field="state")


def create_academic_year(*, by: Actor | None, **values: Unpack[AcademicYearValues]) -> AcademicYear:
    """Add an academic year; refused with `code_taken` or `ends_before_start`."""
    return crud.create(AcademicYear, values)


def update_academic_year(
    year: AcademicYear, *, by: Actor | None, **changes: Unpack[AcademicYearValues]
) -> AcademicYear:
    """Change an academic year; refused with `terms_outside_year` when a term would no longer lie within it."""
    raise_all(_left_out(year, changes))
    return crud.update(year, changes)


def lock_academic_years(ids: Iterable[UUID]) -> None:
    """Lock years by id, before terms in them are written: the database looks at each year as it writes a term."""
    years = AcademicYear.objects.filter(pk__in=set(ids)).order_by("pk")
    list(years.select_for_update(no_key=True).values_list("pk"))


def delete_academic_year(year: AcademicYear, *, by: Actor | None) -> None:
    """Delete an academic year without terms; refused with `in_use` otherwise."""
    crud.delete(year)


def create_term(*, by: Actor | None, **values: Unpack[TermValues]) -> Term:
    """Plan a term; refused with `code_taken`, `ends_before_start` or `outside_academic_year`."""
    raise_all(_outside(values))
    return crud.create(Term, values)


def update_term(term: Term, *, by: Actor | None, **changes: Unpack[TermValues]) -> Term:
    """Change a term's name, dates or year; its state changes by `move_term` alone.

    Refused with `outside_academic_year`.
    """
    if changes.keys() & {"academic_year", "starts_on", "ends_on"}:
        present = {"academic_year": term.academic_year, "starts_on": term.starts_on, "ends_on": term.ends_on}
        raise_all(_outside({**present, **changes}))
    return crud.update(term, changes)


def days_outside(code: str, year: tuple[date, date], days: Mapping[str, date]) -> list[DomainError]:
    """Return what is wrong with the days of a term in an academic year of this code, first and last day."""
    detail = f"The academic year {code} lasts from {year[0]} to {year[1]}."
    meta = {"academic_year": code, "starts_on": str(year[0]), "ends_on": str(year[1])}
    return [
        OutsideAcademicYearError(detail, field=name, meta=meta)
        for name, day in days.items()
        if not year[0] <= day <= year[1]
    ]


def _outside(term: Mapping[str, Any]) -> list[DomainError]:
    """Say which days of a term its year does not have; what is missing is said elsewhere."""
    year = term.get("academic_year")
    days = {name: term[name] for name in ("starts_on", "ends_on") if term.get(name) is not None}
    return [] if year is None else days_outside(year.code, (year.starts_on, year.ends_on), days)


def _left_out(year: AcademicYear, changes: Mapping[str, Any]) -> list[DomainError]:
    """Say by which of its new days an academic year would leave terms out."""
    starts_on, ends_on = changes.get("starts_on"), changes.get("ends_on")
    begins_later = starts_on is not None and starts_on > year.starts_on
    ends_earlier = ends_on is not None and ends_on < year.ends_on
    if not (begins_later or ends_earlier):
        return []
    taught = Term.objects.filter(academic_year=year).aggregate(first_day=Min("starts_on"), last_day=Max("ends_on"))
    if taught["first_day"] is None:
        return []
    detail = f"The terms of the year last from {taught['first_day']} to {taught['last_day']}."
    meta = {"first_day": str(taught["first_day"]), "last_day": str(taught["last_day"])}
    found = []
    if begins_later and starts_on > taught["first_day"]:
        found.append("starts_on")
    if ends_earlier and ends_on < taught["last_day"]:
        found.append("ends_on")
    return [TermsOutsideYearError(detail, field=name, meta=meta) for name in found]


def delete_term(term: Term, *, by: Actor | None) -> None:
    """Delete a term without sections; refused with `in_use` otherwise."""
    crud.delete(term)


@transaction.atomic
def create_calendar_event(*, by: Actor | None, **values: Unpack[CalendarEventValues]) -> CalendarEvent:
    """Say of some days that they are not as usual.

    Refused with `ends_before_start`, `weekday_of_make_up`, `make_up_is_one_day` or `make_up_day_taken`.
    """
    event = crud.create(CalendarEvent, values)
    publish(_said(event))
    return event


@transaction.atomic
def update_calendar_event(
    event: CalendarEvent, *, by: Actor | None, **changes: Unpack[CalendarEventValues]
) -> CalendarEvent:
    """Change what is said of some days; refused as when it was said."""
    before = _said(event)
    crud.update(event, changes)
    for said in dict.fromkeys((before, _said(event))):
        publish(said)
    return event


@transaction.atomic
def delete_calendar_event(event: CalendarEvent, *, by: Actor | None) -> None:
    """Let the days be as usual again."""
    before = _said(event)
    crud.delete(event)
    publish(before)


def _said(event: CalendarEvent) -> CalendarChanged:
    """Return the announcement of what the calendar says of some days."""
    return CalendarChanged(
        calendar_event_id=event.pk, kind=event.kind, campus_id=event.campus_id, starts_on=event.starts_on.isoformat(),
        ends_on=event.ends_on.isoformat(), taught_as=event.taught_as,
    )  # fmt: skip


@transaction.atomic
def move_term(term: Term, *, state: str, by: Actor | None, at: datetime, reason: str = "") -> Term:
    """Move a term to another state and announce it; refused with `illegal_transition`.

    Waits for everybody who keeps the term in its state, and lets nobody rely on it until it is moved.
    """
    lock_named(STATE, str(term.pk))
    before = STEPS.take(term, state, by=by, at=at, reason=reason)
    publish(TermMoved(term_id=term.pk, from_state=before, to_state=state, happened_at=at))
    return term


def term_state_kept(column: str = "term_id") -> Func:
    """Return an expression that keeps the term in `column` in its state until the transaction ends.

    Any number may keep a term at once; they wait for `move_term` alone, which waits for all of them.
    """
    return named_lock_shared(STATE, column)
