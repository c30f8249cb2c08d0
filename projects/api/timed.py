"""Services that are told when they are called: whoever asks by HTTP asks now."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.utils import timezone


def timed(service: Callable[..., Any]) -> Callable[..., Any]:
    """Return what calls a service with the instant of the call as `at`."""

    @wraps(service)
    def called(*rows: Any, **values: Any) -> Any:
        return service(*rows, at=timezone.now(), **values)

    return called
