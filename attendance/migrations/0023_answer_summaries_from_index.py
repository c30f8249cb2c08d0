"""An index that answers by itself what the marks of an enrolment come to."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("attendance", "0022_judge_together_and_tell_in_time")]

    operations = [
        AddIndexConcurrently(
            model_name="attendancesummary",
            index=models.Index(
                fields=["enrollment"],
                include=("counted", "exempt", "attended", "late", "late_attended", "policy", "percent"),
                name="attendance_summary_of_student",
            ),
        ),
    ]
