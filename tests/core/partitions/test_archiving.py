"""Months leave for files and come back as they were, whatever happens meanwhile; those that may not leave stay."""

import gzip
import json
from datetime import date
from io import StringIO
from pathlib import Path
from threading import Event, Thread

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from audit import services as audit
from core.db.locks import LockTimeoutError
from core.models import Touch
from core.partitions import DamagedArchiveError, KeptError, archive_old, restore
from core.partitions.months import later, month_of
from tests.core.partitions.conftest import ask, make_probe

PRESENT = month_of(timezone.now().date())
OLD = later(PRESENT, -13)
HARD_TO_KEEP = [
    "plain", None, "", "tab\tline\nreturn\r", "\\N", "\\.", "quote'\"", "Åsa ☃ \U0001f393", "x" * 5000
]  # fmt: skip


def open_month(month: date) -> None:
    ask("SELECT core_open_month('probe', %s), core_attach_month('probe', %s)", [month, month])


@pytest.fixture
def rows(probe):
    """An old month with rows of all kinds, and a row of the present one; return all of them."""
    open_month(OLD)
    for number, word in enumerate(HARD_TO_KEEP):
        ask(
            "INSERT INTO probe (local_date, word, noted_at, amount) VALUES (%s, %s, %s, %s)",
            [OLD, word, "infinity" if number == 1 else "2001-02-03 04:05:06.789012+05:45", f"1e-{number}"],
        )
    ask("INSERT INTO probe (local_date, word) VALUES (%s, 'now')", [PRESENT])
    return present_rows()


def present_rows():
    return ask("SELECT id, local_date, word, noted_at::text, amount, length FROM probe ORDER BY id")


def whole_of(month: date) -> str | None:
    """Return the table that the table of a month is part of."""
    ((name,),) = ask(
        "SELECT inhparent::regclass::text FROM pg_class LEFT JOIN pg_inherits ON inhrelid = oid WHERE relname = %s",
        [f"probe_{month:%Y%m}"],
    )
    return name


def archive() -> Path:
    (found,) = archive_old(at=timezone.now())
    (page,) = Path(settings.ARCHIVE_ROOT).glob("*.json")
    assert json.loads(page.read_text())["sha256"] == found.sha256
    return page


def test_an_old_month_leaves_and_comes_back_row_for_row(rows):
    page = archive()
    assert present_rows() == rows[-1:]
    described = json.loads(page.read_text())
    assert (described["table"], described["month"], described["rows"]) == ("probe", f"{OLD:%Y-%m}", len(HARD_TO_KEEP))
    assert described["columns"] == ["id", "local_date", "word", "noted_at", "amount"]

    assert restore(page).rows == len(HARD_TO_KEEP)

    assert present_rows() == rows
    assert whole_of(OLD) == "probe"


def test_nobody_else_reads_the_files(rows):
    page = archive()

    assert page.parent.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in page.parent.iterdir()} == {0o600}
    assert len(list(page.parent.iterdir())) == 2


def test_what_is_not_old_enough_stays(probe):
    open_month(later(PRESENT, -12))

    assert list(archive_old(at=timezone.now())) == []
    assert list(archive_old(at=timezone.now(), table="probe", before=later(PRESENT, 3))) != []
    assert ask("SELECT to_regclass(%s) IS NULL", [f"probe_{PRESENT:%Y%m}"]) == [(False,)]


def test_rows_that_came_while_their_month_was_away_join_it_when_it_is_back(rows):
    page = archive()
    ask("INSERT INTO probe (local_date, word) VALUES (%s, 'late')", [OLD])
    assert ask("SELECT count(*) FROM probe_default") == [(1,)]

    restore(page)

    assert ask("SELECT count(*) FROM probe_default") == [(0,)]
    assert [row[2] for row in present_rows()] == [*HARD_TO_KEEP, "now", "late"]


def test_what_was_remembered_of_the_table_counts_no_more_when_a_month_leaves_or_comes_back(rows):
    page = archive()
    restore(page)

    assert list(Touch.objects.values_list("tags", flat=True)) == [["core.probe"]] * 2


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def other_rows(path: Path) -> None:
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()).replace(b"plain", b"plane")))


@pytest.mark.parametrize("damage", [cut, other_rows, Path.unlink], ids=["cut short", "other rows", "gone"])
def test_a_file_that_is_not_what_was_put_away_is_refused_and_nothing_of_it_comes_in(rows, damage):
    page = archive()
    damage(next(page.parent.glob("*.gz")))

    with pytest.raises(DamagedArchiveError):
        restore(page)

    assert present_rows() == rows[-1:]
    assert ask("SELECT to_regclass(%s)", [f"probe_{OLD:%Y%m}"]) == [(None,)]


def test_a_month_that_is_there_is_not_put_back_over_it(rows):
    page = archive()
    restore(page)

    with pytest.raises(DamagedArchiveError, match="what is in the database counts"):
        restore(page)


def test_rows_of_which_the_table_has_lost_a_column_are_not_put_back_without_it(rows):
    page = archive()
    ask("ALTER TABLE probe DROP COLUMN amount")

    with pytest.raises(DamagedArchiveError, match="no column amount any more"):
        restore(page)


def test_a_run_that_could_not_write_lost_nothing_and_the_next_goes_on_with_it(rows, archives):
    archives.write_text("a file where the folder should be")
    with pytest.raises(FileExistsError):
        list(archive_old(at=timezone.now()))
    assert whole_of(OLD) is None
    archives.unlink()

    restore(archive())

    assert present_rows() == rows


def test_a_table_that_keeps_no_archive_drops_its_old_months(db, monkeypatch, archives):
    make_probe(monkeypatch, expiry="drop")
    open_month(OLD)

    assert list(archive_old(at=timezone.now())) == []
    assert ask("SELECT to_regclass(%s)", [f"probe_{OLD:%Y%m}"]) == [(None,)]
    assert not archives.exists()


def test_a_month_that_may_not_leave_stays_and_the_others_leave(db, monkeypatch):
    make_probe(monkeypatch, refuses=lambda month: "a hold on one of them." if month == OLD else "")
    open_month(OLD)
    open_month(later(OLD, -1))

    with pytest.raises(CommandError, match="stays: a hold on one of them"):
        call_command("partitions", "--archive", stdout=StringIO())

    assert ask("SELECT to_regclass(%s) IS NULL, to_regclass(%s) IS NULL",
               [f"probe_{OLD:%Y%m}", f"probe_{later(OLD, -1):%Y%m}"]) == [(False, True)]  # fmt: skip


@pytest.mark.checklist(93)
def test_the_logs_stay_because_their_seals_are_verified_over_all_of_their_entries(db):
    audit.record(action="tried")
    ask("SELECT core_open_month('audit_event', %s), core_attach_month('audit_event', %s)", [OLD, OLD])
    audit.seal_logs()

    with pytest.raises(KeptError, match="verify_audit chains the entries"):
        list(archive_old(at=timezone.now(), table="audit_event", before=PRESENT))

    assert ask("SELECT to_regclass(%s) IS NULL", [f"audit_event_{OLD:%Y%m}"]) == [(False,)]
    assert [verdict.faults for verdict in audit.verify_logs()] == [[]] * 4


def test_entries_that_moved_into_their_month_are_sealed_as_they_were(db, monkeypatch):
    ask("INSERT INTO audit_event (at, action) VALUES (%s, 'old')", [later(PRESENT, -2)])
    audit.record(action="tried")
    audit.seal_logs()

    call_command("partitions", stdout=StringIO())

    assert ask("SELECT count(*) FROM audit_event_default") == [(0,)]
    assert [verdict.faults for verdict in audit.verify_logs()] == [[]] * 4


def test_of_rows_that_are_written_while_their_month_leaves_none_is_lost(lasting_probe):
    open_month(OLD)
    written, stop, begun = [], Event(), Event()

    def write() -> None:
        while not stop.is_set():
            written.extend(ask("INSERT INTO probe (local_date, word) VALUES (%s, 'x') RETURNING id", [OLD]))
            if len(written) > 20:
                begun.set()
        connection.close()

    writer = Thread(target=write)
    writer.start()
    begun.wait(30)
    page = archive()
    stop.set()
    writer.join()
    restore(page)

    assert ask("SELECT id FROM probe ORDER BY id") == written
    assert 0 < json.loads(page.read_text())["rows"] <= len(written)


def test_a_table_in_use_is_left_alone(lasting_probe, monkeypatch):
    open_month(OLD)
    monkeypatch.setattr("core.partitions.archiving.PATIENCE_MS", 50)
    reader = connection.copy()
    with reader.cursor() as cursor:
        cursor.execute("BEGIN; SELECT count(*) FROM probe")
        with pytest.raises(LockTimeoutError):
            list(archive_old(at=timezone.now()))
    reader.close()

    assert whole_of(OLD) == "probe"
