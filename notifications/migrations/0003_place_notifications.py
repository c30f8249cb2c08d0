from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0001_make_event_and_disclosure_logs"),
        ("notifications", "0002_call_programs"),
    ]

    operations = [
        # Without a default at first, which every row would have to be written anew for: what was told before is on no
        # stream.
        migrations.AddField(
            model_name="notification",
            name="told_in",
            field=models.BigIntegerField(
                editable=False,
                help_text="The number of its transaction, by which streams know what comes after what.",
                null=True,
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="told_in",
            field=models.BigIntegerField(
                db_default=models.Func(function="audit_xact", output_field=models.BigIntegerField()),
                editable=False,
                help_text="The number of its transaction, by which streams know what comes after what.",
                null=True,
            ),
        ),
    ]
