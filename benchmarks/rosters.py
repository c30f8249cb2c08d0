"""Marking: classes of sixty in one request each, through HTTP, in a copy of the database; and classes of any size.

The baseline is a list serializer of Django REST Framework that saves row by row, as its documentation teaches it. It
writes to the same table, so constraints, history and summaries are kept for it as for the product. Each roster is
marked once, by requests that name all students. Afterwards everybody has to be marked, and counted, as was asked for.

How the size of a class tells is measured in this process, by turns, without the server.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

from django.db.models import F
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.status import HTTP_200_OK
from rest_framework.test import force_authenticate

from accounts.models import User
from attendance.api.views import RosterViewSet
from attendance.models import AttendanceRecord, AttendanceSummary, ClassSession
from attendance.services import verify_summaries
from benchmarks.contenders import DifferentAnswersError, bearer, registrar
from benchmarks.copies import copied, within
from benchmarks.data import kept
from benchmarks.harness import Size, Target, in_turn, milliseconds, never, ratio, told
from benchmarks.lists import token_of
from benchmarks.replay import Request, replay
from benchmarks.servers import Server, servers
from core.ids import new_id
from courses.models import Section
from departments.models import Term
from enrollment.models import Enrollment
from students.models import Student

REDIS_OF_THE_COPY = "/11"
CLASS, SMALL, LARGE = 60, 30, 300
# So many are marked at once, in sections of their own.
SECTIONS = 16
# Rosters for each second of a round: more than either contender manages.
PRODUCT_EACH, BASELINE_EACH = 40, 4
LEAST, MOST = 12, 3
MOST_SECONDS = 300
SINCE = timedelta(days=400)
CODES = ["present", "present", "present", "absent", "late"]
PATH = "/api/v1/attendance/sessions/{}/roster/"


@dataclass(frozen=True)
class Course:
    """A section, and those who are marked in it."""

    section: Section
    enrollments: Sequence[Any]

    def marks(self) -> list[dict[str, str]]:
        """Return a line for everybody."""
        return [
            {"enrollment": str(pk), "code": CODES[number % len(CODES)]} for number, pk in enumerate(self.enrollments)
        ]

    def sessions(self, count: int, at: datetime) -> list[ClassSession]:
        """Return classes that are over, one a day, and nobody is marked in."""
        made = []
        for number in range(count):
            starts_at = at - timedelta(hours=2 + number)
            made.append(
                ClassSession(
                    section=self.section, gathering=new_id(), planned_on=starts_at.date(), local_date=starts_at.date(),
                    starts_at=starts_at, ends_at=starts_at + timedelta(minutes=50),
                )
            )  # fmt: skip
        return ClassSession.objects.bulk_create(made)


def targets(size: Size) -> Iterator[Target]:
    """Mark classes of sixty by both contenders in turn, then a small class and a large one."""
    user, at = registrar(), timezone.now()
    with copied() as copy, within(copy):
        *classes, small, large = _courses([CLASS] * SECTIONS + [SMALL, LARGE], at)
        yield from _rates(classes, size, user, at)
        with kept():
            yield from _sizes(small, large, size, user, at)


def _rates(classes: list[Course], size: Size, user: User, at: datetime) -> Iterator[Target]:
    rounds = size.loads + 1  # what is measured first of all is forgotten
    counts = {"rosters": PRODUCT_EACH * size.seconds, "plain DRF rosters": BASELINE_EACH * size.seconds}
    each = -(-rounds * sum(counts.values()) // len(classes))
    pairs = [pair for rows in zip(*(_pairs(one, each, at) for one in classes), strict=True) for pair in rows]
    with servers() as started:
        product, drf = started.product(REDIS_OF_THE_COPY), started.django("plain_drf.wsgi")
        product.wait("/api/v1/terms/", bearer(user))
        drf.wait("/students/", token_of(started, user))
        token = partial(bearer, user), partial(token_of, started, user)
        waiting = iter(pairs)

        def rate(server: Server, headers: Callable[[], Mapping[str, str]], ours: bool, count: int) -> float:
            bearing = headers()["Authorization"].removeprefix("Bearer ")
            requests = [_request(next(waiting), bearing, ours=ours) for _ in range(count)]
            came = replay(server.url, requests, seconds=MOST_SECONDS)
            if came.of_status(HTTP_200_OK) != count:
                raise DifferentAnswersError(f"not every roster was marked: {dict(came.answered)}")
            return came.rate

        measures = {
            "rosters": partial(rate, product, token[0], True, counts["rosters"]),
            "plain DRF rosters": partial(rate, drf, token[1], False, counts["plain DRF rosters"]),
        }
        found = in_turn(measures, size.loads)
    yield from judged(found)
    yield from _wrong(pairs[: rounds * sum(counts.values())], at)


def judged(rounds: list[dict[str, float]]) -> Iterator[Target]:
    """Return what the rates of the rounds say."""
    quotient = ratio(rounds, "rosters", "plain DRF rosters")
    yield Target(f"rosters of {CLASS} ÷ plain DRF, row by row", "at least", LEAST, quotient, "ratio")
    for name in rounds[0]:
        yield told(f"{name} of {CLASS}", median(each[name] for each in rounds), "rosters/s")


def _wrong(marked: list[tuple[Course, ClassSession]], at: datetime) -> Iterator[Target]:
    rows = AttendanceRecord.objects.filter(session__in=[session.pk for _, session in marked])
    said = {
        (row["enrollment"], row["session"]): row["name"]
        for row in rows.values("enrollment", "session", name=F("code__code"))
    }
    wrong = sum(
        said.get((pk, session.pk)) != CODES[number % len(CODES)]
        for course, session in marked
        for number, pk in enumerate(course.enrollments)
    )
    yield never("students marked otherwise than asked for", wrong, len(marked) * CLASS)
    terms = Term.objects.filter(sections__in=[course.section for course, _ in marked]).distinct()
    off = sum(1 for term in terms for _ in verify_summaries(at=at, term=term))
    yield never("summaries that the marks do not come to", off, AttendanceSummary.objects.count())


def _pairs(course: Course, count: int, at: datetime) -> list[tuple[Course, ClassSession]]:
    return [(course, session) for session in course.sessions(count, at)]


def _request(pair: tuple[Course, ClassSession], token: str, *, ours: bool) -> Request:
    course, session = pair
    if ours:
        return Request(PATH.format(session.pk), token, "PUT", json.dumps({"marks": course.marks()}))
    return Request(f"/rosters/{session.pk}/", token, "PUT", json.dumps(course.marks()))


def _sizes(small: Course, large: Course, size: Size, user: User, at: datetime) -> Iterator[Target]:
    calls = max(1, size.calls // 10)
    count = calls * (size.rounds + 1)
    contenders = {
        str(len(course.enrollments)): milliseconds(_marking(course, course.sessions(count, at), user), calls)
        for course in (small, large)
    }
    rounds = in_turn(contenders, size.rounds)
    quotient = ratio(rounds, str(LARGE), str(SMALL))
    yield Target(f"roster of {LARGE} ÷ roster of {SMALL}: time", "at most", MOST, quotient, "ratio")
    for name in contenders:
        yield told(f"roster of {name}", median(each[name] for each in rounds), "ms")


def _marking(course: Course, sessions: Iterable[ClassSession], user: User) -> Callable[[], object]:
    """Return what marks everybody in the next of the sessions whenever it is called."""
    view: Any = type("Unlimited", (RosterViewSet,), {"throttle_classes": []}).as_view({"put": "mark"})  # type: ignore[attr-defined]  # made on the spot
    body, waiting = json.dumps({"marks": course.marks()}), iter(sessions)
    factory = RequestFactory(headers={"If-Match": '"1-0"'})

    def call() -> object:
        pk = str(next(waiting).pk)
        request = factory.put(PATH.format(pk), body, content_type="application/json")
        force_authenticate(request, user)
        response = view(request, pk=pk).render()
        if response.status_code != HTTP_200_OK:
            raise RuntimeError(f"{PATH.format(pk)} answered {response.status_code}: {response.content[:200]!r}")
        return response

    return call


def _courses(sizes: Sequence[int], at: datetime) -> list[Course]:
    """Return new sections of the term that is on, each of another course, with so many students."""
    taught = Section.objects.filter(term__starts_on__lte=at.date(), term__ends_on__gte=at.date())
    models_of = list(taught.order_by("course", "pk").distinct("course").select_related("term")[: len(sizes)])
    students = Student.objects.order_by("pk")
    return [
        _course(section, list(students.exclude(enrollments__course=section.course_id)[:size]), at)
        for section, size in zip(models_of, sizes, strict=True)
    ]


def _course(like: Section, students: Sequence[Student], at: datetime) -> Course:
    section = Section.objects.create(
        course_id=like.course_id, course_version_id=like.course_version_id, term=like.term, code="ROSTERS",
        campus_id=like.campus_id, status=like.status, capacity=len(students), custom_data={},
    )  # fmt: skip
    rows = Enrollment.objects.bulk_create(
        Enrollment(
            student=student, section=section, course_id=section.course_id, term=section.term, status="enrolled",
            credits=0, enrolled_at=at - SINCE,
        )
        for student in students
    )  # fmt: skip
    return Course(section, [row.pk for row in rows])
