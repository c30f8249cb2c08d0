"""Which tests go to one worker together, and which of them first.

A plugin of pytest. The tests of a file stay together, so that what a module-wide fixture makes is made once; so do
those of files that share what takes longer to make than most files take.
"""

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = {
    "tests/contract/": "the university after a term's work",
    "tests/authorization/": "the world of the matrix",
    "tests/local/test_run.py": "a copy of the checkout that runs",
    "tests/local/test_first_requests.py": "a copy of the checkout that runs",
}
FIRST = list(TOGETHER.values())


def shared_by(nodeid: str) -> str:
    """Return what a test shares with those of other files, or else its file."""
    file = nodeid.partition("::")[0]
    return next((shared for start, shared in TOGETHER.items() if file.startswith(start)), file)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no worker has it left when the others are done."""
    long = {item.path for item in items if item.get_closest_marker("sweep") or item.get_closest_marker("slow")}

    def turn(item: pytest.Item) -> tuple[int, bool]:
        shared = shared_by(item.nodeid)
        return FIRST.index(shared) if shared in FIRST else len(FIRST), item.path not in long

    items.sort(key=turn)


class SharingScheduling(LoadFileScheduling):
    """Gives a worker all tests at once that share something."""

    def _split_scope(self, nodeid: str) -> str:
        return shared_by(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadFileScheduling | None:
    """Keep together what belongs together, where files are to be kept together."""
    return SharingScheduling(config, log) if config.getvalue("dist") == "loadfile" else None
