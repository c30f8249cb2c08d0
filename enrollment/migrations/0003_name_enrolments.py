from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("enrollment", "0002_seats_and_histories"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="enrollment",
            options={"verbose_name": "enrolment", "verbose_name_plural": "enrolments"},
        ),
        migrations.AlterModelOptions(
            name="enrollmentevent",
            options={"verbose_name": "enrolment event", "verbose_name_plural": "enrolment events"},
        ),
    ]
