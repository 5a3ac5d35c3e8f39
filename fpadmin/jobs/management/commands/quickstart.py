"""The whole product on one machine with nothing to install: see Command."""

import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from fpadmin.accounts.demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from fpadmin.jobs import processes

FIRST_PORT = 8000
LAST_PORT = 8099
DEMONSTRATION = {"FPADMIN_DEMO": "True", "FPADMIN_TODAY": "2018-10-09", "HTTPS": "False"}


class Stopped(BaseException):
    """SIGTERM or SIGINT arrived."""


@dataclass
class Service:
    """One long-running child. `harder` is the signal after SIGTERM: see processes.Child."""

    name: str
    command: list[str]
    harder: int = signal.SIGTERM
    keep: tuple[int, ...] = ()
    child: processes.Child | None = None

    @property
    def log(self) -> Path:
        return settings.VAR_DIR / "log" / f"{self.name}.log"

    def start(self) -> None:
        self.child = processes.start(
            self.command, environment={}, log=self.log, harder=self.harder, keep=self.keep
        )

    def has_ended(self) -> bool:
        return self.child.process.poll() is not None


class Command(BaseCommand):
    """Migrates, fills an empty database with the demonstration, and runs broker, workers, beat and web.

    Stays in the foreground; SIGTERM or Ctrl+C stops everything. Data is kept in var/ (or where
    DATABASE_URL says). A broker is started only where BROKER_URL names none.
    """

    help = "在本机启动演示系统：数据库、任务队列、定时任务和网页服务。"

    def handle(self, **options):
        if any(os.environ.get(name) != value for name, value in DEMONSTRATION.items()):
            # The settings were read without them: start over, under the same process id.
            os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | DEMONSTRATION)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        folder = Path(tempfile.mkdtemp(prefix="fpadmin-"))
        services: list[Service] = []
        try:
            self._prepare()
            with _free_port() as listener:
                services += _services(folder, listener)
                self._serve(services, listener)
        except Stopped:
            self._say("正在停止……")
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl+C must not leave orphans
            children = [service.child for service in services if service.child]
            processes.stop(children[1:], patience=8)
            processes.stop(children, patience=3)  # the broker, when nobody talks to it any more
            shutil.rmtree(folder, ignore_errors=True)
        self._say("已停止。")

    def _prepare(self):
        self._say("准备数据库……")
        call_command("migrate", verbosity=0, interactive=False)
        call_command("collectstatic", verbosity=0, interactive=False)
        self._say("准备演示数据……")
        # Each time: a first start that was interrupted is completed, a whole demo stays as it is,
        # and a database with other people in it is refused and served without the demo.
        with suppress(SystemExit):
            call_command("demo", stdout=self.stderr)

    def _serve(self, services: list[Service], listener: socket.socket):
        for service in services:
            service.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        _wait_for(address, services)
        self._introduce(address)
        while True:
            time.sleep(1)
            for service in filter(Service.has_ended, services):
                self.stderr.write(f"{service.name} ended and is started again; see {service.log}")
                service.start()

    def _introduce(self, address: str):
        self._say(f"\n{settings.PRODUCT_NAME}（演示数据）已启动：{address}\n")
        self._say(f"演示账号（密码都是 {DEMO_PASSWORD} ）：")
        for account in DEMO_ACCOUNTS:
            self._say(f"  {account.username:<12}{account.role.label}　{account.name}")
        self._say(f"\n数据在 {settings.VAR_DIR}，再次启动时仍在。按 Ctrl+C 停止。")

    def _say(self, line: str):
        self.stdout.write(line)
        self.stdout.flush()


def _stop(number, frame):
    raise Stopped


def _free_port() -> socket.socket:
    """A listening socket on the first free port; handed to the web server, so nobody can take it between."""
    for port in range(FIRST_PORT, LAST_PORT + 1):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        listener.listen(128)
        listener.set_inheritable(True)
        return listener
    raise CommandError(f"No free port between {FIRST_PORT} and {LAST_PORT}.")


def _services(folder: Path, listener: socket.socket) -> list[Service]:
    """In starting order; they stop in the reverse one, the broker last."""
    services = []
    if not os.environ.get("BROKER_URL"):
        broker = folder / "broker.sock"
        os.environ["BROKER_URL"] = f"redis+socket://{broker}"
        services.append(Service("broker", processes.broker_command(broker)))
    for queue, size in (("default", 2), ("imports", 1)):
        # SIGQUIT drops a running job; its lease runs out and the next start finds it.
        services.append(
            Service(f"worker-{queue}", processes.worker_command(queue, size), harder=signal.SIGQUIT)
        )
    services.append(Service("beat", processes.beat_command(folder / "schedule")))
    handle = listener.fileno()
    services.append(
        Service(
            "web",
            [
                sys.executable, "-m", "gunicorn", "fpadmin.wsgi", "--bind", f"fd://{handle}",
                "--workers", "2", "--threads", "2", "--timeout", "120", "--no-control-socket",
            ],
            keep=(handle,),
        )
    )  # fmt: skip
    return services


def _wait_for(address: str, services: list[Service]):
    """Return once the web server answers; a child that cannot start ends the command."""
    for _ in range(300):
        for service in services:
            if service.has_ended():
                raise CommandError(f"{service.name} could not start; see {service.log}")
        try:
            urllib.request.urlopen(f"{address}healthz", timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise CommandError("The web server does not answer.")
