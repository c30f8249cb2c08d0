"""Roles are held within scopes that open what they are for; what was given elsewhere is taken away."""

from django.db import migrations, models

_IN_PARTS = ["department_head", "program_coordinator", "teaching_assistant"]
_OF_STUDENTS = ["auditor", "exam_controller", "examiner", "integration", "registrar"]
_OF_MONEY = ["campaign_manager", "finance_approver", "finance_officer"]
_TEACHING = ["advisor", "faculty"]
HELD = {
    "institution": [*_OF_STUDENTS, *_OF_MONEY, "facilities_manager", "hr_officer", "system_admin"],
    "department": [*_IN_PARTS, *_OF_STUDENTS, *_OF_MONEY, *_TEACHING, "hr_officer"],
    "program": [*_IN_PARTS, *_OF_STUDENTS, *_OF_MONEY, *_TEACHING],
    "section": [*_IN_PARTS, *_OF_STUDENTS, *_TEACHING],
    "self": [*_TEACHING, "guardian", "student"],
}
FITTING = models.Q(
    *(models.Q(role__in=sorted(roles), scope_kind=kind) for kind, roles in HELD.items()), _connector=models.Q.OR
)


def take_away_what_opens_nothing(apps, schema_editor):
    """Delete assignments that no request could give any more, ended ones as well; say which, their history keeps them."""
    taken = apps.get_model("accounts", "RoleAssignment").objects.exclude(FITTING)
    for role, kind, number in taken.values_list("role", "scope_kind").annotate(models.Count("pk")).order_by():
        print(f"{number} x {role} within {kind}: taken away, for the role is not held within that")  # noqa: T201 - the migration's only way to say so
    taken.delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0019_say_how_long_an_identity_lasts"),
    ]

    operations = [
        migrations.RunPython(take_away_what_opens_nothing, migrations.RunPython.noop, elidable=True),
        migrations.RemoveConstraint(
            model_name="roleassignment",
            name="accounts_roleassignment_scope_fits_role",
        ),
        migrations.AddConstraint(
            model_name="roleassignment",
            constraint=models.CheckConstraint(
                condition=FITTING,
                name="accounts_roleassignment_scope_fits_role",
                violation_error_code="scope_not_for_role",
                violation_error_message="This role is not held within a scope of this kind.",
            ),
        ),
    ]
