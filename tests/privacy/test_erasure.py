"""Whoever was erased is found nowhere by what they were called, and everything else is as it was."""

import io
from datetime import timedelta
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Person, PersonIdentifier, Session, User
from accounts.roles import Role
from accounts.services import Reauthenticated
from audit import services as audit
from audit.models import Change, Event, Redaction
from audit.services import redaction
from core.models import IdempotencyKey, OutboxEvent
from core.privacy import declared
from enrollment.models import Enrollment
from interop.models import ImportRow
from privacy import services
from privacy.models import ErasureRequest, ErasureState, LegalHold, SubjectExport
from privacy.services import exports, storage
from students.models import Student
from tests.accounts.factories import PersonFactory
from tests.audit.test_seals import tamper
from tests.privacy.people import NAMES, PASSPORT, somebody
from tests.racing import at_once, while_uncommitted
from tests.students.factories import StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(88)]
ERASURES, HOLDS = "/api/v1/privacy/erasures/", "/api/v1/privacy/holds/"
CANARIES = [
    *(str(value) for name, value in NAMES.items() if name not in ("gender", "nationality")),
    PASSPORT, "Formername", "former@canary.example", "5550 7391", "Lovelace-Browser", "192.0.2.77", "elsewhere-canary",
]  # fmt: skip


def dump():
    """Return every row of every table as text, as a dump has them."""
    rows = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            if model._meta.can_migrate("default"):
                cursor.execute(f'SELECT t::text FROM "{model._meta.db_table}" AS t')  # noqa: S608 - of the model
                rows[model._meta.db_table] = {text for (text,) in cursor.fetchall()}
    return rows


def traces(rows):
    forms = [form for canary in CANARIES for form in (canary.lower(), canary.encode().hex())]
    return sorted(
        {(table, form) for table, texts in rows.items() for text in texts for form in forms if form in text.lower()}
    )


def redact(log, entry, *columns, by_erasure=True):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT audit_redact(%s, %s::bigint[], %s::text[])", [log, [entry], list(columns)])
        if by_erasure:
            audit.record(action=audit.ERASED)


def faulty():
    return [verdict.log for verdict in audit.verify_logs() if verdict.faults]


@pytest.fixture
def side():
    """Somebody who has left, with a past of other names, deleted numbers, kept answers and announced facts."""
    found = somebody()
    person = found.person
    Person.objects.filter(pk=person.pk).update(last_name="Formername", email="former@canary.example")
    Person.objects.filter(pk=person.pk).update(last_name=NAMES["last_name"], email=NAMES["email"])
    gone = PersonIdentifier.objects.create(person=person, scheme="other", country="", value="elsewhere-canary")
    gone.delete()
    facts = {"method": "POST", "path": "/", "request_sha256": "x", "status_code": 200, "expires_at": timezone.now()}
    answer = f'{{"id": "{found.student.pk}", "email": "{NAMES["email"]}"}}'.encode()
    IdempotencyKey.objects.create(principal="user:x", key="a", response_body=answer, **facts)
    OutboxEvent.objects.create(
        name="x", payload={"person_id": str(person.pk), "reason": NAMES["last_name"]}, delivered_at=timezone.now()
    )
    refused = ImportRow.objects.get(pk=found.rows[ImportRow].pk)
    refused.pk, refused.position, refused.object_id, refused.applied_at = uuid4(), 2, None, None
    refused.save(force_insert=True)
    return found


class TestWhatIsLeft:
    def test_no_table_has_a_trace_of_who_it_was_and_the_rows_of_others_are_as_they_were(self, side):
        StudentFactory(person=PersonFactory(phone="1"), custom_data={"motto": "Onwards"})
        Person.objects.exclude(pk=side.person.pk).update(phone="2")
        before = dump()
        assert {form for _, form in traces(before)} >= {"lovelacebyron", "former@canary.example", "192.0.2.77"}

        services.erase_person(side.person.pk, dry_run=False)

        after = dump()
        assert traces(after) == []
        ids = {str(pk) for row in side.rows.values() for pk in (row.pk, getattr(row, "object_id", ""))}
        theirs = {mark for pk in ids if len(pk) == 36 for mark in (pk, pk.encode().hex())} | {"canary"}
        lost = [row for table in before for row in before[table] - after[table]]
        assert [row for row in lost if not any(mark in row for mark in theirs)] == []

    def test_the_academic_record_goes_on_under_a_pseudonym_and_nobody_can_log_in(self, side):
        numbers = side.student.student_no

        services.erase_person(side.person.pk, dry_run=False)

        person, user = Person.objects.get(pk=side.person.pk), User.objects.get(pk=side.user.pk)
        assert person.name == f"Erased {side.person.pk.hex[-12:]}"
        assert (user.is_active, user.has_usable_password(), user.email) == (
            False, False, f"erased-{user.pk}@erased.invalid",
        )  # fmt: skip
        assert not Session.objects.filter(user=user).exists()
        student = Student.objects.get(person=person)
        assert (student.student_no, student.status, student.custom_data) == (numbers, "graduated", {})
        assert Enrollment.objects.filter(student=student).count() == 2
        assert student.status_events.get().to_status == "active"

    @pytest.mark.parametrize("resource", ["enrollments", "attendance"])
    def test_refused_rows_that_begin_with_the_student_number_are_emptied(self, side, resource):
        row = ImportRow.objects.get(pk=side.rows[ImportRow].pk)
        for place, number in enumerate((side.student.student_no, f"{side.student.student_no}0"), 3):
            row.pk, row.position, row.object_id, row.applied_at = uuid4(), place, None, None
            row.resource, row.natural_key, row.raw = resource, f"{number}|T|CS1|01", {"student_no": number}
            row.save(force_insert=True)

        services.erase_person(side.person.pk, dry_run=False)

        left = ImportRow.objects.filter(resource=resource).order_by("position")
        assert list(left.values_list("raw", flat=True)) == [{}, {"student_no": f"{side.student.student_no}0"}]

    def test_doing_it_again_changes_nothing(self, side):
        services.erase_person(side.person.pk, dry_run=False)
        before = dump()

        assert services.erase_person(side.person.pk, dry_run=False) == {}

        assert dump() == before

    def test_a_dry_run_counts_the_same_and_changes_nothing(self, side):
        before = dump()

        counted = services.erase_person(side.person.pk, dry_run=True)

        assert dump() == before
        assert services.erase_person(side.person.pk, dry_run=False) == counted
        assert counted["accounts.Person"] == 1

    def test_the_file_of_an_export_goes_too(self, side, export_root, django_capture_on_commit_callbacks):
        User.objects.filter(pk=side.user.pk).update(is_active=True)
        export = services.request_export(by=side.user, proof=Reauthenticated(side.user.pk))
        services.make_export(export.pk, at=timezone.now())

        with django_capture_on_commit_callbacks(execute=True):
            services.erase_person(side.person.pk, dry_run=False)

        assert list(export_root.iterdir()) == []
        assert SubjectExport.objects.get(pk=export.pk).state == "expired"

    def test_the_command_says_what_it_does(self, side):
        out = io.StringIO()

        call_command("erase_person", str(side.person.pk), "--dry-run", stdout=out)
        assert Person.objects.get(pk=side.person.pk).last_name == NAMES["last_name"]
        call_command("erase_person", str(side.person.pk), stdout=out)

        assert out.getvalue().count("       1  accounts.PersonIdentifier") == 2
        assert out.getvalue().endswith("Erased.\n")
        with pytest.raises(CommandError, match="no such person"):
            call_command("erase_person", str(uuid4()))

    def test_no_file_comes_of_an_export_that_was_being_made(self, registrar, export_root):
        person, run_id, now = PersonFactory(), uuid4(), timezone.now()
        asked = services.request_export(by=registrar, person=person, reason="A letter")
        begun = storage.SHELF.begin(asked.pk, run_id)
        facts = exports._write(begun, run_id, registrar, now)

        services.erase_person(person.pk, dry_run=False)

        assert exports._finish(asked.pk, run_id, facts, now) is None
        assert list(export_root.iterdir()) == []
        asked.refresh_from_db()
        assert asked.state == "expired"


class TestWhatStandsInTheWay:
    @pytest.mark.parametrize(("status", "code"), [("active", "still_studying"), ("suspended", "still_studying")])
    def test_whoever_studies_here_is_known_here(self, registrar_client, status, code):
        person = StudentFactory(status=status).person

        answer = registrar_client.post(ERASURES, {"person": str(person.pk), "reason": "A letter"}, format="json")

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, code)

    def test_whoever_acts_here_for_the_university_is_known_here(self, registrar_client, user_with):
        registrar_of_today = user_with(Role.REGISTRAR).person

        answer = registrar_client.post(
            ERASURES, {"person": str(registrar_of_today.pk), "reason": "A letter"}, format="json"
        )

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "role_held")

    def test_a_hold_refuses_to_ask_to_approve_and_to_erase_until_it_is_released(self, registrar, user_with):
        person, second = PersonFactory(), user_with(Role.REGISTRAR)
        asked = services.request_erasure(by=registrar, person=person, reason="A letter")
        hold = services.place_hold(by=second, person=person, reason="A case")

        for act in (
            lambda: services.approve_erasure(asked, by=second, at=timezone.now()),
            lambda: services.erase_person(person.pk, dry_run=True),
            lambda: services.request_erasure(by=registrar, person=person, reason="Again"),
        ):
            with pytest.raises(services.HeldError):
                act()

        services.release_hold(hold, by=second, at=timezone.now(), reason="Closed")
        services.approve_erasure(asked, by=second, at=timezone.now())
        done = services.carry_out_erasure(asked.pk, at=timezone.now())
        assert done.state == ErasureState.DONE

    def test_one_that_is_placed_after_the_approval_wins_too(self, registrar, user_with):
        person, second = PersonFactory(last_name="Kept"), user_with(Role.REGISTRAR)
        asked = services.request_erasure(by=registrar, person=person, reason="A letter")
        services.approve_erasure(asked, by=second, at=timezone.now())
        services.place_hold(by=second, person=person, reason="A case")

        services.carry_out_erasure(asked.pk, at=timezone.now())

        asked.refresh_from_db()
        person.refresh_from_db()
        assert (asked.state, asked.failure, person.last_name) == (ErasureState.FAILED, "legal_hold", "Kept")


@pytest.mark.django_db(transaction=True)
class TestRaces:
    def test_whoever_places_a_hold_while_the_person_is_erased_waits_and_comes_too_late(self):
        person = PersonFactory()

        placed = while_uncommitted(
            lambda: services.erase_person(person.pk, dry_run=False),
            lambda: LegalHold.objects.create(person=person, reason="A case", placed_at=timezone.now()),
        )

        assert placed.person_id == person.pk
        assert Person.objects.get().last_name.startswith("Erased")

    def test_whoever_erases_while_a_hold_is_placed_waits_and_is_refused(self):
        person = PersonFactory(last_name="Kept")

        refused = while_uncommitted(
            lambda: services.place_hold(by=None, person=person, reason="A case"),
            lambda: services.erase_person(person.pk, dry_run=False),
        )

        assert refused == "legal_hold"
        assert Person.objects.get().last_name == "Kept"

    def test_whoever_erases_a_duplicate_waits_for_a_hold_on_the_record_that_it_became(self):
        survivor = PersonFactory()
        duplicate = PersonFactory(last_name="Kept", merged_into=survivor)

        refused = while_uncommitted(
            lambda: services.place_hold(by=None, person=survivor, reason="A case"),
            lambda: services.erase_person(duplicate.pk, dry_run=False),
        )

        duplicate.refresh_from_db()
        assert (refused, duplicate.last_name) == ("legal_hold", "Kept")

    def test_of_two_workers_one_erases(self, registrar, user_with):
        second = user_with(Role.REGISTRAR)
        asked = services.request_erasure(by=registrar, person=PersonFactory(), reason="A letter")
        services.approve_erasure(asked, by=second, at=timezone.now())

        at_once(*[lambda: services.carry_out_erasure(asked.pk, at=timezone.now())] * 2)

        assert Event.objects.filter(action="privacy.erased").count() == 1

    @pytest.mark.checklist(93)
    def test_the_logs_are_whole_after_it_and_a_redaction_hides_no_edit(self):
        side = somebody()
        audit.seal_logs()

        services.erase_person(side.person.pk, dry_run=False)
        audit.seal_logs()

        assert Redaction.objects.filter(log="audit_change").exists()
        assert faulty() == []
        entry = Redaction.objects.filter(log="audit_event").first().entry_id
        tamper(f"UPDATE audit_event SET actor_label = 'forged' WHERE id = {entry}")  # noqa: S608 - a number
        assert faulty() == ["audit_event"]

    @pytest.mark.checklist(93)
    def test_an_entry_that_is_redacted_twice_and_before_it_is_sealed_verifies(self):
        Person.objects.filter(pk=PersonFactory(email="a@example.org").pk).update(email="b@example.org", phone="1")
        entry = Change.objects.get(operation="update").pk
        for column in ("email", "phone", "phone"):
            redact("audit_change", entry, column)

        audit.seal_logs()

        assert Redaction.objects.count() == 2
        assert Change.objects.get(pk=entry).changes["email"] == ["[erased]", "[erased]"]
        assert faulty() == []

    @pytest.mark.checklist(93)
    def test_another_redaction_hides_no_edit_that_came_after_the_first(self):
        entry = Event.objects.create(action="role.granted", actor_label="Ada", reason="Ada asked for it").pk
        audit.seal_logs()

        redact("audit_event", entry, "reason")
        tamper(f"UPDATE audit_event SET action = 'role.ended' WHERE id = {entry}")  # noqa: S608 - a number
        redact("audit_event", entry, "actor_label")

        assert faulty() == ["audit_event"]

    @pytest.mark.checklist(93)
    def test_a_redaction_that_no_erasure_explains_is_found(self):
        entry = Event.objects.create(action="role.granted", reason="Ada asked for it").pk
        redact("audit_event", entry, "reason", by_erasure=False)
        audit.record(action=audit.ERASED)  # of somebody else, in a transaction of its own
        audit.seal_logs()

        with pytest.raises(
            CommandError, match=f"audit_redaction: no erasure explains .* 1 of audit_event, {entry} first"
        ):
            call_command("verify_audit", stdout=io.StringIO())


@pytest.mark.checklist(93)
class TestWhatTheLogsLose:
    """What the application's role may take out of them, had somebody else its connection."""

    @pytest.mark.parametrize(
        ("log", "columns", "named"),
        [
            ("audit_change", ["last_name", "version"], "accounts_person.version"),
            ("audit_change", ["id", "created_at"], "accounts_person.created_at, accounts_person.id"),
            ("audit_event", ["actor_label", "action"], "audit_event.action"),
            ("audit_disclosure", ["basis"], "audit_disclosure.basis"),
        ],
    )
    def test_is_nothing_that_no_app_declares(self, log, columns, named):
        entries = {
            "audit_change": Change.objects.filter(row_id=PersonFactory().pk).latest("id").pk,
            "audit_event": audit.record(action="role.granted").pk,
        }
        before = dump()

        with pytest.raises(ProgrammingError, match=f"takes {named} out of the logs"), transaction.atomic():
            redact(log, entries.get(log, 0), *columns)

        assert dump() == before

    def test_is_known_to_every_database_and_follows_the_declarations(self, monkeypatch):
        def erasable():
            with connection.cursor() as cursor:
                cursor.execute("TABLE audit_erasable")
                return set(cursor.fetchall())

        before = erasable()
        assert {("accounts_person", "last_name"), ("audit_event", "reason")} <= before

        monkeypatch.setattr(redaction, "declared", lambda: [each for each in declared() if each.model is not Person])
        audit.allow_erasing()

        assert before - erasable() == {pair for pair in before if pair[0] == "accounts_person"}
        monkeypatch.undo()
        audit.allow_erasing()
        assert erasable() == before


class TestOverHttp:
    @pytest.mark.checklist(13)
    def test_it_takes_two_people(self, registrar, registrar_client, user_with, client_for):
        person = PersonFactory()
        asked = registrar_client.post(ERASURES, {"person": str(person.pk), "reason": "A letter"}, format="json")
        url = f"{ERASURES}{asked.json()['data']['id']}/"

        own = registrar_client.post(f"{url}approve/")
        second = client_for(user_with(Role.REGISTRAR)).post(f"{url}approve/")

        assert (own.status_code, own.json()["errors"][0]["code"]) == (409, "self_approval")
        assert (second.status_code, second.json()["data"]["state"]) == (200, "approved")
        assert OutboxEvent.objects.get(name="privacy.erasure.approved").payload["erasure_id"] in url

    def test_whoever_is_to_be_erased_asks_and_does_not_decide(self, user_with, client_for, registrar_client):
        student = user_with(Role.STUDENT)
        asked = client_for(student).post(ERASURES, {}, format="json")
        url = f"{ERASURES}{asked.json()['data']['id']}/"

        assert asked.status_code == 201
        assert client_for(student).post(f"{url}approve/").status_code == 403
        assert client_for(student).post(ERASURES, {}, format="json").json()["errors"][0]["code"] == "erasure_requested"
        rejected = registrar_client.post(f"{url}reject/", {"reason": "Fees are due"}, format="json")
        assert rejected.json()["data"]["state"] == "rejected"
        assert registrar_client.post(f"{url}approve/").json()["errors"][0]["code"] == "erasure_decided"

    def test_a_hold_is_placed_and_released_once(self, registrar_client):
        person = PersonFactory()
        placed = registrar_client.post(HOLDS, {"person": str(person.pk), "reason": "A case"}, format="json")
        url = f"{HOLDS}{placed.json()['data']['id']}/release/"

        first = registrar_client.post(url, {"reason": "Closed"}, format="json")
        second = registrar_client.post(url, {"reason": "Closed"}, format="json")

        assert (placed.status_code, first.status_code) == (201, 200)
        assert second.json()["errors"][0]["code"] == "hold_released"

    @pytest.mark.checklist(11)
    def test_whoever_approved_must_still_be_allowed_to_when_it_is_done(self, registrar, user_with):
        person, second = PersonFactory(last_name="Kept"), user_with(Role.REGISTRAR)
        asked = services.request_erasure(by=registrar, person=person, reason="A letter")
        services.approve_erasure(asked, by=second, at=timezone.now())
        accounts.deactivate_user(User.objects.get(pk=second.pk), by=None)

        services.carry_out_erasure(asked.pk, at=timezone.now() + timedelta(minutes=1))

        asked.refresh_from_db()
        assert (asked.state, asked.failure) == (ErasureState.FAILED, "out_of_scope")
        assert Person.objects.get(pk=person.pk).last_name == "Kept"
        assert ErasureRequest.objects.get().decided_by_id == second.pk
