from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

import core.db.indexes
import core.search


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("accounts", "0009_find_people_by_shown_name"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="person",
            index=core.db.indexes.NamedGinIndex(
                core.search.Document(models.F("search_name")), name="accounts_person_shown_words"
            ),
        ),
        AddIndexConcurrently(
            model_name="person",
            index=core.db.indexes.NamedGinIndex(
                fields=["search_name"], name="accounts_person_shown_trigrams", opclasses=["gin_trgm_ops"]
            ),
        ),
    ]
