"""The base of every resource: authorise, scope, validate, delegate, represent.

A resource declares what it is (queryset, readers, writer, filters, services) and inherits the
rest. Which rows a caller may reach is decided by `core.visibility` and cannot be overridden; a row
out of sight answers 404 in every action, one in sight that the caller may not manage 403.
"""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial as bound
from typing import Any, ClassVar, TypeVar, cast, final
from uuid import UUID

from django.db import models, transaction
from django.http import Http404
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject, cached_property
from rest_framework import status
from rest_framework.exceptions import MethodNotAllowed, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from core.api import etag
from core.api.exceptions import violations_of
from core.api.filters import (
    CustomFieldBackend,
    OrderingBackend,
    SearchBackend,
    StrictFilterBackend,
    refuse_unusable_parameters,
)
from core.api.idempotency import IdempotentPostMixin
from core.api.limited import LimitedMixin
from core.api.pagination import KeysetPagination
from core.api.parameters import model_of
from core.api.parsers import refuse_unreadable_query
from core.api.permissions import crud_permissions
from core.api.remembered import RememberedReadMixin
from core.api.renderers import dumps
from core.api.repeated import offer_again
from core.api.rows import Rows, rows_of
from core.api.selection import Selection
from core.api.serializers import BaseModelSerializer, expansions, names_shown_by, with_included, with_masks
from core.cache.generations import expect
from core.crud import Crud
from core.customfields import validated as custom_values
from core.customfields.protection import hidden_names
from core.errors import ConflictError, DomainError, ForbiddenError, OutOfScopeError, raise_all
from core.foreseen import refuse_foreign
from core.masks import masks_of
from core.models import CustomField, CustomizableModel
from core.recording import Disclosure, recorder
from core.together import gather
from core.visibility import visible

ModelT = TypeVar("ModelT", bound=models.Model)


class FieldOutOfScopeError(ForbiddenError):
    """A protected field of a row would be written by somebody who may not know it."""

    code = "field_out_of_scope"
    title = "This field is outside the scope of your role."


class BaseViewSet(LimitedMixin, etag.TaggedReadMixin, RememberedReadMixin, IdempotentPostMixin, GenericViewSet[ModelT]):
    """A readable resource: list and retrieve, for what the caller may see."""

    list_serializer_class: ClassVar[type[BaseModelSerializer[Any]]]
    detail_serializer_class: ClassVar[type[BaseModelSerializer[Any]]]
    write_serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    filter_backends = [StrictFilterBackend, CustomFieldBackend, SearchBackend, OrderingBackend]
    ordering_fields: ClassVar[Mapping[str, str]] = {}
    default_ordering: ClassVar[Sequence[str]] = ("id",)
    searchable: ClassVar[bool] = False
    # Whether it makes one answer of many rows, which is narrowed by its filters and by nothing else.
    sums_up: ClassVar[bool] = False
    # Columns that a list does not show and that are too long to be read in vain.
    left_out_of_lists: ClassVar[Sequence[str]] = ()
    # Permissions of the actions a resource adds to the usual ones.
    action_permissions: ClassVar[Mapping[str, str]] = {}
    required_permissions: ClassVar[Mapping[str, str]] = {}
    lookup_value_converter = "uuid"
    # Whether the resource calls `etag.require_stated` for whoever replaces or deletes a row.
    if_match_required: ClassVar[bool] = False
    # The steps that those alone take who say what they have read: a decision is about what the row said.
    stated_steps: ClassVar[Collection[str]] = ()
    # Of whom showing rows discloses something that has to be on record.
    discloses: ClassVar[Disclosure | None] = None
    # Whether a list that was asked for before may be made again by its statement alone (`core.api.repeated`): what is
    # shown of it hangs on the request, the caller, the custom fields and the day, and on the rows as they are.
    repeats: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        queryset = cls.__dict__.get("queryset")
        if queryset is not None:
            cls.required_permissions = {**crud_permissions(queryset.model), **cls.action_permissions}
        if "list_serializer_class" in cls.__dict__ and "detail_serializer_class" not in cls.__dict__:
            cls.detail_serializer_class = cls.list_serializer_class

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if self.action == "list":
            # What a page asks of the generations, so that it is asked along with who calls.
            expect([CustomField._meta.label_lower])
            if "page" in request.query_params:
                expect([model_of(self)._meta.label_lower])
        super().initial(request, *args, **kwargs)
        refuse_unreadable_query(request)
        refuse_unusable_parameters(self, request)

    @final
    def get_queryset(self) -> models.QuerySet[ModelT]:
        """Return the rows the caller may see, loaded for the action's reader."""
        return self.loaded(self.in_sight())

    @final
    def in_sight(self) -> models.QuerySet[ModelT]:
        """Return the rows of this resource that the caller may see."""
        return self.within(visible(super().get_queryset(), self.request.user))

    def within(self, queryset: models.QuerySet[ModelT]) -> models.QuerySet[ModelT]:
        """Narrow the rows of the model to those that this resource is about; all of them, unless it says otherwise."""
        return queryset

    @final
    def manageable(self) -> models.QuerySet[ModelT]:
        """Return the rows the caller may change."""
        return visible(super().get_queryset(), self.request.user, to="manage")

    @final
    def loaded(self, queryset: models.QuerySet[ModelT]) -> models.QuerySet[ModelT]:
        """Load what the reader of this action shows and the caller included."""
        rows: Any = queryset
        rows = with_masks(rows.for_api(), self.reader, self.request.user)
        if self.action == "list":
            rows = rows.defer(*self.left_out_of_lists)
        return with_included(rows, self.reader, self.selection.include, self.request.user)

    @property
    def actor(self) -> Any:
        """The authenticated caller; permissions have turned anonymous ones away."""
        return self.request.user

    @property
    def reader(self) -> type[BaseModelSerializer[Any]]:
        return self.list_serializer_class if self.action == "list" else self.detail_serializer_class

    @cached_property
    def selection(self) -> Selection:
        """What `?fields=` and `?include=` ask for; refused when they name what the reader lacks."""
        return Selection.of(self.request, self.reader)

    @property
    def expansions(self) -> Sequence[str]:
        return expansions(self.reader)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        return self.reader

    def get_request_serializer(self) -> type[BaseSerializer[Any]] | None:
        """Return the shape of this action's body, or None when it takes none."""
        return self.write_serializers.get(self.action)

    def get_response_serializer(self) -> type[BaseSerializer[Any]]:
        """Return the shape of this action's data."""
        return self.reader

    def list(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.remembered(request, self._page)

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return self.remembered(request, lambda: self.represent(self.get_object()))

    def _page(self) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.in_sight()))
        if page is None:
            raise TypeError("every list is paginated")
        data = self.rows.data(page)
        if self.discloses is not None and page:
            self._disclose(self.discloses, self.rows.subjects(page))
        response = self.get_paginated_response(data)
        disclose = None if self.discloses is None else self._disclosing(self.discloses)
        place = cast(KeysetPagination, self.paginator).place
        offer_again(self, self.request, rows=self.rows, place=place, disclose=disclose)
        return response

    @cached_property
    def rows(self) -> Rows:
        """How this request's list reads its rows and shows them."""
        return rows_of(self)

    def read(self, instance: Any) -> Any:
        """Return the reader's data of a row, narrowed and widened as asked, and put on record that it was shown."""
        data = self.shown(instance)
        self.put_on_record([instance])
        return data

    def shown(self, instance: Any, *, many: bool = False) -> Any:
        """Return the reader's data of a row or of rows, narrowed and widened as asked."""
        selection = self.selection
        reader = self.reader(
            instance,
            many=many,
            include=selection.include,
            only=selection.only,
            context=self.get_serializer_context(),
        )
        return reader.data

    def put_on_record(self, rows: Sequence[Any]) -> None:
        """Put on record whose records the caller is about to be shown: before the answer, which fails without."""
        if self.discloses is not None and rows:
            self._disclose(self.discloses, self.discloses.subjects(rows))

    def _disclose(self, what: Disclosure, subjects: Collection[UUID]) -> None:
        self._disclosing(what)(subjects=subjects)

    def _disclosing(self, what: Disclosure) -> Callable[..., None]:
        """Return what puts on record that the records of `subjects` are shown."""
        return bound(
            recorder().disclosed,
            what=what.what,
            to=self.actor,
            permission=self.required_permissions.get(self.action) or what.permission,
            route=f"{type(self).__name__}.{self.action}",
        )

    def bodies(self) -> Sequence[Mapping[str, Any]]:
        """Return what the request says of each of its rows, as it came."""
        return [self.request.data] if isinstance(self.request.data, Mapping) else []

    def validated(self, data: Any, *, partial: bool = False, row: ModelT | None = None) -> dict[str, Any]:
        """Return the action's validated input; with the row that it changes, what was read of it may come back."""
        data = data if row is None else self._without_hidden(data, row)
        try:
            values = self.accepted(data, partial=partial, row=row)
        except ValidationError as refused:
            raise_all([*violations_of(refused), *self._refused_custom_fields(data, row)])
            raise
        # Before any rule compares a value with one that the caller may not know.
        raise_all(self._hidden_custom_fields(values, row))
        return values

    def accepted(self, data: Any, *, partial: bool, row: ModelT | None) -> dict[str, Any]:
        """Return what the action's writer makes of a body; raise `ValidationError` with all that it refuses."""
        serializer = self.writer(data, partial=partial, row=row)
        serializer.is_valid(raise_exception=True)
        values: dict[str, Any] = serializer.validated_data
        return values

    def writer(self, data: Any, *, partial: bool, row: ModelT | None) -> BaseSerializer[Any]:
        """Return the writer of a body, in whose context stands what a client may send back."""
        writer = self.get_request_serializer()
        if writer is None:
            raise TypeError(f"{self.action} takes no body")
        return writer(data=data, partial=partial, context=self.writer_context(row))

    def writer_context(self, row: ModelT | None = None) -> dict[str, Any]:
        """Tell writers which names a read shows, and of a row what it shows: that much a client may send back."""
        context = self.get_serializer_context()
        told = {} if row is None else {"standing": bound(self._standing, row)}
        return {**context, "read_only_names": names_shown_by(self.detail_serializer_class), **told}

    def _standing(self, row: ModelT, names: Collection[str]) -> dict[str, Any]:
        """Return what a read would show the caller under these names, but for what is hidden from them."""
        context = self.get_serializer_context()
        standing = self.fresh(row)
        reader = self.detail_serializer_class(standing, only=names, context=context)
        shown: dict[str, Any] = json.loads(dumps(reader.data))
        return {name: value for name, value in shown.items() if name not in reader.hidden_of(standing)}

    def _without_hidden(self, data: Any, row: ModelT) -> Any:
        """Return a body without what is null because the caller may not know it, if it is the row as it was read.

        That one names the row by its `id`. Of others null would empty the field, which is refused.
        """
        if not isinstance(data, Mapping) or data.get("id") != str(row.pk):
            return data
        reader = self.detail_serializer_class(context=self.get_serializer_context())
        masked = set(reader.fields).intersection(reader.masked)
        empty = {name for name in masked if data.get(name, row) is None}
        hidden = reader.hidden_of(self.fresh(row)) if empty else empty
        return {name: value for name, value in data.items() if name not in empty & hidden}

    def _refused_custom_fields(self, data: Any, row: ModelT | None) -> Sequence[DomainError]:
        """Return what the service would say of the custom values, so that it is told with what else is wrong."""
        model = super().get_queryset().model
        given = data.get("custom_fields") if isinstance(data, Mapping) else None
        if not isinstance(given, Mapping) or not issubclass(model, CustomizableModel):
            return []
        if hidden := self._hidden_custom_fields({"custom_fields": given}, row):
            return hidden
        existing, row_id = ({}, None) if row is None else (cast("CustomizableModel", row).custom_data, row.pk)
        try:
            custom_values(model, given, existing=existing, instance_id=row_id, partial=row is not None, by=self.actor)
        except DomainError as refused:
            # What a new row would clash with may be out of sight: nobody hears of it where they could not write.
            return [error for error in refused.violations if row or not isinstance(error, ConflictError)]
        return []

    def _hidden_custom_fields(self, values: Mapping[str, Any], row: ModelT | None) -> Sequence[DomainError]:
        """Refuse protected custom values of a row, or of one that is yet to come, that the caller may not know."""
        given = values.get("custom_fields")
        if not given:
            return []
        hidden = hidden_names(given, super().get_queryset().model, row=row, actor=self.actor, holder=self.request)
        return [FieldOutOfScopeError(field=f"custom_fields.{name}") for name in hidden]

    def represent(self, instance: ModelT, status_code: int = status.HTTP_200_OK) -> Response:
        """Answer with the row; after a write, as a fresh read shows it."""
        response = Response(self.read(instance), status=status_code)
        response["ETag"] = etag.of(response.data, instance)
        return response

    def fresh(self, instance: ModelT) -> ModelT:
        """Read the row again through the caller's sight, as `retrieve` would."""
        row = self.get_queryset().filter(pk=instance.pk).first()
        if row is None:
            raise OutOfScopeError
        return row

    def lock_ahead(self, rows: models.QuerySet[ModelT], bodies: Sequence[Mapping[str, Any]]) -> None:
        """Lock what everybody locks before rows of this kind: `rows` are about to be locked, to be given `bodies`.

        Nothing, unless a resource says otherwise. The rows are those that the caller may change; what
        the bodies name is not validated yet, and is to be narrowed by the caller's sight as well.
        """

    def locked(self) -> ModelT:
        """Lock the named row until the transaction ends: 404 out of sight, 403 out of scope."""
        # Both are asked for by whom they concern alone: elsewhere a row that is not there is said first.
        rows = cast("models.QuerySet[ModelT]", SimpleLazyObject(lambda: self.manageable().filter(pk=self.kwargs["pk"])))
        bodies = cast(Sequence[Mapping[str, Any]], SimpleLazyObject(self.bodies))
        self.lock_ahead(rows, bodies)
        return self.locked_row()

    def locked_row(self) -> ModelT:
        """Lock the named row alone, for whom has locked what comes before it."""
        lookup = {"pk": self.kwargs["pk"]}
        row = self.manageable().select_for_update(of=("self",), no_key=True).filter(**lookup).first()
        if row is None:
            if visible(super().get_queryset(), self.request.user).filter(**lookup).exists():
                raise OutOfScopeError
            raise Http404
        etag.require_match(self.request.headers.get("If-Match"), row)
        return row


class UnifiedViewSet(BaseViewSet[ModelT]):
    """A resource with the usual writes, each of which calls one service of `crud`."""

    crud: ClassVar[Crud[Any]]
    write_serializer_class: ClassVar[type[BaseSerializer[Any]]]

    def service(self, operation: str) -> Callable[..., Any]:
        """Return the service for an operation, or answer 405 when the resource does not offer it."""
        found: Callable[..., Any] | None = getattr(self.crud, operation)
        if found is None:
            raise MethodNotAllowed(str(self.request.method))
        return found

    def get_request_serializer(self) -> type[BaseSerializer[Any]] | None:
        if self.action in ("create", "update", "partial_update", "bulk_create", "bulk_update"):
            writer: type[BaseSerializer[Any]] = self.write_serializers.get(self.action, self.write_serializer_class)
            return writer
        return super().get_request_serializer()

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        create = self.service("create")
        with transaction.atomic():
            values = self.validated(request.data)
            instance = self.made(create, values)
            return self.represent(self.fresh(instance), status.HTTP_201_CREATED)

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._update(request, partial=False)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self._update(request, partial=True)

    def _update(self, request: Request, *, partial: bool) -> Response:
        update = self.service("update")
        with transaction.atomic():
            instance = self.locked()
            changes = self.validated(request.data, partial=partial, row=instance)
            return self.represent(self.fresh(self.within_scope(update(instance, by=self.actor, **changes), changes)))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        delete = self.service("delete")
        with transaction.atomic():
            delete(self.locked(), by=self.actor)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def step(self, request: Request, service: Callable[..., ModelT]) -> Response:
        """Let a service take the named row a step further, `service(row, *, by, at, **input)`."""
        with transaction.atomic():
            row = self.locked()
            given = self.validated(request.data)
            if self.action in self.stated_steps:
                etag.require_stated(request.headers.get("If-Match"))
            moved = service(row, by=self.actor, at=timezone.now(), **given)
            return self.represent(self.fresh(moved))

    def made(self, create: Callable[..., ModelT], values: Mapping[str, Any]) -> ModelT:
        """Let a service make a row of the input, and refuse what is not the caller's to write.

        Who changes a row manages it, and hears what it clashes with; who makes one, only if they could manage it.
        """
        try:
            row = create(by=self.actor, **values)
        except DomainError as refused:
            refuse_foreign(refused, model_of(self), values, by=self.actor)
            raise
        return self.within_scope(row, values)

    def within_scope(self, instance: ModelT, values: Mapping[str, Any]) -> ModelT:
        """Return the row just written, or refuse: nobody writes what they could not manage, or may not know."""
        gather(self.require_manageable, instance)
        written = [(mask, sorted(mask.names.intersection(values))) for mask in masks_of(type(instance))]
        hidden = [names for mask, names in written if names and not mask.known(instance, self.actor)]
        errors: list[DomainError] = [FieldOutOfScopeError(field=name) for names in hidden for name in names]
        raise_all([*errors, *self._hidden_custom_fields(values, instance)])
        return instance

    def require_manageable(self, rows: list[ModelT]) -> None:
        """Refuse unless the caller manages all of the rows."""
        if self.manageable().filter(pk__in=[row.pk for row in rows]).count() < len(rows):
            raise OutOfScopeError
