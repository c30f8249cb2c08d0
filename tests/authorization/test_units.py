"""Roles that are held for a unit, each of them: what lies outside of the unit stays out of sight.

Rows that are everybody's business are named here, model by model, and so are those that follow from other rows.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from accounts.roles import SCOPES, Role, ScopeKind, permissions_of
from core import visibility
from core.visibility import visible
from tests.accounts.factories import RoleAssignmentFactory, UserFactory
from tests.authorization.sight import Case, row_of
from tests.authorization.world import OTHER, OWN, World

pytestmark = [pytest.mark.django_db, pytest.mark.sweep, pytest.mark.checklist(1, 4)]

UNITS = (ScopeKind.DEPARTMENT, ScopeKind.PROGRAM, ScopeKind.SECTION)
# The structure of the university, and what is offered to all who study.
EVERYBODYS = {
    *("AcademicYear", "Appointment", "Building", "CalendarEvent", "Campus", "CustomField", "Department", "Program"),
    *("Room", "RoomReservation", "Term", "TermStateEvent"),
    *("Course", "CourseVersion", "Meeting", "MeetingSection", "Requisite", "RequisiteCourse", "Section"),
    *("SectionInstructor", "SectionStatusEvent"),
    *("AttendanceCode", "AttendancePolicy", "ClassSession"),
    *("PlannedMilestone", "ProjectCycle", "SupervisorCapacity", "Topic"),
}
# Of the whole university for whoever holds the permission anywhere: who works here, and how to reach whom.
FOR_HOLDERS = {"Faculty": "faculty.view_faculty", "DirectoryEntry": "directory.view_directoryentry"}
# Each is in sight with the row whose history it is, or which it is part of, and for whom that is so tells its own test.
FOLLOWING = {
    *("Change", "Disclosure", "EnrollmentEvent", "Event", "ExcuseEvent", "ImportRow", "ProgramEnrollmentEvent"),
    *("StudentStatusEvent", "SubstitutionEvent"),
}


def models() -> dict[str, Any]:
    """Return the models that any rule of sight opens, by name."""
    opened = {model for model, _ in visibility._grants if model._meta.app_label != "testapp"}
    return {model.__name__: model for model in opened}


def holders(world: World) -> Iterator[tuple[Role, ScopeKind, User]]:
    """Return somebody for each role and kind of unit: nobody in person, and with no other role."""
    own = world.sides[OWN]
    units = dict(zip(UNITS, (own.department, own.program, own.section), strict=True))
    for role, kinds in SCOPES.items():
        for kind in set(kinds) & set(units):
            user = UserFactory(person=None)
            RoleAssignmentFactory(user=user, role=role, scope_kind=kind, scope_id=units[kind].pk)
            yield role, kind, User.objects.get(pk=user.pk)


def is_expected(name: str, role: Role, sight: str) -> bool:
    if sight == "manage":
        return False
    return name in EVERYBODYS or (name in FOR_HOLDERS and FOR_HOLDERS[name] in permissions_of(role))


def test_a_role_for_a_unit_opens_nothing_outside_of_it(world: World) -> None:
    found = []
    with transaction.atomic():
        actors = list(holders(world))
        for name, model in models().items():
            if name in FOLLOWING:
                continue
            # Rows of two models may come with one that is there once.
            with transaction.atomic():
                row = row_of(Case(model, Role.EXAMINER), world, OTHER, actors[0][2])
                for role, kind, user in actors:
                    for sight in ("view", "manage"):
                        opened = visible(model._base_manager.filter(pk=row.pk), user, to=sight).exists()
                        if opened != is_expected(name, role, sight):
                            found.append(f"{role.value} ({kind.value}): {name} of elsewhere to {sight}: {opened}")
                transaction.set_rollback(True)
        transaction.set_rollback(True)
    assert found == []


def test_every_name_is_that_of_a_model() -> None:
    assert (EVERYBODYS | FOR_HOLDERS.keys() | FOLLOWING) - models().keys() == set()
