"""What files say about people."""

from django.conf import settings

from core.privacy import on_erasure, personal
from core.privacy.retention import keep_for
from files import services
from files.models import FileAsset, FileLink, FileUpload
from files.selectors import links_about
from files.services.erasing import content_of, files_of

personal(
    FileAsset,
    says="The files that your records refer to or did, and those that you uploaded and that were never about others.",
    kept="Until they are deleted, and some days longer; erasure removes them.",
    paths=("owner__person",),
    finds=files_of,
    keeps="name media_type size sha256 deleted_at scan_state scanned_at finding",
    attaches=content_of,
    deletes=True,
)
personal(
    FileLink,
    says="Which of your records refers to which file, or did.",
    kept="For as long as the file; erasure removes it.",
    finds=links_about,
    keeps="entity_type object_id ended_at people",
    mentions={"asset": "The file.", "custom_field": "The custom field, if it is by one."},
)
personal(
    FileUpload,
    says="Files that you began to upload and that have not come whole, or only just.",
    kept="For a day after the last part; erasure removes them.",
    paths=("owner__person",),
    keeps="name size offset expires_at",
    mentions={"file": "What it became."},
    deletes=True,
)

on_erasure("files.FileLink of the records", services.erase_links)

keep_for(
    "files.FileAsset, deleted",
    kept=lambda: settings.FILES_DELETED_KEPT,
    basis="Somebody who deleted a file by mistake may have it back.",
    due=lambda at: services.deleted_due(at).count(),
    chore="purge_files",
)
