"""Flag whoever is let in to two classes at one time."""

import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0028_say_why_closed_sheets_are_changed"),
    ]

    operations = [
        migrations.AlterField(
            model_name="checkinevent",
            name="flags",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(
                    choices=[
                        ("shared_device", "Device used by several students"),
                        ("impossible_place", "Too far from the place before"),
                        ("burst", "Many attempts in a minute"),
                        ("two_places", "In another class at the time"),
                    ],
                    max_length=20,
                ),
                blank=True,
                default=list,
                size=None,
            ),
        ),
    ]
