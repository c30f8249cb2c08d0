"""Everything that changes imports, and through them what they import; and what makes exports."""

from interop.services.application import AlreadyImportedError, apply
from interop.services.counting import over_capacity, reversal_summary, summary
from interop.services.exporting import (
    TooManyExportsError,
    delete_export,
    jobs_due,
    open_export,
    purge_jobs,
    request_export,
    require_fetchable,
    tend_exports,
)
from interop.services.failure import fail, refuse
from interop.services.jobs import (
    InForceError,
    UnknownOptionError,
    delete_job,
    from_path,
    is_past_validation,
    request_application,
    request_resumption,
    request_validation,
    upload,
)
from interop.services.making import make_export
from interop.services.reporting import report
from interop.services.reversal import ChangedSinceError, request_reversal, revert, take_back
from interop.services.states import SupersededError, TransitionError, requester
from interop.services.validation import validate

__all__ = [
    "AlreadyImportedError",
    "ChangedSinceError",
    "InForceError",
    "SupersededError",
    "TooManyExportsError",
    "TransitionError",
    "UnknownOptionError",
    "apply",
    "delete_export",
    "delete_job",
    "fail",
    "from_path",
    "is_past_validation",
    "jobs_due",
    "make_export",
    "open_export",
    "over_capacity",
    "purge_jobs",
    "refuse",
    "report",
    "request_application",
    "request_export",
    "request_resumption",
    "request_reversal",
    "request_validation",
    "requester",
    "require_fetchable",
    "reversal_summary",
    "revert",
    "summary",
    "take_back",
    "tend_exports",
    "upload",
    "validate",
]
