"""The catalogue, the offer and the timetable over HTTP: shape, scope, refusal, cost."""

from datetime import date, time
from decimal import Decimal

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.roles import Role
from core.models import CustomField
from courses.models import Course, Meeting, Requisite, Section
from tests.courses.factories import (
    CourseFactory,
    MeetingSectionFactory,
    RequisiteFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.departments.factories import CampusFactory, DepartmentFactory, RoomFactory, TermFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db

COURSES, REQUISITES, SECTIONS, MEETINGS = (
    f"/api/v1/{name}/" for name in ("courses", "requisites", "sections", "meetings")
)
MISSING = "00000000-0000-7000-8000-000000000000"


def url_of(base, row, *rest):
    return "/".join([f"{base}{row.pk}", *rest, ""])


def codes(response):
    return [(error["code"], error["field"]) for error in response.json()["errors"]]


def ids(response):
    return [row["id"] for row in response.json()["data"]]


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
    SectionInstructorFactory(
        section=section, share=Decimal(60), faculty__employee_no="E1", faculty__person__first_name="Ada"
    )
    SectionInstructorFactory(section=section, role="co", share=Decimal(40))
    MeetingSectionFactory(
        section=section,
        meeting__room=RoomFactory(code="R1", building__code="B1"),
        meeting__starts_at=time(9),
        meeting__ends_at=time(10, 30),
        meeting__dates=DateRange(date(2026, 9, 1), date(2027, 2, 1), "[)"),
    )
    return section


class TestCourses:
    def test_a_course_reads_as_documented(self, registrar_client):
        course = CourseFactory(code="CS101", title="Programming", level="graduate", department__code="CS")

        (row,) = registrar_client.get(COURSES).json()["data"]
        detail = registrar_client.get(url_of(COURSES, course)).json()["data"]

        assert row.pop("created_at")
        assert row.pop("updated_at")
        assert row == {
            "id": str(course.pk),
            "code": "CS101",
            "title": "Programming",
            "credits": "3.00",
            "credits_max": None,
            "department": {"id": str(course.department_id), "code": "CS", "name": course.department.name},
            "level": "graduate",
            "is_active": True,
            "custom_fields": {},
        }
        assert {name: value for name, value in detail.items() if name not in row and not name.endswith("_at")} == {
            "description": "",
            "is_repeatable": False,
            "current_version": str(course.current_version_id),
        }

    def test_creating_correcting_and_deleting(self, registrar_client):
        department = DepartmentFactory()
        body = {"code": "CS101", "title": "Programming", "credits": "6", "department": str(department.pk)}

        created = registrar_client.post(COURSES, body)
        assert created.status_code == 201, created.json()
        url = f"{COURSES}{created.json()['data']['id']}/"
        corrected = registrar_client.patch(url, {"title": "Coding", "credits_max": "8.00"})

        assert (corrected.status_code, corrected.json()["data"]["title"]) == (200, "Coding")
        assert corrected.json()["data"]["credits_max"] == "8.00"
        assert registrar_client.delete(url).status_code == 204
        assert not Course.objects.exists()

    def test_what_was_read_can_be_sent_back(self, registrar_client):
        course = CourseFactory()
        shown = registrar_client.get(url_of(COURSES, course))
        body = {**shown.json()["data"], "department": str(course.department_id)}

        answer = registrar_client.put(url_of(COURSES, course), body, HTTP_IF_MATCH=shown["ETag"])

        assert answer.status_code == 200, answer.json()
        assert answer["ETag"].split("-")[0] == shown["ETag"].split("-")[0]

    def test_a_stale_correction_is_refused(self, registrar_client):
        course = CourseFactory()
        stale = registrar_client.get(url_of(COURSES, course))["ETag"]
        registrar_client.patch(url_of(COURSES, course), {"title": "Coding"})

        answer = registrar_client.patch(url_of(COURSES, course), {"title": "Other"}, HTTP_IF_MATCH=stale)

        assert answer.status_code == 412

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({"code": ""}, ("blank", "code")),
            ({"title": "x" * 256}, ("max_length", "title")),
            ({"credits": "-1"}, ("min_value", "credits")),
            ({"credits": "1e500"}, ("max_digits", "credits")),
            ({"credits": "4", "credits_max": "3"}, ("bounds_reversed", "")),
            ({"level": "odd"}, ("invalid_choice", "level")),
            ({"department": MISSING}, ("does_not_exist", "department")),
            ({"nonsense": 1}, ("unknown_field", "nonsense")),
        ],
    )
    def test_bad_input_is_refused_and_changes_nothing(self, registrar_client, body, found):
        course = CourseFactory()

        answer = registrar_client.patch(url_of(COURSES, course), body)

        assert (answer.status_code, codes(answer)) == (400, [found])
        assert Course.objects.get().version == 1

    def test_a_code_that_is_taken_and_a_course_in_use_are_conflicts(self, registrar_client):
        course, other = SectionFactory().course, CourseFactory()

        taken = registrar_client.patch(url_of(COURSES, other), {"code": course.code})
        in_use = registrar_client.delete(url_of(COURSES, course))

        assert [(r.status_code, r.json()["code"]) for r in (taken, in_use)] == [(409, "code_taken"), (409, "in_use")]

    def test_credits_of_enrolled_students_are_a_conflict(self, registrar_client):
        course = EnrollmentFactory().course

        answer = registrar_client.patch(url_of(COURSES, course), {"credits": "5"})

        assert (answer.status_code, answer.json()["code"]) == (409, "version_in_use")

    @pytest.mark.parametrize(
        "query", ["search=cs10", "search=programing", "code=CS101", "level=graduate", "is_active=true&search=prog"]
    )
    def test_it_is_found_by_code_title_and_filters(self, registrar_client, query):
        wanted = CourseFactory(code="CS101", title="Programming", level="graduate")
        CourseFactory(code="MA200", title="Algebra", is_active=False)

        assert ids(registrar_client.get(f"{COURSES}?{query}")) == [str(wanted.pk)]

    def test_it_is_found_by_department(self, registrar_client):
        wanted = CourseFactory()
        CourseFactory()

        assert ids(registrar_client.get(f"{COURSES}?department={wanted.department_id}")) == [str(wanted.pk)]

    @pytest.mark.parametrize("ordering", ["code", "-code", "title", "-title", "created_at"])
    def test_pages_lose_no_row(self, registrar_client, ordering):
        for title in ["A", "A", "B", "B", "B"]:
            CourseFactory(title=title)
        seen, url = [], f"{COURSES}?ordering={ordering}&page_size=2"
        while url:
            page = registrar_client.get(url)
            seen += ids(page)
            url = page.json()["meta"]["pagination"]["next"]

        assert len(seen) == len(set(seen)) == 5

    def test_custom_fields_are_kept_and_found(self, registrar_client):
        CustomField.objects.create(entity_type="courses.course", name="lab", label="Lab", field_type="text")
        course = CourseFactory()
        CourseFactory()

        answer = registrar_client.patch(url_of(COURSES, course), {"custom_fields": {"lab": "wet"}})

        assert answer.json()["data"]["custom_fields"] == {"lab": "wet"}
        assert ids(registrar_client.get(f"{COURSES}?custom.lab=wet")) == [str(course.pk)]

    def test_versions_are_listed_and_begun(self, registrar_client):
        course = CourseFactory(title="Before")
        url = url_of(COURSES, course, "versions")

        begun = registrar_client.post(url, {"starts_on": "2020-01-01", "title": "After", "credits": "4"})

        assert begun.status_code == 201, begun.json()
        rows = registrar_client.get(url).json()["data"]
        assert [(row["title"], row["starts_on"], row["ends_on"]) for row in rows] == [
            ("Before", None, "2020-01-01"), ("After", "2020-01-01", None),
        ]  # fmt: skip
        assert rows[0]["course"] == {"id": str(course.pk), "code": course.code}
        assert registrar_client.get(url_of(COURSES, course)).json()["data"]["title"] == "After"
        again = registrar_client.post(url, {"starts_on": "2020-01-01"})
        assert (again.status_code, again.json()["code"]) == (409, "effective_overlap")

    def test_bulk_writes_courses(self, registrar_client):
        department = str(DepartmentFactory().pk)
        items = [{"code": f"C{n}", "title": "T", "credits": "3", "department": department} for n in range(3)]

        answer = registrar_client.post(f"{COURSES}bulk-create/", {"items": items})

        assert answer.json()["data"]["succeeded"] == 3


class TestRequisites:
    def test_a_requisite_reads_as_it_was_written(self, registrar_client):
        course, named = CourseFactory(), CourseFactory(code="MA1")
        expr = {"all": [{"course": "MA1", "min_grade": "C"}, {"credits": "30"}]}
        body = {"course_version": str(course.current_version_id), "kind": "pre", "expr": expr}

        created = registrar_client.post(REQUISITES, body)

        assert created.status_code == 201, created.json()
        data = created.json()["data"]
        assert (data["course"], data["kind"], data["expr"]) == (
            {"id": str(course.pk), "code": course.code}, "pre", expr,
        )  # fmt: skip
        assert ids(registrar_client.get(f"{REQUISITES}?course={course.pk}")) == [data["id"]]
        assert ids(registrar_client.get(f"{REQUISITES}?names={named.pk}&kind=pre")) == [data["id"]]
        assert ids(registrar_client.get(f"{REQUISITES}?course={named.pk}")) == []

    def test_what_cannot_be_evaluated_is_refused_with_its_place(self, registrar_client):
        version = str(CourseFactory().current_version_id)

        answer = registrar_client.post(
            REQUISITES, {"course_version": version, "kind": "pre", "expr": {"all": [{"course": "NO"}, {"x": 1}]}}
        )

        assert answer.status_code == 400
        assert sorted(codes(answer)) == [("invalid_requisite", "expr.all.1"), ("unknown_code", "expr.all.0.course")]
        assert not Requisite.objects.exists()

    def test_a_cycle_is_a_conflict(self, registrar_client):
        first, second = CourseFactory(), CourseFactory()
        RequisiteFactory(course_version=first.current_version, expr={"course": second.code})

        answer = registrar_client.post(
            REQUISITES,
            {"course_version": str(second.current_version_id), "kind": "pre", "expr": {"course": first.code}},
        )

        assert (answer.status_code, answer.json()["code"]) == (409, "requisite_cycle")


class TestSections:
    def test_a_section_reads_as_documented(self, registrar_client, taught_section):
        EnrollmentFactory(section=taught_section)

        (row,) = registrar_client.get(SECTIONS).json()["data"]
        detail = registrar_client.get(url_of(SECTIONS, taught_section)).json()["data"]

        first, second = row.pop("instructors")
        assert (first["role"], first["share"], first["faculty"]["employee_no"]) == ("primary", "60.00", "E1")
        assert first["faculty"]["first_name"] == "Ada"
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
            ({"status": "closed"}, 200, None),
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

        assert answer.status_code == status, answer.json()
        if found:
            assert found in codes(answer)
        assert Section.objects.get().status == "open"

    def test_the_status_moves_by_its_own_action(self, registrar_client):
        section = SectionFactory(status="planned")

        moved = registrar_client.post(url_of(SECTIONS, section, "move"), {"status": "open", "reason": "Go."})
        again = registrar_client.post(url_of(SECTIONS, section, "move"), {"status": "planned"})

        assert (moved.status_code, moved.json()["data"]["status"]) == (200, "open")
        assert (again.status_code, again.json()["code"]) == (409, "illegal_transition")

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


class TestScope:
    """Everybody sees what is taught; a department's head manages the department's part, others nothing."""

    @pytest.fixture
    def department(self):
        return DepartmentFactory()

    @pytest.fixture
    def head(self, user_with, client_for, department):
        return client_for(user_with(Role.DEPARTMENT_HEAD, "department", department.pk))

    def test_a_head_manages_the_courses_of_the_department_and_below(self, head, department):
        own = CourseFactory(department=DepartmentFactory(parent=department))
        other = CourseFactory()

        assert head.get(url_of(COURSES, other)).status_code == 200
        assert head.patch(url_of(COURSES, own), {"title": "Mine"}).status_code == 200
        refused = head.patch(url_of(COURSES, other), {"title": "Mine"})
        assert (refused.status_code, refused.json()["code"]) == (403, "out_of_scope")

    def test_a_head_cannot_give_a_course_away_or_take_one(self, head, department):
        own, elsewhere = CourseFactory(department=department), DepartmentFactory()
        body = {"code": "X1", "title": "X", "credits": "1", "department": str(elsewhere.pk)}

        given = head.patch(url_of(COURSES, own), {"department": str(elsewhere.pk)})
        taken = head.post(COURSES, body)

        assert [given.status_code, taken.status_code] == [403, 403]
        assert Course.objects.get().department == department

    def test_a_head_manages_sections_requisites_versions_and_meetings_of_the_department(self, head, department):
        own = MeetingSectionFactory(section__course__department=department)
        other = MeetingSectionFactory()
        versions = {"starts_on": "2020-01-01"}

        assert head.patch(url_of(SECTIONS, own.section), {"capacity": 5}).status_code == 200
        assert head.patch(url_of(SECTIONS, other.section), {"capacity": 5}).status_code == 403
        assert head.patch(url_of(MEETINGS, own.meeting), {"weekday": 5}).status_code == 200
        assert head.patch(url_of(MEETINGS, other.meeting), {"weekday": 5}).status_code == 403
        assert head.post(url_of(COURSES, own.section.course, "versions"), versions).status_code == 201
        assert head.post(url_of(COURSES, other.section.course, "versions"), versions).status_code == 403
        for row, status in [(own, 201), (other, 403)]:
            version = str(row.section.course_version_id)
            body = {"course_version": version, "kind": "pre", "expr": {"credits": 1}}
            assert head.post(REQUISITES, body).status_code == status

    def test_a_head_cannot_join_the_meeting_of_another_department(self, head, department):
        section, foreign = SectionFactory(course__department=department), MeetingSectionFactory()

        answer = head.patch(url_of(SECTIONS, section), {"meetings": [{"id": str(foreign.meeting_id)}]})

        assert (answer.status_code, codes(answer)) == (400, [("does_not_exist", "meetings.0.id")])

    @pytest.mark.parametrize("role", [Role.STUDENT, Role.FACULTY])
    def test_students_and_faculty_look_and_touch_nothing(self, user_with, client_for, role):
        client, section = client_for(user_with(role, "self")), SectionFactory()

        assert client.get(url_of(SECTIONS, section)).status_code == 200
        assert client.get(url_of(COURSES, section.course)).status_code == 200
        assert client.patch(url_of(SECTIONS, section), {"capacity": 1}).status_code == 403
        assert client.post(url_of(SECTIONS, section, "move"), {"status": "closed"}).status_code == 403

    def test_somebody_in_charge_of_one_section_manages_that(self, user_with, client_for):
        own, other = SectionFactory(), SectionFactory()
        client = client_for(user_with(Role.REGISTRAR, "section", own.pk))

        assert client.patch(url_of(SECTIONS, own), {"capacity": 5}).status_code == 200
        assert client.patch(url_of(SECTIONS, other), {"capacity": 5}).status_code == 403

    def test_nobody_looks_anonymously(self, client_for):
        assert client_for(None).get(SECTIONS).status_code == 401


class TestCost:
    @pytest.mark.parametrize("base", [COURSES, REQUISITES, SECTIONS, MEETINGS])
    def test_a_list_costs_at_most_three_queries(self, registrar_client, base, django_assert_max_num_queries):
        for number in range(6):
            row = MeetingSectionFactory(meeting__room=RoomFactory())
            SectionInstructorFactory(section=row.section)
            RequisiteFactory(course_version=row.section.course_version, expr={"credits": number})

        with django_assert_max_num_queries(3):
            answer = registrar_client.get(f"{base}?page_size=5")

        assert len(ids(answer)) == 5

    def test_a_search_costs_no_more(self, registrar_client, django_assert_max_num_queries):
        SectionFactory(course__code="CS101")

        with django_assert_max_num_queries(4):  # which custom fields are searched is one more
            answer = registrar_client.get(f"{SECTIONS}?search=cs101&term={MISSING}&weekday=1")

        assert answer.status_code == 200

    @pytest.mark.parametrize("rest", [("sections", "meetings"), ("courses", "versions")])
    def test_what_belongs_to_one_row_costs_at_most_three_queries(
        self, registrar_client, rest, django_assert_max_num_queries
    ):
        section = MeetingSectionFactory().section
        row = section if rest[0] == "sections" else section.course

        with django_assert_max_num_queries(3):
            answer = registrar_client.get(f"/api/v1/{rest[0]}/{row.pk}/{rest[1]}/")

        assert len(ids(answer)) == 1
