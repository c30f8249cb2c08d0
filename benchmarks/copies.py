"""Databases beside the one that is measured: a copy to write to, and one in which there are many times the students."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.db import connection
from psycopg import sql

from benchmarks.servers import database_url

# By these the rows of a copy of a student are told from the student's own.
_ANEW = {"id", "person_id", "student_id"}
_TABLES = ("accounts_person", "students_student", "students_programenrollment")
_COLUMNS = """
    SELECT column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = %s AND is_generated = 'NEVER' ORDER BY ordinal_position
"""
_SLOW_INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = ANY (%s) AND indexdef LIKE '%%USING gin%%'
"""
_STATE = "SELECT (SELECT count(*) FROM students_student), (SELECT array_agg(name ORDER BY id) FROM django_migrations)"


@contextmanager
def within(name: str) -> Iterator[None]:
    """Let this process, and whatever it starts meanwhile, work on another database of the server."""
    before = connection.settings_dict["NAME"]
    connection.close()
    connection.settings_dict["NAME"] = name
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"] = before


@contextmanager
def copied() -> Iterator[str]:
    """Give the name of a copy of the database, which goes again."""
    name = f"{connection.settings_dict['NAME']}_copy"
    _copy(name)
    try:
        yield name
    finally:
        drop(name)


def multiplied(factor: int) -> str:
    """Return the name of a database that has `factor` times the students; it is kept for the next run."""
    name = f"{connection.settings_dict['NAME']}_x{factor}"
    with _cursor() as cursor:
        students, migrations = cursor.execute(_STATE).fetchone() or (0, [])
    if _exists(name):
        with within(name), connection.cursor() as cursor:
            cursor.execute(_STATE)
            if cursor.fetchone() == (int(str(students)) * factor, migrations):
                return name
    _copy(name)
    with within(name), _cursor() as cursor:
        _multiply(cursor, factor)
    return name


def drop(name: str) -> None:
    """Let a database be gone."""
    connection.close()
    with _server() as server:
        server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _copy(name: str) -> None:
    drop(name)
    original = sql.Identifier(connection.settings_dict["NAME"])
    with _server() as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), original))


def _exists(name: str) -> bool:
    with _server() as server:
        return server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _multiply(cursor: "psycopg.Cursor[tuple[object, ...]]", factor: int) -> None:
    """Add copies of every student; their history is not written, as it is no part of what is read."""
    for table in _TABLES:
        cursor.execute(sql.SQL("ALTER TABLE {} DISABLE TRIGGER USER").format(sql.Identifier(table)))
    slow = cursor.execute(_SLOW_INDEXES, [list(_TABLES)]).fetchall()
    for index, _ in slow:
        cursor.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(str(index))))
    for table in _TABLES:
        columns = [str(column) for (column,) in cursor.execute(_COLUMNS, [table]).fetchall()]
        whose = sql.SQL(" WHERE id IN (SELECT person_id FROM students_student)" if table == _TABLES[0] else "")
        cursor.execute(
            sql.SQL("INSERT INTO {table} ({columns}) SELECT {values} FROM {table}, generate_series(1, %s) AS n {whose}")
            .format(
                table=sql.Identifier(table),
                columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
                values=sql.SQL(", ").join(map(_value, columns)),
                whose=whose,
            ),
            [factor - 1],
        )  # fmt: skip
    for table in _TABLES:
        cursor.execute(sql.SQL("ALTER TABLE {} ENABLE TRIGGER USER").format(sql.Identifier(table)))
    for _, definition in slow:
        cursor.execute(str(definition).encode())
    cursor.execute("ANALYZE")


def _value(column: str) -> sql.Composable:
    name = sql.Identifier(column)
    if column in _ANEW:
        return sql.SQL("md5({}::text || n)::uuid").format(name)
    if column == "student_no":
        return sql.SQL("{} || '-' || n").format(name)
    return name


@contextmanager
def _cursor() -> "Iterator[psycopg.Cursor[tuple[object, ...]]]":
    with psycopg.connect(database_url("postgresql"), autocommit=True) as opened, opened.cursor() as cursor:
        yield cursor


def _server() -> "psycopg.Connection[tuple[object, ...]]":
    """Return a connection by which databases come and go: to none of them."""
    return psycopg.connect(database_url("postgresql"), dbname="postgres", autocommit=True)
