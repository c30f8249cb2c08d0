"""The administration pages of projects."""

import pytest
from django.test import Client

from projects.models import Project
from tests.projects.factories import ProjectFactory, SelfStudyProjectFactory

pytestmark = pytest.mark.django_db
URL = "/admin/projects/project/"
INLINES = {"important_dates-TOTAL_FORMS": "0", "important_dates-INITIAL_FORMS": "0"}


@pytest.fixture
def pages(administrator) -> Client:
    client = Client()
    client.force_login(administrator)
    return client


def test_a_project_is_shown_with_what_its_kind_adds_and_named_anew(pages):
    row = SelfStudyProjectFactory(goal_description="Read Euclid")
    url = f"{URL}{row.pk}/change/"

    assert row.project.name in pages.get(URL).content.decode()
    assert "Read Euclid" in pages.get(url).content.decode()
    assert pages.post(url, {"name": "Geometry", **INLINES}).status_code == 302
    assert Project.objects.get().name == "Geometry"


def test_drafts_are_published_and_completed_and_what_cannot_be_is_said(pages):
    project = ProjectFactory()

    for action in ("publish", "complete", "complete"):
        answer = pages.post(URL, {"action": action, "_selected_action": [str(project.pk)]}, follow=True)

    assert "A completed project cannot become completed." in answer.content.decode()
    assert Project.objects.get().state == "completed"


def test_a_project_is_deleted_with_all_that_belongs_to_it(pages):
    project = ProjectFactory()

    pages.post(f"{URL}{project.pk}/delete/", {"post": "yes"})

    assert not Project.objects.exists()
