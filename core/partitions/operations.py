"""What a migration does to have a table kept by month."""

from django.db.migrations.operations import RunSQL


class KeepMonthly(RunSQL):
    """Keep a table by month from now on.

    The migration has made it, `PARTITION BY RANGE` of one column, a date or an instant, which is part of its primary
    key. The operation gives it the partition for what no month was made for, the present month and three ahead; the
    table is one of those whose months the application may have made. What refuses its TRUNCATE is there already.
    """

    def __init__(self, table: str) -> None:
        self.table = table
        super().__init__(
            [("SELECT core_keep_monthly(quote_ident(%s)::regclass)", [table])],
            [("DELETE FROM core_partitioned WHERE table_name = %s", [table])],
        )

    def deconstruct(self) -> tuple[str, list[str], dict[str, str]]:
        return type(self).__qualname__, [self.table], {}

    def describe(self) -> str:
        return f"Keep {self.table} by month"
