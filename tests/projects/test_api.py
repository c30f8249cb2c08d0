"""Projects over HTTP: begun, read, changed and deleted with what their kind adds."""

from typing import Any

import pytest
from django.db import connection

from projects.models import Project, SchoolProject, SelfStudyProject
from tests.projects.factories import ProjectFactory, SchoolProjectFactory, SelfStudyProjectFactory

pytestmark = pytest.mark.django_db
URL = "/api/v1/projects/"
COURSE = {"course_name": "Structures", "course_code": "CIV-201", "teacher_name": "Grace Hopper"}
STUDY = {"goal_description": "Read Euclid", "study_frequency": "Daily"}
SCHOOL = {"project_type": "school", "name": "Bridges of paper", "school_data": COURSE}
SELF_STUDY = {"project_type": "self_study", "name": "Geometry", "self_study_data": STUDY}


def of(project: Any) -> str:
    return f"{URL}{project.pk}/"


def errors(answer: Any) -> dict[str, tuple[str, str]]:
    """Return of each field the code and the sentence of its refusal."""
    return {error["field"]: (error["code"], error["detail"]) for error in answer.json()["errors"]}


class TestBeginning:
    @pytest.mark.parametrize(
        ("body", "data", "other"),
        [(SCHOOL, "school_data", "self_study_data"), (SELF_STUDY, "self_study_data", "school_data")],
    )
    def test_a_project_is_begun_with_what_its_kind_adds(self, client, ada, body, data, other):
        answer = client.post(URL, body, format="json")

        shown = answer.json()["data"]
        assert answer.status_code == 201
        assert {name: shown[name] for name in body} == body
        assert shown[other] is None
        assert (shown["is_draft"], shown["state"], shown["owner"]["id"]) == (True, "draft", str(ada.pk))
        assert client.get(f"{URL}{shown['id']}/").json()["data"] == shown
        connection.check_constraints()

    def test_one_that_is_no_draft_is_active(self, client):
        shown = client.post(URL, {**SCHOOL, "is_draft": False}, format="json").json()["data"]

        assert (shown["is_draft"], shown["state"]) == (False, "active")

    def test_all_that_is_missing_is_told_at_once_in_the_name_of_the_kind(self, client):
        answer = client.post(
            URL, {"project_type": "school", "school_data": {"course_name": "", "course_code": None}}, format="json"
        )

        assert answer.status_code == 400
        assert errors(answer) == {
            "name": ("required", "This field is required."),
            "school_data.course_name": ("blank", "Course name is required for school projects."),
            "school_data.course_code": ("null", "Course code is required for school projects."),
            "school_data.teacher_name": ("required", "Teacher name is required for school projects."),
        }
        assert not Project.objects.exists()

    @pytest.mark.parametrize("given", [{}, {"self_study_data": None}])
    def test_what_a_kind_adds_is_asked_for_where_there_is_nothing_of_it(self, client, given):
        answer = client.post(URL, {"project_type": "self_study", "name": "Geometry", **given}, format="json")

        assert errors(answer) == {
            "self_study_data.goal_description": ("required", "Goal description is required for self-study projects."),
            "self_study_data.study_frequency": ("required", "Study frequency is required for self-study projects."),
        }

    def test_what_another_kind_adds_is_refused(self, client):
        answer = client.post(URL, {**SCHOOL, "self_study_data": STUDY}, format="json")

        assert answer.status_code == 400
        assert errors(answer) == {"self_study_data": ("subtype_mismatch", "A school project has no self_study_data.")}
        assert not Project.objects.exists()

    @pytest.mark.parametrize("project_type", ["field_trip", "", None, 7, {}])
    def test_there_is_no_project_of_another_type(self, client, project_type):
        answer = client.post(URL, {**SCHOOL, "project_type": project_type}, format="json")

        assert answer.status_code == 400
        assert "project_type" in errors(answer)

    @pytest.mark.parametrize(
        "body",
        [
            {**SCHOOL, "owner": "01955500-0000-7000-8000-000000000001"},
            {**SCHOOL, "state": "completed"},
            {**SCHOOL, "school_data": {**COURSE, "project": "01955500-0000-7000-8000-000000000001"}},
            {**SCHOOL, "school_data": {**COURSE, "project_type": "self_study"}},
            {**SCHOOL, "school_data": {**COURSE, "course_code": "C" * 51}},
            {**SCHOOL, "school_data": "Structures"},
            {**SCHOOL, "start_date": "2026-10-02", "end_date": "2026-10-01"},
        ],
    )
    def test_what_is_not_the_callers_to_say_or_too_much_is_refused(self, client, body):
        assert client.post(URL, body, format="json").status_code == 400
        assert not Project.objects.exists()


class TestChanging:
    def test_what_is_not_named_stays(self, client, ada):
        project = SchoolProjectFactory(project__owner=ada, course_code="CIV-1").project

        answer = client.patch(of(project), {"school_data": {"course_name": "Statics"}}, format="json")

        row = SchoolProject.objects.get()
        assert answer.status_code == 200
        assert (row.course_name, row.course_code) == ("Statics", "CIV-1")

    def test_what_a_kind_adds_counts_as_a_change_of_the_project(self, client, ada):
        project = ProjectFactory(owner=ada)
        read = client.get(of(project))

        client.patch(of(project), {"school_data": {"course_name": "Statics"}}, format="json")
        stale = client.patch(of(project), {"name": "Late"}, format="json", headers={"If-Match": read.headers["ETag"]})

        assert Project.objects.get().version == 2
        assert stale.status_code == 412

    def test_what_stands_may_come_back_whole(self, client, ada):
        project = ProjectFactory(owner=ada)
        read = client.get(of(project)).json()["data"]

        answer = client.put(of(project), read, format="json")

        assert answer.status_code == 200
        assert answer.json()["data"] == read
        assert Project.objects.get().version == 1

    def test_replacing_asks_for_all_of_it(self, client, ada):
        project = ProjectFactory(owner=ada)

        answer = client.put(of(project), {"name": "Anew", "school_data": {"course_name": "Statics"}}, format="json")

        assert errors(answer).keys() == {"school_data.course_code", "school_data.teacher_name"}

    @pytest.mark.parametrize(
        ("change", "refused"),
        [
            ({"project_type": "self_study"}, {"project_type": "read_only_field"}),
            ({"self_study_data": STUDY}, {"self_study_data": "subtype_mismatch"}),
            ({"school_data": {"course_name": ""}}, {"school_data.course_name": "blank"}),
            ({"is_draft": False}, {"is_draft": "read_only_field"}),
            (
                {"name": "", "school_data": {"course_name": ""}},
                {"name": "blank", "school_data.course_name": "blank"},
            ),
        ],
    )
    def test_a_change_is_refused_and_changes_nothing(self, client, ada, change, refused):
        project = ProjectFactory(owner=ada)
        read = client.get(of(project)).json()["data"]

        answer = client.patch(of(project), change, format="json")

        assert answer.status_code == 400
        assert {field: code for field, (code, _) in errors(answer).items()} == refused
        assert client.get(of(project)).json()["data"] == read

    def test_a_project_goes_with_all_that_belongs_to_it(self, client, ada):
        project = SelfStudyProjectFactory(project__owner=ada).project

        assert client.delete(of(project)).status_code == 204

        connection.check_constraints()
        assert not Project.objects.exists()
        assert not SelfStudyProject.objects.exists()


class TestSteps:
    def test_a_draft_is_published_completed_and_taken_up_again(self, client, ada):
        project = ProjectFactory(owner=ada)

        states = [
            client.post(f"{of(project)}{step}/").json()["data"]["state"] for step in ("publish", "complete", "reopen")
        ]

        assert states == ["active", "completed", "active"]

    @pytest.mark.parametrize(
        ("state", "steps"),
        [("draft", ["complete", "reopen"]), ("active", ["publish", "reopen"]), ("completed", ["publish", "complete"])],
    )
    def test_no_other_step_is_taken(self, client, ada, state, steps):
        project = ProjectFactory(owner=ada, state=state)

        for step in steps:
            answer = client.post(f"{of(project)}{step}/")
            assert (answer.status_code, answer.json()["code"]) == (409, "project_transition")
        assert Project.objects.get().state == state


class TestReading:
    def test_everybody_sees_their_own_and_an_administrator_all(self, client, ada, other, administrator, client_for):
        own, foreign = ProjectFactory(owner=ada), ProjectFactory(owner=other)

        assert [row["id"] for row in client.get(URL).json()["data"]] == [str(own.pk)]
        for method in (client.get, client.patch, client.delete):
            assert method(of(foreign)).status_code == 404
        for step in ("publish", "complete", "reopen"):
            assert client.post(f"{of(foreign)}{step}/").status_code == 404
        assert {row["id"] for row in client_for(administrator).get(URL).json()["data"]} == {
            str(own.pk), str(foreign.pk),
        }  # fmt: skip

    def test_each_kind_has_a_list(self, client, ada):
        school = SchoolProjectFactory(project__owner=ada, course_code="CIV-1").project
        SchoolProjectFactory(project__owner=ada, course_code="CIV-2")
        study = SelfStudyProjectFactory(project__owner=ada).project

        def ids(path: str) -> list[str]:
            return [row["id"] for row in client.get(f"{URL}{path}").json()["data"]]

        assert len(ids("school_projects/")) == 2
        assert ids("school_projects/?course_code=CIV-1") == [str(school.pk)]
        assert ids("self_study_projects/") == ids("?project_type=self_study") == [str(study.pk)]
        assert client.get(f"{URL}self_study_projects/?course_code=CIV-1").status_code == 400

    def test_lists_are_narrowed_ordered_and_come_in_pages(self, client, ada):
        for name, state in (("C", "draft"), ("A", "active"), ("B", "completed")):
            ProjectFactory(owner=ada, name=name, state=state)

        page = client.get(f"{URL}school_projects/?ordering=name&page_size=2").json()
        rest = client.get(page["meta"]["pagination"]["next"]).json()["data"]

        assert [row["name"] for row in [*page["data"], *rest]] == ["A", "B", "C"]
        assert [row["name"] for row in client.get(f"{URL}?is_draft=true").json()["data"]] == ["C"]
        assert {row["name"] for row in client.get(f"{URL}?state=draft,active").json()["data"]} == {"A", "C"}
        assert client.get(f"{URL}?starts_from=2026-10-02").json()["data"] == []
        assert len(client.get(f"{URL}?ends_to=2027-01-31").json()["data"]) == 3

    @pytest.mark.parametrize("path", ["", "school_projects/", "self_study_projects/"])
    def test_a_list_costs_as_many_queries_as_ever(self, client, ada, path, django_assert_max_num_queries):
        for _ in range(3):
            ProjectFactory(owner=ada)
            SelfStudyProjectFactory(project__owner=ada)
        client.get(f"{URL}{path}")

        with django_assert_max_num_queries(4):
            client.get(f"{URL}{path}?page_size=200")

    def test_a_row_shows_what_is_asked_for(self, client, ada):
        ProjectFactory(owner=ada, name="Bridges")

        row = client.get(f"{URL}?fields=name,school_data").json()["data"][0]

        assert row.keys() == {"name", "school_data"}
