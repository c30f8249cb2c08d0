"""An import that is taken back changes sheets that were closed since: they say why, and by whom it was."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from attendance.models import ClassSession
from attendance.services import Mark, close_session, mark_roster, open_session
from audit.models import Change
from interop import services
from tests.attendance.factories import ClassSessionFactory
from tests.interop.importing import imported, table
from tests.interop.test_attendance import class_, marks, place, row, true_summaries

__all__ = ["class_", "place"]
pytestmark = pytest.mark.django_db


def noted(session: ClassSession) -> list[tuple[Any, Any]]:
    """Return what was noted of a sheet and by whom, the first first."""
    entries = Change.objects.filter(row_id=str(session.pk), operation="update").order_by("id")
    return [(entry.changes["lock_note"], entry.actor_id) for entry in entries if "lock_note" in entry.changes]


def test_a_closed_sheet_stays_closed_and_says_why_it_was_changed_all_the_same(place: Path, class_: Any) -> None:
    closed, open_ = class_.sessions
    job = imported("attendance", table(place, row(code="absent"), row("S1"), row("S2", starts_at="2026-10-06")))
    close_session(ClassSession.objects.get(pk=closed.pk), by=None, at=timezone.now())
    untouched = ClassSessionFactory(section=class_.section, marking="closed")
    before = {each.pk: each.version for each in ClassSession.objects.all()}

    services.revert(job.pk, by=None)

    now = {each.pk: each for each in ClassSession.objects.all()}
    assert (now[closed.pk].marking, now[closed.pk].lock_note) == ("closed", f"Import {job.pk} was taken back.")
    assert (now[open_.pk].marking, now[open_.pk].lock_note) == ("open", "")
    assert (now[untouched.pk].version, now[untouched.pk].lock_note) == (before[untouched.pk], "")
    assert all(now[each.pk].version > before[each.pk] for each in class_.sessions)
    assert noted(closed) == [(["", f"Import {job.pk} was taken back."], None)]
    assert (marks(), noted(open_), true_summaries()) == ([], [], True)


def test_why_a_sheet_was_opened_again_stays_in_its_history_when_an_import_is_taken_back(
    place: Path, class_: Any
) -> None:
    job = imported("attendance", table(place, row(code="absent")))
    session, now = ClassSession.objects.get(pk=class_.sessions[0].pk), timezone.now()
    close_session(session, by=None, at=now)
    open_session(session, by=None, at=now, reason="Came in late")
    close_session(session, by=None, at=now)

    services.revert(job.pk, by=None)

    assert [change for change, _ in noted(session)] == [
        ["", "Came in late"], ["Came in late", f"Import {job.pk} was taken back."],
    ]  # fmt: skip


def test_a_closed_sheet_whose_marks_are_a_teachers_by_now_is_left_as_it_is(place: Path, class_: Any) -> None:
    job = imported("attendance", table(place, row(code="absent")))
    session = ClassSession.objects.get(pk=class_.sessions[0].pk)
    mark_roster(session, marks=[Mark(enrollment=class_.enrollments[0].pk, code="present")], by=None, at=timezone.now())
    session = close_session(ClassSession.objects.get(pk=session.pk), by=None, at=timezone.now())

    services.revert(job.pk, by=None, force=True)

    now = ClassSession.objects.get(pk=session.pk)
    assert (now.version, now.lock_note, marks()) == (session.version, "", [("S0", "present", None, "manual")])


def test_it_is_noted_who_had_it_taken_back(
    place: Path, class_: Any, registrar: Any, registrar_client: Any, work: Callable[[], int]
) -> None:
    job = imported("attendance", table(place, row(code="absent")))
    close_session(ClassSession.objects.get(pk=class_.sessions[0].pk), by=None, at=timezone.now())

    answer = registrar_client.post(f"/api/v1/imports/{job.pk}/revert/", {"force": False}, format="json")
    work()

    job.refresh_from_db()
    assert (answer.status_code, job.state, marks()) == (202, "reverted", [])
    assert noted(class_.sessions[0]) == [(["", f"Import {job.pk} was taken back."], registrar.pk)]
