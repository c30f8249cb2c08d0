"""Sections and meetings over HTTP: shape, refusal, filters."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from courses.models import Meeting, Section, SectionStatusEvent
from tests.courses.factories import (
    CourseFactory,
    MeetingSectionFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.courses.http import MEETINGS, MISSING, SECTIONS, codes, ids, url_of
from tests.departments.factories import CampusFactory, RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def taught_section():
    """A section with two instructors and a meeting in a room, and what surrounds it."""
    section = SectionFactory(
        code="01",
        capacity=30,
        waitlist_capacity=5,
        course__code="CS101",
        course__title="Programming",
        term__code="2026F",
        campus=CampusFactory(code="MAIN", name="Main"),
    )
    SectionInstructorFactory(section=section, share=Decimal(60), faculty__person__first_name="Ada")
    SectionInstructorFactory(section=section, role="co", share=Decimal(40))
    MeetingSectionFactory(
        section=section,
        meeting__room=RoomFactory(code="R1", building__code="B1"),
        meeting__starts_at=time(9),
        meeting__ends_at=time(10, 30),
        meeting__dates=DateRange(date(2026, 9, 1), date(2027, 2, 1), "[)"),
    )
    return section


class TestSections:
    def test_a_section_reads_as_documented(self, registrar_client, taught_section):
        EnrollmentFactory(section=taught_section)

        (row,) = registrar_client.get(SECTIONS).json()["data"]
        detail = registrar_client.get(url_of(SECTIONS, taught_section)).json()["data"]

        first, second = row.pop("instructors")
        assert (first["role"], first["share"], first["faculty"]["first_name"]) == ("primary", "60.00", "Ada")
        assert "employee_no" not in first["faculty"]
        assert second["role"] == "co"
        (meeting,) = row.pop("meetings")
        room = meeting.pop("room")
        assert (room["code"], room["building"]) == ("R1", "B1")
        assert meeting == {
            "id": str(Meeting.objects.get().pk),
            "weekday": 1,
            "starts_at": "09:00:00",
            "ends_at": "10:30:00",
            "dates": {"starts_on": "2026-09-01", "ends_on": "2027-01-31"},
        }
        assert row.pop("created_at")
        assert row.pop("updated_at")
        assert row == {
            "id": str(taught_section.pk),
            "course": {"id": str(taught_section.course_id), "code": "CS101", "title": "Programming"},
            "term": {"id": str(taught_section.term_id), "code": "2026F"},
            "code": "01",
            "status": "open",
            "mode": "in_person",
            "campus": {"id": str(taught_section.campus_id), "code": "MAIN", "name": "Main"},
            "capacity": 30,
            "enrolled_count": 1,
            "seats_left": 29,
            "waitlist_capacity": 5,
            "waitlisted_count": 0,
            "custom_fields": {},
        }
        assert {name for name in detail if name not in row} == {
            "instructors", "meetings", "created_at", "updated_at", "course_version", "override_seats", "held_count",
        }  # fmt: skip

    def test_a_section_is_offered_with_everything_at_once(self, registrar_client):
        course, term, room, faculty = CourseFactory(), TermFactory(), RoomFactory(), FacultyFactory()
        body = {
            "course": str(course.pk),
            "term": str(term.pk),
            "code": "01",
            "capacity": 30,
            "instructors": [{"faculty": str(faculty.pk)}],
            "meetings": [{"weekday": 3, "starts_at": "14:00", "ends_at": "15:30", "room": str(room.pk)}],
        }

        created = registrar_client.post(SECTIONS, body)

        assert created.status_code == 201, created.json()
        data = created.json()["data"]
        assert (data["status"], data["seats_left"]) == ("planned", 30)
        assert data["instructors"][0]["share"] == "100.00"
        assert data["meetings"][0]["dates"] == {"starts_on": str(term.starts_on), "ends_on": str(term.ends_on)}
        clash = registrar_client.post(SECTIONS, {**body, "code": "02"})
        assert (clash.status_code, codes(clash)) == (409, [("room_conflict", "meetings.0.room")])
        assert clash.json()["errors"][0]["meta"]["meetings"][0]["sections"] == [f"{course.code}-01"]

    def test_what_was_read_of_meetings_can_be_sent_back(self, registrar_client, taught_section):
        url = url_of(SECTIONS, taught_section)
        shown = registrar_client.get(url)
        meetings = [{**row, "room": row["room"]["id"]} for row in shown.json()["data"]["meetings"]]

        answer = registrar_client.patch(url, {"meetings": meetings}, HTTP_IF_MATCH=shown["ETag"])

        assert answer.status_code == 200, answer.json()
        assert answer.json()["data"]["meetings"] == shown.json()["data"]["meetings"]
        assert Section.objects.get().version == 1

    @pytest.mark.parametrize(
        ("body", "status", "found"),
        [
            ({"capacity": 0}, 409, ("capacity_below_enrolled", "capacity")),
            ({"capacity": -1}, 400, ("min_value", "capacity")),
            ({"capacity": 10**9}, 400, ("max_value", "capacity")),
            ({"status": "grading"}, 409, ("illegal_transition", "status")),
            ({"status": "odd"}, 400, ("invalid_choice", "status")),
            ({"instructors": [{}]}, 400, ("required", "instructors.0.faculty")),
            ({"instructors": [{"faculty": MISSING}]}, 400, ("does_not_exist", "instructors.0.faculty")),
            ({"instructors": {"faculty": MISSING}}, 400, ("not_a_list", "instructors")),
            ({"meetings": [{"weekday": 1, "starts_at": "09:00"}]}, 400, ("required", "meetings.0.ends_at")),
            ({"meetings": [{"id": MISSING}]}, 400, ("does_not_exist", "meetings.0.id")),
            (
                {"meetings": [{"weekday": 1, "starts_at": "09:00", "ends_at": "08:00"}]},
                400,
                ("ends_before_start", "meetings.0"),
            ),
            (
                {"meetings": [{"weekday": 1, "starts_at": "09:00", "ends_at": "10:00", "dates": {}}]},
                400,
                ("required", "meetings.0.dates.starts_on"),
            ),
            (
                {"meetings": [{"weekday": 1, "starts_at": "09:00", "ends_at": "10:00", "odd": 1}]},
                400,
                ("unknown_field", "meetings.0.odd"),
            ),
        ],
    )
    def test_a_partial_change_is_checked_all_through(self, registrar_client, body, status, found):
        section = EnrollmentFactory().section

        answer = registrar_client.patch(url_of(SECTIONS, section), body)

        assert (answer.status_code, codes(answer)[0]) == (status, found)
        assert Section.objects.get().version == 1

    def test_what_an_item_lacks_is_told_with_what_is_wrong_with_it(self, registrar_client):
        section = EnrollmentFactory().section

        answer = registrar_client.patch(
            url_of(SECTIONS, section), {"meetings": [{"weekday": 9, "dates": {"starts_on": "soon"}}]}
        )

        assert set(codes(answer)) == {
            ("max_value", "meetings.0.weekday"), ("required", "meetings.0.starts_at"),
            ("required", "meetings.0.ends_at"), ("invalid", "meetings.0.dates.starts_on"),
            ("required", "meetings.0.dates.ends_on"),
        }  # fmt: skip

    def test_the_status_moves_by_its_own_action(self, registrar_client):
        section = SectionFactory(status="planned")

        moved = registrar_client.post(url_of(SECTIONS, section, "move"), {"status": "open", "reason": "Go."})
        again = registrar_client.post(url_of(SECTIONS, section, "move"), {"status": "planned"})

        assert (moved.status_code, moved.json()["data"]["status"]) == (200, "open")
        assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")

    def test_a_status_in_the_body_is_a_move_as_well(self, registrar_client):
        body = {"course": str(CourseFactory().pk), "term": str(TermFactory().pk), "code": "01", "capacity": 5}

        created = registrar_client.post(SECTIONS, {**body, "status": "open"})
        assert created.json()["data"]["status"] == "open"
        closed = registrar_client.patch(f"{SECTIONS}{created.json()['data']['id']}/", {"status": "closed"})

        assert closed.json()["data"]["status"] == "closed"
        steps = SectionStatusEvent.objects.order_by("pk").values_list("from_status", "to_status")
        assert list(steps) == [("planned", "open"), ("open", "closed")]

    def test_it_is_found_by_every_filter(self, registrar_client, taught_section):
        SectionFactory(code="77", status="closed", mode="online", capacity=0)
        instructor = taught_section.section_instructors.first().faculty_id
        queries = [
            f"term={taught_section.term_id}",
            f"course={taught_section.course_id}",
            "code=01",
            f"department={taught_section.course.department_id}",
            f"campus={taught_section.campus_id}",
            "status=open,planned",
            "mode=in_person",
            f"instructor={instructor}",
            "weekday=1",
            f"room={Meeting.objects.get().room_id}",
            "has_seats=true",
            "search=cs101",
            "search=programming 01",
        ]

        found = {query: ids(registrar_client.get(f"{SECTIONS}?{query}")) for query in queries}

        assert found == {query: [str(taught_section.pk)] for query in queries}
        assert len(ids(registrar_client.get(f"{SECTIONS}?has_seats=false"))) == 1
        assert registrar_client.get(f"{SECTIONS}?weekday=8").status_code == 400

    def test_related_rows_can_be_included(self, registrar_client, taught_section):
        data = registrar_client.get(f"{SECTIONS}?include=course,term,campus,course.department").json()["data"][0]

        assert data["course"]["credits"] == "3.00"
        assert data["course"]["department"]["is_active"] is True
        assert data["term"]["state"] == "registration"

    def test_a_section_with_enrolments_is_not_deleted(self, registrar_client):
        section = EnrollmentFactory().section

        answer = registrar_client.delete(url_of(SECTIONS, section))

        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")


class TestMeetings:
    def test_one_meeting_serves_sections_that_are_taught_together(self, registrar_client, taught_section):
        other = SectionFactory(term=taught_section.term)
        body = {
            "weekday": 2, "starts_at": "09:00", "ends_at": "10:00", "room": str(RoomFactory().pk),
            "sections": [str(taught_section.pk), str(other.pk)], "note": "Bring a coat.",
        }  # fmt: skip

        created = registrar_client.post(MEETINGS, body)

        assert created.status_code == 201, created.json()
        data = created.json()["data"]
        assert {(row["course"]["code"], row["code"]) for row in data["sections"]} == {
            ("CS101", "01"), (other.course.code, other.code),
        }  # fmt: skip
        assert data["dates"] == {
            "starts_on": str(other.term.starts_on), "ends_on": str(other.term.ends_on),
        }  # fmt: skip
        for section in (taught_section, other):
            listed = registrar_client.get(url_of(SECTIONS, section, "meetings"))
            assert data["id"] in ids(listed)

    def test_it_is_found_by_every_filter(self, registrar_client, taught_section):
        MeetingSectionFactory(meeting__weekday=5, meeting__dates=DateRange(date(2020, 1, 1), date(2020, 2, 1), "[)"))
        wanted = Meeting.objects.get(weekday=1)
        queries = [
            f"section={taught_section.pk}",
            f"term={taught_section.term_id}",
            f"room={wanted.room_id}",
            "weekday=1",
            "on=2026-10-10",
        ]

        found = {query: ids(registrar_client.get(f"{MEETINGS}?{query}")) for query in queries}

        assert found == {query: [str(wanted.pk)] for query in queries}

    def test_a_meeting_moves_and_goes(self, registrar_client, taught_section):
        url = url_of(MEETINGS, Meeting.objects.get())

        moved = registrar_client.patch(url, {"weekday": 4, "room": None, "dates": None})

        assert (moved.json()["data"]["weekday"], moved.json()["data"]["room"]) == (4, None)
        assert registrar_client.delete(url).status_code == 204
        assert registrar_client.get(url_of(SECTIONS, taught_section)).json()["data"]["meetings"] == []

    def test_the_meetings_of_a_missing_section_are_not_found(self, registrar_client):
        assert registrar_client.get(f"{SECTIONS}{MISSING}/meetings/").status_code == 404
