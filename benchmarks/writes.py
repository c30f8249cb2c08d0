"""Registration: many more students than there are seats enrol at once, through HTTP, in a copy of the database.

How many a second is for orientation. What is promised is that afterwards every seat is taken, none twice, that the
counter of each section is the number of those enrolled, and that everybody was either enrolled or refused.
"""

import json
from collections.abc import Iterator
from random import Random

from django.db import models
from django.db.models import Count, F, Q

from benchmarks.contenders import bearer, registrar
from benchmarks.copies import copied, within
from benchmarks.harness import Size, Target, never, told
from benchmarks.replay import Replayed, Request, replay
from benchmarks.servers import servers
from courses.models import Section
from enrollment.models import LIVE
from enrollment.selectors import REGISTERING
from students.models import Student

REDIS_OF_THE_COPY = "/10"
SEATS = 20
# Long enough for all of them on the slowest machine.
MOST_SECONDS = 300
# So many want each seat.
WANT_EACH = 3
ENROLLED, REFUSED = 201, 409
SEED = 20_000


def targets(size: Size) -> Iterator[Target]:
    """Let them all enrol, and count."""
    user = registrar()
    with copied() as copy, within(copy):
        sections = _offer(size.loads * size.seconds * 2)
        with servers() as started:
            product = started.product(REDIS_OF_THE_COPY)
            headers = bearer(user)
            product.wait("/api/v1/terms/", headers)
            token = headers["Authorization"].removeprefix("Bearer ")
            came = replay(product.url, _requests(sections, token), seconds=MOST_SECONDS)
        yield from judged(came, sections)


def judged(came: Replayed, sections: list[Section]) -> Iterator[Target]:
    """Return what the answers say, and what the database does."""
    yield told("registrations asked for", came.rate, "requests/s")
    seats = len(sections) * SEATS
    yield told("registrations granted", came.of_status(ENROLLED), f"of {seats} seats")
    others = came.total - came.of_status(ENROLLED, REFUSED)
    yield never("registrations neither granted nor refused", others, came.total)
    counted = Section.objects.filter(pk__in=[section.pk for section in sections]).annotate(
        live=Count("enrollments", filter=Q(enrollments__status__in=LIVE))
    )
    wrong = counted.exclude(live=F("enrolled_count"), enrolled_count=F("capacity") - F("held_count")).count()
    yield never("sections oversold, undersold or miscounted", wrong, len(sections))


def _offer(count: int) -> list[Section]:
    """Return sections with as many seats free as are to be fought for."""
    open_ones = Section.objects.filter(status="open", term__state__in=REGISTERING).order_by("pk")[:count]
    chosen = Section.objects.filter(pk__in=[section.pk for section in open_ones])
    chosen.update(capacity=F("enrolled_count") + F("held_count") + SEATS, override_seats=models.Value(0))
    return list(chosen)


def _requests(sections: list[Section], token: str) -> list[Request]:
    random = Random(SEED)  # noqa: S311 - nothing secret hangs on it
    wishes = []
    for section in sections:
        others = Student.objects.filter(status="active").exclude(enrollments__course=section.course_id)
        students = others.order_by("pk").values_list("pk", flat=True)[: SEATS * WANT_EACH]
        wishes += [{"student": str(student), "section": str(section.pk)} for student in students]
    random.shuffle(wishes)
    return [Request("/api/v1/enrollments/", token, "POST", json.dumps(wish)) for wish in wishes]
