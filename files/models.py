"""What people uploaded, what a scanner found in it, and what refers to it.

The bytes lie in a store that names them by their SHA-256 (`files.store`), so equal ones lie there once. A row never
says that there are bytes before they are safely there, and bytes that no row names are collected.
"""

from datetime import datetime
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.models import BaseQuerySet, CustomField, TimeStampedUUIDModel, VersionedModel

LONGEST_NAME = 255
LONGEST_FINDING = 200
LONGEST_KIND = 100


class ScanState(models.TextChoices):
    """What a scanner for viruses says of a content; where there is a scanner, clean ones alone are handed out."""

    PENDING = "pending", "Not scanned yet"
    CLEAN = "clean", "Nothing found"
    INFECTED = "infected", "Harmful"
    UNSCANNABLE = "unscannable", "Cannot be scanned"


_JUDGED = [ScanState.CLEAN, ScanState.INFECTED, ScanState.UNSCANNABLE]


class FileAssetQuerySet(BaseQuerySet["FileAsset"]):
    def for_api(self) -> Self:
        return self.select_related("owner")

    def live(self) -> Self:
        """Those that were not deleted."""
        return self.filter(deleted_at=None)

    def deleted_before(self, at: datetime) -> Self:
        """Those that were deleted at or before an instant."""
        return self.filter(deleted_at__lte=at)


class FileAsset(VersionedModel):
    """A file as somebody uploaded it: under their name for it, and of the type that its content has.

    It never changes; another content is another file. Deleted, it is out of sight and kept for `FILES_DELETED_KEPT`.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME, help_text="As it was sent.")
    media_type = models.CharField(max_length=100, help_text="By its content, whatever the client said.")
    size = models.PositiveBigIntegerField(help_text="In bytes.")
    sha256 = models.CharField(max_length=64, help_text="Of the content, in hexadecimal.")
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)
    scan_state = models.CharField(
        max_length=20,
        choices=ScanState,
        default=ScanState.PENDING,
        db_default=ScanState.PENDING,
        editable=False,
        help_text="What a scanner for viruses found in the content; `pending` as long as none has looked.",
    )
    scanned_at = models.DateTimeField(null=True, blank=True, editable=False)
    finding = models.CharField(
        max_length=LONGEST_FINDING,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text="What harms, or why it cannot be scanned, in the words of the scanner.",
    )

    objects = FileAssetQuerySet.as_manager()

    class Meta:
        verbose_name = "file"
        verbose_name_plural = "files"
        permissions = (
            ("view_every_file", "Can see every file"),
            ("manage_every_file", "Can delete every file that nothing refers to"),
        )
        indexes = (
            models.Index(fields=["owner", "created_at", "id"], name="files_fileasset_by_owner"),
            models.Index(fields=["sha256"], name="files_fileasset_by_content"),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="files_fileasset_deleted"),
            models.Index(F("scanned_at").asc(nulls_first=True), "sha256", name="files_fileasset_by_scan"),
        )
        constraints = (
            models.CheckConstraint(
                condition=~Q(name=""),
                name="files_fileasset_named",
                violation_error_code="invalid_file_name",
                violation_error_message="A file has a name.",
            ),
            models.CheckConstraint(
                condition=Q(size__gt=0),
                name="files_fileasset_not_empty",
                violation_error_code="empty_file",
                violation_error_message="The file is empty.",
            ),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"),
                name="files_fileasset_digest",
                violation_error_code="invalid",
                violation_error_message="The digest is a SHA-256 in hexadecimal.",
            ),
            models.CheckConstraint(
                condition=Q(scan_state=ScanState.PENDING, scanned_at=None)
                | Q(scan_state__in=_JUDGED, scanned_at__isnull=False),
                name="files_fileasset_scanned",
                violation_error_code="invalid",
                violation_error_message="What was scanned says when, and what was not says nothing.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class FileUploadQuerySet(BaseQuerySet["FileUpload"]):
    def open(self, *, at: datetime) -> Self:
        """Those whose time is not over."""
        return self.filter(expires_at__gt=at)


class FileUpload(TimeStampedUUIDModel):
    """A file that comes in parts: how much of it has, and which file it became.

    Room is kept for the whole of it. It is forgotten when `FILES_UPLOADS_KEPT` have gone since the last part.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=LONGEST_NAME, help_text="What the file is to be called.")
    size = models.PositiveBigIntegerField(help_text="Of the whole file, in bytes.")
    offset = models.PositiveBigIntegerField(default=0, editable=False, help_text="How many bytes have come.")
    expires_at = models.DateTimeField(editable=False, help_text="When it is forgotten, unless more of it comes.")
    file = models.ForeignKey(
        FileAsset,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        editable=False,
        related_name="+",
        help_text="What it became, once all of it had come.",
    )

    objects = FileUploadQuerySet.as_manager()

    class Meta:
        verbose_name = "upload in parts"
        verbose_name_plural = "uploads in parts"
        indexes = (
            models.Index(fields=["owner", "created_at", "id"], name="files_fileupload_by_owner"),
            models.Index(fields=["expires_at"], name="files_fileupload_by_end"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(size__gt=0, offset__lte=F("size")),
                name="files_fileupload_within_size",
                violation_error_code="upload_too_long",
                violation_error_message="This is more than the upload was said to have.",
            ),
            models.CheckConstraint(
                condition=Q(file=None, offset__lt=F("size")) | Q(file__isnull=False, offset=F("size")),
                name="files_fileupload_file_of_whole",
                violation_error_code="conflict",
                violation_error_message="An upload is a file when all of it has come, and not before.",
            ),
        )

    def __str__(self) -> str:
        return self.name


class FileLinkQuerySet(BaseQuerySet["FileLink"]):
    def for_api(self) -> Self:
        return self.select_related("asset")

    def of_kind(self, entity_type: str) -> Self:
        """Those of the records of one kind, named as `app.model`."""
        return self.filter(Q(custom_field__entity_type=entity_type) | Q(entity_type=entity_type))

    def attachments(self, entity_type: str) -> Self:
        """Those by which records of a kind refer to files that are attached to them now."""
        return self.present().filter(custom_field=None, entity_type=entity_type)

    def present(self) -> Self:
        """Those by which a record refers to a file now."""
        return self.filter(ended_at=None)


class FileLink(TimeStampedUUIDModel):
    """That a record refers to a file: by one of its custom fields, or because the file is attached to it.

    Whoever sees the record may read the file. One that has ended gives sight to nobody and keeps no file; it says whom
    the file was about, for as long as it lies.
    """

    asset = models.ForeignKey(FileAsset, on_delete=models.PROTECT, related_name="links")
    # Part of the definition, and of no meaning without it.
    custom_field = models.ForeignKey(
        CustomField,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text="Empty for a file that is attached.",
    )
    entity_type = models.CharField(
        max_length=LONGEST_KIND,
        default="",
        db_default="",
        blank=True,
        editable=False,
        help_text="Of a file that is attached: the kind of the record, which otherwise the custom field says.",
    )
    object_id = models.UUIDField(help_text="The record.")
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    people = ArrayField(
        models.UUIDField(),
        default=list,
        db_default=[],
        blank=True,
        editable=False,
        help_text="Of one that has ended: whose record it was, which may be gone.",
    )

    objects = FileLinkQuerySet.as_manager()

    class Meta:
        verbose_name = "use of a file"
        verbose_name_plural = "uses of files"
        indexes = (models.Index(fields=["object_id"], name="files_filelink_by_record"),)
        constraints = (
            models.UniqueConstraint(
                fields=["custom_field", "object_id"],
                condition=Q(ended_at=None),
                name="files_filelink_one_present",
                violation_error_code="conflict",
                violation_error_message="A record refers to one file by a custom field.",
            ),
            models.UniqueConstraint(
                fields=["object_id", "asset"],
                condition=Q(ended_at=None, custom_field=None),
                name="files_filelink_attached_once",
                violation_error_code="already_attached",
                violation_error_message="The file is attached already.",
            ),
            models.CheckConstraint(
                condition=Q(custom_field__isnull=True) & ~Q(entity_type="")
                | Q(custom_field__isnull=False, entity_type=""),
                name="files_filelink_kind_told",
                violation_error_code="invalid",
                violation_error_message="The custom field says of which kind the record is, or else the link itself.",
            ),
        )

    def __str__(self) -> str:
        return f"{self.object_id}: {self.asset_id}"

    @property
    def kind(self) -> str:
        """Of which kind the record is, as `app.model`."""
        return self.entity_type if self.custom_field is None else self.custom_field.entity_type
