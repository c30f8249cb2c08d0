"""Somebody who does what is somebody else's to do, for every place in `duties.py`.

The cases ask the services themselves, as the account that is concerned: which role would let them come so far is for
the matrix to say.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.services import users
from accounts.services.factors import ReauthenticationRequiredError, reset_factors
from accounts.services.roles import SelfGrantError, assign_role, end_assignment, update_assignment
from attendance.models import ClassSession, EligibilityDecision, ExcuseRequest
from attendance.services import (
    bulk_marking,
    changing,
    check_in_windows,
    check_ins,
    eligibility,
    excusing,
    importing,
    marking,
    offline,
    reinstating,
)
from attendance.services.marking import SelfMarkingError
from core.errors import DomainError
from core.ids import new_id
from faculty.services import members
from privacy.models import ErasureRequest
from privacy.services import erasures
from students.services import guardians
from tests.accounts.factories import UserFactory
from tests.authorization.concerned_projects import PROJECTS
from tests.authorization.concerned_records import RECORDS, account_of, student
from tests.authorization.duties import Case
from tests.authorization.world import OTHER, OWN, World


def _asker(own: Any) -> User:
    """Return somebody who is no student, and asks for what others have to decide."""
    asker: User = UserFactory(email="asker@example.org")
    ExcuseRequest.objects.filter(pk=own.excuse.pk).update(requested_by=asker)
    ErasureRequest.objects.filter(person=own.student.person).update(requested_by=asker, state="requested")
    return asker


def _subject(own: Any) -> User:
    """Return the student, of whom somebody else has asked that they be erased."""
    asker = UserFactory(email="asker@example.org")
    ErasureRequest.objects.filter(person=own.student.person).update(requested_by=asker, state="requested")
    return student(own)


def _excuse(verb: Callable[..., Any], status: str = "submitted") -> Callable[[World, User], Any]:
    def act(world: World, user: User) -> None:
        pk = world.sides[OWN].excuse.pk
        ExcuseRequest.objects.filter(pk=pk).update(status=status)
        verb(ExcuseRequest.objects.select_related("student").get(pk=pk), by=user, at=timezone.now())

    return act


def _erasure(verb: Callable[..., Any], **more: Any) -> Callable[[World, User], Any]:
    def act(world: World, user: User) -> None:
        asked = ErasureRequest.objects.get(pk=world.row(ErasureRequest, OWN).pk)
        verb(asked, by=user, at=timezone.now(), **more)

    return act


def _session(world: World) -> ClassSession:
    return ClassSession.objects.select_related("section").get(pk=world.sides[OWN].session.pk)


def _roster(world: World, user: User) -> None:
    session = _session(world)
    marking.mark_roster(session, marks=[], default="present", by=user, at=session.ends_at)


def _many(world: World, user: User) -> None:
    session = _session(world)
    students = [world.sides[OWN].classmate.pk]
    bulk_marking.mark_sessions([session], students=students, code="present", by=user, at=session.ends_at)


def _offline(world: World, user: User) -> list[DomainError]:
    session, enrollment = _session(world), world.sides[OWN].enrollment
    mark = offline.QueuedMark(
        client_id=new_id(),
        session=session.pk,
        enrollment=enrollment.pk,
        code="present",
        made_at=session.ends_at,
        version=1,
    )
    outcomes = offline.sync_marks([mark], {session.pk: session}, by=user, at=session.ends_at)
    return [each.error for each in outcomes if each.error]


def _imported(world: World, user: User) -> list[DomainError]:
    session, classmate = _session(world), world.sides[OWN].classmate.pk
    found = importing.read_sheets([session], [classmate], by=user)
    return found.faults(importing.Report(session=session.pk, student=classmate, code="present"), session.ends_at)


def _class(verb: Callable[..., Any], status: str = "scheduled", **more: Any) -> Callable[[World, User], Any]:
    """Return what settles whether the class of the own side takes place, and who checks in to it."""

    def act(world: World, user: User) -> None:
        ClassSession.objects.filter(pk=world.sides[OWN].session.pk).update(status=status)
        session = _session(world)
        verb(session, by=user, at=session.starts_at, **more)

    return act


LATER = {"starts_at": datetime(2026, 10, 13, 7, tzinfo=UTC), "ends_at": datetime(2026, 10, 13, 8, tzinfo=UTC)}


def _decision(verb: Callable[..., Any]) -> Callable[[World, User], Any]:
    def act(world: World, user: User) -> None:
        decision = EligibilityDecision.objects.get(pk=world.sides[OWN].decision.pk)
        verb(decision, by=user, at=timezone.now(), reason="Said so")

    return act


def _link(verb: Callable[..., Any], **more: Any) -> Callable[[World, User], Any]:
    return lambda world, user: verb(world.sides[OWN].link, by=user, **more)


def _now(verb: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    return lambda row, by: verb(row, by=by, at=timezone.now(), **more)


CASES = [
    *RECORDS,
    *PROJECTS,
    Case("a role for oneself", student, lambda w, u: assign_role(user=u, role="auditor", by=u), SelfGrantError),
    Case(
        "a role of oneself for longer", student,
        lambda w, u: update_assignment(w.sides[OWN].assignment, by=u, valid_until=None), SelfGrantError,
    ),
    Case(
        "a role of oneself for another", student,
        lambda w, u: update_assignment(w.sides[OWN].assignment, by=u, user=w.sides[OTHER].student_user),
        SelfGrantError,
    ),
    Case(
        "the role of another for oneself", student,
        lambda w, u: update_assignment(w.sides[OTHER].assignment, by=u, user=u), SelfGrantError,
    ),
    Case(
        "the end of a role of oneself", student,
        lambda w, u: end_assignment(w.sides[OWN].assignment, by=u), SelfGrantError,
    ),
    Case("to be staff", student, lambda w, u: users.update_user(u, by=u, is_staff=True), SelfGrantError),
    Case(
        "to be somebody else", student,
        lambda w, u: users.update_user(u, by=u, person=w.sides[OTHER].guardian), SelfGrantError,
    ),
    Case("the end of one's own account", student, lambda w, u: users.deactivate_user(u, by=u), SelfGrantError),
    Case(
        "no second factor for oneself", student,
        lambda w, u: reset_factors(u, by=u, reason="Lost it", at=timezone.now()), ReauthenticationRequiredError,
    ),
    Case(
        "admission of one's own section", student,
        lambda w, u: eligibility.decide_eligibility([w.sides[OWN].section.pk], by=u, at=timezone.now()),
        eligibility.OwnEligibilityError,
    ),
    Case(
        "one's own shortage condoned", student, _decision(eligibility.condone_shortage),
        eligibility.OwnEligibilityError,
    ),
    Case(
        "one's own condonation withdrawn", student, _decision(eligibility.withdraw_condonation),
        eligibility.OwnEligibilityError,
    ),
    *(
        Case(f"{verb.__name__} of {whose}", who, _excuse(verb, status), excusing.OwnExcuseError)
        for whose, who in (("oneself", student), ("what one asked for", _asker))
        for verb, status in (
            (excusing.approve_excuse, "submitted"), (excusing.reject_excuse, "submitted"),
            (excusing.revoke_excuse, "approved"),
        )
    ),
    *(
        Case(f"{what} of one's own section", student, act, SelfMarkingError)
        for what, act in (
            ("roster", _roster), ("excursion", _many), ("marks of a device", _offline), ("import", _imported),
        )
    ),
    *(
        Case(f"{what} of a class of one's own", student, act, SelfMarkingError)
        for what, act in (
            ("check-in", _class(check_in_windows.open_check_in)),
            ("code", _class(check_in_windows.poster)),
            ("cancelling", _class(changing.cancel_session, reason="Ill")),
            ("moving", _class(changing.reschedule_session, **LATER)),
            ("bringing back", _class(reinstating.reinstate_session, "cancelled", reason="Well")),
        )
    ),
    Case(
        "one's own check-in reviewed", student,
        lambda w, u: _now(check_ins.review_check_in)(w.sides[OWN].check_in, u), check_ins.OwnCheckInError,
    ),
    Case(
        "one's own link verified", account_of("guardian"),
        lambda w, u: _now(guardians.verify_guardian)(w.sides[OWN].link, u), guardians.OwnLinkError,
    ),
    Case(
        "consent to one's own link", account_of("guardian"),
        lambda w, u: _now(guardians.record_consent)(w.sides[OWN].link, u), guardians.OwnLinkError,
    ),
    Case(
        "more opened to oneself", account_of("guardian"),
        _link(guardians.update_guardian_link, scopes=["profile", "grades"]), guardians.OwnLinkError,
    ),
    Case(
        "one's own salary", account_of("faculty"),
        lambda w, u: members.update_faculty(w.sides[OWN].faculty, by=u, salary=99_000), members.OwnPostError,
    ),
    Case(
        "one's own leave", account_of("faculty"),
        lambda w, u: _now(members.change_status, status="on_leave")(w.sides[OWN].faculty, u), members.OwnPostError,
    ),
    *(
        Case(f"{verb.__name__} of {whose}", who, _erasure(verb, **more), erasures.SelfApprovalError)
        for whose, who in (("oneself", _subject), ("what one asked for", _asker))
        for verb, more in ((erasures.approve_erasure, {}), (erasures.reject_erasure, {"reason": "Said so"}))
    ),
]  # fmt: skip
