"""Files sealed for one public key, in the format age v1 (age-encryption.org/v1, X25519).

Whoever makes backups needs the recipient only, and cannot open them. The format is that of the
`age` program, so that a backup can be opened without this one.
"""

import base64
import hashlib
import hmac
import os
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"age-encryption.org/v1"
LABEL = b"age-encryption.org/v1/X25519"
CHUNK = 64 * 1024
TAG = 16
RECIPIENT = "age"
IDENTITY = "age-secret-key-"
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_POLYMOD = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


class WrongKey(Exception):
    """The text is no key of this kind, or the file was sealed for another one."""


class Damaged(Exception):
    """The file was changed, cut off, or is none of this format."""


def new_pair() -> tuple[str, str]:
    """A new (recipient, identity): the first seals, the second opens."""
    private = X25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    return _text(RECIPIENT, public), _text(IDENTITY, private.private_bytes_raw()).upper()


def check_recipient(text: str) -> None:
    """Raise WrongKey unless `text` is a recipient."""
    _key(RECIPIENT, text)


class Sealer:
    """A binary file to write into; close() ends the sealed one. Left unclosed it stays unreadable."""

    def __init__(self, target: BinaryIO, recipient: str):
        public = X25519PublicKey.from_public_bytes(_key(RECIPIENT, recipient))
        file_key, nonce = os.urandom(16), os.urandom(16)
        target.write(_header(file_key, public) + nonce)
        self._target = target
        self._cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._count = 0
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        # The last chunk is told apart, so a full one waits until more follows.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]
        return len(data)

    def close(self) -> None:
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._target.write(self._cipher.encrypt(_nonce(self._count, last), chunk, None))
        self._count += 1


class Opener:
    """A sealed file to read from. Raises Damaged before it returns a byte that is not the sealed one."""

    def __init__(self, source: BinaryIO, identity: str):
        private = X25519PrivateKey.from_private_bytes(_key(IDENTITY, identity))
        file_key = _file_key(source, private)
        nonce = source.read(16)
        self._source = source
        self._cipher = ChaCha20Poly1305(_derive(file_key, nonce, b"payload"))
        self._count = 0
        self._ahead = source.read(CHUNK + TAG)
        self._plain = b""
        self._done = False

    def read(self, size: int = -1) -> bytes:
        parts, wanted = [], size if size >= 0 else None
        while wanted is None or wanted > 0:
            if not self._plain and not self._more():
                break
            part = self._plain if wanted is None else self._plain[:wanted]
            self._plain = self._plain[len(part) :]
            parts.append(part)
            wanted = None if wanted is None else wanted - len(part)
        return b"".join(parts)

    def _more(self) -> bool:
        """Open the next chunk; False after the last."""
        if self._done:
            return False
        chunk, self._ahead = self._ahead, self._source.read(CHUNK + TAG)
        self._done = not self._ahead
        try:
            self._plain = self._cipher.decrypt(_nonce(self._count, self._done), chunk, None)
        except (InvalidTag, ValueError):
            raise Damaged("the sealed file was changed or cut off") from None
        self._count += 1
        return bool(self._plain)


def _header(file_key: bytes, public: X25519PublicKey) -> bytes:
    ephemeral = X25519PrivateKey.generate()
    share = ephemeral.public_key().public_bytes_raw()
    wrapping = _derive(ephemeral.exchange(public), share + public.public_bytes_raw(), LABEL)
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), file_key, None)
    head = b"%s\n-> X25519 %s\n%s\n---" % (VERSION, _base64(share), _base64(body))
    return b"%s %s\n" % (head, _base64(_mac(file_key, head)))


def _file_key(source: BinaryIO, private: X25519PrivateKey) -> bytes:
    lines = [source.readline(200) for _ in range(4)]
    kind, _, share = lines[1].rstrip(b"\n").rpartition(b" ")
    end, _, mac = lines[3].rstrip(b"\n").partition(b" ")
    if lines[0] != VERSION + b"\n" or kind != b"-> X25519" or end != b"---":
        raise Damaged("the file is not sealed for one X25519 recipient")
    own = private.public_key().public_bytes_raw()
    try:
        share, body, mac = _unbase64(share), _unbase64(lines[2].rstrip(b"\n")), _unbase64(mac)
        shared = private.exchange(X25519PublicKey.from_public_bytes(share))
        wrapping = _derive(shared, share + own, LABEL)
        file_key = ChaCha20Poly1305(wrapping).decrypt(bytes(12), body, None)
    except InvalidTag:
        raise WrongKey("the file was sealed for another key, or its head was changed") from None
    except ValueError:
        raise Damaged("the head of the sealed file was changed") from None
    if not hmac.compare_digest(_mac(file_key, b"".join(lines[:3]) + b"---"), mac):
        raise Damaged("the head of the sealed file was changed")
    return file_key


def _derive(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt or None, info).derive(secret)


def _mac(file_key: bytes, head: bytes) -> bytes:
    return hmac.new(_derive(file_key, b"", b"header"), head, hashlib.sha256).digest()


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")


def _unbase64(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


# Keys are written in Bech32 (BIP 173), as age writes them.


def _text(prefix: str, data: bytes) -> str:
    values = _regroup(data, 8, 5, pad=True)
    check = _checksum([*_expanded(prefix), *values, *[0] * 6]) ^ 1
    values += [check >> 5 * (5 - place) & 31 for place in range(6)]
    return f"{prefix}1{''.join(_LETTERS[value] for value in values)}"


def _key(prefix: str, text: str) -> bytes:
    found, _, letters = text.strip().lower().rpartition("1")
    values = [_LETTERS.find(letter) for letter in letters]
    if found != prefix or -1 in values or _checksum([*_expanded(prefix), *values]) != 1:
        raise WrongKey(f"not a key that begins with {prefix}1, or one with a slip in it")
    data = bytes(_regroup(values[:-6], 5, 8, pad=False))
    if len(data) != 32:
        raise WrongKey(f"not a key that begins with {prefix}1, or one with a slip in it")
    return data


def _expanded(prefix: str) -> list[int]:
    codes = prefix.encode()
    return [*[code >> 5 for code in codes], 0, *[code & 31 for code in codes]]


def _checksum(values: list[int]) -> int:
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, number in enumerate(_POLYMOD):
            check ^= number if top >> place & 1 else 0
    return check


def _regroup(values, size: int, new_size: int, *, pad: bool) -> list[int]:
    """The same bits in groups of another size."""
    bits = "".join(f"{value:0{size}b}" for value in values)
    if pad:
        bits += "0" * (-len(bits) % new_size)
    whole = len(bits) - len(bits) % new_size
    return [int(bits[at : at + new_size], 2) for at in range(0, whole, new_size)]
