"""The months of the logs are made as those of every table that is kept by month."""

from django.db import migrations

from core.partitions.operations import KeepMonthly

FORMER = """
DROP FUNCTION IF EXISTS audit_keep(regclass);
DROP FUNCTION audit_make_partitions(date);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("audit", "0007_read_numbers_exactly"),
        ("core", "0007_partition_by_month"),
    ]

    operations = [
        KeepMonthly("audit_event"),
        KeepMonthly("audit_disclosure"),
        KeepMonthly("audit_change"),
        migrations.RunSQL(FORMER, migrations.RunSQL.noop),
    ]
