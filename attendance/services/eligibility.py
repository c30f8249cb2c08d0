"""What decides who may sit the examination by attendance, and whose shortage is condoned.

A decision is made of what the one calculator says at that moment, and keeps it. Everybody who decides about an
enrolment holds it first and reads afterwards: of two at once the second finds what the first has decided.

A condonation stands until it is withdrawn, or until a decision finds the student below the floor on which it was
granted: whoever granted it accepted a shortage down to there and no further. A shortage that grows within these bounds
stays condoned, and one that comes back after the student was eligible for a while does, too.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from attendance.calculation import Tally, tallies
from attendance.events import EligibilityDenied, ShortageCondoned
from attendance.models import ADMITTED, Condonation, Eligibility, EligibilityDecision
from core import crud
from core.db.copying import copy_in
from core.duties import may_not_be_same
from core.errors import ConflictError, ForbiddenError
from core.events import publish, publish_all
from core.ids import new_id
from core.visibility import Actor
from enrollment.models import Enrollment, EnrollmentStatus

# Whoever has left a course is not examined in it.
EXAMINED = (EnrollmentStatus.ENROLLED, EnrollmentStatus.COMPLETED)
# What a decision is made of; one that is made of the same says nothing new.
MADE_OF = (
    "outcome", "attended", "counted", "exempt", "unmarked", "policy_id", "policy_version", "basis", "rounding",
    "threshold", "condonation_floor", "bar", "floor_bar", "condonation_id", "condoned_from",
)  # fmt: skip
ABOUT = ("enrollment_id", "section_id", "term_id")


class OwnEligibilityError(ForbiddenError):
    """Whoever is to be admitted, or takes the section, would decide."""

    code = "self_approval"
    title = "Nobody decides about their own admission, or in a section in which they are enrolled."


class DecisionSupersededError(ConflictError):
    """There is a later decision."""

    code = "decision_superseded"
    title = "Somebody has decided about this enrolment since; read it again."


class NotShortError(ConflictError):
    """There is nothing to condone."""

    code = "not_short"
    title = "The student does not fall short."
    field = "outcome"


class BelowFloorError(ConflictError):
    """The policy lets nobody condone so much."""

    code = "below_condonation_floor"
    title = "The student attended less than what the policy lets anybody condone."
    field = "outcome"


class AlreadyCondonedError(ConflictError):
    """The shortage is condoned."""

    code = "already_condoned"
    title = "The shortage is condoned already."
    field = "outcome"


class NotCondonedError(ConflictError):
    """There is no condonation to withdraw."""

    code = "not_condoned"
    title = "No condonation stands that could be withdrawn."
    field = "condonation"


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What came of deciding: how many students have which outcome now, and of how many that is a new decision.

    `unmarked` is how many were not marked in every class that was held.
    """

    outcomes: Mapping[str, int]
    made: int
    unchanged: int
    unmarked: int


@transaction.atomic
def decide_eligibility(
    sections: Collection[UUID], *, by: Actor | None, at: datetime, is_dry_run: bool = False
) -> Decided:
    """Decide of all who are examined in sections, in as many statements for one as for thousands.

    Where nothing has changed the former decision stays. A dry run counts what would be decided, and leaves everything
    as it is. Refused with `self_approval`.
    """
    rows = _hold(section__in=sections, status__in=EXAMINED)
    may_not_be_same(by, OwnEligibilityError, people=(row.student.person_id for row in rows))
    ids = [row.pk for row in rows]
    found = tallies(ids, at=at) if ids else {}
    former = {row.enrollment_id: row for row in EligibilityDecision.objects.current().filter(enrollment__in=ids)}
    decided = {row.pk: _decision_of(row, found[row.pk], former.get(row.pk), by, at) for row in rows}
    made = [new for pk, new in decided.items() if not _says_the_same(new, former.get(pk))]
    if not is_dry_run:
        _supersede([former[new.enrollment_id] for new in made if new.enrollment_id in former], at)
        copy_in(made)
        students = {row.pk: row.student_id for row in rows}
        news = (new for new in made if _is_news(new, former.get(new.enrollment_id)))
        publish_all(_denial(new, students[new.enrollment_id]) for new in news)
    return _summed_up(decided.values(), len(made))


@transaction.atomic
def condone_shortage(
    decision: EligibilityDecision,
    *,
    by: Actor | None,
    at: datetime,
    reason: str,
    note: str = "",
    custom_fields: Mapping[str, Any] | None = None,
) -> EligibilityDecision:
    """Admit a student who falls short all the same, on the numbers of the decision; return the one that says so.

    The custom fields, documents among them, are those of the `Condonation`. Refused with `self_approval`,
    `decision_superseded`, `already_condoned`, `not_short` or `below_condonation_floor`.
    """
    enrollment, standing = _held(decision, by)
    if standing.outcome == Eligibility.CONDONED:
        raise AlreadyCondonedError
    if standing.outcome == Eligibility.ELIGIBLE:
        raise NotShortError
    if standing.outcome == Eligibility.NOT_ELIGIBLE:
        raise BelowFloorError(meta={"percent": str(standing.percent), "floor": str(standing.condonation_floor)})
    pk = new_id()
    condoned = {"id": pk, "condonation_id": pk, "condoned_from": standing.floor_bar, "outcome": Eligibility.CONDONED}
    made = _follow(standing, by=by, at=at, reason=reason, note=note, **condoned)
    crud.create(Condonation, {"id": pk, "decision": made, "custom_fields": custom_fields or {}}, by=by)
    publish(
        ShortageCondoned(
            decision_id=made.pk, enrollment_id=enrollment.pk, student_id=enrollment.student_id,
            section_id=enrollment.section_id, happened_at=at,
        )
    )  # fmt: skip
    return made


@transaction.atomic
def withdraw_condonation(
    decision: EligibilityDecision, *, by: Actor | None, at: datetime, reason: str
) -> EligibilityDecision:
    """Let a student be admitted by what they attended alone, by the numbers of the decision; return what is so now.

    Refused with `self_approval`, `decision_superseded` or `not_condoned`.
    """
    enrollment, standing = _held(decision, by)
    if standing.condonation_id is None:
        raise NotCondonedError
    bare = EligibilityDecision(**{name: getattr(standing, name) for name in (*ABOUT, *MADE_OF)})
    bare.condonation_id = bare.condoned_from = None
    withdrawn = {"condonation_id": None, "condoned_from": None, "outcome": bare.outcome_of()}
    made = _follow(standing, by=by, at=at, reason=reason, **withdrawn)
    if _is_news(made, standing):
        publish(_denial(made, enrollment.student_id))
    return made


def hold_enrollments(ids: Any) -> None:
    """Let nobody else decide about these enrolments until the transaction ends."""
    _hold(pk__in=ids)


def _hold(**which: Any) -> list[Enrollment]:
    """Lock enrolments, in the order in which everybody locks them; marking goes on meanwhile."""
    rows = Enrollment.objects.filter(**which).select_related("student").order_by("pk")
    return list(rows.select_for_update(of=("self",), no_key=True))


def _held(decision: EligibilityDecision, by: Actor | None) -> tuple[Enrollment, EligibilityDecision]:
    """Hold the enrolment of a decision, and return it with the decision as it is by then, if it is current."""
    (enrollment,) = _hold(pk=decision.enrollment_id)
    may_not_be_same(by, OwnEligibilityError, people=[enrollment.student.person_id])
    current = EligibilityDecision.objects.current().get(enrollment=enrollment)
    if current.pk != decision.pk:
        raise DecisionSupersededError(meta={"current": str(current.pk)})
    return enrollment, current


def _decision_of(
    row: Enrollment, tally: Tally, former: EligibilityDecision | None, by: Actor | None, at: datetime
) -> EligibilityDecision:
    """Return what is to be decided of an enrolment, by a former condonation while that holds."""
    rule, judged = tally.rule, tally.judged
    new = EligibilityDecision(
        enrollment_id=row.pk, section_id=row.section_id, term_id=row.term_id,
        attended=judged.attended, counted=judged.counted, exempt=judged.exempt, unmarked=judged.unmarked,
        policy_id=rule.policy, policy_version=rule.version, basis=rule.basis, rounding=rule.rounding,
        threshold=rule.threshold, condonation_floor=rule.condonation_floor, bar=rule.bar, floor_bar=rule.floor_bar,
        decided_by_id=by.pk if by else None, decided_at=at,
    )  # fmt: skip
    if former is not None and former.condoned_from is not None and new.is_at_least(former.condoned_from):
        new.condonation_id, new.condoned_from = former.condonation_id, former.condoned_from
    new.outcome = new.outcome_of()
    return new


def _says_the_same(new: EligibilityDecision, former: EligibilityDecision | None) -> bool:
    return former is not None and all(getattr(new, name) == getattr(former, name) for name in MADE_OF)


def _follow(standing: EligibilityDecision, *, by: Actor | None, at: datetime, **values: Any) -> EligibilityDecision:
    """Supersede a decision by one that is made of the same numbers, and says something else."""
    _supersede([standing], at)
    same = {name: getattr(standing, name) for name in (*ABOUT, *MADE_OF)}
    return crud.create(EligibilityDecision, {**same, "decided_by": by, "decided_at": at, **values})


def _supersede(decisions: Sequence[EligibilityDecision], at: datetime) -> None:
    if decisions:
        EligibilityDecision.objects.filter(pk__in=[row.pk for row in decisions]).update(superseded_at=at)


def _is_news(new: EligibilityDecision, former: EligibilityDecision | None) -> bool:
    """Say whether somebody is not admitted of whom that was not known, or not as bad."""
    return new.outcome not in ADMITTED and (former is None or former.outcome != new.outcome)


def _denial(new: EligibilityDecision, student: UUID) -> EligibilityDenied:
    return EligibilityDenied(
        decision_id=new.pk, enrollment_id=new.enrollment_id, student_id=student, section_id=new.section_id,
        outcome=new.outcome, happened_at=new.decided_at,
    )  # fmt: skip


def _summed_up(decided: Iterable[EligibilityDecision], made: int) -> Decided:
    rows = list(decided)
    counts = Counter(str(row.outcome) for row in rows)
    return Decided(
        outcomes={value: counts[value] for value in Eligibility.values},
        made=made,
        unchanged=len(rows) - made,
        unmarked=sum(bool(row.unmarked) for row in rows),
    )
