"""Somebody who decides about their own record: as a student, as a member of the faculty, in an office, under a hold."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from core.errors import DomainError
from departments.services import organisation
from enrollment.models import Enrollment
from enrollment.services import OwnEnrollmentError, registration
from enrollment.services import bulk as enrollments
from faculty.services import bulk as faculty_bulk
from faculty.services import members
from interop.models import ImportRow
from interop.services import reversal
from privacy.models import LegalHold
from privacy.services import holds
from students.services import bulk as student_bulk
from students.services import program_enrollments as programs
from students.services import students
from tests.accounts.factories import RoleAssignmentFactory, UserFactory, held_in
from tests.authorization.duties import Case
from tests.authorization.world import OWN, World


def student(own: Any) -> User:
    """Return the account of the student."""
    return User.objects.get(pk=own.student_user.pk)


def account_of(person: str) -> Callable[[Any], User]:
    """Return what finds the account of somebody on the own side, who may have none yet."""

    def find(own: Any) -> User:
        somebody = getattr(own, person)
        somebody = getattr(somebody, "person", somebody)
        found = User.objects.filter(person=somebody).first()
        account: User = found or UserFactory(person=somebody, email="concerned@example.org")
        return account

    return find


def _step(verb: Callable[..., Any], row: str, **more: Any) -> Callable[[World, User], Any]:
    """Return what takes a step of a row of the own side."""
    return lambda world, user: verb(getattr(world.sides[OWN], row), by=user, at=timezone.now(), **more)


def _change(verb: Callable[..., Any], row: str, **changes: Any) -> Callable[[World, User], Any]:
    """Return what changes a row of the own side."""
    return lambda world, user: verb(getattr(world.sides[OWN], row), by=user, **changes)


def _waived(world: World, user: User) -> None:
    own = world.sides[OWN]
    RoleAssignmentFactory(user=user, role=Role.REGISTRAR, **held_in(Role.REGISTRAR))
    registrar = User.objects.get(pk=user.pk)
    registration.enroll(student=own.student, section=own.other_section, by=registrar, override=True)


def _reported(world: World, user: User) -> list[DomainError]:
    own = world.sides[OWN]
    rows = [{"student_id": own.student.pk, "section_id": own.other_section.pk, "status": "completed", "result": "A"}]
    return _refusals(one.outcome for one in enrollments.record_many(rows=rows, by=user, at=timezone.now()))


def _corrected(world: World, user: User) -> list[DomainError]:
    enrollment = Enrollment.objects.get(pk=world.sides[OWN].enrollment.pk)
    changes = [(enrollment, {"result": "distinction"})]
    return _refusals(one.outcome for one in enrollments.correct_many(changes=changes, by=user, at=timezone.now()))


def _new(verb: Callable[..., Any], person: str, **values: Any) -> Callable[[World, User], Any]:
    """Return what gives somebody one more part."""

    def act(world: World, user: User) -> None:
        own = world.sides[OWN]
        verb(by=user, person=getattr(own, person), department=own.department, **values)

    return act


def _many_new(verb: Callable[..., Any], **values: Any) -> Callable[[World, User], Any]:
    """Return what gives whoever acts one more part by an import."""

    def act(world: World, user: User) -> list[DomainError]:
        row = {"person_id": user.person_id, "department_id": world.sides[OWN].department.pk, **values}
        return _refusals(verb(rows=[row], by=user))

    return act


def _many(verb: Callable[..., Any], row: str, **values: Any) -> Callable[[World, User], Any]:
    return lambda world, user: _refusals(verb(changes=[(getattr(world.sides[OWN], row), values)], by=user))


def _refusals(results: Any) -> list[DomainError]:
    return [single for each in results if isinstance(each, DomainError) for single in each.violations]


def _held(world: World, user: User) -> None:
    hold = LegalHold.objects.get(pk=world.row(LegalHold, OWN).pk)
    holds.release_hold(hold, by=user, at=timezone.now(), reason="Over")


def _hold(world: World, user: User) -> None:
    holds.place_hold(by=user, person=world.sides[OWN].student.person, reason="A case")


def _office(world: World, user: User) -> None:
    own = world.sides[OWN]
    organisation.appoint(by=user, department=own.department, person=own.student.person, role="deputy")


OFFICE = [
    Case("an office for oneself", student, _office, organisation.OwnOfficeError),
    Case(
        "one's own office for longer", account_of("head"),
        _change(organisation.update_appointment, "head", ends_on=date(2200, 1, 1)), organisation.OwnOfficeError,
    ),
    Case(
        "the office of another for oneself", student,
        lambda w, u: organisation.update_appointment(w.sides[OWN].head, by=u, person=w.sides[OWN].student.person),
        organisation.OwnOfficeError,
    ),
    Case(
        "the end of one's own office", account_of("head"),
        _change(organisation.end_appointment, "head"), organisation.OwnOfficeError,
    ),
]  # fmt: skip

ENROLLMENT = [
    Case(f"{what} of one's own enrolment", student, act, OwnEnrollmentError)
    for what, act in (
        ("waiver", _waived),
        ("import", _reported),
        ("correction", _corrected),
        ("credits", _change(registration.update_enrollment, "enrollment", credits=3)),
        ("confirmation", _step(registration.confirm, "enrollment")),
        ("result", _step(registration.complete, "enrollment", result="distinction")),
        ("cancellation", _step(registration.cancel, "enrollment")),
    )
]

STUDENT = [
    *(
        Case(f"one's own {name}", student, _change(students.update_student, "student", **{name: value}),
             students.OwnStandingError)
        for name, value in (("accommodation_note", "Has more time"), ("status", "graduated"))
    ),
    Case(
        "one's own graduation", student, _step(students.change_status, "student", status="graduated"),
        students.OwnStandingError,
    ),
    Case(
        "one's own admission", account_of("guardian"), _new(students.create_student, "guardian"),
        students.OwnStandingError,
    ),
    Case(
        "one's own admission by an import", account_of("guardian"), _many_new(student_bulk.create_students),
        students.OwnStandingError,
    ),
    Case(
        "one's own department by an import", student,
        _many(student_bulk.update_students, "student", department_id=None), students.OwnStandingError,
    ),
    Case(
        "one's own status in a preview", student,
        lambda w, u: student_bulk.student_faults(values={"status": "graduated"}, student=w.sides[OWN].student, by=u),
        students.OwnStandingError,
    ),
    Case(
        "one's own program", student,
        lambda w, u: programs.enrol_in_program(
            by=u, student=w.sides[OWN].student, program=w.sides[OWN].second_program
        ),
        programs.OwnProgramError,
    ),
    *(
        Case(f"{verb.__name__} of oneself", student, how(verb, "programs", **more), programs.OwnProgramError)
        for verb, how, more in (
            (programs.update_program_enrollment, _change, {"cohort": "1999"}),
            (programs.change_program_status, _step, {"status": "completed"}),
            (programs.delete_program_enrollment, _change, {}),
        )
    ),
]  # fmt: skip

POST = [
    Case(
        "a post for oneself", account_of("guardian"),
        _new(members.create_faculty, "guardian", rank="professor"), members.OwnPostError,
    ),
    Case(
        "a post for oneself by an import", student,
        _many_new(faculty_bulk.create_faculty_members, rank="professor"), members.OwnPostError,
    ),
    *(
        Case(
            f"one's own {name} by an import", account_of("faculty"),
            _many(faculty_bulk.update_faculty_members, "faculty", **{name: value}), members.OwnPostError,
        )
        for name, value in (("fte", 1), ("employment_type", "part_time"), ("rank", "professor"))
    ),
    Case(
        "one's own load in a preview", account_of("faculty"),
        lambda w, u: faculty_bulk.faculty_faults(values={"fte": 1}, faculty=w.sides[OWN].faculty, by=u),
        members.OwnPostError,
    ),
]  # fmt: skip

HOLD = [
    Case("a hold on oneself", student, _hold, holds.OwnHoldError),
    Case("the end of a hold on oneself", account_of("advisor_person"), _held, holds.OwnHoldError),
]

IMPORT = [
    Case(
        "what an import wrote", student,
        lambda w, u: reversal._refuse_own([ImportRow(object_id=w.sides[OWN].enrollment.pk)], Enrollment, by=u),
        reversal.OwnImportError,
    ),
]  # fmt: skip
RECORDS = [*IMPORT, *OFFICE, *ENROLLMENT, *STUDENT, *POST, *HOLD]
