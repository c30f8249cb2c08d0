"""Many writes in one request: up to 1,000 rows, a result for each, all or nothing by default.

    POST /<plural>/bulk-create/ {"items": [{…}, …], "mode": "all_or_nothing" | "best_effort"}
    POST /<plural>/bulk-update/ {"items": [{"id": …, …}, …], "mode": …}
    POST /<plural>/bulk-delete/ {"items": [{"id": …}, …], "mode": …}

Every item passes the same permission, scope, validation and service as a single request. With
`all_or_nothing` one refused item undoes all of them and the answer is the list of refusals, by
item; with `best_effort` the others stay and the results say which. No two items change or delete
one row: which of them was meant would be a guess.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, TypeVar
from uuid import UUID

from django.db import DataError, IntegrityError, models, transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.exceptions import translated, violations_of
from core.api.fields import IdField
from core.api.serializers import WriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.bulk import check_deferred
from core.errors import DomainError, InvalidError, MissingError, ViolationsError, raise_all

ModelT = TypeVar("ModelT", bound=models.Model)
MAX_ITEMS = 1000
ALL_OR_NOTHING, BEST_EFFORT = "all_or_nothing", "best_effort"


class DuplicateItemError(InvalidError):
    """Several items of one request name the same row; none of them is carried out."""

    code = "duplicate_item"
    title = "Another item of the request names the same row."
    field = "id"


class BulkRequest(WriteSerializer):
    """The frame of a bulk request; each item is validated on its own."""

    items = serializers.ListField(
        child=serializers.DictField(),
        min_length=1,
        max_length=MAX_ITEMS,
        help_text="Each as in a request for one row; of a row that exists, its `id` and what changes.",
    )
    mode = serializers.ChoiceField([ALL_OR_NOTHING, BEST_EFFORT], default=ALL_OR_NOTHING)


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


class BulkViewSet(UnifiedViewSet[ModelT]):
    """Adds the three bulk actions to a resource."""

    # Rows that several items of the request name.
    _repeated: frozenset[UUID] = frozenset()

    @extend_schema(request=BulkRequest, responses=BulkResponse)
    @action(detail=False, methods=["post"], url_path="bulk-create")
    def bulk_create(self, request: Request) -> Response:
        """Create up to 1,000 rows."""
        return self._each(request, "created", self._create_item)

    @extend_schema(request=BulkRequest, responses=BulkResponse)
    @action(detail=False, methods=["post"], url_path="bulk-update")
    def bulk_update(self, request: Request) -> Response:
        """Change up to 1,000 rows, each named by its `id`."""
        return self._each(request, "updated", self._update_item)

    @extend_schema(request=BulkRequest, responses=BulkResponse)
    @action(detail=False, methods=["post"], url_path="bulk-delete")
    def bulk_delete(self, request: Request) -> Response:
        """Delete up to 1,000 rows, each named by its `id`."""
        return self._each(request, "deleted", self._delete_item)

    def _create_item(self, item: dict[str, Any]) -> UUID:
        values = self.validated(item)
        row = self.within_scope(self.service("create")(by=self.actor, **values), values)
        return UUID(str(row.pk))

    def _update_item(self, item: dict[str, Any]) -> UUID:
        row = self._named(item)
        changes = self.validated({name: value for name, value in item.items() if name != "id"}, partial=True, row=row)
        self.within_scope(self.service("update")(row, by=self.actor, **changes), changes)
        return UUID(str(row.pk))

    def _delete_item(self, item: dict[str, Any]) -> UUID:
        row = self._named(item)
        raise_all(
            [InvalidError("There is no such field.", code="unknown_field", field=name) for name in item if name != "id"]
        )
        row_id = UUID(str(row.pk))
        self.service("delete")(row, by=self.actor)
        return row_id

    def _named(self, item: dict[str, Any]) -> ModelT:
        """Lock the row an item names."""
        try:
            self.kwargs["pk"] = IdField().run_validation(item.get("id"))
        except ValidationError:
            code = "invalid" if item.get("id") is not None else "required"
            raise InvalidError("An item names its row by id.", field="id", code=code) from None
        try:
            if self.kwargs["pk"] in self._repeated:
                raise DuplicateItemError
            return self.locked_row()
        except Http404:
            raise MissingError("There is no such row.", field="id") from None
        finally:
            del self.kwargs["pk"]

    def _each(self, request: Request, outcome: str, write: Callable[[dict[str, Any]], UUID]) -> Response:
        if "If-Match" in request.headers:
            raise InvalidError("One tag cannot stand for many rows.", code="if_match_not_for_bulk")
        frame = BulkRequest(data=request.data)
        frame.is_valid(raise_exception=True)
        items, mode = frame.validated_data["items"], frame.validated_data["mode"]
        with transaction.atomic():
            self._lock_in_order(items)
            outcomes = {index: self._attempt_item(items[index], write) for index in self._order_of(items)}
            found = sorted(outcomes.items())
            refusals = [error.under(f"items.{index}") for index, (errors, _) in found for error in errors]
            if refusals and mode == ALL_OR_NOTHING:
                raise ViolationsError(refusals)
        results = [
            {
                "index": index,
                "status": "refused" if errors else outcome,
                "id": row_id,
                "errors": [error.as_dict() for error in errors],
            }
            for index, (errors, row_id) in found
        ]
        refused = sum(result["status"] == "refused" for result in results)
        summary = {"succeeded": len(items) - refused, "refused": refused, "results": results}
        return Response(summary, status=status.HTTP_200_OK)

    def lock_behind(self, rows: models.QuerySet[ModelT], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock what everybody locks after rows of this kind, all that `bodies` need of it together.

        Nothing, unless a resource says otherwise. A request for one row leaves that to its service.
        """

    def _lock_in_order(self, items: list[dict[str, Any]]) -> None:
        """Lock what all items need, kind by kind and by id, so that no two requests wait for each other."""
        ids = [] if self.action == "bulk_create" else list(ids_at(items, "id"))
        self._repeated = frozenset(pk for pk, times in Counter(ids).items() if times > 1)
        rows = self.manageable().filter(pk__in=ids)
        self.lock_ahead(rows, items)
        if ids:
            locked = rows.select_for_update(of=("self",), no_key=True)
            list(locked.order_by("pk").values_list("pk", flat=True))
            self.lock_behind(rows, items)

    def _order_of(self, items: list[dict[str, Any]]) -> list[int]:
        """Return the places of items in the order in which to write them.

        Each row that is made holds its code until the transaction ends, and there is nothing yet to
        lock ahead: requests that take codes in one order cannot wait for each other.
        """
        names = natural_key(self.manageable().model) if self.action == "bulk_create" else ()
        return sorted(
            range(len(items)),
            key=lambda place: [str(items[place].get(name, "")).casefold() for name in names],
        )

    def _attempt_item(
        self, item: dict[str, Any], write: Callable[[dict[str, Any]], UUID]
    ) -> tuple[list[DomainError], UUID | None]:
        try:
            with transaction.atomic():
                row_id = write(item)
                check_deferred()
                return [], row_id
        except (DomainError, APIException, IntegrityError, DataError) as error:
            refusal = translated(error)
            if refusal is None:
                raise
            return violations_of(refusal), None


def natural_key(model: type[models.Model]) -> tuple[str, ...]:
    """Return the fields by which people tell rows apart: those of a unique constraint that has a text among them."""
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            expressions: Iterable[Any] = constraint.expressions
            parts: Iterable[Any] = chain.from_iterable(expression.flatten() for expression in expressions)
            names = tuple(constraint.fields) or tuple(part.name for part in parts if hasattr(part, "name"))
            if any(isinstance(model._meta.get_field(name), models.CharField) for name in names):
                return names
    return ()


def ids_at(bodies: Iterable[Any], *path: str) -> Iterator[UUID]:
    """Yield the ids that bodies have at a path, also in lists; what is none is refused when it is validated."""
    found = list(bodies)
    for name in path:
        values = [body.get(name) for body in found if isinstance(body, Mapping)]
        found = [one for value in values for one in (value if isinstance(value, list) else [value])]
    for one in found:
        with suppress(ValueError):
            yield UUID(str(one))
