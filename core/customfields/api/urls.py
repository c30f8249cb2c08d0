"""Routes of the definitions of custom fields."""

from core.customfields.api.views import CustomFieldViewSet

routes = [("custom-fields", CustomFieldViewSet, "custom-field")]
