"""The three writes that services are made of, and how the database's refusals come out of them."""

import threading
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from core import crud
from core.db.constraints import error_for, refusing
from core.errors import ConflictError, DomainError, InUseError, InvalidError, MissingError, ViolationsError
from core.ids import new_id
from tests.testapp.models import Item, Parent

pytestmark = pytest.mark.django_db


class TestCreate:
    def test_writes_the_row(self):
        crud.create(Parent, {"code": "a", "name": "A"})

        assert Parent.objects.get().version == 1

    def test_reports_all_faults_at_once_and_writes_nothing(self):
        with pytest.raises(ViolationsError) as refused:
            crud.create(Item, {"name": "", "kind": "unheard of", "custom_fields": {"no_such": 1}})

        assert {(error.field, error.error_code) for error in refused.value.violations} == {
            ("name", "blank"),
            ("kind", "invalid_choice"),
            ("custom_fields.no_such", "unknown_custom_field"),
        }
        assert not Item.objects.exists()

    def test_a_refused_row_leaves_the_callers_transaction_usable(self):
        crud.create(Parent, {"code": "a", "name": "A"})

        with pytest.raises(ConflictError) as refused:
            crud.create(Parent, {"code": "a", "name": "B"})

        assert (refused.value.error_code, refused.value.field) == ("code_taken", "code")
        assert Parent.objects.count() == 1

    def test_a_reference_to_nothing_is_refused(self):
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

        with pytest.raises(MissingError), refusing():
            Item.objects.create(name="x", parent_id=new_id())


class TestUpdate:
    def test_writes_only_what_changed(self):
        row = crud.create(Parent, {"code": "a", "name": "A"})
        Parent.objects.filter(pk=row.pk).update(name="changed by somebody who counts no versions")

        crud.update(row, {"code": "b", "name": "A"})

        saved = Parent.objects.get()
        assert (saved.code, saved.name, saved.version) == ("b", "changed by somebody who counts no versions", 2)

    def test_bulk_updates_keep_the_audit_time_honest(self):
        row = crud.create(Parent, {"code": "a", "name": "A"})
        past = datetime(2020, 1, 1, tzinfo=UTC)
        Parent.objects.filter(pk=row.pk).update(updated_at=past)

        Parent.objects.filter(pk=row.pk).update(name="B")

        assert Parent.objects.get().updated_at > past

    def test_a_row_that_is_gone_is_an_edit_conflict(self):
        row = crud.create(Parent, {"code": "a", "name": "A"})
        Parent.objects.all().delete()

        with pytest.raises(ConflictError) as refused:
            crud.update(row, {"name": "B"})

        assert refused.value.error_code == "edit_conflict"


class TestDelete:
    def test_refuses_while_others_refer_to_the_row_and_says_who(self):
        row = crud.create(Parent, {"code": "a", "name": "A"})
        crud.create(Item, {"name": "x", "parent": row})

        with pytest.raises(InUseError) as refused:
            crud.delete(row)

        assert refused.value.meta == {"referred_to_by": {"items": 1}}
        assert Parent.objects.exists()


class TestViolationsNobodyDeclared:
    @pytest.mark.parametrize(
        ("statement", "kind", "code", "field"),
        [
            ("INSERT INTO testapp_parent (id, code, name) VALUES (%s, 'x', NULL)", InvalidError, "null", "name"),
            (
                "INSERT INTO testapp_parent (id, code, name) VALUES (%s, 'a', 'again')",
                ConflictError,
                "code_taken",
                "code",
            ),
        ],
    )
    def test_are_refusals_all_the_same(self, statement, kind, code, field):
        crud.create(Parent, {"code": "a", "name": "A"})

        with pytest.raises(DomainError) as refused, refusing(), connection.cursor() as cursor:
            cursor.execute(statement, [new_id()])

        assert isinstance(refused.value, kind)
        assert (refused.value.error_code, refused.value.field) == (code, field)

    def test_what_is_no_violation_of_the_database_is_a_bug(self):
        assert error_for(IntegrityError("raised by hand")) is None


@pytest.mark.django_db(transaction=True)
def test_of_two_concurrent_edits_one_is_refused():
    pk = crud.create(Parent, {"code": "a", "name": "A"}).pk
    read = threading.Barrier(2)
    refusals = []

    def edit(name):
        row = Parent.objects.get(pk=pk)
        read.wait(timeout=10)
        try:
            with transaction.atomic():
                crud.update(row, {"name": name})
        except ConflictError as refused:
            refusals.append(refused.error_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=edit, args=[name]) for name in ("first", "second")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert refusals == ["edit_conflict"]
    assert Parent.objects.get().version == 2
