"""HTTP for the definitions of custom fields."""

from core.api.permissions import AUTHENTICATED
from core.api.viewsets import UnifiedViewSet
from core.crud import Crud
from core.customfields import services
from core.customfields.api.filters import CustomFieldFilter
from core.customfields.api.serializers import CustomFieldReader, CustomFieldWriter
from core.models import CustomField


class CustomFieldViewSet(UnifiedViewSet[CustomField]):
    """Fields that the institution adds to its records.

    Everybody who is logged in may read the definitions, because forms and tables are made of them.
    A definition that records hold values of is archived (`is_active: false`), not deleted.
    """

    queryset = CustomField.objects.all()
    list_serializer_class = CustomFieldReader
    write_serializer_class = CustomFieldWriter
    filterset_class = CustomFieldFilter
    ordering_fields = {
        "entity_type": "entity_type",
        "order": "order",
        "name": "name",
        "label": "label",
        "created_at": "created_at",
    }
    default_ordering = ("entity_type", "order", "name")
    action_permissions = {"list": AUTHENTICATED, "retrieve": AUTHENTICATED}
    crud = Crud(
        create=services.create_custom_field,
        update=services.update_custom_field,
        delete=services.delete_custom_field,
    )
