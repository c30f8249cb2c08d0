"""Statements that are executed often are planned once for each connection, where connections are one's own."""

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit.models import Disclosure
from core.db.positions import Reads, reading
from core.db.prepared import prepared, rows_of
from core.db.router import ReplicaRouter
from tests.testapp.models import Parent

SELECT = "SELECT name FROM testapp_parent WHERE code = %s"


def planned():
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement FROM pg_prepared_statements")
        return [statement for (statement,) in cursor]


def names_of(code):
    with prepared(SELECT, [code], using="default") as cursor:
        return [name for (name,) in cursor]


def numbers():
    with prepared("SELECT number FROM changing", [], using="default") as cursor:
        return [number for (number,) in cursor]


@pytest.fixture
def elsewhere():
    other = connection.copy()
    with other.cursor() as cursor:
        yield cursor
    other.close()


@pytest.fixture
def parent():
    # The connections of other tests know nothing of this one's statements.
    connection.close()
    return Parent.objects.create(code="P1", name="it's 5%")


@pytest.mark.django_db(transaction=True)
class TestAStatement:
    def test_is_planned_once_after_it_was_executed_some_times(self, parent):
        seen = [(names_of(code), len(planned())) for code in ["P1", "P1", "P1", "P1", "P1", "P1", "%s'"]]

        assert [names for names, _ in seen] == [["it's 5%"]] * 6 + [[]]
        assert [number for _, number in seen] == [0] * 5 + [1] * 2

    def test_is_logged_with_its_parameters_in_place_once_it_is_planned_too(self, parent):
        with CaptureQueriesContext(connection) as captured:
            for _ in range(7):
                names_of("it's")

        assert {query["sql"] for query in captured} == {SELECT % "'it''s'"}

    def test_is_planned_anew_where_somebody_has_changed_the_type_of_a_column(self, elsewhere):
        elsewhere.execute("CREATE TABLE changing AS SELECT 1::int AS number")
        try:
            before = [numbers() for _ in range(7)]
            elsewhere.execute("ALTER TABLE changing ALTER number TYPE text")

            assert [*before, numbers(), numbers()] == [[1]] * 7 + [["1"]] * 2
        finally:
            elsewhere.execute("DROP TABLE changing")

    def test_that_fails_within_a_transaction_is_not_tried_again(self, parent):
        with pytest.raises(ProgrammingError), transaction.atomic(), prepared("SELECT nothing", [], using="default"):
            pass

        assert names_of("P1") == ["it's 5%"]


def rows_called(code):
    return rows_of(Parent.objects.filter(code=code).order_by("name"))


@pytest.mark.django_db(transaction=True)
class TestAQueryset:
    def test_is_planned_once_after_it_was_asked_some_times(self, parent):
        seen = [(rows_called(code), len(planned())) for code in ["P1", "P1", "P1", "P1", "P1", "P1", "%s'"]]

        assert [rows for rows, _ in seen] == [[parent]] * 6 + [[]]
        assert [number for _, number in seen] == [0] * 5 + [1] * 2

    def test_leaves_the_statements_after_it_as_they_are(self, parent):
        for _ in range(7):
            rows_called("P1")
        before = planned()

        for _ in range(7):
            assert list(Parent.objects.filter(name=parent.name)) == [parent]

        assert planned() == before

    def test_is_planned_anew_where_somebody_has_changed_the_type_of_a_column(self, parent, elsewhere):
        before = [rows_called("P1") for _ in range(7)]
        elsewhere.execute("ALTER TABLE testapp_parent ALTER version TYPE bigint")
        try:
            assert [*before, rows_called("P1"), rows_called("P1")] == [[parent]] * 9
        finally:
            elsewhere.execute("ALTER TABLE testapp_parent ALTER version TYPE integer")

    def test_is_asked_on_a_connection_that_is_made_only_then(self, parent):
        connection.close()

        assert rows_called("P1") == [parent]


def test_nothing_is_kept_on_connections_that_a_pooler_hands_around():
    assert settings.DATABASES["default"]["OPTIONS"]["prepare_threshold"] == (None if settings.DATABASE_IS_POOLED else 5)


def test_the_logs_are_read_from_the_primary_since_their_writers_raise_nothing():
    class Elsewhere(Reads):
        def alias(self):
            return "replica_1"

    with reading(Elsewhere()):
        assert ReplicaRouter().db_for_read(Disclosure) == "default"
        assert ReplicaRouter().db_for_read(Parent) == "replica_1"
