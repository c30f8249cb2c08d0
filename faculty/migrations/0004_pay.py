from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_hold_roles_where_they_mean_something"),
        ("departments", "0002_department_tree"),
        ("faculty", "0003_let_erasure_empty_reasons"),
    ]

    operations = [
        migrations.AddField(
            model_name="faculty",
            name="salary",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="Gross pay of a year for a full post, in the institution's currency.",
                max_digits=12,
                null=True,
            ),
        ),
        migrations.AddConstraint(
            model_name="faculty",
            constraint=models.CheckConstraint(
                condition=models.Q(("salary__gte", 0)),
                name="faculty_faculty_salary_not_negative",
                violation_error_code="salary_negative",
                violation_error_message="A salary is not negative.",
            ),
        ),
    ]
