"""The real nginx in front of the real gunicorn, as docker-compose.yml starts them."""

import http.client
import os
import re
import socket
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from fpadmin.audit.models import AuditEvent
from fpadmin.deploy.prepare import prepare
from fpadmin.jobs import processes
from tests.fpadmin.jobs.test_faults import until
from tests.guards.source import ROOT
from tests.run import nginx_program

pytestmark = [pytest.mark.proxy, pytest.mark.django_db(transaction=True)]

HOST = "fp.example.gov.cn"
DEPLOY = ROOT / "fpadmin" / "deploy"
MEGABYTE = 1024 * 1024


@dataclass
class Proxy:
    """A running nginx: ports, the folder of its files, and what it trusts."""

    plain: int
    tls: int
    web: int
    folder: Path

    def ask(self, method: str, path: str, *, body=b"", headers=(), tls=True):
        """(status, headers, text) of one request; the certificate is checked."""
        if tls:
            connection = _Named(self.tls, self.folder / "secrets" / "tls.crt")
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.plain, timeout=20)
        return _ask(connection, method, path, body, {"Host": HOST} | dict(headers))

    def ask_web(self, method: str, path: str, *, body=b"", headers=()):
        """The same without the proxy in between."""
        connection = http.client.HTTPConnection("127.0.0.1", self.web, timeout=20)
        return _ask(connection, method, path, body, {"Host": HOST} | dict(headers))


class _Named(http.client.HTTPSConnection):
    """Goes to this machine and checks the certificate of HOST."""

    def __init__(self, port: int, authority: Path):
        context = ssl.create_default_context(cafile=authority)
        super().__init__("127.0.0.1", port, timeout=20, context=context)

    def connect(self):
        plain = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=HOST)


def _ask(connection, method, path, body, headers):
    try:
        connection.request(method, path, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read().decode()
    finally:
        connection.close()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def placed(name: str, places: dict[str, str]) -> str:
    """A file of the deployment with this test's ports and folders; each place must be in it."""
    text = (DEPLOY / name).read_text(encoding="utf-8")
    assert [place for place in places if place not in text] == []
    return re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)


def start_proxy(folder: Path, web: int, most: str) -> tuple[Proxy, processes.Child]:
    prepare(folder / "secrets", host=HOST)
    proxy = Proxy(plain=free_port(), tls=free_port(), web=web, folder=folder)
    places = {
        "/tmp/": f"{folder}/",
        "listen 8080": f"listen 127.0.0.1:{proxy.plain}",
        "listen 8443": f"listen 127.0.0.1:{proxy.tls}",
        "web:8000": f"127.0.0.1:{web}",
        "/run/secrets/": f"{folder}/secrets/",
        "/etc/nginx/pages": str(DEPLOY / "pages"),
        "/dev/stdout": f"{folder}/access.log",
    }
    # Its workers must reach the folder of the test.
    account = "user root;\n" if os.geteuid() == 0 else ""
    conf, script = folder / "nginx.conf", folder / "proxy.sh"
    conf.write_text(account + placed("nginx.conf", places), encoding="utf-8")
    places = {
        "/tmp/": f"{folder}/",
        "/etc/nginx/nginx.conf": str(conf),
        "exec nginx": f"exec {nginx_program()}",
    }
    script.write_text(placed("proxy.sh", places), encoding="utf-8")
    child = processes.start(
        ["sh", str(script)], environment={"IMPORT_MAX_MB": most}, log=folder / "nginx.log"
    )
    until(lambda: answers(proxy.tls) or child.process.poll() is not None)
    assert child.process.poll() is None, (folder / "nginx.log").read_text(encoding="utf-8")
    return proxy, child


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


@pytest.fixture(scope="module")
def proxy(django_db_setup, tmp_path_factory):
    """nginx and gunicorn with the command of docker-compose.yml, uploads limited to 1 MB."""
    from tests.database import database_url

    folder = tmp_path_factory.mktemp("proxy")
    port = free_port()
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    web = compose["services"]["web"]
    command = [word.replace("0.0.0.0:8000", f"127.0.0.1:{port}") for word in web["command"]]
    assert f"--bind=127.0.0.1:{port}" in command
    environment = {n: web["environment"][n] for n in ("BEHIND_PROXY", "HTTPS", "DEBUG")} | {
        "DATABASE_URL": database_url(),
        "ALLOWED_HOSTS": f"{HOST},localhost",
    }
    gunicorn = processes.start(
        [sys.executable, "-m", *command, "--workers=1"],
        environment=environment, log=folder / "web.log",
    )  # fmt: skip
    children = [gunicorn]
    try:
        until(lambda: answers(port) or gunicorn.process.poll() is not None)
        made, child = start_proxy(folder, port, "1")
        children.append(child)
        yield made
    finally:
        processes.stop(children, patience=5)


def test_configuration_is_accepted_without_a_warning(proxy):
    said = subprocess.run(
        [nginx_program(), "-t", "-c", proxy.folder / "nginx.conf"],
        capture_output=True, text=True, check=True,
    ).stderr  # fmt: skip
    assert "syntax is ok" in said
    assert "[warn]" not in said


def test_http_is_sent_to_https_with_its_path(proxy):
    status, headers, _ = proxy.ask("GET", "/accounts/sign-in/?next=/", tls=False)
    assert status == 301
    assert headers["Location"] == f"https://{HOST}/accounts/sign-in/?next=/"


def test_health_and_pages_over_tls(proxy):
    assert proxy.ask("GET", "/healthz")[::2] == (200, "ok\n")
    status, headers, page = proxy.ask("GET", "/accounts/sign-in/")
    assert status == 200
    assert "登录" in page
    assert headers.get_all("Strict-Transport-Security") == [
        "max-age=31536000; includeSubDomains; preload"
    ]
    assert headers["Server"] == "nginx"
    assert "__Host-csrf" in headers["Set-Cookie"]


def test_probes_of_the_containers_get_their_answer(proxy):
    """They ask for localhost, by the plain port of web and by the proxy."""
    assert proxy.ask_web("GET", "/healthz", headers={"Host": "localhost:8000"})[0] == 200
    assert proxy.ask("GET", "/healthz", headers={"Host": "localhost:8443"})[0] == 200
    assert proxy.ask("GET", "/healthz", headers={"Host": "elsewhere.example"})[0] == 400


def sign_in_wrongly(ask, **headers) -> str:
    """The address that the audit trail keeps of a failed sign-in that claims to be another's."""
    secure = {"X-Forwarded-Proto": "https"} if ask.__name__ == "ask_web" else {}
    _, answered, page = ask("GET", "/accounts/sign-in/", headers=secure)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
    body = f"csrfmiddlewaretoken={token}&username=nobody&password=wrong".encode()
    given = secure | headers | {
        "Cookie": answered["Set-Cookie"].partition(";")[0],
        "Content-Type": "application/x-www-form-urlencoded",
        "Referer": f"https://{HOST}/accounts/sign-in/",
    }  # fmt: skip
    assert ask("POST", "/accounts/sign-in/", body=body, headers=given)[0] == 200
    return AuditEvent.objects.order_by("-pk").values_list("address", flat=True)[0]


def test_nobody_can_pass_for_another_address(proxy):
    claims = {"X-Forwarded-For": "6.6.6.6", "Forwarded": "for=6.6.6.6", "X-Real-Ip": "6.6.6.6"}
    assert sign_in_wrongly(proxy.ask, **claims) == "127.0.0.1"
    # Without the proxy the claim holds: it is nginx that stands against it.
    assert sign_in_wrongly(proxy.ask_web, **claims) == "6.6.6.6"


def test_scheme_and_host_that_a_client_claims_are_ignored(proxy):
    claims = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    status, headers, _ = proxy.ask("GET", "/", headers=claims)
    assert status == 302
    assert headers["Location"].startswith("/accounts/sign-in/")


def test_upload_over_the_limit_gets_a_page_that_says_so(proxy):
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    status, _, page = proxy.ask("POST", "/imports/", body=b"x" * (MEGABYTE + 900_000), headers=form)
    assert status != 413
    # nginx answers before the body has come; only the head is sent here.
    head = form | {"Content-Length": str(2 * MEGABYTE + 1)}
    status, headers, page = proxy.ask("POST", "/imports/", headers=head)
    assert status == 413
    assert "上传的文件超过上限" in page
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert proxy.ask("GET", "/413.html")[0] == 404


def test_what_somebody_searched_for_is_in_no_log(proxy):
    proxy.ask("GET", "/accounts/sign-in/?next=/canary-7461/")
    log = proxy.folder / "access.log"
    until(lambda: "GET /accounts/sign-in/" in log.read_text(encoding="utf-8"))
    for path in (log, proxy.folder / "web.log", proxy.folder / "nginx.log"):
        assert "canary-7461" not in path.read_text(encoding="utf-8")


def test_a_web_server_that_is_away_gets_a_page_that_says_so(tmp_path):
    made, child = start_proxy(tmp_path, free_port(), "50")
    try:
        status, _, page = made.ask("GET", "/")
        assert status == 502
        assert "系统正在启动或维护" in page
        limits = (tmp_path / "limits.conf").read_text(encoding="utf-8")
        assert limits == "client_max_body_size 51m;\n"
    finally:
        processes.stop([child], patience=5)
