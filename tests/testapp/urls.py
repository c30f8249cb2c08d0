"""The routes of the tests' own app; a test that needs some names this module as ROOT_URLCONF or includes it."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
