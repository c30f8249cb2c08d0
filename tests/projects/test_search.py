"""Projects are found by their words: in sight, by rank, in pages, and by an index."""

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from core.search import MAX_WORD_LENGTH
from projects.kinds import kinds
from projects.models import Project, ProjectMeta, ProjectWords, SchoolProject
from projects.search import found_by
from tests.projects.cycle_factories import FinalYearProjectFactory
from tests.projects.factories import (
    CompleteProjectFactory,
    ProjectFactory,
    ProjectMetaFactory,
    SchoolProjectFactory,
    SelfStudyProjectFactory,
)
from tests.projects.many import many_projects
from tests.projects.test_api import URL, errors

pytestmark = pytest.mark.django_db
SEARCH = f"{URL}search/"


def found(client: Any, text: str, **narrowed: str) -> list[str]:
    answer = client.get(SEARCH, {"q": text, **narrowed})
    assert answer.status_code == 200, answer.content
    return [row["name"] for row in answer.json()["data"]]


@pytest.fixture
def bridges(ada: Any) -> Project:
    project: Project = SchoolProjectFactory(
        project__owner=ada, project__name="Brücken aus Papier", course_name="Structures", teacher_name="Grace Hopper"
    ).project
    ProjectMetaFactory(
        project=project, key="reading", value={"texts": ["Elements", "Conics"], "place": "Salle 4\nNord", "weeks": 14}
    )
    return project


class TestFinding:
    @pytest.mark.parametrize(
        "text",
        ["Brücken", "brucken", "PAPIER", "pap", "structures", "hopper", "Hop gra", "conics", "reading", "nord", "14"],
    )
    def test_a_project_is_found_by_the_beginnings_of_its_words(self, client, bridges, ada, text):
        ProjectFactory(owner=ada, name="Something else", school_data__teacher_name="Nobody")

        assert found(client, text) == ["Brücken aus Papier"]

    @pytest.mark.parametrize(
        "text", ["ucken", "structures nothing", "CIV", "!!!", "\N{DINGBAT NEGATIVE CIRCLED DIGIT ONE}"]
    )
    def test_and_by_nothing_else(self, client, bridges, text):
        assert found(client, text) == []

    def test_a_study_is_found_by_its_goal_and_a_final_project_by_its_topic(self, client, ada):
        SelfStudyProjectFactory(project__owner=ada, project__name="Geometry", goal_description="Read Euclid's Elements")
        topic = FinalYearProjectFactory(project__owner=ada, project__name="Final", topic_local="Analyse der Netze")

        assert found(client, "euclid") == ["Geometry"]
        assert found(client, "netze") == [topic.project.name]

    def test_words_are_those_that_are_there_now(self, client, bridges, ada):
        url = f"{URL}{bridges.pk}/"
        client.patch(url, {"name": "Towers", "school_data": {"course_name": "Statics"}}, format="json")
        client.put(f"{url}metadata/", {"metadata": {"tool": "Scissors"}}, format="json")

        assert [found(client, text) for text in ("papier", "structures", "conics", "reading")] == [[]] * 4
        assert [found(client, text) for text in ("towers", "statics", "scissors", "tool")] == [["Towers"]] * 4

    def test_whoever_writes_the_words_are_kept(self, client, bridges):
        Project.objects.filter(pk=bridges.pk).update(name="Arches")
        SchoolProject.objects.filter(pk=bridges.pk).update(teacher_name="Ada Byron")
        ProjectMeta.objects.all().delete()

        assert found(client, "arches byron") == ["Arches"]
        assert found(client, "conics") == []

    def test_they_go_with_the_project(self, client, bridges):
        assert client.delete(f"{URL}{bridges.pk}/").status_code == 204

        connection.check_constraints()
        assert not ProjectWords.objects.exists()

    def test_what_fits_best_comes_first(self, client, ada):
        SchoolProjectFactory(project__owner=ada, project__name="Course", course_name="Euclid", teacher_name="Somebody")
        named = ProjectFactory(owner=ada, name="Euclid")
        noted = ProjectFactory(owner=ada, name="Note")
        ProjectMetaFactory(project=noted, key="text", value="Euclid")

        assert found(client, "euclid") == ["Euclid", "Course", "Note"]
        assert found(client, "euclid", ordering="name") == ["Course", "Euclid", "Note"]
        assert Project.objects.filter(pk=named.pk).exists()

    def test_it_comes_in_pages_that_lose_and_repeat_nothing(self, client, ada):
        for number in range(5):
            ProjectFactory(owner=ada, name=f"Euclid {number}")
        ProjectMetaFactory(project=ProjectFactory(owner=ada, name="Note"), key="text", value="Euclid")

        seen, url = [], f"{SEARCH}?q=euclid&page_size=2"
        while url:
            page = client.get(url).json()
            seen += [row["name"] for row in page["data"]]
            url = page["meta"]["pagination"]["next"]
        numbered = client.get(f"{SEARCH}?q=euclid&page=2&page_size=4").json()

        assert seen == [*(f"Euclid {number}" for number in reversed(range(5))), "Note"]
        assert (len(numbered["data"]), numbered["meta"]["pagination"]["total"]) == (2, 6)

    def test_it_is_narrowed_as_the_list_is(self, client, ada, bridges):
        SelfStudyProjectFactory(project__owner=ada, project__name="Brücken lesen")

        assert found(client, "brucken", project_type="self_study") == ["Brücken lesen"]
        assert found(client, "brucken", metadata="reading:x") == []

    def test_without_words_there_are_all_of_them(self, client, bridges):
        assert found(client, "") == ["Brücken aus Papier"]
        assert [row["name"] for row in client.get(SEARCH).json()["data"]] == ["Brücken aus Papier"]


def test_what_was_there_before_words_were_kept_is_read(client, bridges, ada, monkeypatch):
    SelfStudyProjectFactory(project__owner=ada, project__name="Geometry", goal_description="Read Euclid's Elements")
    FinalYearProjectFactory(topic_local="Analyse der Netze")
    migration = import_module("projects.migrations.0012_read_what_is_there")
    before = list(ProjectWords.objects.order_by("pk").values_list())
    ProjectWords.objects.all().delete()
    monkeypatch.setattr(migration, "BATCH", 2)

    for _ in range(2):
        migration.read_all(apps, SimpleNamespace(connection=connection))

        assert list(ProjectWords.objects.order_by("pk").values_list()) == before
    assert len(before) == 3


class TestRefusing:
    def test_nothing_is_found_that_is_out_of_sight(self, bridges, other, administrator, client_for):
        assert found(client_for(other), "brucken") == []
        assert found(client_for(administrator), "brucken") == ["Brücken aus Papier"]

    @pytest.mark.parametrize("text", ["w" * (MAX_WORD_LENGTH + 1), " ".join("abcdefghijk")])
    def test_more_than_is_looked_for_is_refused(self, client, text):
        answer = client.get(SEARCH, {"q": text})

        assert (answer.status_code, errors(answer)["q"][0]) == (400, "search_too_long")

    @pytest.mark.parametrize("query", ["search=x", "q=a&q=b", "name=x", "ordering=-words"])
    def test_what_it_does_not_know_is_refused(self, client, query):
        assert client.get(f"{SEARCH}?{query}").status_code == 400

    @pytest.mark.parametrize(
        "text", ["q' | brucken", "brucken & !q", "q:*", "\\", "q%", "'); DROP TABLE projects_project; --"]
    )
    def test_signs_of_the_language_of_queries_are_none(self, client, bridges, text):
        assert found(client, text) == []


class TestCost:
    def test_it_costs_as_many_queries_as_ever(self, client, ada, django_assert_max_num_queries):
        CompleteProjectFactory.create_batch(3, owner=ada, name="Euclid")
        client.get(f"{SEARCH}?q=euclid")

        with django_assert_max_num_queries(6):
            rows = client.get(f"{SEARCH}?q=euclid&page_size=200").json()["data"]
        assert len(rows) == 3

    def test_words_are_found_by_their_index(self, bridges, ada):
        many_projects(ada)

        plan = found_by(Project.objects.all(), "brucken papier").explain()

        assert "Bitmap Index Scan on projects_words" in plan
        assert "Seq Scan" not in plan

    def test_every_kind_is_searched_by_the_columns_that_it_names(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger WHERE tgfoid ="
                " 'projects_words_of_details'::regproc"
            )
            searched = {table: tuple(said.split("\\000")[:-1]) for table, said in cursor.fetchall()}

        assert searched == {kind.model._meta.db_table: kind.searched for kind in kinds() if kind.searched}
