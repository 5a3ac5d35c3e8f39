"""Sealed files: the format of `age`, opened by the one key only, and never half."""

import base64
import io

import pytest

from fpadmin.deploy import sealing

# Made by `age -r … -a`, version 1.1.1; it says 备份.
RECIPIENT = "age1ntrmugfzdwexjwsnd0nzgpwey99dfqqm5nyxeadulnfnztrp3dgse0jumf"
IDENTITY = "AGE-SECRET-KEY-1TR3LY8GP2V7YJ3XNMX59RXXNJL64DW0V5ZG944SLPPMWDTLQC47QNHPNDK"
BY_AGE = """
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA0T0lLSUg0c2Rxdzh1UDVB
RW9lNno2Wm5WK21VZVRCa3NaTFVoUTh0MmlBCkdjdERRWnhLbWtza1ZxTlJXb0p5
Uno1UTJPcEN2N3BBT0RXcUdmcnRRTFUKLS0tIDVYMTNMOVdOMWoyTjhxUnBUZ1g4
K3RPdWp6bTByWnp6S2lVZmRLTVlKcWsKsQF5CHxPx7riXKKxGyl+SVwaWxIhQuc5
ZOadoWBIZNq72mEM354=
"""


def sealed(content: bytes, recipient: str) -> bytes:
    target = io.BytesIO()
    sealer = sealing.Sealer(target, recipient)
    for at in range(0, len(content), 50_000):
        sealer.write(content[at : at + 50_000])
    sealer.close()
    return target.getvalue()


def opened(content: bytes, identity: str) -> bytes:
    return sealing.Opener(io.BytesIO(content), identity).read()


@pytest.fixture(scope="module")
def pair():
    return sealing.new_pair()


def test_file_of_the_age_program_opens():
    assert opened(base64.b64decode(BY_AGE), IDENTITY).decode() == "备份"
    assert opened(sealed(b"x", RECIPIENT), IDENTITY) == b"x"


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 200_001])
def test_what_was_sealed_opens_whole_and_in_pieces(pair, size):
    content = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    file = sealed(content, pair[0])
    assert opened(file, pair[1]) == content
    opener, pieces = sealing.Opener(io.BytesIO(file), pair[1]), []
    while piece := opener.read(7001):
        pieces.append(piece)
    assert b"".join(pieces) == content
    assert content[:1000] not in file or size < 10


def test_another_key_opens_nothing(pair):
    with pytest.raises(sealing.WrongKey):
        opened(sealed(b"content", pair[0]), sealing.new_pair()[1])


@pytest.mark.parametrize("place", range(0, 400, 7))
def test_one_changed_byte_is_found(pair, place):
    file = bytearray(sealed(b"c" * 300, pair[0]))
    file[place] ^= 1
    with pytest.raises((sealing.WrongKey, sealing.Damaged)):
        opened(bytes(file), pair[1])


@pytest.mark.parametrize("left_out", [1, 17, 100, 65_552, 65_553])
def test_a_file_cut_off_is_found_wherever_it_was_cut(pair, left_out):
    file = sealed(b"c" * 65_536 * 2, pair[0])
    with pytest.raises(sealing.Damaged):
        opened(file[:-left_out], pair[1])


def test_more_behind_the_end_and_a_sealer_left_open_are_found(pair):
    with pytest.raises(sealing.Damaged):
        opened(sealed(b"content", pair[0]) + b"more", pair[1])
    target = io.BytesIO()
    sealing.Sealer(target, pair[0]).write(b"c" * 70_000)
    with pytest.raises(sealing.Damaged):
        opened(target.getvalue(), pair[1])


@pytest.mark.parametrize(
    "text", ["", "age1", RECIPIENT[:-1] + "q", RECIPIENT.replace("m", "n", 1), IDENTITY, "age1bio"]
)
def test_a_slip_in_a_key_is_refused(text):
    with pytest.raises(sealing.WrongKey):
        sealing.check_recipient(text)
    sealing.check_recipient(f" {RECIPIENT}\n")
