"""Enrolments, as those see them who may know how often a student was there."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("attendance", "0003_codes_and_records"),
        ("enrollment", "0005_identify_enrolments_by_section"),
    ]

    operations = [
        migrations.CreateModel(
            name="Standing",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("enrollment.enrollment",),
        ),
    ]
