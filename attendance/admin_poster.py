"""The page for the projector: the code that students check in with, drawn anew as it changes, and how many are in."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import segno
from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from attendance import services
from attendance.models import ClassSession, Roster
from attendance.services.planning import campus_of, zone_of
from core.admin import ServiceAdmin
from core.errors import DomainError, OutOfScopeError
from core.recording import recorder
from core.visibility import visible

MAY_MARK = "attendance.change_roster"
# Whoever draws a code a moment before it changes draws the next one as well.
MOMENT = 0.2

if TYPE_CHECKING:
    _Pages = ServiceAdmin
else:
    _Pages = object


class OpenForm(forms.Form):
    """For how long, and from where."""

    minutes = forms.TypedChoiceField(
        coerce=int, initial=15, choices=[(each, f"{each} minutes") for each in (5, 10, 15, 30, 60)], label="Open for"
    )
    networks = forms.CharField(
        required=False, max_length=1000, label="Only from", help_text="Such as 10.20.0.0/16; empty for anywhere.",
    )  # fmt: skip


class CheckInPages(_Pages):
    """What the pages of a sheet have besides: opening and closing its check-in, and the code on the wall."""

    def check_in_urls(self) -> list[URLPattern]:
        page, code = (self.admin_site.admin_view(view) for view in (self.check_in_view, self.code_view))
        return [
            path("<uuid:pk>/check-in/", page, name="attendance_roster_check_in"),
            path("<uuid:pk>/check-in/code/", code, name="attendance_roster_code"),
        ]

    def may_mark(self, request: HttpRequest, session: ClassSession) -> bool:
        """Say whether the caller marks the students of a session, and so lets them check in."""
        return bool(request.user.has_perm(MAY_MARK)) and self._reaches(request, session, "manage")

    def check_in_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Show the code on the wall, and open and close the check-in."""
        session = self._own(request, pk)
        form = OpenForm(request.POST if request.POST.get("step") == "open" else None)
        if request.method == "POST" and self._take_step(request, session, form):
            return HttpResponseRedirect(request.path)
        found = self._shown(request, session)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{session.section.course.code}-{session.section.code}",
            "session": session,
            "form": form,
            "window": found.window,
            "zone": zone_of(campus_of(session.room, [session.section])).key,
            "state": _state(found),
            # The page is for a wall: without the frame of the others.
            "is_popup": True,
        }
        return TemplateResponse(request, "admin/attendance/roster/check_in.html", context)

    def code_view(self, request: HttpRequest, pk: Any) -> HttpResponse:
        """Answer the page with the code of the moment."""
        return JsonResponse(_state(self._shown(request, self._own(request, pk))))

    def _shown(self, request: HttpRequest, session: ClassSession) -> services.Poster:
        by: Any = request.user
        try:
            return services.poster(session, by=by, at=timezone.now())
        except services.SelfMarkingError as refused:
            raise PermissionDenied(refused.title) from refused

    def _own(self, request: HttpRequest, pk: Any) -> ClassSession:
        session: ClassSession | None = self.get_queryset(request).filter(pk=pk).first()
        if session is None:
            raise Http404
        if not self.may_mark(request, session):
            raise PermissionDenied
        return session

    def _take_step(self, request: HttpRequest, session: ClassSession, form: OpenForm) -> bool:
        """Open or close the check-in; say whether that is done."""
        by: Any = request.user
        now, is_opening = timezone.now(), form.is_bound
        if is_opening and not form.is_valid():
            return False
        try:
            with transaction.atomic():
                rows = visible(Roster.objects.all(), by, to="manage").select_for_update(of=("self",), no_key=True)
                locked = rows.filter(pk=session.pk).first()
                if locked is None:
                    raise OutOfScopeError
                if is_opening:
                    networks = form.cleaned_data["networks"].replace(",", " ").split()
                    closes_at = now + timedelta(minutes=form.cleaned_data["minutes"])
                    services.open_check_in(locked, by=by, at=now, closes_at=closes_at, networks=networks)
                else:
                    services.close_check_in(locked, by=by, at=now)
        except DomainError as refused:
            for violation in refused.violations:
                messages.error(request, violation.detail)
            return False
        recorder().administered(action="opened the check-in" if is_opening else "closed the check-in", subject=session)
        return True


def _state(found: services.Poster) -> dict[str, Any]:
    """Return what the page shows: the code as a picture, and after how many seconds to ask again."""
    if found.token is None:
        return {"image": "", "checked_in": found.checked_in, "seconds": 10}
    picture = segno.make(found.token.token, error="m", micro=False)
    left = (found.token.ends_at - timezone.now()).total_seconds()
    return {
        "image": picture.svg_data_uri(scale=10, border=2, light="#fff"),
        "checked_in": found.checked_in,
        "seconds": max(left, 0) + MOMENT,
    }
