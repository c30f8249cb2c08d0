"""The routes of the tests' own app: a test that needs them sets `ROOT_URLCONF` to this module."""

from django.urls import include, path

from core.api.routers import ApiRouter
from tests.testapp.api import ItemViewSet, ParentViewSet

router = ApiRouter(use_regex_path=False)
router.register("parents", ParentViewSet, "parent")
router.register("items", ItemViewSet, "item")

urlpatterns = [path("api/v1/", include(router.urls))]

handler400 = "core.api.exceptions.bad_request"
handler403 = "core.api.exceptions.permission_denied"
handler404 = "core.api.exceptions.not_found"
handler500 = "core.api.exceptions.server_error"
