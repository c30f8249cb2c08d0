"""What a search for values in the clear needs."""

import io
import logging

import pytest
from structlog.stdlib import ProcessorFormatter


@pytest.fixture
def own_database(settings):
    settings.DATABASE_DIRECT_URL = ""  # so that other programs are sent to the database of the tests


@pytest.fixture
def logged():
    """Everything that is logged, as the product formats it, down to the statements."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    root, before = logging.getLogger(), logging.getLogger().level
    handler.setFormatter(next(h.formatter for h in root.handlers if isinstance(h.formatter, ProcessorFormatter)))
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield lambda: written.getvalue().encode()
    root.removeHandler(handler)
    root.setLevel(before)
