"""The logs over HTTP: auditors and administrators read all of it, people who was shown their own record."""

from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance.models import EligibilityDecision, ExcuseEvent
from audit import services
from audit.models import Change, Disclosure
from core.models import CustomField
from tests.accounts.factories import PersonFactory, RoleAssignmentFactory, UserFactory
from tests.accounts.keys import bare_key, caller
from tests.attendance.factories import EligibilityDecisionFactory, ExcuseRequestFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import ProgramEnrollmentFactory, StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(83, 94)]
EVENTS, CHANGES = "/api/v1/audit-events/", "/api/v1/changes/"
WITHHELD = ["[withheld]", "[withheld]"]


def rows(answer):
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]


def disclosed(student, what="student record"):
    services.record_disclosures(
        what=what, subjects=[student.person_id], to=UserFactory(), permission="students.view_student", route="here"
    )


@pytest.fixture
def auditor(client_for, user_with):
    return client_for(user_with(Role.AUDITOR))


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.SYSTEM_ADMIN])
@pytest.mark.parametrize("url", [EVENTS, CHANGES])
def test_auditors_and_administrators_read_the_logs(client_for, user_with, role, url):
    services.record(action="tried")

    assert rows(client_for(user_with(role)).get(url))


@pytest.mark.parametrize("role", [Role.REGISTRAR, Role.STUDENT, Role.FACULTY, Role.DEPARTMENT_HEAD, Role.INTEGRATION])
@pytest.mark.parametrize("url", [EVENTS, CHANGES])
def test_nobody_else_does(client_for, user_with, role, url):
    scope = (ScopeKind.DEPARTMENT, UserFactory().pk) if role == Role.DEPARTMENT_HEAD else ()

    assert client_for(user_with(role, *scope)).get(url).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
@pytest.mark.parametrize("url", [EVENTS, CHANGES])
def test_the_logs_are_read_and_nothing_else(client_for, user_with, method, url):
    assert getattr(client_for(user_with(Role.SYSTEM_ADMIN)), method)(url).status_code == 405


def test_events_are_found_by_who_what_whom_when_and_the_request(auditor):
    actor, subject = UserFactory(), PersonFactory()
    services.record(action="a.done", actor=actor, subject=subject, reason="Because.", detail={"n": 1})
    services.record(action="b.done")

    (row,) = rows(auditor.get(EVENTS, {"action": "a.done"}))

    assert (row["actor_id"], row["actor_label"]) == (str(actor.pk), actor.email)
    assert (row["subject_kind"], row["subject_id"]) == ("accounts.person", str(subject.pk))
    assert (row["reason"], row["detail"]) == ("Because.", {"n": 1})
    for question in (
        {"actor": actor.pk},
        {"subject": subject.pk},
        {"subject_kind": "accounts.person"},
        {"action": "a.done", "after": row["at"]},
    ):
        assert [found["id"] for found in rows(auditor.get(EVENTS, question))] == [row["id"]]
    assert rows(auditor.get(EVENTS, {"action": "a.done", "before": row["at"]})) == []
    assert auditor.get(EVENTS, {"detail__n": 1}).status_code == 400


def test_the_history_of_a_row_is_found_by_the_row(auditor):
    student = StudentFactory()
    type(student).objects.filter(pk=student.pk).update(status="suspended")

    latest, first = rows(auditor.get(CHANGES, {"row": student.pk}))

    assert (first["operation"], first["changes"]) == ("insert", None)
    assert (latest["operation"], latest["changes"]["status"]) == ("update", ["active", "suspended"])
    assert latest["table_name"] == "students_student"


def test_the_history_tells_numbers_to_their_last_digit(auditor):
    student = StudentFactory()
    values = {"long": Decimal(12345678901234567890123), "fine": Decimal("12345678901234567.25"), "short": Decimal(7)}
    type(student).objects.filter(pk=student.pk).update(custom_data=values)

    latest, _ = rows(auditor.get(CHANGES, {"row": student.pk}))

    told = {"long": "12345678901234567890123", "fine": "12345678901234567.25", "short": 7}
    assert latest["changes"]["custom_data"] == [{}, told]


def test_pages_follow_one_another_and_show_each_entry_once(auditor):
    for number in range(7):
        services.record(action=f"n{number}")
    seen, url = [], f"{EVENTS}?page_size=3"

    while url:
        body = auditor.get(url).json()
        seen += [row["id"] for row in body["data"]]
        url = body["meta"]["pagination"]["next"]

    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) >= 7


# Of a history it also takes which rows the entries name, whose those are, and the entry that they were shown.
@pytest.mark.parametrize(("url", "queries"), [(EVENTS, 2), (CHANGES, 5)])
def test_a_page_takes_as_many_queries_whatever_is_on_it(auditor, django_assert_num_queries, url, queries):
    StudentFactory()
    with django_assert_num_queries(queries):
        auditor.get(url)
    StudentFactory.create_batch(3)
    ProgramEnrollmentFactory()
    EnrollmentFactory()

    with django_assert_num_queries(queries):
        auditor.get(url)


class TestWhatIsMasked:
    """The history tells auditors, and keys that read it, no more than the records themselves do."""

    @pytest.fixture
    def readers(self, auditor, user_with):
        program = UserFactory(is_service=True)
        RoleAssignmentFactory(user=program, role=Role.AUDITOR, scope_kind="institution")
        return [auditor, caller(bare_key(program, "audit.view_change"))]

    def test_neither_kind_nor_statement_of_an_excuse_is_told(self, readers, client_for, user_with):
        student = StudentFactory()
        CustomField.objects.create(
            entity_type="attendance.excuserequest", name="doctor", label="Doctor", field_type="text", protected=True
        )
        ada, url = client_for(user_with(Role.STUDENT, "self", person=student.person)), "/api/v1/attendance/excuses/"
        asked = {
            "student": str(student.pk), "kind": "bereavement", "statement": "Grandmother",
            "starts_at": "2026-11-05T06:00:00Z", "ends_at": "2026-11-06T18:00:00Z",
            "custom_fields": {"doctor": "Bones"},
        }  # fmt: skip
        excuse = ada.post(url, asked, format="json").json()["data"]["id"]
        changes = {"kind": "medical", "statement": "Measles", "custom_fields": {"doctor": "Crusher"}}
        assert ada.patch(f"{url}{excuse}/", changes, format="json").status_code == 200
        later = {"ends_at": "2026-11-07T18:00:00Z"}
        assert ada.patch(f"{url}{excuse}/", later, format="json").status_code == 200

        for reader in readers:
            answer = reader.get(CHANGES, {"row": excuse})
            moved, said, _ = rows(answer)
            withheld = dict.fromkeys(("kind", "statement", "custom_data"), WITHHELD)
            assert said["changes"] == {**withheld, "version": [1, 2]}
            assert "2026-11-07" in moved["changes"]["period"][1]
            for word in ("medical", "bereavement", "Measles", "Grandmother", "Crusher", "Bones"):
                assert word not in answer.content.decode()

    def test_nor_why_it_was_decided_so(self, readers, auditor, registrar_client):
        excuse = ExcuseRequestFactory()
        url = f"/api/v1/attendance/excuses/{excuse.pk}/"
        read = {"If-Match": registrar_client.get(url).headers["ETag"]}
        answer = registrar_client.post(f"{url}reject/", {"reason": "Not ill"}, format="json", headers=read)
        assert answer.status_code == 200
        event = ExcuseEvent.objects.get(excuse=excuse)

        assert [row["reason"] for row in rows(registrar_client.get(f"{url}history/"))] == ["Not ill"]
        assert [row["reason"] for row in rows(auditor.get(f"{url}history/"))] == [None]
        for reader in readers:
            (written,) = rows(reader.get(CHANGES, {"row": event.pk}))
            assert written["changes"] is None

    @pytest.mark.parametrize(("role", "is_told"), [(Role.AUDITOR, False), (Role.REGISTRAR, True)])
    def test_nor_is_it_on_the_administration_page_of_an_excuse(self, client, user_with, role, is_told):
        excuse = ExcuseRequestFactory()
        ExcuseEvent.objects.create(
            excuse=excuse, to_status="rejected", happened_at=timezone.now(), reason="Was not ill"
        )
        client.force_login(user_with(role, "institution", is_staff=True))

        page = client.get(f"/admin/attendance/excuserequest/{excuse.pk}/change/")

        assert page.status_code == 200
        assert ("Was not ill" in page.content.decode()) == is_told

    def test_neither_reason_nor_note_of_a_decision_about_admission_is_told(self, readers, registrar_client):
        decision = EligibilityDecisionFactory()
        url = f"/api/v1/attendance/decisions/{decision.pk}/condone/"
        answer = registrar_client.post(url, {"reason": "Was in hospital", "note": "Letter"}, format="json")
        condoned = EligibilityDecision.objects.get(pk=answer.json()["data"]["id"])
        # Erasure alone changes what was said, and only then does the history have it.
        connection.cursor().execute("SELECT set_config('campushub360.erasing', 'on', true)")
        EligibilityDecision.objects.filter(pk=condoned.pk).update(reason="", note="")

        for reader in readers:
            latest = rows(reader.get(CHANGES, {"row": condoned.pk}))[0]
            assert latest["changes"] == dict.fromkeys(("reason", "note"), WITHHELD)

    def test_what_auditors_know_of_the_record_they_read_in_its_history(self, auditor, registrar_client):
        student = StudentFactory(home_address="1 Elm Street")
        url = f"/api/v1/students/{student.pk}/"
        assert registrar_client.patch(url, {"home_address": "2 Elm Street"}, format="json").status_code == 200

        latest = rows(auditor.get(CHANGES, {"row": student.pk}))[0]

        assert latest["changes"]["home_address"] == ["1 Elm Street", "2 Elm Street"]


class TestDisclosuresOfAStudent:
    def test_the_student_sees_who_was_shown_what_when_and_why(self, client_for, user_with):
        student, other = StudentFactory(), StudentFactory()
        disclosed(student)
        disclosed(other)
        client = client_for(user_with(Role.STUDENT, person=student.person))

        (row,) = rows(client.get(f"/api/v1/students/{student.pk}/disclosures/"))

        entry = Disclosure.objects.get(subject_id=student.person_id)
        assert (row["what"], row["actor_label"]) == ("student record", entry.actor_label)
        assert row["basis"] == "students.view_student"
        assert client.get(f"/api/v1/students/{other.pk}/disclosures/").status_code == 404

    @pytest.mark.parametrize("role", [Role.REGISTRAR, Role.AUDITOR])
    def test_those_who_answer_for_the_records_see_them(self, client_for, user_with, role):
        student = StudentFactory()
        disclosed(student)
        disclosed(student, "enrollment")

        client = client_for(user_with(role))

        assert len(rows(client.get(f"/api/v1/students/{student.pk}/disclosures/"))) == 2
        found = rows(client.get(f"/api/v1/students/{student.pk}/disclosures/?what=enrollment"))
        assert [row["what"] for row in found] == ["enrollment"]

    def test_an_advisor_sees_the_student_and_not_the_disclosures(self, client_for, user_with):
        advisor = user_with(Role.ADVISOR)
        student = StudentFactory(advisor=advisor.person)

        client = client_for(advisor)

        assert client.get(f"/api/v1/students/{student.pk}/").status_code == 200
        assert client.get(f"/api/v1/students/{student.pk}/disclosures/").status_code == 403


class TestPages:
    @pytest.mark.parametrize("log", ["event", "disclosure", "change"])
    def test_the_administration_shows_the_logs_and_changes_nothing(self, client, user_with, log):
        student = StudentFactory()
        services.record(action="tried")
        disclosed(student)
        client.force_login(user_with(Role.SYSTEM_ADMIN, is_staff=True))
        key = Change.objects.latest("id").pk if log == "change" else None

        assert client.get(f"/admin/audit/{log}/").status_code == 200
        assert client.get(f"/admin/audit/{log}/add/").status_code == 403
        if key:
            assert client.get(f"/admin/audit/{log}/{key}/change/").status_code == 200
            assert client.post(f"/admin/audit/{log}/{key}/delete/", {"post": "yes"}).status_code == 403
