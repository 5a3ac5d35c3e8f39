"""The installation's secret keys: read from the environment, else made once and kept in var/keys.env.

Nothing here imports Django: the settings module reads its keys through it.
"""

import base64
import os
import secrets
import sys
from pathlib import Path

NAMES = ("SECRET_KEY", "FIELD_ENCRYPTION_KEYS", "DIGEST_KEY", "AUDIT_KEY")
WEAK_WORDS = (
    "changeme",
    "change-me",
    "secret",
    "password",
    "insecure",
    "default",
    "example",
    "123456",
)


class WeakKey(SystemExit):
    """Somebody set a key that is too short or a well-known default; the program must not start."""


def new_key(name: str) -> str:
    if name == "FIELD_ENCRYPTION_KEYS":
        return "k1:" + base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_urlsafe(64)


def _read(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def _refuse_weak(name: str, value: str) -> None:
    parts = [p.partition(":")[2] for p in value.split(",")] if name.startswith("FIELD") else [value]
    for part in parts:
        if len(part) < 40 or len(set(part)) < 10 or any(w in part.lower() for w in WEAK_WORDS):
            raise WeakKey(
                f"{name} is weak or a default value. Remove it to have one made in var/keys.env, "
                "or set a random value of at least 40 characters."
            )


def given(name: str, default: str = "") -> str:
    """The environment's value, or the content of the file that `<name>_FILE` names (a docker secret)."""
    file = os.environ.get(f"{name}_FILE")
    if not file:
        return os.environ.get(name, default)
    if os.environ.get(name):
        raise SystemExit(f"Both {name} and {name}_FILE are set. Remove one of them.")
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as problem:
        raise SystemExit(f"{name}_FILE names {file}, which cannot be read: {problem.strerror}.")


def load(directory: Path) -> dict[str, str]:
    """Every key of NAMES: the environment's value first, then var/keys.env, then a new one.

    New keys are written to `directory`/keys.env with mode 0600 and announced by one line on
    stderr. A weak value that somebody set stops the program.
    """
    path = directory / "keys.env"
    keys = {name: value for name in NAMES if (value := given(name))}
    for name, value in keys.items():
        _refuse_weak(name, value)
    if len(keys) == len(NAMES):
        return keys
    kept = _read(path)
    missing = [name for name in NAMES if name not in keys and name not in kept]
    if missing:
        directory.mkdir(parents=True, exist_ok=True)
        kept |= _append(path, missing)
    for name in NAMES:
        if name not in keys:
            _refuse_weak(name, kept[name])
    return kept | keys


def _append(path: Path, missing: list[str]) -> dict[str, str]:
    """Write the missing keys under a lock file, so that two processes starting together agree."""
    lock = os.open(path.with_suffix(".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _lock(lock)
        kept = _read(path)
        made = {name: new_key(name) for name in missing if name not in kept}
        if made:
            descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as file:
                file.writelines(f"{name}={value}\n" for name, value in made.items())
            os.chmod(path, 0o600)
            print(f"fpadmin: made {', '.join(made)} in {path}; back this file up.", file=sys.stderr)
        return _read(path)
    finally:
        os.close(lock)


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: one process starts first in practice; the file is append-only
        return
    fcntl.flock(descriptor, fcntl.LOCK_EX)
