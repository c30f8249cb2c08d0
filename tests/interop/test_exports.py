"""Tables that are made in the background: as whoever asked, whatever is killed, and for nobody else."""

import csv
import errno
import io
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import DiskFull

from accounts.models import RoleAssignment, User
from accounts.roles import Role
from attendance.models import AttendanceRecord
from audit.models import Disclosure, Event
from core import exports
from core.db.notifications import direct_conninfo
from core.ids import new_id
from core.models import OutboxEvent
from core.models import PreparedState as State
from interop import services
from interop.models import ExportJob
from interop.services import exporting, making
from privacy.services import apply_retention
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionFactory, SectionInstructorFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.racing import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(48)]
EXPORTS = "/api/v1/exports/"
CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE = 60
# A worker that comes to the end of a table and not to that of its file.
UNENDING = """
import sys, time, uuid
import django
django.setup()
from django.utils import timezone
from core import tables
from interop.services import making
document = tables.document
def unending(lines):
    yield from document(lines)
    time.sleep(600)
tables.document = unending
making.make_export(uuid.UUID(sys.argv[1]), at=timezone.now())
"""


@pytest.fixture(autouse=True)
def export_root(settings, tmp_path):
    settings.EXPORT_ROOT = tmp_path / "exports"
    return tmp_path / "exports" / "tables"


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Let what waits for the commit happen at the end of a block."""
    return django_capture_on_commit_callbacks


def marked(**section):
    """Two students of whom one has a hostile number, and three marks in two sessions."""
    codes = usual_codes()
    section = SectionFactory(**section)
    sessions = [ClassSessionFactory(section=section) for _ in range(2)]
    class_ = [
        EnrollmentFactory(section=section, student__student_no=f"{number}{section.pk.hex[-6:]}", enrolled_at=None)
        for number in ("=1+", "S")
    ]
    for session, enrollment in ((0, 0), (0, 1), (1, 0)):
        AttendanceRecordFactory(session=sessions[session], enrollment=class_[enrollment], code=codes.absent)
    return SimpleNamespace(section=section, sessions=sessions, enrollments=class_)


@pytest.fixture
def class_():
    return marked()


def asked(client, kind="attendance_records", format="csv", **filters):  # noqa: A002 - the field's name
    body = {"kind": kind, "format": format, "filters": {name: str(value) for name, value in filters.items()}}
    answer = client.post(EXPORTS, body, format="json")
    assert answer.status_code == 202, answer.json()
    return answer.json()["data"]


def made(client, **question):
    """Ask, let a worker make the table, and return what the API says of it."""
    export_id = asked(client, **question)["id"]
    services.make_export(ExportJob.objects.get(pk=export_id).pk, at=timezone.now())
    return client.get(f"{EXPORTS}{export_id}/").json()["data"]


def fetched(client, export):
    answer = client.get(f"{EXPORTS}{export['id']}/download/")
    assert answer.status_code == 200, answer.json()
    return b"".join(answer.streaming_content)


def rows(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def refusal(answer):
    return answer.status_code, answer.json()["errors"][0]["code"], answer.json()["errors"][0]["field"]


class TestATable:
    @pytest.mark.parametrize("kind", ["records", "shortages", "decisions"])
    @pytest.mark.parametrize("format_", ["csv", "xlsx"])
    @pytest.mark.checklist(52)
    def test_is_what_is_sent_to_whoever_waits(self, registrar_client, class_, kind, format_):
        export = made(registrar_client, kind=f"attendance_{kind}", format=format_, section=class_.section.pk)

        waited = registrar_client.get(f"/api/v1/attendance/{kind}/export/?section={class_.section.pk}&format={format_}")
        now = b"".join(waited.streaming_content)
        assert (export["state"], export["failure"]) == ("ready", "")
        assert fetched(registrar_client, export) == now
        assert export["size"] == len(now)
        assert export["rows"] == export["rows_total"] == {"records": 3, "shortages": 2, "decisions": 0}[kind]

    def test_says_what_it_is_and_how_it_stands(self, registrar_client, registrar, class_):
        export = asked(registrar_client, format="xlsx", section=class_.section.pk, date_from="2026-01-01")

        assert (export["state"], export["rows"], export["rows_total"]) == ("requested", 0, None)
        assert export["filters"] == {"section": str(class_.section.pk), "date_from": "2026-01-01"}
        assert export["requested_by"]["id"] == str(registrar.pk)
        services.make_export(ExportJob.objects.get().pk, at=timezone.now())
        assert [row["id"] for row in registrar_client.get(f"{EXPORTS}?state=ready&format=xlsx").json()["data"]] == [
            export["id"]
        ]
        assert registrar_client.get(f"{EXPORTS}?state=failed").json()["data"] == []
        answer = registrar_client.get(f"{EXPORTS}{export['id']}/download/")
        sheet = load_workbook(io.BytesIO(b"".join(answer.streaming_content)), read_only=True).active
        assert len(list(sheet.iter_rows())) == 4
        assert answer["Content-Disposition"] == 'attachment; filename="attendance_records.xlsx"'
        assert ExportJob.objects.get().downloaded_at is not None

    def test_is_made_of_what_whoever_asked_sees_when_it_is_made(self, class_, user_with, client_for):
        teaching = SectionInstructorFactory(section=class_.section)
        teacher = client_for(user_with(Role.FACULTY, "self", person=teaching.faculty.person))
        student = client_for(user_with(Role.STUDENT, "self", person=class_.enrollments[1].student.person))
        other = marked()

        assert made(teacher, section=class_.section.pk)["rows"] == 3
        assert made(student, section=class_.section.pk)["rows"] == 1
        assert made(teacher, section=other.section.pk)["rows"] == 0
        export = asked(teacher, section=class_.section.pk)
        teaching.delete()
        services.make_export(ExportJob.objects.get(pk=export["id"]).pk, at=timezone.now())
        assert rows(fetched(teacher, export))[1:] == []

    @pytest.mark.checklist(83)
    def test_puts_on_record_whom_it_shows_once_it_may_be_fetched(self, registrar_client, registrar, class_):
        asked(registrar_client, section=class_.section.pk)
        assert not Disclosure.objects.exists()

        services.make_export(ExportJob.objects.get().pk, at=timezone.now())

        people = {row.student.person_id for row in class_.enrollments}
        found = Disclosure.objects.values_list("subject_id", "actor_id", "what", "route")
        assert set(found) == {(person, registrar.pk, "attendance", "exports.attendance_records") for person in people}
        fetched(registrar_client, {"id": ExportJob.objects.get().pk})
        told = Event.objects.filter(action__startswith="export.").order_by("pk").values_list("action", "actor_id")
        assert list(told) == [(f"export.{act}", registrar.pk) for act in ("requested", "made", "handed_out")]

    @pytest.mark.checklist(95)
    def test_of_many_people_raises_the_alert_that_any_reading_of_many_does(self, registrar_client, class_, settings):
        settings.ALERT_DISCLOSED = 2
        made(registrar_client, section=class_.section.pk)

        call_command("raise_alerts")

        assert Event.objects.filter(action="alert.mass_disclosure").exists()

    def test_of_any_length_takes_the_same_statements_for_each_fifty_sessions(
        self, registrar_client, class_, django_assert_max_num_queries, monkeypatch
    ):
        for _ in range(60):
            session = ClassSessionFactory(section=class_.section)
            for enrollment in class_.enrollments:
                AttendanceRecordFactory(session=session, enrollment=enrollment)
        export = asked(registrar_client, section=class_.section.pk)

        monkeypatch.setattr(making, "SECONDS_BETWEEN", float("inf"))
        with django_assert_max_num_queries(42):
            services.make_export(ExportJob.objects.get(pk=export["id"]).pk, at=timezone.now())

        assert len(rows(fetched(registrar_client, export))) == 124

    def test_costs_whoever_sees_a_row_of_it_no_more_where_there_are_many_classes_of_others(
        self, class_, user_with, client_for, monkeypatch
    ):
        monkeypatch.setattr(making, "SECONDS_BETWEEN", float("inf"))
        student = client_for(user_with(Role.STUDENT, "self", person=class_.enrollments[1].student.person))

        def statements():
            export = asked(student, term=class_.section.term_id)
            with CaptureQueriesContext(connection) as captured:
                services.make_export(ExportJob.objects.get(pk=export["id"]).pk, at=timezone.now())
            assert len(rows(fetched(student, export))) == 2
            return len(captured)

        alone = statements()
        for _ in range(2):
            others = EnrollmentFactory(section=SectionFactory(term=class_.section.term), enrolled_at=None)
            for _ in range(60):
                AttendanceRecordFactory(session=ClassSessionFactory(section=others.section), enrollment=others)

        assert statements() == alone


class TestAsking:
    @pytest.mark.parametrize(
        ("body", "expected"),
        [
            ({}, (400, "required", "kind")),
            ({"kind": "salaries"}, (400, "invalid_choice", "kind")),
            ({"kind": "attendance_records", "format": "pdf"}, (400, "invalid_choice", "format")),
            ({"kind": "attendance_records"}, (400, "section_or_term_required", "filters.section")),
            (
                {"kind": "attendance_records", "filters": {"section": "x"}},
                (400, "invalid_parameter", "filters.section"),
            ),
            ({"kind": "attendance_records", "filters": {"search": "x"}}, (400, "unknown_filter", "filters.search")),
            ({"kind": "attendance_shortages", "filters": {"format": "x"}}, (400, "unknown_filter", "filters.format")),
            (
                {"kind": "attendance_shortages", "filters": {"search": "x " * 20}},
                (400, "search_too_long", "filters.search"),
            ),
        ],
    )
    def test_for_what_means_nothing_is_refused(self, registrar_client, body, expected):
        assert refusal(registrar_client.post(EXPORTS, body, format="json")) == expected
        assert not ExportJob.objects.exists()

    def test_for_rows_that_one_may_not_read_at_all_is_refused(self, class_, user_with, client_for):
        body = {"kind": "attendance_shortages", "filters": {"section": str(class_.section.pk)}}
        student = client_for(user_with(Role.STUDENT, "self", person=class_.enrollments[1].student.person))

        assert refusal(student.post(EXPORTS, body, format="json")) == (403, "permission_denied", "kind")

    def test_twice_with_the_same_key_is_asking_once(self, registrar_client, class_):
        body = {"kind": "attendance_records", "filters": {"section": str(class_.section.pk)}}
        key = {"Idempotency-Key": "one-table"}

        answers = [registrar_client.post(EXPORTS, body, format="json", headers=key) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [202, 202]
        assert answers[1]["Idempotent-Replayed"] == "true"
        assert ExportJob.objects.count() == OutboxEvent.objects.filter(name="interop.export.requested").count() == 1

    def test_for_more_than_are_made_at_a_time_is_refused_until_one_is_there(self, registrar_client, class_):
        exports_ = [asked(registrar_client, section=class_.section.pk) for _ in range(exporting.MOST_TO_COME)]
        body = {"kind": "attendance_records", "filters": {"section": str(class_.section.pk)}}

        assert refusal(registrar_client.post(EXPORTS, body, format="json"))[:2] == (409, "too_many_exports")
        services.make_export(ExportJob.objects.get(pk=exports_[0]["id"]).pk, at=timezone.now())
        asked(registrar_client, section=class_.section.pk)

    def test_for_more_than_are_kept_is_refused_until_one_is_deleted(self, registrar_client, class_, monkeypatch):
        monkeypatch.setattr(exporting, "MOST_AT_ONCE", 2)
        kept = [made(registrar_client, section=class_.section.pk) for _ in range(2)]
        body = {"kind": "attendance_records", "filters": {"section": str(class_.section.pk)}}

        assert refusal(registrar_client.post(EXPORTS, body, format="json"))[:2] == (409, "too_many_exports")
        assert registrar_client.delete(f"{EXPORTS}{kept[0]['id']}/").status_code == 204
        asked(registrar_client, section=class_.section.pk)

    @pytest.mark.django_db(transaction=True)
    def test_many_times_at_once_is_asking_for_no_more(self, class_, registrar):
        filters = {"section": str(class_.section.pk)}

        def ask():
            services.request_export(by=registrar, kind="attendance_records", filters=filters)

        outcomes = at_once(*[ask] * 8)

        assert outcomes.count("too_many_exports") == 8 - exporting.MOST_TO_COME
        assert ExportJob.objects.count() == exporting.MOST_TO_COME


class TestWhoMayFetchIt:
    def test_whoever_asked_and_nobody_else(self, registrar_client, class_, user_with, client_for):
        export = made(registrar_client, section=class_.section.pk)
        place = f"{EXPORTS}{export['id']}/"

        auditor, other = client_for(user_with(Role.AUDITOR)), client_for(user_with(Role.REGISTRAR))
        assert auditor.get(place).status_code == 200
        assert auditor.get(f"{place}download/").status_code == auditor.delete(place).status_code == 403
        assert {other.get(url).status_code for url in (place, f"{place}download/")} == {404}
        assert other.get(EXPORTS).json()["data"] == []

    @pytest.mark.checklist(11)
    def test_nobody_once_the_permission_is_lost(self, class_, user_with, client_for):
        user = user_with(Role.REGISTRAR)
        export = made(client_for(user), section=class_.section.pk)
        RoleAssignment.objects.filter(user=user).update(role=Role.EXAMINER)

        answer = client_for(User.objects.get(pk=user.pk)).get(f"{EXPORTS}{export['id']}/download/")

        assert refusal(answer)[:2] == (403, "permission_denied")

    @pytest.mark.checklist(11)
    def test_nobody_who_holds_the_permission_in_fewer_places_by_now(self, user_with, client_for):
        class_ = marked()
        user = user_with(Role.REGISTRAR)
        export = made(client_for(user), section=class_.section.pk)
        RoleAssignment.objects.filter(user=user).update(
            scope_kind="department", scope_id=class_.section.course.department_id
        )

        client = client_for(User.objects.get(pk=user.pk))
        assert refusal(client.get(f"{EXPORTS}{export['id']}/download/"))[:2] == (403, "out_of_scope")
        assert fetched(client, made(client, section=class_.section.pk))

    @pytest.mark.checklist(11)
    @pytest.mark.parametrize("lost", ["role", "account"])
    def test_nothing_is_made_for_whoever_has_lost_it_before(self, class_, user_with, client_for, lost, export_root):
        user = user_with(Role.REGISTRAR)
        asked(client_for(user), section=class_.section.pk)
        if lost == "role":
            RoleAssignment.objects.filter(user=user).delete()
        else:
            User.objects.filter(pk=user.pk).update(is_active=False)

        failed = services.make_export(ExportJob.objects.get().pk, at=timezone.now())

        code = {"role": "permission_denied", "account": "out_of_scope"}[lost]
        assert (failed.state, failed.failure, failed.stored_name) == (State.FAILED, code, "")
        assert not Disclosure.objects.exists()


class TestTheWork:
    def test_a_worker_is_woken_by_what_is_asked_for(self, registrar_client, class_, work):
        export = asked(registrar_client, section=class_.section.pk)

        assert work() == 1

        assert registrar_client.get(f"{EXPORTS}{export['id']}/").json()["data"]["state"] == "ready"

    def test_says_how_far_it_has_come_and_stops_when_the_table_is_deleted(
        self, registrar_client, class_, monkeypatch, export_root, committed
    ):
        monkeypatch.setattr(making, "SECONDS_BETWEEN", 0)
        export = asked(registrar_client, section=class_.section.pk)
        seen, say = [], making._Run.say

        def watched(run, **facts):
            say(run, **facts)
            seen.append(ExportJob.objects.values_list("rows", "rows_total").get())
            if run.rows == 2:
                assert registrar_client.delete(f"{EXPORTS}{export['id']}/").status_code == 204

        monkeypatch.setattr(making._Run, "say", watched)
        with committed(execute=True):
            assert services.make_export(ExportJob.objects.get().pk, at=timezone.now()) is None

        assert seen == [(0, 3), (0, 3), (1, 3), (2, 3)]
        assert (list(export_root.iterdir()), ExportJob.objects.count()) == ([], 0)
        assert not Disclosure.objects.exists()

    def test_whoever_comes_beside_somebody_who_is_at_it_gives_way_and_takes_over_after_a_silence(
        self, registrar_client, class_, monkeypatch, export_root
    ):
        asked(registrar_client, section=class_.section.pk)
        pk, later = ExportJob.objects.get().pk, timezone.now() + exporting.SILENCE * 2
        raced, say = [], making._Run.say

        def overtaken(run, **facts):
            monkeypatch.setattr(making._Run, "say", say)
            raced.extend(services.make_export(pk, at=at) for at in (timezone.now(), later))
            say(run, **facts)

        monkeypatch.setattr(making._Run, "say", overtaken)
        late = services.make_export(pk, at=timezone.now())

        assert (late, raced[0], raced[1].state) == (None, None, State.READY)
        assert [place.name for place in export_root.iterdir()] == [ExportJob.objects.get().stored_name]
        assert services.make_export(pk, at=later) is None

    def test_what_no_worker_is_heard_of_is_begun_again_and_given_up_after_some_tries(
        self, registrar_client, class_, work
    ):
        asked(registrar_client, section=class_.section.pk)
        job = ExportJob.objects.get()
        for _ in range(making.MOST_ATTEMPTS):
            assert making._begin(job.pk, new_id(), timezone.now()) is not None
            ExportJob.objects.update(updated_at=timezone.now() - exporting.SILENCE)
            call_command("tend_exports")

        work()

        job.refresh_from_db()
        assert (job.state, job.failure) == (State.FAILED, "export_interrupted")

    def test_what_takes_too_long_is_given_up(self, registrar_client, class_, export_root):
        asked(registrar_client, section=class_.section.pk)

        failed = services.make_export(ExportJob.objects.get().pk, at=timezone.now(), seconds=0)

        assert (failed.state, failed.failure) == (State.FAILED, "export_took_too_long")

    def test_goes_on_at_so_many_tables_at_a_time_and_each_that_ends_lets_the_next_begin(
        self, registrar_client, class_, settings, monkeypatch
    ):
        settings.EXPORTS_AT_ONCE = 2
        jobs = [ExportJob.objects.get(pk=asked(registrar_client, section=class_.section.pk)["id"]) for _ in range(3)]
        at, say, left = timezone.now(), making._Run.say, []
        assert making._begin(jobs[0].pk, new_id(), at) is not None

        def beside(run, **facts):
            monkeypatch.setattr(making._Run, "say", say)
            left.append(services.make_export(jobs[2].pk, at=at))
            say(run, **facts)

        monkeypatch.setattr(making._Run, "say", beside)
        assert services.make_export(jobs[1].pk, at=at).state == State.READY

        jobs[2].refresh_from_db()
        assert (left, jobs[2].state, jobs[2].attempts, jobs[2].started_at) == ([None], State.REQUESTED, 0, None)
        assert services.make_export(jobs[2].pk, at=at).state == State.READY
        # Two were woken by being asked for, the third by the end of the second as well.
        assert OutboxEvent.objects.filter(name="interop.export.requested").count() == 4

    def test_that_waits_for_its_turn_is_not_taken_for_one_that_nobody_survives(
        self, registrar_client, class_, settings, work
    ):
        settings.EXPORTS_AT_ONCE = 1
        first, waits = (
            ExportJob.objects.get(pk=asked(registrar_client, section=class_.section.pk)["id"]) for _ in range(2)
        )
        run_id = new_id()
        assert making._begin(first.pk, run_id, timezone.now()) is not None
        for _ in range(making.MOST_ATTEMPTS + 1):
            ExportJob.objects.filter(pk=waits.pk).update(updated_at=timezone.now() - exporting.SILENCE)
            call_command("tend_exports")
            work()

        waits.refresh_from_db()
        assert (waits.state, waits.attempts) == (State.REQUESTED, 0)
        # A worker that is heard of no more holds no place.
        ExportJob.objects.filter(pk=first.pk).update(updated_at=timezone.now() - exporting.SILENCE)
        assert services.make_export(waits.pk, at=timezone.now()).state == State.READY

    @pytest.mark.parametrize("fault", ["timeout", "database full", "disk full"])
    def test_that_would_fail_again_is_given_up_at_once(self, registrar_client, class_, monkeypatch, export_root, fault):
        asked(registrar_client, section=class_.section.pk)
        table = exports.tables()["attendance_records"]
        faults = {
            "database full": OperationalError("could not extend file"),
            "disk full": OSError(errno.ENOSPC, "full"),
        }
        if fault == "database full":
            faults[fault].__cause__ = DiskFull()

        def failing(found, asked_for):
            yield [["student_no"]]
            if fault == "timeout":
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute("SET LOCAL statement_timeout = 1")
                    cursor.execute("SELECT pg_sleep(5)")
            raise faults[fault]

        monkeypatch.setattr(table, "batches", failing)
        failed = services.make_export(ExportJob.objects.get().pk, at=timezone.now())

        assert (failed.state, failed.failure, failed.attempts) == (State.FAILED, "export_failed", 1)
        assert list(export_root.iterdir()) == []

    @pytest.mark.parametrize("fault", [OperationalError("the connection is closed"), ValueError("a bug")])
    def test_that_fails_otherwise_is_left_to_the_next(self, registrar_client, class_, monkeypatch, fault):
        export, waits = (asked(registrar_client, section=class_.section.pk) for _ in range(2))
        job = ExportJob.objects.get(pk=export["id"])
        table = exports.tables()["attendance_records"]
        with monkeypatch.context() as patched:
            patched.setattr(table, "size", lambda *_args, **_facts: (_ for _ in ()).throw(fault))
            with pytest.raises(type(fault)):
                services.make_export(job.pk, at=timezone.now())

        job.refresh_from_db()
        assert (job.state, job.run_id, job.attempts) == (State.REQUESTED, None, 1)
        assert services.make_export(ExportJob.objects.get(pk=waits["id"]).pk, at=timezone.now()).state == State.READY
        assert services.make_export(job.pk, at=timezone.now()).state == State.READY

    @pytest.mark.parametrize("until", ["its time is over", "it is deleted", "another one begins"])
    def test_that_finds_nothing_ends_all_the_same(self, registrar_client, class_, monkeypatch, export_root, until):
        monkeypatch.setattr(making, "SECONDS_BETWEEN", 0)
        export = asked(registrar_client, section=class_.section.pk)
        table, looked = exports.tables()["attendance_records"], []

        def finding_nothing(found, asked_for):
            yield [["student_no"]]
            while len(looked) < 1000:
                looked.append(len(looked))
                if until == "it is deleted" and len(looked) == 3:
                    registrar_client.delete(f"{EXPORTS}{export['id']}/")
                if until == "another one begins" and len(looked) == 3:
                    making._begin(ExportJob.objects.get().pk, new_id(), timezone.now() + exporting.SILENCE * 2)
                yield []

        monkeypatch.setattr(table, "batches", finding_nothing)
        seconds = 0.5 if until == "its time is over" else 600
        ended = services.make_export(ExportJob.objects.get().pk, at=timezone.now(), seconds=seconds)

        assert (ended and ended.failure) == ("export_took_too_long" if until == "its time is over" else None)
        assert len(looked) < 1000
        assert list(export_root.iterdir()) == []

    @pytest.mark.parametrize(("limit", "format_"), [("MOST", "csv"), ("MOST_ROWS", "xlsx")])
    def test_what_is_longer_than_any_table_is_refused(self, registrar_client, class_, monkeypatch, limit, format_):
        monkeypatch.setattr(exports, limit, 2)
        export = made(registrar_client, format=format_, section=class_.section.pk)

        assert (export["state"], export["failure"]) == ("failed", "too_many_rows")

    def test_what_comes_while_it_is_written_is_on_record_too(self, registrar_client, class_, monkeypatch):
        AttendanceRecord.objects.filter(enrollment=class_.enrollments[1]).delete()
        asked(registrar_client, section=class_.section.pk)
        batches = exports.tables()["attendance_records"].batches

        def growing(found, asked_for):
            AttendanceRecordFactory(session=class_.sessions[0], enrollment=class_.enrollments[1])
            yield from batches(found, asked_for)

        monkeypatch.setattr(exports.tables()["attendance_records"], "batches", growing)
        services.make_export(ExportJob.objects.get().pk, at=timezone.now())

        assert set(Disclosure.objects.values_list("subject_id", flat=True)) == {
            row.student.person_id for row in class_.enrollments
        }


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_killed_leaves_a_table_that_the_next_makes(registrar_client, settings, export_root, work):
    settings.DATABASE_DIRECT_URL = ""  # so that other processes are sent to the database of the tests
    class_ = marked()
    export = asked(registrar_client, section=class_.section.pk)
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    variables = {"DATABASE_URL": url, "DATABASE_DIRECT_URL": url, "EXPORT_ROOT": str(settings.EXPORT_ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", UNENDING, export["id"]], cwd=CHECKOUT, env={**os.environ, **variables}
    )
    deadline = time.monotonic() + PATIENCE
    while not (export_root.exists() and any(export_root.iterdir())):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    (left,) = export_root.iterdir()

    ExportJob.objects.update(updated_at=timezone.now() - exporting.SILENCE)
    call_command("tend_exports")
    assert work() >= 1

    again = registrar_client.get(f"{EXPORTS}{export['id']}/").json()["data"]
    assert (again["state"], again["rows"]) == ("ready", 3)
    assert len(rows(fetched(registrar_client, again))) == 4
    os.utime(left, (time.time() - 2 * 86400,) * 2)
    call_command("tend_exports")
    assert [place.name for place in export_root.iterdir()] == [ExportJob.objects.get().stored_name]


class TestTheFile:
    def test_is_handed_out_by_what_has_its_content_alone_and_tells_its_size(self, registrar_client, class_):
        export = made(registrar_client, section=class_.section.pk)
        place = f"{EXPORTS}{export['id']}/download/"

        head = registrar_client.head(place)
        assert (head.status_code, int(head["Content-Length"]), b"".join(head)) == (200, export["size"], b"")
        assert registrar_client.get(place, headers={"If-None-Match": head["ETag"]}).status_code == 304
        assert not Event.objects.filter(action="export.handed_out").exists()
        assert ExportJob.objects.get().downloaded_at is None

        answer = registrar_client.get(place)
        assert len(b"".join(answer.streaming_content)) == int(answer["Content-Length"]) == export["size"]
        assert answer["ETag"] == head["ETag"]
        assert Event.objects.filter(action="export.handed_out").count() == 1

    def test_it_lies_encrypted_and_has_its_time(self, registrar_client, class_, export_root, committed, settings):
        export = made(registrar_client, section=class_.section.pk)
        (stored,) = export_root.iterdir()
        assert b"student_no" not in stored.read_bytes()
        ExportJob.objects.update(expires_at=timezone.now())
        answer = registrar_client.get(f"{EXPORTS}{export['id']}/download/")
        assert refusal(answer)[:2] == (409, "export_unavailable")

        with committed(execute=True):
            call_command("tend_exports")

        assert (ExportJob.objects.get().state, list(export_root.iterdir())) == (State.EXPIRED, [])
        ExportJob.objects.update(created_at=timezone.now() - settings.EXPORT_JOBS_KEPT - timedelta(days=1))
        apply_retention(at=timezone.now())
        assert not ExportJob.objects.exists()

    def test_it_is_deleted_with_what_is_known_of_it(self, registrar_client, class_, export_root, committed):
        export = made(registrar_client, section=class_.section.pk)

        with committed(execute=True):
            assert registrar_client.delete(f"{EXPORTS}{export['id']}/").status_code == 204

        assert (list(export_root.iterdir()), ExportJob.objects.count()) == ([], 0)
        assert registrar_client.get(f"{EXPORTS}{export['id']}/").status_code == 404

    def test_one_that_is_gone_or_not_there_yet_is_said_to_be(self, registrar_client, class_, export_root):
        waiting = asked(registrar_client, section=class_.section.pk)
        gone = made(registrar_client, section=class_.section.pk)
        for place in export_root.iterdir():
            place.unlink()

        for export in (waiting, gone):
            answer = registrar_client.get(f"{EXPORTS}{export['id']}/download/")
            assert refusal(answer)[:2] == (409, "export_unavailable")


def test_the_pages_of_the_administration_show_who_asked_for_what(client, user_with, registrar_client, class_):
    made(registrar_client, section=class_.section.pk)
    client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))

    listed = client.get("/admin/interop/exportjob/")
    shown = client.get(f"/admin/interop/exportjob/{ExportJob.objects.get().pk}/change/")

    assert (listed.status_code, shown.status_code) == (200, 200)
    assert b"attendance_records" in listed.content
    assert client.get("/admin/interop/exportjob/add/").status_code == 403
