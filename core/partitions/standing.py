"""How the months of the declared tables stand: which are there, and what wants doing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg import sql

from core.partitions.declarations import declared
from core.partitions.months import later, month_in, month_of

Asked = sql.SQL | sql.Composed
# More rows than these are not counted: whether there are any is what matters.
MOST_COUNTED = 10_000

_TABLES = """
    SELECT whole.relname, part.relname, part.oid = partdefid, inhrelid IS NOT NULL, pg_total_relation_size(part.oid)
    FROM pg_partitioned_table JOIN pg_class AS whole ON whole.oid = partrelid
    JOIN pg_class AS part ON part.relnamespace = whole.relnamespace AND part.relkind = 'r'
        AND (part.oid = partdefid OR part.relname ~ ('^' || whole.relname || '_[0-9]{{6}}$'))
    LEFT JOIN pg_inherits ON inhrelid = part.oid
    WHERE whole.relname = ANY ({tables}) AND whole.relnamespace = 'public'::regnamespace
"""
_REST = "SELECT {name}, count(*) FROM (SELECT FROM {rest} LIMIT {most}) AS counted"


@dataclass
class Standing:
    """How one table stands: its months, those that were taken out and not yet put away, and rows without a month."""

    table: str
    present: date
    months: dict[date, int] = field(default_factory=dict)  # with their bytes
    detached: list[date] = field(default_factory=list)
    rest: str = ""
    homeless: int = 0

    @property
    def ahead(self) -> int:
        """How many months are there after the present one, without a gap; -1 if the present one is missing."""
        number = 0
        while later(self.present, number) in self.months:
            number += 1
        return number - 1

    @property
    def faults(self) -> list[str]:
        """What somebody must see to."""
        found = []
        if not self.rest:
            found.append("there is no default partition")
        if self.homeless:
            more = "more than " if self.homeless >= MOST_COUNTED else ""
            found.append(f"{more}{self.homeless} rows in the default partition")
        if self.ahead < 1:
            found.append("the present month is missing" if self.ahead < 0 else "no month ahead")
        return found


def standings(ask: Callable[[Asked], list[Any]], *, at: datetime) -> list[Standing]:
    """Return how every declared table stands, by two questions that `ask` puts to a database."""
    found = {each.table: Standing(each.table, month_of(at.date())) for each in declared()}
    if not found:
        return []
    for table, part, is_rest, is_attached, size in ask(sql.SQL(_TABLES).format(tables=sql.Literal(list(found)))):
        standing, month = found[table], month_in(part)
        if is_rest:
            standing.rest = part
        elif month is not None and is_attached:
            standing.months[month] = size
        elif month is not None:
            standing.detached.append(month)
    for table, number in _homeless(ask, found):
        found[table].homeless = number
    return list(found.values())


def _homeless(ask: Callable[[Asked], list[Any]], found: dict[str, Standing]) -> list[Any]:
    questions = [
        sql.SQL(_REST).format(name=sql.Literal(name), rest=sql.Identifier(each.rest), most=sql.Literal(MOST_COUNTED))
        for name, each in found.items()
        if each.rest
    ]
    return ask(sql.SQL(" UNION ALL ").join(questions)) if questions else []
