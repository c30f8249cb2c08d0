from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("enrollment", "0005_identify_enrolments_by_section"),
    ]

    operations = [
        migrations.AlterField(
            model_name="enrollment",
            name="result",
            field=models.CharField(
                blank=True,
                choices=[
                    ("pass", "Pass"),
                    ("distinction", "Distinction"),
                    ("fail", "Fail"),
                    ("withdrawn", "Withdrawn"),
                ],
                help_text="The outcome, as whoever completed the enrolment or another system said; empty until then.",
                max_length=12,
            ),
        ),
    ]
