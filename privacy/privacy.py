"""What the handling of privacy itself says about people."""

from core.privacy import personal
from privacy.models import SubjectExport

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
