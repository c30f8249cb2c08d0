"""What is noted about a project: one object, read and written by every verb."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.db.constraints import error_for
from projects.models import Project, ProjectMeta
from projects.models.metadata import LARGEST_VALUE
from tests.projects.factories import ProjectFactory, ProjectMetaFactory
from tests.projects.test_api import URL, errors, of

pytestmark = pytest.mark.django_db
SYLLABUS = {"weeks": 14, "texts": ["Elements", "Conics"], "share": 0.25, "ends": None}


@pytest.fixture
def project(ada: Any) -> Project:
    found: Project = ProjectFactory(owner=ada)
    ProjectMetaFactory(project=found, key="room", value="R1")
    return found


@pytest.fixture
def url(project: Project) -> str:
    return f"{of(project)}metadata/"


def noted() -> dict[str, Any]:
    return dict(ProjectMeta.objects.values_list("key", "value"))


def test_it_is_read(client, url, project):
    answer = client.get(url)

    assert answer.json()["data"] == {"id": str(project.pk), "metadata": {"room": "R1"}}
    assert client.get(url, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("verb", "status", "left"),
    [
        ("post", 200, {"room": "R1", "syllabus": SYLLABUS}),
        ("put", 200, {"syllabus": SYLLABUS}),
        ("patch", 200, {"room": "R1", "syllabus": SYLLABUS}),
    ],
)
def test_values_of_any_shape_are_written(client, url, verb, status, left):
    answer = getattr(client, verb)(url, {"metadata": {"syllabus": SYLLABUS}}, format="json")

    assert answer.status_code == status
    assert answer.json()["data"]["metadata"] == left
    assert client.get(url).json()["data"]["metadata"] == left


def test_what_is_there_is_not_added_again(client, url):
    answer = client.post(url, {"metadata": {"room": "R2", "note": 1}}, format="json")

    assert (answer.status_code, errors(answer).keys()) == (409, {"metadata.room"})
    assert answer.json()["code"] == "metadata_key_taken"
    assert noted() == {"room": "R1"}


def test_a_merge_removes_what_is_null(client, url):
    client.patch(url, {"metadata": {"room": None, "unknown": None, "note": True}}, format="json")

    assert noted() == {"note": True}


def test_all_of_it_is_removed(client, url):
    assert client.delete(url).status_code == 204
    assert noted() == {}


@pytest.mark.parametrize("verb", ["post", "put", "patch", "delete"])
def test_a_change_counts_as_one_of_the_project_and_undoes_none_of_others(client, url, project, verb):
    read = client.get(of(project)).headers["ETag"]
    body = {"metadata": {"note": "x"}}

    assert getattr(client, verb)(url, body, format="json", headers={"If-Match": read}).status_code < 300
    assert Project.objects.get().version == 2
    assert getattr(client, verb)(url, body, format="json", headers={"If-Match": read}).status_code == 412


@pytest.mark.checklist(43)
@pytest.mark.parametrize("verb", ["post", "put", "patch"])
def test_whatever_is_wrong_is_told_at_once_and_changes_nothing(client, url, verb):
    wrong = {"Room": 1, "a--b": 1, "k" * 65: 1, "large": "x" * LARGEST_VALUE}

    answer = getattr(client, verb)(url, {"metadata": {**wrong, "fine": 1}}, format="json")

    assert answer.status_code == 400
    assert {field: code for field, (code, _) in errors(answer).items()} == {
        "metadata.Room": "invalid_metadata_key",
        "metadata.a--b": "invalid_metadata_key",
        f"metadata.{'k' * 64}": "invalid_metadata_key",
        "metadata.large": "metadata_too_large",
    }
    assert noted() == {"room": "R1"}


@pytest.mark.parametrize("verb", ["post", "put"])
def test_nothing_is_no_value(client, url, verb):
    answer = getattr(client, verb)(url, {"metadata": {"note": None}}, format="json")

    assert errors(answer) == {"metadata.note": ("null", "This field may not be null.")}


def test_a_project_has_so_many_keys_and_no_more(client, url):
    many = {f"key{number}": number for number in range(100)}

    assert client.put(url, {"metadata": many}, format="json").status_code == 200
    answer = client.patch(url, {"metadata": {"one-more": 1}}, format="json")

    assert (answer.status_code, answer.json()["code"]) == (400, "too_many_metadata")
    assert noted() == many


@pytest.mark.parametrize("body", [{}, {"metadata": []}, {"metadata": None}, {"key": "room", "value": 1}, []])
def test_a_body_of_another_shape_is_refused(client, url, body):
    for verb in (client.post, client.put, client.patch):
        assert verb(url, body, format="json").status_code == 400


def test_nobody_else_reads_or_writes_it(url, other, client_for):
    stranger = client_for(other)

    for verb in ("get", "post", "put", "patch", "delete"):
        assert getattr(stranger, verb)(url, {"metadata": {}}, format="json").status_code == 404


@pytest.mark.checklist(43)
def test_projects_are_found_by_it(client, url, project):
    ProjectFactory(owner=project.owner)
    client.patch(url, {"metadata": {"texts": ["Elements", "Conics"]}}, format="json")

    def found(query: str) -> list[str]:
        return [row["id"] for row in client.get(f"{URL}?metadata={query}").json()["data"]]

    assert found("room:R1") == found("texts:Conics") == [str(project.pk)]
    assert found("room:R") == found("seat:R1") == []
    assert found("room__startswith:R") == found("room' OR '1'='1:R1") == []
    assert client.get(f"{URL}?metadata=room").status_code == 400


def test_values_are_found_by_their_index(project):
    rows = ProjectMeta.objects.filter(value__contains="R1")
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")

    assert "projects_meta_by_value" in rows.explain()


@pytest.mark.checklist(43)
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "Room"}, "invalid_metadata_key"),
        ({"key": ""}, "invalid_metadata_key"),
        ({"key": "room"}, "metadata_key_taken"),
        ({"value": "x" * 32_768}, "metadata_too_large"),
    ],
)
def test_the_database_refuses_it_whoever_writes(project, changes, code):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ProjectMetaFactory(project=project, **changes)

    assert error_for(refused.value).error_code == code
