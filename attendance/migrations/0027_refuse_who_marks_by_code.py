"""Whoever may mark a class is not let in to it by its code; and classes that were cancelled come back, with a note."""

from django.db import migrations, models

BEFORE = [
    "accepted", "check_in_closed", "check_in_early", "token_invalid", "token_early", "token_expired", "not_expected",
    "check_in_replayed", "wrong_network", "wrong_place", "device_shared", "device_elsewhere", "session_cancelled",
    "session_locked", "session_closed", "session_not_begun",
]  # fmt: skip
AFTER = [*BEFORE[:7], "self_marking", *BEFORE[7:]]
NAME = "attendance_checkinevent_outcome_known"


def known(outcomes: list[str]) -> list[str]:
    """Return what lets an attempt have one of these outcomes; the rows are looked at while others write."""
    listed = ", ".join(f"'{outcome}'" for outcome in outcomes)
    return [
        f"ALTER TABLE attendance_checkinevent DROP CONSTRAINT IF EXISTS {NAME}",
        f"ALTER TABLE attendance_checkinevent ADD CONSTRAINT {NAME} CHECK (outcome IN ({listed})) NOT VALID",
        f"ALTER TABLE attendance_checkinevent VALIDATE CONSTRAINT {NAME}",
    ]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("attendance", "0026_say_why_sheets_are_opened_again")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(known(AFTER), known(BEFORE))],
            state_operations=[
                migrations.RemoveConstraint(model_name="checkinevent", name=NAME),
                migrations.AlterField(
                    model_name="checkinevent",
                    name="outcome",
                    field=models.CharField(
                        choices=[
                            ("accepted", "Accepted"),
                            ("check_in_closed", "Nobody was checking in"),
                            ("check_in_early", "Too early"),
                            ("token_invalid", "Token not of this session"),
                            ("token_early", "Token not shown yet"),
                            ("token_expired", "Token not shown any more"),
                            ("not_expected", "Not of this class"),
                            ("self_marking", "Marks this class"),
                            ("check_in_replayed", "Checked in already"),
                            ("wrong_network", "Wrong network"),
                            ("wrong_place", "Wrong place"),
                            ("device_shared", "Device of another student"),
                            ("device_elsewhere", "Device in another session"),
                            ("session_cancelled", "Session cancelled"),
                            ("session_locked", "Sheet locked"),
                            ("session_closed", "Sheet closed"),
                            ("session_not_begun", "Session to come"),
                        ],
                        max_length=20,
                    ),
                ),
                migrations.AddConstraint(
                    model_name="checkinevent",
                    constraint=models.CheckConstraint(
                        condition=models.Q(("outcome__in", AFTER)),
                        name=NAME,
                        violation_error_code="invalid_choice",
                        violation_error_message="The outcome is not one of the known ones.",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="classsession",
            name="changed_by_hand",
            field=models.BooleanField(
                default=False,
                editable=False,
                help_text="Moved, cancelled or brought back by somebody: the timetable leaves it as it is.",
            ),
        ),
        migrations.AlterField(
            model_name="classsession",
            name="note",
            field=models.CharField(
                blank=True, help_text="Why it was moved, cancelled or brought back.", max_length=500
            ),
        ),
    ]
