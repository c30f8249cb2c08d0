"""Find the reservations that are in their rooms together with others."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("departments", "0005_terms_within_years"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="roomreservation",
            index=models.Index(
                condition=models.Q(("conflict_waived", True)),
                fields=["room"],
                name="departments_reservation_waived",
            ),
        ),
    ]
