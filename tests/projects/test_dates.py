"""The days that matter to a project: noted, changed and removed, and shown with it."""

from datetime import date
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.crud import EditConflictError
from core.db.constraints import error_for
from projects import services
from projects.models import ImportantDate, Project
from projects.services.dates import MOST_DATES
from tests.projects.factories import CompleteProjectFactory, ImportantDateFactory, ProjectFactory
from tests.projects.test_admin import pages  # noqa: F401 - a fixture
from tests.projects.test_api import URL, errors, of
from tests.racing import at_once

DATES = "/api/v1/important-dates/"
REPORT = {"title": "Report", "date": "2026-12-01", "description": "Ten pages"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def project(ada: Any) -> Project:
    found: Project = ProjectFactory(owner=ada)
    return found


@pytest.fixture
def url(project: Project) -> str:
    return f"{of(project)}important-dates/"


def noted() -> list[str]:
    return list(ImportantDate.objects.order_by("date", "pk").values_list("title", flat=True))


class TestNoting:
    def test_a_day_is_noted_and_read_alone_and_with_the_project(self, client, url, project):
        answer = client.post(url, REPORT, format="json")

        shown = answer.json()["data"]
        assert answer.status_code == 201
        assert {name: shown[name] for name in REPORT} == REPORT
        assert shown["project"] == str(project.pk)
        assert client.get(f"{DATES}{shown['id']}/").json()["data"] == shown
        nested = [{"id": shown["id"], **REPORT}]
        assert client.get(of(project)).json()["data"]["important_dates"] == nested
        assert client.get(URL).json()["data"][0]["important_dates"] == nested

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"title": ""}, "title"),
            ({"title": "T" * 256}, "title"),
            ({"title": "\0"}, ""),
            ({"date": "tomorrow"}, "date"),
            ({"date": None}, "date"),
            ({"description": "d" * 2_001}, "description"),
            ({"project": "01955500-0000-7000-8000-000000000001"}, "project"),
        ],
    )
    def test_what_is_wrong_is_refused_and_changes_nothing(self, client, url, project, change, field):
        answer = client.post(url, {**REPORT, **change}, format="json")

        assert answer.status_code == 400
        assert errors(answer).keys() == {field}
        assert (noted(), Project.objects.get().version) == ([], 1)

    def test_a_project_has_so_many_days_and_no_more(self, client, url, project):
        ImportantDateFactory.create_batch(MOST_DATES, project=project)

        answer = client.post(url, REPORT, format="json")

        assert (answer.status_code, answer.json()["code"]) == (400, "too_many_dates")
        assert len(noted()) == MOST_DATES

    @pytest.mark.django_db(transaction=True)
    def test_two_who_are_equally_quick_do_not_note_more_than_that(self, client, url, project):
        ImportantDateFactory.create_batch(MOST_DATES - 1, project=project)

        answers = at_once(*[lambda: client.post(url, REPORT, format="json").status_code] * 2)

        assert (sorted(answers), len(noted())) == ([201, 400], MOST_DATES)

    def test_who_read_the_project_before_is_told_that_it_has_changed(self, project):
        stale = Project.objects.get()
        services.add_important_date(project, by=None, title="Report", date=date(2026, 12, 1))

        with pytest.raises(EditConflictError):
            services.add_important_date(stale, by=None, title="Again", date=date(2026, 12, 1))
        assert noted() == ["Report"]


class TestChanging:
    @pytest.fixture
    def report(self, project: Project) -> str:
        return f"{DATES}{ImportantDateFactory(project=project, title='Report').pk}/"

    def test_what_is_not_named_stays(self, client, report):
        answer = client.patch(report, {"date": "2026-12-02"}, format="json")

        assert answer.status_code == 200
        assert (answer.json()["data"]["title"], answer.json()["data"]["date"]) == ("Report", "2026-12-02")

    def test_a_day_is_removed(self, client, report):
        assert client.delete(report).status_code == 204
        assert noted() == []

    @pytest.mark.parametrize(("verb", "body"), [("patch", {"title": "Talk"}), ("put", REPORT), ("delete", None)])
    def test_a_change_counts_as_one_of_the_project_and_undoes_none_of_others(self, client, report, project, verb, body):
        seen, whole = client.get(report).headers["ETag"], client.get(of(project)).headers["ETag"]
        client.patch(report, {"title": "Lecture"}, format="json")

        assert getattr(client, verb)(report, body, format="json", headers={"If-Match": seen}).status_code == 412
        assert client.patch(of(project), {"name": "N"}, format="json", headers={"If-Match": whole}).status_code == 412
        assert getattr(client, verb)(report, body, format="json").status_code < 300
        assert Project.objects.get().version == 3

    def test_the_same_again_changes_nothing(self, client, report):
        client.patch(report, {"title": "Report"}, format="json")

        assert Project.objects.get().version == ImportantDate.objects.get().version == 1

    def test_they_go_with_the_project(self, client, report, project):
        assert client.delete(of(project)).status_code == 204

        assert noted() == []

    def test_nobody_else_reads_or_writes_them(self, url, report, other, client_for):
        stranger = client_for(other)

        assert stranger.get(url).status_code == stranger.post(url, REPORT, format="json").status_code == 404
        assert stranger.get(report).status_code == 404
        for verb in ("put", "patch", "delete"):
            assert getattr(stranger, verb)(report, REPORT, format="json").status_code == 404
        assert stranger.get(DATES).json()["data"] == []


class TestReading:
    def test_they_are_narrowed_and_ordered(self, client, url, project):
        for title, on in (("B", "2026-11-01"), ("A", "2026-10-01"), ("C", "2026-12-01")):
            client.post(url, {"title": title, "date": on}, format="json")

        def titles(query: str) -> list[str]:
            return [row["title"] for row in client.get(f"{url}{query}").json()["data"]]

        assert titles("") == ["A", "B", "C"]
        assert titles("?ordering=-date") == ["C", "B", "A"]
        assert titles("?ordering=created_at") == ["B", "A", "C"]
        assert titles("?date_from=2026-10-02&date_to=2026-11-30") == ["B"]
        assert client.get(f"{url}?title=A").status_code == 400
        assert [row["title"] for row in client.get(of(project)).json()["data"]["important_dates"]] == ["A", "B", "C"]

    def test_projects_with_many_cost_as_much_as_one_with_none(self, client, ada, django_assert_max_num_queries):
        CompleteProjectFactory.create_batch(4, owner=ada)
        client.get(URL)

        with django_assert_max_num_queries(4):
            rows = client.get(f"{URL}?page_size=200").json()["data"]
        assert [len(row["important_dates"]) for row in rows] == [2] * 4

    def test_those_of_a_project_are_found_by_their_index(self, project):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

        plan = ImportantDate.objects.filter(project=project).order_by("date", "pk").explain()
        assert "projects_date_by_project" in plan

    def test_the_page_of_a_project_shows_them(self, pages, project):  # noqa: F811
        ImportantDateFactory(project=project, title="Viva voce")

        assert "Viva voce" in pages.get(f"/admin/projects/project/{project.pk}/change/").content.decode()


def test_the_database_refuses_a_day_without_a_title(project):
    with pytest.raises(IntegrityError) as refused, transaction.atomic():
        ImportantDateFactory(project=project, title="")

    assert error_for(refused.value).error_code == "blank"
