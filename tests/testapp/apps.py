"""The configuration of the tests' own app."""

from django.apps import AppConfig


class TestAppConfig(AppConfig):
    name = "tests.testapp"
    label = "testapp"

    def ready(self) -> None:
        from core.cache.tags import divide_by_row, moves, set_apart
        from tests.testapp import visibility  # noqa: F401 - registers the grants

        moves("items", "testapp.Item", by="parent_id")
        moves("parents", "testapp.Parent")
        divide_by_row("testapp.Parent")
        set_apart("rank", "testapp.Item", columns=["rank", "version", "updated_at"])
