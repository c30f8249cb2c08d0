"""The bases of the JSON shapes: readers mirror models, writers mirror service arguments.

A list row and a detail are two readers of one model: `BaseListSerializer` shows what a table
needs, `BaseDetailSerializer` everything. `?fields=` narrows a reader, `?include=` widens it by the
related rows that it declares in `expandable`, each scoped to what the caller may see.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, ClassVar, TypeVar

from django.core.exceptions import ImproperlyConfigured
from django.db.models import Model, Prefetch, QuerySet
from django.http import QueryDict
from django.utils.module_loading import import_string
from rest_framework import serializers
from rest_framework.validators import UniqueValidator

from core.api.fields import VisibleRelatedField, strictly
from core.api.sent_back import as_written, is_as_shown
from core.customfields.api.fields import CustomFieldsField
from core.masks import Mask, custom_mask_of, masks_of, with_knowledge
from core.visibility import visible

ModelT = TypeVar("ModelT", bound=Model)

HIDDEN = "Null for those whose role does not cover it."
# How deep `?include=` may reach: `section.course` is two.
MAX_DEPTH = 2


class BaseModelSerializer(serializers.ModelSerializer[ModelT]):
    """A reader: every field is read-only, and a caller may choose among them.

    `expandable` maps the name of a foreign key to the reader (class or dotted path) that shows its
    row when the caller includes it.
    """

    expandable: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, *args: Any, include: Iterable[str] = (), only: Iterable[str] | None = None, **options: Any):
        # By name of a field: what masks it.
        self.masked: dict[str, Mask] = {}
        # What masks the protected ones among the custom fields it shows.
        self.custom_mask: Mask | None = None
        self.included = list(include)
        self.only = None if only is None else set(only)
        super().__init__(*args, **options)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        fields = super().get_fields()
        for name, field in fields.items():
            field.read_only = True
            self._mask(name, field)
        for name, deeper in _by_head(self.included).items():
            reader = reader_of(self.expandable[name])
            fields[name] = reader(source=included_attribute(name), include=deeper, read_only=True)
        if self.only is not None:
            fields = {name: field for name, field in fields.items() if name in self.only}
        return fields

    def _mask(self, name: str, field: Any) -> None:
        if isinstance(field, CustomFieldsField):
            self.custom_mask = custom_mask_of(self.Meta.model)
        path = (field.source or name).replace(".", "__")
        mask = next((mask for mask in masks_of(self.Meta.model) if mask.covers(path)), None)
        if mask is not None:
            self.masked[name] = mask
            field.allow_null = True
            field.help_text = field.help_text or HIDDEN

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Show the row; what is masked is null unless `with_masks` found that the caller may know it."""
        shown: dict[str, Any] = super().to_representation(instance)
        for name in self.hidden_of(instance).intersection(shown):
            shown[name] = None
        return shown

    def hidden_of(self, row: Any) -> set[str]:
        """Return the names under which the row does not show what it holds."""
        return {name for name, mask in self.masked.items() if not getattr(row, mask.attribute, False)}


@cache
def names_shown_by(reader: type[BaseModelSerializer[Any]]) -> frozenset[str]:
    """Return the names of the fields that a reader has for every caller."""
    return frozenset(reader().fields)


class BaseListSerializer(BaseModelSerializer[ModelT]):
    """A row of a list: what a table shows and nothing that costs a query."""


class BaseDetailSerializer(BaseModelSerializer[ModelT]):
    """One row in full."""


class WriteSerializer(serializers.Serializer[Any]):
    """Input of a service: its fields are the service's arguments.

    Any other name is refused, but for what a read of the row shows and a client sends back as it stands.
    """

    # Fields of which a body has to have one at least; each says itself when it is the one that is missing.
    needs_one_of: ClassVar[tuple[str, ...]] = ()
    # Fields that the documentation says to be required even where the others may be left out.
    always_required: ClassVar[tuple[str, ...]] = ()

    default_error_messages = {
        "unknown_field": "There is no such field.",
        "read_only_field": "This is shown and not written; left out or sent back as it stands, it stays.",
    }

    def get_fields(self) -> dict[str, Any]:
        return self.taken_strictly(super().get_fields())

    def taken_strictly(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Return fields that convert nothing; a form knows only text, but JSON says what is one and what is not."""
        is_form = isinstance(getattr(self.root, "initial_data", None), QueryDict)
        return fields if is_form else {name: strictly(field) for name, field in fields.items()}

    @property
    def request_example(self) -> Mapping[str, Any]:
        """What the documentation sends, where the plainest values of the fields are not accepted together."""
        return {}

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            data = self._with_ids(data)
            refused = self._refused_names(data)
            if refused:
                errors: dict[str, Any] = {
                    str(name): [serializers.ErrorDetail(str(self.error_messages[code]), code=code)]
                    for name, code in refused.items()
                }
                try:
                    super().to_internal_value({name: data[name] for name in data if name in self.fields})
                except serializers.ValidationError as invalid:
                    if isinstance(invalid.detail, dict):
                        errors |= invalid.detail
                raise serializers.ValidationError(errors)
        return super().to_internal_value(data)

    def _with_ids(self, data: Mapping[Any, Any]) -> Mapping[Any, Any]:
        """Return the body with ids in place of references that come back as a read shows them."""
        parent: Any = self.parent
        standing = None if parent else self.context.get("standing")
        if standing is None:
            return data
        named = self.context["read_only_names"].intersection(data) & self.fields.keys()
        alike = {name for name in named if is_as_shown(self.fields[name], data[name])}
        shown = standing(alike) if alike else {}
        stands = {name for name in shown if shown[name] == data[name]}
        return {name: as_written(self.fields[name], value) if name in stands else value for name, value in data.items()}

    def _refused_names(self, data: Mapping[Any, Any]) -> dict[Any, str]:
        """Return the names that the service does not take, but for what stands as sent; with the code of each."""
        others = [name for name in data if name not in self.fields]
        parent: Any = self.parent
        readable = frozenset() if parent else self.context.get("read_only_names", frozenset()).intersection(others)
        refused = {name: "read_only_field" if name in readable else "unknown_field" for name in others}
        standing = self.context.get("standing")
        if readable and standing is not None:
            shown = standing(readable)
            # What is hidden from the caller is as unknown as what there is not, so that no guess is confirmed.
            refused |= dict.fromkeys(readable - shown.keys(), "unknown_field")
            refused = {name: code for name, code in refused.items() if name not in shown or shown[name] != data[name]}
        return refused


class ModelWriteSerializer(serializers.ModelSerializer[ModelT], WriteSerializer):
    """Input of a service that writes one model: lengths, choices and types come from its fields.

    Uniqueness is left to the database's constraints, which are exact under concurrency.
    """

    serializer_related_field = VisibleRelatedField

    def get_fields(self) -> dict[str, Any]:
        return self.taken_strictly(super().get_fields())

    def get_validators(self) -> list[Any]:
        return []

    def get_unique_together_validators(self) -> list[Any]:
        return []

    def get_unique_for_date_validators(self) -> list[Any]:
        return []

    def build_standard_field(self, field_name: str, model_field: Any) -> tuple[type[Any], dict[str, Any]]:
        field_class, options = super().build_standard_field(field_name, model_field)
        options["validators"] = [
            validator for validator in options.get("validators", []) if not isinstance(validator, UniqueValidator)
        ]
        if not options["validators"]:
            del options["validators"]
        return field_class, options

    def create(self, validated_data: Any) -> Any:
        raise ImproperlyConfigured("Serializers write nothing; call a service.")

    def update(self, instance: Any, validated_data: Any) -> Any:
        raise ImproperlyConfigured("Serializers write nothing; call a service.")


def included_attribute(name: str) -> str:
    """Return the attribute under which an included row is prefetched."""
    return f"included_{name}"


def reader_of(declared: Any) -> type[BaseModelSerializer[Any]]:
    """Return the reader an expansion declares, as a class or as a dotted path to one."""
    reader: type[BaseModelSerializer[Any]] = import_string(declared) if isinstance(declared, str) else declared
    if not issubclass(reader, BaseModelSerializer):
        raise ImproperlyConfigured(f"{reader} is no reader")
    return reader


def expansions(reader: type[BaseModelSerializer[Any]], depth: int = MAX_DEPTH) -> list[str]:
    """List every name that `?include=` accepts for a reader."""
    names: list[str] = []
    for name, declared in reader.expandable.items():
        names.append(name)
        if depth > 1:
            names.extend(f"{name}.{deeper}" for deeper in expansions(reader_of(declared), depth - 1))
    return names


def with_masks(queryset: QuerySet[ModelT], reader: type[BaseModelSerializer[Any]], actor: Any) -> QuerySet[ModelT]:
    """Let the rows say what of that which the reader shows `actor` may know."""
    if not masks_of(queryset.model):
        return queryset
    shown = reader()
    shown.get_fields()
    found = {mask for mask in (*shown.masked.values(), shown.custom_mask) if mask is not None}
    return with_knowledge(queryset, found, actor)


def with_included(
    queryset: QuerySet[Any], reader: type[BaseModelSerializer[Any]], names: Iterable[str], actor: Any
) -> QuerySet[Any]:
    """Prefetch the included rows that `actor` may see: one query for each name, whatever the page."""
    for name, deeper in _by_head(names).items():
        nested = reader_of(reader.expandable[name])
        model: type[Model] = nested.Meta.model
        related = model._default_manager.all()
        rows = visible(related, actor)
        if hasattr(rows, "for_api"):
            rows = rows.for_api()
        rows = with_included(with_masks(rows, nested, actor), nested, deeper, actor)
        queryset = queryset.prefetch_related(Prefetch(name, queryset=rows, to_attr=included_attribute(name)))
    return queryset


def _by_head(names: Iterable[str]) -> dict[str, list[str]]:
    """Group dotted names by their first part: `["a.b", "a"]` becomes `{"a": ["b"]}`."""
    heads: dict[str, list[str]] = {}
    for name in names:
        head, _, rest = name.partition(".")
        deeper = heads.setdefault(head, [])
        if rest:
            deeper.append(rest)
    return heads
