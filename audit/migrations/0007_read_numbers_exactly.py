"""How Python reads the column; the column stays as it is."""

from django.db import migrations, models

import core.db.json


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_name_keys")]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="changes",
            field=models.JSONField(decoder=core.db.json.PlainDecoder, null=True),
        ),
    ]
