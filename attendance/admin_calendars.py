"""The administration page of calendar feeds: whose calendar a program may read, and taking that back."""

from django.contrib import admin

from attendance import services
from attendance.models import CalendarFeed
from core.admin import ServiceAdmin
from core.crud import Crud
from core.recording import Disclosure


@admin.register(CalendarFeed)
class CalendarFeedAdmin(ServiceAdmin):
    """Who has a calendar feed, and since when; to delete one is to revoke it. Nobody makes one for somebody else."""

    crud = Crud(delete=services.revoke_feed)
    discloses = Disclosure("calendar feed", "user.person_id")
    list_display = ("user", "made_at")
    list_filter = ("made_at",)
    linked_lookups = frozenset({"made_at__gte", "made_at__lt"})
    list_select_related = ("user",)
    search_fields = ("user__email",)
    ordering = ("-made_at", "-pk")
    fields = ("user", "made_at")
    readonly_fields = fields
