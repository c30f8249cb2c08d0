"""The classification of every table that leads to a person.

A model is *personal* when its rows say something about a person, and *impersonal* when they merely mention one, as the
note of who moved a term to another state does. Which of the two is a decision; that it was taken is what `faults`
asks for, of every model with a foreign key to a personal one, and of every column of a personal model.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from django.apps import apps
from django.db.models import Model, Q, QuerySet

from core.errors import ConflictError
from core.security.fields import EncryptedTextField

# What every row has, and says nothing about anybody.
USUAL = frozenset({"id", "created_at", "updated_at", "version"})
HOW = "see docs/how-to/privacy-requests.md"


@dataclass(frozen=True)
class Subject:
    """A person, the duplicates that were merged into them, and all rows about them by their tables."""

    person: UUID
    people: tuple[UUID, ...]
    rows: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # The person, the accounts, and the parts that they play: whatever names them.
    roots: tuple[str, ...] = ()

    @property
    def ids(self) -> list[str]:
        """The ids of the people and of all rows about them, as text."""
        return sorted({*map(str, self.people), *(pk for pks in self.rows.values() for pk in pks)})

    def ids_in(self, model: type[Model]) -> list[str]:
        """The ids of the rows about them in one table, as text."""
        return sorted(self.rows.get(model._meta.db_table, ()))


@dataclass(frozen=True, kw_only=True)
class Personal:
    """What the rows of a model say about a person.

    `paths` lead from a row to the person it is about; where no foreign key does, `finds` says which rows those are.
    Every column stands in one of `keeps` (shown to the person, left as it is by erasure), `clears` (shown, emptied),
    `becomes` (shown, replaced: `{code}` and `{id}` in a text stand for the person), `withholds` (never shown, and why)
    and `mentions` (a key to somebody else, and why it is there); a withheld one may be emptied or replaced, too. With
    `deletes` erasure removes the rows. `masked` names what somebody other than the person is shown instead of a
    column, `hides` the columns that one row does not show, and `tells` what anybody is shown of a column in its place.
    `attaches` returns what an export has of a row besides its columns: a file's name and its content in pieces.
    """

    model: type[Model]
    says: str
    kept: str
    paths: tuple[str, ...] = ()
    finds: Callable[[Subject], Q] | None = None
    keeps: frozenset[str] = frozenset()
    clears: frozenset[str] = frozenset()
    becomes: Mapping[str, Any] = field(default_factory=dict)
    withholds: Mapping[str, str] = field(default_factory=dict)
    mentions: Mapping[str, str] = field(default_factory=dict)
    masked: Mapping[str, str] = field(default_factory=dict)
    hides: Callable[[Any, Subject], Collection[str]] | None = None
    tells: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    attaches: Callable[[Any], tuple[str, Iterable[bytes]]] | None = None
    deletes: bool = False

    def rows(self, subject: Subject) -> QuerySet[Any]:
        """Return the rows about a person."""
        manager = self.model._base_manager
        if self.finds is not None:
            return manager.filter(self.finds(subject))
        found = [manager.filter(**{f"{path}__in": subject.people}) for path in self.paths]
        if len(found) == 1:
            return found[0]
        first, *others = (rows.values("pk") for rows in found)
        return manager.filter(pk__in=first.union(*others, all=True))


@dataclass(frozen=True, kw_only=True)
class Impersonal:
    """That the rows of a model are about nobody, although `mentions` lead to people: each key with the reason."""

    model: type[Model]
    mentions: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FreeText:
    """Columns of rows that are about nobody, in which people may have been named by whoever wrote there.

    `finds` says in which rows that may have been somebody: erasure empties the columns there, and in the history. They
    are in nobody's export, since they may name others as well.
    """

    model: type[Model]
    columns: frozenset[str]
    finds: Callable[[Subject], Q]

    def rows(self, subject: Subject) -> QuerySet[Any]:
        """Return the rows in which a person may be named."""
        return self.model._base_manager.filter(self.finds(subject))


class Erasing(Protocol):
    """Erases what no declaration can say, and returns how many rows that concerned, or would concern."""

    def __call__(self, subject: Subject, *, dry_run: bool) -> int: ...


_people: list[type[Model]] = []
_erasures: dict[str, Erasing] = {}
_obstacles: list[Callable[[Subject], ConflictError | None]] = []
_declared: dict[type[Model], Personal | Impersonal] = {}
_free_texts: dict[type[Model], FreeText] = {}


def name_people(model: type[Model]) -> None:
    """Say which model a person is."""
    _people[:] = [model]


def personal(
    model: type[Model],
    *,
    keeps: str = "",
    clears: str = "",
    withholds: Mapping[str, str] | None = None,
    **facts: Any,
) -> None:
    """Declare a model as `Personal`; columns are named in one text, those withheld by such texts with their reasons."""
    reasons = {name: reason for names, reason in (withholds or {}).items() for name in names.split()}
    _declared[model] = Personal(
        model=model, keeps=frozenset(keeps.split()), clears=frozenset(clears.split()), withholds=reasons, **facts
    )


def impersonal(model: type[Model], **mentions: str) -> None:
    """Declare a model as `Impersonal`, with each key that leads to a person and why it is there."""
    _declared[model] = Impersonal(model=model, mentions=mentions)


def may_name_people(model: type[Model], *, columns: str, finds: Callable[[Subject], Q]) -> None:
    """Declare columns of an impersonal model as `FreeText`; they are named in one text."""
    _free_texts[model] = FreeText(model=model, columns=frozenset(columns.split()), finds=finds)


def free_texts() -> list[FreeText]:
    """Return what people may have been named in, by the names of the models."""
    return sorted(_free_texts.values(), key=lambda each: each.model._meta.label_lower)


def on_erasure(name: str, act: Erasing) -> None:
    """Let `act` erase what no declaration can say."""
    _erasures[name] = act


def erasures() -> list[tuple[str, Erasing]]:
    """Return what erases beyond the declarations, by name; logs of what the others do come last."""
    return sorted(_erasures.items(), key=lambda each: (each[0] == "audit", each[0]))


def stands_in_the_way(obstacle: Callable[[Subject], ConflictError | None]) -> None:
    """Let nobody be erased of whom `obstacle` returns a refusal."""
    _obstacles.append(obstacle)


def obstacles_to(subject: Subject) -> list[ConflictError]:
    """Return why somebody cannot be erased now."""
    return [refusal for obstacle in _obstacles if (refusal := obstacle(subject)) is not None]


def declared() -> list[Personal]:
    """Return what is personal: first what foreign keys lead to, then what is found by those rows."""
    found = [each for each in _declared.values() if isinstance(each, Personal)]
    return sorted(found, key=lambda each: (each.finds is not None, each.model._meta.label_lower))


def paths_to_people(model: type[Model]) -> tuple[str, ...]:
    """Return the paths from a row of a model to the people it is about; none where no foreign key leads there."""
    declaration = _declared.get(model)
    return declaration.paths if isinstance(declaration, Personal) else ()


def people_of(*rows: QuerySet[Any]) -> set[UUID]:
    """Return the people whom rows, of whatever models, are about, by one query; by none where no paths lead there."""
    asked = [each.order_by().values_list(path) for each in rows for path in paths_to_people(each.model)]
    if not asked:
        return set()
    first, *others = asked
    return {person for (person,) in (first.union(*others) if others else first.distinct()) if person is not None}


def faults() -> Iterator[str]:
    """Say what nobody has classified, or has classified as what it is not."""
    for model in apps.get_models(include_auto_created=True):
        if model._meta.proxy:  # its rows are those of another model, which is classified
            continue
        keys = set(keys_to_people(model))
        declaration = _declared.get(model)
        if declaration is None:
            if keys:
                place = f"{model._meta.app_label}/privacy.py"
                yield (
                    f"{model._meta.label} leads to people by {', '.join(sorted(keys))}, and nobody has said what it "
                    f"says about them: declare it as personal or impersonal in {place}; {HOW}."
                )
        elif isinstance(declaration, Impersonal):
            yield from _differences(model, "keys to people", keys, declaration.mentions.keys())
        else:
            yield from _faults_of(declaration, keys)


def keys_to_people(model: type[Model]) -> Iterator[str]:
    """Yield the foreign keys of a model to people and to what is personal."""
    targets = {*_people, *(each.model for each in declared())}
    for column in model._meta.concrete_fields:
        if column.is_relation and column.related_model in targets:
            yield column.name


def _faults_of(declaration: Personal, keys: Collection[str]) -> Iterator[str]:
    model, columns = declaration.model, {each.name: each for each in declaration.model._meta.concrete_fields}
    own = {name for name, column in columns.items() if not column.generated and not column.primary_key} - USUAL
    ways = {path.split("__")[0] for path in declaration.paths} - {"pk"}
    # A row whose key is that of the row it is part of.
    part_of = {str(model._meta.pk.name)} & ways
    shown = [declaration.keeps, declaration.clears - declaration.withholds.keys(),
             declaration.becomes.keys() - declaration.withholds.keys()]  # fmt: skip
    mentions = declaration.mentions.keys()
    groups = [*shown, declaration.withholds.keys(), mentions, ways - mentions - part_of]
    yield from _differences(model, "columns", own, set().union(*groups))
    for name in sorted(own):
        if sum(name in group for group in groups) > 1:
            yield f"{model._meta.label}.{name} is classified twice in {model._meta.app_label}/privacy.py."
        is_opaque = columns[name].get_internal_type() == "BinaryField" and not isinstance(
            columns[name], EncryptedTextField
        )
        if is_opaque and name not in declaration.withholds:
            yield f"{model._meta.label}.{name} holds bytes, which are shown to nobody: withhold it."
    for name in sorted(set(keys) - ways - declaration.mentions.keys()):
        yield f"{model._meta.label}.{name} leads to people: it is a path or a mention; {HOW}."


def _differences(model: type[Model], what: str, there: Collection[str], said: Collection[str]) -> Iterator[str]:
    place = f"{model._meta.app_label}/privacy.py"
    if unsaid := set(there) - set(said):
        yield f"{model._meta.label} has {what} that {place} does not classify: {', '.join(sorted(unsaid))}; {HOW}."
    if gone := set(said) - set(there):
        yield f"{place} classifies {what} that {model._meta.label} does not have: {', '.join(sorted(gone))}."
