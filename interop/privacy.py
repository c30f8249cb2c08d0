"""What imports and exports say about people."""

from django.conf import settings
from django.db.models import Q

from core.privacy import Subject, impersonal, on_erasure, personal
from core.privacy.retention import keep_for
from interop.models import ExportJob, ExternalIdentifier, ImportedValue, ImportJob, ImportJobEvent, ImportRow
from interop.services import jobs_due, purge_jobs, retention
from interop.services.erasing import empty_refused_rows
from interop.services.forgetting import forget_in_tables


def _about(subject: Subject) -> Q:
    return Q(object_id__in=subject.ids)


personal(
    ExternalIdentifier,
    says="The names by which other systems know you and the records about you.",
    kept="For as long as the record that it names; erasure removes it.",
    finds=_about,
    keeps="scheme value entity_type object_id",
    deletes=True,
)
personal(
    ImportedValue,
    says="What the last import wrote into the records about you.",
    kept="For as long as the record; erasure removes it.",
    finds=_about,
    keeps="entity_type object_id values",
    deletes=True,
)
personal(
    ImportRow,
    says="What imported files said about you.",
    kept="For as long as the import is kept; erasure empties it.",
    finds=_about,
    keeps="position file row_no resource action object_id applied_at",
    clears="natural_key external_id raw values initial reasons notes before written",
    mentions={"job": "The import that it belongs to."},
)
personal(
    ImportJob,
    says="The imports that you asked for.",
    kept="For as long as what they wrote is on record.",
    paths=("actor__person",),
    keeps=(
        "kind file_name sha256 mapping options state counts rows_total rows_done rows_read reversal has_effect "
        "is_forced errors remarks validated_at applied_at reverted_at"
    ),
    withholds={
        "stored_path is_uploaded applied_to run_id is_reversal_forced seconds peak_mb": "How the work was done.",
    },
)
personal(
    ExportJob,
    says="The tables that you asked for.",
    kept="For 90 days, and the file of each for three.",
    paths=("requested_by__person",),
    keeps="kind format state failure sha256 size rows rows_total started_at ready_at expires_at downloaded_at",
    becomes={"filters": {}},
    withholds={"run_id stored_name attempts reach": "How the work was done."},
)
impersonal(
    ImportJobEvent,
    job="The import that it belongs to.",
    actor="Who asked for the step, in the course of their work.",
)
on_erasure("interop.ImportRow, refused", empty_refused_rows)
on_erasure("interop.ExportJob, showing or naming", forget_in_tables)

keep_for(
    "interop.ImportRow",
    kept=lambda: settings.IMPORT_ROWS_KEPT,
    basis="An import can be taken back, and its report explains the records, for a year.",
    due=lambda at: retention.rows_due(at).count(),
    apply=retention.purge_rows,
)
keep_for(
    "uploaded files of imports",
    kept=lambda: settings.IMPORT_FILES_KEPT,
    basis="A file is read again, by validating it, when its rows raise questions.",
    due=lambda at: len(retention.files_due(at)),
    apply=retention.discard_files,
)
keep_for(
    "files of interop.ExportJob",
    kept=lambda: settings.EXPORTS_KEPT,
    basis="Long enough to fetch it, and it shows people as they were.",
    due=lambda at: ExportJob.objects.overdue(at).count(),
    chore="tend_exports",
)
keep_for(
    "interop.ExportJob",
    kept=lambda: settings.EXPORT_JOBS_KEPT,
    basis="A failure is looked into within a term; who was shown what is in the logs for good.",
    due=lambda at: jobs_due(at, settings.EXPORT_JOBS_KEPT).count(),
    apply=lambda at: purge_jobs(at, settings.EXPORT_JOBS_KEPT),
)
