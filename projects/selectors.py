"""What others ask about projects, and whose final projects are."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q

from core.privacy import Subject
from projects.kinds import written_kinds
from projects.models import FinalYearProject, Milestone, ProjectMember, Submission


def own_projects_of(subject: Subject) -> Q:
    """Match what somebody planned for themselves; a kind that is written apart says itself whose its projects are."""
    types = [kind.project_type for kind in written_kinds()]
    return Q(owner__person__in=subject.people, project_type__in=types)


def people_who_do(project: FinalYearProject | None) -> Iterable[UUID]:
    """Return the people who do a project, or did and left; asked of the database when they are looked at."""
    return ProjectMember.objects.filter(project=project).values_list("student__person", flat=True)


def people_behind(projects: Collection[UUID]) -> list[UUID]:
    """Return the people who do any of these projects, or did."""
    members = ProjectMember.objects.filter(project__in=list(projects))
    return list(members.order_by().values_list("student__person", flat=True).distinct())


def done_projects(subject: Subject) -> Q:
    """Match the projects, under `project`, that somebody does or did."""
    members = ProjectMember.objects.filter(student__person__in=subject.people)
    return Q(project__in=members.values("project"))


def done_milestones(subject: Subject) -> Q:
    """Match what is due in those projects, under `milestone`."""
    return Q(milestone__in=Milestone.objects.filter(done_projects(subject)).values("pk"))


def done_submissions(subject: Subject) -> Q:
    """Match what was handed in for those, under `submission`."""
    return Q(submission__in=Submission.objects.filter(done_milestones(subject)).values("pk"))
