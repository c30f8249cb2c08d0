import django.core.validators
from django.db import migrations, models

import core.security.fields


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0003_name_enrolments"),
    ]

    operations = [
        migrations.AddField(
            model_name="student",
            name="accommodation_note",
            field=core.security.fields.EncryptedTextField(
                blank=True,
                help_text="What the student is granted, such as more time in exams.",
                max_length=2000,
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="student",
            name="home_address",
            field=models.TextField(
                blank=True, db_default="", validators=[django.core.validators.MaxLengthValidator(500)]
            ),
        ),
    ]
