"""Marks of students in sessions are imported as well."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("interop", "0002_take_imports_back_in_steps"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="importjob",
            name="interop_importjob_kind_known",
        ),
        migrations.AlterField(
            model_name="importjob",
            name="kind",
            field=models.CharField(
                choices=[
                    ("students", "Students"),
                    ("faculty", "Faculty"),
                    ("departments", "Departments"),
                    ("programs", "Programs"),
                    ("courses", "Courses"),
                    ("sections", "Sections"),
                    ("enrollments", "Enrolments"),
                    ("attendance", "Attendance"),
                    ("oulad", "Open University Learning Analytics Dataset"),
                    ("uiuc_catalogue", "University of Illinois course catalogue"),
                    ("oneroster", "OneRoster 1.2 CSV package"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddConstraint(
            model_name="importjob",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "students",
                            "faculty",
                            "departments",
                            "programs",
                            "courses",
                            "sections",
                            "enrollments",
                            "attendance",
                            "oulad",
                            "uiuc_catalogue",
                            "oneroster",
                        ],
                    )
                ),
                name="interop_importjob_kind_known",
                violation_error_code="invalid_choice",
                violation_error_message="The kind of an import is not one of the known ones.",
            ),
        ),
    ]
