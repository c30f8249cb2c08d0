"""Whom somebody advises or teaches is on record for longer than the role lasts by which that opens anything."""

from typing import Any

import pytest
from django.db import transaction

from accounts.models import Person, User
from accounts.roles import Role, ScopeKind
from attendance.models import AttendanceSummary, Roster, Standing
from core.visibility import visible
from enrollment.models import Enrollment
from students.models import Student
from students.selectors import for_whom
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.authorization.world import OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(1, 12)]

OF_TEACHING = (Student, Enrollment, Roster, Standing, AttendanceSummary)
OF_ADVISING = (Student, Enrollment, Standing, AttendanceSummary)


def somebody(person: Person, *roles: Role) -> User:
    user = User.objects.filter(person=person).first() or UserFactory(person=person)
    user.role_assignments.all().delete()
    for role in roles:
        RoleAssignmentFactory(user=user, role=role, scope_kind=ScopeKind.SELF)
    return User.objects.get(pk=user.pk)


def in_sight(user: User, model: Any, row: Any) -> bool:
    return visible(model._base_manager.filter(pk=row.pk), user).exists()


@pytest.mark.parametrize("model", OF_TEACHING, ids=lambda model: model.__name__)
def test_who_teaches_sees_a_class_until_the_role_ends(world: World, model: Any) -> None:
    with transaction.atomic():
        person, row = world.sides[OWN].faculty.person, world.row(model, OWN)

        assert in_sight(somebody(person, Role.FACULTY, Role.STUDENT), model, row)
        assert not in_sight(somebody(person, Role.STUDENT), model, row)
        assert not in_sight(somebody(person, Role.STUDENT, Role.GUARDIAN), model, row)
        transaction.set_rollback(True)


@pytest.mark.parametrize("model", OF_ADVISING, ids=lambda model: model.__name__)
def test_who_advises_sees_advisees_until_the_role_ends(world: World, model: Any) -> None:
    with transaction.atomic():
        person, row = world.sides[OWN].advisor_person, world.row(model, OWN)

        assert in_sight(somebody(person, Role.ADVISOR, Role.FACULTY), model, row)
        assert not in_sight(somebody(person, Role.FACULTY, Role.STUDENT), model, row)
        transaction.set_rollback(True)


@pytest.mark.checklist(6)
def test_what_is_protected_opens_to_advisors_and_not_to_who_studies_and_is_on_record_as_one(world: World) -> None:
    with transaction.atomic():
        own = world.sides[OWN]

        opened = {
            roles: Student.objects.filter(pk=own.student.pk).filter(
                for_whom(somebody(own.advisor_person, *roles), "students.view_protected_student")
            )
            for roles in ((Role.ADVISOR, Role.STUDENT), (Role.STUDENT,))
        }

        assert {roles: rows.exists() for roles, rows in opened.items()} == {
            (Role.ADVISOR, Role.STUDENT): True,
            (Role.STUDENT,): False,
        }
        transaction.set_rollback(True)
