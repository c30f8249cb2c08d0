"""Whoever supervises a project sees who does it until some time after the cycle, and while they work here."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.roles import Role
from core.visibility import visible
from projects.models import FinalYearProject, ProjectMember
from tests.projects.cycle_factories import ProjectMemberFactory

pytestmark = [pytest.mark.django_db, pytest.mark.checklist(86)]


def seen_by(user):
    return {model: visible(model.objects.all(), user).exists() for model in (FinalYearProject, ProjectMember)}


def test_supervision_ends_with_the_grace_after_the_cycle(user_with, settings, monkeypatch):
    settings.INSTRUCTOR_ACCESS_GRACE = timedelta(days=120)
    member = ProjectMemberFactory()
    day = timezone.localtime(member.cycle.ends_at) + settings.INSTRUCTOR_ACCESS_GRACE
    last = day.replace(hour=23, minute=59, second=59, microsecond=0)
    user = user_with(Role.FACULTY, "self", person=member.project.supervisor.person)

    for moment, sees in ((last, True), (last + timedelta(seconds=1), False)):
        monkeypatch.setattr(timezone, "now", lambda moment=moment: moment)

        assert seen_by(user) == {FinalYearProject: sees, ProjectMember: sees}


def test_supervision_ends_with_the_last_role_that_is_no_students(user_with):
    member = ProjectMemberFactory()

    user = user_with(Role.STUDENT, "self", person=member.project.supervisor.person)

    assert seen_by(user) == {FinalYearProject: False, ProjectMember: False}
