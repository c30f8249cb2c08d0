"""Marks as a table: for those who see them, on record, harmless in a spreadsheet, and read back as they were."""

import csv
import io
import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from accounts.models import Person
from accounts.roles import Role
from attendance import exporting
from attendance.models import AttendanceCode, AttendanceRecord, ClassSession
from attendance.services import eligibility
from audit.models import Disclosure
from core import exports
from interop import services
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionFactory, SectionInstructorFactory
from tests.departments.factories import CampusFactory, RoomFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.interop.importing import reasons, totals

pytestmark = pytest.mark.django_db
EXPORT = "/api/v1/attendance/records/export/"
HEADER = ["student_no", "term", "course_code", "section_code", "starts_at", "code", "minutes_late"]


@pytest.fixture
def class_():
    """Two students, of whom one has a hostile number, and two sessions around the end of summer time."""
    codes = usual_codes()
    AttendanceCode.objects.filter(code="late").update(takes_minutes=True)
    section = SectionFactory(
        code="01", course__code="CS1", term__code="T", campus=CampusFactory(time_zone="Europe/Vienna")
    )
    begins = [datetime(2026, 10, 24, 7, tzinfo=UTC), datetime(2026, 10, 26, 8, tzinfo=UTC)]
    sessions = [ClassSessionFactory(section=section, starts_at=at, local_date=at.date()) for at in begins]
    numbers = ("=1+1", 'S1, "the\nsecond"')
    class_ = [EnrollmentFactory(section=section, student__student_no=n, enrolled_at=None) for n in numbers]
    for session, enrollment, code, minutes in (
        (0, 0, codes.present, None), (0, 1, codes.late, 7), (1, 0, codes.absent, None)
    ):  # fmt: skip
        AttendanceRecordFactory(
            session=sessions[session], enrollment=class_[enrollment], code=code, minutes_late=minutes, source="import"
        )
    return SimpleNamespace(section=section, sessions=sessions, enrollments=class_)


def content(answer):
    assert answer.status_code == 200, answer.json()
    return b"".join(answer.streaming_content)


def table(answer):
    return list(csv.reader(io.StringIO(content(answer).decode("utf-8-sig"), newline="")))


def sheet(answer):
    workbook = load_workbook(io.BytesIO(content(answer)), read_only=True)
    return [list(row) for row in workbook.active.iter_rows(values_only=True)]


def test_a_section_is_a_table_that_no_spreadsheet_takes_for_formulas(registrar_client, class_):
    answer = registrar_client.get(f"{EXPORT}?section={class_.section.pk}")

    assert answer["Content-Disposition"] == 'attachment; filename="attendance.csv"'
    at = ["T", "CS1", "01"]
    assert table(answer) == [
        HEADER,
        ["'=1+1", *at, "2026-10-24T09:00:00+02:00", "present", ""],
        ['S1, "the\nsecond"', *at, "2026-10-24T09:00:00+02:00", "late", "7"],
        ["'=1+1", *at, "2026-10-26T09:00:00+01:00", "absent", ""],
    ]
    rows = sheet(registrar_client.get(f"{EXPORT}?term={class_.section.term_id}&format=xlsx"))
    assert rows[0] == HEADER
    assert [(row[0], row[5], row[6]) for row in rows[1:]] == [
        ("=1+1", "present", None), ("S1, \"the\nsecond\"", "late", 7), ("=1+1", "absent", None)
    ]  # fmt: skip
    assert len(table(registrar_client.get(f"{EXPORT}?section={class_.section.pk}&date_from=2026-10-25"))) == 2
    assert len(table(registrar_client.get(f"{EXPORT}?term={class_.section.term_id}&date_to=2026-10-25"))) == 3


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_what_was_exported_is_imported_again_as_it_was(registrar_client, class_, kind, tmp_path):
    exported = content(registrar_client.get(f"{EXPORT}?section={class_.section.pk}&format={kind}"))
    file = tmp_path / f"marks.{kind}"
    file.write_bytes(exported)
    columns = ("session", "enrollment", "code", "minutes_late", "source")
    before = set(AttendanceRecord.objects.values_list(*columns))

    def job():
        found = services.from_path(by=None, kind="attendance", path=file, force=True)
        services.validate(found.pk, by=None)
        return services.apply(found.pk, by=None)

    again = job()
    assert (totals(again), reasons(again)) == ((0, 0, 3, 0), [])
    AttendanceRecord.objects.all().delete()
    assert totals(job()) == (3, 0, 0, 0)
    assert set(AttendanceRecord.objects.values_list(*columns)) == before


def test_a_class_begins_at_the_time_of_where_its_room_is(registrar_client, class_, tmp_path):
    away = RoomFactory(building__campus=CampusFactory(time_zone="Asia/Kolkata"))
    ClassSession.objects.filter(pk=class_.sessions[0].pk).update(room=away)

    rows = table(registrar_client.get(f"{EXPORT}?section={class_.section.pk}"))

    assert [row[4] for row in rows[1:]] == [
        "2026-10-24T12:30:00+05:30", "2026-10-24T12:30:00+05:30", "2026-10-26T09:00:00+01:00"
    ]  # fmt: skip


def test_whoever_is_shown_nothing_of_a_section_exports_nothing_of_it(class_, user_with, client_for):
    taught = SectionInstructorFactory(section=class_.section)
    teacher = client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))
    stranger = client_for(user_with(Role.FACULTY, "self"))
    student = client_for(user_with(Role.STUDENT, "self", person=class_.enrollments[1].student.person))
    AttendanceRecordFactory()

    query = f"{EXPORT}?section={class_.section.pk}"
    assert len(table(teacher.get(query))) == 4
    assert table(stranger.get(query)) == [HEADER]
    assert [row[0] for row in table(student.get(query))[1:]] == ['S1, "the\nsecond"']
    assert Disclosure.objects.filter(what="attendance", route="AttendanceExportViewSet.export").exists()


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "section_or_term_required"), ("date_from=2026-10-01", "section_or_term_required"),
        ("section=x", "invalid_parameter"), ("section={s}&format=pdf", "invalid_choice"),
        ("section={s}&page=2", "unknown_parameter"),
        ("section={s}&fields=id", "unknown_parameter"), ("section={s}&ordering=id", "unknown_parameter"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused(registrar_client, class_, query, code):
    answer = registrar_client.get(f"{EXPORT}?{query.format(s=class_.section.pk)}")

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.checklist(48)
@pytest.mark.parametrize("what", ["records", "shortages", "decisions"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_table_that_would_keep_a_web_worker_is_refused_with_the_way_to_it(
    registrar_client, class_, monkeypatch, what, kind
):
    section = short(class_)
    url = f"/api/v1/attendance/{what}/export/?section={section.pk}&format={kind}"
    assert registrar_client.get(url).status_code == 200
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 0)

    told = registrar_client.get(url).json()

    assert (told["status"], told["code"]) == (400, "too_many_rows")
    assert told["errors"][0]["meta"] == {"most": 0, "instead": "/api/v1/exports/"}
    assert "/api/v1/exports/" in told["detail"]


def test_whether_a_table_has_changed_is_asked_without_joining_every_mark(registrar_client, class_):
    query = f"{EXPORT}?term={class_.section.term_id}"
    with CaptureQueriesContext(connection) as captured:
        tag = registrar_client.get(query).headers["ETag"]

    (newest,) = (each["sql"] for each in captured if 'MAX("attendance_attendancerecord"."updated_at")' in each["sql"])
    assert not re.search(r"students_student|courses_course|departments_campus", newest)
    for changed in (class_.enrollments[0].student, class_.section.campus, AttendanceCode.objects.get(code="late")):
        changed.save()
        before, tag = tag, registrar_client.get(query).headers["ETag"]
        assert tag != before


def test_nothing_is_sent_again_to_whoever_has_it(registrar_client, class_):
    query = f"{EXPORT}?section={class_.section.pk}"
    tag = registrar_client.get(query)["ETag"]
    assert registrar_client.get(query, headers={"If-None-Match": tag}).status_code == 304

    AttendanceRecord.objects.first().delete()

    assert registrar_client.get(query, headers={"If-None-Match": tag}).status_code == 200


def test_a_longer_table_costs_the_same_for_each_fifty_sessions(registrar_client, class_, django_assert_max_num_queries):
    for day in range(60):
        at = class_.sessions[1].starts_at + timedelta(days=day + 1)
        session = ClassSessionFactory(section=class_.section, starts_at=at, local_date=at.date())
        for enrollment in class_.enrollments:
            AttendanceRecordFactory(session=session, enrollment=enrollment)

    with django_assert_max_num_queries(15):
        rows = table(registrar_client.get(f"{EXPORT}?section={class_.section.pk}"))

    assert len(rows) == 124
    assert [row[4] for row in rows[1:]] == sorted(row[4] for row in rows[1:])


def test_classes_of_others_cost_whoever_sees_a_row_nothing(class_, user_with, client_for):
    student = client_for(user_with(Role.STUDENT, "self", person=class_.enrollments[1].student.person))
    query = f"{EXPORT}?term={class_.section.term_id}"
    student.get(query)

    def statements():
        with CaptureQueriesContext(connection) as captured:
            assert len(table(student.get(query))) == 2
        return len(captured)

    alone = statements()
    section = SectionFactory(term=class_.section.term)
    sessions = [ClassSessionFactory.build(section=section) for _ in range(1_000)]
    ClassSession.objects.bulk_create(sessions)

    assert statements() == alone
    assert ClassSession.objects.filter(section=section).count() == 1_000


def test_a_table_of_more_classes_than_are_known_ahead_is_whole_and_in_order(registrar_client, class_, monkeypatch):
    for day in range(9):
        at = class_.sessions[1].starts_at + timedelta(days=day // 2 + 1)
        session = ClassSessionFactory(section=class_.section, starts_at=at, local_date=at.date())
        AttendanceRecordFactory(session=session, enrollment=class_.enrollments[0])
    query = f"{EXPORT}?section={class_.section.pk}"
    whole = table(registrar_client.get(query))
    monkeypatch.setattr(exporting, "KNOWN", 3)
    monkeypatch.setattr(exporting, "SESSIONS", 2)

    assert table(registrar_client.get(query)) == whole
    assert len(whole) == 13


# --- shortages and decisions ---


def short(class_):
    """Let one of the two fall short, and decide about both."""
    usual_codes()
    eligibility.decide_eligibility([class_.section.pk], by=None, at=timezone.now())
    return class_.section


@pytest.mark.parametrize("what", ["shortages", "decisions"])
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_shortages_and_decisions_are_tables_too_and_put_on_record(registrar_client, class_, what, kind):
    section = short(class_)

    answer = registrar_client.get(f"/api/v1/attendance/{what}/export/?section={section.pk}&format={kind}")

    assert answer["Content-Disposition"] == f'attachment; filename="{what}.{kind}"'
    rows = (table if kind == "csv" else sheet)(answer)
    lines = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    first = class_.enrollments[0]
    (own,) = (line for line in lines if line["last_name"] == first.student.person.last_name)
    assert [own[name] for name in ("term", "course_code", "section_code")] == ["T", "CS1", "01"]
    assert own["student_no"] == ("'=1+1" if kind == "csv" else "=1+1")
    assert (own["last_name"], str(own["counted"])) == (first.student.person.last_name, "2")
    assert float(own["percent"]) == 50
    if what == "shortages":
        assert (len(lines), own["status"], str(own["may_miss"])) == (1, "enrolled", "0")
    else:
        assert sorted(line["outcome"] for line in lines) == ["eligible", "not_eligible"]
        assert not {"reason", "note"} & own.keys()
    assert Disclosure.objects.filter(what="attendance").count() == len(lines)


@pytest.mark.parametrize("what", ["shortages", "decisions"])
def test_people_are_called_as_they_wish_to_be(registrar_client, class_, what):
    Person.objects.filter(pk=class_.enrollments[0].student.person_id).update(
        first_name="Augusta", preferred_name="Pref"
    )
    section = short(class_)

    shown = content(registrar_client.get(f"/api/v1/attendance/{what}/export/?section={section.pk}")).decode()

    assert (",Pref," in shown, "Augusta" in shown) == (True, False)


@pytest.mark.parametrize("what", ["shortages", "decisions"])
def test_a_table_of_shortages_or_decisions_shows_nobody_more_than_the_list(class_, user_with, client_for, what):
    section = short(class_)
    url = f"/api/v1/attendance/{what}/export/"
    teacher = client_for(
        user_with(Role.FACULTY, "self", person=SectionInstructorFactory(section=section).faculty.person)
    )
    stranger = client_for(user_with(Role.FACULTY, "self", person=SectionInstructorFactory().faculty.person))

    assert len(table(teacher.get(f"{url}?term={section.term_id}"))) == (2 if what == "shortages" else 3)
    assert len(table(stranger.get(f"{url}?term={section.term_id}"))) == 1
    for query, code in (("", "section_or_term_required"), (f"?section={section.pk}&mood=good", "unknown_parameter")):
        answer = teacher.get(url + query)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


def test_a_table_of_decisions_that_somebody_has_is_not_sent_again_and_a_longer_one_costs_no_more(
    registrar_client, class_, django_assert_max_num_queries
):
    section = short(class_)
    url = f"/api/v1/attendance/decisions/export/?section={section.pk}&is_current=true"
    tag = registrar_client.get(url).headers["ETag"]

    assert registrar_client.get(url, headers={"If-None-Match": tag}).status_code == 304
    for _ in range(20):
        EnrollmentFactory(section=section)
    eligibility.decide_eligibility([section.pk], by=None, at=timezone.now())
    with django_assert_max_num_queries(7):
        assert len(table(registrar_client.get(url))) == 23
    with django_assert_max_num_queries(8):
        assert len(table(registrar_client.get(f"/api/v1/attendance/shortages/export/?term={section.term_id}"))) == 2
