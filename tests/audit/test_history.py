"""Every write to a row leaves a trace of what it changed, by whom and in which request, whichever way it went."""

from datetime import date

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Person, PersonIdentifier, User
from audit import checks, tracking
from audit.models import Change
from core.db.copying import copy_in
from core.logging import request_id
from core.provenance import acting_as
from tests.accounts.factories import PersonFactory, UserFactory
from tests.racing import at_once
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(94)]


def history(row):
    return list(Change.objects.filter(row_id=str(row.pk)).order_by("id"))


def people(count):
    return [Person(last_name=f"Person {number}") for number in range(count)]


WAYS = {
    "save": lambda row: (setattr(row, "last_name", "New"), row.save()),
    "update": lambda row: Person.objects.filter(pk=row.pk).update(last_name="New"),
    "bulk_update": lambda row: (setattr(row, "last_name", "New"), Person.objects.bulk_update([row], ["last_name"])),
    "raw SQL": lambda row: connection.cursor().execute("UPDATE accounts_person SET last_name = 'New'"),
}


@pytest.mark.parametrize("way", WAYS)
def test_an_update_leaves_what_was_before_and_after_whichever_way_it_goes(way):
    row = PersonFactory(last_name="Old")

    WAYS[way](row)

    entry = history(row)[-1]
    assert (entry.operation, entry.table_name) == ("update", "accounts_person")
    assert entry.changes["last_name"] == ["Old", "New"]
    assert not {"id", "created_at", "updated_at", "first_name"} & entry.changes.keys()


@pytest.mark.parametrize("insert", [Person.objects.bulk_create, copy_in], ids=["bulk_create", "COPY"])
def test_rows_that_come_in_together_leave_one_entry_each(insert):
    rows = people(5)

    insert(rows)

    assert [[entry.operation for entry in history(row)] for row in rows] == [["insert"]] * 5


def test_a_deletion_leaves_all_that_there_was():
    row = PersonFactory(last_name="Lovelace")
    key = row.pk

    Person.objects.filter(pk=key).delete()

    entry = Change.objects.get(row_id=str(key), operation="delete")
    assert entry.changes["last_name"] == ["Lovelace", None]
    assert entry.changes["id"] == [str(key), None]


def test_a_row_that_is_given_another_id_leaves_its_end_and_its_beginning():
    row = PersonFactory(last_name="Lovelace")
    other = "00000000-0000-7000-8000-000000000001"

    connection.cursor().execute("UPDATE accounts_person SET id = %s WHERE id = %s", [other, row.pk])

    assert history(row)[-1].operation == "delete"
    assert Change.objects.get(row_id=other).operation == "insert"


def test_a_write_that_changes_nothing_leaves_nothing():
    row = PersonFactory()

    Person.objects.filter(pk=row.pk).update(last_name=row.last_name)

    assert [entry.operation for entry in history(row)] == ["insert"]


def test_what_was_undone_leaves_nothing():
    row = PersonFactory()
    with transaction.atomic():
        Person.objects.filter(pk=row.pk).update(last_name="Undone")
        transaction.set_rollback(True)

    assert [entry.operation for entry in history(row)] == ["insert"]


def test_many_rows_at_once_are_compared_quickly_after_one_was_compared():
    rows = people(5000)
    Person.objects.bulk_create(rows)
    for row in rows[:6]:
        Person.objects.filter(pk=row.pk).update(last_name="One")

    Person.objects.update(last_name="All")

    assert Change.objects.filter(operation="update").count() == 5006


class TestOrigin:
    def test_a_request_leaves_its_account_and_its_id(self, registrar, registrar_client):
        student = StudentFactory()

        answer = registrar_client.post(
            f"/api/v1/students/{student.pk}/change-status/",
            {"status": "suspended"},
            format="json",
            headers={"X-Request-ID": "req-9"},
        )

        assert answer.status_code == 200, answer.json()
        entry = history(student)[-1]
        assert entry.changes["status"] == ["active", "suspended"]
        assert (entry.actor_id, entry.request_id) == (registrar.pk, "req-9")

    @pytest.mark.parametrize("write", [Person.objects.bulk_create, copy_in], ids=["bulk_create", "COPY"])
    def test_a_job_leaves_whom_it_acts_for(self, write):
        rows, actor = people(3), UserFactory()

        with acting_as(actor.pk):
            write(rows)

        assert {history(row)[0].actor_id for row in rows} == {actor.pk}

    def test_what_nobody_asked_for_names_nobody(self):
        row = PersonFactory()

        assert (history(row)[0].actor_id, history(row)[0].request_id) == (None, "")

    def test_a_write_of_many_statements_names_its_account(self):
        actor = UserFactory()
        rows = people(2)
        Person.objects.bulk_create(rows)

        with acting_as(actor.pk), connection.cursor() as cursor:
            cursor.executemany("UPDATE accounts_person SET last_name = 'x' WHERE id = %s", [[row.pk] for row in rows])

        assert {history(row)[-1].actor_id for row in rows} == {actor.pk}

    def test_a_statement_that_answers_answers_still(self):
        with acting_as(UserFactory().pk), connection.cursor() as cursor:
            row = PersonFactory()
            cursor.execute("UPDATE accounts_person SET last_name = 'x' RETURNING id")
            answered = cursor.fetchall()

        assert (row.pk,) in answered
        assert len(answered) == Person.objects.count()

    def test_it_costs_no_statement_of_its_own(self, django_assert_num_queries):
        row, actor = PersonFactory(), UserFactory()

        with acting_as(actor.pk), django_assert_num_queries(1):
            Person.objects.filter(pk=row.pk).update(last_name="x")

    def test_an_id_that_could_not_be_part_of_a_statement_is_left_out(self):
        token = request_id.set("'; DROP TABLE accounts_person; --")
        try:
            row = PersonFactory()
        finally:
            request_id.reset(token)

        assert history(row)[0].request_id == ""


@pytest.mark.django_db(transaction=True)
def test_what_a_transaction_was_told_is_forgotten_at_its_end():
    actor = UserFactory()
    with acting_as(actor.pk):
        known = PersonFactory()

    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('campushub360.actor', true)")
        assert not cursor.fetchone()[0]
    unknown = PersonFactory()

    assert (history(known)[0].actor_id, history(unknown)[0].actor_id) == (actor.pk, None)


@pytest.mark.django_db(transaction=True)
def test_accounts_that_write_at_one_time_are_not_taken_for_one_another():
    row, actors = PersonFactory(), UserFactory.create_batch(6)

    def write(actor):
        def act():
            with acting_as(actor.pk):
                Person.objects.filter(pk=row.pk).update(last_name=f"By {actor.pk}")

        return act

    at_once(*map(write, actors))

    found = [(str(entry.actor_id), entry.changes["last_name"][1]) for entry in history(row) if entry.changes]
    assert len(found) == 6
    assert all(name == f"By {actor}" for actor, name in found)


@pytest.mark.checklist(90)
class TestSecrets:
    def test_a_ciphertext_is_withheld(self):
        identifier = PersonIdentifier.objects.create(
            person=PersonFactory(), scheme="passport", country="AT", value="AB 123 456"
        )

        identifier.value = "CD 987 654"
        identifier.save()
        identifier.delete()

        update, delete = (entry.changes for entry in Change.objects.exclude(operation="insert").order_by("id"))
        assert update["value"] == ["[withheld]", "[withheld]"]
        assert delete["value"] == ["[withheld]", None]
        assert delete["scheme"] == ["passport", None]

    def test_a_password_is_withheld_hashed_as_it_is(self):
        user = UserFactory()

        User.objects.filter(pk=user.pk).update(password="argon2$secret", last_login=timezone.now())

        assert history(user)[-1].changes["password"] == ["[withheld]", "[withheld]"]
        assert "argon2" not in str([entry.changes for entry in Change.objects.all()])

    def test_what_a_mask_keeps_from_anybody_who_reads_the_history_is_withheld_by_the_triggers(self):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT DISTINCT tgrelid::regclass::text, encode(tgargs, 'escape') FROM pg_trigger"
                " WHERE tgname LIKE 'audit_follow_%%'"
            )
            withheld = {table: set(names.removesuffix("\\000").strip("{}").split(",")) for table, names in cursor}

        assert {"kind", "statement", "custom_data"} <= withheld["attendance_excuserequest"]
        assert {"reason", "note"} <= withheld["attendance_eligibilitydecision"]
        assert {"salary"} <= withheld["faculty_faculty"]
        for mask in tracking.closed_masks():
            for column in mask.columns:
                assert column.column in withheld[column.model._meta.db_table], column
        # The mask on these is open to all who read the history.
        assert "birth_date" not in withheld["accounts_person"]

    def test_a_mask_that_the_history_forgets_is_found_before_the_server_starts(self, monkeypatch):
        assert checks.the_history_tells_nothing_that_is_masked(None) == []

        monkeypatch.setattr(tracking, "withheld_columns", lambda model, database: [])
        forgotten = checks.the_history_tells_nothing_that_is_masked(None)
        monkeypatch.setattr(tracking, "_readers", [])
        silent = checks.the_history_tells_nothing_that_is_masked(None)

        assert {error.id for error in forgotten} == {"audit.E002"}
        assert any("attendance.ExcuseRequest.statement" in error.msg for error in forgotten)
        assert [error.id for error in silent] == ["audit.E001"]

    def test_where_nobody_has_said_who_reads_the_history_every_mask_withholds(self, monkeypatch):
        monkeypatch.setattr(tracking, "_readers", [])

        assert "birth_date" in tracking.withheld_columns(Person, connection)


class TestFollowed:
    @pytest.mark.parametrize("model", apps.get_models(include_auto_created=True), ids=lambda model: model._meta.label)
    def test_every_model_is_followed_or_left_out_for_a_reason(self, model):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'audit_follow_%%' AND tgrelid = %s::regclass",
                [model._meta.db_table],
            )
            (triggers,) = cursor.fetchone()

        if model._meta.label_lower in tracking.LEFT_OUT:
            assert triggers == 0
            assert tracking.LEFT_OUT[model._meta.label_lower]
        else:
            assert triggers == 3
            assert model._meta.pk.column == "id"

    def test_what_is_left_out_exists(self):
        assert {model._meta.label_lower for model in apps.get_models(include_auto_created=True)} >= (
            tracking.LEFT_OUT.keys() | tracking.WITHHELD.keys()
        )

    def test_a_trigger_that_was_taken_away_is_put_back_by_the_next_migrate(self):
        connection.cursor().execute("DROP TRIGGER audit_follow_update ON accounts_person")

        tracking.follow()
        row = PersonFactory(birth_date=date(2000, 1, 1))
        Person.objects.filter(pk=row.pk).update(birth_date=None)

        assert history(row)[-1].changes["birth_date"] == ["2000-01-01", None]

    def test_a_model_that_is_left_out_from_now_on_is_let_go(self, monkeypatch):
        monkeypatch.setitem(tracking.LEFT_OUT, "accounts.person", "For this test.")

        tracking.follow()

        assert history(PersonFactory()) == []

    def test_migrate_finds_nothing_to_do_where_all_is_in_place(self, django_assert_num_queries):
        with django_assert_num_queries(2):
            tracking.follow()
