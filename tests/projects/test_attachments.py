"""Files that are attached to projects: read by whoever sees the project, and kept for as long."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.roles import Role
from core.db.constraints import error_for
from core.errors import InUseError
from files.models import FileAsset, FileLink
from files.services import collect_garbage, delete_file
from files.services.attachments import MOST_ATTACHMENTS
from projects import services
from projects.models import Project
from tests.files.contents import PNG, uploaded
from tests.projects.factories import ProjectFactory
from tests.projects.test_api import errors, of
from tests.racing import at_once, while_uncommitted

FILES, LINKS = "/api/v1/files/", "/api/v1/project-attachments/"


@pytest.fixture(autouse=True)
def files_root(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path / "files"


@pytest.fixture
def project(ada: Any) -> Project:
    found: Project = ProjectFactory(owner=ada)
    return found


@pytest.fixture
def essay(ada: Any) -> FileAsset:
    return uploaded(ada, name="essay.png")


@pytest.fixture
def url(project: Project) -> str:
    return f"{of(project)}attachments/"


@pytest.fixture
def attached(project: Project, essay: FileAsset, ada: Any) -> FileLink:
    return services.attach_to_project(project, by=ada, file=essay)


def present() -> list[Any]:
    return list(FileLink.objects.present().values_list("asset_id", flat=True))


@pytest.mark.django_db
class TestAttaching:
    def test_a_file_is_attached_listed_and_fetched(self, client, url, project, essay):
        answer = client.post(url, {"file": str(essay.pk)}, format="json")

        shown = answer.json()["data"]
        assert answer.status_code == 201
        assert (shown["project"], shown["file"]["id"]) == (str(project.pk), str(essay.pk))
        assert client.get(url).json()["data"] == client.get(LINKS).json()["data"] == [shown]
        assert client.get(f"{LINKS}{shown['id']}/").json()["data"] == shown
        assert b"".join(client.get(f"{FILES}{essay.pk}/content/").streaming_content) == PNG
        assert Project.objects.get().version == 2

    def test_it_is_attached_once(self, client, url, essay, attached):
        answer = client.post(url, {"file": str(essay.pk)}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (409, "already_attached")
        assert len(present()) == 1

    @pytest.mark.parametrize("whose", ["nobody's", "somebody else's", "deleted"])
    def test_one_out_of_sight_answers_as_one_that_is_not_there(self, client, url, other, essay, whose):
        foreign = uploaded(other, name="foreign.png")
        if whose == "deleted":
            delete_file(essay, by=None)
        ids = {"nobody's": "01955500-0000-7000-8000-000000000001", "somebody else's": foreign.pk, "deleted": essay.pk}

        answer = client.post(url, {"file": str(ids[whose])}, format="json")

        assert (answer.status_code, errors(answer)["file"][0]) == (400, "does_not_exist")
        assert present() == []

    def test_nobody_attaches_to_a_project_of_others(self, essay, url, other, client_for):
        stranger = client_for(other)

        assert stranger.get(url).status_code == 404
        assert stranger.post(url, {"file": str(essay.pk)}, format="json").status_code == 404

    def test_a_project_has_so_many_files_and_no_more(self, client, url, project, ada):
        FileLink.objects.bulk_create(
            FileLink(asset=uploaded(ada, name=f"{number}.png"), entity_type="projects.project", object_id=project.pk)
            for number in range(MOST_ATTACHMENTS)
        )

        answer = client.post(url, {"file": str(uploaded(ada, name="more.png").pk)}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_attachments")

    def test_a_list_costs_as_many_queries_as_ever(self, client, url, ada, project, django_assert_max_num_queries):
        for number in range(4):
            project.refresh_from_db()
            services.attach_to_project(project, by=ada, file=uploaded(ada, name=f"{number}.png"))
        client.get(url)

        with django_assert_max_num_queries(9):
            assert len(client.get(url).json()["data"]) == 4


@pytest.mark.django_db
class TestProtecting:
    def test_whoever_sees_the_project_reads_it_and_nobody_else(self, attached, essay, other, user_with, client_for):
        auditor, stranger = client_for(user_with(Role.AUDITOR)), client_for(other)

        assert auditor.get(f"{FILES}{essay.pk}/content/").status_code == 200
        assert stranger.get(f"{FILES}{essay.pk}/").status_code == 404
        assert stranger.get(f"{LINKS}{attached.pk}/").status_code == 404
        assert stranger.delete(f"{LINKS}{attached.pk}/").status_code == 404

    def test_the_owner_of_the_project_reads_what_another_has_attached(self, client, ada, project, administrator):
        asset = uploaded(administrator, name="feedback.png")
        assert client.get(f"{FILES}{asset.pk}/").status_code == 404

        services.attach_to_project(project, by=administrator, file=asset)

        assert client.get(f"{FILES}{asset.pk}/").status_code == 200
        assert client.delete(f"{FILES}{asset.pk}/").status_code == 403

    def test_it_is_not_deleted_and_no_garbage_as_long_as_it_is_attached(self, client, attached, essay):
        answer = client.delete(f"{FILES}{essay.pk}/")

        assert (answer.status_code, answer.json()["code"]) == (409, "in_use")
        assert answer.json()["errors"][0]["meta"] == {"referred_to_by": {"projects": 1}}
        collect_garbage(at=timezone.now() + configured.FILES_DELETED_KEPT * 2)
        assert client.get(f"{FILES}{essay.pk}/content/").status_code == 200

    def test_one_that_is_detached_is_its_owners_to_delete(self, client, attached, essay):
        assert client.delete(f"{LINKS}{attached.pk}/").status_code == 204

        assert (present(), Project.objects.get().version) == ([], 3)
        assert client.get(f"{LINKS}{attached.pk}/").status_code == 404
        assert client.delete(f"{FILES}{essay.pk}/").status_code == 204

    def test_it_may_be_attached_again(self, client, url, attached, essay):
        client.delete(f"{LINKS}{attached.pk}/")

        assert client.post(url, {"file": str(essay.pk)}, format="json").status_code == 201

    def test_a_project_that_goes_lets_its_files_go(self, client, attached, essay, project):
        assert client.delete(of(project)).status_code == 204

        assert present() == []
        assert client.delete(f"{FILES}{essay.pk}/").status_code == 204
        collect_garbage(at=timezone.now() + configured.FILES_DELETED_KEPT + timedelta(minutes=1))
        assert not FileAsset.objects.exists()

    @pytest.mark.parametrize(
        ("changes", "code"), [({"entity_type": ""}, "invalid"), ({}, "already_attached")], ids=["kind", "once"]
    )
    def test_the_database_refuses_it_whoever_writes(self, attached, project, essay, changes, code):
        row = {"asset": essay, "entity_type": "projects.project", "object_id": project.pk, **changes}

        with pytest.raises(IntegrityError) as refused, transaction.atomic():
            FileLink.objects.create(**row)

        assert error_for(refused.value).error_code == code

    def test_what_is_attached_is_found_by_its_index(self, attached, project):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

        assert (
            "files_filelink_" in FileLink.objects.attachments("projects.project").filter(object_id=project.pk).explain()
        )


@pytest.mark.django_db(transaction=True)
class TestBeingEquallyQuick:
    def test_who_deletes_a_file_waits_for_who_attaches_it(self, project, essay, ada):
        outcome = while_uncommitted(
            lambda: services.attach_to_project(project, by=ada, file=essay), lambda: delete_file(essay, by=ada)
        )

        assert outcome == InUseError.code
        assert FileAsset.objects.live().exists()

    def test_who_attaches_a_file_waits_for_who_deletes_it(self, project, essay, ada):
        outcome = while_uncommitted(
            lambda: delete_file(essay, by=ada), lambda: services.attach_to_project(project, by=ada, file=essay)
        )

        assert (outcome, present()) == ("file_unavailable", [])

    def test_two_attach_it_once(self, client, url, essay):
        answers = at_once(*[lambda: client.post(url, {"file": str(essay.pk)}, format="json").status_code] * 2)

        assert (sorted(answers), len(present())) == ([201, 409], 1)
