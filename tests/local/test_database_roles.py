"""The database's roles: each is tried, on a real server, on what it must be able to do and on what it must not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import errors, sql

from campushub360.local import CHECKOUT
from campushub360.local.engines import Postgres
from campushub360.local.servers import ensure_servers, release_servers, stop_servers
from tests.local.reporting import EVERYTHING, TABLES, closed_columns

pytestmark = [pytest.mark.slow, pytest.mark.checklist(76), pytest.mark.timeout(600)]

SCRIPT = CHECKOUT / "deploy/postgres/create-database.sh"
REPORTING = CHECKOUT / "deploy/postgres/reporting.sql"
PASSWORDS = {
    f"{name}_PASSWORD": f"{name.lower()}-2c9f" for name in ("DATABASE", "MIGRATOR", "REPORTING", "REPLICATION")
}
ROLES = {
    "campushub360": "DATABASE_PASSWORD",
    "campushub360_migrator": "MIGRATOR_PASSWORD",
    "campushub360_reporting": "REPORTING_PASSWORD",
}

Connect = Callable[[str], psycopg.Connection]


@pytest.fixture(scope="module")
def connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connect]:
    """A migrated database with the deployment's roles; return a function that connects as one of them."""
    home = tmp_path_factory.mktemp("roles") / ".campus"
    url = urlsplit(ensure_servers({"REDIS_URL": "redis://elsewhere"}, home=home)["DATABASE_URL"])
    let_everybody_try(home / "postgres" / "data")
    create_roles(url.port)

    def connect(role: str) -> psycopg.Connection:
        password = PASSWORDS.get(ROLES.get(role, ""), "")
        parameters = {"host": "127.0.0.1", "port": url.port, "user": role, "dbname": "campushub360"}
        return psycopg.connect(**parameters, password=password, autocommit=True)

    migrate(f"postgres://campushub360_migrator:{PASSWORDS['MIGRATOR_PASSWORD']}@127.0.0.1:{url.port}/campushub360")
    with connect("campushub360_migrator") as migrator:
        migrator.execute(REPORTING.read_text())
    create_roles(url.port)  # again, as after a change of passwords
    yield connect
    release_servers(home=home)
    stop_servers(home=home)


def let_everybody_try(data: Path) -> None:
    """Open the server's door to the superuser and to every role with its password."""
    with (data / "pg_hba.conf").open("a") as access:
        access.write("host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
    os.kill(int((data / "postmaster.pid").read_text().split()[0]), signal.SIGHUP)


def create_roles(port: int | None) -> None:
    programs = Postgres(CHECKOUT).binary.parent
    server = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PATH": f"{programs}:{os.defpath}"}
    done = subprocess.run(["sh", SCRIPT], env=server | PASSWORDS, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def migrate(url: str) -> None:
    done = manage(url, "migrate", "--skip-checks", "--verbosity=0")
    assert done.returncode == 0, done.stderr


def manage(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "campushub360.settings.testing"}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.checklist(48)
def test_no_statement_of_the_application_runs_or_waits_for_long(connect: Connect) -> None:
    with connect("campushub360") as application:
        limits = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        shown = {name: application.execute(f"SHOW {name}").fetchone() for name in limits}

    assert shown == dict(zip(limits, (("30s",), ("5s",), ("1min",)), strict=True))


def test_the_application_reads_and_writes_rows(connect: Connect) -> None:
    with connect("campushub360") as application:
        application.execute("SELECT nextval('core_outboxevent_seq')")
        application.execute("INSERT INTO django_content_type (app_label, model) VALUES ('a', 'b')")
        application.execute("UPDATE django_content_type SET model = 'c' WHERE app_label = 'a'")
        deleted = application.execute("DELETE FROM django_content_type WHERE app_label = 'a'")
        assert deleted.rowcount == 1
        assert application.execute("SELECT count(*) FROM students_student").fetchone() == (0,)
        assert application.execute("SELECT core_fold('É')").fetchone() == ("e",)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "CREATE SCHEMA mine",
        "CREATE EXTENSION hstore",
        "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX mine ON students_student (id)",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "ALTER TABLE students_student ADD COLUMN mine int",
        "ALTER TABLE students_student DISABLE TRIGGER ALL",
        "ALTER TABLE students_student OWNER TO campushub360",
        "ALTER ROLE campushub360 SUPERUSER",
        "ALTER SYSTEM SET fsync = off",
        "DROP TABLE enrollment_enrollment",
        "TRUNCATE students_student CASCADE",
        "DELETE FROM django_migrations",
        "INSERT INTO django_migrations (app, name, applied) VALUES ('a', 'b', now())",
        "SET ROLE campushub360_migrator",
        "SET SESSION AUTHORIZATION postgres",
        "SET session_replication_role = replica",
        "COPY students_student TO PROGRAM 'cat'",
        "COPY students_student TO '/tmp/students'",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT passwd FROM pg_shadow",
    ],
)
def test_the_application_changes_no_schema_and_no_rights(connect: Connect, statement: str) -> None:
    with connect("campushub360") as application, pytest.raises(errors.InsufficientPrivilege):
        application.execute(statement)


def test_a_table_that_a_later_migration_makes_is_the_applications_to_write(connect: Connect) -> None:
    with connect("campushub360_migrator") as migrator, connect("campushub360") as application:
        migrator.execute("CREATE TABLE later (id bigint GENERATED BY DEFAULT AS IDENTITY, word text)")
        application.execute("INSERT INTO later (word) VALUES ('a')")
        application.execute("UPDATE later SET word = 'b'")
        assert application.execute("DELETE FROM later").rowcount == 1


@pytest.mark.checklist(93)
@pytest.mark.parametrize("kind", ["", "PARTITION BY RANGE (id)"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET word = 'b'", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
def test_what_the_application_audits_it_can_add_and_read_but_not_change(
    connect: Connect, kind: str, statement: str
) -> None:
    name = f"audit_probe_{'whole' if not kind else 'parts'}"
    with connect("campushub360_migrator") as migrator, connect("campushub360") as application:
        migrator.execute(f"DROP TABLE IF EXISTS {name}")
        migrator.execute(f"CREATE TABLE {name} (id bigint, word text) {kind}")
        if kind:
            migrator.execute(f"CREATE TABLE {name}_1 PARTITION OF {name} FOR VALUES FROM (0) TO (10)")
        application.execute(sql.SQL("INSERT INTO {} VALUES (1, 'a')").format(sql.Identifier(name)))
        assert application.execute(f"TABLE {name}").fetchall() == [(1, "a")]
        for table in [name, f"{name}_1"] if kind else [name]:
            with pytest.raises(errors.InsufficientPrivilege):
                application.execute(statement.format(table))


def test_a_table_that_is_renamed_into_the_audit_only_grows_from_then_on(connect: Connect) -> None:
    with connect("campushub360_migrator") as migrator, connect("campushub360") as application:
        migrator.execute("CREATE TABLE renamed (word text)")
        migrator.execute("ALTER TABLE renamed RENAME TO audit_renamed")
        with pytest.raises(errors.InsufficientPrivilege):
            application.execute("DELETE FROM audit_renamed")


def test_reporting_reads_the_records_and_who_is_in_them(connect: Connect) -> None:
    with connect("campushub360_reporting") as reporting:
        reporting.execute("TABLE courses_section")
        reporting.execute("SELECT count(*) FROM attendance_attendancerecord")
        reporting.execute(
            "SELECT student_no, first_name, last_name, enrolled.status FROM enrollment_enrollment AS enrolled"
            " JOIN students_student AS student ON student.id = student_id JOIN accounts_person AS person"
            " ON person.id = person_id"
        )


def test_reporting_reads_every_column_of_the_records_but_those_that_masks_and_privacy_keep(connect: Connect) -> None:
    wanted = closed_columns()
    with connect("campushub360_reporting") as reporting:
        columns = reporting.execute(
            "SELECT relname, attname, has_column_privilege(attrelid, attnum, 'SELECT')"
            " FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid"
            " WHERE relkind IN ('r', 'p', 'v', 'm') AND NOT relispartition AND relnamespace = 'public'::regnamespace"
            " AND attnum > 0 AND NOT attisdropped"
        ).fetchall()

    opened: dict[str, set[str]] = {}
    kept: dict[str, set[str]] = {}
    for table, column, is_readable in columns:
        (opened if is_readable else kept).setdefault(table, set()).add(column)
    assert all(TABLES.match(table) for table in opened)
    assert {"students_student", "attendance_attendancerecord", "accounts_person"} <= opened.keys()
    found = {
        table: sorted(names) if table in opened else [EVERYTHING]
        for table, names in kept.items()
        if TABLES.match(table)
    }
    assert found == wanted, "deploy/postgres/reporting.sql keeps other columns from reports: correct `closed` there."


@pytest.mark.parametrize(
    "statement",
    [
        "TABLE students_student",
        "SELECT salary FROM faculty_faculty",
        "SELECT home_address FROM students_student",
        "SELECT custom_data FROM students_student",
        "SELECT count(*) FROM students_student WHERE accommodation_note IS NOT NULL",
        "SELECT statement FROM attendance_excuserequest",
        "SELECT count(*) FROM attendance_excuserequest GROUP BY kind",
        "SELECT reason FROM attendance_eligibilitydecision",
        "SELECT lock_note FROM attendance_classsession",
        "SELECT note FROM attendance_classsession",
        "SELECT birth_date, phone FROM accounts_person",
        "SELECT person FROM accounts_person AS person",
        "SELECT latitude, longitude FROM attendance_checkinevent",
        "SELECT value FROM accounts_personidentifier",
        "SELECT minutes_late FROM attendance_attendancerecord_default",
        "SELECT changes FROM audit_change",
    ],
)
def test_reporting_is_refused_what_only_some_of_those_may_know_who_see_a_record(
    connect: Connect, statement: str
) -> None:
    with connect("campushub360_reporting") as reporting, pytest.raises(errors.InsufficientPrivilege):
        reporting.execute(statement)


def test_whole_tables_that_were_granted_once_are_taken_back(connect: Connect) -> None:
    with connect("campushub360_migrator") as migrator, connect("campushub360_reporting") as reporting:
        migrator.execute("GRANT SELECT ON students_student, accounts_person TO campushub360_reporting")
        reporting.execute("SELECT home_address FROM students_student")

        migrator.execute(REPORTING.read_text())

        with pytest.raises(errors.InsufficientPrivilege):
            reporting.execute("SELECT home_address FROM students_student")
        reporting.execute("SELECT student_no FROM students_student")


@pytest.mark.parametrize(
    "table", ["accounts_user", "accounts_session", "core_idempotencykey", "core_outboxevent", "django_session"]
)
def test_reporting_sees_no_credentials_and_no_kept_answers(connect: Connect, table: str) -> None:
    with connect("campushub360_reporting") as reporting, pytest.raises(errors.InsufficientPrivilege):
        reporting.execute(f"TABLE {table}")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM students_student",
        "UPDATE accounts_person SET last_name = 'x'",
        "INSERT INTO students_student DEFAULT VALUES",
        "TRUNCATE students_student",
        "CREATE TABLE mine (id int)",
        "CREATE TEMPORARY TABLE mine (id int)",
        "SELECT nextval('core_outboxevent_seq')",
        "SET ROLE campushub360",
    ],
)
def test_reporting_writes_nothing_even_when_it_lifts_its_own_lock(connect: Connect, statement: str) -> None:
    with connect("campushub360_reporting") as reporting:
        assert reporting.execute("SHOW default_transaction_read_only").fetchone() == ("on",)
        reporting.execute("SET default_transaction_read_only = off")
        with pytest.raises(errors.InsufficientPrivilege):
            reporting.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "ALTER ROLE campushub360_migrator SUPERUSER",
        "ALTER SYSTEM SET fsync = off",
        "DROP EVENT TRIGGER keep_rights_least",
        "SET SESSION AUTHORIZATION postgres",
        "COPY students_student TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/passwd')",
    ],
)
def test_the_migrator_changes_the_schema_and_not_the_server(connect: Connect, statement: str) -> None:
    with connect("campushub360_migrator") as migrator, pytest.raises(errors.InsufficientPrivilege):
        migrator.execute(statement)


@pytest.mark.checklist(77)
@pytest.mark.parametrize("role", ROLES)
def test_no_role_gets_in_without_its_password(connect: Connect, role: str) -> None:
    with connect(role) as right:
        port = right.info.port
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user=role, dbname="campushub360", password="a guess")


@pytest.mark.checklist(77)
def test_the_role_of_replicas_enters_no_database(connect: Connect) -> None:
    with connect("campushub360") as application:
        port = application.info.port
    password = PASSWORDS["REPLICATION_PASSWORD"]

    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(
            host="127.0.0.1", port=port, user="campushub360_replicator", dbname="campushub360", password=password
        )


@pytest.mark.checklist(93)
class TestTheLogs:
    """The audit's own tables, as the deployment's application finds them."""

    LOGS = ("audit_event", "audit_disclosure", "audit_change", "audit_seal")

    def test_what_the_application_writes_leaves_its_history(self, connect: Connect) -> None:
        with connect("campushub360") as application:
            before = application.execute("SELECT count(*) FROM audit_change").fetchone()
            application.execute(
                "INSERT INTO departments_campus (id, code, name, time_zone, is_active)"
                " VALUES (gen_random_uuid(), 'N', 'North', 'UTC', true)"
            )
            application.execute("UPDATE departments_campus SET name = 'South'")
            application.execute("DELETE FROM departments_campus")
            after = application.execute("SELECT count(*) FROM audit_change").fetchone()
            assert before
            assert after
            assert after[0] - before[0] == 3

    def test_the_application_adds_entries_and_reads_them(self, connect: Connect) -> None:
        with connect("campushub360") as application:
            application.execute(
                "INSERT INTO departments_campus (id, code, name, time_zone, is_active)"
                " VALUES (gen_random_uuid(), 'N', 'North', 'UTC', true)"
            )
            application.execute("INSERT INTO audit_event (action) VALUES ('tried')")
            application.execute(
                "INSERT INTO audit_disclosure (what, subject_id, basis) VALUES ('record', gen_random_uuid(), 'x')"
            )
            application.execute(
                "INSERT INTO audit_seal (log, floor, last_xact, last_id, entries, hash) VALUES ('x', 0, 0, 0, 0, '')"
            )
            for log in self.LOGS:
                assert application.execute(sql.SQL("TABLE {}").format(sql.Identifier(log))).fetchall()

    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = 1", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"])
    def test_it_changes_none_whole_or_in_parts(self, connect: Connect, statement: str) -> None:
        with connect("campushub360") as application:
            parts = application.execute(
                "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent::regclass::text = ANY (%s)",
                [list(self.LOGS)],
            ).fetchall()
            assert len(parts) >= 3 * 5
            for (log,) in [*((log,) for log in self.LOGS), *parts]:
                with pytest.raises(errors.InsufficientPrivilege):
                    application.execute(sql.SQL(statement).format(sql.Identifier(log)))

    @pytest.mark.parametrize("statement", ["UPDATE {} SET id = 1", "DELETE FROM {}", "TRUNCATE {}"])
    def test_neither_does_their_owner(self, connect: Connect, statement: str) -> None:
        with connect("campushub360") as application, connect("campushub360_migrator") as migrator:
            application.execute("INSERT INTO audit_event (action) VALUES ('tried')")
            with pytest.raises(errors.InsufficientPrivilege, match="append-only"):
                migrator.execute(statement.format("audit_event"))

    def test_the_application_has_months_made_which_it_can_only_add_to(self, connect: Connect) -> None:
        with connect("campushub360") as application:
            made = application.execute(
                "SELECT core_make_months('audit_event', current_date, (current_date + interval '8 months')::date)"
            ).fetchone()
            assert made
            assert made[0] >= 4
            (name,) = application.execute(
                "SELECT max(inhrelid::regclass::text) FROM pg_inherits"
                " WHERE inhparent = 'audit_event'::regclass AND inhrelid::regclass::text <> 'audit_event_default'"
            ).fetchone() or ("",)
            for statement in ("UPDATE {} SET id = 1", "DELETE FROM {}", "TRUNCATE {}", "DROP TABLE {}"):
                with pytest.raises(errors.InsufficientPrivilege):
                    application.execute(statement.format(name))

    def test_the_application_runs_the_chore_and_puts_no_month_back(self, connect: Connect, tmp_path: Path) -> None:
        page = tmp_path / "audit_event_200101.json"
        described = {"table": "audit_event", "month": "2001-01", "columns": [], "rows": 0, "sha256": "", "file": ""}
        page.write_text(json.dumps({**described, "archived_at": ""}))
        with connect("campushub360") as application:
            url = f"postgres://campushub360:{PASSWORDS['DATABASE_PASSWORD']}@127.0.0.1:{application.info.port}/campushub360"
            application.execute("INSERT INTO audit_event (at, action) VALUES (now() - interval '3 months', 'tried')")
            made = manage(url, "partitions")
            homeless = application.execute("SELECT count(*) FROM audit_event_default").fetchone()
        refused = manage(url, "partitions", "--restore", str(page))

        assert (made.returncode, made.stdout, homeless) == (0, "1 months made.\n", (0,))
        assert (refused.returncode, "connect as the one that migrates" in refused.stderr) == (1, True)

    @pytest.mark.parametrize(
        "statement",
        [
            "SELECT audit_unfollow('accounts_person')",
            "ALTER TABLE accounts_person DISABLE TRIGGER audit_follow_update",
            "DROP TRIGGER audit_no_change ON audit_event",
            "ALTER TABLE audit_event DETACH PARTITION audit_event_default",
            "INSERT INTO core_partitioned VALUES ('students_student')",
            "SELECT core_make_months('students_student', current_date, current_date)",
            "SELECT core_open_month('audit_event', '2001-01-01')",
            "SELECT core_attach_month('audit_event', date_trunc('month', current_date)::date)",
            "CREATE OR REPLACE FUNCTION audit_track() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        ],
    )
    def test_the_application_cannot_stop_them(self, connect: Connect, statement: str) -> None:
        with connect("campushub360") as application, pytest.raises(errors.InsufficientPrivilege):
            application.execute(statement)

    def test_the_application_erases_what_the_owner_lets_it_and_says_nothing_of_that_itself(
        self, connect: Connect
    ) -> None:
        with connect("campushub360") as application:
            (entry,) = application.execute(
                "INSERT INTO audit_event (action, reason) VALUES ('tried', 'Ada') RETURNING id"
            ).fetchone() or (0,)
            for statement in (
                "INSERT INTO audit_erasable VALUES ('audit_event', 'action')",
                "UPDATE audit_erasable SET column_name = 'action'",
                "DELETE FROM audit_erasable",
                "INSERT INTO audit_redaction (log, entry_id, original, redacted) VALUES ('audit_event', 0, '', '')",
                f"SELECT audit_redact('audit_event', '{{{entry}}}', '{{action}}')",
            ):
                with pytest.raises(errors.InsufficientPrivilege):
                    application.execute(statement)
            redacted = application.execute("SELECT audit_redact('audit_event', %s, '{reason}')", [[entry]]).fetchone()
            kept = application.execute("SELECT action, reason FROM audit_event WHERE id = %s", [entry]).fetchone()
        assert (redacted, kept) == ((1,), ("tried", "[erased]"))

    @pytest.mark.parametrize("log", LOGS)
    def test_reporting_reads_none_of_them(self, connect: Connect, log: str) -> None:
        with connect("campushub360_reporting") as reporting, pytest.raises(errors.InsufficientPrivilege):
            reporting.execute(sql.SQL("TABLE {}").format(sql.Identifier(log)))
