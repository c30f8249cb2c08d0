"""What others ask about projects."""

from django.db.models import Q

from core.privacy import Subject
from projects.kinds import written_kinds


def own_projects_of(subject: Subject) -> Q:
    """Match what somebody planned for themselves; a kind that is written apart says itself whose its projects are."""
    types = [kind.project_type for kind in written_kinds()]
    return Q(owner__person__in=subject.people, project_type__in=types)
