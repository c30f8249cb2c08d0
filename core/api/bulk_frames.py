"""The shapes of bulk requests and of what they answer."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers

from core.api.fields import IdField
from core.api.serializers import WriteSerializer

MAX_ITEMS = 1000
MODES = ALL_OR_NOTHING, BEST_EFFORT = "all_or_nothing", "best_effort"
# The action of a resource by what it does to the rows, and what is said of it there.
BULK_CREATE, BULK_UPDATE, BULK_DELETE = "bulk_create", "bulk_update", "bulk_delete"
WHOLE = "Each as in a request for one row."
CHANGES = "Each the `id` of a row and what changes of it, as in a request for that row."
IDS = "Each the `id` of a row."
EXAMPLE_ID = "0195553e-9a70-7c3e-8e1e-2f6d5a1b7c44"


def mode_field() -> serializers.ChoiceField:
    """Return the field that says what becomes of the others when one item is refused."""
    return serializers.ChoiceField(MODES, default=ALL_OR_NOTHING)


class BulkRequest(WriteSerializer):
    """The frame of a bulk request; each item is validated on its own."""

    items = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=MAX_ITEMS)
    mode = mode_field()


class BulkError(serializers.Serializer[Any]):
    """Why an item was refused."""

    code = serializers.CharField()
    field = serializers.CharField(allow_blank=True)
    detail = serializers.CharField()
    meta = serializers.DictField()


class BulkResult(serializers.Serializer[Any]):
    """What became of one item."""

    index = serializers.IntegerField()
    status = serializers.ChoiceField(["created", "updated", "deleted", "refused"])
    id = serializers.UUIDField(allow_null=True)
    errors = BulkError(many=True)  # type: ignore[assignment]  # a declared field, which the metaclass takes away


class BulkResponse(serializers.Serializer[Any]):
    """What became of every item, in the order of the request."""

    succeeded = serializers.IntegerField()
    refused = serializers.IntegerField()
    results = BulkResult(many=True)


class BulkId(WriteSerializer):
    """A row that an item names."""

    id = IdField()


class _NamesItsRow:
    """What a writer of one row says beside when the row is named by an item."""

    always_required = ("id",)

    @property
    def request_example(self) -> Mapping[str, Any]:
        own: Mapping[str, Any] = super().request_example  # type: ignore[misc]  # the writer's
        return {"id": EXAMPLE_ID, **own} if own else {}


@cache
def described(action: str, writer: type[serializers.BaseSerializer[Any]] | None) -> type[WriteSerializer]:
    """Return the frame as the documentation shows it: with items of the shape that the action's writer takes."""
    if action == BULK_DELETE or writer is None:
        return _frame("BulkDelete", BulkId, IDS)
    name = writer.__name__.removesuffix("Writer")
    if action == BULK_CREATE:
        return _frame(f"BulkCreate{name.removeprefix('New')}", writer, WHOLE)
    return _frame(f"BulkUpdate{name}", _with_id(writer, name), CHANGES, partial=True)


def _with_id(writer: type[serializers.BaseSerializer[Any]], name: str) -> type[serializers.BaseSerializer[Any]]:
    """Return a writer that takes the id of the row, too."""
    members: dict[str, Any] = {
        "__doc__": "A row by its id, and what changes of it.",
        "__module__": __name__,
        "id": IdField(),
    }
    meta: Any = getattr(writer, "Meta", None)
    if meta is not None:
        members["Meta"] = type("Meta", (meta,), {"fields": ("id", *meta.fields)})
    return type(f"{name}Change", (_NamesItsRow, writer), members)


def _frame(
    name: str, item: type[serializers.BaseSerializer[Any]], said: str, *, partial: bool = False
) -> type[WriteSerializer]:
    items = serializers.ListField(child=item(partial=partial), min_length=1, max_length=MAX_ITEMS, help_text=said)
    members = {"__doc__": f"{said}", "__module__": __name__, "items": items, "mode": mode_field()}
    return type(name, (WriteSerializer,), members)
