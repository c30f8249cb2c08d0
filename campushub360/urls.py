"""Where everything answers: the versioned API, the administration, and what probes ask.

Every app lists its resources in `<app>.api.urls.routes` and whatever is no resource in
`urlpatterns`; both appear under `/api/v1/` by one router.
"""

from importlib import import_module
from types import ModuleType

from django.conf import settings
from django.contrib import admin
from django.templatetags.static import static
from django.urls import URLPattern, URLResolver, include, path
from django.utils.module_loading import module_has_submodule
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from accounts.admin_log_in import SecondFactorLogInForm
from accounts.admin_password import OwnPasswordView
from accounts.admin_second_factor import SecondFactorView
from accounts.api.edge import CallerView
from attendance.api.calendar_views import CalendarView
from core.admin_choices import ChoicesView
from core.api.routers import ApiRouter, FirstSegmentResolver

admin.site.site_header = "CampusHub360"
admin.site.site_title = "CampusHub360"
admin.site.index_title = "Administration"
admin.site.site_url = "/api/v1/docs/"
admin.site.login_form = SecondFactorLogInForm
admin.site.login_template = "admin/second_factor_login.html"
admin.site.index_template = "admin/campus_index.html"


def _api_modules() -> list[ModuleType]:
    modules = []
    for label in settings.FIRST_PARTY_APPS:
        app = import_module(label)
        if module_has_submodule(app, "api") and module_has_submodule(import_module(f"{label}.api"), "urls"):
            modules.append(import_module(f"{label}.api.urls"))
    return modules


def _api_patterns() -> list[URLPattern | URLResolver]:
    router = ApiRouter(use_regex_path=False)
    patterns: list[URLPattern | URLResolver] = []
    for module in _api_modules():
        for prefix, viewset, basename in getattr(module, "routes", ()):
            router.register(prefix, viewset, basename)
        patterns += getattr(module, "urlpatterns", ())
    return [*patterns, *router.urls]


class FaviconView(RedirectView):
    """Leads browsers, which ask for it unbidden, to the icon."""

    def get_redirect_url(self, *args: object, **kwargs: object) -> str:
        return static("core/favicon.svg")


own_pages = [
    # Django's own would leave the sessions of the account alone.
    path("password_change/", admin.site.admin_view(OwnPasswordView.as_view()), name="password_change"),
    path("second_factor/", admin.site.admin_view(SecondFactorView.as_view()), name="second_factor"),
    # Django's own would name people by their numbers alone.
    path("autocomplete/", admin.site.admin_view(ChoicesView.as_view(admin_site=admin.site)), name="autocomplete"),
]
urlpatterns = [
    path("", require_safe(RedirectView.as_view(pattern_name="api-docs")), name="home"),
    path("favicon.ico", require_safe(FaviconView.as_view()), name="favicon"),
    FirstSegmentResolver("api/v1/", _api_patterns()),
    # A secret lies in the path: nginx.conf keeps it out of its log, and core.logging out of ours.
    path("calendars/<str:secret>.ics", CalendarView.as_view(), name="calendar"),
    path("edge/", CallerView.as_view(), name="edge"),
    # Before Django's own.
    path("admin/", include((own_pages, "administration"))),
    path("admin/", admin.site.urls),
    path("", include("core.urls")),
]

handler400 = "core.api.exceptions.bad_request"
handler403 = "core.api.exceptions.permission_denied"
handler404 = "core.api.exceptions.not_found"
handler500 = "core.api.exceptions.server_error"
