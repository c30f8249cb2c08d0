"""What the tests of the HTTP surface share."""

from tests.browser import browser

__all__ = ["browser"]
