"""Enrolments by the thousand, as another system reports them.

History contains what today's rules would refuse: over-full sections, closed terms, students who
have left. It is recorded as it is; a section that was fuller than its capacity gets the seats that
explain it. In a term that is not over the rules of registration hold for what is reported, too:
`enrollment.services.judging` says which. Sections and the states of their terms are locked as for
registering, and so are students, in terms where the rules ask for their standing.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction

from core import bulk, crud, snapshots
from core.db.constraints import refusing
from core.db.copying import copy_values
from core.duties import is_same
from core.errors import DomainError, InvalidError
from core.ids import new_id
from core.visibility import Actor
from courses.models import Section
from courses.services import grant_seats, lock_sections
from enrollment.models import LEFT, SEATED, Enrollment, EnrollmentEvent, EnrollmentStatus, Source
from enrollment.selectors import GUARDED
from enrollment.services.judging import Judge, Judgement, Waives, waive_nothing
from enrollment.services.locking import lock_sections_of
from enrollment.services.refusals import OwnEnrollmentError
from enrollment.services.registration import STEPS
from students.selectors import in_person
from students.services import lock_students

# What an enrolment takes over from its section.
DERIVED = ("course", "term", "credits")
# Why an enrolment came to its status, as its history says.
REPORTED = "Reported by another system."


class LeavingTimeError(InvalidError):
    """An enrolment that ended early says when, and no other does."""

    code = "dropped_at_mismatch"
    title = "An enrolment has a time of leaving exactly when the student has left."
    field = "dropped_at"


def record_faults(*, values: Mapping[str, Any], enrollment: Enrollment | None) -> list[DomainError]:
    """Return what is wrong with a reported enrolment, as far as can be told without writing."""
    given = {name: value for name, value in values.items() if value is not None or name != "credits"}
    errors = bulk.faults(Enrollment, given, partial=enrollment is not None, ignoring=DERIVED)
    status = values.get("status", enrollment.status if enrollment else EnrollmentStatus.ENROLLED)
    dropped_at = values.get("dropped_at", enrollment.dropped_at if enrollment else None)
    errors = [error for error in errors if error.error_code != LeavingTimeError.code]
    if (status in LEFT) != (dropped_at is not None):
        errors.append(LeavingTimeError())
    return errors


def own_faults(students: Sequence[Any], *, by: Actor | None) -> list[DomainError | None]:
    """Return for the student of each enrolment why `by` reports nothing of it: they are that student; or None.

    What is no id of a student is nobody's. One query, whichever they are.
    """
    people = in_person(by)
    return [
        OwnEnrollmentError(field="student") if is_same(by, people=[people.get(student)]) else None
        for student in students
    ]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a reported enrolment: its row or why there is none, and what the rules made of it."""

    outcome: Enrollment | DomainError
    judgement: Judgement


@transaction.atomic
def record_many(
    *, rows: Sequence[Mapping[str, Any]], by: Actor | None, at: datetime, waives: Waives = waive_nothing
) -> list[Recorded]:
    """Insert reported enrolments, each with the first entry of its history; return what became of each.

    A row has `student_id`, `section_id` and whatever else is known; without credits it counts what
    the course does. In a term that is not over, one that takes a seat is refused as a registration
    would be, unless `waives` says of its section that what can be waived is. Nobody reports their own
    (`self_approval`). Nothing is announced: what happened, happened elsewhere.
    """
    own = own_faults([values.get("student_id") for values in rows], by=by)
    wrong = [
        refused or bulk.one_error(record_faults(values=values, enrollment=None))
        for refused, values in zip(own, rows, strict=True)
    ]
    sound = [values for values, error in zip(rows, wrong, strict=True) if error is None]
    hold_for_recording({(values["student_id"], values["section_id"]) for values in sound})
    recorder = _Recorder(waives, by=by, at=at)
    recorded = iter(recorder.all_of(sound) or recorder.one_by_one(sound))
    return [next(recorded) if error is None else Recorded(error, Judgement()) for error in wrong]


def hold_for_recording(places: Collection[tuple[UUID, UUID]], ids: Collection[UUID] = ()) -> None:
    """Lock the sections of (student, section) and of enrolments that are there, and the students the rules concern."""
    sections = {section_id for _, section_id in places}
    sections |= set(Enrollment.objects.filter(pk__among=ids).values_list("section_id", flat=True)) if ids else set()
    guarded = set(Section.objects.filter(pk__in=sections, term__state__in=GUARDED).values_list("pk", flat=True))
    if guarded:
        lock_students([student_id for student_id, section_id in places if section_id in guarded])
    lock_sections(sections)


class _Recorder:
    """Writes reported enrolments whose sections are locked."""

    def __init__(self, waives: Waives, *, by: Actor | None, at: datetime) -> None:
        self._waives = waives
        self._by = by
        self._at = at

    def all_of(self, rows: Sequence[Mapping[str, Any]]) -> list[Recorded] | None:
        """Insert rows together; None, and nothing written, when the database refuses one of them."""
        judge = self._judge(rows)
        recorded: list[Recorded] = []
        for values in rows:
            judged = judge.of(values)
            refusal = bulk.one_error(judged.refusals)
            if refusal is None:
                judge.seat(values)
            recorded.append(Recorded(refusal or _row(values, judge.sections[values["section_id"]]), judged))
        made = [(one.outcome, one.judgement) for one in recorded if isinstance(one.outcome, Enrollment)]
        try:
            with refusing():
                _give_seats_to(row for row, _ in made)
                if refused := next(filter(None, bulk.insert([[row] for row, _ in made])), None):
                    raise refused
                self._record_firsts(made)
        except DomainError:
            return None
        return recorded

    def one_by_one(self, rows: Sequence[Mapping[str, Any]]) -> list[Recorded]:
        """Insert rows singly; one that the database refuses leaves its seat to those after it."""
        judge = self._judge(rows)
        recorded: list[Recorded] = []
        for values in rows:
            judged = judge.of(values)
            row = _row(values, judge.sections[values["section_id"]])
            refusal = bulk.one_error(judged.refusals) or bulk.attempt(partial(self._insert, row, judged))
            if refusal is None:
                judge.seat(values)
            recorded.append(Recorded(refusal or row, judged))
        return recorded

    def _judge(self, rows: Sequence[Mapping[str, Any]]) -> Judge:
        judge = Judge(self._waives)
        judge.read(rows)
        return judge

    def _insert(self, row: Enrollment, judged: Judgement) -> None:
        _give_seats_to([row])
        row.save(force_insert=True)
        self._record_firsts([(row, judged)])

    def _record_firsts(self, made: Sequence[tuple[Enrollment, Judgement]]) -> None:
        """Begin the histories of enrolments."""
        actor_id = self._by.pk if self._by else None
        columns = ["id", "enrollment_id", "from_status", "to_status", "actor_id", "reason", "happened_at"]
        rows: Iterable[Sequence[Any]] = [
            (new_id(), row.pk, "", str(row.status), actor_id, REPORTED, self._at) for row, _ in made
        ]
        if any(judged.passed_over for _, judged in made):  # of most chunks the database's default says it
            columns.append("overridden")
            rows = ((*values, judged.waived) for values, (_, judged) in zip(rows, made, strict=True))
        copy_values(EnrollmentEvent, columns, rows)


def _give_seats_to(rows: Iterable[Enrollment]) -> None:
    grant_seats(Counter(row.section_id for row in rows if row.status in SEATED))


@transaction.atomic
def correct_many(
    *,
    changes: Sequence[tuple[Enrollment, Mapping[str, Any]]],
    by: Actor | None,
    at: datetime,
    waives: Waives = waive_nothing,
) -> list[Recorded]:
    """Change enrolments to what the other system says now; return what became of each.

    The caller has locked them after their students and sections, as `hold_for_recording` does.
    A step of the status is put on record, and one that takes a seat again is judged as in `record_many`.
    Nobody corrects their own (`self_approval`).
    """
    lock_sections({enrollment.section_id for enrollment, _ in changes})
    judge = Judge(waives)
    seated = [seat for enrollment, values in changes if (seat := taking_a_seat(enrollment, values))]
    judge.read(seated)
    own = own_faults([enrollment.student_id for enrollment, _ in changes], by=by)
    return [
        Recorded(refused, Judgement()) if refused else _correct_one(enrollment, values, judge, by=by, at=at)
        for refused, (enrollment, values) in zip(own, changes, strict=True)
    ]


def taking_a_seat(enrollment: Enrollment, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a change by which an enrolment takes a seat that it has not, as a row to be judged; None for another."""
    status = values.get("status", enrollment.status)
    if status not in SEATED or enrollment.status in SEATED:
        return None
    return {"student_id": enrollment.student_id, "section_id": enrollment.section_id, "status": status}


def _correct_one(
    enrollment: Enrollment, values: Mapping[str, Any], judge: Judge, *, by: Actor | None, at: datetime
) -> Recorded:
    seat = taking_a_seat(enrollment, values)
    judged = judge.of(seat) if seat else Judgement()
    wrong = bulk.one_error([*record_faults(values=values, enrollment=enrollment), *judged.refusals])
    if wrong is not None:
        return Recorded(wrong, judged)
    before = enrollment.status

    def correct() -> None:
        if seat:
            grant_seats({enrollment.section_id: 1})
        crud.update(enrollment, values, by=by)
        if enrollment.status != before:
            STEPS.record(enrollment, before, by=by, at=at, reason=REPORTED, overridden=judged.waived)

    refused = bulk.attempt(correct)
    if seat and refused is None:
        judge.seat(seat)
    return Recorded(refused or enrollment, judged)


def keep_records(*, ids: Collection[UUID]) -> dict[UUID, list[snapshots.Kept]]:
    """Return what `restore_records` needs to bring enrolments back exactly, by id."""
    return {pk: [kept] for pk, kept in snapshots.keep(Enrollment, ids).items()}


@transaction.atomic
def restore_records(*, kept: Collection[snapshots.Kept]) -> None:
    """Bring enrolments back exactly as they were kept; the steps that were recorded since stay on record."""
    lock_sections({UUID(row["section_id"]) for single in kept for row in snapshots.rows_of(single)})
    snapshots.restore(kept)


@transaction.atomic
def erase_many(*, ids: Collection[UUID]) -> None:
    """Delete enrolments that an import recorded, as if it had never run; refused with `in_use`."""
    lock_sections_of(ids)
    bulk.delete(Enrollment, ids)


def _row(values: Mapping[str, Any], section: Section) -> Enrollment:
    version = section.course_version
    return Enrollment(
        **{
            "course_id": section.course_id,
            "term_id": section.term_id,
            "credits": version.credits,
            "is_repeatable": version.is_repeatable,
            "source": Source.IMPORT,
            **{name: value for name, value in values.items() if value is not None},
        }
    )
