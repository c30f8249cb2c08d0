"""The two models as resources, declared like any app's."""

from core.api import filters
from core.api.filters import StrictFilterSet
from core.api.serializers import BaseListSerializer, ModelWriteSerializer
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from tests.testapp import services
from tests.testapp.models import Item, Kind, Parent


class ParentReader(BaseListSerializer[Parent]):
    class Meta:
        model = Parent
        fields = ["id", "code", "name"]


class ParentWriter(ModelWriteSerializer[Parent]):
    class Meta:
        model = Parent
        fields = ["code", "name"]


class ParentViewSet(UnifiedViewSet[Parent]):
    """What items may belong to."""

    queryset = Parent.objects.all()
    list_serializer_class = ParentReader
    write_serializer_class = ParentWriter
    ordering_fields = {"code": "code", "name": "name"}
    default_ordering = ("code",)
    searchable = True
    crud = Crud(create=services.create_parent, update=services.update_parent, delete=services.delete_parent)


class ItemReader(BaseListSerializer[Item]):
    class Meta:
        model = Item
        fields = ["id", "parent", "name", "amount", "happened_on", "seen_at", "flag", "kind", "rank"]


class ItemWriter(ModelWriteSerializer[Item]):
    class Meta:
        model = Item
        fields = ["parent", "name", "amount", "happened_on", "seen_at", "flag", "kind", "rank"]


class ItemFilter(StrictFilterSet):
    """A filter of every type."""

    id = filters.UUIDFilter(many=True)
    parent = filters.UUIDFilter(field_name="parent_id")
    visible_parent = filters.ModelChoiceFilter(field_name="parent", queryset=Parent.objects.all())
    visible_parents = filters.ModelChoiceFilter(field_name="parent", queryset=Parent.objects.all(), many=True)
    name_contains = filters.CharFilter(field_name="name", lookup_expr="icontains")
    parent_code = filters.CharFilter(field_name="parent__code", many=True)
    kind = filters.MultipleChoiceFilter(choices=Kind)
    not_kind = filters.ChoiceFilter(field_name="kind", choices=Kind, exclude=True)
    unseen = filters.BooleanFilter(field_name="seen_at", lookup_expr="isnull")
    amount_min = filters.NumberFilter(field_name="amount", lookup_expr="gte")
    amount_max = filters.NumberFilter(field_name="amount", lookup_expr="lte")
    ranks = filters.IntegerFilter(field_name="rank", many=True)
    happened_after = filters.DateFilter(field_name="happened_on", lookup_expr="gte")
    happened_before = filters.DateFilter(field_name="happened_on", lookup_expr="lte")
    seen_after = filters.DateTimeFilter(field_name="seen_at", lookup_expr="gte")
    seen_before = filters.DateTimeFilter(field_name="seen_at", lookup_expr="lte")
    rarely = filters.BooleanFilter(method="by_rarity", help_text="Whether the item is rare.")

    class Meta:
        model = Item
        fields = ["name", "flag", "rank", "amount", "happened_on", "seen_at"]

    def by_rarity(self, queryset, name, value):  # type: ignore[no-untyped-def]  # django-filter is untyped
        return queryset.filter(kind=Kind.RARE) if value else queryset.exclude(kind=Kind.RARE)


class ItemViewSet(UnifiedViewSet[Item]):
    """A row with a nullable column of every type."""

    queryset = Item.objects.all()
    list_serializer_class = ItemReader
    write_serializer_class = ItemWriter
    filterset_class = ItemFilter
    ordering_fields = {
        "name": "name",
        "amount": "amount",
        "happened_on": "happened_on",
        "seen_at": "seen_at",
        "flag": "flag",
        "kind": "kind",
        "rank": "rank",
        "parent": "parent__code",
        "created_at": "created_at",
    }
    default_ordering = ("name",)
    searchable = True
    crud = Crud(create=services.create_item, update=services.update_item, delete=services.delete_item)
