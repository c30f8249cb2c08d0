"""The timetable as it is read."""

from types import SimpleNamespace

import pytest

from tests.courses.factories import MeetingSectionFactory, SectionFactory, SectionInstructorFactory
from tests.courses.http import MISSING, codes, ids
from tests.departments.factories import RoomFactory

pytestmark = pytest.mark.django_db
TIMETABLE = "/api/v1/timetable/"


@pytest.fixture
def taught():
    """Two sections of two departments, which gather together on Tuesdays; the first alone on Mondays, in a room."""
    found = SimpleNamespace(one=SectionFactory(code="01"), other=SectionFactory(code="02"))
    found.room = RoomFactory()
    found.monday = MeetingSectionFactory(section=found.one, meeting__weekday=1, meeting__room=found.room).meeting
    found.tuesday = MeetingSectionFactory(section=found.one, meeting__weekday=2).meeting
    MeetingSectionFactory(section=found.other, meeting=found.tuesday)
    found.faculty = SectionInstructorFactory(section=found.other).faculty
    return found


def test_the_timetable_is_narrowed_to_a_room_a_course_a_department_or_a_teacher(registrar_client, taught):
    def asked(**question):
        return ids(registrar_client.get(TIMETABLE, question))

    monday, tuesday = str(taught.monday.pk), str(taught.tuesday.pk)
    assert asked() == [monday, tuesday]
    assert asked(ordering="-weekday") == [tuesday, monday]
    assert asked(room=taught.room.pk) == asked(weekday=1) == [monday]
    assert asked(course=taught.one.course_id) == asked(department=taught.one.course.department_id) == [monday, tuesday]
    assert asked(faculty=taught.faculty.pk) == asked(department=taught.other.course.department_id) == [tuesday]
    assert asked(faculty=MISSING) == []


def test_the_timetable_is_read_and_written_elsewhere(registrar_client, taught):
    answer = registrar_client.post(TIMETABLE, {}, format="json")

    assert (answer.status_code, codes(answer)[0][0]) == (405, "method_not_allowed")
    assert codes(registrar_client.get(TIMETABLE, {"teacher": "x"})) == [("unknown_parameter", "teacher")]


def test_a_page_of_the_timetable_costs_three_statements(registrar_client, taught, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):
        assert registrar_client.get(TIMETABLE, {"faculty": taught.faculty.pk}).status_code == 200
