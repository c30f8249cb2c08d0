"""Records by custom value: `?custom.blood_group=O%2B`, `?custom.score__gte=10`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import BooleanField, F, Field, Func, JSONField, Model, QuerySet, Value
from django.db.models.functions import Cast

from core.customfields.errors import InvalidFormatError, UnknownCustomFieldError
from core.customfields.protection import rows_known
from core.customfields.rules import check_choices
from core.customfields.selectors import active, definitions_of
from core.customfields.types import parsed, read
from core.db.json import ExactEncoder
from core.errors import InvalidError
from core.models import CustomField, CustomFieldType
from core.models.custom_field import is_name

if TYPE_CHECKING:
    _Field = Field[str, str]
else:
    _Field = Field

ModelT = TypeVar("ModelT", bound=Model)
PREFIX = "custom."
COMPARISONS = {"gte": ">=", "lte": "<="}
COMPARABLE = (CustomFieldType.NUMBER, CustomFieldType.DATE)


class JsonPath(_Field):
    """PostgreSQL's type of paths into JSON, to cast to."""

    def db_type(self, connection: Any) -> str:
        return "jsonpath"


def filtered(
    queryset: QuerySet[ModelT],
    name: str,
    raw_value: str,
    definitions: Sequence[CustomField] | None = None,
    *,
    by: Any = None,
) -> QuerySet[ModelT]:
    """Narrow `queryset` to the rows whose field `name` has the value that `raw_value` reads as.

    A multi-select holds all the choices named, with commas between them. `name__gte` and `name__lte`
    compare numbers and dates. A protected field finds only rows of which `by` may know it. Raises an
    `InvalidError` with field `custom.<name>` for an unknown name, a protected one that `by` may know of
    no row, or a value the field could not hold.
    """
    known = definitions_of(queryset.model) if definitions is None else definitions
    definition, operator = _named(name, active(known))
    if definition.protected:
        rows = rows_known(queryset.model, by)
        if rows is None:
            raise UnknownCustomFieldError("There is no such custom field for your role.", field=f"{PREFIX}{name}")
        queryset = queryset.filter(rows)
    try:
        value = parsed(definition, read(definition, raw_value, separator=","))
        if value is None:
            raise InvalidFormatError("A value is expected.")
        check_choices(definition, value)
    except InvalidError as error:
        raise error.under(f"{PREFIX}{name}") from None
    if operator is None:
        return queryset.filter(custom_data__contains={definition.name: value})
    return queryset.filter(_compared(definition.name, operator, value))


def _named(name: str, definitions: Sequence[CustomField]) -> tuple[CustomField, str | None]:
    """Return the definition a parameter names and its comparison, None for equality."""
    field_name, _, lookup = name.partition("__")
    for definition in definitions:
        if definition.name == field_name:
            if not lookup:
                return definition, None
            if lookup in COMPARISONS and definition.field_type in COMPARABLE:
                return definition, COMPARISONS[lookup]
    # A name that is no slug is not repeated: it may be anything.
    field = f"{PREFIX}{name}" if is_name(field_name) and lookup in ("", *COMPARISONS) else PREFIX.rstrip(".")
    raise UnknownCustomFieldError(field=field)


def _compared(name: str, operator: str, value: Any) -> Func:
    """Compare inside the JSON, where a number that is none is no match rather than an error."""
    path = Value(f'$."{name}" ? (@ {operator} $bound)')
    bound = Value({"bound": value}, JSONField(encoder=ExactEncoder))
    return Func(
        F("custom_data"), Cast(path, JsonPath()), bound, function="jsonb_path_exists", output_field=BooleanField()
    )
