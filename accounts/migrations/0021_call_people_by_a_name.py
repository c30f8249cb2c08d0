import django.db.models.functions.comparison
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0020_hold_roles_where_they_mean_something"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="called_name",
            field=models.GeneratedField(
                db_persist=True,
                expression=django.db.models.functions.comparison.Coalesce(
                    django.db.models.functions.comparison.NullIf("preferred_name", models.Value("")), "first_name"
                ),
                output_field=models.CharField(max_length=150),
            ),
        ),
    ]
