"""Identifiers of people: masked for those who may see them, hidden from all others, revealed on the record."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts import services
from accounts.models import IdentifierScheme, PersonIdentifier
from accounts.models.identifier import masked
from accounts.roles import Role
from core.errors import ConflictError, InvalidError
from core.models import IdempotencyKey, OutboxEvent
from tests.accounts.factories import PersonFactory

pytestmark = pytest.mark.django_db
# What a list may cost beside: one statement that puts on record whose records were shown to whom.
RECORD = 1
LIST = "/api/v1/person-identifiers/"
NUMBER = "AB 1234567"


def record(person=None, value=NUMBER, **values):
    usual = {"scheme": "passport", "country": "AT"}
    return services.create_identifier(by=None, person=person or PersonFactory(), value=value, **{**usual, **values})


def url(identifier, *more):
    return "/".join([f"{LIST}{identifier.pk}", *more, ""])


def post(client, path, body, **headers):
    return client.post(path, body, format="json", headers=headers)


@pytest.fixture
def client(registrar_client):
    return registrar_client


class TestRecording:
    def test_answers_with_the_last_characters_alone(self, client):
        person = PersonFactory()
        body = {"person": str(person.pk), "scheme": "passport", "country": "AT", "value": NUMBER}

        answer = post(client, LIST, body)

        assert answer.status_code == 201
        assert answer.json()["data"]["masked_value"] == "•••••••567"
        assert answer.json()["data"]["person"]["id"] == str(person.pk)
        assert "1234" not in answer.content.decode()
        assert PersonIdentifier.objects.get().value == NUMBER

    @pytest.mark.parametrize("again", [NUMBER, "ab1234567", "AB-123 45 67"])
    def test_the_same_number_of_another_person_is_refused_however_it_is_written(self, client, again):
        record()
        body = {"person": str(PersonFactory().pk), "scheme": "passport", "country": "AT", "value": again}

        answer = post(client, LIST, body)

        assert (answer.status_code, answer.json()["code"]) == (409, "identifier_taken")
        assert PersonIdentifier.objects.count() == 1

    def test_the_same_number_of_another_country_or_scheme_is_another_identifier(self):
        record()
        record(country="DE")
        record(scheme=IdentifierScheme.TAX_NUMBER)

        assert PersonIdentifier.objects.count() == 3

    @pytest.mark.parametrize(
        ("change", "field", "code"),
        [
            ({"value": "1-2"}, "value", "too_short"),
            ({"value": "•••••••567"}, "value", "masked_value"),
            ({"value": "x" * 65}, "value", "max_length"),
            ({"value": "AB\u0000123"}, "", "nul_character"),
            ({"country": ""}, "", "country_required"),
            ({"country": "Austria"}, "country", "invalid_country"),
            ({"scheme": "library_card"}, "scheme", "invalid_choice"),
            ({"value_index": "x"}, "value_index", "unknown_field"),
        ],
    )
    def test_what_is_wrong_is_refused_without_repeating_it(self, client, change, field, code):
        body = {"person": str(PersonFactory().pk), "scheme": "passport", "country": "AT", "value": NUMBER, **change}

        answer = post(client, LIST, body)

        assert answer.status_code == 400
        assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["code"]) == (field, code)
        assert NUMBER not in answer.content.decode()
        assert not PersonIdentifier.objects.exists()

    def test_a_change_moves_the_index_along(self, client):
        identifier = record()

        answer = client.patch(url(identifier), {"value": "ZZ 765 4321"}, format="json")

        assert answer.json()["data"]["masked_value"].endswith("321")
        assert PersonIdentifier.objects.of_value(scheme="passport", country="AT", value="zz7654321").get() == identifier
        assert not PersonIdentifier.objects.of_value(scheme="passport", country="AT", value=NUMBER).exists()
        assert PersonIdentifier.objects.get().version == 2

    def test_a_change_to_a_number_that_is_taken_is_refused(self, client):
        record()
        identifier = record(value="ZZ 765 4321")

        answer = client.patch(url(identifier), {"value": "ab1234567"}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (409, "identifier_taken")
        identifier.refresh_from_db()
        assert identifier.value == "ZZ 765 4321"

    def test_what_was_read_can_be_sent_back_and_changes_nothing(self, client):
        identifier = record()
        shown = client.get(url(identifier)).json()["data"]

        answer = client.put(url(identifier), shown, format="json")

        assert answer.status_code == 200
        identifier.refresh_from_db()
        assert (identifier.value, identifier.version) == (NUMBER, 1)

    def test_the_same_value_again_changes_nothing(self, client):
        identifier = record()

        client.patch(url(identifier), {"value": NUMBER}, format="json")

        identifier.refresh_from_db()
        assert identifier.version == 1

    def test_an_identifier_goes_with_its_person(self):
        identifier = record()

        services.delete_person(identifier.person, by=None)

        assert not PersonIdentifier.objects.exists()

    def test_an_identifier_can_be_removed(self, client):
        identifier = record()

        assert client.delete(url(identifier)).status_code == 204
        assert not PersonIdentifier.objects.exists()


class TestSight:
    def test_a_list_costs_three_queries_whatever_its_length(self, client, django_assert_max_num_queries):
        for number in range(10):
            record(value=f"AB 100200{number}")
        client.get(LIST)

        with django_assert_max_num_queries(3 + RECORD):
            rows = client.get(LIST).json()["data"]

        assert len(rows) == 10

    def test_a_persons_identifiers_are_listed_under_the_person(self, client):
        identifier = record()
        record(value="ZZ 765 4321")

        rows = client.get(f"/api/v1/people/{identifier.person_id}/identifiers/").json()["data"]

        assert [row["id"] for row in rows] == [str(identifier.pk)]

    def test_a_person_out_of_sight_answers_like_a_missing_one(self, client):
        assert client.get(f"/api/v1/people/{record().pk}/identifiers/").status_code == 404

    @pytest.mark.parametrize("role", sorted(set(Role) - {Role.REGISTRAR, Role.SYSTEM_ADMIN, Role.AUDITOR}))
    def test_nobody_else_sees_any(self, role, user_with, client_for):
        identifier = record()
        other = client_for(user_with(role))
        nested = f"/api/v1/people/{identifier.person_id}/identifiers/"

        answers = [other.get(LIST), other.get(url(identifier)), other.get(nested)]
        answers.append(post(other, url(identifier, "reveal"), {"reason": "curiosity"}))

        assert {answer.status_code for answer in answers} == {403}

    def test_a_person_does_not_see_their_own_without_the_permission(self, user_with, client_for):
        identifier = record()
        student = client_for(user_with(Role.STUDENT, person=identifier.person))

        assert student.get(f"/api/v1/people/{identifier.person_id}/identifiers/").status_code == 403

    def test_an_auditor_sees_masked_values_and_reveals_none(self, user_with, client_for):
        identifier = record()
        auditor = client_for(user_with(Role.AUDITOR))

        assert auditor.get(url(identifier)).json()["data"]["masked_value"] == "•••••••567"
        assert post(auditor, url(identifier, "reveal"), {"reason": "audit"}).status_code == 403
        assert not OutboxEvent.objects.filter(name="accounts.identifier.revealed").exists()

    @pytest.mark.parametrize("query", ["value=AB", "value_index=AB", "ordering=value", "fields=value", "include=value"])
    def test_no_query_probes_the_value(self, client, query):
        record()

        assert client.get(f"{LIST}?{query}").status_code == 400


class TestRevealing:
    def test_answers_the_value_and_puts_who_and_why_on_record(self, client, registrar):
        identifier = record()

        answer = post(client, url(identifier, "reveal"), {"reason": "Visa office asked, file 7"})

        assert answer.json()["data"] == {"id": str(identifier.pk), "value": NUMBER}
        assert answer["Cache-Control"] == "private, no-store"
        event = OutboxEvent.objects.get(name="accounts.identifier.revealed")
        assert event.payload["identifier_id"] == str(identifier.pk)
        assert event.payload["person_id"] == str(identifier.person_id)
        assert event.payload["revealed_by"] == str(registrar.pk)
        assert "Visa office" not in str(event.payload)
        assert NUMBER not in str(event.payload)

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "required"),
            ({"reason": ""}, "blank"),
            ({"reason": ". ."}, "reason_required"),
            ({"reason": "Check that it is ab-1234567"}, "reason_tells_value"),
        ],
    )
    def test_without_a_reason_that_may_be_kept_nothing_is_revealed(self, client, body, code):
        answer = post(client, url(record(), "reveal"), body)

        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
        assert NUMBER not in answer.content.decode()
        assert not OutboxEvent.objects.filter(name="accounts.identifier.revealed").exists()

    def test_an_idempotency_key_keeps_no_revealed_value(self, client):
        for _ in range(2):
            answer = post(client, url(record(), "reveal"), {"reason": "needed"}, **{"Idempotency-Key": "once"})
            assert answer.status_code == 200
            PersonIdentifier.objects.all().delete()

        assert not IdempotencyKey.objects.exists()

    def test_a_missing_identifier_is_not_found(self, client):
        assert post(client, f"{LIST}{PersonFactory().pk}/reveal/", {"reason": "needed"}).status_code == 404

    def test_nothing_is_revealed_when_the_record_of_it_cannot_be_kept(self):
        with pytest.raises(InvalidError):
            services.reveal_identifier(record(), by=None, at=None, reason="")


class TestPages:
    PAGE = "/admin/accounts/personidentifier/"

    @pytest.fixture
    def pages(self, registrar):
        browser = Client()
        browser.force_login(registrar)
        return browser

    def test_show_the_last_characters_alone(self, pages):
        identifier = record()

        shown = [pages.get(self.PAGE), pages.get(f"{self.PAGE}{identifier.pk}/change/")]

        assert {page.status_code for page in shown} == {200}
        assert all("•••••••567" in page.content.decode() for page in shown)
        assert not any("1234" in page.content.decode() for page in shown)

    def test_keep_the_value_when_none_is_entered_and_replace_it_when_one_is(self, pages):
        identifier = record()
        form = {"person": str(identifier.person_id), "scheme": "passport", "country": "DE", "value": ""}
        change = f"{self.PAGE}{identifier.pk}/change/"

        assert pages.post(change, form).status_code == 302
        identifier.refresh_from_db()
        assert (identifier.country, identifier.value) == ("DE", NUMBER)
        assert pages.post(change, {**form, "value": "ZZ 765 4321"}).status_code == 302
        assert PersonIdentifier.objects.of_value(scheme="passport", country="DE", value="ZZ7654321").exists()

    def test_record_an_identifier_and_log_no_value(self, pages):
        form = {"person": str(PersonFactory().pk), "scheme": "passport", "country": "AT", "value": NUMBER}

        assert pages.post(f"{self.PAGE}add/", {**form, "value": ""}).status_code == 200
        assert pages.post(f"{self.PAGE}add/", form).status_code == 302
        entry = LogEntry.objects.get()
        assert PersonIdentifier.objects.get().value == NUMBER
        assert "1234" not in f"{entry.object_repr} {entry.change_message}"

    def test_show_a_refusal_beside_the_form(self, pages):
        record()
        form = {"person": str(PersonFactory().pk), "scheme": "passport", "country": "AT", "value": NUMBER}

        answer = pages.post(f"{self.PAGE}add/", form)

        assert "This identifier is on record already." in answer.content.decode()
        assert PersonIdentifier.objects.count() == 1


class TestConstraints:
    def test_the_database_refuses_what_no_service_has_checked(self):
        record()
        person = PersonFactory()
        violations = {
            "accounts_personidentifier_unique_value": {"value": NUMBER},
            "accounts_personidentifier_scheme_known": {"scheme": "card"},
            "accounts_personidentifier_country_named": {"country": ""},
        }

        assert violations.keys() == {constraint.name for constraint in PersonIdentifier._meta.constraints}
        for name, change in violations.items():
            values = {"scheme": "passport", "country": "AT", "value": "ZZ 765 4321", **change}
            with pytest.raises(IntegrityError) as refused, transaction.atomic():
                PersonIdentifier.objects.create(person=person, **values)
            assert refused.value.__cause__.diag.constraint_name == name

    def test_a_refusal_quotes_the_hash_at_most(self):
        record()

        with pytest.raises(ConflictError) as refused:
            record()

        assert "1234567" not in str(refused.value.__cause__.__cause__)

    def test_no_statement_carries_the_value(self, django_capture_on_commit_callbacks):
        statements = []

        def watch(execute, sql, params, many, context):
            statements.append(f"{sql} {params}")
            return execute(sql, params, many, context)

        with connection.execute_wrapper(watch):
            identifier = record()
            services.update_identifier(identifier, by=None, value="ZZ 765 4321")
            PersonIdentifier.objects.of_value(scheme="passport", country="AT", value=NUMBER).exists()

        assert len(statements) > 3
        assert not [text for text in statements if "1234567" in text or "765 4321" in text or "7654321" in text]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("1234", "••••"),
        ("12345", "•••••"),
        ("123456", "••••56"),
        ("123456789", "••••••789"),
        ("1" * 20, "•" * 16 + "1111"),
    ],
)
def test_a_masked_value_shows_a_third_at_most(value, shown):
    assert masked(value) == shown
