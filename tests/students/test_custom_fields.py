"""The custom fields of one student over HTTP: what is held, who knows it, and what it costs."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from audit.models import Disclosure
from core.models import CustomField
from students.models import Student
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def student() -> Student:
    for order, (name, protected) in enumerate([("hostel", False), ("blood_group", True), ("motto", False)]):
        CustomField.objects.create(
            entity_type="students.student", name=name, label=name, field_type="text", order=order, protected=protected
        )
    CustomField.objects.create(
        entity_type="students.student", name="former", field_type="text", is_active=False, archived_at=timezone.now()
    )
    CustomField.objects.create(entity_type="courses.course", name="lab", field_type="text")
    return StudentFactory(custom_data={"hostel": "North", "blood_group": "O+", "former": "x"})


def held(client: Any, student: Student, query: str = "") -> dict[str, Any]:
    answer = client.get(f"/api/v1/students/{student.pk}/custom-fields/{query}")
    assert answer.status_code == 200, answer.json()
    return {row["name"]: row["value"] for row in answer.json()["data"]}


def test_every_active_field_is_shown_with_what_the_student_has_in_it(
    registrar_client: Any, student: Student, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(4):  # and one that puts it on record
        shown = held(registrar_client, student)

    assert shown == {"hostel": "North", "blood_group": "O+", "motto": None}
    assert list(shown) == ["hostel", "blood_group", "motto"]
    assert held(registrar_client, student, "?protected=true") == {"blood_group": "O+"}
    assert held(registrar_client, student, "?ordering=-name&page_size=1&fields=name,value") == {"motto": None}


def test_what_is_protected_is_null_for_whom_it_is_not_meant(user_with: Any, client_for: Any, student: Student) -> None:
    officer = client_for(user_with(Role.FINANCE_OFFICER))

    assert held(officer, student) == {"hostel": "North", "blood_group": None, "motto": None}


def test_students_see_their_own_and_nobody_elses(user_with: Any, client_for: Any, student: Student) -> None:
    own = client_for(user_with(Role.STUDENT, ScopeKind.SELF, person=student.person))

    assert held(own, student)["blood_group"] == "O+"
    assert own.get(f"/api/v1/students/{StudentFactory().pk}/custom-fields/").status_code == 404


def test_it_goes_on_record_who_was_shown_it(registrar_client: Any, student: Student) -> None:
    held(registrar_client, student)

    assert Disclosure.objects.filter(subject_id=student.person_id).count() == 1
