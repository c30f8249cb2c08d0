"""What the journeys share with other tests."""

from tests.browser import browser

__all__ = ["browser"]
