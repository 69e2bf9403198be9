"""What stands under deploy/, checked by the programs that will read it, and one web hook through a real nginx."""

import os
import subprocess
from http.client import HTTPSConnection
from pathlib import Path
from urllib.request import Request, urlopen

from bench.company import company
from bench.latency import Phones
from bench.mail_in import listens
from tests.peers.conftest import need
from tests.support.ports import free_port
from tests.support.running_critter import ROOT

DEPLOY = ROOT / "deploy"


def test_the_units_are_sound(tmp_path: Path) -> None:
    """As they stand, but for the two paths that only the real machine has."""
    analyze = need("systemd-analyze", "systemd")
    for unit in ("critter.target", "critter@.service"):
        written = (DEPLOY / "systemd" / unit).read_text()
        written = written.replace("/opt/critter", str(ROOT)).replace("User=critter", "User=daemon")
        (tmp_path / unit).write_text(written)
    units = [tmp_path / "critter.target", tmp_path / "critter@web.service"]
    (tmp_path / "critter@web.service").symlink_to("critter@.service")
    found = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    about = [line for line in found.stderr.splitlines() if "critter" in line]
    assert (found.returncode, about) == (0, [])


def test_the_unit_leaves_little_exposed(tmp_path: Path) -> None:
    """Of ten; what is left is that it reaches the network and has a user of its own name."""
    analyze = need("systemd-analyze", "systemd")
    unit = tmp_path / "critter@.service"
    unit.write_text((DEPLOY / "systemd" / "critter@.service").read_text())
    asked = [analyze, "security", "--offline=true", "--threshold=15", "--no-pager", unit]
    found = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_every_process_of_the_procfile_can_be_started(tmp_path: Path) -> None:
    script = (DEPLOY / "systemd" / "run").read_text().replace("exec /opt/critter/.venv/bin/critter", "echo critter")
    runner = tmp_path / "run"
    runner.write_text(script)
    processes = [line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines()]
    assert processes
    for name, command in processes:
        for instance in (name, f"{name}-2"):
            said = subprocess.run(["sh", runner, instance], capture_output=True, text=True, check=True).stdout
            assert said.strip() == command
    assert subprocess.run(["sh", runner, "mali"], capture_output=True, check=False).returncode == 64


def test_a_web_hook_comes_through_nginx(tmp_path: Path) -> None:
    """The example's own lines with ports and a certificate of this machine: the signature is over the public URL."""
    nginx, port = need("nginx", "nginx-light"), free_port()
    numbers = "+15005550006,+4915550100@kannel"
    settings = {
        "KANNEL_URL": "http://127.0.0.1:9/",
        "KANNEL_USERNAME": "c",
        "KANNEL_PASSWORD": "p",
        "KANNEL_TOKEN": "t",
    }
    settings |= {"CRITTER_SMS_NUMBERS": numbers, "CRITTER_PROXY_FROM": "127.0.0.1/32"}
    with company("web", CRITTER_PUBLIC_URL=f"https://localhost:{port}", **settings) as place:
        certify(tmp_path)
        configuration = configure(tmp_path, port, place.settings.web_listen[1])
        checked = subprocess.run([nginx, "-t", "-c", configuration], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr
        with subprocess.Popen([nginx, "-c", configuration, "-g", "daemon off;"]) as server:
            try:
                place.wait(lambda: listens(port) and listens(place.settings.web_listen[1]))
                _, form, signature = Phones(place).written()
                hook = f"https://localhost:{port}/sms/inbound"
                kind = "application/x-www-form-urlencoded"
                said = Request(hook, form, {"X-Twilio-Signature": signature, "Content-Type": kind})
                with urlopen(said, timeout=20, context=trusting(tmp_path)) as answer:
                    assert answer.status == 200
                for path in KANNEL:
                    assert refused(port, path, tmp_path) == 403, path
            finally:
                server.terminate()
        assert place.scalar("SELECT count(*) FROM inbound") == 1


# As a stranger writes them who has the token: 127.0.0.2 stands for any address that the example does not let through.
KANNEL = [
    f"{path}?token=t&from=%2B4915550101&to=%2B4915550100&text=hi&id=fe99e78a-8f9a-42e0-8757-419863c81f12"
    for path in ("/sms/kannel/inbound", "//sms//kannel/inbound", "/sms/x/../kannel/inbound", "/sms%2Fkannel/inbound",
                 "/sms/kannel%2Finbound")
]  # fmt: skip


def refused(port: int, path: str, folder: Path) -> int:
    connection = HTTPSConnection("localhost", port, context=trusting(folder), source_address=("127.0.0.2", 0))
    connection.putrequest("GET", path)
    connection.putheader("X-Forwarded-For", "127.0.0.1")
    connection.endheaders()
    return connection.getresponse().status


def certify(folder: Path) -> None:
    subprocess.run(
        [need("openssl", "openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def trusting(folder: Path):
    import ssl

    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


def configure(folder: Path, port: int, web: int) -> Path:
    changes = {
        "/etc/ssl/certs/critter.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/critter.key": f"{folder}/key.pem",
        "/etc/nginx/critter_proxy.conf": f"{DEPLOY}/nginx/critter_proxy.conf",
        "127.0.0.1:8000": f"127.0.0.1:{web}",
        "listen [::]:443 ssl http2;": "",
        "listen [::]:80;": "",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "server_name critter.example.com;": "server_name localhost;",
    }
    site = (DEPLOY / "nginx" / "critter.conf").read_text()
    for before, after in changes.items():
        assert before in site, before
        site = site.replace(before, after)
    (folder / "site.conf").write_text(site)
    main = folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    main.write_text(
        f"{user} pid {folder}/pid; error_log {folder}/error.log;\nevents {{}}\nhttp {{ include {folder}/site.conf; }}\n"
    )
    return main
