"""JSON as SQL: expressions whose value is the text that the renderer would have written.

A row is put together from parts, each either text that stands as it is or an expression. `concat` takes the place of
an operator between them because it fills one buffer, and it takes NULL for nothing; whoever can be NULL says `null`.
"""

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.db.models import Case, Expression, Func, Q, TextField, When

# What a part of a row is made of.
Part = str | Expression
# A function takes at most 100 arguments.
MOST_ARGUMENTS = 90


class Verbatim(Expression):
    """Text that is known when a list is compiled: part of the statement rather than one of its parameters."""

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(output_field=TextField())

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[str | int, ...]]:
        return quoted(self.text), ()


def quoted(text: str) -> str:
    """Return a text as a literal of SQL within a statement that takes parameters."""
    if "\\" in text or "\0" in text:
        raise ValueError("what is part of a statement needs no escaping")
    return "'" + text.replace("'", "''").replace("%", "%%") + "'"


class Joined(Func):
    """The parts one after the other."""

    function = "concat"
    output_field = TextField()


class Escaped(Func):
    """A text as a JSON string; null where there is none."""

    template = "coalesce(to_json(%(expressions)s::text), 'null')"
    output_field = TextField()


class Listed(Func):
    """An array of texts as a JSON array."""

    template = "coalesce(array_to_json(%(expressions)s), 'null')"
    output_field = TextField()


class Made(Func):
    """A text that is JSON already, spelt as the renderer would."""

    template = "coalesce(%(expressions)s, 'null')"
    output_field = TextField()


class Digits(Func):
    """A whole number as it is."""

    template = "coalesce(%(expressions)s::text, 'null')"
    output_field = TextField()


class Day(Func):
    """A day, whatever the server's style of dates."""

    template = "coalesce('\"' || to_char(%(expressions)s, 'YYYY-MM-DD') || '\"', 'null')"
    output_field = TextField()


class Plain(Func):
    """A value whose text needs no escaping, as a JSON string: an id, a decimal."""

    template = "coalesce('\"' || %(expressions)s::text || '\"', 'null')"
    output_field = TextField()


class Address(Func):
    """An IP address, without the mask that its text has."""

    template = "coalesce('\"' || host(%(expressions)s) || '\"', 'null')"
    output_field = TextField()


class Instant(Func):
    """A moment in UTC; fractions of a second where it has some, and then all six digits."""

    template = (
        "coalesce('\"' || replace(to_char(%(expressions)s AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US'),"
        " '.000000', '') || 'Z\"', 'null')"
    )
    output_field = TextField()


class TimeOfDay(Func):
    """A time of day; fractions of a second as in a moment."""

    template = "coalesce('\"' || replace(to_char(%(expressions)s, 'HH24:MI:SS.US'), '.000000', '') || '\"', 'null')"
    output_field = TextField()


class CustomValue(Func):
    """A custom value by name, as it is stored."""

    template = "coalesce((%(expressions)s)::text, 'null')"
    arg_joiner = " -> "
    output_field = TextField()


class CustomNumber(Func):
    """A custom number by name: a string, like every decimal."""

    template = "coalesce(to_json(%(expressions)s), 'null')"
    arg_joiner = " ->> "
    output_field = TextField()


class CustomList(Func):
    """A custom list of texts by name."""

    template = (
        "(SELECT coalesce(array_to_json(array_agg(item ORDER BY place))::text, 'null') FROM"
        " jsonb_array_elements_text(CASE jsonb_typeof(%(expressions)s) WHEN 'array' THEN %(expressions)s END)"
        " WITH ORDINALITY AS given (item, place))"
    )
    arg_joiner = " -> "
    output_field = TextField()


def joined(parts: Iterable[Part]) -> Expression:
    """Return one expression for the parts, with as few arguments as they need."""
    arguments = _arguments(parts)
    while len(arguments) > MOST_ARGUMENTS:
        arguments = [
            Joined(*arguments[start : start + MOST_ARGUMENTS]) for start in range(0, len(arguments), MOST_ARGUMENTS)
        ]
    return arguments[0] if len(arguments) == 1 else Joined(*arguments)


def _arguments(parts: Iterable[Part]) -> list[Expression]:
    """Return the parts as expressions, texts that follow one another as one."""
    arguments: list[Expression] = []
    for is_text, run in groupby(parts, key=lambda part: isinstance(part, str)):
        together = list(run)
        arguments += [Verbatim("".join(map(str, together)))] if is_text else map(_expression, together)
    return arguments


def _expression(part: Part) -> Expression:
    return Verbatim(part) if isinstance(part, str) else part


def where(condition: Q, parts: Iterable[Part], otherwise: str = "null") -> Expression:
    """Return the parts where a condition holds, and another text elsewhere."""
    return Case(When(condition, then=joined(parts)), default=Verbatim(otherwise), output_field=TextField())
