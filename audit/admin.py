"""Administration pages of the logs, to be read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.models import Change, Disclosure, Event
from audit.selectors import CHANGES
from core.admin import ServiceAdmin


class EntryAdmin(ServiceAdmin):
    ordering = ("-id",)
    readonly_fields = ()

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field.name for field in self.opts.fields]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [field.name for field in self.opts.fields]


@admin.register(Event)
class EventAdmin(EntryAdmin):
    list_display = ("at", "action", "actor_label", "key_prefix", "subject_kind", "subject_id", "address")
    search_fields = ("=actor_label", "=subject_id", "=request_id", "=key_prefix", "=action")


@admin.register(Disclosure)
class DisclosureAdmin(EntryAdmin):
    list_display = ("at", "what", "subject_id", "actor_label", "key_prefix", "basis")
    search_fields = ("=actor_label", "=key_prefix", "=request_id")


@admin.register(Change)
class ChangeAdmin(EntryAdmin):
    discloses = CHANGES
    list_display = ("at", "operation", "table_name", "row_id", "actor_id", "key_prefix")
    search_fields = ("=row_id", "=key_prefix", "=request_id")
