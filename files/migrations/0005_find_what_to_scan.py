"""Find what is to be scanned first, and let a verdict say when it was given."""

from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("files", "0004_say_what_was_scanned"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="fileasset",
            index=models.Index(
                models.OrderBy(models.F("scanned_at"), nulls_first=True),
                models.F("sha256"),
                name="files_fileasset_by_scan",
            ),
        ),
        AddConstraintNotValid(
            model_name="fileasset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("scan_state", "pending"),
                    ("scanned_at", None),
                )
                | models.Q(("scan_state__in", ["clean", "infected", "unscannable"]), ("scanned_at__isnull", False)),
                name="files_fileasset_scanned",
                violation_error_code="invalid",
                violation_error_message="What was scanned says when, and what was not says nothing.",
            ),
        ),
        ValidateConstraint(model_name="fileasset", name="files_fileasset_scanned"),
    ]
