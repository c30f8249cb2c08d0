"""Administration pages for files, and how the pages of other records choose one."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin import ServiceAdmin
from core.admin_choices import RowField
from core.admin_history import row_action
from core.crud import Crud
from core.customfields import choose_files_by
from core.errors import ConflictError
from core.recording import Disclosure
from core.visibility import visible
from files import services
from files.handing_out import NoSuchPartError, response_with
from files.models import FileAsset, FileLink
from files.selectors import people_behind


class UploadForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A file to take in."""

    file = forms.FileField(allow_empty_file=True)

    class Meta:
        model = FileAsset
        fields: tuple[str, ...] = ()


def _upload(*, by: Any, file: Any) -> FileAsset:
    return services.upload_file(by=by, content=file, name=file.name)


def _restore(asset: FileAsset, *, by: Any) -> None:
    services.restore_file(asset, by=by)


@admin.register(FileAsset)
class FileAssetAdmin(ServiceAdmin):
    """Takes files in, shows whose they are, and hands them out."""

    discloses = Disclosure("file", "id", behind=people_behind)
    form = UploadForm
    crud = Crud(create=_upload, delete=services.delete_file)
    service_arguments = frozenset({"file"})
    list_display = ("name", "media_type", "size", "owner", "scan_state", "created_at", "deleted_at")
    list_filter = ("scan_state", "media_type")
    list_select_related = ("owner",)
    search_fields = ("name",)
    ordering = ("-created_at",)
    actions = (row_action("restore", "Bring back", _restore, permission="delete"),)
    shown = (
        "name", "download", "media_type", "size", "sha256", "owner", "scan_state", "finding", "scanned_at",
        "deleted_at", "id", "created_at", "updated_at",
    )  # fmt: skip

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("file",) if obj is None else self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.shown

    def get_urls(self) -> Any:
        own = path("<uuid:pk>/content/", self.admin_site.admin_view(self.content), name="files_fileasset_content")
        return [own, *super().get_urls()]

    def content(self, request: HttpRequest, pk: Any) -> HttpResponseBase:
        """Hand out a file."""
        asset = get_object_or_404(self.get_queryset(request), pk=pk)
        if not self.has_view_permission(request, asset):
            raise PermissionDenied
        try:
            response = response_with(asset, request)
        except ConflictError as held_back:
            return HttpResponse(held_back.detail, status=409, content_type="text/plain; charset=utf-8")
        except NoSuchPartError as error:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{error.size}"})
        self.put_on_record(request, [asset])
        return response

    @admin.display(description="Content")
    def download(self, asset: FileAsset) -> SafeString:
        return link_to(asset.pk)


class FileWidget(RelatedFieldWidgetWrapper):
    """Chooses a file among those in sight, uploads another in a window of its own, and leads to the present one."""

    def render(self, name: str, value: Any, *args: Any, **options: Any) -> SafeString:
        chooser = super().render(name, value, *args, **options)
        return format_html("{} {}", chooser, link_to(value)) if value else chooser


def link_to(file_id: Any) -> SafeString:
    """Return the link by which a page hands out a file."""
    # A page may have been asked for with another spelling of it.
    pk = UUID(str(file_id))
    return format_html('<a href="{}">Download</a>', reverse("admin:files_fileasset_content", args=[pk]))


def file_field(actor: Any, options: dict[str, Any]) -> forms.Field:
    """Return the form field by which `actor` chooses a file for a record."""
    column: Any = FileLink._meta.get_field("asset")
    widget = FileWidget(
        AutocompleteSelect(column, admin.site),
        column.remote_field,
        admin.site,
        can_add_related=actor is not None and actor.has_perm("files.add_fileasset"),
    )
    return RowField(_offered(actor), **options, widget=widget)


def _offered(actor: Any) -> QuerySet[FileAsset]:
    live = FileAsset.objects.live()
    return live.none() if actor is None else visible(live, actor)


choose_files_by(file_field, link_to)
