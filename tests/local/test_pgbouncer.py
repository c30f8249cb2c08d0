"""PgBouncer as it is deployed, between the product and PostgreSQL: what works through it, and what its end costs."""

import itertools
import signal
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from attendance.models import AttendanceRecord
from audit.models import Change
from campushub360.settings.faults import RELAY_CONNECTIONS
from core.api.bulkhead import OF, PARTS
from core.ids import new_id
from core.models import OutboxEvent
from courses.models import Section
from departments.models import Department
from enrollment.models import Enrollment
from students.models import Student
from tests.attendance.factories import (
    AttendancePolicyFactory,
    AttendanceRecordFactory,
    ClassSessionFactory,
    usual_codes,
)
from tests.courses.factories import SectionFactory, SectionInstructorFactory
from tests.departments.factories import DepartmentFactory, ProgramFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.interop.importing import table
from tests.local.conftest import eventually
from tests.local.pooler import CLIENTS, SERVERS, Answer, Pooler, Product, pooler, product
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.slow, pytest.mark.needs("pgbouncer"), pytest.mark.django_db(transaction=True)]

STUDENTS, DEPARTMENTS, ENROLLMENTS = "/api/v1/students/", "/api/v1/departments/", "/api/v1/enrollments/"
PROGRAM_ENROLLMENTS, SESSIONS = "/api/v1/program-enrollments/", "/api/v1/attendance/sessions/"
FILES, EXPORTS, NOTIFICATIONS = "/api/v1/files/", "/api/v1/exports/", "/api/v1/notifications/"
# What a session may remember from one transaction to the next.
MEMORY = """
    SELECT ARRAY[current_setting('campushub360.actor', true), current_setting('campushub360.key', true),
                 current_setting('campushub360.request', true), current_setting('campushub360.commit', true)],
           current_setting('lock_timeout'), current_setting('transaction_isolation'),
           (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
           (SELECT count(*) FROM pg_listening_channels()), (SELECT count(*) FROM pg_prepared_statements),
           (SELECT count(*) FROM pg_cursors), pg_my_temp_schema()
"""
SERVED = {200, 201}


@pytest.fixture(scope="module")
def pgbouncer(django_db_setup: None) -> Iterator[Pooler]:
    """Provide the deployed PgBouncer."""
    with pooler() as running:
        yield running


@pytest.fixture(scope="module")
def server(pgbouncer: Pooler) -> Iterator[Product]:
    """The product behind it."""
    with product(pgbouncer) as running:
        yield running


@pytest.fixture
def hall(user_with: Callable[..., User]) -> SimpleNamespace:
    """A session that begins now, its teacher, and six students who have accounts."""
    usual_codes()
    lasting = TermFactory(state="in_progress", ends_on=timezone.localdate() + timedelta(days=7))
    taught = SectionInstructorFactory(section__term=lasting)
    enrollments = EnrollmentFactory.create_batch(6, section=taught.section)
    return SimpleNamespace(
        session=ClassSessionFactory(section=taught.section, starts_at=timezone.now()),
        teacher=user_with(Role.FACULTY, "self", person=taught.faculty.person),
        enrollments=enrollments,
        students=[user_with(Role.STUDENT, person=row.student.person) for row in enrollments],
    )


@pytest.fixture
def token(server: Product, registrar: User) -> str:
    return server.log_in(registrar)[0]


def remembered(pgbouncer: Pooler) -> set[Any]:
    """Return what the sessions remember that are lent to whoever comes next: all of them, each looked at once."""
    with pgbouncer.everything_lent() as clients:
        assert len({client.execute("SELECT pg_backend_pid()").fetchone() for client in clients}) == SERVERS
        return {str(client.execute(MEMORY).fetchone()) for client in clients}


def nothing() -> set[str]:
    """Return what a session remembers in which nothing was ever done, and one that has forgotten."""
    return {str(([value] * 4, "0", "read committed", 0, 0, 0, 0, 0)) for value in (None, "")}


def shown(server: Product, path: str, token: str) -> Any:
    """Return what somebody is shown at a place."""
    return server.ask("GET", path, token=token).body["data"]


def departments(server: Product, token: str) -> Callable[[], Answer]:
    """Return what creates another department each time."""
    numbers = itertools.count()
    return lambda: server.ask("POST", DEPARTMENTS, {"code": f"D{next(numbers)}", "name": "Physics"}, token=token)


@contextmanager
def under_load(server: Product, token: str) -> Iterator[list[Answer]]:
    """Let people read and write all the time; nothing they were told was done may be missing afterwards."""
    asks: list[Callable[[], Answer]] = [
        lambda: server.ask("GET", STUDENTS, token=token),
        lambda: server.ask("GET", f"{STUDENTS}?page=1", token=token),
        departments(server, token),
    ]
    with server.asked_all_the_time(*asks) as answers:
        yield answers
    told = {answer.body["data"]["code"] for answer in answers if answer.status == 201}
    assert told <= set(Department.objects.values_list("code", flat=True))
    assert [answer for answer in answers if answer.status not in SERVED and not answer.is_refused_for_now] == []


def is_served(server: Product, token: str) -> bool:
    return server.ask("GET", STUDENTS, token=token).status == 200


def waiting_for_students(cursor: Any) -> int:
    """Return how many sessions wait for the table of students."""
    cursor.execute("SELECT count(*) FROM pg_locks WHERE relation = 'students_student'::regclass AND NOT granted")
    return int(cursor.fetchone()[0])


def asked_slowly(server: Product, token: str, times: int) -> list[Answer]:
    """Ask so often at once, in two ways, and let queries go on only when all the application's connections wait."""
    with ThreadPoolExecutor(times) as threads:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("LOCK TABLE students_student IN ACCESS EXCLUSIVE MODE")
            paths = itertools.islice(itertools.cycle([STUDENTS, PROGRAM_ENROLLMENTS]), times)
            asked = [threads.submit(server.ask, "GET", path, token=token) for path in paths]
            assert eventually(lambda: sum(each.done() for each in asked) == times - CLIENTS)
            assert eventually(lambda: waiting_for_students(cursor) == CLIENTS)
        return [each.result() for each in asked]


class TestThroughThePooler:
    def test_people_log_in_read_and_write(self, server: Product, registrar: User, pgbouncer: Pooler) -> None:
        StudentFactory.create_batch(5)

        _, refresh = server.log_in(registrar)
        pair = server.ask("POST", "/api/v1/auth/token/refresh/", {"refresh": refresh}).body["data"]
        token = f"Bearer {pair['access']}"
        first = server.ask("GET", f"{STUDENTS}?page_size=3", token=token).body
        rest = server.ask("GET", first["meta"]["pagination"]["next"], token=token).body
        second = server.ask("GET", f"{STUDENTS}?page=2&page_size=3", token=token).body
        made = server.ask("POST", DEPARTMENTS, {"code": "PHY", "name": "Physics"}, token=token)
        url = f"{DEPARTMENTS}{made.body['data']['id']}/"
        changed, late = (
            server.ask("PATCH", url, {"name": name}, token=token, If_Match=made.headers["ETag"]) for name in "AB"
        )
        items = [{"code": f"D{number}", "name": "Many"} for number in range(60)]
        many = server.ask("POST", f"{DEPARTMENTS}bulk-create/", {"items": items}, token=token)

        assert [len(page["data"]) for page in (first, rest, second)] == [3, 2, 2]
        assert second["meta"]["pagination"]["total"] == 5
        assert [answer.status for answer in (made, changed, late)] == [201, 200, 412]
        assert (many.status, many.body["data"]["succeeded"]) == (200, 60)
        assert remembered(pgbouncer) <= nothing()

    def test_as_many_get_a_seat_as_there_are(self, server: Product, token: str) -> None:
        section, students = SectionFactory(capacity=5), StudentFactory.create_batch(12)

        answers = server.ask_all(
            *[("POST", ENROLLMENTS, {"student": student.pk, "section": section.pk}) for student in students],
            token=token,
        )

        assert Counter(answer.status for answer in answers) == {201: 5, 409: 7}
        assert Enrollment.objects.filter(section=section).count() == 5
        assert Section.objects.get(pk=section.pk).enrolled_count == 5

    def test_one_of_many_with_the_same_key_takes_effect(self, server: Product, token: str) -> None:
        question = ("POST", DEPARTMENTS, {"code": "PHY", "name": "Physics"})

        with ThreadPoolExecutor(8) as threads:
            asked = [threads.submit(server.ask, *question, token=token, Idempotency_Key="once") for _ in range(8)]
        answers = [each.result() for each in asked]

        assert {answer.status for answer in answers} <= {201, 409}
        assert len({str(answer.body) for answer in answers if answer.status == 201}) == 1
        assert Department.objects.count() == 1

    def test_each_write_is_its_authors(
        self, server: Product, pgbouncer: Pooler, registrar: User, user_with: Callable[..., User]
    ) -> None:
        authors = [registrar, user_with(Role.REGISTRAR), user_with(Role.REGISTRAR)]
        tokens = [server.log_in(author)[0] for author in authors]

        with ThreadPoolExecutor(len(authors)) as threads:
            for number in range(5):
                bodies = [{"code": f"A{index}N{number}", "name": "Physics"} for index in range(len(authors))]
                list(
                    threads.map(lambda body, token: server.ask("POST", DEPARTMENTS, body, token=token), bodies, tokens)
                )

        made = {str(row.pk): authors[int(row.code[1])].pk for row in Department.objects.all()}
        written = Change.objects.filter(table_name="departments_department").values_list("row_id", "actor_id")
        assert len(made) == 15
        assert dict(written) == made
        assert remembered(pgbouncer) <= nothing()

    def test_commands_copy_rows_in_and_read_them_in_portions(self, pgbouncer: Pooler, tmp_path: Path) -> None:
        ProgramFactory(code="BSC", department=DepartmentFactory(code="SCI"))
        rows = [
            {"student_no": f"S{number}", "last_name": "Noether", "department": "SCI", "program": "BSC"}
            for number in range(50)
        ]

        pgbouncer.command("import_data", "students", str(table(tmp_path / "students.csv", *rows)), "--json")
        seen = pgbouncer.command("who_sees", "students.student", str(Student.objects.earliest("pk").pk))

        assert Student.objects.count() == 50
        assert seen.endswith("0 accounts.\n")
        assert remembered(pgbouncer) <= nothing()

    def test_a_relay_listens_past_it_and_opens_what_the_arithmetic_counts(
        self, server: Product, pgbouncer: Pooler, token: str
    ) -> None:
        ours = {pgbouncer.port: "PgBouncer", int(pgbouncer.server["port"]): "PostgreSQL"}

        def opened(relay: "subprocess.Popen[bytes]") -> Counter[str]:
            peers = [peer.raddr.port for peer in psutil.Process(relay.pid).net_connections("tcp") if peer.raddr]
            return Counter(ours[port] for port in peers if port in ours)

        with pgbouncer.running("manage.py", "relay") as relay:
            assert eventually(lambda: opened(relay) == {"PgBouncer": 2, "PostgreSQL": 1}, seconds=60), opened(relay)
            assert opened(relay).total() == RELAY_CONNECTIONS
            departments(server, token)()
            assert eventually(lambda: not OutboxEvent.objects.pending().exists())


class TestWorkThroughThePooler:
    """What is done most, or asks most of a session."""

    def test_a_class_is_marked_and_its_students_are_told(
        self, server: Product, pgbouncer: Pooler, hall: SimpleNamespace
    ) -> None:
        AttendancePolicyFactory(alert_after=1)
        sheet, teacher = f"{SESSIONS}{hall.session.pk}/roster/", server.log_in(hall.teacher)[0]
        tag = server.ask("GET", sheet, token=teacher).headers["ETag"]
        body = {"marks": [{"enrollment": hall.enrollments[0].pk, "code": "present"}], "default": "absent"}

        marked, late = (server.ask("PUT", sheet, body, token=teacher, If_Match=tag) for _ in range(2))
        with pgbouncer.running("manage.py", "relay"):
            absent = server.log_in(hall.students[1])[0]
            assert eventually(lambda: bool(shown(server, NOTIFICATIONS, absent)), seconds=60)

        assert (marked.status, late.status) == (200, 412)
        assert Counter(AttendanceRecord.objects.values_list("code__code", flat=True)) == {"present": 1, "absent": 5}
        assert {each["topic"] for each in shown(server, NOTIFICATIONS, absent)} == {"attendance.shortage"}
        assert remembered(pgbouncer) <= nothing()

    def test_a_class_checks_in_at_once(self, server: Product, pgbouncer: Pooler, hall: SimpleNamespace) -> None:
        check_in, teacher = f"{SESSIONS}{hall.session.pk}/check-in/", server.log_in(hall.teacher)[0]
        students = [server.log_in(student)[0] for student in hall.students]
        assert server.ask("POST", f"{check_in}open/", {}, token=teacher).status == 200
        shown = server.ask("GET", f"{check_in}token/", token=teacher).body["data"]["token"]

        def comes(number: int) -> Answer:
            body = {"token": shown, "device_key": f"the telephone of student {number}"}
            return server.ask("POST", check_in, body, token=students[number])

        with ThreadPoolExecutor(len(students)) as threads:
            answers = list(threads.map(comes, range(len(students))))

        assert {(answer.status, answer.body["data"]["outcome"]) for answer in answers} == {(201, "accepted")}
        assert AttendanceRecord.objects.filter(source="qr").count() == len(students)
        assert remembered(pgbouncer) <= nothing()

    def test_a_file_is_sent_in_parts(self, server: Product, pgbouncer: Pooler, token: str) -> None:
        text = b"".join(b"%d sheep\n" % number for number in range(500))
        begun = server.ask("POST", f"{FILES}uploads/", {"name": "sheep.txt", "size": len(text)}, token=token)
        upload = f"{FILES}uploads/{begun.body['data']['id']}/"

        for part in (slice(0, 1000), slice(1000, None)):
            answer = server.ask(
                "PATCH", upload, text[part], token=token, Content_Type="application/offset+octet-stream",
                Upload_Offset=str(part.start), Tus_Resumable="1.0.0",
            )  # fmt: skip
            assert answer.status == 204, answer.body

        [file] = shown(server, FILES, token)
        assert file["sha256"] == sha256(text).hexdigest()
        assert server.ask("GET", f"{FILES}{file['id']}/content/", token=token).body == text
        assert remembered(pgbouncer) <= nothing()

    def test_a_table_is_made(
        self, server: Product, pgbouncer: Pooler, token: str, hall: SimpleNamespace, settings: Any
    ) -> None:
        for enrollment in hall.enrollments:
            AttendanceRecordFactory(session=hall.session, enrollment=enrollment)
        asked = {"kind": "attendance_records", "format": "csv", "filters": {"section": str(hall.session.section_id)}}
        queue = {"TEST_BROKER": settings.REDIS_URL, "TEST_QUEUE": f"pooled-{new_id()}"}
        interop = [pgbouncer.running("-m", "tests.interop.process", kind, **queue) for kind in ("relay", "worker")]

        job = f"{EXPORTS}{server.ask('POST', EXPORTS, asked, token=token).body['data']['id']}/"
        with interop[0], interop[1]:
            assert eventually(lambda: shown(server, job, token)["state"] == "ready", seconds=60)

        assert len(server.ask("GET", f"{job}download/", token=token).body.splitlines()) == 1 + len(hall.enrollments)
        assert remembered(pgbouncer) <= nothing()


class TestWhatGoesWrong:
    def test_its_end_is_said_and_five_seconds_after_its_return_everything_goes_on(
        self, server: Product, pgbouncer: Pooler, token: str
    ) -> None:
        with under_load(server, token) as answers:
            pgbouncer.kill()
            assert eventually(lambda: sum(answer.is_refused_for_now for answer in answers) >= 7)
            pgbouncer.start()

            assert eventually(lambda: is_served(server, token), seconds=5)

    def test_an_end_that_nobody_saw_costs_the_first_request_alone(
        self, server: Product, pgbouncer: Pooler, token: str
    ) -> None:
        # All of them are at work at once, and lie in the pool afterwards.
        assert {answer.status for answer in asked_slowly(server, token, CLIENTS)} == {200}
        pgbouncer.kill()
        pgbouncer.start()

        server.ask("GET", STUDENTS, token=token)

        assert is_served(server, token)

    def test_a_pause_is_said_and_passes(self, server: Product, pgbouncer: Pooler, token: str) -> None:
        with under_load(server, token) as answers:
            with pgbouncer.paused():
                assert eventually(lambda: any(answer.is_refused_for_now for answer in answers))

            assert eventually(lambda: is_served(server, token), seconds=5)

    def test_reading_its_configuration_again_costs_nobody_a_request(
        self, server: Product, pgbouncer: Pooler, token: str
    ) -> None:
        with under_load(server, token) as answers:
            for _ in range(5):
                seen = len(answers)
                pgbouncer.process.send_signal(signal.SIGHUP)
                assert eventually(lambda seen=seen: len(answers) > seen + 5)

        assert {answer.status for answer in answers} == SERVED

    def test_who_finds_every_connection_of_the_pooler_lent_is_told_to_come_back(
        self, server: Product, pgbouncer: Pooler, token: str
    ) -> None:
        with pgbouncer.everything_lent():
            refused = server.ask_all(*[("GET", STUDENTS)] * 6, token=token)

        assert all(answer.is_refused_for_now for answer in refused), refused
        assert eventually(lambda: is_served(server, token), seconds=5)

    def test_who_finds_every_connection_of_the_application_at_work_is_told_to_come_back(
        self, server: Product, token: str
    ) -> None:
        answers = asked_slowly(server, token, CLIENTS + 3)

        assert Counter(answer.status for answer in answers) == {200: CLIENTS, 503: 3}
        assert all(answer.is_refused_for_now for answer in answers if answer.status == 503)

    def test_one_kind_of_request_that_is_slow_leaves_connections_to_the_others(
        self, server: Product, token: str
    ) -> None:
        """More of them than there are connections wait for a table that somebody has locked."""
        slow, create = 2 * CLIENTS, departments(server, token)
        with ThreadPoolExecutor(slow) as threads:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute("LOCK TABLE students_student IN ACCESS EXCLUSIVE MODE")
                asked = [threads.submit(server.ask, "GET", STUDENTS, token=token) for _ in range(slow)]
                assert eventually(lambda: waiting_for_students(cursor) == CLIENTS * PARTS // OF)
                others = [create() for _ in range(5)]
                waiting = waiting_for_students(cursor)
            answers = [each.result() for each in asked]

        assert {answer.status for answer in others} == {201}
        assert waiting == CLIENTS * PARTS // OF
        assert all(answer.status == 200 or answer.is_refused_for_now for answer in answers)

    def test_ending_every_session_of_the_server_is_no_bug(self, server: Product, token: str) -> None:
        others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"

        with under_load(server, token) as answers, connection.cursor() as cursor:
            for _ in range(15):
                seen = len(answers)
                eventually(lambda seen=seen: len(answers) > seen + 4, seconds=1)
                cursor.execute(f"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE {others}")  # noqa: S608 - a constant

            assert eventually(lambda: is_served(server, token), seconds=5)
