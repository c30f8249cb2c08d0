"""Whoever asks is given everything about themselves, and nobody else is."""

import csv
import functools
import io
import json
import os
import time
from datetime import timedelta
from uuid import uuid4
from zipfile import ZipFile

import pytest
from django.core.management import CommandError, call_command
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone

from accounts.models import Person, PersonIdentifier, Session, User
from accounts.roles import Role
from accounts.services import Reauthenticated
from accounts.services.guesses import FREE
from audit.models import Change, Disclosure, Event
from core.models import OutboxEvent
from core.privacy import declared, in_steps
from core.security import sealing
from core.security.encryption import DecryptionError
from privacy import services
from privacy.models import ExportState, SubjectExport
from privacy.services import exports, storage
from tests.accounts.factories import PASSWORD, PersonFactory, UserFactory
from tests.privacy.people import NAMES, PASSPORT, somebody
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(87)]
EXPORTS = "/api/v1/privacy/exports/"


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Let what waits for the commit happen at the end of a block."""
    return django_capture_on_commit_callbacks


@pytest.fixture
def fetch(client_for):
    """Return a function that asks over HTTP as a user, lets a worker work, and fetches the archive."""

    def do(user, **body):
        client = client_for(user)
        asked = client.post(EXPORTS, {"password": PASSWORD, **body}, format="json")
        assert asked.status_code == 201, asked.json()
        export_id = asked.json()["data"]["id"]
        services.make_export(SubjectExport.objects.get(pk=export_id).pk, at=timezone.now())
        answer = client.get(f"{EXPORTS}{export_id}/download/")
        assert answer.status_code == 200, answer.content
        return ZipFile(io.BytesIO(answer.getvalue()))

    return do


def rows_of(archive, model):
    name = f"{model._meta.label_lower}.json"
    return json.loads(archive.read(name)) if name in archive.namelist() else []


class TestWhatIsInIt:
    def test_every_row_about_the_person_is_there_in_both_forms_and_no_row_about_others(self, fetch):
        side, other = somebody(), somebody(email="other@canary.example", passport="ZZ 111")

        archive = fetch(side.user)

        for model, row in side.rows.items():
            found = rows_of(archive, model)
            table = list(
                csv.DictReader(io.StringIO(archive.read(f"{model._meta.label_lower}.csv").decode("utf-8-sig")))
            )
            assert str(row.pk) in {str(each["id"]) for each in found}, model
            assert [each["id"] for each in table] == [str(each["id"]) for each in found], model
            assert str(other.rows[model].pk) not in {str(each["id"]) for each in found}, model
        assert b"login-other@canary" not in b"".join(map(archive.read, archive.namelist()))

    def test_the_person_reads_their_numbers_and_nobody_the_hashes(self, fetch):
        side = somebody()

        archive = fetch(side.user)

        assert [row["value"] for row in rows_of(archive, PersonIdentifier)] == [PASSPORT]
        assert not {"password", "token_version"} & rows_of(archive, User)[0].keys()
        assert rows_of(archive, Person)[0]["birth_date"] == "1815-12-10"

    def test_somebody_else_is_shown_masked_numbers(self, fetch, registrar):
        side = somebody()

        archive = fetch(registrar, person=str(side.person.pk), reason="Asked for by letter")

        assert rows_of(archive, PersonIdentifier)[0]["value"] == "••••••••8264"
        assert PASSPORT.encode() not in b"".join(map(archive.read, archive.namelist()))
        assert "masked" in archive.read("README.txt").decode()

    def test_what_is_withheld_is_told_by_no_log_either(self, fetch):
        side = somebody()
        hold = services.place_hold(by=None, person=side.person, reason="Enquiry into plagiarism")
        services.release_hold(hold, by=None, at=timezone.now(), reason="Enquiry closed")

        archive = fetch(side.user)

        assert b"nquiry" not in b"".join(map(archive.read, archive.namelist()))
        changes = {(row["row_id"], row["operation"]): row["changes"] for row in rows_of(archive, Change)}
        assert "released_at" in changes[str(hold.pk), "update"]
        assert {row["action"] for row in rows_of(archive, Event)} >= {"privacy.hold_placed", "privacy.hold_released"}

    def test_it_says_of_every_table_what_it_is_even_where_there_is_nothing(self, fetch):
        archive = fetch(UserFactory(person=PersonFactory()))

        text = archive.read("README.txt").decode()
        assert all(f"{each.model._meta.label_lower}: {each.says}" in text for each in declared())

    def test_what_was_recorded_of_duplicates_is_theirs_as_well(self, fetch):
        person = PersonFactory()
        twin = PersonFactory(merged_into=PersonFactory(merged_into=person))
        student = StudentFactory(person=twin)

        archive = fetch(UserFactory(person=person))

        assert rows_of(archive, type(student))[0]["id"] == str(student.pk)

    @pytest.mark.checklist(52)
    def test_no_cell_is_a_formula_and_numbers_stay_numbers(self, fetch):
        person = PersonFactory(first_name="=1+1", last_name="@SUM(A1)", preferred_name="-2", phone="+43 1")

        archive = fetch(UserFactory(person=person))

        (row,) = csv.DictReader(io.StringIO(archive.read("accounts.person.csv").decode("utf-8-sig")))
        assert [row[name] for name in ("first_name", "last_name", "preferred_name", "phone")] == [
            "'=1+1", "'@SUM(A1)", "'-2", "'+43 1",
        ]  # fmt: skip
        assert rows_of(archive, Person)[0]["first_name"] == "=1+1"

    def test_many_rows_are_read_in_steps(self, fetch, monkeypatch):
        monkeypatch.setitem(in_steps.__kwdefaults__, "step", 7)
        person = PersonFactory()
        for number in range(30):
            Person.objects.filter(pk=person.pk).update(phone=str(number))

        archive = fetch(UserFactory(person=person))

        assert sum(row["table_name"] == "accounts_person" for row in rows_of(archive, Change)) == 31


class TestWhoMayAsk:
    def test_whoever_lost_the_role_fetches_no_file_about_others_that_they_asked_for(self, client_for, registrar):
        export = services.request_export(by=registrar, person=PersonFactory(), reason="A letter")
        services.make_export(export.pk, at=timezone.now())
        registrar.role_assignments.update(valid=DateTimeTZRange(timezone.now() - timedelta(days=2), timezone.now()))

        answer = client_for(registrar).get(f"{EXPORTS}{export.pk}/download/")

        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")

    def test_a_stranger_cannot_even_name_somebody(self, client_for, user_with):
        client = client_for(user_with(Role.STUDENT))

        refused = client.post(EXPORTS, {"person": str(PersonFactory().pk), "reason": "x"}, format="json")
        missing = client.post(EXPORTS, {"person": str(uuid4()), "reason": "x"}, format="json")

        assert [answer.status_code for answer in (refused, missing)] == [400, 400]
        assert refused.json()["errors"] == missing.json()["errors"]

    def test_others_are_asked_about_for_a_reason(self, registrar_client):
        answer = registrar_client.post(EXPORTS, {"person": str(PersonFactory().pk), "reason": ""}, format="json")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "reason_required")

    def test_an_account_of_nobody_has_to_name_somebody(self, client_for):
        answer = client_for(UserFactory(person=None)).post(EXPORTS, {}, format="json")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "no_person")

    def test_one_is_made_at_a_time(self, client_for, user_with):
        client = client_for(user_with(Role.STUDENT))
        client.post(EXPORTS, {"password": PASSWORD}, format="json")

        answer = client.post(EXPORTS, {"password": PASSWORD}, format="json")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "export_in_progress")

    @pytest.mark.checklist(37)
    def test_a_session_without_the_password_is_told_nothing_and_guesses_it_a_few_times(self, client_for, user_with):
        student = user_with(Role.STUDENT)
        client = client_for(student)

        def ask(**body):
            answer = client.post(EXPORTS, body, format="json", headers={"Idempotency-Key": "again"})
            return answer.status_code, answer.json()["errors"][0]["code"]

        assert ask() == (400, "required")
        answers = [ask(password="a wrong one", person=str(student.person_id)) for _ in range(FREE + 1)]

        assert answers == [(400, "wrong_password")] * FREE + [(403, "too_many_guesses")]
        assert ask(password=PASSWORD) == (403, "too_many_guesses")
        assert not SubjectExport.objects.exists()
        assert client_for(student).post(EXPORTS, {"password": PASSWORD}, format="json").status_code == 201

    @pytest.mark.checklist(37)
    def test_an_account_without_a_password_asks_in_a_session_that_was_just_opened_elsewhere(
        self, client_for, user_with, settings
    ):
        student = user_with(Role.STUDENT)
        User.objects.filter(pk=student.pk).update(password="!")  # pragma: allowlist secret
        client = client_for(User.objects.get(pk=student.pk))
        ask = functools.partial(client.post, EXPORTS, {}, format="json")

        assert ask().json()["code"] == "fresh_login_required"
        Session.objects.update(amr=["fed"], created_at=timezone.now() - settings.FRESH_LOG_IN)
        assert ask().json()["code"] == "fresh_login_required"
        Session.objects.update(created_at=timezone.now() - settings.FRESH_LOG_IN / 2)
        assert ask().status_code == 201

    def test_the_administration_pages_ask_for_nobody_who_is_asking(self, client, registrar):
        User.objects.filter(pk=registrar.pk).update(is_staff=True)
        client.force_login(registrar)

        page = client.post("/admin/privacy/subjectexport/add/", {"person": str(registrar.person_id), "reason": "Me"})

        assert "where the password is asked for" in page.content.decode()
        assert not SubjectExport.objects.exists()

    def test_whoever_sees_that_there_is_one_cannot_fetch_it(self, client_for, user_with, registrar_client):
        student = user_with(Role.STUDENT)
        export = made(student)

        assert registrar_client.get(f"{EXPORTS}{export.pk}/").status_code == 200
        assert registrar_client.get(f"{EXPORTS}{export.pk}/download/").status_code == 403
        assert client_for(user_with(Role.STUDENT)).get(f"{EXPORTS}{export.pk}/download/").status_code == 404

    @pytest.mark.checklist(83)
    def test_handing_it_out_to_somebody_else_is_a_disclosure_and_to_the_person_is_none(self, registrar, client_for):
        person = PersonFactory()
        export = made(registrar, person=person, reason="Asked for by letter")

        client_for(registrar).get(f"{EXPORTS}{export.pk}/download/")

        entry = Disclosure.objects.latest("id")
        assert (entry.subject_id, entry.what, entry.actor_id) == (person.pk, "subject export", registrar.pk)
        assert entry.basis == "privacy.add_subjectexport as registrar"
        acts = Event.objects.filter(action__startswith="privacy.").order_by("id")
        assert list(acts.values_list("action", flat=True)) == [
            "privacy.export_requested", "privacy.export_made", "privacy.export_handed_out",
        ]  # fmt: skip

    def test_asking_for_its_head_or_for_what_one_has_is_no_disclosure(self, registrar, client_for):
        export, client = made(registrar, person=PersonFactory(), reason="Asked for by letter"), client_for(registrar)
        place = f"{EXPORTS}{export.pk}/download/"
        told = Disclosure.objects.count()

        head = client.head(place)
        assert (head.status_code, int(head["Content-Length"])) == (200, export.size)
        assert client.get(place, headers={"If-None-Match": head["ETag"]}).status_code == 304
        assert (Disclosure.objects.count(), SubjectExport.objects.get().downloaded_at) == (told, None)
        fetched = client.get(place)
        assert len(fetched.getvalue()) == int(fetched["Content-Length"]) == export.size
        assert Disclosure.objects.count() == told + 1


def requested(user):
    return services.request_export(by=user, proof=Reauthenticated(user.pk))


def made(user, **values):
    export = services.request_export(by=User.objects.get(pk=user.pk), proof=Reauthenticated(user.pk), **values)
    return services.make_export(export.pk, at=timezone.now()) or SubjectExport.objects.get(pk=export.pk)


class TestTheWorker:
    @pytest.mark.checklist(11)
    @pytest.mark.parametrize("change", [{"is_active": False}, None], ids=["closed account", "role that ended"])
    def test_whoever_may_no_longer_ask_when_it_is_made_gets_nothing(self, registrar, change, export_root):
        export = services.request_export(by=registrar, person=PersonFactory(), reason="A letter")
        if change:
            User.objects.filter(pk=registrar.pk).update(**change)
        else:
            registrar.role_assignments.all().delete()

        services.make_export(export.pk, at=timezone.now())

        export.refresh_from_db()
        assert (export.state, export.failure) == (ExportState.FAILED, "out_of_scope")
        assert not export_root.exists()

    @pytest.mark.checklist(11)
    def test_what_it_writes_is_written_as_whoever_asked(self, user_with):
        student = user_with(Role.STUDENT)

        made(student)

        assert Event.objects.get(action="privacy.export_made").actor_id == student.pk

    def test_a_run_that_was_killed_is_made_up_for_and_the_late_one_of_two_is_dropped(
        self, user_with, export_root, monkeypatch
    ):
        export = requested(user_with(Role.STUDENT))
        (storage.root() / "somebody.killed").write_bytes(b"half")
        write, raced = exports._write, []

        def overtaken(*arguments):
            monkeypatch.setattr(exports, "_write", write)
            raced.append(services.make_export(export.pk, at=timezone.now()))
            return write(*arguments)

        monkeypatch.setattr(exports, "_write", overtaken)
        late = services.make_export(export.pk, at=timezone.now())

        export.refresh_from_db()
        assert (late, raced[0].pk, export.state) == (None, export.pk, ExportState.READY)
        assert {place.name for place in export_root.iterdir()} == {"somebody.killed", export.stored_name}
        assert services.make_export(export.pk, at=timezone.now()) is None

    def test_asking_wakes_a_worker_once_it_is_committed(self, user_with):
        export = requested(user_with(Role.STUDENT))

        message = OutboxEvent.objects.get(name="privacy.export.requested")
        assert message.payload == {"export_id": str(export.pk)}


class TestTheFile:
    def test_it_lies_encrypted_and_opens_in_its_own_place_alone(self, export_root):
        side = somebody()
        export = made(side.user)
        stored = export_root / export.stored_name

        assert NAMES["last_name"].encode() not in stored.read_bytes()
        assert b"".join(storage.opened(stored, export.stored_name)).startswith(b"PK")
        with pytest.raises(DecryptionError):
            list(storage.opened(stored, "elsewhere"))

    def test_one_that_was_cut_short_does_not_pass_for_whole(self, export_root, monkeypatch):
        monkeypatch.setattr(sealing, "BLOCK", 100)
        export = made(somebody().user)
        stored = export_root / export.stored_name
        whole = stored.read_bytes()
        first = 4 + int.from_bytes(whole[:4], "big")
        stored.write_bytes(whole[: 2 * first])

        with pytest.raises(DecryptionError):
            list(storage.opened(stored, export.stored_name))

    def test_it_has_its_time_and_is_deleted_then(self, user_with, client_for, export_root, committed):
        student = user_with(Role.STUDENT)
        export = made(student)
        SubjectExport.objects.filter(pk=export.pk).update(expires_at=timezone.now())
        assert client_for(student).get(f"{EXPORTS}{export.pk}/download/").status_code == 409

        later = timezone.now()
        with committed(execute=True):
            assert [services.purge_exports(at=later) for _ in range(2)] == [1, 0]

        export.refresh_from_db()
        assert (export.state, export.stored_name, list(export_root.iterdir())) == (ExportState.EXPIRED, "", [])

    def test_what_killed_workers_left_is_deleted_after_a_day(self, export_root):
        storage.root()
        for name, age in (("new", 0), ("old", 2 * 86400)):
            (export_root / name).write_bytes(b"half")
            os.utime(export_root / name, (time.time() - age,) * 2)

        assert services.purge_exports(at=timezone.now()) == 1
        assert [place.name for place in export_root.iterdir()] == ["new"]

    def test_whoever_asked_may_have_it_deleted_before(self, user_with, client_for, export_root, committed):
        student = user_with(Role.STUDENT)
        export = made(student)

        with committed(execute=True):
            assert client_for(student).delete(f"{EXPORTS}{export.pk}/").status_code == 204
        assert list(export_root.iterdir()) == []
        assert SubjectExport.objects.get().state == ExportState.EXPIRED

    def test_one_that_is_gone_is_said_to_be(self, user_with, client_for, export_root):
        student = user_with(Role.STUDENT)
        export = made(student)
        (export_root / export.stored_name).unlink()

        answer = client_for(student).get(f"{EXPORTS}{export.pk}/download/")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "export_unavailable")


class TestTheCommand:
    def test_it_lists_and_writes_and_overwrites_nothing(self, tmp_path):
        side, out, place = somebody(), io.StringIO(), tmp_path / "file.zip"

        call_command("export_subject", str(side.person.pk), "--list", stdout=out)
        call_command("export_subject", str(side.person.pk), "--out", str(place), "--reason", "A letter", stdout=out)

        assert "       1  accounts.PersonIdentifier" in out.getvalue()
        assert rows_of(ZipFile(place), PersonIdentifier)[0]["value"] == "••••••••8264"
        assert Event.objects.get(action="privacy.export_handed_out").reason == "A letter"
        entry = Disclosure.objects.latest("id")
        assert (entry.subject_id, entry.actor_id, entry.basis) == (side.person.pk, None, "operator")
        with pytest.raises(CommandError, match="is there already"):
            call_command("export_subject", str(side.person.pk), "--out", str(place), "--reason", "Again")

    def test_what_goes_to_the_person_alone_is_no_disclosure(self, tmp_path):
        person, place = PersonFactory(), str(tmp_path / "file.zip")

        call_command("export_subject", str(person.pk), "--out", place, "--reason", "A letter", "--to-the-person")

        assert Event.objects.filter(action="privacy.export_handed_out").exists()
        assert not Disclosure.objects.exists()

    def test_it_refuses_a_stranger_and_leaves_no_file(self, tmp_path):
        with pytest.raises(CommandError, match="no such person"):
            call_command("export_subject", str(uuid4()), "--out", str(tmp_path / "x"), "--reason", "A letter")
        with pytest.raises(CommandError, match="what for"):
            call_command("export_subject", str(uuid4()), "--out", str(tmp_path / "x"))
        assert list(tmp_path.glob("x")) == []

    def test_what_has_had_its_time_is_purged_by_hand(self):
        out = io.StringIO()
        call_command("purge_exports", stdout=out)
        assert "0 files deleted" in out.getvalue()


def test_an_account_that_was_left_out_expires_with_the_default_of_a_week(user_with, settings):
    export = made(user_with(Role.STUDENT))

    assert export.expires_at - export.ready_at == settings.SUBJECT_EXPORTS_KEPT == timedelta(days=7)
