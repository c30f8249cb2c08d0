"""What the handling of privacy itself says about people."""

from django.conf import settings

from core.privacy import personal
from core.privacy.retention import keep_for, name_holds
from privacy.models import ErasureRequest, LegalHold, SubjectExport, held_people

personal(
    SubjectExport,
    says="When your data was asked for like this, by whom and what for.",
    kept="For good, without the file, which is kept for a week: it is evidence that the request was met.",
    paths=("person",),
    keeps="state failure sha256 size rows ready_at expires_at downloaded_at",
    clears="reason",
    withholds={"run_id stored_name": "How the work was done."},
    mentions={"requested_by": "Who asked for it: yourself, or somebody who answers for the records."},
)
personal(
    ErasureRequest,
    says="When your erasure was asked for, and what was decided.",
    kept="For good: it is evidence that the request was met.",
    paths=("person",),
    keeps="state decided_at erased_at failure counts",
    clears="reason",
    mentions={
        "requested_by": "Who asked for it: yourself, or somebody who answers for the records.",
        "decided_by": "Who decided on it, in the course of their work.",
    },
)
personal(
    LegalHold,
    says="From when until when your records were kept for a case or by order.",
    kept="For good: it explains why records were kept.",
    paths=("person",),
    keeps="placed_at released_at",
    becomes={"reason": "[erased]"},
    withholds={"reason": "It belongs to the case."},
    mentions={
        "placed_by": "Who placed it, in the course of their work.",
        "released_by": "Who released it, in the course of their work.",
    },
)

name_holds(lambda: held_people().values_list("pk", flat=True))
keep_for(
    "files of privacy.SubjectExport",
    kept=lambda: settings.SUBJECT_EXPORTS_KEPT,
    basis="Long enough to fetch it, and it holds everything about somebody.",
    due=lambda at: SubjectExport.objects.overdue(at).count(),
    chore="purge_exports",
)
