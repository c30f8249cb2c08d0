"""A campus in Vienna where one section meets on Mondays at nine, in a room, with a teacher."""

from datetime import UTC, date, datetime, time
from types import SimpleNamespace

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from attendance import services
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import BuildingFactory, CampusFactory, RoomFactory, TermFactory

BEFORE = datetime(2026, 9, 1, tzinfo=UTC)
WEEKS = DateRange(date(2026, 10, 12), date(2026, 11, 10), "[)")  # five Mondays, the clocks change before the third


def taught(side, code, *, meeting=None, **values):
    """Let a course be taught: at a meeting of others, or at one of its own."""
    section = SectionFactory(course=CourseFactory(code=code), term=side.term, campus=side.campus, code="01")
    instructor = SectionInstructorFactory(section=section)
    meeting = meeting or MeetingFactory(**{"dates": WEEKS, "weekday": 1, "room": side.room, **values})
    MeetingSectionFactory(meeting=meeting, section=section)
    return SimpleNamespace(section=section, meeting=meeting, faculty=instructor.faculty)


@pytest.fixture
def side(db):
    campus = CampusFactory(code="VIE", time_zone="Europe/Vienna")
    side = SimpleNamespace(campus=campus, term=TermFactory(code="T", state="in_progress"))
    side.room = RoomFactory(code="R1", building=BuildingFactory(campus=campus))
    side.other_room = RoomFactory(code="R2", building=side.room.building)
    side.physics = taught(side, "PHY", starts_at=time(9), ends_at=time(10, 30))
    return side


def generate(at=BEFORE):
    return services.generate_sessions(at=at)
