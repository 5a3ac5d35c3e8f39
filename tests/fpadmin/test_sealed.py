"""Files of any size, sealed part by part: read back as they were, or not at all."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from fpadmin import sealed
from fpadmin.crypto import DecryptionFailed


@pytest.fixture(autouse=True)
def _own_files(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path / "files"
    monkeypatch.setattr(sealed, "PART", 4)


def kept(content: bytes) -> str:
    return sealed.keep_parts("room", io.BytesIO(content))


def raw_parts(name: str) -> list[bytes]:
    with default_storage.open(name) as file:
        raw, found = file.read(), []
    while raw:
        end = 4 + int.from_bytes(raw[:4])
        found, raw = [*found, raw[:end]], raw[end:]
    return found


def replace(name: str, parts: list[bytes]) -> None:
    default_storage.delete(name)
    default_storage.save(name, ContentFile(b"".join(parts)))


@pytest.mark.parametrize("content", [b"", b"abc", b"abcd", b"abcde", b"abcdefgh", bytes(999)])
def test_content_comes_back_in_pieces(content):
    name = kept(content)
    found = list(sealed.parts(name))
    assert b"".join(found) == content
    assert all(len(part) <= 4 for part in found)


def test_nothing_is_plain_in_the_storage():
    with default_storage.open(kept(b"canary-name")) as file:
        assert b"cana" not in file.read()


@pytest.mark.parametrize(
    "change",
    [
        lambda parts: parts[:-1],
        lambda parts: [parts[1], parts[0], *parts[2:]],
        lambda parts: [*parts, parts[-1]],
        lambda parts: [parts[0][:-1] + bytes([parts[0][-1] ^ 1]), *parts[1:]],
        lambda parts: [b"".join(parts)[:-2]],
        lambda parts: [],
    ],
    ids=["cut off", "swapped", "longer", "changed", "cut within", "emptied"],
)
def test_changed_file_is_refused(change):
    name = kept(b"abcdefghij")
    replace(name, change(raw_parts(name)))
    with pytest.raises(DecryptionFailed):
        list(sealed.parts(name))


def test_part_of_another_file_is_refused():
    first, second = kept(b"abcd"), kept(b"efgh")
    replace(first, raw_parts(second))
    with pytest.raises(DecryptionFailed):
        list(sealed.parts(first))


def test_file_that_is_gone_says_so():
    with pytest.raises(FileNotFoundError):
        list(sealed.parts("room/gone.bin"))
