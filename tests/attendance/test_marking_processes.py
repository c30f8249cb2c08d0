"""Two people mark one class at once, and the server of one is killed: one roster, and nothing acknowledged is lost."""

import os
import signal
import subprocess
import sys

import pytest
from psycopg.conninfo import conninfo_to_dict

from accounts.roles import Role
from attendance.models import AttendanceRecord, ClassSession
from audit.models import Change
from campushub360.local import CHECKOUT
from core.db.notifications import direct_conninfo
from tests.attendance.factories import AttendanceRecordFactory, ClassSessionFactory, usual_codes
from tests.courses.factories import SectionInstructorFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
CLASS, ENOUGH = 5, 3


def started(client, roster, *codes):
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    arguments = (client._credentials["HTTP_AUTHORIZATION"], roster, *codes)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.attendance.marking_process", *arguments],
        cwd=CHECKOUT, env={**os.environ, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def acknowledged(process, count):
    """Wait for so many requests of a process to be acknowledged, and return how it called them."""
    return [process.stdout.readline().strip() for _ in range(count)]


def test_of_two_who_mark_one_class_one_is_killed_and_nothing_is_lost(user_with, client_for, registrar_client, settings):
    settings.DATABASE_DIRECT_URL = ""  # so that the others are sent to the database of the tests
    codes = usual_codes()
    taught = SectionInstructorFactory()
    lesson = ClassSessionFactory(section=taught.section)
    for _ in range(CLASS):
        # Marked before, so that the history tells of every request.
        AttendanceRecordFactory(session=lesson, code=codes.absent, source="import")
    roster = f"/api/v1/attendance/sessions/{lesson.pk}/roster/"
    clients = [client_for(user_with(Role.FACULTY, "self", person=taught.faculty.person)), registrar_client]
    processes = [
        started(client, roster, *codes)
        for client, codes in zip(clients, (("present", "absent"), ("late", "on_duty")), strict=True)
    ]
    said = []
    try:
        assert [process.stdout.readline() for process in processes] == ["ready\n"] * 2
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        said += acknowledged(processes[0], ENOUGH)
        processes[0].send_signal(signal.SIGKILL)
        said += processes[0].communicate()[0].split()
        assert processes[0].returncode == -signal.SIGKILL
        # Whoever is left goes on, since nothing that the other held is held any more.
        said += acknowledged(processes[1], ENOUGH)
    finally:
        for process in processes:
            process.kill()
        said += processes[1].communicate()[0].split()

    marks = AttendanceRecord.objects.filter(session=lesson)
    assert marks.count() == CLASS
    assert len(set(marks.values_list("code", "client_id", "marked_by"))) == 1
    changes = Change.objects.filter(table_name=marks.model._meta.db_table, operation="update")
    written = [change.changes["client_id"][1] for change in changes]
    assert all(written.count(name) == CLASS for name in said)
    assert ClassSession.objects.get(pk=lesson.pk).version >= len(said) + 1
