"""Administration pages that go through the same services, permissions and visibility as the API."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin import actions
from django.contrib.admin.utils import get_fields_from_path, model_ngettext
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.forms import CharField, HiddenInput, ModelForm
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.admin_choices import RowField
from core.admin_history import take_step
from core.admin_json import StorableJSONDecoder
from core.crud import Crud, EditConflictError
from core.customfields.protection import searchable
from core.customfields.record_admin import CustomFieldsAdminMixin
from core.errors import DomainError, OutOfScopeError
from core.foreseen import refuse_foreign
from core.masks import masks_of
from core.models import CustomizableModel
from core.recording import Disclosure, recorder
from core.search import search
from core.visibility import Sight, visible

if TYPE_CHECKING:
    _ModelForm = ModelForm[Any]
else:
    _ModelForm = ModelForm

REFUSED = "_refused_by_service"
# Names the field that carries, hidden, the version of the row that the form was opened with.
SEEN = "seen_version"


class SeenField(CharField):
    """The version a form shows. It is sent back as it came: what others did since, the save must not undo.

    A form sent without one is saved whatever was done since, as the API does without `If-Match`.
    """

    def __init__(self, *, initial: str) -> None:
        super().__init__(required=False, widget=HiddenInput, initial=initial)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return False


class ServiceAdmin(CustomFieldsAdminMixin):
    """A model's pages: rows scoped to the caller, writes by the services of `crud`.

    A refusal of a service is shown in the form, beside the field it concerns.
    """

    crud: ClassVar[Crud[Any]] = Crud()
    # Of whom showing rows discloses something that has to be on record.
    discloses: ClassVar[Disclosure | None] = None
    list_per_page = 50
    show_full_result_count = False
    list_select_related: ClassVar[tuple[str, ...]] = ()
    # What other pages narrow the list by, beside its own filters.
    linked_lookups: ClassVar[frozenset[str]] = frozenset()
    readonly_fields: ClassVar[list[str] | tuple[str, ...]] = ("id", "created_at", "updated_at")
    formfield_overrides: ClassVar[Any] = {models.JSONField: {"decoder": StorableJSONDecoder}}

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[Any]:
        rows = visible(super().get_queryset(request), request.user)
        # Every page names a row by what the list loads with it.
        return rows.select_related(*self.list_select_related) if self.list_select_related else rows

    def get_ordering(self, request: HttpRequest) -> Any:
        """Give every list an order: what others choose from comes in pages, too, which Django leaves unordered."""
        return super().get_ordering(request) or self.opts.ordering or ("-pk",)

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet[Any], search_term: str
    ) -> tuple[models.QuerySet[Any], bool]:
        """Find what the API finds by the same words, where it can be searched."""
        if getattr(self.model, "search_paths", ()) and self.get_search_fields(request):
            known = searchable(self.model, by=request.user) if issubclass(self.model, CustomizableModel) else {}
            return search(queryset, search_term, known), False
        return super().get_search_results(request, queryset, search_term)

    def label_of(self, row: Any) -> str:
        """Return what a row is called where other pages choose it."""
        return str(row)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._permits(request, "view") and self._reaches(request, obj, "view")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.crud.create is not None and self._permits(request, "add")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            self.crud.update is not None and self._permits(request, "change") and self._reaches(request, obj, "manage")
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return (
            self.crud.delete is not None and self._permits(request, "delete") and self._reaches(request, obj, "manage")
        )

    def _permits(self, request: HttpRequest, verb: str) -> bool:
        user: Any = request.user
        return bool(user.has_perm(f"{self.opts.app_label}.{verb}_{self.opts.model_name}"))

    def _reaches(self, request: HttpRequest, obj: Any, sight: Sight) -> bool:
        if obj is None or obj.pk is None:
            return True
        return visible(self.model._default_manager.filter(pk=obj.pk), request.user, to=sight).exists()

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Allow the addresses that the list itself links to: any other could ask about a column that nobody is shown.

        Django alone would allow every column of the row, such as `password__startswith`.
        """
        # What is not a column names its parameter among the `linked_lookups`.
        columns = (single for single in self.get_list_filter(request) if isinstance(single, str))
        offered = (self._lookups_of(single) for single in columns)
        return lookup in self.linked_lookups or any(lookup in lookups for lookups in offered)

    def _lookups_of(self, list_filter: Any) -> set[str]:
        field: Any = get_fields_from_path(self.model, list_filter)[-1]
        exact = f"{field.target_field.name}__exact" if field.is_relation else "exact"
        return {list_filter, f"{list_filter}__{exact}", f"{list_filter}__isnull"}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **options: Any) -> Any:
        target = db_field.remote_field.model
        options.setdefault("queryset", visible(target._default_manager.all(), request.user))
        options.setdefault("form_class", RowField)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def hidden_fields(self, request: HttpRequest, obj: Any) -> list[str]:
        """Return what the caller may not know of this row (without one: of some row): no page has it, nor takes it."""
        return [
            name
            for mask in masks_of(self.model)
            if not (mask.known(obj, request.user) if obj is not None else mask.known_everywhere(request.user))
            for name in sorted(mask.names)
        ]

    def get_exclude(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*(super().get_exclude(request, obj) or ()), *(self.hidden_fields(request, obj) if obj else ())]

    def get_list_display(self, request: HttpRequest) -> Any:
        hidden = self.hidden_fields(request, None)
        return [name for name in super().get_list_display(request) if name not in hidden]

    def get_list_filter(self, request: HttpRequest) -> Any:
        hidden = self.hidden_fields(request, None)
        return [name for name in super().get_list_filter(request) if name not in hidden]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Leave out what only a row that exists has."""
        fields = super().get_fields(request, obj)
        return fields if obj is not None else [name for name in fields if name not in ServiceAdmin.readonly_fields]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        if obj is not None and self.has_change_permission(request, obj):
            form = options.get("form", self.form)
            options["form"] = type(form.__name__, (form,), {SEEN: SeenField(initial=self.version_of(obj))})
        made = super().get_form(request, obj, change, **options)
        made = type(made.__name__, (_UnaskedForm, made), {})
        refused: DomainError | None = getattr(request, REFUSED, None)
        return made if refused is None else type(made.__name__, (_RefusedForm, made), {"refused": refused})

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """Suggest what a link says, but for moments, which are no texts."""
        moments = {field.name for field in self.opts.fields if isinstance(field, models.DateTimeField)}
        suggested: dict[str, Any] = super().get_changeform_initial_data(request)
        return {name: value for name, value in suggested.items() if name not in moments}

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        try:
            with transaction.atomic():
                return super().changeform_view(request, object_id, form_url, extra_context)
        except DomainError as refused:
            # The same form again, which now carries the refusal and therefore does not save.
            setattr(request, REFUSED, refused)
            return super().changeform_view(request, object_id, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        names = form.changed_data if change else list(form.cleaned_data)
        values = {name: form.cleaned_data[name] for name in names if name in self._writable(form)}
        if isinstance(obj, CustomizableModel):
            values["custom_fields"] = form.custom_field_values()
        if change:
            locked = self.get_queryset(request).select_for_update(of=("self",), no_key=True).get(pk=obj.pk)
            if form.cleaned_data.get(SEEN) not in ("", None, self.version_of(locked)):
                raise EditConflictError
            saved = self.service("update")(locked, by=request.user, **values)
        else:
            try:
                saved = self.service("create")(by=request.user, **values)
            except DomainError as refused:
                refuse_foreign(refused, self.model, values, by=request.user)
                raise
        if not self._reaches(request, saved, "manage"):  # nobody writes what they could not manage
            raise OutOfScopeError
        obj.__dict__.update(saved.__dict__)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        response: Any = super().changelist_view(request, extra_context)
        shown = (getattr(response, "context_data", None) or {}).get("cl")
        if shown is not None:
            self.put_on_record(request, shown.result_list)
        return response

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        shown = options.get("obj")
        if shown is not None:
            self.put_on_record(request, [shown])
        return super().render_change_form(request, context, *args, **options)

    def put_on_record(self, request: HttpRequest, rows: Any) -> None:
        """Put on record whose records a page is about to show."""
        if self.discloses is not None and rows:
            recorder().disclosed(
                what=self.discloses.what,
                subjects=self.discloses.subjects(rows),
                to=request.user,
                permission=f"{self.opts.app_label}.view_{self.opts.model_name}",
                route=f"admin:{self.opts.label_lower}",
            )

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        recorder().administered(action="added", subject=obj)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        recorder().administered(action="changed", subject=obj)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            recorder().administered(action="deleted", subject=obj)
        return super().log_deletions(request, queryset)

    def response_action(self, request: HttpRequest, queryset: Any, *args: Any, **options: Any) -> Any:
        for chosen in request.POST.getlist("_selected_action"):
            self.opts.pk.to_python(chosen)  # or else no row has this key
        name = request.POST.get("action", "")
        response = super().response_action(request, queryset, *args, **options)
        if name in self.get_actions(request) and request.POST.getlist("_selected_action"):
            recorder().administered(action=name, subject=self.model)
        return response

    def version_of(self, obj: Any) -> str:
        """Return what changes whenever anything does that the form shows of the row."""
        return str(obj.version)

    def service(self, operation: str) -> Any:
        """Return the service for an operation that the permissions have found to be offered."""
        found = getattr(self.crud, operation)
        if found is None:
            raise TypeError(f"{self.model.__name__} has no service to {operation}")
        return found

    def _writable(self, form: Any) -> set[str]:
        columns = {field.name for field in self.model._meta.concrete_fields}
        return {name for name in form.cleaned_data if name in columns or name in self.service_arguments}

    # Form fields that are no columns but arguments of the service.
    service_arguments: ClassVar[frozenset[str]] = frozenset()

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.service("delete")(obj, by=request.user)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        try:
            with transaction.atomic():
                return super().delete_view(request, object_id, extra_context)
        except DomainError as refused:
            self.message_user(request, refused.detail, messages.ERROR)
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))

    def get_deleted_objects(
        self, objs: Iterable[Any], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[Any]]:
        """Name the rows alone: whether others stand in the way, and what becomes of them, the service knows."""
        rows = list(objs)
        refused = {str(self.opts.verbose_name) for row in rows if not self.has_delete_permission(request, row)}
        return [str(row) for row in rows], {str(self.opts.verbose_name_plural): len(rows)}, refused, []


@admin.action(permissions=["delete"], description="Delete selected %(verbose_name_plural)s")
def delete_selected(pages: Any, request: HttpRequest, queryset: models.QuerySet[Any]) -> Any:
    """Ask, and then delete each chosen row that its service lets go; the page names the others and says why not."""
    if not request.POST.get("post"):
        return actions.delete_selected(pages, request, queryset)
    *_, refused, _ = pages.get_deleted_objects(queryset, request)
    if refused:
        raise PermissionDenied

    def delete(row: Any, *, by: Any) -> None:
        pages.log_deletions(request, [row])
        pages.delete_model(request, row)

    deleted = take_step(pages, request, queryset, delete)
    level = messages.SUCCESS if deleted else messages.WARNING
    pages.message_user(request, f"Deleted {deleted} {model_ngettext(pages.opts, deleted)}.", level)
    return None


# In the place of Django's own, which counts what a service has refused among the deleted.
admin.site.add_action(delete_selected)


class _UnaskedForm(_ModelForm):
    """A form that does not look for what its row would clash with: the service does, and who may be told is asked."""

    def validate_unique(self) -> None:
        pass

    def validate_constraints(self) -> None:
        pass


class _RefusedForm(_ModelForm):
    """A form whose save a service has refused: the refusals stand beside their fields."""

    refused: ClassVar[DomainError]

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # Django's own hook, absent from the stubs
        for violation in self.refused.violations:
            name = violation.field if violation.field in self.fields else None
            self.add_error(name, violation.detail)
