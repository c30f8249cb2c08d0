"""What is remembered of sections: one survives what is written of the others, and none what it shows itself."""

from datetime import timedelta

import pytest

from accounts.roles import Role
from core.api import remembered
from core.cache.generations import generations
from core.cache.keeper import GenerationKeeper
from courses.models import Course, Section
from tests.courses.factories import (
    CourseFactory,
    MeetingFactory,
    MeetingSectionFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import CampusFactory

pytestmark = pytest.mark.django_db(transaction=True)
SECTIONS, MEETINGS = "/api/v1/sections/", "/api/v1/meetings/"


@pytest.fixture(autouse=True)
def lease(monkeypatch):
    """Let readers trust the generations for longer than the test, whatever the time of day."""
    monkeypatch.setattr(remembered, "AROUND_MIDNIGHT", timedelta(0))
    assert GenerationKeeper(generations(), lease_seconds=600).tick()


@pytest.fixture
def reader(client_for, user_with):
    return client_for(user_with(Role.STUDENT))


def apart_from(row):
    """Make another section that does not share its part of the tag."""
    while True:
        other = SectionFactory(course=row.course, term=row.term)
        if str(other.pk)[-3:] != str(row.pk)[-3:]:
            return other


@pytest.fixture
def section():
    return SectionFactory(campus=CampusFactory())


@pytest.fixture
def other(section):
    return apart_from(section)


def detail(row):
    return f"{SECTIONS}{row.pk}/"


def is_remembered(client, url):
    return client.get(url)["X-Cache"] == "HIT"


def test_one_section_is_remembered_while_others_are_written(section, other, reader, registrar_client):
    assert not is_remembered(reader, detail(section))

    changed = registrar_client.patch(detail(other), {"capacity": 31}, HTTP_IF_MATCH="*")
    Section.objects.filter(pk=other.pk).update(waitlist_capacity=3)
    apart_from(section).delete()

    assert changed.status_code == 200
    assert is_remembered(reader, detail(section))
    assert reader.get(detail(other)).json()["data"]["waitlist_capacity"] == 3


@pytest.mark.parametrize(
    ("write", "shown"),
    [
        (lambda row: Section.objects.filter(pk=row.pk).update(capacity=77), lambda data: data["capacity"] == 77),
        (lambda row: Section.objects.update(capacity=78), lambda data: data["capacity"] == 78),
        (lambda row: Course.objects.update(code="OTHER1"), lambda data: data["course"]["code"] == "OTHER1"),
        (lambda row: rename(row.term, code="T99"), lambda data: data["term"]["code"] == "T99"),
        (lambda row: rename(row.campus, name="Far"), lambda data: data["campus"]["name"] == "Far"),
        (lambda row: SectionInstructorFactory(section=row), lambda data: len(data["instructors"]) == 1),
    ],
    ids=["itself", "all", "its course", "its term", "its campus", "who teaches it"],
)
def test_a_change_of_whatever_it_shows_is_shown(section, reader, write, shown):
    reader.get(detail(section))
    assert is_remembered(reader, detail(section))

    write(section)

    answer = reader.get(detail(section))
    assert answer["X-Cache"] == "MISS"
    assert shown(answer.json()["data"])


def rename(row, **changes):
    type(row).objects.filter(pk=row.pk).update(**changes)


def test_a_section_that_is_gone_is_not_there_and_one_that_comes_is(section, reader):
    reader.get(detail(section))
    Section.objects.filter(pk=section.pk).delete()

    assert [reader.get(detail(section)).status_code for _ in range(2)] == [404, 404]
    again = SectionFactory(pk=section.pk, course=section.course, term=section.term)
    assert reader.get(detail(again)).json()["data"]["code"] == again.code


def test_with_another_row_of_its_kind_included_the_whole_table_counts(reader):
    """What is included may be any row; then it is kept as a list is."""
    course = CourseFactory()
    url = f"/api/v1/courses/{course.pk}/?include=department"
    reader.get(url)
    assert is_remembered(reader, url)

    CourseFactory()

    assert not is_remembered(reader, url)


def test_a_section_shows_the_names_of_who_teaches_it_and_is_remembered_while_they_keep_them(section, reader):
    teaches = SectionInstructorFactory(section=section).faculty.person
    reader.get(detail(section))

    rename(teaches, phone="+43 1 588010", email="lovelace@example.edu")
    assert is_remembered(reader, detail(section))

    rename(teaches, last_name="Lovelace")
    (shown,) = reader.get(detail(section)).json()["data"]["instructors"]
    assert shown["faculty"]["last_name"] == "Lovelace"


def test_the_timetable_is_remembered_while_seats_are_taken(section, reader):
    MeetingSectionFactory(section=section, meeting=MeetingFactory())
    reader.get(MEETINGS)

    Section.objects.filter(pk=section.pk).update(enrolled_count=3)
    assert is_remembered(reader, MEETINGS)

    Section.objects.filter(pk=section.pk).update(code="99")
    (meeting,) = reader.get(MEETINGS).json()["data"]
    assert meeting["sections"][0]["code"] == "99"
