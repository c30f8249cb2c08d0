"""What files say about people."""

from django.conf import settings
from django.db.models import Q

from core.privacy import on_erasure, personal
from core.privacy.retention import keep_for
from files import services
from files.models import FileAsset, FileLink
from files.services.erasing import content_of, files_of

personal(
    FileAsset,
    says="The files that your records refer to, and those that you uploaded, unless a record of others refers to them.",
    kept="Until they are deleted, and some days longer; erasure removes them.",
    paths=("owner__person",),
    finds=files_of,
    keeps="name media_type size sha256 deleted_at",
    attaches=content_of,
    deletes=True,
)
personal(
    FileLink,
    says="Which of your records refers to which file.",
    kept="For as long as the record does; erasure removes it.",
    finds=lambda subject: Q(object_id__in=subject.ids),
    keeps="object_id",
    mentions={"asset": "The file.", "custom_field": "The custom field."},
)
on_erasure("files.FileLink of the records", services.erase_links)

keep_for(
    "files.FileAsset, deleted",
    kept=lambda: settings.FILES_DELETED_KEPT,
    basis="Somebody who deleted a file by mistake may have it back.",
    due=lambda at: services.deleted_due(at).count(),
    chore="purge_files",
)
