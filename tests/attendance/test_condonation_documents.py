"""By which documents a shortage was condoned: read by the student and those who decide, kept with the decision."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.roles import Role, ScopeKind
from attendance.models import Condonation, EligibilityDecision
from audit.models import Disclosure
from core.models import CustomField
from core.privacy import erase
from files.models import FileLink
from privacy.services import subject_of
from tests.accounts.factories import UserFactory
from tests.attendance.factories import CondonationFactory, EligibilityDecisionFactory
from tests.courses.factories import SectionInstructorFactory
from tests.files.contents import PDF, uploaded

pytestmark = pytest.mark.django_db
DECISIONS = "/api/v1/attendance/decisions/"
LIST = "/api/v1/attendance/condonations/"
FIELD = {"label": "Document", "field_type": "file", "protected": True}


@pytest.fixture
def document():
    """The field that a migration puts there, and that a test which empties the tables takes away."""
    kind = {"entity_type": "attendance.condonation", "name": "document"}
    return CustomField.objects.update_or_create(**kind, defaults=FIELD)[0]


@pytest.fixture
def short(document):
    return EligibilityDecisionFactory()


@pytest.fixture
def letter(registrar):
    return uploaded(registrar, PDF, "letter.pdf")


def condone(client, decision, **custom):
    body = {"reason": "Was in hospital", **({"custom_fields": custom} if custom else {})}
    return client.post(f"{DECISIONS}{decision.pk}/condone/", body, format="json")


@pytest.fixture
def condoned(registrar_client, short, letter):
    answer = condone(registrar_client, short, document=str(letter.pk))
    assert answer.status_code == 200, answer.json()
    return Condonation.objects.get(pk=answer.json()["data"]["condonation"])


def content_of(letter):
    return f"/api/v1/files/{letter.pk}/content/"


def test_a_document_comes_with_the_condonation_and_is_found_by_it(condoned, registrar_client, letter):
    data = registrar_client.get(f"{LIST}{condoned.pk}/").json()["data"]

    assert condoned.decision.outcome == "condoned"
    assert (data["decision"], data["enrollment"]) == (str(condoned.pk), str(condoned.decision.enrollment_id))
    assert data["student"]["id"] == str(condoned.decision.enrollment.student_id)
    assert data["custom_fields"] == {"document": str(letter.pk)}


@pytest.mark.checklist(6)
def test_the_student_and_those_who_decide_read_it_and_nobody_else(condoned, letter, user_with, client_for, registrar):
    decision = condoned.decision
    student = decision.enrollment.student
    teacher = SectionInstructorFactory(section=decision.section).faculty
    advisor = user_with(Role.ADVISOR, "self")
    student.advisor = advisor.person
    student.save()
    college = decision.section.course.department_id
    allowed = {
        "student": user_with(Role.STUDENT, "self", person=student.person),
        "office": user_with(Role.EXAM_CONTROLLER, ScopeKind.INSTITUTION),
        "office of the unit": user_with(Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, college),
    }
    refused = {
        "another student": user_with(Role.STUDENT, "self"),
        "teacher": user_with(Role.FACULTY, "self", person=teacher.person),
        "advisor": advisor,
        "office of another unit": user_with(
            Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, EligibilityDecisionFactory().section.course.department_id
        ),
        "head of the department": user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, college),
    }

    def seen(user):
        client = client_for(user)
        return client.get(f"{LIST}{condoned.pk}/"), client.get(content_of(letter))

    for name, user in allowed.items():
        page, content = seen(user)
        assert page.json()["data"]["custom_fields"] == {"document": str(letter.pk)}, name
        assert content.status_code == 200, name
        # Who looks at their own leaves no record.
        assert Disclosure.objects.filter(what="condonation", actor_id=user.pk).exists() == (name != "student"), name
    for name, user in refused.items():
        page, content = seen(user)
        assert page.status_code in (403, 404), name
        assert content.status_code == 404, name
    # An auditor sees that there is one, and who answers for all files reads them.
    auditor = client_for(user_with(Role.AUDITOR, "institution"))
    assert auditor.get(f"{LIST}{condoned.pk}/").json()["data"]["custom_fields"] == {"document": None}


def test_a_document_that_a_condonation_rests_on_is_not_deleted_even_when_that_is_withdrawn(
    condoned, registrar_client, letter
):
    url = f"/api/v1/files/{letter.pk}/"

    refused = registrar_client.delete(url)
    withdrawn = registrar_client.post(f"{DECISIONS}{condoned.pk}/withdraw/", {"reason": "Forged"}, format="json")
    again = registrar_client.delete(url)

    assert [(answer.status_code, answer.json()["code"]) for answer in (refused, again)] == [(409, "in_use")] * 2
    assert refused.json()["errors"][0]["meta"] == {"referred_to_by": {"condonations": 1}}
    assert withdrawn.json()["data"]["outcome"] == "short"
    assert registrar_client.get(f"{LIST}{condoned.pk}/").json()["data"]["custom_fields"]["document"] == str(letter.pk)


@pytest.mark.parametrize("given", ["a stranger's", "deleted", "unknown", "nonsense", "of no field"])
def test_what_is_no_document_of_the_caller_condones_nothing(short, registrar, registrar_client, letter, given):
    values, code = {
        "a stranger's": ({"document": str(uploaded(UserFactory(), PDF, "b.pdf").pk)}, "file_unavailable"),
        "deleted": ({"document": str(letter.pk)}, "file_unavailable"),
        "unknown": ({"document": "01955500-0000-7000-8000-000000000001"}, "file_unavailable"),
        "nonsense": ({"document": 7}, "wrong_type"),
        "of no field": ({"colour": "red"}, "unknown_custom_field"),
    }[given]
    if given == "deleted":
        assert registrar_client.delete(f"/api/v1/files/{letter.pk}/").status_code == 204

    answer = condone(registrar_client, short, **values)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code), answer.json()
    assert EligibilityDecision.objects.count() == 1
    assert not Condonation.objects.exists()


def test_an_institution_may_ask_for_a_document(short, document, registrar_client, letter):
    document.required = True
    document.save()

    refused = condone(registrar_client, short)

    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "required")
    assert refused.json()["errors"][0]["field"] == "custom_fields.document"
    assert condone(registrar_client, short, document=str(letter.pk)).status_code == 200


def test_without_a_document_there_is_a_condonation_all_the_same(short, registrar_client):
    made = condone(registrar_client, short).json()["data"]

    assert registrar_client.get(f"{LIST}{made['id']}/").json()["data"]["custom_fields"] == {"document": None}


def test_they_are_listed_in_pages_and_narrowed(document, registrar_client, django_assert_max_num_queries):
    first, second = (CondonationFactory() for _ in range(2))
    decision = first.decision

    with django_assert_max_num_queries(4):
        page = registrar_client.get(f"{LIST}?page_size=1").json()

    assert [row["id"] for row in page["data"]] == [str(second.pk)]
    assert page["meta"]["pagination"]["next"]
    for question in (
        f"decision={decision.pk}", f"enrollment={decision.enrollment_id}", f"section={decision.section_id}",
        f"student={decision.enrollment.student_id}", f"term={decision.term_id}",
        f"search={decision.enrollment.student.student_no}",
    ):  # fmt: skip
        assert [row["id"] for row in registrar_client.get(f"{LIST}?{question}").json()["data"]] == [str(first.pk)]
    assert registrar_client.get(f"{LIST}?mood=good").json()["errors"][0]["code"] == "unknown_parameter"
    assert registrar_client.patch(f"{LIST}{first.pk}/", {}, format="json").status_code == 405


def test_a_condonation_is_of_its_decision_and_is_neither_handed_on_nor_lost(condoned):
    other = EligibilityDecisionFactory()

    for change in (
        lambda: Condonation.objects.create(decision=other),
        lambda: Condonation.objects.filter(pk=condoned.pk).update(id=other.pk, decision=other),
        lambda: Condonation.objects.filter(pk=condoned.pk).delete(),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()
        connection.check_constraints()
    assert Condonation.objects.get().decision_id == condoned.pk


def test_erasure_empties_it_and_lets_the_document_go(condoned, letter):
    with transaction.atomic():
        erase(subject_of(condoned.decision.enrollment.student.person_id))

    assert Condonation.objects.get(pk=condoned.pk).custom_data == {}
    assert not FileLink.objects.present().filter(asset=letter).exists()


def test_the_administration_shows_what_it_rests_on_to_those_who_may_know(condoned, letter, registrar, user_with):
    client = Client()
    page = f"/admin/attendance/condonation/{condoned.pk}/change/"
    client.force_login(registrar)
    assert str(letter.pk) in client.get(page).content.decode()
    assert Disclosure.objects.filter(what="condonation", actor_id=registrar.pk).exists()

    client.force_login(user_with(Role.AUDITOR, "institution", is_staff=True))
    shown = client.get(page)
    assert (shown.status_code, str(letter.pk) in shown.content.decode()) == (200, False)
