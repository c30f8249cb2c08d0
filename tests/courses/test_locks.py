"""Whoever changes many rows of the catalogue or the timetable at once waits for others, and never in a circle."""

import pytest

from courses.models import Meeting, Section
from courses.services import lock_timetables, update_meeting
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    RequisiteFactory,
    SectionFactory,
)
from tests.courses.http import COURSES, MEETINGS, REQUISITES, SECTIONS, url_of
from tests.departments.factories import TermFactory
from tests.racing import at_once, while_uncommitted

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = range(2)


@pytest.fixture
def clients(registrar, client_for):
    return [client_for(registrar) for _ in range(4)]


def sections_of_one_term(count):
    term = TermFactory()
    return [SectionFactory(term=term) for _ in range(count)]


def serving(*sections):
    meeting = MeetingFactory()
    for section in sections:
        MeetingSectionFactory(meeting=meeting, section=section)
    return meeting


def updating(client, base, items):
    return lambda: client.post(f"{base}bulk-update/", {"items": items, "mode": "best_effort"}).status_code


def patching(client, base, row, changes):
    return lambda: client.patch(url_of(base, row), changes).status_code


def changed(rows, **changes):
    return [{"id": str(row.pk), **changes} for row in rows]


@pytest.mark.parametrize("weekday", ROUNDS)
def test_different_meetings_of_the_same_sections_are_changed_in_any_order(clients, weekday):
    sections = sections_of_one_term(6)
    here, there = ([serving(section) for section in sections] for _ in range(2))

    outcomes = at_once(
        updating(clients[0], MEETINGS, changed(here, note=f"N{weekday}")),
        updating(clients[1], MEETINGS, changed(there[::-1], note=f"N{weekday}")),
    )

    assert outcomes == [200, 200]
    assert {section.version for section in Section.objects.all()} == {3}


@pytest.mark.parametrize("seats", ROUNDS)
def test_meetings_and_their_sections_are_changed_side_by_side(clients, seats):
    sections = sections_of_one_term(6)
    meetings = [serving(section, sections[-1 - place]) for place, section in enumerate(sections[:3])]

    outcomes = at_once(
        updating(clients[0], MEETINGS, changed(meetings[::-1], note="N")),
        updating(clients[1], SECTIONS, changed(sections, capacity=50 + seats)),
        patching(clients[2], MEETINGS, meetings[0], {"weekday": 5}),
        patching(clients[3], SECTIONS, sections[-1], {"capacity": 70}),
    )

    assert outcomes == [200] * 4


@pytest.mark.parametrize("turn", ROUNDS)
def test_sections_that_meet_together_change_their_timetables_side_by_side(clients, turn):
    first, second = sections_of_one_term(2)
    meeting = serving(first, second)

    def moved(weekday):
        return {"meetings": [{"id": str(meeting.pk), "weekday": weekday}]}

    outcomes = at_once(
        patching(clients[0], SECTIONS, first, moved(2)),
        patching(clients[1], SECTIONS, second, moved(3)),
        patching(clients[2], SECTIONS, second, {"status": "cancelled"}),
        updating(clients[3], MEETINGS, changed([meeting], weekday=4)),
    )

    assert outcomes == [200] * 4
    assert Meeting.objects.get().weekday in (2, 3, 4)


@pytest.mark.parametrize("turn", ROUNDS)
def test_meetings_that_exchange_their_sections_do_so_side_by_side(clients, turn):
    sections = sections_of_one_term(4)
    meetings = [serving(section) for section in sections]
    ids = [str(section.pk) for section in sections]
    onward = [{"id": str(row.pk), "sections": [ids[at - 1]]} for at, row in enumerate(meetings)]
    back = [{"id": str(row.pk), "sections": ids[at : at + 2]} for at, row in enumerate(meetings)]

    outcomes = at_once(updating(clients[0], MEETINGS, onward), updating(clients[1], MEETINGS, back[::-1]))

    assert outcomes == [200, 200]


def test_a_section_that_joins_meanwhile_is_locked_as_well(clients):
    first, second = sections_of_one_term(2)
    meeting = serving(second)

    def join():
        row = Meeting.objects.get(pk=meeting.pk)
        update_meeting(row, by=None, sections=Section.objects.all())

    assert while_uncommitted(join, patching(clients[0], MEETINGS, meeting, {"ends_at": "11:00"})) == 200
    assert Section.objects.get(pk=first.pk).version == first.version + 2


def test_nothing_stays_locked_of_a_timetable_that_nobody_names():
    lock_timetables()

    assert not Section.objects.exists()


@pytest.mark.parametrize("turn", ROUNDS)
def test_courses_their_sections_and_what_they_require_are_changed_side_by_side(clients, turn):
    courses = [CourseFactory() for _ in range(4)]
    sections = [SectionFactory(course=course) for course in courses[::-1]]
    requisites = [RequisiteFactory(expr={"course": course.code}) for course in courses[::-1]]
    renamed = [{"id": str(c.pk), "code": f"R{turn}{at}", "credits": "4"} for at, c in enumerate(courses)]

    outcomes = at_once(
        updating(clients[0], COURSES, renamed),
        updating(clients[1], SECTIONS, changed(sections, capacity=40 + turn)),
        updating(clients[2], REQUISITES, changed(requisites, kind="co")),
        patching(clients[3], COURSES, courses[-1], {"code": f"X{turn}", "credits": "2"}),
    )

    assert outcomes == [200] * 4
