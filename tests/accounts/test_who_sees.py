"""The command that says who sees a row agrees with what they see."""

import io
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core.visibility import visible
from students.models import Student
from tests.accounts.keys import bare_key, program
from tests.students.factories import StudentFactory

pytestmark = pytest.mark.django_db


def who_sees(*arguments):
    out = io.StringIO()
    call_command("who_sees", *map(str, arguments), stdout=out)
    return out.getvalue().splitlines()


def test_it_names_accounts_roles_and_grants(user_with):
    advisor, registrar = user_with(Role.ADVISOR), user_with(Role.REGISTRAR)
    user_with(Role.STUDENT)
    student = StudentFactory(advisor=advisor.person)

    lines = who_sees("students.student", student.pk)

    assert f"{advisor.email} (advisor): advisors_see_their_advisees" in lines
    assert any(line.startswith(f"{registrar.email} (registrar): those_in_charge_see") for line in lines)
    assert lines[-1] == "2 accounts."


def test_it_names_the_keys_of_a_program_that_open_the_row():
    account, student = program(Role.REGISTRAR), StudentFactory()
    opening = bare_key(account, "students.view_student")
    bare_key(account, "courses.view_course")
    bare_key(account, "students.view_student", revoked_at=timezone.now())

    found, total = who_sees("students.student", student.pk)

    assert found.startswith(f"{account.email} by chk_{opening.prefix} (registrar): those_in_charge_see")
    assert total == "1 accounts."


def test_it_finds_exactly_those_to_whom_the_row_is_visible(user_with):
    student = StudentFactory()
    user_with(Role.STUDENT, person=student.person)
    for role in (Role.REGISTRAR, Role.AUDITOR, Role.FACULTY, Role.SYSTEM_ADMIN):
        user_with(role)

    for sight in ("view", "manage"):
        named = {line.partition(" ")[0] for line in who_sees("students.student", student.pk, "--to", sight)[:-1]}
        assert named == {
            user.email
            for user in User.objects.all()
            if visible(Student.objects.filter(pk=student.pk), user, to=sight).exists()
        }


@pytest.mark.parametrize("arguments", [("students.nothing", "1"), ("students.student", "x"), ("x", "1")])
def test_it_says_what_it_does_not_know(arguments):
    with pytest.raises(CommandError):
        who_sees(*arguments)


def test_it_says_that_there_is_no_such_row():
    with pytest.raises(CommandError, match=r"There is no students.student"):
        who_sees("students.student", uuid4())
