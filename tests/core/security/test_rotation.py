"""Changing the encryption key of a database that is in use: beside writers, after a kill, down to the last row."""

import base64
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from django.core.checks import Tags, run_checks
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from psycopg.conninfo import conninfo_to_dict

from core.db.notifications import direct_conninfo
from core.security.encryption import decrypt, key_id_of
from core.security.rotation import UNREADABLE, EncryptedColumn, encrypted_columns, reencrypt, rows_by_key
from tests.testapp.models import Locker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.checklist(91)]
CHECKOUT = Path(__file__).resolve().parents[3]
PATIENCE = 60
OLD, NEW = ("old", os.urandom(32)), ("new", os.urandom(32))
SECRETS, NOTES = (EncryptedColumn(Locker, name) for name in ("secret", "note"))


@pytest.fixture
def lockers(settings):
    """Rows under the old key, and then a ring in which it comes second."""
    settings.ENCRYPTION_KEYS = (OLD,)
    rows = Locker.objects.bulk_create(
        [Locker(secret=f"number {n}", note=f"note {n}" if n % 2 else None) for n in range(60)]
    )
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    return rows


def run(capsys, *arguments):
    """Run the command; return whether it said that old keys may go, and its words."""
    try:
        call_command("reencrypt", *arguments)
    except CommandError:
        return False, capsys.readouterr().out
    return True, capsys.readouterr().out


def thread(act):
    """Return a thread that runs `act` and leaves no connection behind."""

    def run_and_close():
        try:
            act()
        finally:
            connection.close()

    return threading.Thread(target=run_and_close)


def contents():
    return {row.pk: (row.secret, row.note) for row in Locker.objects.all()}


def raw():
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, secret, note FROM testapp_locker")
        return {row[0]: row[1:] for row in cursor.fetchall()}


def test_every_encrypted_column_is_known():
    assert {"testapp_locker.secret", "testapp_locker.note"} <= {str(column) for column in encrypted_columns()}


def test_every_row_comes_under_the_first_key_and_keeps_its_value(lockers, capsys):
    before, versions = contents(), set(Locker.objects.values_list("version", "updated_at"))

    done, words = run(capsys, "--batch", "7")

    assert done
    assert "Key old may be removed: no row needs it." in words
    assert (rows_by_key(SECRETS), rows_by_key(NOTES)) == ({"new": 60}, {"new": 30})
    assert contents() == before
    assert set(Locker.objects.values_list("version", "updated_at")) == versions


def test_the_old_key_is_not_needed_afterwards(lockers, capsys, settings):
    before = contents()
    run(capsys)
    settings.ENCRYPTION_KEYS = (NEW,)

    assert contents() == before


def test_a_dry_run_counts_the_rows_of_each_key_and_changes_nothing(lockers, capsys):
    before = raw()

    done, words = run(capsys, "--dry-run")

    assert not done
    assert "testapp_locker.secret: 60 rows under key old" in words
    assert "Key old: 90 rows." in words
    assert raw() == before


def test_a_second_run_finds_nothing_to_do(lockers, capsys):
    run(capsys)
    before = raw()

    assert run(capsys)[0]
    assert raw() == before


def test_a_row_changed_between_reading_and_writing_keeps_the_change(lockers, monkeypatch):
    def changed_meanwhile(ciphertext, *, context):
        row = Locker.objects.get(pk=lockers[0].pk)
        if row.secret == "number 0":
            row.secret = "changed meanwhile"
            row.save()
        return decrypt(ciphertext, context=context)

    monkeypatch.setattr("core.security.rotation.decrypt", changed_meanwhile)

    outcome = reencrypt(SECRETS, batch=100)

    assert outcome.rewritten == 59
    assert Locker.objects.get(pk=lockers[0].pk).secret == "changed meanwhile"
    assert rows_by_key(SECRETS) == {"new": 60}


def test_a_locked_row_is_not_waited_for_and_comes_next_time(lockers):
    locked, release = threading.Event(), threading.Event()

    def hold():
        with transaction.atomic():
            Locker.objects.select_for_update().get(pk=lockers[3].pk)
            locked.set()
            assert release.wait(PATIENCE)

    holder = thread(hold)
    holder.start()
    assert locked.wait(PATIENCE)
    first = reencrypt(SECRETS, batch=100)
    release.set()
    holder.join()

    assert first.rewritten == 59
    assert rows_by_key(SECRETS) == {"new": 59, "old": 1}
    assert reencrypt(SECRETS, batch=100).rewritten == 1


def test_keys_change_while_somebody_writes_all_the_time(lockers, capsys):
    stop = threading.Event()
    written = Counter()

    def write():
        while not stop.is_set():
            for stale in lockers:
                row = Locker.objects.get(pk=stale.pk)
                assert row.note == stale.note
                written[row.pk] += 1
                row.secret = f"{stale.secret} written {written[row.pk]}"
                row.save()
                if stop.is_set():
                    return

    writer = thread(write)
    writer.start()
    try:
        done, _ = run(capsys, "--batch", "3")
    finally:
        stop.set()
        writer.join()

    assert done
    assert sum(written.values()) > 0
    for number, stale in enumerate(lockers):
        row = Locker.objects.get(pk=stale.pk)
        times = written[row.pk]
        assert row.secret == (f"number {number} written {times}" if times else f"number {number}")
        assert Locker.objects.get(secret_index=row.secret) == row
    assert (set(rows_by_key(SECRETS)), set(rows_by_key(NOTES))) == ({"new"}, {"new"})


def test_a_run_that_is_killed_is_begun_again_and_comes_to_the_same_end(settings, capsys):
    settings.DATABASE_DIRECT_URL = ""  # so that the other process is sent to the database of the tests
    settings.ENCRYPTION_KEYS = (OLD,)
    Locker.objects.bulk_create([Locker(secret=f"number {n}") for n in range(1500)])
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    before = contents()
    database = conninfo_to_dict(direct_conninfo())
    url = "postgres://{user}:{password}@{host}:{port}/{dbname}".format(**{"password": "", **database})
    ring = ",".join(f"{key_id}:{base64.b64encode(key).decode()}" for key_id, key in (NEW, OLD))
    command = [sys.executable, "-m", "tests.core.security.reencrypt_process", ring, "--batch", "1"]

    process = subprocess.Popen(
        command, cwd=CHECKOUT, env={**os.environ, "DATABASE_URL": url, "DATABASE_DIRECT_URL": url}
    )
    deadline = time.monotonic() + PATIENCE
    while rows_by_key(SECRETS).get("new", 0) < 20 and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    left = rows_by_key(SECRETS)

    assert left["new"] >= 20
    assert left["old"] > 0
    assert contents() == before
    assert run(capsys)[0]
    assert rows_by_key(SECRETS) == {"new": 1500}
    assert contents() == before


def test_a_row_that_no_key_opens_is_left_alone_and_keeps_the_command_from_succeeding(lockers, capsys):
    with connection.cursor() as cursor:
        cursor.execute("UPDATE testapp_locker SET secret = %s WHERE id = %s", [b"scrap", lockers[0].pk])
        cursor.execute(
            "UPDATE testapp_locker SET secret = (SELECT secret FROM testapp_locker WHERE id = %s) WHERE id = %s",
            [lockers[2].pk, lockers[1].pk],
        )

    done, words = run(capsys)

    assert not done
    assert rows_by_key(SECRETS) == {"new": 58, "old": 1, UNREADABLE: 1}
    assert f"Key {UNREADABLE}: 1 rows." in words
    assert bytes(raw()[lockers[0].pk][0]) == b"scrap"


def test_a_release_without_a_key_that_rows_need_is_refused_before_it_migrates(lockers, settings):
    settings.ENCRYPTION_KEYS = (NEW,)

    found = [error for error in run_checks(tags=[Tags.database], databases=["default"]) if error.id == "core.E020"]

    assert [error.msg for error in found] == [
        "90 encrypted rows need the key old, which ENCRYPTION_KEYS does not name."
    ]
    settings.ENCRYPTION_KEYS = (NEW, OLD)
    assert not [error for error in run_checks(tags=[Tags.database], databases=["default"]) if error.id == "core.E020"]


def test_rows_show_which_key_they_were_encrypted_with(lockers):
    assert {key_id_of(bytes(secret)) for secret, _ in raw().values()} == {"old"}


def test_a_batch_of_nothing_is_refused():
    with pytest.raises(CommandError, match="at least 1"):
        call_command("reencrypt", "--batch", "0")
