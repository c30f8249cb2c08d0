"""What decides about admission for a whole term: asked for at once, and carried on by a worker some sections at a time.

Some sections are decided about in one transaction together with the note of how far the run has come. So a run that is
killed goes on where it stopped, two workers at one run take turns, and however long the term is, what is held in memory
and locked is a thousand students.
"""

import time
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.models import User
from attendance.events import TermDecided, TermDecisionRequested
from attendance.models import DecisionRun, Eligibility, RunState, Standing
from attendance.services.eligibility import EXAMINED, Decided, decide_eligibility
from core import crud
from core.errors import DomainError, InvalidError, OutOfScopeError
from core.events import publish
from core.visibility import Actor, visible
from courses.models import Course, Section
from departments.models import Department, Term
from departments.selectors import below
from enrollment.models import Enrollment
from students.selectors import in_person

# So many students are decided about at a time, unless one section has more; of so many sections it is looked how many.
BATCH = 1_000
LOOKED_AT = 200


class NothingTaughtError(InvalidError):
    """There is nothing to decide about."""

    code = "no_sections"
    title = "Nothing is taught there in this term."
    field = "term"


@transaction.atomic
def request_decisions(
    *,
    by: Actor | None,
    term: Term,
    department: Department | None = None,
    course: Course | None = None,
    is_dry_run: bool = False,
) -> DecisionRun:
    """Let a worker decide about everybody who is examined in a term, or in a department or course of it.

    Refused with `out_of_scope` unless the caller decides about everybody there, `no_sections` or `several_scopes`.
    """
    run = DecisionRun(term=term, department=department, course=course)
    _require_in_charge(_sections(run), by)
    left_out = _own(run, by).count()
    values = {
        "term": term, "department": department, "course": course, "is_dry_run": is_dry_run, "requested_by": by,
        "sections_total": _sections(run).count() - left_out, "sections_left_out": left_out,
    }  # fmt: skip
    if not values["sections_total"]:
        raise NothingTaughtError
    made = crud.create(DecisionRun, values)
    publish(TermDecisionRequested(run_id=made.pk))
    return made


def carry_on(run_id: UUID, *, until: float) -> bool:
    """Take a run further until it is over, or until a reading of the monotonic clock; say whether anything is left.

    What refuses to go on is put on record with the run.
    """
    try:
        while decide_next(run_id, at=timezone.now()):
            if time.monotonic() >= until:
                return True
    except DomainError as refused:
        fail_run(run_id, at=timezone.now(), code=refused.violations[0].error_code)
    return False


@transaction.atomic
def decide_next(run_id: UUID, *, at: datetime) -> bool:
    """Decide about the next sections of a run, and say whether there was anything to decide.

    In as many statements for a thousand students as for one. Refused as `request_decisions`, since a role may have
    ended, and with `self_approval`.
    """
    run = _held(run_id)
    if run is None:
        return False
    by = _requester(run)
    sections = _next(run, by)
    if not sections:
        crud.update(run, {"state": RunState.DONE, "finished_at": at})
        publish(TermDecided(run_id=run.pk, term_id=run.term_id, made=run.made, happened_at=at))
        return False
    _require_in_charge(Section.objects.filter(pk__in=sections), by)
    decided = decide_eligibility(sections, by=by, at=at, is_dry_run=run.is_dry_run)
    crud.update(run, {"state": RunState.RUNNING, "position": sections[-1], **_added(run, decided, len(sections))})
    return True


@transaction.atomic
def fail_run(run_id: UUID, *, at: datetime, code: str) -> None:
    """Put on record that a run broke off, and why; what it has decided stays."""
    run = _held(run_id)
    if run is not None:
        crud.update(run, {"state": RunState.FAILED, "failure": code, "finished_at": at})


def _held(run_id: UUID) -> DecisionRun | None:
    """Lock a run that is not over yet."""
    rows = DecisionRun.objects.select_for_update(of=("self",), no_key=True)
    return rows.filter(pk=run_id, finished_at=None).first()


def _requester(run: DecisionRun) -> User | None:
    """Return who asked for a run, with the roles held now; a command has no account."""
    if run.requested_by_id is None:
        return None
    user = User.objects.with_assignments().filter(pk=run.requested_by_id, is_active=True).first()
    if user is None:
        raise OutOfScopeError("Whoever asked for this no longer has an account.")
    return user


def _sections(run: DecisionRun) -> QuerySet[Section]:
    rows = Section.objects.filter(term=run.term_id)
    if run.course_id:
        rows = rows.filter(course=run.course_id)
    if run.department_id:
        rows = rows.filter(course__in=Course.objects.filter(below([run.department_id])).values("pk"))
    return rows


def _own(run: DecisionRun, by: Actor | None) -> QuerySet[Section]:
    """Return the sections in which whoever asks is enrolled, about which they do not decide."""
    taken = Enrollment.objects.filter(term=run.term_id, status__in=EXAMINED, student__in=list(in_person(by)))
    return _sections(run).filter(pk__in=taken.values("section"))


def _require_in_charge(sections: QuerySet[Section], by: Actor | None) -> None:
    """Refuse whoever does not decide about everybody in these sections."""
    if by is None:
        return
    theirs = visible(Standing.objects.all(), by, to="manage")
    if theirs.query.is_empty():
        raise OutOfScopeError
    enrolled = Standing.objects.filter(section__in=sections.values("pk"))
    if theirs.query.where and enrolled.exclude(pk__in=theirs.values("pk")).exists():
        raise OutOfScopeError


def _next(run: DecisionRun, by: Actor | None) -> list[UUID]:
    """Return the sections that come next, with as many students together as are decided about at a time."""
    rows = _sections(run).exclude(pk__in=_own(run, by).values("pk")).order_by("pk")
    if run.position is not None:
        rows = rows.filter(pk__gt=run.position)
    found = list(rows.values_list("pk", flat=True)[:LOOKED_AT])
    students = dict(
        Enrollment.objects.filter(section__in=found, status__in=EXAMINED)
        .order_by()
        .values_list("section")
        .annotate(number=Count("pk"))
    )
    chosen: list[UUID] = []
    together = 0
    for section in found:
        together += students.get(section, 0)
        if chosen and together > BATCH:
            break
        chosen.append(section)
    return chosen


def _added(run: DecisionRun, decided: Decided, sections: int) -> dict[str, Any]:
    """Return the counts of a run with what has just been decided."""
    counts = {**decided.outcomes, "made": decided.made, "unchanged": decided.unchanged, "unmarked": decided.unmarked}
    names = (*Eligibility.values, "made", "unchanged", "unmarked")
    # A section that was added meanwhile is decided about as well.
    done = run.sections_done + sections
    progress = {"sections_done": done, "sections_total": max(run.sections_total, done)}
    return {**{name: getattr(run, name) + counts[name] for name in names}, **progress}
