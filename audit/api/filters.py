"""Query parameters of the logs."""

from audit.models import Change, Disclosure, Event, Operation
from core.api import filters


class EntryFilter(filters.StrictFilterSet):
    actor = filters.UUIDFilter(field_name="actor_id", help_text="The account that acted.")
    request = filters.CharFilter(field_name="request_id", help_text="The id of the request it happened in.")
    key = filters.CharFilter(field_name="key_prefix", help_text="The prefix of the API key that was used.")
    after = filters.DateTimeFilter(field_name="at", lookup_expr="gte", help_text="Then or later.")
    before = filters.DateTimeFilter(field_name="at", lookup_expr="lt", help_text="Earlier.")


class EventFilter(EntryFilter):
    action = filters.CharFilter(help_text="Such as `session.opened`.")
    subject_kind = filters.CharFilter(help_text="A model, as `app.model`.")
    subject = filters.CharFilter(field_name="subject_id", help_text="The id of the row it was done to.")

    class Meta:
        model = Event
        fields = ["actor", "request", "key", "after", "before", "action", "subject_kind", "subject"]


class ChangeFilter(EntryFilter):
    table = filters.CharFilter(field_name="table_name")
    row = filters.CharFilter(field_name="row_id", help_text="The id of the row that was written.")
    operation = filters.ChoiceFilter(choices=Operation)

    class Meta:
        model = Change
        fields = ["actor", "request", "key", "after", "before", "table", "row", "operation"]


class DisclosureFilter(EntryFilter):
    what = filters.CharFilter(help_text="Such as `student record`.")

    class Meta:
        model = Disclosure
        fields = ["actor", "request", "key", "after", "before", "what"]
