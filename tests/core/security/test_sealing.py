"""Files that lie encrypted: what comes back from any place of them, and what does not open."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.security import sealing
from core.security.encryption import DecryptionError
from core.security.sealing import SealedReader, SealedWriter

BLOCK = 16


@pytest.fixture(autouse=True, scope="module")
def small_blocks():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sealing, "BLOCK", BLOCK)
        yield


def sealed(content, name="here"):
    target = io.BytesIO()
    with SealedWriter(target, name) as writer:
        writer.write(content)
    return target.getvalue()


def opened(data, name="here"):
    return io.BufferedReader(SealedReader(io.BytesIO(data), name), 8)


def blocks_of(data):
    found = []
    while data:
        length = 4 + int.from_bytes(data[:4], "big")
        found.append(data[:length])
        data = data[length:]
    return found


@given(
    content=st.binary(max_size=5 * BLOCK),
    places=st.lists(st.tuples(st.integers(0, 6 * BLOCK), st.integers(0, 3 * BLOCK)), max_size=5),
)
def test_it_is_read_from_any_place_as_the_plain_file_is(content, places):
    plain, reader = io.BytesIO(content), opened(sealed(content))

    assert reader.read() == content
    for place, length in places:
        assert reader.seek(place) == plain.seek(place)
        assert reader.read(length) == plain.read(length)
    assert reader.seek(0, io.SEEK_END) == len(content)


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK])
def test_the_end_of_a_block_is_no_end_of_the_file(size):
    content = bytes(range(size))

    assert opened(sealed(content)).read() == content


@pytest.mark.checklist(92)
@pytest.mark.parametrize(
    "changed",
    [
        lambda blocks: blocks[:-1],
        lambda blocks: blocks[1:],
        lambda blocks: [blocks[1], blocks[0], blocks[2]],
        lambda blocks: [*blocks, blocks[-1]],
        lambda blocks: [blocks[0], blocks[2]],
        lambda blocks: [*blocks[:-1], blocks[-1][:-1]],
        lambda blocks: [*blocks, b"\x00"],
        lambda blocks: [],
    ],
)
def test_blocks_that_are_not_as_they_were_written_do_not_open(changed):
    data = b"".join(changed(blocks_of(sealed(b"x" * 3 * BLOCK))))

    with pytest.raises(DecryptionError):
        opened(data).read()


def test_a_file_under_another_name_does_not_open():
    with pytest.raises(DecryptionError):
        opened(sealed(b"x"), "elsewhere")
