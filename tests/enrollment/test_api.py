"""Enrolments over HTTP: shape, refusal, filters, cost."""

from decimal import Decimal

import pytest

from accounts.roles import Role
from courses.models import Section
from enrollment.models import Enrollment, EnrollmentEvent
from students.models import Student
from tests.courses.factories import SectionFactory
from tests.courses.http import MISSING, codes, ids
from tests.departments.factories import DepartmentFactory
from tests.enrollment.factories import NOON, EnrollmentFactory
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db

# What a list may cost beside: one statement that puts on record whose records were shown to whom.
RECORD = 1
LIST = "/api/v1/enrollments/"
PREFLIGHT = f"{LIST}preflight/"


def url_of(row, *rest):
    return "/".join([f"{LIST}{row.pk}", *rest, ""])


def body_of(section, student=None, **more):
    return {"student": str((student or StudentFactory()).pk), "section": str(section.pk), **more}


class TestShape:
    def test_an_enrolment_reads_as_documented(self, registrar_client):
        row = EnrollmentFactory(
            student__student_no="S1",
            student__person__first_name="Augusta",
            student__person__last_name="Lovelace",
            student__person__preferred_name="Ada",
            section__code="01",
            section__course__code="CS101",
            section__course__title="Programming",
            section__term__code="2026F",
        )

        (data,) = registrar_client.get(LIST).json()["data"]

        assert data.pop("created_at")
        assert data.pop("updated_at")
        assert data == {
            "id": str(row.pk),
            "student": {"id": str(row.student_id), "student_no": "S1", "name": "Ada Lovelace"},
            "section": {
                "id": str(row.section_id),
                "code": "01",
                "course": {"id": str(row.course_id), "code": "CS101", "title": "Programming"},
            },
            "term": {"id": str(row.term_id), "code": "2026F"},
            "status": "enrolled",
            "credits": "3.00",
            "grade_basis": "letter",
            "attempt_no": 1,
            "result": "",
            "enrolled_at": "2026-09-07T12:00:00Z",
            "dropped_at": None,
            "source": "manual",
        }

    def test_enrolling_and_dropping(self, registrar_client):
        section = SectionFactory()

        created = registrar_client.post(LIST, body_of(section, grade_basis="audit"))
        assert created.status_code == 201, created.json()
        data = created.json()["data"]
        assert (data["status"], data["source"], data["grade_basis"]) == ("enrolled", "api", "audit")
        dropped = registrar_client.delete(f"{LIST}{data['id']}/")

        assert dropped.status_code == 204
        kept = registrar_client.get(f"{LIST}{data['id']}/").json()["data"]
        assert kept["status"] == "dropped"
        assert kept["dropped_at"]
        assert Section.objects.get().enrolled_count == 0

    def test_a_repeated_request_enrols_once(self, registrar_client):
        body = body_of(SectionFactory())

        answers = [registrar_client.post(LIST, body, HTTP_IDEMPOTENCY_KEY="once") for _ in range(2)]

        assert [answer.status_code for answer in answers] == [201, 201]
        assert answers[0].json() == answers[1].json()
        assert Enrollment.objects.count() == 1

    def test_each_step_has_its_action(self, registrar_client):
        pending = EnrollmentFactory(status="pending")
        steps = [("confirm", {}, "enrolled"), ("complete", {"result": "pass"}, "completed")]

        for action, body, status in steps:
            answer = registrar_client.post(url_of(pending, action), body)
            assert (answer.status_code, answer.json()["data"]["status"]) == (200, status)
        for action, status in [("withdraw", "withdrawn"), ("cancel", "cancelled")]:
            answer = registrar_client.post(url_of(EnrollmentFactory(), action), {"reason": "Ill."})
            assert (answer.status_code, answer.json()["data"]["status"]) == (200, status)

        history = registrar_client.get(f"{url_of(pending)}history/").json()["data"]
        assert [(row["from_status"], row["to_status"]) for row in history] == [
            ("enrolled", "completed"), ("pending", "enrolled"),
        ]  # fmt: skip

    def test_credits_and_grade_basis_are_all_that_changes(self, registrar_client):
        row = EnrollmentFactory(section__course__credits_max=Decimal(6))

        changed = registrar_client.patch(url_of(row), {"credits": "5", "grade_basis": "pass_fail"})
        assert changed.json()["data"]["credits"] == "5.00"
        refused = registrar_client.patch(url_of(row), {"status": "completed"})
        assert (refused.status_code, refused.json()["code"]) == (400, "read_only_field")
        assert registrar_client.patch(url_of(row), {"status": "enrolled"}).status_code == 200
        stale = registrar_client.patch(url_of(row), {"credits": "4"}, HTTP_IF_MATCH='"1-x"')
        assert stale.status_code == 412


class TestRefusals:
    def test_a_full_section_is_a_conflict_that_says_what_to_do(self, registrar_client):
        section = SectionFactory(capacity=0, waitlist_capacity=3, course__code="CS101", code="01")

        answer = registrar_client.post(LIST, body_of(section))

        assert (answer.status_code, answer.json()["code"]) == (409, "section_full")
        (error,) = answer.json()["errors"]
        assert (error["field"], error["detail"]) == ("section", "CS101-01 has 0 of 0 seats left.")
        assert error["meta"]["waitlist_available"] is True

    def test_every_violation_is_listed_at_once(self, registrar_client):
        section = SectionFactory(capacity=0, status="closed", term__state="grading")

        answer = registrar_client.post(LIST, body_of(section, StudentFactory(status="suspended"), credits="99"))

        assert answer.status_code == 409
        assert codes(answer) == [
            ("student_not_active", "student"),
            ("term_closed", "section"),
            ("section_not_open", "section"),
            ("section_full", "section"),
            ("credits_out_of_range", "credits"),
        ]
        assert answer.json()["code"] == "invalid"

    @pytest.mark.parametrize(
        ("body", "found"),
        [
            ({}, [("required", "student"), ("required", "section")]),
            ({"student": MISSING, "section": MISSING}, [("does_not_exist", "student"), ("does_not_exist", "section")]),
            ({"student": "x", "section": 3}, [("invalid", "student"), ("incorrect_type", "section")]),
        ],
    )
    def test_bad_input_is_refused(self, registrar_client, body, found):
        answer = registrar_client.post(LIST, body)

        assert answer.status_code == 400
        assert [field for _, field in codes(answer)] == [field for _, field in found]

    def test_overriding_takes_a_permission_and_is_recorded(self, registrar_client, ada):
        section = SectionFactory(capacity=0)

        refused = ada.post(LIST, body_of(section, ada.student, override=True))
        granted = registrar_client.post(LIST, body_of(section, ada.student, override=True, reason="The dean asked."))

        assert (refused.status_code, refused.json()["code"]) == (403, "override_not_permitted")
        assert granted.status_code == 201, granted.json()
        assert EnrollmentEvent.objects.get().overridden == ["section_full"]
        assert Section.objects.get().override_seats == 1

    def test_what_has_ended_cannot_be_dropped(self, registrar_client):
        answer = registrar_client.delete(url_of(EnrollmentFactory(status="completed")))

        assert (answer.status_code, answer.json()["code"]) == (409, "illegal_transition")


class TestPreflight:
    def test_it_lists_what_stands_against_an_enrolment(self, registrar_client):
        body = body_of(SectionFactory(capacity=0, status="planned"))

        answer = registrar_client.post(PREFLIGHT, body)

        assert answer.status_code == 200, answer.json()
        assert answer.json()["data"]["allowed"] is False
        assert [row["code"] for row in answer.json()["data"]["violations"]] == ["section_not_open", "section_full"]
        assert not Enrollment.objects.exists()

    def test_it_says_when_nothing_does(self, ada):
        answer = ada.post(PREFLIGHT, body_of(SectionFactory(), ada.student))

        assert answer.json()["data"] == {"allowed": True, "violations": []}

    def test_it_is_for_those_who_may_enrol_the_student(self, ada, user_with, client_for):
        department = DepartmentFactory()
        head = client_for(user_with(Role.DEPARTMENT_HEAD, "department", department.pk))
        student = StudentFactory(department=department)

        foreign = head.post(PREFLIGHT, body_of(SectionFactory(), student))
        own = head.post(PREFLIGHT, body_of(SectionFactory(course__department=department), student))
        unseen = ada.post(PREFLIGHT, body_of(SectionFactory(), student))

        assert [foreign.status_code, own.status_code, unseen.status_code] == [403, 200, 400]


class TestLists:
    @pytest.fixture
    def wanted(self):
        EnrollmentFactory(status="dropped", dropped_at=NOON, enrolled_at=None, source="import", result="withdrawn")
        return EnrollmentFactory(
            student__student_no="S777", student__person__last_name="Lovelace", section__course__code="CS101"
        )

    def test_it_is_found_by_every_filter(self, registrar_client, wanted):
        queries = [
            f"student={wanted.student_id}",
            f"section={wanted.section_id}",
            f"course={wanted.course_id}",
            f"term={wanted.term_id}",
            f"department={wanted.course.department_id}",
            "status=pending,enrolled",
            "source=manual",
            "enrolled_after=2026-09-07T12:00:00Z",
            "enrolled_before=2026-09-07T12:00:00Z",
            "search=s777",
            "search=lovelase",
            "search=cs101 love",
        ]

        found = {query: ids(registrar_client.get(f"{LIST}?{query}")) for query in queries}

        assert found == {query: [str(wanted.pk)] for query in queries}
        assert len(ids(registrar_client.get(f"{LIST}?result=withdrawn"))) == 1

    @pytest.mark.parametrize("ordering", ["enrolled_at", "-enrolled_at", "created_at", "-created_at"])
    def test_pages_lose_no_row(self, registrar_client, wanted, ordering):
        EnrollmentFactory.create_batch(3)
        seen, url = [], f"{LIST}?ordering={ordering}&page_size=2"
        while url:
            page = registrar_client.get(url)
            seen += ids(page)
            url = page.json()["meta"]["pagination"]["next"]

        assert len(seen) == len(set(seen)) == 5

    @pytest.mark.parametrize("query", ["?page_size=5", "?page_size=5&status=enrolled", "?page_size=5&search=first"])
    def test_a_list_costs_at_most_three_queries(self, registrar_client, query, django_assert_max_num_queries):
        EnrollmentFactory.create_batch(6)

        with django_assert_max_num_queries(3 + RECORD):
            answer = registrar_client.get(f"{LIST}{query}")

        assert len(ids(answer)) == 5

    def test_a_roster_lists_who_is_in_the_section_by_name(self, registrar_client, django_assert_max_num_queries):
        section = SectionFactory()
        for name in ("Turing", "Lovelace", "Hopper"):
            EnrollmentFactory(section=section, student__person__last_name=name)
        EnrollmentFactory(section=section, status="dropped", dropped_at=NOON)
        url = f"/api/v1/sections/{section.pk}/roster/"

        with django_assert_max_num_queries(3 + RECORD):
            rows = registrar_client.get(url).json()["data"]

        assert [row["student"]["name"].split()[-1] for row in rows] == ["Hopper", "Lovelace", "Turing"]
        assert len(ids(registrar_client.get(f"{url}?search=turing&status=enrolled"))) == 1
        assert registrar_client.get(f"/api/v1/sections/{MISSING}/roster/").status_code == 404

    def test_a_roster_is_ordered_by_the_names_that_it_shows(self, registrar_client):
        section = SectionFactory()
        for first, preferred in (("Augusta", "Zada"), ("Bertha", ""), ("Zoe", "Annabella")):
            EnrollmentFactory(
                section=section,
                student__person__first_name=first,
                student__person__preferred_name=preferred,
                student__person__last_name="Lovelace",
            )

        shown = ["Annabella", "Bertha", "Zada"]
        for query, expected in (({}, shown), ({"ordering": "-first_name"}, shown[::-1])):
            rows = registrar_client.get(f"/api/v1/sections/{section.pk}/roster/", query).json()["data"]
            assert [row["student"]["name"].split()[0] for row in rows] == expected

    def test_a_students_enrolments_stand_below_the_student(self, registrar_client, django_assert_max_num_queries):
        row = EnrollmentFactory()
        EnrollmentFactory()

        with django_assert_max_num_queries(3 + RECORD):
            answer = registrar_client.get(f"/api/v1/students/{row.student_id}/enrollments/")

        assert ids(answer) == [str(row.pk)]

    def test_related_rows_can_be_included(self, registrar_client):
        EnrollmentFactory()

        (data,) = registrar_client.get(f"{LIST}?include=section,student,section.course,term").json()["data"]

        assert data["section"]["capacity"] == 30
        assert data["section"]["course"]["credits"] == "3.00"
        assert data["student"]["status"] == "active"


class TestBulk:
    def test_all_or_nothing_is_the_default(self, registrar_client):
        section = SectionFactory(capacity=2)
        items = [body_of(section) for _ in range(3)]

        answer = registrar_client.post(f"{LIST}bulk-create/", {"items": items})

        assert (answer.status_code, codes(answer)) == (409, [("section_full", "items.2.section")])
        assert not Enrollment.objects.exists()
        assert Section.objects.get().enrolled_count == 0

    def test_best_effort_enrols_whoever_fits(self, registrar_client):
        section = SectionFactory(capacity=2)
        items = [body_of(section) for _ in range(3)]

        answer = registrar_client.post(
            f"{LIST}bulk-create/", {"items": [*items, {"section": "x"}, {}], "mode": "best_effort"}
        )

        results = answer.json()["data"]["results"]
        assert [result["status"] for result in results] == ["created", "created", "refused", "refused", "refused"]
        assert Section.objects.get().enrolled_count == 2

    def test_many_are_changed_and_dropped(self, registrar_client):
        rows = EnrollmentFactory.create_batch(2)
        named = [{"id": str(row.pk)} for row in rows]

        changed = registrar_client.post(
            f"{LIST}bulk-update/", {"items": [{**item, "grade_basis": "audit"} for item in named]}
        )
        dropped = registrar_client.post(f"{LIST}bulk-delete/", {"items": named})

        assert [r.json()["data"]["succeeded"] for r in (changed, dropped)] == [2, 2]
        assert set(Enrollment.objects.values_list("grade_basis", "status")) == {("audit", "dropped")}

    def test_a_student_drops_nobody_else(self, ada):
        own, other = EnrollmentFactory(student=ada.student), EnrollmentFactory()

        answer = ada.post(
            f"{LIST}bulk-delete/", {"items": [{"id": str(own.pk)}, {"id": str(other.pk)}], "mode": "best_effort"}
        )

        assert [result["status"] for result in answer.json()["data"]["results"]] == ["deleted", "refused"]


def test_a_student_in_a_section_is_protected(registrar_client):
    row = EnrollmentFactory()

    answer = registrar_client.delete(f"/api/v1/students/{row.student_id}/")

    assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
    assert Student.objects.filter(pk=row.student_id).exists()
