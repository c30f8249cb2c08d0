"""What is handed in for a milestone: each time a version of its own, which stays as it was."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from core import crud
from core.customfields.errors import FileUnavailableError
from core.db.constraints import refusal, refusing
from core.errors import ConflictError, DomainError, InUseError, InvalidError, raise_all
from core.visibility import Actor
from files.models import FileAsset, ScanState
from projects.models import CyclePhase, Milestone, MilestoneStatus, Submission, SubmissionFile
from projects.services.cycles import hold_cycle, require_phase
from projects.services.milestones import STEPS

SUBMITTED_IN = (CyclePhase.WORK, CyclePhase.DEFENCES)


class SubmissionImmutableError(ConflictError):
    """What was handed in would be changed."""

    code = "immutable"
    title = "What was handed in stays as it was."


class FileRepeatedError(InvalidError):
    """A file is named twice."""

    code = "file_repeated"
    title = "A file is handed in twice."
    field = "files"


refusal("projects_submission_immutable", SubmissionImmutableError)
refusal("projects_submission_kept", SubmissionImmutableError)
refusal("projects_submission_whole", SubmissionImmutableError)
refusal("projects_submissionfile_immutable", SubmissionImmutableError)
refusal("projects_submissionfile_in_time", SubmissionImmutableError)
refusal("projects_submissionfile_present", FileUnavailableError)
refusal("projects_submissionfile_keeps_file", InUseError)


@transaction.atomic
def submit_milestone(
    milestone: Milestone,
    *,
    by: Actor | None,
    at: datetime,
    statement: str = "",
    files: Sequence[FileAsset] = (),
) -> Milestone:
    """Hand in what is due: a new version, with these files in this order, none of which anybody deletes any more.

    It is late after the time until which it is due by then, and taken all the same. Refused with `phase_not_open`,
    `milestone_transition`, `file_repeated`, and with `file_unavailable` for each file that is not there any more or
    that a scanner found to be harmful.
    """
    require_phase(hold_cycle(milestone.project.cycle), *SUBMITTED_IN, at=at)
    raise_all(_faults(files))
    STEPS.take(milestone, MilestoneStatus.SUBMITTED, by=by, at=at)
    facts = {"milestone": milestone, "statement": statement, "submitted_by": by, "submitted_at": at}
    submission = crud.create(Submission, {**facts, "due_at": milestone.due, "files_count": len(files)})
    with refusing():
        SubmissionFile.objects.bulk_create(
            SubmissionFile(submission=submission, position=position, asset=asset)
            for position, asset in enumerate(files, start=1)
        )
    return milestone


def _faults(files: Sequence[FileAsset]) -> list[DomainError]:
    errors: list[DomainError] = [
        FileUnavailableError(field=f"files.{place}")
        for place, asset in enumerate(files)
        if asset.deleted_at is not None or asset.scan_state == ScanState.INFECTED
    ]
    if len({asset.pk for asset in files}) < len(files):
        errors.append(FileRepeatedError())
    return errors
