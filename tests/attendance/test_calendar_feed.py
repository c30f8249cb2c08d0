"""Calendar feeds: whoever knows the secret reads a person's classes, at the right time, and nobody else does."""

import hashlib
import logging
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from accounts.roles import Role
from attendance import calendars
from attendance.models import CalendarFeed, ClassSession, Substitution
from attendance.services import Mark, cancel_session, mark_roster, reschedule_session
from audit.models import Event
from core.ids import new_id
from privacy import services as privacy
from tests.attendance.factories import ClassSessionFactory, SubstitutionFactory, usual_codes
from tests.courses.factories import SectionFactory, SectionInstructorFactory
from tests.departments.factories import CampusFactory, RoomFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
FEED = "/api/v1/attendance/calendar-feed/"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
VIENNA = ZoneInfo("Europe/Vienna")


@pytest.fixture
def section():
    return SectionFactory(code="01", course__code="CS1", campus=CampusFactory(time_zone="Europe/Vienna"))


@pytest.fixture
def student(section, user_with, client_for):
    """The client of a student of the section, with the enrolment and the account."""
    enrollment = EnrollmentFactory(section=section, enrolled_at=None)
    user = user_with(Role.STUDENT, "self", person=enrollment.student.person)
    client = client_for(user)
    client.enrollment, client.user = enrollment, user
    return client


def meet(section, days, **values):
    at = (timezone.now() + days * DAY).replace(microsecond=0)
    return ClassSessionFactory(section=section, starts_at=at, local_date=at.astimezone(VIENNA).date(), **values)


def path_of(client):
    answer = client.post(FEED)
    assert answer.status_code == 201, answer.json()
    return answer.json()["data"]["url"].removeprefix("http://localhost:8000")


def read(path):
    """Return the calendar as a program reads it that has nothing but the address."""
    answer = Client().get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert not answer.cookies
    return Calendar.from_ical(answer.content)


def events(path):
    return {str(event["uid"]): event for event in read(path).walk("VEVENT")}


# --- what it shows ---


def test_a_student_reads_the_classes_of_their_sections_and_no_others(student, section):
    past, soon = meet(section, -59), meet(section, 1, room=RoomFactory(name="Great Hall", building__name="Main"))
    meet(section, -61)
    meet(section, 401)
    meet(SectionFactory(), 1)
    EnrollmentFactory(section=SectionFactory(), student=student.enrollment.student, status="pending")

    found = events(path_of(student))

    assert set(found) == {str(past.pk), str(soon.pk)}
    event = found[str(soon.pk)]
    assert event.start == soon.starts_at
    assert event.end == soon.ends_at
    assert str(event["location"]) == "Main, Great Hall"
    assert str(event["summary"]) == f"CS1-01 {section.course_version.title}"
    assert str(event["status"]) == "CONFIRMED"


def test_a_teacher_reads_what_they_teach(section, user_with, client_for):
    taught = SectionInstructorFactory(section=section)
    session = meet(section, 3)
    meet(SectionFactory(), 3)

    found = events(path_of(client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person))))

    assert set(found) == {str(session.pk)}


def test_a_class_is_in_the_calendar_of_whoever_substitutes_and_not_of_the_teacher(section, user_with, client_for):
    taught, substitute = SectionInstructorFactory(section=section), FacultyFactory()
    given_away, kept = meet(section, 3), meet(section, 4)
    teachers, substitutes = (
        path_of(client_for(user_with(Role.FACULTY, "self", person=each.person)))
        for each in (taught.faculty, substitute)
    )
    asked = SubstitutionFactory(session=given_away, instructor=taught.faculty, substitute=substitute)
    assert (set(events(teachers)), set(events(substitutes))) == ({str(given_away.pk), str(kept.pk)}, set())

    Substitution.objects.filter(pk=asked.pk).update(status="accepted")

    assert (set(events(teachers)), set(events(substitutes))) == ({str(kept.pk)}, {str(given_away.pk)})


def test_who_has_left_keeps_what_was_before_and_who_joins_has_what_comes(student, section):
    before, after = meet(section, -3), meet(section, -1)
    student.enrollment.status, student.enrollment.dropped_at = "dropped", timezone.now() - 2 * DAY
    student.enrollment.save()

    assert set(events(path_of(student))) == {str(before.pk)}

    student.enrollment.status, student.enrollment.dropped_at = "enrolled", None
    student.enrollment.enrolled_at = timezone.now() - 2 * DAY
    student.enrollment.save()
    assert set(events(path_of(student))) == {str(after.pk)}


def test_a_class_that_is_moved_or_cancelled_stays_the_same_event(student, section, registrar):
    session = meet(section, 2)
    path = path_of(student)
    first = events(path)[str(session.pk)]

    reschedule_session(
        ClassSession.objects.get(pk=session.pk), starts_at=session.starts_at + HOUR, ends_at=session.ends_at + HOUR,
        by=registrar, at=timezone.now(),
    )  # fmt: skip
    moved = events(path)[str(session.pk)]
    cancel_session(
        ClassSession.objects.get(pk=session.pk), by=registrar, at=timezone.now(), reason="The heating is broken"
    )
    cancelled = events(path)[str(session.pk)]

    assert moved.start == first.start + HOUR
    assert moved["sequence"] > first["sequence"]
    assert moved["last-modified"].dt >= first["last-modified"].dt
    assert (str(cancelled["status"]), str(cancelled["description"])) == ("CANCELLED", "The heating is broken")
    assert cancelled["sequence"] > moved["sequence"]


def test_the_classes_of_a_person_are_looked_up_by_section_however_many_there_are(
    section, student, django_assert_num_queries
):
    teaches, substitute = SectionInstructorFactory(section=section), FacultyFactory()
    kept, given_away = meet(section, 3), meet(section, 4)
    SubstitutionFactory(session=given_away, instructor=teaches.faculty, substitute=substitute, status="accepted")
    at, other = timezone.now() - 50 * DAY, SectionFactory()
    ClassSession.objects.bulk_create(
        ClassSession(
            section=other, gathering=new_id(), planned_on=at.date(), local_date=at.date(),
            starts_at=at + number * HOUR / 2, ends_at=at + (number + 1) * HOUR / 2,
        )
        for number in range(5000)
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE attendance_classsession")

    for person, theirs in (
        (student.user.person_id, {kept, given_away}), (teaches.faculty.person_id, {kept}),
        (substitute.person_id, {given_away}),
    ):  # fmt: skip
        rows = calendars.classes_of(person, at=timezone.now())
        plan = rows.explain(analyze=True, costs=False, timing=False)
        assert not re.search(r"Seq Scan on attendance_classsession|session_by_time", plan), plan
        assert not re.search(r"Rows Removed by Filter: \d{3}", plan), plan
        assert set(rows) == theirs
    with django_assert_num_queries(4):
        list(calendars.classes_of(student.user.person_id, at=timezone.now()))


def test_what_happens_on_the_sheet_is_no_news_of_the_class(student, section):
    usual_codes()
    session, path = meet(section, -1), path_of(student)
    first, tag = events(path)[str(session.pk)], Client().get(path).headers["ETag"]

    for code in ("absent", "present"):
        mark_roster(
            ClassSession.objects.get(pk=session.pk), marks=[Mark(enrollment=student.enrollment.pk, code=code)], by=None,
            at=timezone.now(),
        )  # fmt: skip

    assert ClassSession.objects.get(pk=session.pk).version > session.version
    after = events(path)[str(session.pk)]
    assert (after["sequence"], after["last-modified"].dt) == (first["sequence"], first["last-modified"].dt)
    assert Client().get(path, headers={"If-None-Match": tag}).status_code == 304


# --- time ---


@pytest.mark.parametrize("zone", ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"])
def test_the_rules_of_the_zone_say_of_every_hour_what_the_zone_does(zone):
    now = datetime(2026, 11, 22, tzinfo=UTC)
    rules = calendars._timezone(
        ZoneInfo(zone), first=(now - calendars.BACK).date(), last=(now + calendars.AHEAD).date()
    )
    written = Calendar.from_ical(b"BEGIN:VCALENDAR\r\n" + rules.to_ical() + b"END:VCALENDAR\r\n").walk("VTIMEZONE")[0]
    onsets = sorted(
        ((each["dtstart"].dt - each["tzoffsetfrom"].td).replace(tzinfo=UTC), each["tzoffsetto"].td)
        for each in written.subcomponents
    )

    at = now - calendars.BACK
    while at < now + calendars.AHEAD:
        (*_, (_, offset)) = (each for each in onsets if each[0] <= at)
        assert offset == at.astimezone(ZoneInfo(zone)).utcoffset(), at
        at += HOUR / 2


def test_classes_around_a_change_of_the_clocks_and_midnight_are_at_their_instants(section, student):
    begins = [
        datetime(2026, 10, 24, 7, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
        datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
        datetime(2026, 10, 26, 8, tzinfo=UTC), datetime(2026, 10, 24, 21, 30, tzinfo=UTC),
    ]  # fmt: skip
    rows = [
        ClassSessionFactory(
            section=section, starts_at=at, ends_at=at + 2 * HOUR, local_date=at.astimezone(VIENNA).date()
        )
        for at in begins
    ]
    now = datetime(2026, 10, 20, tzinfo=UTC)

    found = calendars.classes_of(student.enrollment.student.person_id, at=now)
    text = calendars.written(found, at=now)

    read = {str(event["uid"]): event for event in Calendar.from_ical(text).walk("VEVENT")}
    for row in rows:
        event = read[str(row.pk)]
        assert (event.start.timestamp(), event.end.timestamp()) == (row.starts_at.timestamp(), row.ends_at.timestamp())
    assert b"DTSTART;TZID=Europe/Vienna:20261024T090000" in text
    assert b"DTSTART;TZID=Europe/Vienna:20261026T090000" in text


# --- the secret ---


def test_the_secret_is_told_once_and_kept_as_a_hash(student):
    path = path_of(student)
    secret = path.removeprefix("/calendars/").removesuffix(".ics")

    feed = CalendarFeed.objects.get()
    assert bytes(feed.secret_hash) == hashlib.sha256(secret.encode()).digest()
    assert len(secret.removeprefix("chc_")) == 43
    assert set(student.get(FEED).json()["data"]) == {"made_at"}
    made = list(Event.objects.filter(action="calendar_feed.made").values_list("detail", flat=True))
    assert len(made) == 1
    assert secret not in str(made)


def test_another_secret_replaces_the_former_and_revoking_ends_both(student):
    former, present = path_of(student), path_of(student)

    assert (Client().get(former).status_code, Client().get(present).status_code) == (404, 200)
    assert student.delete(FEED).status_code == 204
    assert Client().get(present).status_code == 404
    assert [student.get(FEED).status_code, student.delete(FEED).status_code] == [404, 404]


@pytest.mark.parametrize(
    "secret", ["x", "chc_" + "A" * 43, "chc_" + "é" * 43, "a%2Fb", "%00", "A" * 3000, "chc_" + "A" * 43 + "%0d%0a"]
)
def test_a_secret_that_nobody_has_opens_nothing(student, secret, django_assert_max_num_queries):
    path_of(student)

    with django_assert_max_num_queries(1):
        answer = Client().get(f"/calendars/{secret}.ics")

    assert answer.status_code in (400, 404)
    assert answer["Content-Type"] == "application/problem+json"


def test_nobody_reads_the_classes_of_an_account_that_is_closed_or_erased(student, section):
    meet(section, 1)
    path = path_of(student)
    student.user.is_active = False
    student.user.save()
    assert Client().get(path).status_code == 404

    student.user.is_active = True
    student.user.save()
    assert Client().get(path).status_code == 200
    student.enrollment.student.status = "graduated"
    student.enrollment.student.save()
    privacy.erase_person(student.user.person_id, dry_run=False)
    assert not CalendarFeed.objects.exists()
    assert Client().get(path).status_code == 404


def test_the_secret_is_in_no_line_of_the_log(student, caplog, capfd):
    path = path_of(student)
    secret = path.removeprefix("/calendars/").removesuffix(".ics")
    with caplog.at_level(logging.DEBUG):
        Client().get(path)
        student.delete(FEED)
        Client().get(path)
        logging.getLogger("anything").warning("somebody asked for %s", path)

    printed = capfd.readouterr()
    assert secret not in printed.err + printed.out


def test_whoever_has_what_there_is_is_told_so(student, section):
    session = meet(section, 1)
    path = path_of(student)
    first = Client().get(path)

    again = Client().get(path, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again["Cache-Control"] == first["Cache-Control"] == "private, max-age=300"

    ClassSession.objects.filter(pk=session.pk).update(note="Bring a book", version=2)
    assert Client().get(path, headers={"If-None-Match": first["ETag"]}).status_code == 200


def test_a_hundred_classes_cost_as_many_statements_as_one(student, section, django_assert_max_num_queries):
    path = path_of(student)
    for day in range(100):
        meet(section, day, room=None)

    with django_assert_max_num_queries(5):
        assert len(events(path)) == 100


def test_nothing_but_reading_is_answered(student):
    path = path_of(student)

    assert [Client().post(path).status_code, Client().put(path).status_code] == [405, 405]
    assert Client().head(path).status_code == 200


# --- who looks after them ---


@pytest.mark.checklist(49)
def test_whoever_tries_addresses_is_stopped_by_their_network(limits, student):
    path = path_of(student)
    limits(calendar=2)

    tried = [Client().get("/calendars/chc_nobody.ics").status_code for _ in range(2)]
    refused = Client().get(path)

    assert tried == [404, 404]
    assert (refused.status_code, refused["Content-Type"]) == (429, "application/problem+json")
    assert int(refused["Retry-After"]) > 0
    # What is not a calendar is none of it.
    assert student.get(FEED).status_code == 200


def test_feeds_are_looked_at_and_revoked_on_the_administration_pages(client, registrar, student):
    path = path_of(student)
    feed = CalendarFeed.objects.get()
    client.force_login(registrar)

    page = client.get(reverse("admin:attendance_calendarfeed_changelist")).content.decode()
    shown = client.get(reverse("admin:attendance_calendarfeed_change", args=[feed.pk])).content.decode()
    assert student.user.email in page
    assert feed.secret_hash.hex() not in shown
    assert client.get(reverse("admin:attendance_calendarfeed_add")).status_code == 403
    client.post(reverse("admin:attendance_calendarfeed_delete", args=[feed.pk]), {"post": "yes"})

    assert Client().get(path).status_code == 404
    assert Event.objects.get(action="calendar_feed.revoked").actor_id == registrar.pk


def test_who_looks_at_everything_revokes_no_feeds(client, user_with, student):
    path = path_of(student)
    delete = reverse("admin:attendance_calendarfeed_delete", args=[CalendarFeed.objects.get().pk])
    client.force_login(user_with(Role.AUDITOR, "institution", is_staff=True))

    assert client.get(reverse("admin:attendance_calendarfeed_changelist")).status_code == 200
    assert client.post(delete, {"post": "yes"}).status_code == 403
    assert Client().get(path).status_code == 200
