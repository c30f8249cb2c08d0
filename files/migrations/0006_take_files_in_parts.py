import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("files", "0005_find_what_to_scan"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="FileUpload",
            fields=[
                ("id", models.UUIDField(default=core.ids.new_id, editable=False, primary_key=True, serialize=False)),
                (
                    "created_at",
                    models.DateTimeField(auto_now_add=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                (
                    "updated_at",
                    models.DateTimeField(auto_now=True, db_default=django.db.models.functions.datetime.Now()),
                ),
                ("name", models.CharField(help_text="What the file is to be called.", max_length=255)),
                ("size", models.PositiveBigIntegerField(help_text="Of the whole file, in bytes.")),
                (
                    "offset",
                    models.PositiveBigIntegerField(default=0, editable=False, help_text="How many bytes have come."),
                ),
                (
                    "expires_at",
                    models.DateTimeField(editable=False, help_text="When it is forgotten, unless more of it comes."),
                ),
                (
                    "file",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        help_text="What it became, once all of it had come.",
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="files.fileasset",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "upload in parts",
                "verbose_name_plural": "uploads in parts",
                "indexes": [
                    models.Index(fields=["owner", "created_at", "id"], name="files_fileupload_by_owner"),
                    models.Index(fields=["expires_at"], name="files_fileupload_by_end"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("offset__lte", models.F("size")), ("size__gt", 0)),
                        name="files_fileupload_within_size",
                        violation_error_code="upload_too_long",
                        violation_error_message="This is more than the upload was said to have.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("file", None), ("offset__lt", models.F("size"))),
                            models.Q(("file__isnull", False), ("offset", models.F("size"))),
                            _connector="OR",
                        ),
                        name="files_fileupload_file_of_whole",
                        violation_error_code="conflict",
                        violation_error_message="An upload is a file when all of it has come, and not before.",
                    ),
                ],
            },
        ),
    ]
