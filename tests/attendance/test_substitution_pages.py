"""Substitutions on the administration pages: read with their steps, withdrawn and revoked, refusals shown."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.roles import Role, ScopeKind
from attendance import services
from attendance.models import Substitution
from faculty.models import FacultyReservation
from faculty.services import reserve_faculty
from tests.attendance.factories import ClassSessionFactory, SubstitutionFactory
from tests.courses.factories import SectionInstructorFactory
from tests.faculty.factories import FacultyFactory

pytestmark = pytest.mark.django_db
LIST = reverse("admin:attendance_substitution_changelist")


@pytest.fixture
def accepted():
    """A class of tomorrow that somebody else teaches."""
    now = timezone.now()
    taught = SectionInstructorFactory()
    session = ClassSessionFactory(section=taught.section, starts_at=now + timedelta(days=1))
    services.reschedule_session(session, starts_at=session.starts_at, ends_at=session.ends_at, by=None, at=now)
    row = services.propose_substitution(
        session=session, substitute=FacultyFactory(), reason="Ill, and at home", by=None, at=now
    )
    return services.accept_substitution(row, by=None, at=now, reason="Gladly")


def act(client, name, *rows):
    data = {"action": name, "_selected_action": [str(row.pk) for row in rows]}
    return client.post(LIST, data, follow=True).content.decode()


def test_they_are_found_by_status_and_code_and_read_with_their_steps(client, registrar, accepted):
    client.force_login(registrar)
    open_one = SubstitutionFactory()

    page = client.get(LIST, {"status__exact": "accepted", "q": accepted.session.section.course.code}).content.decode()
    assert accepted.substitute.employee_no in page
    assert open_one.substitute.employee_no not in page
    page = client.get(reverse("admin:attendance_substitution_change", args=[accepted.pk])).content.decode()
    for text in ("Ill, and at home", "Gladly"):
        assert text in page
    assert 'name="_save"' not in page


def test_a_list_costs_as_many_queries_for_thirty_as_for_one(client, registrar, django_assert_max_num_queries):
    client.force_login(registrar)
    SubstitutionFactory.create_batch(30)

    with django_assert_max_num_queries(14):
        assert client.get(LIST).status_code == 200


def test_those_in_charge_withdraw_and_revoke(client, registrar, accepted):
    client.force_login(registrar)
    open_one = SubstitutionFactory()

    act(client, "withdraw", open_one)
    act(client, "revoke", accepted)

    assert {row.pk: row.status for row in Substitution.objects.all()} == {
        open_one.pk: "withdrawn", accepted.pk: "revoked",
    }  # fmt: skip
    held = FacultyReservation.objects.get(source=accepted.session.gathering, cancelled_at=None)
    assert held.faculty == accepted.instructor


def test_a_refusal_is_shown_and_nothing_changes(client, registrar, accepted):
    client.force_login(registrar)
    session = accepted.session
    reserve_faculty(
        faculty=accepted.instructor, starts_at=session.starts_at, ends_at=session.ends_at, kind="event",
        what="Open house", source=accepted.pk,
    )  # fmt: skip

    assert "is wanted for Open house" in act(client, "revoke", accepted)
    assert Substitution.objects.get().status == "accepted"


def test_a_head_of_another_department_sees_none_and_an_auditor_ends_none(client, user_with, accepted):
    stranger = user_with(Role.DEPARTMENT_HEAD, ScopeKind.DEPARTMENT, FacultyFactory().department_id, is_staff=True)
    client.force_login(stranger)
    assert accepted.substitute.employee_no not in client.get(LIST).content.decode()
    act(client, "revoke", accepted)
    client.force_login(user_with(Role.AUDITOR, is_staff=True))
    assert accepted.substitute.employee_no in client.get(LIST).content.decode()
    act(client, "revoke", accepted)

    assert Substitution.objects.get().status == "accepted"
