"""The policy of a section is looked for once for all students whose program has none of its own."""

from importlib import import_module

from django.db import migrations

judging = import_module("attendance.migrations.0022_judge_together_and_tell_in_time")

PROGRAM = "program ON program.student_id = e.student_id AND program.is_primary\n"
# A class has students of many programs, and hardly any program has a policy.
OWN_POLICY = """            AND program.program_id = ANY (
                ARRAY(SELECT program_id FROM attendance_attendancepolicy WHERE program_id IS NOT NULL)
            )
"""
JUDGE = judging._replaced(judging.JUDGE, (PROGRAM, PROGRAM + OWN_POLICY))


class Migration(migrations.Migration):
    dependencies = [("attendance", "0031_show_histories_of_sheets")]

    operations = [migrations.RunSQL(JUDGE, judging.JUDGE)]
