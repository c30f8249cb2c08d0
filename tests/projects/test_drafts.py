"""Drafts that nobody touches are cleared away: those that are due, once, and never what somebody is at."""

import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from core.db.locks import LockHeldError, hold_named
from core.models import Chore, CustomField
from files.models import FileAsset, FileLink
from privacy.models import LegalHold
from projects import services
from projects.models import Project
from projects.services import drafts
from projects.services.drafts import after, expired_keys
from projects.tasks import purge_drafts
from tests.accounts.factories import PersonFactory, UserFactory
from tests.files.contents import uploaded
from tests.projects.cycle_factories import FinalYearProjectFactory
from tests.projects.factories import CompleteProjectFactory, ProjectFactory, SelfStudyProjectFactory
from tests.projects.many import many_projects
from tests.racing import at_once

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def files_root(settings: Any, tmp_path: Path) -> None:
    settings.FILES_ROOT = tmp_path / "files"


def old(project: Project, ago: timedelta = 2 * DAY) -> Project:
    """Let a project be one that nobody has touched for so long."""
    Project.objects.filter(pk=project.pk).update(updated_at=timezone.now() - ago)
    project.refresh_from_db()
    return project


def left() -> set[Any]:
    return set(Project.objects.values_list("pk", flat=True))


def cleared(**options: Any) -> int:
    return services.delete_abandoned_drafts(at=timezone.now(), **options)


@pytest.mark.django_db
class TestWhichGo:
    def test_drafts_go_that_nobody_has_touched_for_so_many_hours(self):
        gone = old(CompleteProjectFactory()), old(SelfStudyProjectFactory().project, timedelta(hours=25))
        young, published = old(ProjectFactory(), timedelta(hours=23)), old(ProjectFactory(state="active"))
        assert set(Project.objects.abandoned_drafts()) == set(gone)
        assert young in Project.objects.abandoned_drafts(hours=22)

        assert cleared() == 2

        connection.check_constraints()
        assert left() == {young.pk, published.pk}
        assert cleared() == 0

    def test_how_many_hours_is_a_setting_unless_it_is_said(self, settings):
        settings.PROJECT_DRAFTS_KEPT = 3 * DAY
        old(ProjectFactory())

        assert cleared() == 0
        assert cleared(kept=DAY) == 1

    @pytest.mark.parametrize(
        "touch",
        [
            lambda project: services.update_project(project, by=None, name="Bridges"),
            lambda project: services.merge_metadata(project, by=None, metadata={"room": "R1"}),
            lambda project: services.add_important_date(project, by=None, title="Report", date=date(2026, 12, 1)),
            lambda project: services.update_project(project, by=None, school_data={"course_code": "CIV-9"}),
        ],
        ids=["itself", "notes", "dates", "details"],
    )
    def test_whatever_belongs_to_a_draft_touches_it(self, touch):
        project = old(ProjectFactory())

        touch(project)

        assert cleared() == 0

    @pytest.mark.parametrize("by", ["attachment", "field"])
    def test_one_with_files_stays_unless_it_is_asked_for_and_its_files_stay_in_any_case(self, by):
        project, asset = ProjectFactory(), uploaded(UserFactory())
        if by == "attachment":
            services.attach_to_project(project, by=None, file=asset)
        else:
            CustomField.objects.create(entity_type="projects.project", name="plan", label="Plan", field_type="file")
            services.update_project(project, by=None, custom_fields={"plan": str(asset.pk)})
        old(project)

        assert cleared() == 0
        assert cleared(with_files=True) == 1

        assert FileAsset.objects.live().get() == asset
        assert not FileLink.objects.present().exists()

    def test_one_whose_file_was_detached_goes(self):
        project = ProjectFactory()
        link = services.attach_to_project(project, by=None, file=uploaded(UserFactory()))
        services.detach_from_project(link, by=None)
        old(project)

        assert cleared() == 1

    def test_what_somebody_has_to_keep_stays(self):
        person = PersonFactory()
        held = old(ProjectFactory(owner=UserFactory(person=person)))
        LegalHold.objects.create(person=person, reason="A case", placed_at=timezone.now())
        final = FinalYearProjectFactory().project
        old(ProjectFactory())

        assert cleared() == 1
        assert left() == {held.pk, final.pk}

    def test_those_that_stay_do_not_stand_in_the_way_of_others(self):
        kept = [old(ProjectFactory(), (9 - number) * DAY) for number in range(4)]
        for project in kept[:3]:
            services.attach_to_project(project, by=None, file=uploaded(UserFactory()))
            old(project, 8 * DAY)

        assert cleared(batch=1) == 1
        assert left() == {project.pk for project in kept[:3]}

    def test_two_that_were_touched_at_one_time_both_go(self):
        at = timezone.now() - 2 * DAY
        for _ in range(3):
            Project.objects.filter(pk=ProjectFactory().pk).update(updated_at=at)

        assert cleared(batch=1) == 3


@pytest.mark.django_db
class TestCost:
    @pytest.mark.parametrize("ago", [DAY, 2 * DAY], ids=["many due", "few due"])
    def test_which_are_due_is_read_from_the_index_alone(self, ago):
        many_projects(UserFactory())
        at = timezone.now()
        place = at - 4 * DAY, UUID(int=0)

        for keys in (expired_keys(at, ago), after(expired_keys(at, ago), place)):
            plan = keys[:200].explain()

            assert "Index Only Scan using projects_project_drafts" in plan
            assert "Sort" not in plan
            assert "Seq Scan" not in plan

    def test_a_batch_costs_as_much_whatever_is_in_it(self):
        counts = []
        for size in (1, 5):
            for _ in range(size):
                old(CompleteProjectFactory())
            with CountedQueries() as asked:
                cleared()
            counts.append(asked.count)

        assert counts[0] == counts[1]


class CountedQueries:
    """How many statements a block sends."""

    count = 0

    def __enter__(self) -> "CountedQueries":
        self._wrapper = connection.execute_wrapper(self._counted)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._wrapper.__exit__(*error)

    def _counted(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.count += 1
        return execute(*arguments)


@pytest.mark.django_db(transaction=True)
class TestBeingEquallyQuick:
    def test_of_two_cleaners_one_works_and_the_other_gives_way(self):
        for _ in range(3):
            old(ProjectFactory())
        inside, go = threading.Event(), threading.Event()

        def held() -> None:
            with transaction.atomic():
                hold_named("projects.drafts", "purge")
                inside.set()
                assert go.wait(30)
            connection.close()

        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(held)
            assert inside.wait(30)
            with pytest.raises(LockHeldError):
                cleared()
            assert len(left()) == 3
            go.set()
            running.result(timeout=30)

        assert cleared() == 3

    def test_two_at_once_delete_each_draft_once(self):
        for _ in range(12):
            old(ProjectFactory())

        def clear() -> int:
            try:
                return cleared(batch=2)
            except LockHeldError:
                return -1

        counts = at_once(clear, clear)

        # Each says what it has deleted itself; who finds the other at it leaves the rest to that one.
        assert left() == set()
        assert sum(max(count, 0) for count in counts) == 12

    def test_who_is_overtaken_between_two_batches_says_what_it_has_done(self, monkeypatch):
        for _ in range(4):
            old(ProjectFactory())
        counts = []
        hold = drafts.hold_named

        def overtaken(namespace: str, name: str) -> None:
            # Another begins before the second batch, and is not done when this one asks for the lock.
            if len(left()) == 4:
                return hold(namespace, name)
            monkeypatch.setattr(drafts, "hold_named", hold)
            with ThreadPoolExecutor(1) as pool:
                counts.append(pool.submit(closing(lambda: cleared(batch=1))).result(timeout=30))
            raise LockHeldError

        monkeypatch.setattr(drafts, "hold_named", overtaken)

        counts.append(cleared(batch=1))

        assert (left(), counts) == (set(), [3, 1])

    def test_one_that_somebody_is_at_is_left_for_the_next_time(self):
        mine, others = old(ProjectFactory()), old(ProjectFactory())

        with ThreadPoolExecutor(1) as pool, transaction.atomic():
            Project.objects.select_for_update(no_key=True).get(pk=mine.pk)
            assert pool.submit(closing(cleared)).result(timeout=30) == 1

        assert left() == {mine.pk}
        assert not Project.objects.filter(pk=others.pk).exists()

    def test_one_that_is_touched_before_it_is_locked_stays(self, monkeypatch):
        project = old(ProjectFactory())
        seen = drafts.expired_keys

        def then_touched(at: datetime, kept: timedelta | None = None) -> Any:
            found = list(seen(at, kept)[:10])
            with ThreadPoolExecutor(1) as pool:
                pool.submit(closing(lambda: Project.objects.filter(pk=project.pk).update(name="Mine"))).result(30)
            monkeypatch.setattr(drafts, "expired_keys", seen)
            return found

        monkeypatch.setattr(drafts, "expired_keys", then_touched)

        assert cleared() == 0
        assert left() == {project.pk}


def closing(act: Callable[[], Any]) -> Callable[[], Any]:
    """Return an act that leaves no connection of its thread behind."""

    def done() -> Any:
        try:
            return act()
        finally:
            connection.close()

    return done


@pytest.mark.django_db
class TestChore:
    def test_the_command_says_how_many_went(self):
        old(ProjectFactory())
        young = old(ProjectFactory(), timedelta(hours=5))
        services.attach_to_project(young, by=None, file=uploaded(UserFactory()))
        old(young, timedelta(hours=5))
        said = io.StringIO()

        call_command("purge_drafts", stdout=said)
        call_command("purge_drafts", "--hours", "4", stdout=said)
        call_command("purge_drafts", "--hours", "4", "--with-files", stdout=said)

        assert said.getvalue().splitlines() == ["1 drafts deleted.", "0 drafts deleted.", "1 drafts deleted."]

    def test_the_task_does_it_and_that_is_kept(self):
        old(ProjectFactory())

        purge_drafts()

        assert Chore.objects.get(name="purge_drafts").count == 1
        assert left() == set()
