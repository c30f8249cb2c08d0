"""Encrypted columns: what the database holds, what comes back, and every query that is refused."""

import pytest
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import IntegrityError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from core import bulk, crud
from core.db.copying import copy_in
from core.ids import new_id
from core.security.encryption import DecryptionError
from core.security.fields import Sealed, normalised
from tests.testapp.models import Locker

pytestmark = pytest.mark.django_db
SECRET = "AB 123 456"


def raw(row, column="secret"):
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM testapp_locker WHERE id = %s", [row.pk])  # noqa: S608 - our own names
        value = cursor.fetchone()[0]
    return None if value is None else bytes(value)


def put_raw(row, ciphertext, column="secret"):
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE testapp_locker SET {column} = %s WHERE id = %s",  # noqa: S608 - our own names
            [ciphertext, row.pk],
        )


def saved(secret=SECRET, **values):
    return Locker.objects.create(secret=secret, **values)


class TestWriting:
    def test_a_saved_row_reads_back_and_its_column_shows_nothing(self):
        row = saved(note="Ćevapčići")

        assert (Locker.objects.get().secret, Locker.objects.get().note) == (SECRET, "Ćevapčići")
        assert SECRET.encode() not in raw(row)
        assert b"123" not in raw(row)

    def test_no_value_stays_no_value(self):
        row = saved()

        assert Locker.objects.get().note is None
        assert raw(row, "note") is None
        assert list(Locker.objects.filter(note__isnull=True)) == [row]

    def test_many_rows_at_once_are_each_encrypted_for_themselves(self):
        Locker.objects.bulk_create([Locker(secret=f"number {n}") for n in range(3)])

        assert sorted(row.secret for row in Locker.objects.all()) == ["number 0", "number 1", "number 2"]

    def test_copied_rows_are_encrypted_too(self):
        copy_in([Locker(secret=f"number {n}") for n in range(3)])

        assert sorted(row.secret for row in Locker.objects.all()) == ["number 0", "number 1", "number 2"]

    def test_the_services_of_many_rows_refuse_one_by_one(self):
        made = bulk.create(Locker, [{"secret": "first"}, {"secret": "FIRST"}, {"secret": "second"}], by=None)

        assert [getattr(row, "error_code", "made") for row in made] == ["made", "secret_taken", "made"]
        assert sorted(row.secret for row in Locker.objects.all()) == ["first", "second"]

    def test_a_changed_value_and_its_index_are_written_together(self):
        row = saved()
        before = raw(row)
        row.secret = "XY 999"
        row.save()

        assert Locker.objects.get(secret_index="xy999") == row
        assert not Locker.objects.filter(secret_index=SECRET).exists()
        assert raw(row) != before

    def test_a_service_that_changes_a_row_encrypts(self):
        row = crud.create(Locker, {"secret": SECRET})

        crud.update(Locker.objects.get(), {"note": "changed"})

        assert Locker.objects.get().note == "changed"
        assert b"changed" not in raw(row, "note")

    def test_saving_a_row_again_leaves_an_untouched_ciphertext_alone(self):
        before = raw(saved())
        row = Locker.objects.get()
        row.label = "moved"
        row.save()

        assert raw(row) == before

    def test_a_value_that_is_no_text_is_refused(self):
        with pytest.raises(TypeError, match="holds text"):
            saved(secret=7)

    def test_a_value_longer_than_the_field_is_refused_by_validation(self):
        with pytest.raises(Exception, match="64 characters"):
            crud.create(Locker, {"secret": "x" * 65})


class TestRefusedQueries:
    @pytest.mark.parametrize("lookup", ["", "__in", "__contains", "__startswith", "__gt", "__regex", "__length"])
    def test_no_query_compares_ciphertexts(self, lookup):
        with pytest.raises(FieldError):
            Locker.objects.filter(**{f"secret{lookup}": SECRET}).exists()

    @pytest.mark.parametrize("lookup", ["__contains", "__startswith", "__gt", "__regex"])
    def test_no_query_looks_into_a_hash(self, lookup):
        with pytest.raises(FieldError):
            Locker.objects.filter(**{f"secret_index{lookup}": SECRET}).exists()

    @pytest.mark.parametrize("value", ["plain", Value("plain"), F("note"), Concat(F("label"), Value("x"))])
    def test_an_update_without_its_row_is_refused(self, value):
        row = saved()
        before = raw(row)

        with pytest.raises(TypeError, match="save the row"), transaction.atomic():
            Locker.objects.update(secret=value)

        assert raw(row) == before

    def test_an_update_of_many_rows_with_plain_values_is_refused(self):
        row = saved()
        row.note = "plain"

        with pytest.raises(TypeError, match="save the row"), transaction.atomic():
            Locker.objects.bulk_update([row], ["note"])

        assert raw(row, "note") is None

    def test_a_column_can_be_emptied_by_a_query(self):
        row = saved(note="gone soon")

        Locker.objects.update(note=None)

        assert raw(row, "note") is None

    def test_a_value_without_a_row_is_not_encrypted(self):
        with pytest.raises(TypeError, match="primary key"):
            Locker._meta.get_field("secret").sealed(SECRET, Locker(id=None))

    def test_rows_are_serialised_into_no_dump(self):
        saved()

        with pytest.raises(TypeError, match="no dump"):
            serializers.serialize("json", Locker.objects.all())


@pytest.mark.checklist(92)
class TestMovedCiphertexts:
    def test_another_rows_ciphertext_is_refused(self):
        one, two = saved("first"), saved("second")
        put_raw(one, raw(two))

        with pytest.raises(DecryptionError, match="belongs elsewhere"):
            _ = Locker.objects.get(pk=one.pk).secret
        assert Locker.objects.get(pk=two.pk).secret == "second"

    def test_another_columns_ciphertext_is_refused(self):
        row = saved()
        put_raw(row, raw(row), column="note")

        with pytest.raises(DecryptionError, match="belongs elsewhere"):
            _ = Locker.objects.get().note

    def test_a_row_that_is_copied_under_another_id_is_refused(self):
        row = saved()
        copy = Locker.objects.get()
        copy.pk, copy._state.adding = new_id(), True

        with pytest.raises(DecryptionError), transaction.atomic():
            copy.save()

        assert list(Locker.objects.values_list("pk", flat=True)) == [row.pk]

    def test_a_row_with_a_moved_ciphertext_can_still_be_listed_and_mended(self):
        one, two = saved("first"), saved("second")
        put_raw(one, raw(two))

        broken = Locker.objects.get(pk=one.pk)
        broken.secret = "mended"
        broken.save()

        assert Locker.objects.get(pk=one.pk).secret == "mended"


class TestFindingEqualValues:
    @pytest.mark.parametrize("written", [SECRET, "ab123456", "AB-123.456", "ＡＢ１２３４５６", " ab\u00a0123 456 "])  # noqa: RUF001 - full width
    def test_a_value_is_found_however_it_is_written(self, written):
        row = saved()

        assert Locker.objects.get(secret_index=written) == row
        assert list(Locker.objects.filter(secret_index__in=[written, "other"])) == [row]

    def test_a_second_row_with_the_same_value_is_refused(self):
        saved()

        with pytest.raises(IntegrityError, match="testapp_locker_unique_secret"), transaction.atomic():
            saved("ab123456")

    def test_the_index_depends_on_its_key_alone_and_shows_nothing(self, settings):
        row = saved()
        before = raw(row, "secret_index")
        settings.ENCRYPTION_KEYS = (("next", b"k" * 32),)
        field = Locker._meta.get_field("secret_index")

        assert field.hashed(SECRET) == before
        settings.BLIND_INDEX_KEY = b"another key, of thirty-two bytes"
        assert field.hashed(SECRET) != before

    def test_normalising_keeps_letters_and_digits(self):
        assert normalised("Straße 12-ﬁ/ü ") == normalised("STRASSE12FIÜ") == "strasse12fiü"


class TestShowingNothing:
    def test_a_loaded_row_holds_the_ciphertext_until_it_is_asked(self):
        saved()
        row = Locker.objects.get()

        assert SECRET not in repr(vars(row))
        assert repr(Locker.objects.values_list("secret", flat=True)[0]) == "Sealed()"

    def test_a_row_that_was_just_saved_holds_the_ciphertext_too(self):
        row = saved()

        assert isinstance(vars(row)["secret"], Sealed)
        assert row.secret == SECRET

    def test_a_deferred_value_is_loaded_when_it_is_used(self, django_assert_num_queries):
        saved()
        row = Locker.objects.defer("secret").get()

        with django_assert_num_queries(1):
            assert row.secret == SECRET

    def test_a_refreshed_row_shows_what_the_database_holds(self):
        row = saved()
        other = Locker.objects.get()
        other.secret = "changed"
        other.save()

        row.refresh_from_db()

        assert row.secret == "changed"
