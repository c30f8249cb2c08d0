"""Attendance of years: what a student has come to, from millions of marks, and counting a term anew.

The marks are made by `seed_demo --attendance-months` in a database of their own, which is kept for the next run; how
many there are follows the scale. Students here and there ask for their page, and what is measured is what all its
statements take, the way to the database included, once what they read is in memory: every student asks twice, and the
first time is told for orientation. The term that most are marked in is counted anew by the command that the schedule
runs, in a process of its own, whose peak of memory is the system's to tell.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from statistics import median, quantiles
from typing import Any

from django.db import connection
from django.db.models import Count
from django.test import RequestFactory
from psycopg import sql
from rest_framework.status import HTTP_200_OK
from rest_framework.test import force_authenticate

from accounts.models import RoleAssignment, User
from accounts.roles import Role, ScopeKind
from attendance.api.standing_views import StudentAttendanceViewSet
from attendance.models import AttendanceRecord, AttendanceSummary
from benchmarks.copies import within
from benchmarks.harness import Size, Target, never, told
from benchmarks.imports import leading_to, manage
from benchmarks.servers import ServerError
from campushub360.demo.university import MOST_MONTHS, SCALES
from campushub360.local import CHECKOUT
from departments.models import Term
from students.models import Student

FEW_MONTHS = 3
MOST_MILLISECONDS = 10
MOST_SECONDS = 300
PEAK_MB = 400
MILLION = 1_000_000
# A process is said to have had at least the memory of the one that started it, so a small one does, and tells.
_IN_BETWEEN = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(status)
"""


def targets(size: Size) -> Iterator[Target]:
    """Have the marks, ask for students, and count a term anew."""
    environment, name = attended(months_of(size))
    with within(name):
        marks = AttendanceRecord.objects.count()
        yield told("marks", marks, "rows")
        yield from asked(marks, size)
        yield from counted(environment)


def months_of(size: Size) -> int:
    """Return how many months are marked: few where little is measured."""
    return MOST_MONTHS if size.loads > 1 else FEW_MONTHS


def attended(months: int) -> tuple[dict[str, str], str]:
    """Return what leads a command to a database with the marks of so many months, and its name."""
    name = f"{connection.settings_dict['NAME']}_attended_{months}"
    environment = leading_to(name)
    scale = max((one for one in SCALES if SCALES[one].students <= Student.objects.count()), key=list(SCALES).index)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
        if cursor.fetchone() is None:
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    manage(environment, "migrate", "--verbosity", "0")
    with within(name):
        is_filled = Student.objects.exists()
    if not is_filled:
        manage(environment, "seed_demo", "--scale", scale, "--attendance-months", str(months))
    return environment, name


def asked(marks: int, size: Size) -> Iterator[Target]:
    """Let students here and there among all ask for their attendance."""
    view = _view()
    students = list(Student.objects.filter(enrollments__attendance_summary__isnull=False).distinct().order_by("pk"))
    chosen = students[:: max(1, len(students) // (size.rounds * 5))]
    asking = [(account_of(student), student) for student in chosen]
    first, again = ([_database_time(partial(_ask, view, user, student)) for user, student in asking] for _ in range(2))
    name = f"attendance of a student among {marks / MILLION:.3g} million marks: database time"
    yield Target(name, "at most", MOST_MILLISECONDS, median(again), "ms")
    yield told("the same, of twenty students the slowest", quantiles(again, n=20)[-1], "ms")
    yield told("the same, asked for the first time", median(first), "ms")


def account_of(student: Student) -> User:
    """Return an account by which a student asks, made where there is none yet."""
    named = {"email": f"{student.student_no}@benchmarks.campushub360.example"}
    user, _ = User.objects.get_or_create(person=student.person, defaults=named)
    RoleAssignment.objects.get_or_create(user=user, role=Role.STUDENT, scope_kind=ScopeKind.SELF)
    return User.objects.get(pk=user.pk)


def _view() -> Any:
    return type("Unlimited", (StudentAttendanceViewSet,), {"throttle_classes": []}).as_view({"get": "retrieve"})  # type: ignore[attr-defined]  # made on the spot


def _ask(view: Any, user: User, student: Student) -> None:
    path = f"/api/v1/students/{student.pk}/attendance/"
    request = RequestFactory().get(path)
    force_authenticate(request, user)
    response = view(request, parent=str(student.pk)).render()
    if response.status_code != HTTP_200_OK or not response.data["sections"]:
        raise ServerError(f"{path} answered {response.status_code}: {response.content[:200]!r}")


def _database_time(call: Callable[[], None]) -> float:
    """Return how many milliseconds the statements of a call take together."""
    taken = 0.0

    def timed(execute: Any, statement: Any, params: Any, many: bool, context: Any) -> Any:
        nonlocal taken
        began = time.perf_counter()
        try:
            return execute(statement, params, many, context)
        finally:
            taken += time.perf_counter() - began

    with connection.execute_wrapper(timed):
        call()
    return taken * 1000


def counted(environment: Mapping[str, str]) -> Iterator[Target]:
    """Count the term anew that most students are marked in."""
    (found,) = AttendanceSummary.objects.values("term").annotate(number=Count("pk")).order_by("-number")[:1]
    summaries = AttendanceSummary.objects.filter(term=found["term"])
    students = summaries.values("enrollment__student").distinct().count()
    code = Term.objects.get(pk=found["term"]).code
    seconds, peak, said = _measured(environment, "verify_attendance", "--term", code)
    yield Target(f"a term of {students} students counted anew", "at most", MOST_SECONDS, seconds, "s")
    yield Target("a term counted anew: memory", "at most", PEAK_MB, peak, "MiB")
    yield never("summaries that said something else", said.count("\n") - 1, found["number"])


def _measured(environment: Mapping[str, str], *arguments: str) -> tuple[float, float, str]:
    """Run a command; return how long it took, the most memory that it had at a time, in MiB, and what it printed."""
    began = time.perf_counter()
    command = [sys.executable, "-c", _IN_BETWEEN, sys.executable, "manage.py", *arguments]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=dict(environment), stdout=subprocess.PIPE, text=True, check=False
    )  # fmt: skip
    if done.returncode:
        raise ServerError(f"{' '.join(arguments)} failed: {done.stdout[-2000:]}")
    *said, peak = done.stdout.splitlines(keepends=True)
    return time.perf_counter() - began, int(peak) / 1024, "".join(said)
