"""Every chore has a command and an entry in the schedule, and each entry a task that exists."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.core.management import get_commands, load_command_class

from campushub360.celery import app
from core.management.chore import ChoreCommand

SCHEDULE = settings.CELERY_BEAT_SCHEDULE


def chore_commands() -> dict[str, str]:
    """Return the app of every housekeeping command by the command's name."""
    ours = {name: owner for name, owner in get_commands().items() if owner in settings.FIRST_PARTY_APPS}
    return {name: owner for name, owner in ours.items() if isinstance(load_command_class(owner, name), ChoreCommand)}


def test_every_chore_has_a_command_and_an_entry_for_the_task_of_the_same_app_and_name() -> None:
    wanted = {name: f"{owner}.tasks.{name}" for name, owner in chore_commands().items()}

    assert {"purge_outbox", "purge_idempotency_keys", "adopt_course_versions", "purge_sessions"} <= wanted.keys()
    assert {name: entry["task"] for name, entry in SCHEDULE.items()} == wanted


def test_a_command_keeps_its_runs_under_its_own_name() -> None:
    for name, owner in chore_commands().items():
        assert load_command_class(owner, name).chore == name


def test_every_entry_names_a_task_that_needs_no_argument() -> None:
    app.loader.import_default_modules()

    for entry in SCHEDULE.values():
        assert app.tasks[entry["task"]].__wrapped__.__code__.co_argcount == 0


def test_a_scheduler_that_starts_finds_every_chore_due() -> None:
    for entry in SCHEDULE.values():
        assert entry["schedule"].is_due(entry["last_run_at"]).is_due


def test_no_chore_is_due_in_an_hour_that_a_change_of_clocks_takes_away() -> None:
    for entry in SCHEDULE.values():
        assert len(entry["schedule"].hour) == 24 or entry["schedule"].hour == {4}


def test_times_are_those_of_the_institution() -> None:
    assert settings.CELERY_TIMEZONE == settings.TIME_ZONE


def test_what_no_worker_takes_is_dropped_before_the_next_is_sent() -> None:
    for entry in SCHEDULE.values():
        first = datetime(2030, 1, 1, tzinfo=UTC)
        start, wait, _ = entry["schedule"].remaining_delta(first)
        second_start, second_wait, _ = entry["schedule"].remaining_delta(start + wait)
        assert (second_start + second_wait) - (start + wait) >= timedelta(seconds=entry["options"]["expires"])
