"""System check: every customizable model can be filtered by its custom values."""

from typing import Any

from django.core.checks import Error, register

from core.customfields.selectors import customizable_models
from core.db.indexes import NamedGinIndex


@register("core")
def custom_values_are_indexed(app_configs: Any, **options: Any) -> list[Error]:
    """Report customizable models without `custom_data_index`."""
    return [
        Error("The model lacks custom_data_index(…) in its indexes.", obj=model, id="core.E010")
        for model in customizable_models().values()
        if not any(isinstance(i, NamedGinIndex) and i.fields == ["custom_data"] for i in model._meta.indexes)
    ]
