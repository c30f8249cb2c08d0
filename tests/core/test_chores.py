"""Recurring chores are done once at a time, remembered, and missed when they stay away."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from core.chores import carry_out, standings
from core.db.locks import LockHeldError
from core.db.purging import purge
from core.models import Chore
from core.tasks import purge_outbox
from tests.locks import held_elsewhere
from tests.testapp.models import Item, Parent

NIGHTLY = {"task": "tests.chore", "schedule": crontab(hour="4", minute="10")}


def standing(settings: Any, **facts: Any) -> str:
    """Say how a nightly chore stands of which these facts are kept."""
    settings.CELERY_BEAT_SCHEDULE = {"tidy": NIGHTLY}
    now = timezone.now()
    Chore.objects.create(name="tidy", started_at=now, **{name: now - ago for name, ago in facts.items()})
    [found] = standings(at=now)
    return found.word


@pytest.mark.django_db
class TestRemembering:
    def test_what_was_done_is_kept_with_its_count(self) -> None:
        carry_out("tidy", lambda: 2)
        carry_out("tidy", lambda: 3)

        kept = Chore.objects.get()
        assert (kept.name, kept.count, kept.failed_at) == ("tidy", 3, None)
        assert kept.succeeded_at is not None
        assert kept.started_at <= kept.succeeded_at

    def test_a_failure_is_logged_kept_and_raised(self, caplog: pytest.LogCaptureFixture) -> None:
        carry_out("tidy", lambda: 2)

        with pytest.raises(ZeroDivisionError):
            carry_out("tidy", lambda: 1 // 0)

        kept = Chore.objects.get()
        assert kept.failure == "ZeroDivisionError integer division or modulo by zero"
        assert kept.failed_at > kept.succeeded_at
        [record] = [record for record in caplog.records if record.message == "chore.failed"]
        assert (record.levelname, record.chore) == ("ERROR", "tidy")

    def test_a_run_that_gives_way_counts_neither_as_success_nor_as_failure(self) -> None:
        def is_held() -> int:
            raise LockHeldError

        assert carry_out("tidy", is_held) is None

        kept = Chore.objects.get()
        assert (kept.succeeded_at, kept.failed_at) == (None, None)


@pytest.mark.django_db
class TestStanding:
    def test_one_that_was_done_since_it_was_due_is_well(self, settings: Any) -> None:
        assert standing(settings, succeeded_at=timedelta(hours=1)) == "ok"

    def test_one_that_was_done_before_it_was_last_due_is_late(self, settings: Any) -> None:
        assert standing(settings, succeeded_at=timedelta(hours=27)) == "late"

    def test_one_that_failed_after_its_last_success_has_failed(self, settings: Any) -> None:
        word = standing(settings, succeeded_at=timedelta(hours=1), failed_at=timedelta(minutes=1))

        assert word == "failed"

    def test_one_that_succeeded_after_its_last_failure_is_well(self, settings: Any) -> None:
        word = standing(settings, succeeded_at=timedelta(minutes=1), failed_at=timedelta(hours=1))

        assert word == "ok"

    def test_one_that_was_killed_before_its_end_has_never_been_done(self, settings: Any) -> None:
        assert standing(settings) == "never"

    def test_the_command_lists_every_chore_and_fails_while_one_is_not_well(
        self, settings: Any, capsys: pytest.CaptureFixture[str]
    ) -> None:
        settings.CELERY_BEAT_SCHEDULE = {"tidy": NIGHTLY, "sweep": NIGHTLY}
        carry_out("tidy", lambda: 7)

        with pytest.raises(SystemExit) as ended:
            call_command("chores")

        lines = capsys.readouterr().out.splitlines()
        assert ended.value.code == 1
        assert lines[0].startswith("ok     tidy, last done ")
        assert lines[0].endswith(" (7 rows)")
        assert lines[1] == "never  sweep"

        carry_out("sweep", lambda: 0)
        call_command("chores")

    def test_the_command_names_the_failure(self, settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
        settings.CELERY_BEAT_SCHEDULE = {"tidy": NIGHTLY}
        with pytest.raises(ZeroDivisionError):
            carry_out("tidy", lambda: 1 // 0)

        with pytest.raises(SystemExit):
            call_command("chores")

        assert "failed tidy, failed " in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
class TestPurging:
    def test_two_purges_of_one_table_do_not_get_into_each_others_way(self) -> None:
        Item.objects.create(name="old")

        with held_elsewhere("core.purge", Item._meta.label), pytest.raises(LockHeldError):
            purge(Item.objects.all(), order="name", batch=10)

        assert Item.objects.exists()
        assert purge(Item.objects.all(), order="name", batch=10) == 1

    def test_each_batch_is_a_transaction_of_its_own(self, django_assert_num_queries: Any) -> None:
        Item.objects.bulk_create([Item(name=f"old {number}") for number in range(3)])

        # Two batches and the look that finds nothing more: each begins, takes the lock, looks and commits. After what
        # was written, one asks which generations to raise.
        with django_assert_num_queries(3 * 4 + 2 + 2):
            assert purge(Item.objects.all(), order="name", batch=2) == 3

    def test_a_row_that_is_being_brought_back_is_left_and_so_is_one_that_was(self) -> None:
        kept, _ = Parent.objects.create(code="A", name="old"), Parent.objects.create(code="B", name="old too")
        changed, commit = threading.Event(), threading.Event()

        def bring_back() -> None:
            with transaction.atomic():
                Parent.objects.filter(pk=kept.pk).update(name="kept")
                changed.set()
                commit.wait(3)
            connection.close()

        with ThreadPoolExecutor(1) as threads:
            threads.submit(bring_back)
            assert changed.wait(30)
            purged = purge(Parent.objects.filter(name__startswith="old"), order="name", batch=10)
            commit.set()

        assert purged == 1
        assert [parent.pk for parent in Parent.objects.all()] == [kept.pk]
        assert purge(Parent.objects.filter(name__startswith="old"), order="name", batch=10) == 0

    def test_a_task_that_meets_another_run_ends_without_a_failure(self) -> None:
        with held_elsewhere("core.purge", "core.OutboxEvent"):
            purge_outbox()

        assert Chore.objects.get().failed_at is None
