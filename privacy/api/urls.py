"""Where privacy answers."""

from typing import Any

from django.urls import path

from privacy.api import views

# Nothing of these is changed but by their steps.
READ_AND_ASK: Any = {"get": "list", "post": "create"}
routes = [("privacy/exports", views.SubjectExportViewSet, "privacy-export")]
urlpatterns = [
    path("privacy/erasures/", views.ErasureRequestViewSet.as_view(READ_AND_ASK), name="privacy-erasures"),
    path(
        "privacy/erasures/<uuid:pk>/",
        views.ErasureRequestViewSet.as_view({"get": "retrieve"}),
        name="privacy-erasure",
    ),
    path(
        "privacy/erasures/<uuid:pk>/approve/",
        views.ErasureRequestViewSet.as_view({"post": "approve"}),
        name="privacy-erasure-approve",
    ),
    path(
        "privacy/erasures/<uuid:pk>/reject/",
        views.ErasureRequestViewSet.as_view({"post": "reject"}),
        name="privacy-erasure-reject",
    ),
    path("privacy/holds/", views.LegalHoldViewSet.as_view(READ_AND_ASK), name="privacy-holds"),
    path("privacy/holds/<uuid:pk>/", views.LegalHoldViewSet.as_view({"get": "retrieve"}), name="privacy-hold"),
    path(
        "privacy/holds/<uuid:pk>/release/",
        views.LegalHoldViewSet.as_view({"post": "release"}),
        name="privacy-hold-release",
    ),
]
