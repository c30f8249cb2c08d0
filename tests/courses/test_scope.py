"""Who sees and manages the catalogue and the offer over HTTP, and what it costs."""

import pytest

from accounts.roles import Role
from courses.models import Course
from tests.courses.factories import (
    CourseFactory,
    MeetingSectionFactory,
    RequisiteFactory,
    SectionFactory,
    SectionInstructorFactory,
)
from tests.courses.http import COURSES, MEETINGS, MISSING, REQUISITES, SECTIONS, codes, ids, url_of
from tests.departments.factories import DepartmentFactory, RoomFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db


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

        assert (answer.status_code, codes(answer)) == (403, [("out_of_scope", "meetings.0.id")])

    def test_a_head_leaves_alone_what_meets_with_a_section_of_another_department(self, head, department):
        own = SectionFactory(course__department=department)
        shared = MeetingSectionFactory(section=own).meeting
        foreign = MeetingSectionFactory(meeting=shared, section__term=own.term).section
        url = url_of(MEETINGS, shared)

        answers = [
            head.get(url),
            head.delete(url),
            head.patch(url, {"weekday": 5}),
            head.patch(url, {"sections": [str(own.pk)]}),
            head.patch(url_of(SECTIONS, own), {"meetings": [{"id": str(shared.pk), "weekday": 5}]}),
            head.post(f"{MEETINGS}bulk-delete/", {"items": [{"id": str(shared.pk)}]}),
        ]

        assert [answer.status_code for answer in answers] == [200, 403, 403, 403, 403, 403]
        assert {answer.json()["code"] for answer in answers[1:]} == {"out_of_scope"}
        assert set(shared.sections.all()) == {own, foreign}
        assert shared.weekday == 1

    def test_a_head_keeps_a_meeting_with_another_department_or_leaves_it(self, head, department):
        own = SectionFactory(course__department=department)
        shared = MeetingSectionFactory(section=own).meeting
        foreign = MeetingSectionFactory(meeting=shared, section__term=own.term).section

        kept = head.patch(url_of(SECTIONS, own), {"meetings": [{"id": str(shared.pk)}]})
        left = head.patch(url_of(SECTIONS, own), {"meetings": []})

        assert [kept.status_code, left.status_code] == [200, 200]
        assert list(shared.sections.all()) == [foreign]

    def test_whoever_is_in_charge_of_every_section_manages_what_they_share(self, head, department):
        own = SectionFactory(course__department=department)
        shared = MeetingSectionFactory(section=own).meeting
        MeetingSectionFactory(meeting=shared, section__term=own.term, section__course__department=department)

        assert head.patch(url_of(MEETINGS, shared), {"weekday": 5}).status_code == 200
        assert head.delete(url_of(MEETINGS, shared)).status_code == 204

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

        with django_assert_max_num_queries(3):
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


def test_what_somebody_teaches_is_listed_below_them(registrar_client, django_assert_max_num_queries):
    taught, elsewhere = SectionInstructorFactory(), SectionInstructorFactory()
    SectionInstructorFactory(faculty=taught.faculty, section__capacity=7)
    url = f"/api/v1/faculty/{taught.faculty_id}/sections/"

    with django_assert_max_num_queries(3):
        listed = ids(registrar_client.get(url))

    assert len(listed) == 2
    assert str(elsewhere.section_id) not in listed
    assert str(taught.section_id) in listed
    assert ids(registrar_client.get(f"{url}?term={taught.section.term_id}")) == [str(taught.section_id)]


def test_nobody_is_told_what_somebody_out_of_sight_teaches(user_with, client_for):
    client = client_for(user_with(Role.STUDENT, "self"))
    section = SectionInstructorFactory()

    answers = [
        client.get(f"/api/v1/faculty/{pk}/sections/{query}")
        for pk in (section.faculty_id, MISSING)
        for query in ("", "?page=1", "?search=x")
    ]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(404, "not_found")] * 6


def test_somebody_who_teaches_nothing_is_there_all_the_same(registrar_client):
    answer = registrar_client.get(f"/api/v1/faculty/{FacultyFactory().pk}/sections/")

    assert (answer.status_code, answer.json()["data"]) == (200, [])
