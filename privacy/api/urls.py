"""Where privacy answers."""

from privacy.api import views

routes = [("privacy/exports", views.SubjectExportViewSet, "privacy-export")]
