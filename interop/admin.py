"""Administration pages for imports: upload a file, see what it would do, apply it, take it back."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from core.admin import ServiceAdmin
from core.admin_history import ReadOnlyInline, row_action, take_step
from core.crud import Crud
from core.recording import recorder
from interop import services
from interop.admin_exports import ExportJobAdmin as ExportJobAdmin  # noqa: PLC0414 - Django looks here for pages
from interop.models import ImportJob, ImportJobEvent, ImportRow
from interop.models import ImportState as State
from interop.selectors import ROWS, people_behind

FORCED = "force_back"
# Actions of the list and buttons of the page, by their names: what they say, and the service that does it.
STEPS: dict[str, tuple[str, Callable[..., ImportJob]]] = {
    "apply": ("Apply", services.request_application),
    "resume": ("Go on with what was interrupted", services.request_resumption),
    "validate_again": ("Validate again", services.request_validation),
    "take_back": ("Take back", services.request_reversal),
    FORCED: ("Take back, whatever was changed since", partial(services.request_reversal, force=True)),
}
# Which of them the page of an import offers, by its state.
OFFERED: dict[str, tuple[str, ...]] = {
    State.UPLOADED: ("resume",),
    State.VALIDATING: ("resume",),
    State.VALIDATED: ("apply", "validate_again"),
    State.APPLYING: ("resume",),
    State.APPLIED: ("take_back",),
    State.PARTIALLY_APPLIED: ("take_back",),
    State.FAILED: ("resume", "validate_again", "take_back"),
    State.REVERTING: ("resume",),
    State.REVERTED: ("validate_again",),
}
RUNNING = frozenset({State.UPLOADED, State.VALIDATING, State.APPLYING, State.REVERTING})
# Names, in the page's address, the version of the job at which a step was asked for.
SEEN = "seen"
COUNTED = ("created", "updated", "unchanged", "rejected")


class UploadForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A file, and what is to be known about it."""

    file = forms.FileField(allow_empty_file=True)
    force = forms.BooleanField(required=False, help_text="Let the same file be in force more than once.")

    class Meta:
        model = ImportJob
        fields = ["kind", "mapping", "options"]
        help_texts = {
            "options": 'Such as {"overwrite_edited": true}, or {"beyond_capacity": true} to record enrolments of '
            "terms that are not over whatever the rules of registration say.",
        }

    def clean(self) -> dict[str, Any]:
        """Return the arguments of the service."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if "file" in cleaned:
            cleaned |= {"content": cleaned["file"], "file_name": cleaned["file"].name}
        for name in ("mapping", "options"):
            if not isinstance(cleaned.get(name) or {}, dict):
                self.add_error(name, "A JSON object is expected.")
        return {**cleaned, "mapping": cleaned.get("mapping") or {}, "options": cleaned.get("options") or {}}


class EventInline(ReadOnlyInline):
    model = ImportJobEvent
    fields = ("happened_at", "from_state", "to_state", "actor", "reason")
    ordering = ("-happened_at",)
    verbose_name_plural = "History"

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("interop.view_importjob"))


@admin.register(ImportJob)
class ImportJobAdmin(ServiceAdmin):
    form = UploadForm
    crud = Crud(create=services.upload, delete=services.delete_job)
    service_arguments = frozenset({"content", "file_name", "force"})
    list_display = ("file_name", "kind", "state", "progress", "outcome", "actor", "created_at")
    list_filter = ("kind", "state")
    list_select_related = ("actor",)
    ordering = ("-created_at",)
    inlines = (EventInline,)
    actions = tuple(
        row_action(name, description, step, permission="step") for name, (description, step) in STEPS.items()
    )
    shown = (
        "kind", "file_name", "state", "progress", "by_type", "report_link", "faults", "said_of_files", "mapping",
        "options", "actor", "seconds", "peak_mb", "validated_at", "applied_at", "reverted_at", "id", "created_at",
        "updated_at",
    )  # fmt: skip

    def has_step_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may take the steps of an import, for `permissions` of the actions."""
        return bool(request.user.has_perm("interop.change_importjob"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("kind", "file", "mapping", "options", "force") if obj is None else self.shown

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if obj is None else self.shown

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

    def get_urls(self) -> list[URLPattern]:
        report = path(
            "<uuid:pk>/report/", self.admin_site.admin_view(self.report_view), name="interop_importjob_report"
        )
        step = path(
            "<uuid:pk>/<str:name>/take/", self.admin_site.admin_view(self.step_view), name="interop_importjob_step"
        )
        return [report, step, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> Any:
        """Offer the steps that the state of the import allows, and look again while a worker is to be waited for."""
        job = context.get("original")
        if job is not None:
            context |= {"steps": self._steps(request, job), "is_waiting": _is_waiting(request, job)}
        return super().render_change_form(request, context, *args, **options)

    def _steps(self, request: HttpRequest, job: ImportJob) -> list[dict[str, str]]:
        """Return the buttons of the page: what they say and where they lead."""
        if not (self.has_step_permission(request) and self._reaches(request, job, "manage")):
            return []
        names = list(OFFERED[job.state])
        if any(error["code"] == services.ChangedSinceError.code for error in job.errors):
            names = [FORCED if name == "take_back" else name for name in names]
        return [
            {"description": STEPS[name][0], "url": reverse("admin:interop_importjob_step", args=[job.pk, name])}
            for name in names
        ]

    def step_view(self, request: HttpRequest, pk: Any, name: str) -> HttpResponse:
        """Take one step with one import and show it again."""
        chosen = self.get_queryset(request).filter(pk=pk)
        job = chosen.first()
        if job is None or name not in STEPS or not self.has_step_permission(request):
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        is_taken = take_step(self, request, chosen, STEPS[name][1])
        page = reverse("admin:interop_importjob_change", args=[pk])
        return HttpResponseRedirect(f"{page}?{SEEN}={job.version}" if is_taken else page)

    def report_view(self, request: HttpRequest, pk: Any) -> StreamingHttpResponse | HttpResponse:
        """Send the report as a file."""
        job = self.get_queryset(request).filter(pk=pk).first()
        if job is None or not self.has_view_permission(request, job):
            raise Http404
        recorder().disclosed(
            what=ROWS.what, subjects=people_behind(job.rows.all()), to=request.user,
            permission="interop.view_importjob", route=f"admin:{self.opts.label_lower}.report",
        )  # fmt: skip
        response = StreamingHttpResponse(services.report(job), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="import-{job.pk}.csv"'
        return response

    @admin.display(description="progress")
    def progress(self, job: ImportJob) -> SafeString:
        return format_html(
            '<progress max="100" value="{}" aria-label="progress"></progress> {}%', job.percent, job.percent
        )

    @admin.display(description="created / updated / unchanged / rejected")
    def outcome(self, job: ImportJob) -> str:
        summary = services.summary(job)
        return " / ".join(f"{summary[name]:,}" for name in COUNTED)

    @admin.display(description="by resource")
    def by_type(self, job: ImportJob) -> SafeString:
        summary = services.summary(job)
        over = services.over_capacity(job)
        said = format_html("<p>{} enrolments are over the capacity of their section.</p>", over) if over else ""
        head = format_html_join("", "<th>{}</th>", ((name,) for name in ("resource", *COUNTED)))
        cells = (
            (name, format_html_join("", "<td>{}</td>", ((counts[column],) for column in COUNTED)))
            for name, counts in summary["by_type"].items()
        )
        rows = format_html_join("", "<tr><th>{}</th>{}</tr>", cells)
        return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>{}", head, rows, said)

    @admin.display(description="row by row")
    def report_link(self, job: ImportJob) -> SafeString:
        return format_html(
            '<a href="{}?job__id__exact={}">Rows</a> · <a href="{}">Report as CSV</a>',
            reverse("admin:interop_importrow_changelist"),
            job.pk,
            reverse("admin:interop_importjob_report", args=[job.pk]),
        )

    @admin.display(description="what stood in the way")
    def faults(self, job: ImportJob) -> SafeString | str:
        return format_html_join("", "<p>[{}] {}</p>", ((each["code"], each["detail"]) for each in job.errors[:20]))

    @admin.display(description="what is to be known about the file")
    def said_of_files(self, job: ImportJob) -> SafeString | str:
        """Name what was not imported, such as columns, and what else the report says of whole files."""
        return format_html_join(
            "", "<p>{}{}</p>", ((f"{each['file']}: " if each["file"] else "", each["detail"]) for each in job.remarks)
        )


def _is_waiting(request: HttpRequest, job: ImportJob) -> bool:
    """Say whether a worker is at it, or has been asked and has not begun: the job is still what the caller saw."""
    return job.state in RUNNING or request.GET.get(SEEN) == str(job.version)


@admin.register(ImportRow)
class ImportRowAdmin(ServiceAdmin):
    """What a file says, row by row; reached from its import."""

    discloses = ROWS
    list_display = ("position", "file", "row_no", "resource", "natural_key", "action", "why")
    list_filter = ("action", "resource")
    linked_lookups = frozenset({"job__id__exact"})
    list_display_links = ("position",)
    ordering = ("job", "position")
    fields = (
        "job", "position", "file", "row_no", "resource", "natural_key", "external_id", "action", "reasons", "notes",
        "raw", "values", "object_id", "applied_at",
    )  # fmt: skip
    readonly_fields = fields

    def has_module_permission(self, request: HttpRequest) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        permitted = bool(request.user.has_perm("interop.view_importjob"))
        return permitted and self._reaches(request, obj, "view")

    def get_queryset(self, request: HttpRequest) -> models.QuerySet[ImportRow]:
        return super().get_queryset(request).defer("before", "written")

    @admin.display(description="reasons")
    def why(self, row: ImportRow) -> str:
        return " ".join(f"[{reason['code']}] {reason['detail']}" for reason in row.reasons)
