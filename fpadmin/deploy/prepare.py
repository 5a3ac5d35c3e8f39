"""`python -m fpadmin.deploy.prepare DIRECTORY`: the secrets of a new installation, once.

Random keys and passwords, the pair of keys for backups, and a certificate that the office replaces
by its own. A file that is there stays as it is. Nothing here needs Django or a database.
"""

import os
import secrets
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fpadmin import keys
from fpadmin.deploy import sealing

# Containers read them as whatever account they run under; the directory is closed to others.
READABLE = 0o444
CERTIFICATE_DAYS = 825


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m fpadmin.deploy.prepare DIRECTORY\n")
        return 2
    for name in prepare(Path(arguments[0]), host=os.environ.get("ALLOWED_HOSTS", "localhost")):
        sys.stdout.write(f"{name}\n")
    return 0


def prepare(directory: Path, *, host: str) -> list[str]:
    """Write the files that are missing; their names.

    A password stands in two files, so both are made or neither.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    made = []
    for group in (*_keys(), _superuser, _database, _broker, _backups, lambda: _certificate(host)):
        files = group()
        if any((directory / name).exists() for name in files):
            continue
        for name, content in files.items():
            _write(directory / name, content)
            made.append(name)
    return made


def _keys():
    return [lambda name=name: {name.lower(): keys.new_key(name)} for name in keys.NAMES]


def _superuser() -> dict[str, str]:
    return {"database_superuser_password": _password()}


def _database() -> dict[str, str]:
    password = _password()
    return {
        "database_password": password,
        "database_url": f"postgres://fpadmin:{password}@database:5432/fpadmin",
    }


def _broker() -> dict[str, str]:
    password = _password()
    return {
        "broker_conf": f"requirepass {password}\n",
        "broker_url": f"redis://:{password}@broker:6379/0",
    }


def _backups() -> dict[str, str]:
    recipient, identity = sealing.new_pair()
    return {"backup_recipient": recipient, "restore.key": f"{identity}\n"}


def _certificate(host: str) -> dict[str, str]:
    """Self-signed, for the first of the hosts."""
    name = host.split(",")[0].strip().lstrip(".") or "localhost"
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return {
        "tls.crt": certificate.public_bytes(serialization.Encoding.PEM).decode(),
        "tls.key": private.decode(),
    }


def _password() -> str:
    return secrets.token_hex(24)


def _write(path: Path, content: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    # The private half of the backups' pair is read by nobody but who restores.
    path.chmod(0o400 if path.name == "restore.key" else READABLE)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
