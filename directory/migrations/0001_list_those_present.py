"""The view of everybody whom others may find: those who are here, without those who have opted out."""

import django.db.models.deletion
from django.db import migrations, models

CREATE = """
CREATE VIEW directory_entry (id, kind, person_id, department_id) AS
    SELECT id, 'student', person_id, department_id FROM students_student
    WHERE NOT directory_opt_out AND status IN ('active', 'leave_of_absence', 'suspended')
UNION ALL
    SELECT id, 'faculty', person_id, department_id FROM faculty_faculty WHERE status IN ('active', 'on_leave')
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("students", "0005_opt_out_of_directory"), ("faculty", "0002_numbers_and_histories")]

    operations = [
        migrations.RunSQL(CREATE, "DROP VIEW directory_entry"),
        migrations.CreateModel(
            name="DirectoryEntry",
            fields=[
                ("id", models.UUIDField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("student", "Student"), ("faculty", "Faculty")], max_length=8)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="accounts.person"
                    ),
                ),
                (
                    "department",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.DO_NOTHING, related_name="+", to="departments.department"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "directory entries",
                "db_table": "directory_entry",
                "managed": False,
            },
        ),
    ]
