"""What must hold of Dockerfile, docker-compose.yml and the proxy's configuration, as rules over their text.

Each rule returns faults; test_containers.py applies them, and shows samples in which they find some.
"""

import re
from fnmatch import fnmatch
from importlib.util import find_spec

from django.core.management import get_commands

from fpadmin import keys
from tests.guards.source import ROOT

# Started by hand or run once: nothing restarts or probes them.
ONE_SHOT = {"migrate", "restore", "prepare"}
# What compose itself reads from .env.
COMPOSE_ONLY = {"BACKUP_PLACE"}
FIXED = {
    "BEHIND_PROXY": "True", "HTTPS": "True", "DEBUG": "False", "FPADMIN_DEMO": "False", "FPADMIN_TODAY": "",
}  # fmt: skip
SECRET_SETTINGS = {*keys.NAMES, "DATABASE_URL", "BROKER_URL"}


BUILD_TOOLS = re.compile(r"\b(gcc|g\+\+|make|build-essential|git|cargo|[a-z0-9+.-]+-dev)\b")


def text(name: str) -> str:
    """A file of the repository."""
    return (ROOT / name).read_text(encoding="utf-8")


def stages_in(dockerfile: str) -> dict[str, list[tuple[str, str]]]:
    """{stage: [(instruction, rest)]}, the base under FROM; continued lines are joined."""
    found, stage = {}, None
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^\s*#.*\n", "", dockerfile))
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            base, _, stage = rest.partition(" AS ")
            found[stage] = [("FROM", base)]
        else:
            found[stage].append((word, rest))
    return found


def parts(stage, word: str) -> list[str]:
    """What stands behind each instruction `word` of a stage."""
    return [rest for name, rest in stage if name == word]


def is_pinned(image: str) -> bool:
    """A tag with at least two numbers: 15.18, never a name alone."""
    return bool(re.search(r":v?\d+\.\d+[\w.-]*$", image))


def dockerfile_faults(stages: dict) -> list[str]:
    faults = []
    for name, stage in stages.items():
        if not is_pinned(parts(stage, "FROM")[0]):
            faults.append(f"{name}: base is not pinned")
        if name == "build":
            continue
        user = (parts(stage, "USER") or ["0"])[-1]
        if not re.fullmatch(r"[1-9]\d*:[1-9]\d*", user):
            faults.append(f"{name}: runs as root")
        for command in parts(stage, "RUN"):
            if BUILD_TOOLS.search(command):
                faults.append(f"{name}: build tools")
            if "manage.py" in command:
                faults.append(f"{name}: would keep the keys that a command makes")
        if "python" in parts(stage, "FROM")[0]:
            if not any("pip uninstall" in command for command in parts(stage, "RUN")):
                faults.append(f"{name}: build tools")
            if not any(
                "/static" in rest and "--from=build" in rest for rest in parts(stage, "COPY")
            ):
                faults.append(f"{name}: static files are not collected")
    return faults


def copied(stages: dict) -> list[str]:
    """Sources in the repository of every COPY and ADD."""
    lines = [rest for s in stages.values() for w in ("COPY", "ADD") for rest in parts(s, w)]
    return [source for rest in lines if "--from" not in rest for source in rest.split()[:-1]]


def ignored(path: str, dockerignore: str) -> bool:
    """Whether the build context leaves `path` out: the last pattern for it or a folder above decides."""
    pieces = path.split("/")
    folders = ["/".join(pieces[:depth]) for depth in range(1, len(pieces) + 1)]
    out = False
    for line in dockerignore.splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        anywhere = pattern.startswith("**/")
        if any(fnmatch(p, pattern.removeprefix("**/")) for p in (pieces if anywhere else folders)):
            out = pattern == line
    return out


def copy_faults(stages: dict, dockerignore: str) -> list[str]:
    return [
        f"{source}: cannot be copied"
        for source in copied(stages)
        if not (ROOT / source).exists() or ignored(source, dockerignore)
    ]


def version_faults(versions: dict[str, tuple[str, set[str]]], allowed: dict[str, str]) -> list[str]:
    """`versions`: {what: (in the container, {running here})}; an allowance covers one running here."""
    return [
        f"{what}: {container} in the container, {one} in the tests"
        for what, (container, running) in versions.items()
        for one in sorted(running)
        if one != container and not allowed.get(f"{what} {one}")
    ]


def found(pattern: str, where: str) -> str:
    return re.search(pattern, where)[1]


def memory(limit: str) -> int:
    """Megabytes."""
    return int(limit[:-1]) * {"M": 1, "G": 1024}[limit[-1]]


def is_own(service: dict) -> bool:
    return "build" in service


def privilege_faults(compose: dict) -> list[str]:
    faults = []
    for name, service in compose["services"].items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        own_user = is_own(service) and "user" not in service  # the Dockerfile's, checked above
        wanted = {
            "image is not pinned": is_pinned(service.get("image", "")),
            "runs as root": own_user or re.match(r"[1-9]", str(service.get("user", "0"))),
            "may write to its root": service.get("read_only") is True,
            "keeps capabilities": service.get("cap_drop") == ["ALL"] and "cap_add" not in service,
            "may gain privileges": "no-new-privileges:true" in service.get("security_opt", ()),
            "is privileged": not service.get("privileged"),
            "has no limits": {"cpus", "memory", "pids"} <= limits.keys(),
            "publishes ports": name == "proxy" or not service.get("ports"),
            "is in the host's network": service.get("network_mode", "none") == "none",
            "restarts wrongly": service.get("restart")
            == ("no" if name in ONE_SHOT else "unless-stopped"),
            "has no probe": name in ONE_SHOT or "test" in service.get("healthcheck", {}),
            "fills the disk with logs": "max-size" in service.get("logging", {}).get("options", {}),
        }
        faults += [f"{name}: {fault}" for fault, fine in wanted.items() if not fine]
    return faults


def network_faults(compose: dict) -> list[str]:
    """Only the proxy touches a network that leads outside, and it never meets database or broker."""
    open_ones = {n for n, v in compose["networks"].items() if not (v or {}).get("internal")}
    services = {n: set(s.get("networks", ())) for n, s in compose["services"].items()}
    faults = [
        f"{name}: stands in an open network"
        for name, networks in services.items()
        if networks & open_ones and name != "proxy"
    ]
    faults += [
        f"{name}: the proxy can reach it"
        for name, networks in services.items()
        if networks & services["proxy"] and name not in ("proxy", "web")
    ]
    return faults + [
        f"{name}: in compose's own network, which is open"
        for name, service in compose["services"].items()
        if not service.get("networks") and service.get("network_mode") != "none"
    ]


def settings_read(source: str) -> set[str]:
    """Every variable that settings.py reads."""
    return set(re.findall(r'\benv(?:_bool|_int|_list)?\(\s*"([A-Z_]+)"', source)) | set(keys.NAMES)


def variables_in(example: str) -> set[str]:
    return set(re.findall(r"(?m)^#?([A-Z][A-Z_]+)=", example))


def interpolated(source: str) -> set[str]:
    return set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", source))


def example_faults(example: set[str], read: set[str], interpolated: set[str]) -> list[str]:
    return (
        [f"{name}: read, but not in .env.example" for name in read - example]
        + [f"{name}: in .env.example, but nobody reads it" for name in example - read - COMPOSE_ONLY]
        + [f"{name}: compose asks for it, but not in .env.example" for name in interpolated - example]
    )  # fmt: skip


def environment_faults(compose: dict, read: set[str]) -> list[str]:
    """What the product's services are given: known names, secrets as files only, safe values."""
    faults = []
    for name, service in compose["services"].items():
        given = service.get("environment", {})
        for variable, value in given.items():
            setting = variable.removesuffix("_FILE")
            if is_own(service) and setting not in read:
                faults.append(f"{name}.{variable}: settings.py doesn't read it")
            if re.search(r"PASSWORD|SECRET|KEY|_URL|RECIPIENT", setting):
                secret = str(value).removeprefix("/run/secrets/")
                if variable == setting or secret not in service.get("secrets", ()):
                    faults.append(f"{name}.{variable}: not one of the service's secrets")
        if not service.get("env_file"):
            continue
        faults += [f"{name}.{v}: must be {x!r}" for v, x in FIXED.items() if given.get(v) != x]
        faults += [
            f"{name}.{v}: missing" for v in sorted(SECRET_SETTINGS) if f"{v}_FILE" not in given
        ]
        if not given.get("ALLOWED_HOSTS", "").startswith("${ALLOWED_HOSTS:?"):
            faults.append(f"{name}.ALLOWED_HOSTS: must be asked for")
    return faults


def secret_faults(compose: dict, made: set[str]) -> list[str]:
    """Secrets are files of var/secrets that prepare makes, and each has a user."""
    declared = compose["secrets"]
    used = {s for service in compose["services"].values() for s in service.get("secrets", ())}
    return (
        [f"{n}: prepare doesn't make it" for n in declared.keys() - made]
        + [f"{n}: prepare makes it for nobody" for n in made - declared.keys()]
        + [f"{n}: not declared" for n in used - declared.keys()]
        + [f"{n}: used by no service" for n in declared.keys() - used]
        + [f"{n}: not in var/secrets" for n, v in declared.items() if v["file"] != f"var/secrets/{n}"]
    )  # fmt: skip


def words(service: dict) -> list[str]:
    command = service.get("entrypoint") or service.get("command") or []
    return " ".join(map(str, command)).split()


def after(found: list[str], option: str) -> str:
    return found[found.index(option) + 1] if option in found else ""


def command_faults(compose: dict) -> list[str]:
    """Modules, management commands and files that a command names and that don't exist."""
    faults = []
    for name, service in compose["services"].items():
        if not is_own(service) or not (found := words(service)):
            continue
        named = {"celery": after(found, "-A"), "gunicorn": after(found, "gunicorn")}.get(found[0])
        modules = filter(None, [named, after(found, "-m")])
        commands = [b for a, b in zip(found, found[1:], strict=False) if a == "manage.py"]
        faults += [f"{name}: no module {m}" for m in modules if not find_spec(m)]
        faults += [f"{name}: no command {c}" for c in commands if c not in get_commands()]
        if found[0] not in ("celery", "gunicorn", "python", "sh"):
            faults.append(f"{name}: unknown program {found[0]}")
    return faults


def consumed(compose: dict) -> dict[str, str]:
    """{queue: the service that works on it}."""
    workers = {n: words(s) for n, s in compose["services"].items() if "worker" in words(s)}
    return {q: name for name, found in workers.items() for q in after(found, "-Q").split(",")}


def queue_faults(compose: dict, queues: set[str]) -> list[str]:
    faults = [f"{queue}: nobody works on it" for queue in queues - consumed(compose).keys()]
    faults += [f"{queue}: nothing is sent to it" for queue in consumed(compose).keys() - queues]
    for name, service in compose["services"].items():
        found = words(service)
        if "worker" in found:
            node = after(found, "-n").removesuffix("@%h")
            if "," in after(found, "-Q"):
                faults.append(f"{name}: every queue has a worker of its own")
            if f"{node}@$$HOSTNAME" not in service["healthcheck"]["test"][-1]:
                faults.append(f"{name}: its probe asks another worker")
    beats = [name for name, service in compose["services"].items() if "beat" in words(service)]
    return faults + ([] if len(beats) == 1 else [f"{len(beats)} schedules"])


def order_faults(compose: dict) -> list[str]:
    services = compose["services"]
    faults = [
        f"{name}: may start before the migrations"
        for name, service in services.items()
        if service.get("env_file") and name not in ONE_SHOT
        and service["depends_on"].get("migrate") != {"condition": "service_completed_successfully"}
    ]  # fmt: skip
    ready = services["migrate"]["depends_on"].get("database") == {"condition": "service_healthy"}
    return faults + ([] if ready else ["migrate: may start before the database"])


FORWARDED = {
    "X-Forwarded-For": "$remote_addr", "X-Forwarded-Proto": "$scheme", "X-Forwarded-Host": '""',
    "Forwarded": '""',
}  # fmt: skip


def proxy_faults(conf: str) -> list[str]:
    conf = re.sub(r"#.*", "", conf)
    faults = []
    for header, value in FORWARDED.items():
        if re.findall(rf"proxy_set_header {header} (.+);", conf) != [value]:
            faults.append(f"{header} is not ours")
    protocols = re.findall(r"ssl_protocols (.+);", conf)
    if protocols != ["TLSv1.2 TLSv1.3"]:
        faults.append("TLS older than 1.2")
    if re.search(r"real_ip|proxy_add_x_forwarded_for|http_x_forwarded", conf):
        faults.append("trusts what a client says")
    if "Strict-Transport-Security" in conf:
        faults.append("HSTS is Django's")
    if "client_max_body_size" in conf or "include /tmp/limits.conf;" not in conf:
        faults.append("a limit of its own")
    if "server_tokens off;" not in conf:
        faults.append("tells its version")
    if re.search(r"log_format[^;]*\$(request|request_uri|args|query_string)\b", conf):
        faults.append("logs query strings")
    return faults


def limit_faults(compose: dict, script: str) -> list[str]:
    source = text("fpadmin/settings.py")
    most = int(found(r'env_int\("IMPORT_MAX_MB", (\d+)\)', source))
    memory_mb = int(found(r'env_int\("IMPORT_MEMORY_MB", ([\d_]+)\)', source))
    defaults = {int(n) for n in re.findall(r"IMPORT_MAX_MB:-(\d+)", f"{script}\n{compose}")}
    reader = compose["services"]["worker-imports"]["deploy"]["resources"]["limits"]["memory"]
    given = {
        n for n, s in compose["services"].items() if "IMPORT_MAX_MB" in s.get("environment", {})
    }
    return [
        *([] if defaults == {most} else [f"IMPORT_MAX_MB is {most}, the containers say {defaults}"]),
        *([] if memory(reader) >= memory_mb + 500 else ["worker-imports: less than IMPORT_MEMORY_MB"]),
        *([] if {"proxy", "web"} <= given else ["IMPORT_MAX_MB doesn't reach proxy and web alike"]),
    ]  # fmt: skip
