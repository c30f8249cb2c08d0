"""Guardians: nothing is open to them by default, and no more than a verified link names, with consent."""

from datetime import date, timedelta

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.roles import Role
from audit.models import Change, Disclosure
from core.visibility import visible
from enrollment.models import Enrollment
from students.models import GuardianLink, Student, adult_born_until
from tests.accounts.factories import PersonFactory
from tests.enrollment.factories import EnrollmentFactory
from tests.students.factories import GuardianLinkFactory, StudentFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(89)]
LIST = "/api/v1/guardian-links/"
BODY = {"relation": "parent", "scopes": ["profile"]}


def url_of(link, *rest):
    return "/".join([f"{LIST}{link.pk}", *rest, ""])


@pytest.fixture
def enrolment():
    """An enrolment of a student who is of age."""
    return EnrollmentFactory(student__person__birth_date=date(1990, 5, 6), student__person__phone="+43 1 234")


@pytest.fixture
def student(enrolment):
    return enrolment.student


@pytest.fixture
def guardian(user_with):
    return user_with(Role.GUARDIAN, "self", person=PersonFactory())


@pytest.fixture
def link(student, guardian):
    """A link that is verified, and to which nobody has agreed."""
    return GuardianLinkFactory(student=student, person=guardian.person)


@pytest.fixture
def ada(user_with, client_for, student):
    return client_for(user_with(Role.STUDENT, "self", person=student.person))


def seen(user):
    """Return how many students and enrolments somebody sees."""
    return tuple(visible(model.objects.all(), user).count() for model in (Student, Enrollment))


def test_a_guardian_sees_nothing_by_default(student, guardian, client_for):
    client = client_for(guardian)

    assert seen(guardian) == (0, 0)
    assert client.get(f"/api/v1/students/{student.pk}/").status_code == 404
    assert client.get(LIST).json()["data"] == []
    assert client.get("/api/v1/directory/").status_code == 403


def test_consent_opens_what_the_link_names_and_withdrawing_it_closes_that_at_once(link, guardian, ada, client_for):
    client, url = client_for(guardian), f"/api/v1/students/{link.student_id}/"
    assert client.get(url).status_code == 404

    agreed = ada.post(url_of(link, "consent"), {})

    assert agreed.status_code == 200, agreed.json()
    assert agreed.json()["data"]["consented_at"]
    shown = client.get(url).json()["data"]
    assert (shown["id"], shown["phone"], shown["birth_date"]) == (str(link.student_id), None, None)
    assert seen(guardian) == (1, 1)
    link.refresh_from_db()
    assert link.consent_recorded_by.person_id == link.student.person_id

    assert ada.post(url_of(link, "withdraw-consent"), {}).status_code == 200

    assert client.get(url).status_code == 404
    assert seen(guardian) == (0, 0)
    history = Change.objects.filter(row_id=str(link.pk), operation="update")
    assert sum("consented_at" in change.changes for change in history) == 2


@pytest.mark.parametrize(("scopes", "sees"), [(["profile"], (1, 0)), (["enrollments"], (0, 1))])
def test_each_scope_opens_its_part_alone(link, guardian, scopes, sees):
    GuardianLink.objects.filter(pk=link.pk).update(scopes=scopes, consented_at=timezone.now())

    assert seen(guardian) == sees


@pytest.mark.parametrize(
    ("change", "is_open"),
    [
        ({}, True),
        ({"verified_at": None}, False),
        ({"valid": DateRange(date(2020, 1, 1), date(2021, 1, 1), "[)")}, False),
        ({"valid": DateRange(date(2200, 1, 1), None, "[)")}, False),
    ],
)
def test_a_link_opens_nothing_unless_it_is_verified_and_in_force(link, guardian, change, is_open):
    GuardianLink.objects.filter(pk=link.pk).update(**{"consented_at": timezone.now(), **change})

    assert seen(guardian) == ((1, 1) if is_open else (0, 0))


def test_who_is_eighteen_today_has_a_say_from_today_on(link, guardian):
    person, of_age = link.student.person, adult_born_until(timezone.localdate())
    for birth_date, is_open in ((of_age, False), (of_age + timedelta(days=1), True), (None, False)):
        type(person).objects.filter(pk=person.pk).update(birth_date=birth_date)

        assert seen(guardian) == ((1, 1) if is_open else (0, 0)), birth_date


@pytest.mark.parametrize(
    ("day", "born"),
    [
        (date(2026, 11, 21), date(2008, 11, 21)),
        (date(2026, 2, 28), date(2008, 2, 28)),
        (date(2026, 3, 1), date(2008, 3, 1)),
        (date(2028, 2, 29), date(2010, 2, 28)),
    ],
)
def test_nobody_is_of_age_before_the_birthday(day, born):
    assert adult_born_until(day) == born


def test_nobody_agrees_in_the_place_of_the_student(link, guardian, user_with, client_for, registrar_client):
    both = user_with(Role.STUDENT, "self", person=StudentFactory().person)
    other = GuardianLinkFactory(student=link.student, person=both.person)

    assert client_for(guardian).post(url_of(link, "consent"), {}).status_code == 403
    assert client_for(both).post(url_of(link, "consent"), {}).status_code == 404
    assert client_for(both).post(url_of(other, "consent"), {}).status_code == 403
    assert not GuardianLink.objects.filter(consented_at__isnull=False).exists()
    # In writing, and on record who has it.
    assert registrar_client.post(url_of(link, "consent"), {}).status_code == 200


def test_no_guardian_agrees_to_or_opens_more_of_their_own_link_whatever_their_role(link, user_with, client_for):
    registrar = user_with(Role.REGISTRAR, person=PersonFactory())
    client = client_for(registrar)
    GuardianLink.objects.filter(pk=link.pk).update(person=registrar.person, scopes=["profile"])

    agreed = client.post(url_of(link, "consent"), {})
    opened = client.patch(url_of(link), {"scopes": ["profile", "enrollments"]}, format="json")

    assert [(answer.status_code, answer.json()["code"]) for answer in (agreed, opened)] == [(403, "self_approval")] * 2
    link.refresh_from_db()
    assert (link.consented_at, link.scopes) == (None, ["profile"])


def test_a_registrar_links_verifies_and_ends_and_the_guardian_hears_of_it_once_it_is_verified(
    student, guardian, registrar_client, client_for
):
    body = {**BODY, "student": student.pk, "person": guardian.person_id, "starts_on": "2020-01-01"}
    created = registrar_client.post(LIST, body, format="json")
    assert created.status_code == 201, created.json()
    link = GuardianLink.objects.get(pk=created.json()["data"]["id"])
    assert client_for(guardian).get(LIST).json()["data"] == []

    registrar_client.post(url_of(link, "verify"), {})
    registrar_client.post(url_of(link, "consent"), {})

    assert [row["id"] for row in client_for(guardian).get(LIST).json()["data"]] == [str(link.pk)]
    assert seen(guardian) == (1, 0)
    ended = registrar_client.post(url_of(link, "revoke"), {})
    assert ended.json()["data"]["ends_on"] == str(timezone.localdate())
    assert seen(guardian) == (0, 0)
    assert registrar_client.post(url_of(link, "verify"), {}).json()["code"] == "guardian_link_ended"


def test_consent_is_to_what_it_was_and_not_to_more(link, registrar_client):
    GuardianLink.objects.filter(pk=link.pk).update(scopes=["profile"], consented_at=timezone.now())

    same = registrar_client.patch(url_of(link), {"scopes": ["profile"]}, format="json")
    more = registrar_client.patch(url_of(link), {"scopes": ["profile", "enrollments"]}, format="json")

    assert same.json()["data"]["consented_at"]
    assert more.json()["data"]["consented_at"] is None


def test_the_relation_that_was_verified_is_final_and_ends_with_the_link(link, registrar_client):
    changed = registrar_client.patch(url_of(link), {"relation": "other", "scopes": ["enrollments"]}, format="json")
    ended = registrar_client.patch(url_of(link), {"relation": "parent", "ends_on": "2030-01-01"}, format="json")
    unverified = GuardianLinkFactory(student=link.student, person=PersonFactory(), verified_at=None)
    mended = registrar_client.patch(url_of(unverified), {"relation": "other"}, format="json")

    refusal = changed.json()["errors"][0]
    assert (changed.status_code, refusal["code"], refusal["field"]) == (409, "guardian_relation_verified", "relation")
    assert (ended.status_code, ended.json()["data"]["ends_on"]) == (200, "2030-01-01")
    assert (mended.status_code, mended.json()["data"]["relation"]) == (200, "other")
    link.refresh_from_db()
    assert (link.relation, link.scopes) == ("parent", ["profile", "enrollments"])


def test_what_makes_no_sense_is_refused(link, user_with, client_for, registrar_client):
    student, staff = link.student, user_with(Role.REGISTRAR)
    body = {**BODY, "student": student.pk, "person": link.person_id}
    own = GuardianLinkFactory(student=student, person=staff.person, verified_at=None)
    refused = [
        registrar_client.post(LIST, body, format="json"),
        registrar_client.post(LIST, {**body, "person": student.person_id}, format="json"),
        registrar_client.post(LIST, {**body, "starts_on": "2030-01-01", "ends_on": "2029-01-01"}, format="json"),
        registrar_client.post(LIST, {**body, "scopes": []}, format="json"),
        client_for(staff).post(url_of(own, "verify"), {}),
        registrar_client.delete(url_of(link)),
    ]

    codes = [(answer.status_code, answer.json()["errors"][0]["code"]) for answer in refused]

    assert codes == [
        (409, "already_a_guardian"),
        (400, "own_guardian"),
        (400, "ends_before_start"),
        (400, "empty"),
        (403, "self_approval"),
        (405, "method_not_allowed"),
    ]


def test_what_a_guardian_is_shown_is_on_record_with_its_basis(link, guardian, client_for):
    GuardianLink.objects.filter(pk=link.pk).update(consented_at=timezone.now())
    client = client_for(guardian)

    client.get(f"/api/v1/students/{link.student_id}/")
    client.get("/api/v1/enrollments/")

    entries = Disclosure.objects.filter(subject_id=link.student.person_id, actor_id=guardian.pk).order_by("id")
    assert [(entry.what, entry.basis) for entry in entries] == [
        ("student record", "students.view_student as guardian"),
        ("enrollment", "enrollment.view_enrollment as guardian"),
    ]


def test_who_holds_no_role_of_a_guardian_any_more_sees_nothing_by_a_link(link, user_with):
    GuardianLink.objects.filter(pk=link.pk).update(consented_at=timezone.now())
    person = PersonFactory()
    GuardianLink.objects.filter(pk=link.pk).update(person=person)

    assert seen(user_with(Role.FACULTY, "self", person=person)) == (0, 0)
