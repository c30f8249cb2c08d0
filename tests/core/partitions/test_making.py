"""Months are made ahead, once; rows are in theirs, also those that were there before; and what wants doing is told."""

import logging
from datetime import UTC, date, datetime
from io import StringIO
from threading import Barrier, Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from core.db.locks import LockHeldError
from core.health import HealthChecker
from core.partitions import Monthly, declared, make_months, standings
from core.partitions.making import ask as of_database
from core.partitions.months import later, month_of
from tests.core.partitions.conftest import ask

PRESENT = month_of(timezone.now().date())


def month_table(month: date) -> str:
    return f"probe_{month:%Y%m}"


def standing():
    (found,) = [each for each in standings(of_database, at=timezone.now()) if each.table == "probe"]
    return found


def insert(*days: date) -> None:
    for day in days:
        ask("INSERT INTO probe (local_date, word) VALUES (%s, 'x')", [day])


def test_every_table_that_is_partitioned_is_declared_and_may_have_months_made(db):
    partitioned = {name for (name,) in ask("SELECT partrelid::regclass::text FROM pg_partitioned_table")}
    kept = {name for (name,) in ask("SELECT table_name::text FROM core_partitioned")}

    assert partitioned == kept == {each.table for each in declared()}


def test_a_month_comes_after_december_and_before_january():
    assert [later(date(2026, 11, 1), number) for number in (1, 2, 14, -11)] == [
        date(2026, 12, 1), date(2027, 1, 1), date(2028, 1, 1), date(2025, 12, 1)
    ]  # fmt: skip


def test_the_present_month_and_three_ahead_are_there_from_the_beginning(probe):
    assert (standing().ahead, standing().faults) == (3, [])
    assert make_months(at=timezone.now()) == 0


def test_the_last_day_of_a_month_and_the_first_of_the_next_are_in_tables_of_their_own(probe):
    following = later(PRESENT, 1)
    last = date.fromordinal(following.toordinal() - 1)
    insert(last, following)

    assert ask("SELECT tableoid::regclass::text, local_date FROM probe ORDER BY id") == [
        (month_table(PRESENT), last), (month_table(following), following)
    ]  # fmt: skip


def test_a_month_of_instants_begins_at_midnight_utc_wherever_the_writer_is(db):
    following = later(PRESENT, 1)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TimeZone = 'Asia/Kolkata'")
    first = datetime(following.year, following.month, 1, tzinfo=UTC)
    for instant in (first, first.replace(microsecond=1), datetime.fromtimestamp(first.timestamp() - 0.000001, tz=UTC)):
        ask("INSERT INTO audit_event (at, action) VALUES (%s, 'tried')", [instant])

    found = [name for (name,) in ask("SELECT tableoid::regclass::text FROM audit_event ORDER BY id")]
    assert found == [f"audit_event_{following:%Y%m}"] * 2 + [f"audit_event_{PRESENT:%Y%m}"]


def test_rows_without_a_month_move_into_theirs_and_none_is_lost(probe):
    gone, ahead = later(PRESENT, -2), later(PRESENT, 4)
    insert(gone, ahead, ahead, PRESENT)
    before = ask("SELECT * FROM probe ORDER BY id")
    assert standing().homeless == 3

    assert make_months(at=datetime(ahead.year, ahead.month, 15, tzinfo=UTC)) == 5

    assert ask("SELECT * FROM probe ORDER BY id") == before
    assert standing().homeless == 0
    assert ask("SELECT tableoid::regclass::text, count(*) FROM probe GROUP BY 1 ORDER BY 1") == [
        (month_table(month), number) for month, number in ((gone, 1), (PRESENT, 1), (ahead, 2))
    ]


def test_what_protects_the_whole_protects_each_part_also_after_rows_were_moved(probe):
    insert(later(PRESENT, -2))
    make_months(at=timezone.now())

    for statement in (
        f"TRUNCATE {month_table(later(PRESENT, -2))}",
        "DELETE FROM probe",
        "TRUNCATE probe_default",
    ):
        with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
            ask(statement)
    insert(later(PRESENT, 20))
    with pytest.raises(ProgrammingError, match="append-only"), transaction.atomic():
        ask("DELETE FROM probe_default")


def test_a_row_older_than_what_is_kept_stays_without_a_month_and_is_told(probe):
    insert(later(PRESENT, -13))

    assert make_months(at=timezone.now()) == 0
    assert standing().faults == ["1 rows in the default partition"]


@pytest.mark.parametrize(
    ("table", "until", "refusal"),
    [
        ("students_student", "current_date", "is not kept by month"),
        ("audit_event", "'2999-01-01'", "a year ahead at most"),
    ],
)
def test_the_function_of_the_owner_makes_no_other_tables(db, table, until, refusal):
    with pytest.raises(Exception, match=refusal):
        ask(f"SELECT core_make_months('{table}', current_date, {until})")


def test_of_two_runs_at_once_each_month_is_made_by_one(lasting_probe):
    at = datetime(*later(PRESENT, 5).timetuple()[:3], tzinfo=UTC)
    together, made = Barrier(2), []

    def run() -> None:
        together.wait()
        try:
            made.append(make_months(at=at))
        except LockHeldError:
            made.append(0)
        finally:
            connection.close()

    runs = [Thread(target=run) for _ in range(2)]
    for each in runs:
        each.start()
    for each in runs:
        each.join()

    assert sum(made) >= 5
    assert standing().ahead == 8


def test_what_wants_doing_is_told_to_whoever_asks(probe, client, caplog):
    insert(later(PRESENT, -40))
    ask(f"ALTER TABLE probe DETACH PARTITION {month_table(later(PRESENT, 1))}")
    faults = ["1 rows in the default partition", "no month ahead"]

    with caplog.at_level(logging.ERROR, logger="core.partitions.making"):
        make_months(at=timezone.now())
    told = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("partitions", "--status", stdout=told)

    assert [(record.table, record.faults) for record in caplog.records] == [("probe", faults)]
    assert ended.value.code == 1
    assert all(f"  {fault}\n" in told.getvalue() for fault in faults)
    assert "was taken out and is not put away" in told.getvalue()
    metrics = client.get("/metrics").content.decode()
    assert 'campushub360_partitions_default_rows{table="probe"} 1.0' in metrics
    assert 'campushub360_partitions_months_ahead{table="probe"} 0.0' in metrics


def test_a_table_without_its_present_month_is_ill(lasting_probe: Monthly):
    assert HealthChecker(seconds=10, fresh_seconds=0).check_partitions().facts == {"months_ahead": 3}
    ask(f"ALTER TABLE probe DETACH PARTITION {month_table(PRESENT)}")

    check = HealthChecker(seconds=10, fresh_seconds=0).check_partitions()

    assert (check.is_ok, check.reason) == (False, "UnhealthyError probe: the present month is missing")


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        (["--archive", "--before", "2026-03"], "name it with --table"),
        (["--archive", "--table", "students_student"], "students_student is not kept by month"),
        (["--archive", "--table", "probe", "--before", "March"], "March is no month such as 2026-03"),
        (["--restore", "nowhere.json"], "nowhere.json describes no archive"),
        (["--status", "--archive"], "not allowed with"),
    ],
)
def test_the_command_says_what_is_wrong_with_what_it_was_told(probe, arguments, refusal):
    with pytest.raises(CommandError, match=refusal):
        call_command("partitions", *arguments)
