"""What the server refuses to start without."""

from core.customfields.checks import custom_values_are_indexed
from tests.testapp.models import Item


def test_every_customizable_model_has_the_index_of_its_values():
    assert custom_values_are_indexed(None) == []


def test_a_model_without_the_index_is_reported(monkeypatch):
    monkeypatch.setattr(Item._meta, "indexes", [])

    assert [(error.id, error.obj) for error in custom_values_are_indexed(None)] == [("core.E010", Item)]
