"""What a batch of records would do: references, the rows they concern, and what differs.

The same analysis makes the preview and precedes the writing, so that what is applied is decided by
the rows as they are then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

from core.customfields import definitions_of, validated
from core.customfields.types import parsed, read
from core.errors import DomainError
from core.models import CustomFieldType
from interop.faults import Fault
from interop.models import ExternalIdentifier, ImportAction, ImportedValue, ImportJob, ImportRow
from interop.models.rows import KEY_LENGTH
from interop.sources.records import SEPARATOR, Record, decompose
from interop.targets.base import CUSTOM, Target
from interop.targets.items import Item
from interop.targets.registry import Targets
from interop.targets.values import PENDING, UnreadableValueError, Value, encode

REFERRING = ("ref", "refs", "shares")

# What is said of a row that waits for itself.
LATER = "The row refers to itself or to one that comes later."

# A reference as a record gives it: a natural key, or {"external": "scheme:value"}.
Given = Any


class Analysis:
    """Analyses batches of one resource each, in the order of the job's records."""

    def __init__(self, job: ImportJob, targets: Targets, *, is_preview: bool) -> None:
        self._job = job
        self._targets = targets
        # A preview locks nothing and checks what the services will check when they write.
        self._is_preview = is_preview
        self._overwrite = bool(job.options.get("overwrite_edited"))
        # The records of the batch at hand, by resource and by the names that others refer to them by.
        self._beside: tuple[str, set[str]] = ("", set())

    def of(self, items: Sequence[Item]) -> None:
        """Find out what is to become of items of one resource, and write it into them."""
        target = self._targets[items[0].record.resource]
        self._beside = _names_of(items)
        for item in items:
            _parse(target, item)
        self._resolve(target, items)
        if self._is_preview:
            _refuse_circles(target, items)
        self._find_rows(target, items)
        definitions = _Definitions(target)
        sound = [item for item in items if not item.is_rejected]
        rejected = [item for item in items if item.is_rejected]
        for item in sound:
            definitions.canonise(item)
            target.normalise(item)
            self._compare(target, item)
        if self._is_preview:
            pending = self._pending_fields(target, items)
            for item in sound:
                if is_effective(item):
                    _check(target, item)
                    item.refuse_all(definitions.faults(item, pending))
            _add_faults(target, rejected, definitions, pending)
            target.forecast([item for item in sound if is_effective(item)])

    # --- references ---

    def _resolve(self, target: Target, items: Sequence[Item]) -> None:
        """Replace references by ids, by `PENDING` for records of this job, or reject the item."""
        wanted: defaultdict[str, set[str]] = defaultdict(set)
        for item in items:
            for field, given in _references(target, item):
                wanted[field.to].add(_name(given))
        known = {resource: self._ids(resource, names) for resource, names in wanted.items()}
        for item in items:
            for values in (item.values, item.initial):
                for name in list(values):
                    field = target.fields[name]
                    if field.kind in REFERRING and values[name] is not None:
                        values[name] = _resolved(item, field, values[name], known.get(field.to, {}))

    def _ids(self, resource: str, names: set[str]) -> dict[str, Any]:
        """Return the id that each reference leads to, `PENDING` for a row to come."""
        target = self._targets[resource]
        external = {name[1:] for name in names if name.startswith("@")}
        natural = {name[1:] for name in names if not name.startswith("@")}
        found: dict[str, Any] = {f"={key}": pk for key, pk in target.ids_by_key(natural).items()} if natural else {}
        found |= {f"@{name}": pk for name, pk in identified(target, external).items()}
        missing = names - found.keys()
        if missing:
            found |= self._staged(resource, missing)
        return found

    def _staged(self, resource: str, names: set[str]) -> dict[str, Any]:
        """Find rows that this job is going to create, or has found under another name."""
        rows = ImportRow.objects.filter(job=self._job, resource=resource).exclude(action=ImportAction.REJECTED)
        found: dict[str, Any] = {}
        for prefix, column in (("=", "natural_key"), ("@", "external_id")):
            keys = [name[1:] for name in names if name.startswith(prefix)]
            if keys:
                staged = rows.filter(**{f"{column}__among": keys}).values_list(column, "object_id")
                found |= {f"{prefix}{key}": object_id or PENDING for key, object_id in staged}
        if resource == self._beside[0]:
            found |= {name: PENDING for name in names & self._beside[1] if name not in found}
        return found

    def _pending_fields(self, target: Target, items: Sequence[Item]) -> set[str]:
        """Return the names of custom fields that this job is going to define."""
        if not any(item.custom for item in items):
            return set()
        rows = ImportRow.objects.filter(
            job=self._job, resource="custom-fields", action=ImportAction.CREATE, object_id=None,
            natural_key__startswith=f"{target.entity_type}{SEPARATOR}",
        )  # fmt: skip
        return {decompose(key)[-1] for key in rows.values_list("natural_key", flat=True)}

    # --- rows ---

    def _find_rows(self, target: Target, items: Sequence[Item]) -> None:
        sound = [item for item in items if not item.is_rejected]
        named = {item.record.external_id for item in sound if item.record.external_id}
        by_identifier = identified(target, named)
        for item in sound:
            item.object_id = by_identifier.get(item.record.external_id)
            item.has_identifier = item.object_id is not None or not item.record.external_id
        unnamed = [item for item in sound if item.object_id is None]
        if unnamed:
            matched = target.match(unnamed)
            for item in unnamed:
                item.object_id = matched.get(item.position)
        if not self._is_preview:
            target.hold(sound)
        ids = {item.object_id for item in sound if item.object_id is not None}
        rows = target.load(ids, lock=not self._is_preview) if ids else {}
        remembered = _remembered(target, ids)
        for item in sound:
            if item.object_id is not None:
                item.row = rows.get(item.object_id)
                item.remembered = remembered.get(item.object_id)
                if item.row is None:  # its identifier outlived it
                    item.object_id, item.remembered, item.has_identifier = None, None, False

    def _compare(self, target: Target, item: Item) -> None:
        """Tell what of an item is to be written, and what was edited by hand since the last import."""
        item.encoded = {name: encode(value) for name, value in item.values.items()}
        item.encoded |= {f"{CUSTOM}.{name}": encode(value) for name, value in item.custom.items()}
        if item.row is None:
            item.action = ImportAction.UNCHANGED if item.record.must_exist else ImportAction.CREATE
            return
        held = item.held = target.read(item.row)
        last = item.remembered or {}
        for name, wanted in item.encoded.items():
            present = held.get(name)
            if name not in held and not name.startswith(CUSTOM):
                continue  # written once, when the row is created
            if present == wanted:
                continue
            if not self._overwrite and name in last and last[name] != present:
                item.reasons.append(
                    Fault("edited_by_hand", "The field was edited since the last import; it stays as it is.", name)
                )
                continue
            item.changes.append(name)
        if item.changes and target.yields(item):
            item.changes.clear()
        if item.changes:
            item.action = ImportAction.UPDATE
        else:
            item.action = ImportAction.CONFLICT if item.reasons else ImportAction.UNCHANGED


def _remembered(target: Target, ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return what imports last wrote into rows; of a target that remembers nothing, that it was nothing."""
    if not target.remembers:
        return {pk: {} for pk in ids}
    rows = ImportedValue.objects.filter(entity_type=target.entity_type, object_id__among=ids)
    return dict(rows.values_list("object_id", "values"))


def as_item(record: Record, position: int) -> Item:
    """Return a record ready to be analysed; one with faults is rejected already."""
    item = Item(record, position)
    if record.faults:
        item.reject(*record.faults)
    elif len(record.key) > KEY_LENGTH or len(record.external_id) > KEY_LENGTH // 2:
        item.reject(Fault("max_length", "The row's key is too long."))
    return item


def _names_of(items: Sequence[Item]) -> tuple[str, set[str]]:
    return items[0].record.resource, _names_of_all(item for item in items if not item.is_rejected)


def _names_of_all(items: Iterable[Item]) -> set[str]:
    """Return every name by which others refer to items."""
    records = [item.record for item in items]
    return {f"={record.key}" for record in records} | {
        f"@{record.external_id}" for record in records if record.external_id
    }


def identified(target: Target, names: Iterable[str]) -> dict[str, UUID]:
    """Return the ids of the rows that other systems know by `scheme:value`."""
    by_scheme: defaultdict[str, list[str]] = defaultdict(list)
    for name in names:
        scheme, _, value = name.partition(":")
        by_scheme[scheme].append(value)
    found: dict[str, UUID] = {}
    for scheme, values in by_scheme.items():
        rows = ExternalIdentifier.objects.filter(scheme=scheme, entity_type=target.entity_type, value__among=values)
        found |= {f"{scheme}:{value}": pk for value, pk in rows.values_list("value", "object_id")}
    return found


def _parse(target: Target, item: Item) -> None:
    """Read a record's JSON values as Python; reject what cannot be read."""
    record = item.record
    item.values, item.initial, item.custom = {}, {}, {}
    for given, values in ((record.values, item.values), (record.initial, item.initial)):
        for name, value in given.items():
            if name == CUSTOM:
                item.custom = dict(value)
                continue
            field = target.fields[name]
            try:
                parsed = field.parse(value)
            except UnreadableValueError as fault:
                item.reject(Fault("invalid_format", fault.detail, name))
                continue
            (item.initial if field.fixed else values)[name] = parsed


class _Definitions:
    """The custom fields of a target, as they are while a batch is analysed."""

    def __init__(self, target: Target) -> None:
        self._model = target.model
        self._all = definitions_of(target.model) if target.takes_custom_fields else []
        self._by_name = {definition.name: definition for definition in self._all}

    def canonise(self, item: Item) -> None:
        """Bring custom values into the form in which they are stored; what has none is refused by `faults`."""
        for name, value in item.custom.items():
            definition = self._by_name.get(name)
            if definition is not None:
                with suppress(DomainError):
                    written = read(definition, value) if isinstance(value, str) else value
                    item.custom[name] = parsed(definition, written)

    def faults(self, item: Item, pending: Collection[str]) -> list[Fault]:
        """Return what is wrong with an item's custom values; fields that this job brings are yet to come."""
        given = {name: value for name, value in item.custom.items() if name not in pending}
        if item.row is not None:
            given = {name: value for name, value in given.items() if f"{CUSTOM}.{name}" in item.changes}
        files = [
            name for name in given if name in self._by_name and self._by_name[name].field_type == CustomFieldType.FILE
        ]
        if files:
            return [Fault("file_not_importable", "A table holds no file.", f"{CUSTOM}.{name}") for name in files]
        if not (given or (self._all and item.row is None)):
            return []
        try:
            validated(
                self._model,
                given,
                existing=item.row.custom_data if item.row is not None else {},
                instance_id=item.object_id,
                partial=item.row is not None,
                definitions=self._all,
            )
        except DomainError as refused:
            return Fault.of(refused)
        return []


def _references(target: Target, item: Item) -> Iterator[tuple[Value, Given]]:
    for values in (item.values, item.initial):
        for name, value in values.items():
            field = target.fields[name]
            if value is None or field.kind not in REFERRING:
                continue
            for given in _each(field, value):
                yield field, given


def _each(field: Value, value: Any) -> Iterator[Given]:
    if field.kind == "ref":
        yield value
    elif field.kind == "refs":
        yield from value
    else:
        yield from (share["faculty"] for share in value)


def _name(given: Given) -> str:
    """Return a reference as one text: `=` and a natural key, or `@` and an external name."""
    return f"@{given['external']}" if isinstance(given, dict) else f"={given}"


def _resolved(item: Item, field: Value, value: Any, known: dict[str, Any]) -> Any:
    def one(given: Given) -> Any:
        found = known.get(_name(given))
        if found is None and not _is_fragment(item, given):
            shown = given["external"] if isinstance(given, dict) else given
            detail = f"There is no such row of {field.to}: {str(shown)[:100]}."
            item.reject(Fault("unknown_reference", detail, field.name))
        return found

    if field.kind == "ref":
        return one(value)
    if field.kind == "refs":
        return [one(given) for given in value]
    return [
        {**{name: part for name, part in share.items() if name != "faculty"}, "faculty_id": one(share["faculty"])}
        for share in value
    ]


def _is_fragment(item: Item, given: Given) -> bool:
    """Say whether a reference lacks a part because its cell is faulty, which is said already."""
    return bool(item.record.faults) and isinstance(given, str) and "" in decompose(given)


def _refuse_circles(target: Target, items: Sequence[Item]) -> None:
    """Reject items that refer to themselves, or in a circle to each other: none of them can be written first."""
    own = {name for name, field in target.fields.items() if field.to == target.resource and field.kind == "ref"}
    waiting = {item.position: item for item in items if own and not item.is_rejected}
    while waiting:
        names = _names_of_all(waiting.values())
        ready = [
            position
            for position, item in waiting.items()
            if not any(item.values.get(name) is PENDING and _name(item.record.values[name]) in names for name in own)
        ]
        if not ready:
            for item in waiting.values():
                item.reject(Fault("unknown_reference", LATER))
            return
        for position in ready:
            del waiting[position]


def _add_faults(
    target: Target, rejected: Sequence[Item], definitions: "_Definitions", pending: Collection[str]
) -> None:
    """Say what else is wrong with items that are rejected, apart from the fields that are faulty already.

    What a row lacks is said where it is certain that there is none of this name.
    """
    whole = {item.record.key for item in rejected if target.key_paths and "" not in decompose(item.record.key)}
    missing = whole - target.ids_by_key(whole).keys() if whole else set()
    for item in rejected:
        told = {fault.field for fault in item.reasons}
        for values in (item.values, item.initial):
            for name in told & values.keys():
                del values[name]
        found = Item(item.record, item.position, item.values, item.initial, item.custom)
        definitions.canonise(found)
        _check(target, found)
        found.refuse_all(definitions.faults(found, pending))
        is_new = item.record.key in missing and not item.record.external_id
        wanted = [fault for fault in found.reasons if is_new or fault.code != "required"]
        item.refuse_all([fault for fault in wanted if fault.field not in told])


def is_effective(item: Item) -> bool:
    """Say whether an item is to be written."""
    return item.action in (ImportAction.CREATE, ImportAction.UPDATE)


def _check(target: Target, item: Item) -> None:
    try:
        errors = target.check(item)
    except DomainError as refused:
        errors = [refused]
    for error in errors:
        item.refuse(error)
