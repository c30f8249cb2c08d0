"""The administration page on which shortages are condoned takes what that rests on: documents and other fields."""

from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from accounts.roles import Role, ScopeKind
from attendance.models import Condonation, EligibilityDecision
from core.models import CustomField
from files.services import delete_file
from tests.accounts.factories import UserFactory
from tests.attendance.factories import EligibilityDecisionFactory
from tests.attendance.test_condonation_documents import document
from tests.core.customfields.factories import CustomFieldFactory, choices
from tests.files.contents import PDF, uploaded

__all__ = ["document"]
pytestmark = pytest.mark.django_db
PAGE = reverse("admin:attendance_eligibilitydecision_changelist")
FIELD = "custom_fields.document"


@pytest.fixture
def short(document):
    return EligibilityDecisionFactory()


def logged_in(user):
    client = Client()
    client.force_login(user)
    client.user = user
    return client


@pytest.fixture
def office(user_with):
    return logged_in(user_with(Role.EXAM_CONTROLLER, "institution", is_staff=True))


def ask(client, *decisions, **more):
    body = {"action": "condone", "_selected_action": [row.pk for row in decisions], **more}
    return client.post(PAGE, body, follow=True)


def confirm(client, *decisions, **more):
    return ask(client, *decisions, confirmed="1", reason="Was in hospital", **more)


@pytest.mark.parametrize("is_required", [False, True])
def test_a_document_is_chosen_on_the_page_and_comes_with_the_condonation(office, short, document, is_required):
    CustomField.objects.filter(pk=document.pk).update(required=is_required)
    letter = uploaded(office.user, PDF, "letter.pdf")
    asked = ask(office, short).content.decode()
    assert f'name="{FIELD}"' in asked
    # What lets a file be chosen, and another be uploaded.
    assert "admin/js/autocomplete.js" in asked
    assert "admin/js/admin/RelatedObjectLookups.js" in asked
    assert reverse("admin:files_fileasset_add") in asked

    confirm(office, short, **{FIELD: str(letter.pk)})

    condonation = Condonation.objects.get()
    assert (condonation.custom_data, condonation.decision.reason) == ({"document": str(letter.pk)}, "Was in hospital")
    assert condonation.decision == EligibilityDecision.objects.current().get(enrollment=short.enrollment)


def test_an_institution_that_asks_for_a_document_is_heeded_on_the_page(office, short, document):
    CustomField.objects.filter(pk=document.pk).update(required=True)

    refused = confirm(office, short)

    assert refused.context["form"].errors == {FIELD: ["This field is required."]}
    assert 'name="confirmed"' in refused.content.decode()
    assert not Condonation.objects.exists()
    assert EligibilityDecision.objects.get().outcome == "short"


def test_where_none_is_asked_for_there_is_a_condonation_without_one(office, short):
    confirm(office, short)

    assert Condonation.objects.get().custom_data == {}


@pytest.mark.parametrize(
    ("given", "status"), [("a stranger's", 200), ("deleted", 200), ("unknown", 200), ("x.pdf", 400)]
)
def test_what_is_no_document_of_the_caller_condones_nothing(office, short, given, status):
    letter = uploaded(UserFactory() if given == "a stranger's" else office.user, PDF, "secret.pdf")
    if given == "deleted":
        delete_file(letter, by=office.user)
    value = {"unknown": str(UUID(int=7)), "x.pdf": given}.get(given, str(letter.pk))

    refused = confirm(office, short, **{FIELD: value})

    assert refused.status_code == status
    assert status == 400 or FIELD in refused.context["form"].errors
    assert "secret.pdf" not in refused.content.decode()
    assert not Condonation.objects.exists()


def test_one_document_may_be_of_several_and_what_cannot_be_condoned_is_named(office, short):
    other, great = EligibilityDecisionFactory(), EligibilityDecisionFactory(attended=1, outcome="not_eligible")
    letter = uploaded(office.user, PDF, "letter.pdf")

    told = confirm(office, short, other, great, **{FIELD: str(letter.pk)}).content.decode()

    assert "less than what the policy lets anybody condone" in told
    assert set(Condonation.objects.values_list("decision__enrollment", flat=True)) == {
        short.enrollment_id, other.enrollment_id,
    }  # fmt: skip
    assert all(row.custom_data == {"document": str(letter.pk)} for row in Condonation.objects.all())


def test_other_custom_fields_are_asked_for_and_judged_by_the_service(office, short):
    CustomFieldFactory(
        entity_type="attendance.condonation", name="ward", field_type="select", choices=choices("a", "b"), required=True
    )
    CustomFieldFactory(
        entity_type="attendance.condonation", name="file_no", field_type="text", validation_regex="[0-9]+"
    )
    given = {"custom_fields.ward": "b", "custom_fields.file_no": "seven"}

    refused = confirm(office, short, **given).content.decode()
    assert not Condonation.objects.exists()
    assert str(short) in refused
    confirm(office, short, **{**given, "custom_fields.file_no": "7"})

    assert Condonation.objects.get().custom_data == {"ward": "b", "file_no": "7"}


@pytest.mark.checklist(6)
def test_who_decides_for_another_unit_and_who_only_looks_bring_nothing(office, short, user_with):
    college = EligibilityDecisionFactory().section.course.department_id
    strangers = {
        "office of another unit": user_with(Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, college, is_staff=True),
        "auditor": user_with(Role.AUDITOR, "institution", is_staff=True),
        "student": user_with(Role.STUDENT, "self", person=short.enrollment.student.person, is_staff=True),
    }

    for name, stranger in strangers.items():
        letter = uploaded(stranger, PDF, "letter.pdf")
        client = logged_in(stranger)
        assert f'value="{short.pk}">' not in ask(client, short).content.decode(), name
        confirm(client, short, **{FIELD: str(letter.pk)})
        assert not Condonation.objects.exists(), name

    own = user_with(Role.EXAM_CONTROLLER, ScopeKind.DEPARTMENT, short.section.course.department_id, is_staff=True)
    letter = uploaded(own, PDF, "letter.pdf")
    confirm(logged_in(own), short, **{FIELD: str(letter.pk)})
    assert Condonation.objects.get().custom_data == {"document": str(letter.pk)}
