"""What the services promise whoever calls them, and a kind that is written apart."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from core.errors import DomainError
from projects import kinds, services
from projects.models import SCHOOL, Project
from tests.accounts.factories import UserFactory
from tests.projects.factories import ProjectFactory
from tests.projects.test_api import COURSE

pytestmark = pytest.mark.django_db


def refused(act: Any) -> dict[str, str]:
    with pytest.raises(DomainError) as error:
        act()
    return {each.field: each.error_code for each in error.value.violations}


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let school projects be written by another resource."""
    monkeypatch.setitem(kinds._kinds, "school", replace(SCHOOL, is_written_apart=True))


def test_a_project_may_be_begun_for_somebody_else(django_assert_max_num_queries):
    owner = UserFactory()

    with django_assert_max_num_queries(20):
        project = services.create_project(
            by=None, owner_id=owner.pk, project_type="school", name="Bridges", school_data=COURSE
        )

    connection.check_constraints()
    assert project.owner == owner


def test_a_project_is_somebodys():
    assert refused(
        lambda: services.create_project(by=None, project_type="school", name="Bridges", school_data=COURSE)
    ) == {"owner": "null"}


def test_whatever_is_wrong_is_told_at_once_and_nothing_is_left():
    found = refused(
        lambda: services.create_project(
            by=UserFactory(),
            project_type="school",
            name="N" * 256,
            school_data={"course_name": "\0", "course_code": ""},
            self_study_data={"goal_description": "Read"},
        )
    )

    assert found == {
        "name": "max_length",
        "self_study_data": "subtype_mismatch",
        "school_data.course_name": "invalid_text",
        "school_data.course_code": "blank",
        "school_data.teacher_name": "required",
    }
    assert not Project.objects.exists()


def test_there_is_no_kind_that_nobody_registered():
    assert refused(lambda: services.create_project(by=UserFactory(), project_type="field_trip", name="Bridges")) == {
        "project_type": "invalid_choice"
    }


def test_what_is_written_apart_is_read_and_written_by_nobody_here(apart, ada, client):
    project = ProjectFactory(owner=ada)
    url = f"/api/v1/projects/{project.pk}/"
    body = {"project_type": "school", "name": "Bridges"}

    assert client.get(url).json()["data"]["school_data"]["course_code"] == project.school_data.course_code
    for answer in (
        client.post("/api/v1/projects/", body, format="json"),
        client.patch(url, {"name": "Bridges"}, format="json"),
        client.delete(url),
        client.post(f"{url}publish/"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "kind_written_apart")


def test_whoever_writes_a_kind_apart_makes_its_projects_by_the_same_rules(apart):
    kind = kinds.kind_of("school")
    project = services.make_project(kind, by=UserFactory(), values={"name": "Bridges", "school_data": COURSE})

    services.change_project(kind, project, by=None, changes={"school_data": {"course_code": "CIV-2"}})

    connection.check_constraints()
    assert Project.objects.get().school_data.course_code == "CIV-2"
    assert refused(lambda: services.make_project(kind, by=UserFactory(), values={"name": "Bridges"})).keys() == {
        f"school_data.{name}" for name in COURSE
    }
