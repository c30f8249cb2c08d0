import django.db.models.functions.comparison
from django.db import migrations, models

import core.search


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_extensions"),
        ("accounts", "0008_count_guesses"),
    ]

    operations = [
        migrations.AddField(
            model_name="person",
            name="search_name",
            field=models.GeneratedField(
                db_persist=True,
                expression=core.search.Words(
                    django.db.models.functions.comparison.Coalesce(
                        django.db.models.functions.comparison.Coalesce(
                            django.db.models.functions.comparison.NullIf("preferred_name", models.Value("")),
                            "first_name",
                        ),
                        models.Value(""),
                    ),
                    django.db.models.functions.comparison.Coalesce(models.F("last_name"), models.Value("")),
                ),
                output_field=models.TextField(),
            ),
        ),
    ]
