"""The custom fields of one record as rows, `/<records>/{id}/custom-fields/`: each active definition with its value."""

from typing import Any, ClassVar

from django.http import Http404
from django.utils.functional import cached_property
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.filters import StrictFilterSet
from core.api.nested import NestedListViewSet
from core.api.rows import LoadedRows, Rows
from core.api.serializers import BaseListSerializer
from core.customfields.api.serializers import VALUE, ChoicesField
from core.customfields.protection import is_known
from core.customfields.selectors import entity_type_of
from core.customfields.values import shown
from core.masks import custom_mask_of, with_knowledge
from core.models import CustomField


@extend_schema_field(VALUE)
class HeldValueField(serializers.Field[Any, Any, Any, Any]):
    """What the record of the request holds in a field: null for nothing, and for what the caller may not know."""

    def to_representation(self, definition: CustomField) -> Any:
        record = self.context["record"]
        if definition.protected and not is_known(record):
            return None
        return shown(record.custom_data.get(definition.name))


class HeldFieldSerializer(BaseListSerializer[CustomField]):
    choices = ChoicesField()
    value = HeldValueField(source="*", help_text="Null for none, and for those whose role does not cover it.")

    class Meta:
        model = CustomField
        fields = [
            "id", "name", "label", "field_type", "required", "help_text", "choices", "order", "protected", "value",
        ]  # fmt: skip


class HeldFieldFilter(StrictFilterSet):
    class Meta:
        model = CustomField
        fields = ["name", "field_type", "required", "protected"]


class CustomFieldsOfRecordViewSet(NestedListViewSet[CustomField]):
    """The active custom fields of a record's kind, each with what the record holds in it.

    Every record of a kind has the same rows; `parents` says which records those are. Of a record that tells something
    of a person, `owner` names the column with the person's id, and `discloses` has the subject `owner_id`.
    """

    queryset = CustomField.objects.filter(is_active=True)
    parent_field = "entity_type"
    owner: ClassVar[str] = ""
    list_serializer_class = HeldFieldSerializer
    filterset_class = HeldFieldFilter
    ordering_fields = {"order": "order", "name": "name", "label": "label"}
    default_ordering = ("order", "name")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "record": getattr(self, "record", None)}

    @cached_property
    def rows(self) -> Rows:
        """Whose record it is stands in no row, so that the rows are shown one by one."""
        return LoadedRows(self)

    def paginate_queryset(self, queryset: Any) -> Any:
        page = super().paginate_queryset(queryset)
        for definition in page or () if self.owner else ():
            definition.owner_id = getattr(self.record, self.owner)
        return page

    def _found_parent(self) -> Any:
        named = self._named_parent()
        mask = custom_mask_of(named.model)
        self.record = with_knowledge(named, {mask} if mask else (), self.request.user).first()
        if self.record is None:
            raise Http404
        return entity_type_of(named.model)
