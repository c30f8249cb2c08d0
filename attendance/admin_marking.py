"""The page on which a class is marked: by the keyboard alone, or with the mouse, by the services that the API calls.

It marks those whom it shows and nobody else. Whoever is not marked yet gets what the page names for them, and is left
unmarked where that is nothing. What the page was opened with comes back along: when somebody else has changed the sheet
meanwhile nothing is saved, and the page shows what stands there now beside what its user had chosen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from attendance import services
from attendance.admin_poster import CheckInPages
from attendance.models import AttendanceCode, ClassSession, Marking, Roster, SessionStatus, Source
from attendance.models.records import MOST_MINUTES
from attendance.selectors import digest_of, sheet_by_name
from attendance.services.planning import campus_of, zone_of
from core.admin import ServiceAdmin
from core.admin_filters import UsualFilter
from core.crud import EditConflictError
from core.errors import DomainError, InvalidError, OutOfScopeError
from core.recording import Disclosure, recorder
from core.visibility import visible

STALE = (
    "Nothing was saved: somebody else has changed this sheet, or who is expected, since you opened it. "
    "What you had chosen is still chosen below; look through it and save again."
)
STEPS = ("save", "open", "close")
DISCLOSES = Disclosure("attendance", "student.person_id")


class MinutesError(InvalidError):
    """What was entered as lateness is no number of minutes."""

    code = "late_out_of_range"
    title = f"Minutes late are a whole number up to {MOST_MINUTES}."


class StepError(InvalidError):
    """What was asked for is nothing that the page does."""

    code = "unknown_step"
    title = "A sheet is saved, opened or closed."
    field = "step"


class Begun(UsualFilter):
    """What has begun or is of today, which is what somebody marks; unless they ask for what is to come, or for days."""

    title = "day"
    parameter_name = "day"
    usual = "Until today"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [("to_come", "To come"), ("all", "All")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ClassSession]) -> QuerySet[ClassSession]:
        if self.value() == "to_come":
            return queryset.filter(local_date__gt=timezone.localdate())
        if self.value() == "all" or any(name.startswith("local_date") for name in request.GET):
            return queryset
        return queryset.filter(local_date__lte=timezone.localdate())


@dataclass(frozen=True)
class Chosen:
    """What somebody has chosen for one student."""

    code: str
    minutes_late: int | None


@dataclass(frozen=True, kw_only=True)
class Line:
    """A student as the page shows them: what they are marked with, and what is chosen for them."""

    entry: Any
    code: str
    minutes_late: int | None
    is_kept: bool
    was: str

    @property
    def family_name_first(self) -> str:
        person = self.entry.student.person
        first = person.preferred_name or person.first_name
        return ", ".join(filter(None, (person.last_name, first))) or person.name


@admin.register(Roster)
class RosterAdmin(CheckInPages, ServiceAdmin):
    """Sessions whose students the caller may see, each with the page on which they are marked."""

    list_display = ("section", "local_date", "starts_at", "room", "status", "marking", "sheet_link")
    list_filter = ("marking", "local_date")
    linked_lookups = frozenset({"local_date__gte", "local_date__lt", Begun.parameter_name})
    list_select_related = ("section__course", "section__term", "section__campus", "room__building__campus")
    search_fields = ("section__course__code", "section__code", "room__code")
    ordering = ("-starts_at", "pk")
    fields = ("sheet_link", "section", "local_date", "starts_at", "ends_at", "room", "status", "marking", "note")
    readonly_fields = fields

    def get_list_filter(self, request: HttpRequest) -> Any:
        return [Begun, *super().get_list_filter(request)]

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.mark_view)
        own = [path("<uuid:pk>/mark/", page, name="attendance_roster_mark"), *self.check_in_urls()]
        return [*own, *super().get_urls()]

    @admin.display(description="sheet")
    def sheet_link(self, session: ClassSession) -> SafeString:
        return format_html(
            '<a href="{}">Mark the class</a>', reverse("admin:attendance_roster_mark", args=[session.pk])
        )

    def mark_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show the sheet of a session, and mark its students."""
        session = self.get_queryset(request).filter(pk=pk).first()
        if session is None or not self.has_view_permission(request):
            raise Http404
        if request.method != "POST":
            return self._page(request, session)
        if not self.may_mark(request, session):
            raise PermissionDenied
        chosen: Mapping[str, Chosen] = {}
        try:
            chosen = _chosen(request)
            with transaction.atomic():
                said = self._take(request, session, chosen)
        except EditConflictError:
            messages.error(request, STALE)
        except DomainError as refused:
            for violation in refused.violations:
                messages.error(request, f"Nothing was saved: {violation.detail}")
        else:
            recorder().administered(action=_step(request), subject=session)
            messages.success(request, said)
            return HttpResponseRedirect(request.path)
        return self._page(request, self.get_queryset(request).get(pk=pk), chosen)

    def _take(self, request: HttpRequest, session: ClassSession, chosen: Mapping[str, Chosen]) -> str:
        """Mark as chosen, and open or close the sheet; return what to say of it."""
        by: Any = request.user
        now, step = timezone.now(), _step(request)
        rows = visible(Roster.objects.select_related("section__term"), by, to="manage").select_for_update(
            of=("self",), no_key=True
        )
        locked = rows.filter(pk=session.pk).first()
        if locked is None:
            raise OutOfScopeError
        entries = list(sheet_by_name(locked))
        if request.POST.get("seen") != _fingerprint(locked, entries):
            raise EditConflictError
        if step == "open":
            services.open_session(locked, by=by, at=now, reason=request.POST.get("reason", ""))
            return "The sheet is open again."
        default = request.POST.get("default", "")
        marks = list(_marks(entries, chosen, default))
        marked = services.mark_roster(locked, marks=marks, by=by, at=now)
        if step == "close":
            services.close_session(locked, by=by, at=now)
        return _said(marked, is_closed=step == "close")

    def _page(
        self, request: HttpRequest, session: ClassSession, chosen: Mapping[str, Chosen] | None = None
    ) -> TemplateResponse:
        entries = list(sheet_by_name(session))
        self._put_on_record(request, entries)
        codes = list(AttendanceCode.objects.filter(is_active=True).order_by("order", "code"))
        labels = {code.code: code.label for code in AttendanceCode.objects.all()}
        lines = [_line(entry, (chosen or {}).get(str(entry.pk)), labels) for entry in entries]
        usual = "present" if any(code.code == "present" for code in codes) else ""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{session.section.course.code}-{session.section.code}, {session.local_date:%A, %d %B %Y}",
            "opts": self.opts,
            "session": session,
            "hours": _hours(session),
            "lines": lines,
            "codes": codes,
            "away": _away(codes),
            "default": request.POST.get("default", usual) if chosen is not None else usual,
            "unmarked": sum(entry.mark_code is None for entry in entries),
            "seen": _fingerprint(session, entries),
            "most_minutes": MOST_MINUTES,
            "is_fillable": self.may_mark(request, session) and _is_fillable(session),
            "is_closed": session.marking == Marking.CLOSED and self.may_mark(request, session),
        }
        return TemplateResponse(request, "admin/attendance/roster/mark.html", context)

    def _put_on_record(self, request: HttpRequest, entries: Sequence[Any]) -> None:
        if entries:
            recorder().disclosed(
                what=DISCLOSES.what, subjects=DISCLOSES.subjects(entries), to=request.user,
                permission="attendance.view_roster", route=f"admin:{self.opts.label_lower}.mark",
            )  # fmt: skip


def _hours(session: ClassSession) -> str:
    """Return when a session is, by the clock of its campus."""
    zone = zone_of(campus_of(session.room, [session.section]))
    return " to ".join(f"{moment.astimezone(zone):%H:%M}" for moment in (session.starts_at, session.ends_at))


def _is_fillable(session: ClassSession) -> bool:
    return session.status == SessionStatus.SCHEDULED and session.marking in (Marking.SCHEDULED, Marking.OPEN)


def _fingerprint(session: ClassSession, entries: Sequence[Any]) -> str:
    """Return what changes whenever somebody is marked, and whenever somebody else is expected."""
    return f"{session.version}-{digest_of(entry.pk for entry in entries)}"


def _chosen(request: HttpRequest) -> dict[str, Chosen]:
    """Return what was chosen, by enrolment; whoever has an empty choice was left as they are."""
    found = {}
    for name, code in request.POST.items():
        kind, _, enrollment = name.partition("-")
        if kind == "mark" and code:
            found[enrollment] = Chosen(str(code), _minutes(str(request.POST.get(f"late-{enrollment}", ""))))
    return found


def _step(request: HttpRequest) -> str:
    """Return what is to be done with the sheet; nothing else becomes the name of an action on record."""
    step = request.POST.get("step", "save")
    if step not in STEPS:
        raise StepError
    return step


def _minutes(text: str) -> int | None:
    if not text.strip():
        return None
    if not (text.strip().isdecimal() and len(text) <= len(str(MOST_MINUTES)) and int(text) <= MOST_MINUTES):
        raise MinutesError
    return int(text)


def _marks(entries: Sequence[Any], chosen: Mapping[str, Chosen], default: str) -> Any:
    """Yield the marks of those for whom something is chosen, and of those who are not marked yet."""
    for entry in entries:
        own = chosen.get(str(entry.pk))
        if own is not None and (own.code, own.minutes_late) != (entry.mark_code, entry.mark_minutes_late):
            yield services.Mark(enrollment=entry.pk, code=own.code, minutes_late=own.minutes_late)
        elif own is None and entry.mark_code is None and default:
            yield services.Mark(enrollment=entry.pk, code=default)


def _line(entry: Any, own: Chosen | None, labels: Mapping[str, str]) -> Line:
    is_other = own is not None and (own.code, own.minutes_late) != (entry.mark_code, entry.mark_minutes_late)
    return Line(
        entry=entry,
        code=own.code if own else entry.mark_code or "",
        minutes_late=own.minutes_late if own else entry.mark_minutes_late,
        is_kept=entry.mark_source == Source.EXCUSE,
        was=labels.get(entry.mark_code, "") if is_other else "",
    )


def _away(codes: Sequence[AttendanceCode]) -> str:
    """Return the code of those who are missed: that of absence, or else the first that counts nothing."""
    nothing = [code.code for code in codes if not code.weight and not code.is_exempt]
    return "absent" if "absent" in nothing else next(iter(nothing), "")


def _said(marked: services.Marked, *, is_closed: bool) -> str:
    labels = dict(AttendanceCode.objects.values_list("code", "label"))
    counts = Counter(marked.counts)
    parts = [f"{count} {labels[code].lower()}" for code, count in counts.most_common()]
    if marked.unmarked:
        parts.append(f"{marked.unmarked} not marked")
    if marked.kept:
        parts.append(f"{len(marked.kept)} left as they are, because an excuse outranks you")
    return f"Saved{' and closed' if is_closed else ''}: {', '.join(parts) or 'nobody is expected'}."
