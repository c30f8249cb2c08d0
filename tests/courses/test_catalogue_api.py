"""Courses, versions and requisites over HTTP: shape, refusal, filters."""

import pytest

from core.models import CustomField
from courses.models import Course, Requisite
from tests.courses.factories import (
    CourseFactory,
    RequisiteFactory,
    SectionFactory,
)
from tests.courses.http import COURSES, MISSING, REQUISITES, codes, ids, url_of
from tests.departments.factories import DepartmentFactory
from tests.enrollment.factories import EnrollmentFactory

pytestmark = pytest.mark.django_db


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
            ({"credits": "1" * 500}, ("max_digits", "credits")),
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
