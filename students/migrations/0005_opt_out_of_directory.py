from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("students", "0004_protect_addresses_and_accommodations"),
    ]

    operations = [
        migrations.AddField(
            model_name="student",
            name="directory_opt_out",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="The student is in no directory: nobody finds them without a reason.",
            ),
        ),
    ]
