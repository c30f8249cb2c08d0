from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0002_numbers_and_histories"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="programenrollment",
            options={"verbose_name": "program enrolment", "verbose_name_plural": "program enrolments"},
        ),
        migrations.AlterModelOptions(
            name="programenrollmentevent",
            options={"verbose_name": "program enrolment event", "verbose_name_plural": "program enrolment events"},
        ),
    ]
