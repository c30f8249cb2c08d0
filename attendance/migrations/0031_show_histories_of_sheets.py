"""What happened on a sheet is seen by others than the sheet itself."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("attendance", "0030_mark_nobody_in_closed_terms")]

    operations = [
        migrations.CreateModel(
            name="SheetHistory",
            fields=[],
            options={"proxy": True, "indexes": [], "constraints": []},
            bases=("attendance.classsession",),
        ),
    ]
