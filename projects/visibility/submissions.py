"""Sight of what was handed in: for who does the project, who supervises it, and who plans the cycle; with its files."""

from typing import Any

from django.db.models import Q

from core.visibility import grants, visible
from files.models import FileAsset
from projects.models import Submission, SubmissionFile
from projects.visibility.cycles import of_cycles_planned_by
from projects.visibility.final_year import done_by, supervised_by
from projects.visibility.milestones import of_milestones, of_projects

VIEW = "projects.view_submission"


@grants(Submission)
def members_see_what_was_handed_in(actor: Any) -> Q | None:
    return of_milestones(done_by(actor, "project"))


@grants(Submission)
def supervisors_see_what_was_handed_in(actor: Any) -> Q | None:
    return of_milestones(of_projects(supervised_by(actor)))


@grants(Submission)
def those_in_charge_of_a_program_see_what_was_handed_in(actor: Any) -> Q | None:
    return of_milestones(of_projects(of_cycles_planned_by(actor, VIEW)))


@grants(FileAsset)
def whoever_sees_what_was_handed_in_reads_its_files(actor: Any) -> Q | None:
    if not actor.has_perm(VIEW):
        return None
    rows = visible(Submission.objects.all(), actor)
    if rows.query.is_empty():
        return None
    # Sight of every version is no condition at all.
    files = SubmissionFile.objects.all()
    if rows.query.where:
        files = files.filter(submission__in=rows.values("pk"))
    return Q(pk__in=files.values("asset"), deleted_at=None)
