"""The statement that renders a page, made once for every list that is asked for in the same way.

What a statement depends on is its shape: the reader with the fields and expansions that were asked for, the custom
fields there are, the order, and of each mask whether it hides all, nothing or some. What differs from one request to
the next is left open in it and filled in when it is run: the keys of the page, and which rows somebody may know who
may know some.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import connections
from django.db.models import BooleanField, Exists, Expression, F, Func, Model, OuterRef, QuerySet, Value

from core.api.compiled.columns import NotCompiledError
from core.api.compiled.readers import JSON, Context, compiled
from core.api.keyset import Keyset
from core.api.serializers import BaseModelSerializer, reader_of, with_masks
from core.customfields.selectors import Names, names_shown
from core.db.prepared import prepared
from core.masks import Mask, masks_of
from core.partitions import key_of
from core.visibility import grants_for, visible

# How many plans a process keeps, and statements of each. `?fields=` and `?ordering=` make many; whoever tries them all
# makes it begin anew.
MOST_PLANS = 500
MOST_STATEMENTS = 8
KEYS = "keys"
# With the table of the list and the keys, so many are one more than the server puts in order at once.
MOST_JOINS = 7
Statement = tuple[str, Sequence[Any]]
# Of these the server knows the type, wherever they stand.
TYPED = frozenset({UUID, date, datetime})


@dataclass(frozen=True)
class Gap:
    """What stands among the parameters of a statement for SQL that is filled in when it is run."""

    name: str

    @property
    def mark(self) -> str:
        return f"<<{self.name}>>"


class Filled(Func):
    """A condition that is filled in: what stands before the mark is compiled with the statement."""

    template = "%(expressions)s"
    output_field = BooleanField()

    def __init__(self, gap: Gap, *expressions: Any, form: str = "%s") -> None:
        super().__init__(*expressions)
        self.gap = gap
        self.form = form

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:
        before, parameters = super().as_sql(compiler, connection) if self.source_expressions else ("", ())
        return f"{before}{self.form % self.gap.mark}", (*parameters, self.gap)


# What the keys say of where to look.
ITS_KEYS, ITS_FIRST, ITS_LAST = (
    "SELECT pk FROM chosen", "SELECT min(month) FROM chosen", "SELECT max(month) FROM chosen"
)  # fmt: skip


class Chosen(Func):
    """That a row is among those chosen, by its key and by the column that says in which month it lies."""

    output_field = BooleanField()

    def as_sql(self, compiler: Any, connection: Any, *_args: Any, **_context: Any) -> tuple[str, tuple[Any, ...]]:
        (pk, _), (month, _) = (compiler.compile(each) for each in self.source_expressions)
        return f"({pk} = ANY (ARRAY({ITS_KEYS})) AND {month} BETWEEN ({ITS_FIRST}) AND ({ITS_LAST}))", ()


class Plan:
    """How the rows of a list are rendered, in whatever order."""

    def __init__(self, rows: QuerySet[Any], subject: str | None) -> None:
        self.rows = rows
        self.subject = subject
        self._statements: dict[tuple[str, Sequence[str]], Statement] = {}

    def columns(self, ordering: Keyset) -> list[str]:
        """Return what is read of a row: its JSON, where it stands in the order, and whose record it is."""
        subject = [] if self.subject is None else [self.subject]
        return list(dict.fromkeys([JSON, *(term.attribute for term in ordering.terms), *subject]))

    def statement(self, ordering: Keyset, using: str) -> Statement:
        """Return the statement with its parameters, gaps among them."""
        key = (using, tuple(ordering.names))
        found = self._statements.get(key)
        if found is None:
            if len(self._statements) >= MOST_STATEMENTS:
                self._statements.clear()
            found = self._statements[key] = self._compiled(ordering, using)
        return found

    def _compiled(self, ordering: Keyset, using: str) -> Statement:
        """Compile the statement, by whichever way from the keys to the rows the server finds no detour.

        Of more tables than it puts in order at once (`join_collapse_limit`, 8), with the keys among them, it would join
        all rows before it looks for the page's: then the keys are an array, by which the index is asked. Of a table
        kept by month, they say besides in which months to look.
        """
        columns = key_of(self.rows.model)
        if len(columns) > 1:
            sql, parameters = self._among(Chosen(*map(F, columns)), ordering, using)
            return f"WITH chosen (pk, month) AS MATERIALIZED ({Gap(KEYS).mark}) {sql}", (Gap(KEYS), *parameters)
        sql, parameters = self._among(Filled(Gap(KEYS), F("pk"), form=" IN (%s)"), ordering, using)
        if sql.count(" JOIN ") < MOST_JOINS:
            return sql, parameters
        return self._among(Filled(Gap(KEYS), F("pk"), form=" = ANY (ARRAY(%s))"), ordering, using)

    def _among(self, keys: Expression, ordering: Keyset, using: str) -> Statement:
        rows = ordering.ordered(self.rows.filter(keys)).values_list(*self.columns(ordering))
        statement: Statement = rows.query.get_compiler(using).as_sql()
        return statement


@dataclass(frozen=True)
class Settled:
    """A statement with its gaps filled: asked again it finds the rows as they are then.

    The server may plan one that `is_planned_once` ahead: it knows the type of each of its parameters.
    """

    sql: str
    parameters: Sequence[Any]
    is_planned_once: bool

    def rows(self, using: str) -> list[tuple[Any, ...]]:
        """Run it."""
        if self.is_planned_once:
            with prepared(self.sql, self.parameters, using=using) as cursor:
                return list(cursor.fetchall())
        with connections[using].cursor() as cursor:
            cursor.execute(self.sql, self.parameters)
            return list(cursor.fetchall())


def settle(statement: Statement, fill: Mapping[str, Callable[[], Statement]], *, compared: bool) -> Settled:
    """Fill the gaps of a statement; raise `EmptyResultSet` where what fills one can match nothing.

    `compared` says of the keys that their parameters are compared with columns, and nothing else.
    """
    sql, parameters = statement
    given: list[Any] = []
    for parameter in parameters:
        if not isinstance(parameter, Gap):
            given.append(parameter)
            continue
        text, more = fill[parameter.name]()
        sql = sql.replace(parameter.mark, text, 1)
        given += more
    return Settled(sql, given, (compared and len(parameters) == 1) or all(type(each) in TYPED for each in given))


def condition(mask: Mask, actor: Any, using: str) -> Statement:
    """Return the SQL that says of a row of the list whether the actor may know what is masked."""
    rows = mask.model._base_manager.all()
    known = Exists(mask.model._base_manager.filter(mask.rule(actor), pk=OuterRef("pk")))
    query = rows.annotate(known=known).query
    try:
        sql, parameters = query.annotations["known"].as_sql(query.get_compiler(using), connections[using])
    except EmptyResultSet:
        return "false", ()
    return sql, parameters


_plans: dict[Hashable, Plan | NotCompiledError] = {}
# By what is asked of a list: of which kinds of records the custom fields are shown.
_extended: dict[Hashable, tuple[type[Model], ...]] = {}


def plan_for(view: Any) -> Plan:
    """Return how a list is rendered for this request; raise `NotCompiledError` where the serializer has to do it."""
    selection, reader = view.selection, view.reader
    only = None if selection.only is None else frozenset(selection.only)
    question = (type(view), reader, only, tuple(selection.include))
    sights = tuple(_sights(view))
    models = _extended.get(question)
    plan = None
    if models is not None:
        names = {model: names_shown(view.request, model) for model in models}
        plan = _plans.get((question, sights, tuple(names.items())))
    if plan is None:
        plan, names = _made(view)
        if None not in sights:
            if max(len(_plans), len(_extended)) >= MOST_PLANS:
                _plans.clear()
                _extended.clear()
            _plans[question, sights, tuple(names.items())] = plan
            _extended[question] = tuple(names)
    if isinstance(plan, NotCompiledError):
        raise plan
    return plan


def _sights(view: Any) -> Iterator[Hashable]:
    """Yield what of a plan depends on who asks; None where that is more than a plan can be known by."""
    yield from (_verdict(mask, view.actor) for mask in masks_of(view.queryset.model))
    yield from _included_sights(view.reader, view.selection.include, view.actor)


def _verdict(mask: Mask, actor: Any) -> tuple[Mask, bool | None]:
    """Say whether what is masked is known of all rows, of none, or (None) of some."""
    rows = mask.rule(actor)
    return mask, False if rows is None else (None if rows else True)


def _included_sights(reader: type[BaseModelSerializer[Any]], names: Sequence[str], actor: Any) -> Iterator[Hashable]:
    """Yield of each kind of included row whether all of them are seen and known, or none; None for some."""
    for name in names:
        shown = reader
        for step in name.split("."):
            shown = reader_of(shown.expandable[step])
            model = shown.Meta.model
            opened = [rows for rule in grants_for(model) if (rows := rule(actor)) is not None]
            verdicts = tuple(_verdict(mask, actor) for mask in masks_of(model))
            is_plain = (not opened or any(not rows for rows in opened)) and all(
                known is not None for _, known in verdicts
            )
            yield (shown, bool(opened), verdicts) if is_plain else None


def _made(view: Any) -> tuple[Plan | NotCompiledError, dict[type[Model], Names]]:
    """Compile the reader of a list; return also of which models it shows which custom fields."""
    asked: dict[type[Model], Names] = {}

    def names(model: type[Model]) -> Names:
        return asked.setdefault(model, names_shown(view.request, model))

    reader = view.reader(include=view.selection.include, only=view.selection.only)
    try:
        rows = compiled(reader, _told(view), Context(names, partial(_included, view.actor)))
        return Plan(rows, _subject(view)), asked
    except NotCompiledError as error:
        return error, asked


def _told(view: Any) -> QuerySet[Any]:
    """Return the rows of a list as its readers load them, each with what it tells of its masks."""
    rows: QuerySet[Any] = view.queryset.all().for_api()
    for mask in masks_of(rows.model):
        _, known = _verdict(mask, view.actor)
        told: Expression = Filled(Gap(mask.attribute)) if known is None else Value(known, output_field=BooleanField())
        rows = rows.annotate(**{mask.attribute: told})
    return rows


def _included(actor: Any, reader: type[BaseModelSerializer[Any]], name: str) -> QuerySet[Any]:
    """Return the rows that a reader may include under a name and the actor may see."""
    nested = reader_of(reader.expandable[name])
    model: type[Model] = nested.Meta.model
    rows: Any = visible(model._default_manager.all(), actor)
    return with_masks(rows.for_api() if hasattr(rows, "for_api") else rows, nested, actor)


def _subject(view: Any) -> str | None:
    return None if view.discloses is None else view.discloses.subject.replace(".", "__")
