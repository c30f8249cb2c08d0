"""Many writes in one request: up to 1,000 rows, a result for each, all or nothing by default.

    POST /<plural>/bulk-create/ {"items": [{…}, …], "mode": "all_or_nothing" | "best_effort"}
    POST /<plural>/bulk-update/ {"items": [{"id": …, …}, …], "mode": …}
    POST /<plural>/bulk-delete/ {"items": [{"id": …}, …], "mode": …}

Every item passes the same permission, scope, validation and service as a single request. With
`all_or_nothing` one refused item undoes all of them and the answer is the list of refusals, by
item; with `best_effort` the others stay and the results say which. No two items change or delete
one row: which of them was meant would be a guess.

Items are written so many at a time, and share what all of them ask (`core.together`). Where one of
them is refused, those among which it is are written one by one, so that the others are not.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from operator import itemgetter
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import DataError, IntegrityError, models, transaction
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.bulk_frames import ALL_OR_NOTHING, BULK_CREATE, BULK_DELETE, BULK_UPDATE, BulkRequest, BulkResponse
from core.api.bulk_frames import described as frame_of
from core.api.exceptions import translated, violations_of
from core.api.fields import IdField, VisibleRelatedField
from core.api.viewsets import UnifiedViewSet
from core.bulk import check_deferred
from core.errors import DomainError, InUseError, InvalidError, MissingError, ViolationsError, raise_all
from core.models import VersionedModel
from core.together import UndoneError, gather, is_together, together

ModelT = TypeVar("ModelT", bound=models.Model)
# Writes an item and returns the id of its row.
Write = Callable[[dict[str, Any]], UUID]
# The place of an item in the request, why it was refused, and the id of its row.
Outcome = tuple[int, list[DomainError], UUID | None]

# How many items are written at a time: where one is refused, so many are written again.
TOGETHER = 100
# So often a deletion is tried that was in use by what the same request deletes.
ROUNDS = 4
# What may come of an item that is not to be written.
REFUSALS = (DomainError, APIException, IntegrityError, DataError)


class DuplicateItemError(InvalidError):
    """Several items of one request name the same row; none of them is carried out."""

    code = "duplicate_item"
    title = "Another item of the request names the same row."
    field = "id"


class _RowsChanged(Exception):  # noqa: N818 - no error: they are read again
    """What some items changed was read before others, or the database, changed it as well."""


class BulkViewSet(UnifiedViewSet[ModelT]):
    """Adds the three bulk actions to a resource."""

    # Foreign keys whose rows the services of the resource read of every row that they change.
    read_along: ClassVar[Sequence[str]] = ()

    # Rows that several items of the request name.
    _repeated: frozenset[UUID] = frozenset()
    # By id: rows that were read for several items at once. None where the database changes them along with others.
    _loaded: dict[UUID, ModelT] | None = None
    _reads_ahead = True
    # What takes the items, one after the other.
    _writer: serializers.BaseSerializer[Any] | None = None

    @extend_schema(responses=BulkResponse)
    @action(detail=False, methods=["post"], url_path="bulk-create")
    def bulk_create(self, request: Request) -> Response:
        """Create up to 1,000 rows."""
        return self._each(request, "created", self._create_item)

    @extend_schema(responses=BulkResponse)
    @action(detail=False, methods=["post"], url_path="bulk-update")
    def bulk_update(self, request: Request) -> Response:
        """Change up to 1,000 rows, each named by its `id`."""
        return self._each(request, "updated", self._update_item)

    @extend_schema(responses=BulkResponse)
    @action(detail=False, methods=["post"], url_path="bulk-delete")
    def bulk_delete(self, request: Request) -> Response:
        """Delete up to 1,000 rows, each named by its `id`."""
        return self._each(request, "deleted", self._delete_item)

    def get_described_serializer(self) -> type[serializers.BaseSerializer[Any]] | None:
        """Return the shape of this action's body as the documentation shows it."""
        writer: Any = self.get_request_serializer()
        return frame_of(self.action, writer) if self.action in (BULK_CREATE, BULK_UPDATE, BULK_DELETE) else writer

    def _create_item(self, item: dict[str, Any]) -> UUID:
        values = self.validated(item)
        return UUID(str(self.made(self.service("create"), values).pk))

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
        row_id, delete = UUID(str(row.pk)), self.service("delete")
        if is_together() and self.crud.delete_all is not None:
            gather(self._delete_all, row_id)
        else:
            delete(row, by=self.actor)
        return row_id

    def _delete_all(self, ids: list[UUID]) -> None:
        if self.crud.delete_all is not None:
            self.crud.delete_all(ids=ids)

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

    def locked_row(self) -> ModelT:
        """Return the named row, which is locked already if it was read with others."""
        row = (self._loaded or {}).get(self.kwargs["pk"]) if is_together() else None
        return super().locked_row() if row is None else row

    def accepted(self, data: Any, *, partial: bool, row: ModelT | None) -> dict[str, Any]:
        """Let one writer take all items of a request: to make one costs more than what it does."""
        if self.action not in (BULK_CREATE, BULK_UPDATE):
            return super().accepted(data, partial=partial, row=row)
        if self._writer is None:
            self._writer = self.writer(data, partial=partial, row=row)
        self._writer.initial_data = data
        context: Any = self._writer.context  # the writer's own, of which it tells the fields
        context.update(self.writer_context(row))
        values: dict[str, Any] = self._writer.run_validation(data)
        return values

    def _each(self, request: Request, outcome: str, write: Write) -> Response:
        if "If-Match" in request.headers:
            raise InvalidError("One tag cannot stand for many rows.", code="if_match_not_for_bulk")
        frame = BulkRequest(data=request.data)
        frame.is_valid(raise_exception=True)
        items, mode = frame.validated_data["items"], frame.validated_data["mode"]
        with transaction.atomic():
            self._lock_in_order(items)
            found = sorted(self._outcomes(items, write), key=itemgetter(0))
            refusals = [error.under(f"items.{index}") for index, errors, _ in found for error in errors]
            if refusals and mode == ALL_OR_NOTHING:
                raise ViolationsError(refusals)
        results = [
            {
                "index": index,
                "status": "refused" if errors else outcome,
                "id": row_id,
                "errors": [error.as_dict() for error in errors],
            }
            for index, errors, row_id in found
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
        ids = [] if self.action == BULK_CREATE else list(ids_at(items, "id"))
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
        names = natural_key(self.manageable().model) if self.action == BULK_CREATE else ()
        return sorted(
            range(len(items)),
            key=lambda place: [str(items[place].get(name, "")).casefold() for name in names],
        )

    def _outcomes(self, items: list[dict[str, Any]], write: Write) -> Iterator[Outcome]:
        """Write the items, so many at a time; yield what became of each."""
        order = self._order_of(items)
        if self.action == BULK_DELETE:
            yield from self._deleted(order, items, write)
            return
        for start in range(0, len(order), TOGETHER):
            places = order[start : start + TOGETHER]
            yield from self._all_or_each(places, items, write)

    def _all_or_each(self, places: list[int], items: list[dict[str, Any]], write: Write) -> list[Outcome]:
        """Write items together, or, where one of them is refused, one by one."""
        written = self._write_together([items[place] for place in places], write)
        if written is None:
            return [self._attempt_item(place, items[place], write) for place in places]
        return [(place, [], row_id) for place, row_id in zip(places, written, strict=True)]

    def _deleted(self, places: list[int], items: list[dict[str, Any]], write: Write) -> Iterator[Outcome]:
        """Delete the rows that items name, all at once: they may be in use by each other, wherever they stand.

        Where one is refused they go one by one, the youngest first: what refers to a row was mostly made after it. What
        only its use stands against is tried again while others go, a few times at most.
        """
        places = sorted(places, key=lambda place: str(items[place].get("id", "")), reverse=True)
        in_use: list[Outcome] = []
        for _ in range(ROUNDS):
            in_use = []
            for outcome in self._all_or_each(places, items, write):
                if any(isinstance(error, InUseError) for error in outcome[1]):
                    in_use.append(outcome)
                else:
                    yield outcome
            left = [place for place, _, _ in in_use]
            if left == places:
                break
            places = left
        yield from in_use

    def _write_together(self, items: list[dict[str, Any]], write: Write) -> list[UUID] | None:
        """Write items as one and return the ids of their rows; None, and nothing written, where one is refused."""
        try:
            with together(last=check_deferred):
                self._foresee(items)
                return [write(item) for item in items]
        except _RowsChanged:
            self._reads_ahead = False
            return self._write_together(items, write)
        except (*REFUSALS, UndoneError, transaction.TransactionManagementError):
            return None

    def _foresee(self, items: list[dict[str, Any]]) -> None:
        """Read at once the rows that items name, which are locked, and those that they refer to."""
        self._loaded = None
        if self.action != BULK_CREATE and self._reads_ahead and issubclass(self.manageable().model, VersionedModel):
            rows = list(self.manageable().filter(pk__in=list(ids_at(items, "id"))))
            self._loaded = {row.pk: row for row in rows}
            if self.action == BULK_UPDATE:
                models.prefetch_related_objects(rows, *self.read_along)
        if self.action != BULK_DELETE:
            self._writer = self._writer or self.writer({}, partial=self.action == BULK_UPDATE, row=None)
            for name, field in getattr(self._writer, "fields", {}).items():
                if isinstance(field, VisibleRelatedField):
                    field.foresee(set(ids_at(items, name)))

    def require_manageable(self, rows: list[ModelT]) -> None:
        """Refuse unless the caller manages all of the rows, which are read again if others were changed along."""
        super().require_manageable(rows)
        if self._loaded and is_together():
            known: list[Any] = [row for row in rows if row.pk in self._loaded]
            versions = dict(self.manageable().filter(pk__in=list(self._loaded)).values_list("pk", "version"))
            if any(row.version != versions[row.pk] for row in known):
                raise _RowsChanged

    def _attempt_item(self, place: int, item: dict[str, Any], write: Write) -> Outcome:
        try:
            with transaction.atomic():
                row_id = write(item)
                check_deferred()
                return place, [], row_id
        except REFUSALS as error:
            refusal = translated(error)
            if refusal is None:
                raise
            return place, violations_of(refusal), None


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
