"""HTTP for calendar feeds: whoever has one makes and revokes it; calendar programs read it by its secret."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.views import View
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from attendance import calendars, services
from attendance.models import CalendarFeed
from core.api import etag
from core.api.permissions import AUTHENTICATED
from core.api.views import PlainView


class CalendarFeedSerializer(serializers.ModelSerializer[CalendarFeed]):
    """The caller's feed; its address is told when it is made alone."""

    class Meta:
        model = CalendarFeed
        fields = ["made_at"]


class NewCalendarFeedSerializer(CalendarFeedSerializer):
    url = serializers.URLField(help_text="Where a calendar program reads it. Told once; who has it needs no log-in.")

    class Meta(CalendarFeedSerializer.Meta):
        fields = ["made_at", "url"]


class CalendarFeedView(PlainView):
    """The calendar feed of the caller's own classes."""

    takes_keys = False
    required_permissions = dict.fromkeys(("get", "post", "delete"), AUTHENTICATED)
    documented_statuses = {"get": (404,)}

    @extend_schema(operation_id="calendar_feed_show", responses=CalendarFeedSerializer)
    def get(self, request: Request) -> Response:
        """Tell since when the caller's feed can be read; 404 when there is none."""
        return Response(CalendarFeedSerializer(self._own()).data)

    @extend_schema(operation_id="calendar_feed_make", request=None, responses={201: NewCalendarFeedSerializer})
    def post(self, request: Request) -> Response:
        """Make the caller's feed, or give it another address: the former one leads nowhere from then on."""
        account: Any = request.user
        feed, secret = services.make_feed(by=account, at=timezone.now())
        url = f"{settings.PUBLIC_URL}{reverse('calendar', args=[secret])}"
        return Response({**CalendarFeedSerializer(feed).data, "url": url}, status=status.HTTP_201_CREATED)

    @extend_schema(operation_id="calendar_feed_revoke", request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Revoke the caller's feed: its address leads nowhere from now on."""
        account: Any = request.user
        services.revoke_feed(self._own(), by=account)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _own(self) -> CalendarFeed:
        feed = CalendarFeed.objects.filter(user=self.request.user.pk).first()
        if feed is None:
            raise Http404
        return feed


class CalendarView(View):
    """The classes of whoever's secret the path holds, as calendar programs read them: by GET, without any log-in."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, secret: str) -> HttpResponseBase:
        now = timezone.now()
        feed = services.feed_of_secret(secret)
        if feed is None:
            raise Http404
        rows = list(calendars.classes_of(feed.user.person_id, at=now))
        tag = etag.of([now.date().isoformat(), *calendars.facts_of(rows)])
        if etag.matches(request.headers.get("If-None-Match", ""), tag):
            response = etag.unchanged(tag)
        else:
            response = HttpResponse(calendars.written(rows, at=now), content_type="text/calendar; charset=utf-8")
            response["Content-Disposition"] = 'inline; filename="classes.ics"'
            response["ETag"] = tag
        response["Cache-Control"] = "private, max-age=300"
        # The address is a secret, which no other site is to be told.
        response["Referrer-Policy"] = "no-referrer"
        return response
