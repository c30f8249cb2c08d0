"""Imported marks: found by section and beginning, judged as a sheet judges, weaker than all others, and taken back."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from attendance.models import (
    AttendanceCode,
    AttendanceRecord,
    AttendanceSummary,
    ClassSession,
    CoveredMark,
    ExcuseRequest,
    Marking,
    Source,
)
from attendance.services import Mark, approve_excuse, mark_roster, revoke_excuse, verify_summaries
from interop import services
from interop.models import ImportedValue, ImportJob
from tests.attendance.factories import (
    AttendanceRecordFactory,
    ClassSessionFactory,
    ExcuseRequestFactory,
    usual_codes,
)
from tests.courses.factories import SectionFactory
from tests.departments.factories import CampusFactory, RoomFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.interop.data import DATA, dump, needs
from tests.interop.importing import imported, reasons, table, totals, validated

pytestmark = pytest.mark.django_db
AT = {"term": "T", "course_code": "CS1", "section_code": "01"}
HOUR = timedelta(hours=1)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.fixture
def class_() -> SimpleNamespace:
    """A section of three in Vienna that met on a Monday and a Tuesday at nine."""
    codes = usual_codes()
    AttendanceCode.objects.filter(code="late").update(takes_minutes=True)
    section = SectionFactory(
        code="01", course__code="CS1", term__code="T", campus=CampusFactory(time_zone="Europe/Vienna")
    )
    begins = [datetime(2026, 10, day, 7, tzinfo=UTC) for day in (5, 6)]
    sessions = [ClassSessionFactory(section=section, starts_at=at, local_date=at.date()) for at in begins]
    enrollments = [EnrollmentFactory(section=section, student__student_no=f"S{n}", enrolled_at=None) for n in range(3)]
    return SimpleNamespace(codes=codes, section=section, sessions=sessions, enrollments=enrollments)


def row(student: str = "S0", starts_at: str = "2026-10-05T07:00:00Z", code: str = "present", **more: Any) -> Any:
    return {"student_no": student, **AT, "starts_at": starts_at, "code": code, **more}


def marks() -> list[tuple[str, str, int | None, str]]:
    found = AttendanceRecord.objects.order_by("enrollment__student__student_no", "local_date")
    return list(found.values_list("enrollment__student__student_no", "code__code", "minutes_late", "source"))


def notes(job: ImportJob) -> list[list[str]]:
    return [[note["code"] for note in row.notes] for row in job.rows.order_by("position")]


def true_summaries() -> bool:
    before = list(AttendanceSummary.objects.order_by("pk").values_list("pk", "counted", "attended", "percent"))
    verify_summaries(at=timezone.now())
    return before == list(AttendanceSummary.objects.order_by("pk").values_list("pk", "counted", "attended", "percent"))


# --- finding ---


@pytest.mark.parametrize(
    "starts_at",
    ["2026-10-05T07:00:00Z", "2026-10-05T09:00:00+02:00", "2026-10-05 09:00", "2026-10-05T09:00:00", "2026-10-05"],
)
def test_a_session_is_found_by_its_instant_by_the_time_on_campus_and_by_its_day(
    place: Path, class_: Any, starts_at: str
) -> None:
    job = imported("attendance", table(place, row(starts_at=starts_at, code="Late", minutes_late="7")))

    assert (totals(job), reasons(job)) == ((1, 0, 0, 0), [])
    assert marks() == [("S0", "late", 7, "import")]
    assert job.rows.get().natural_key == "S0|T|CS1|01|2026-10-05T07:00:00+00:00"
    assert ClassSession.objects.get(pk=class_.sessions[0].pk).marking == Marking.OPEN
    assert true_summaries()


def test_an_hour_that_comes_twice_is_told_apart_by_the_instant(place: Path, class_: Any) -> None:
    for hour in (0, 1):  # half past two, in summer and in winter time
        at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
        ClassSessionFactory(section=class_.section, starts_at=at, ends_at=at + HOUR / 2, local_date=at.date())

    job = imported(
        "attendance",
        table(
            place, row(starts_at="2026-10-25 02:30"), row(starts_at="2026-10-25"),
            row(starts_at="2026-10-25T02:30+01:00", code="absent"),
        ),
    )  # fmt: skip

    assert reasons(job) == [(2, "ambiguous_session", "starts_at"), (3, "ambiguous_session", "starts_at")]
    assert AttendanceRecord.objects.get().session.starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_the_time_of_day_is_that_of_the_room(place: Path, class_: Any) -> None:
    class_.section.campus = None
    class_.section.save()
    room = RoomFactory(building__campus=CampusFactory(time_zone="Asia/Kolkata"))
    ClassSession.objects.filter(pk=class_.sessions[0].pk).update(room=room)

    job = imported("attendance", table(place, row(starts_at="2026-10-05 12:30")))

    assert reasons(job) == []
    assert AttendanceRecord.objects.get().session == class_.sessions[0]


def test_of_two_on_a_day_the_one_that_takes_place_is_meant(place: Path, class_: Any) -> None:
    at = class_.sessions[0].starts_at + 3 * HOUR
    ClassSessionFactory(section=class_.section, starts_at=at, local_date=at.date(), status="cancelled")

    imported("attendance", table(place, row(starts_at="2026-10-05")))

    assert AttendanceRecord.objects.get().session == class_.sessions[0]


# --- refusing ---


def test_every_row_is_refused_by_its_own_code_and_the_others_are_written(place: Path, class_: Any) -> None:
    AttendanceCode.objects.create(code="old", label="Old", weight=0, is_active=False)
    stranger = EnrollmentFactory(student__student_no="X")
    EnrollmentFactory(
        section=class_.section, student__student_no="GONE", enrolled_at=None, status="dropped",
        dropped_at=class_.sessions[0].starts_at - HOUR,
    )  # fmt: skip
    soon = timezone.now().replace(microsecond=0) + timedelta(days=2)
    ClassSessionFactory(section=class_.section, starts_at=soon, local_date=soon.date())
    for day, values in ((7, {"status": "cancelled"}), (8, {"marking": "locked"}), (9, {"marking": "closed"})):
        at = datetime(2026, 10, day, 7, tzinfo=UTC)
        ClassSessionFactory(section=class_.section, starts_at=at, local_date=at.date(), **values)
    table(
        place,
        row(),
        row(starts_at="2026-10-05T07:30:00Z"),
        row(str(stranger.student.student_no)),
        row("GONE"),
        row("NOBODY"),
        row("S1", section_code="99"),
        row("S1", code="elsewhere"),
        row("S1", code="old", starts_at="2026-10-06"),
        row("S2", code="absent", minutes_late="3"),
        row("S2", code="late", minutes_late="1441", starts_at="2026-10-06"),
        row("S1", starts_at=soon.isoformat()),
        row("S1", starts_at="2026-10-07"),
        row("S1", starts_at="2026-10-08"),
        row("S1", starts_at="2026-10-09"),
        row(code="absent"),
        row(starts_at="2026-10-05", code="absent"),
        row("S2", starts_at="yesterday", code="", minutes_late="x"),
    )
    refused = [
        (3, "unknown_session", "starts_at"), (4, "roster_mismatch", "student"), (5, "roster_mismatch", "student"),
        (6, "unknown_reference", "student"), (7, "unknown_reference", "section"), (8, "unknown_code", "code"),
        (9, "inactive_code", "code"), (10, "lateness_not_applicable", "minutes_late"),
        (11, "late_out_of_range", "minutes_late"), (12, "session_not_begun", "starts_at"),
        (13, "session_cancelled", "status"), (14, "session_locked", "marking"), (15, "session_closed", "marking"),
        (16, "duplicate_row", ""), (17, "duplicate_row", ""), (18, "invalid_format", "starts_at"),
        (18, "required", "code"), (18, "invalid_format", "minutes_late"),
    ]  # fmt: skip

    preview = validated("attendance", place)
    assert reasons(preview) == refused
    assert marks() == []

    job = services.apply(preview.pk, by=None)
    assert (job.state, totals(job), reasons(job)) == ("partially_applied", (1, 0, 0, 16), refused)
    assert marks() == [("S0", "present", None, "import")]


def test_what_became_wrong_since_the_preview_is_refused_when_it_is_written(place: Path, class_: Any) -> None:
    preview = validated("attendance", table(place, row(), row("S1", starts_at="2026-10-06"), row("S2")))
    ClassSession.objects.filter(pk=class_.sessions[0].pk).update(marking="locked")

    job = services.apply(preview.pk, by=None)

    assert reasons(job) == [(2, "session_locked", "marking"), (4, "session_locked", "marking")]
    assert marks() == [("S1", "present", None, "import")]


def test_a_day_that_repeats_an_instant_is_told_wherever_it_stands(place: Path, class_: Any) -> None:
    rows = [row("S0"), row("S1", starts_at="2026-10-05"), row("S0", starts_at="2026-10-05"), row("S1")]
    job = services.from_path(by=None, kind="attendance", path=table(place, *rows))

    services.validate(job.pk, by=None, chunk_size=1)

    assert reasons(job) == [(4, "duplicate_row", ""), (5, "duplicate_row", "")]


def test_nobody_imports_marks_of_a_section_in_which_they_are_enrolled(place: Path, class_: Any, registrar: Any) -> None:
    EnrollmentFactory(section=class_.section, student__person=registrar.person, enrolled_at=None)
    job = services.from_path(by=registrar, kind="attendance", path=table(place, row()))

    services.validate(job.pk, by=registrar)

    assert reasons(job) == [(2, "self_marking", "student")]


@pytest.mark.parametrize("column", ["student_no", "term", "course_code", "section_code", "starts_at", "code"])
def test_a_file_without_a_column_is_refused_whole(place: Path, class_: Any, column: str) -> None:
    given = row()
    del given[column]

    job = validated("attendance", table(place, given))

    assert (job.state, [error["code"] for error in job.errors]) == ("failed", ["missing_column"])


def test_columns_that_mean_nothing_here_are_named_or_refused(place: Path, class_: Any) -> None:
    job = imported("attendance", table(place, row(name="Ada"), row("S1", **{"custom.mood": "fine"})))

    assert [remark["code"] for remark in job.remarks] == ["ignored_columns"]
    assert reasons(job) == [(3, "unknown_custom_field", "custom_fields.mood")]


# --- precedence ---


def test_what_outranks_an_import_stays_and_the_row_says_so(place: Path, class_: Any) -> None:
    for enrollment, source in zip(class_.enrollments, (Source.MANUAL, Source.QR, Source.READER), strict=True):
        AttendanceRecordFactory(
            session=class_.sessions[0], enrollment=enrollment, code=class_.codes.absent, source=source
        )
    before = marks()

    job = imported("attendance", table(place, row(), row("S1"), row("S2", code="absent")))

    assert (job.state, totals(job), reasons(job)) == ("applied", (0, 0, 3, 0), [])
    assert notes(job) == [["mark_outranked"], ["mark_outranked"], []]
    assert marks() == before


def test_who_is_marked_between_the_preview_and_the_writing_stays_so(place: Path, class_: Any) -> None:
    preview = validated("attendance", table(place, row(), row("S1")))
    AttendanceRecordFactory(
        session=class_.sessions[0], enrollment=class_.enrollments[0], code=class_.codes.absent, source=Source.MANUAL
    )

    job = services.apply(preview.pk, by=None)

    assert (totals(job), notes(job)) == ((1, 0, 1, 0), [["mark_outranked"], []])
    assert marks()[0] == ("S0", "absent", None, "manual")


def test_a_later_file_corrects_an_earlier_one_and_a_teacher_corrects_both(place: Path, class_: Any) -> None:
    imported("attendance", table(place, row(code="late", minutes_late="5")))
    job = imported("attendance", table(place, row(code="absent")))
    assert (totals(job), marks()) == ((0, 1, 0, 0), [("S0", "absent", None, "import")])
    assert totals(imported("attendance", place)) == (0, 0, 1, 0)

    session = ClassSession.objects.get(pk=class_.sessions[0].pk)
    mark = Mark(enrollment=class_.enrollments[0].pk, code="present")
    mark_roster(session, marks=[mark], by=None, at=timezone.now())

    assert totals(imported("attendance", place)) == (0, 0, 1, 0)
    assert marks() == [("S0", "present", None, "manual")]
    assert not ImportedValue.objects.exists()


def test_minutes_decide_which_code_it_is(place: Path, class_: Any) -> None:
    AttendanceCode.objects.create(code="very_late", label="Very late", weight=0, takes_minutes=True, late_from=20)
    given = row(code="late", minutes_late="25")

    imported("attendance", table(place, given))

    assert marks() == [("S0", "very_late", 25, "import")]
    assert totals(imported("attendance", place, force=True)) == (0, 0, 1, 0)


# --- excuses ---


@pytest.fixture
def excused(class_: Any, user_with: Any) -> Callable[[], ExcuseRequest]:
    """Return a function that lets the first student be excused from the first session."""

    def excuse() -> ExcuseRequest:
        session = class_.sessions[0]
        row = ExcuseRequestFactory(
            student=class_.enrollments[0].student, period=(session.starts_at - HOUR, session.ends_at + HOUR)
        )
        row.refresh_from_db()
        return approve_excuse(row, by=None, at=timezone.now(), reason="")

    return excuse


@pytest.mark.parametrize("is_marked", [True, False])
def test_what_is_imported_of_somebody_excused_lies_beneath_the_excuse(
    place: Path, class_: Any, excused: Any, is_marked: bool
) -> None:
    if is_marked:
        AttendanceRecordFactory(
            session=class_.sessions[0], enrollment=class_.enrollments[1], code=class_.codes.present, source="manual"
        )
        ClassSession.objects.update(marking="open")
    excuse = excused()
    before = marks()

    job = imported("attendance", table(place, row(code="absent")))

    assert ("S0", "excused", None, "excuse") in marks()
    assert [mark for mark in marks() if mark[0] == "S1"] == [mark for mark in before if mark[0] == "S1"]
    assert notes(job) == [["mark_beneath_excuse"]]
    assert totals(imported("attendance", place)) == (0, 0, 1, 0)

    services.revert(job.pk, by=None)
    assert CoveredMark.objects.get().source == ""

    job = imported("attendance", place, force=True)
    revoke_excuse(excuse, by=None, at=timezone.now(), reason="")
    assert ("S0", "absent", None, "import") in marks()
    services.revert(job.pk, by=None)
    assert [mark for mark in marks() if mark[0] == "S0"] == []


# --- taking back ---


def test_every_mark_is_as_before_when_an_import_is_taken_back(place: Path, class_: Any) -> None:
    imported("attendance", table(place, row(code="late", minutes_late="5"), row("S1", code="present")))
    first, times = marks(), list(AttendanceRecord.objects.order_by("pk").values_list("pk", "marked_at", "code"))
    versions = list(ClassSession.objects.order_by("pk").values_list("version", flat=True))

    job = imported("attendance", table(place, row(code="absent"), row("S1", code="present"), row("S2", code="absent")))
    assert (totals(job), marks()[0]) == ((1, 1, 1, 0), ("S0", "absent", None, "import"))
    services.revert(job.pk, by=None)

    assert marks() == first
    assert list(AttendanceRecord.objects.order_by("pk").values_list("pk", "marked_at", "code")) == times
    assert list(ClassSession.objects.order_by("pk").values_list("version", flat=True)) > versions
    assert true_summaries()
    found = services.reversal_summary(ImportJob.objects.get(pk=job.pk))
    assert (found["deleted"], found["updated"], found["unchanged"]) == (1, 1, 1)


def test_imports_are_taken_back_one_after_the_other(place: Path, class_: Any) -> None:
    jobs = [
        imported("attendance", table(place, row(code=code), row("S1", code=code))) for code in ("absent", "present")
    ]

    for job in reversed(jobs):
        services.revert(job.pk, by=None)

    assert marks() == []


def test_an_import_is_not_taken_back_over_what_a_teacher_has_marked_since(place: Path, class_: Any) -> None:
    job = imported("attendance", table(place, row(code="absent"), row("S1", code="absent")))
    session = ClassSession.objects.get(pk=class_.sessions[0].pk)
    mark_roster(session, marks=[Mark(enrollment=class_.enrollments[0].pk, code="present")], by=None, at=timezone.now())

    with pytest.raises(services.ChangedSinceError) as refused:
        services.revert(job.pk, by=None)
    assert refused.value.meta["count"] == 1
    assert len(marks()) == 2

    services.revert(job.pk, by=None, force=True)
    assert marks() == [("S0", "present", None, "manual")]


def test_what_a_teacher_has_confirmed_stays_when_another_import_comes_and_when_the_first_is_taken_back(
    place: Path, class_: Any
) -> None:
    job = imported("attendance", table(place, row(code="present"), row("S1", code="absent")))
    session = ClassSession.objects.get(pk=class_.sessions[0].pk)
    mark_roster(session, marks=[Mark(enrollment=class_.enrollments[0].pk, code="present")], by=None, at=timezone.now())

    imported("attendance", table(place, row(code="absent")))
    assert marks()[0] == ("S0", "present", None, "manual")
    services.revert(job.pk, by=None, force=True)

    assert marks() == [("S0", "present", None, "manual")]


def test_what_is_final_is_not_taken_back(place: Path, class_: Any) -> None:
    before = dump()
    job = imported("attendance", table(place, row(), row("S1", starts_at="2026-10-06")))
    ClassSession.objects.filter(pk=class_.sessions[0].pk).update(marking="locked")

    with pytest.raises(Exception, match="locked"):
        services.revert(job.pk, by=None, force=True)
    job.refresh_from_db()
    assert (job.state, len(marks())) == ("applied", 2)
    assert [error["code"] for error in job.errors] == ["session_locked"]

    ClassSession.objects.filter(pk=class_.sessions[0].pk).update(marking="open")
    services.revert(job.pk, by=None)
    now = dump()
    assert now["attendance_attendancerecord"] == before["attendance_attendancerecord"] == []


# --- cost ---


def test_a_chunk_costs_as_many_statements_for_three_marks_as_for_thirty(place: Path, class_: Any) -> None:
    for n in range(3, 15):
        EnrollmentFactory(section=class_.section, student__student_no=f"S{n}", enrolled_at=None)
    days = ("2026-10-05", "2026-10-06")
    costs = []
    for students in (range(2), range(2, 15)):
        given = [row(f"S{n}", starts_at=day) for n in students for day in days]
        with CaptureQueriesContext(connection) as reading:
            job = validated("attendance", table(place, *given))
        with CaptureQueriesContext(connection) as writing:
            services.apply(job.pk, by=None)
        with CaptureQueriesContext(connection) as undoing:
            services.revert(job.pk, by=None)
        costs.append((len(reading), len(writing), len(undoing)))

    assert costs[0] == costs[1]
    assert max(costs[0]) < 70


# --- hostile content ---


@needs("robustness")
def test_hostile_cells_are_refused_by_row_and_mark_nobody(place: Path, class_: Any) -> None:
    strings = json.loads((DATA / "robustness" / "blns.json").read_text())
    given = [
        row(**{column: text})
        for text in strings
        for column in ("student_no", "starts_at", "code", "minutes_late", "section_code")
    ]

    job = validated("attendance", table(place, row("S2"), *given))

    assert job.state == "validated"
    services.apply(job.pk, by=None)
    assert {mark[0] for mark in marks()} <= {"S0", "S2"}
    codes = {code for _, code, _ in reasons(job)}
    assert codes <= {
        "unknown_reference", "invalid_format", "required", "unknown_code", "duplicate_row", "max_length",
        "lateness_not_applicable", "late_out_of_range",
    }  # fmt: skip


def test_a_registrar_uploads_and_takes_back_over_http(
    registrar_client: Any, work: Callable[[], int], class_: Any
) -> None:
    header = registrar_client.get("/api/v1/imports/templates/attendance/")
    content = header.content.decode() + "S0,T,CS1,01,2026-10-05,absent,\r\n"
    upload = SimpleUploadedFile("marks.csv", content.encode())
    answer = registrar_client.post("/api/v1/imports/", {"kind": "attendance", "file": upload}, format="multipart")
    assert answer.status_code == 201, answer.json()
    job = f"/api/v1/imports/{answer.json()['data']['id']}/"
    work()
    registrar_client.post(f"{job}apply/")
    work()
    assert registrar_client.get(job).json()["data"]["state"] == "applied"
    assert marks() == [("S0", "absent", None, "import")]
    registrar_client.post(f"{job}revert/", {"force": False})
    work()
    assert (registrar_client.get(job).json()["data"]["state"], marks()) == ("reverted", [])
