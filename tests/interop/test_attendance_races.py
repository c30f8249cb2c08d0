"""Imported marks are taken back while teachers mark the same classes: nobody waits for ever, and nothing is lost."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from attendance.models import ClassSession
from attendance.services import Mark, mark_roster, mark_sessions
from interop import services
from interop.models import ImportJob
from tests.enrollment.factories import EnrollmentFactory
from tests.interop.importing import imported, table
from tests.interop.test_attendance import class_, marks, place, row, true_summaries
from tests.racing import at_once, while_uncommitted

__all__ = ["class_", "place"]
pytestmark = pytest.mark.django_db(transaction=True)
STUDENTS, DAYS = range(9), ("2026-10-05", "2026-10-06")
ROUNDS = 5


@pytest.fixture
def job(place: Path, class_: Any) -> ImportJob:
    """An import of who was there in two classes of nine students."""
    for n in STUDENTS[3:]:
        enrollment = EnrollmentFactory(section=class_.section, student__student_no=f"S{n}", enrolled_at=None)
        class_.enrollments.append(enrollment)
    return brought(place)


def brought(place: Path) -> ImportJob:
    return imported("attendance", table(place, *(row(f"S{n}", starts_at=day) for n in STUDENTS for day in DAYS)))


def taking_back(job: ImportJob, *, force: bool = True) -> Callable[[], str]:
    return lambda: str(services.revert(job.pk, by=None, force=force).state)


def marking(class_: Any, *which: ClassSession) -> Callable[[], str]:
    """Return what marks three students as absent in both classes or those named, as the API does: sessions first."""

    def mark() -> str:
        with transaction.atomic():
            rows = ClassSession.objects.filter(pk__in=[each.pk for each in which or class_.sessions]).order_by("pk")
            locked = list(rows.select_for_update(of=("self",), no_key=True))
            students = [each.student_id for each in reversed(class_.enrollments[:3])]
            mark_sessions(locked, students=students, code="absent", by=None, at=timezone.now())
        return "marked"

    return mark


def of_teacher() -> list[tuple[str, str, int | None, str]]:
    return [(f"S{n}", "absent", None, "manual") for n in STUDENTS[:3] for _ in DAYS]


def of_import(students: Any) -> Iterator[tuple[str, str, int | None, str]]:
    return ((f"S{n}", "present", None, "import") for n in students for _ in DAYS)


def test_who_marks_first_is_waited_for_and_stays(job: ImportJob, class_: Any) -> None:
    assert while_uncommitted(marking(class_), taking_back(job)) == "reverted"

    assert marks() == of_teacher()
    assert true_summaries()


def test_what_is_taken_back_first_is_waited_for_and_marked_anew(job: ImportJob, class_: Any) -> None:
    assert while_uncommitted(taking_back(job), marking(class_)) == "marked"

    assert marks() == of_teacher()
    assert true_summaries()


def test_who_marks_one_class_and_then_the_next_meets_nobody_who_came_the_other_way(job: ImportJob, class_: Any) -> None:
    first, second = sorted(class_.sessions, key=lambda session: session.pk)

    assert while_uncommitted(marking(class_, first), taking_back(job), marking(class_, second)) == "reverted"

    assert marks() == of_teacher()
    assert true_summaries()


def test_whichever_comes_first_the_end_is_the_same(job: ImportJob, class_: Any, place: Path) -> None:
    def one_by_one() -> str:
        with transaction.atomic():
            session = ClassSession.objects.select_for_update(no_key=True).get(pk=class_.sessions[0].pk)
            named = [Mark(enrollment=each.pk, code="absent") for each in class_.enrollments[:3]]
            mark_roster(session, marks=named, by=None, at=timezone.now())
        return "marked"

    for _ in range(ROUNDS):
        assert at_once(taking_back(job), marking(class_), one_by_one) == ["reverted", "marked", "marked"]
        assert marks() == of_teacher()
        assert true_summaries()
        job = brought(place)


def test_what_a_teacher_marks_meanwhile_keeps_all_of_an_import_or_none(
    job: ImportJob, class_: Any, place: Path
) -> None:
    for _ in range(ROUNDS):
        taken_back, _ = at_once(taking_back(job, force=False), marking(class_))
        if taken_back == "reverted":
            assert marks() == of_teacher()
        else:
            assert (taken_back, ImportJob.objects.get(pk=job.pk).state) == ("changed_since_import", "applied")
            assert marks() == [*of_teacher(), *of_import(STUDENTS[3:])]
            services.revert(job.pk, by=None, force=True)
        assert true_summaries()
        clear = ClassSession.objects.filter(section=class_.section)
        with transaction.atomic():
            for session in clear.order_by("pk").select_for_update(no_key=True):
                session.records.filter(local_date=session.local_date).delete()
        job = brought(place)
