"""`python -m bench [NAME…]`, called by `make bench`: runs every measurement and its peer, and writes results.md and
.json.

A measurement is a module with `measure()`, which returns its lines of the table. The first sentence of its docstring
says how it is measured.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import os
import subprocess
import sys
import time
from types import ModuleType
from typing import Final

from bench import mailman, report
from bench.result import Result

MEASUREMENTS: Final = {
    "P1": "bench.mail_in",
    "P3": "bench.webhook_in",
    "P4": "bench.road_out",
    "P7": "bench.sms_out",
    "P10": "bench.growth",
    "P12": "bench.crew",
    "P11": "bench.home_page",
    "P16": "bench.open_streams",
    "P9": "bench.latency",
    "P13": "bench.text_cost",
    "callbacks": "bench.callback_cost",
    "P14": "bench.burst",
    "track": "bench.tracking",
    "who-about": "bench.who_about",
    "decide": "bench.decisions",
    "digest": "bench.digests",
    "P8": "bench.waking",
    "preview": "bench.preview",
    "mail-leg": "bench.mail_out",
}
PEERS: Final = ("postfix", "wrk", "kannel", "kannel-extras")  # Debian's packages
INSTALL: Final = ["apt-get", "install", "-y", "--no-install-recommends", *PEERS]


def main() -> int:
    options = _options()
    if options.install_peers:
        install_peers()
    _hurry()
    chosen = options.names or list(MEASUREMENTS)
    measured: dict[str, list[Result]] = {}
    for name in chosen:
        measured[name] = _measured(name)
        for result in measured[name]:
            print(report.line(result), flush=True)
    if options.names:
        print("Not written: only a whole run goes to bench/results.md.")
    else:
        report.write({inspect.getdoc(_module(name)) or name: results for name, results in measured.items()})
    return 0 if all(measured.values()) else 1


def _hurry() -> None:
    """Raises the priority of all that is measured, peers too, where that is allowed: other processes then disturb
    less."""
    with contextlib.suppress(PermissionError):
        os.nice(-12)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures this checkout against its peers.")
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*MEASUREMENTS, []], help=", ".join(MEASUREMENTS))
    parser.add_argument("--install-peers", action="store_true", help=f"first {' '.join(INSTALL)} (as root)")
    return parser.parse_args()


def _module(name: str) -> ModuleType:
    return importlib.import_module(MEASUREMENTS[name])


def _measured(name: str) -> list[Result]:
    print(f"{name} …", flush=True)
    started = time.monotonic()
    results: list[Result] = _module(name).measure()
    print(f"{name} took {time.monotonic() - started:.0f} s", flush=True)
    return results


def install_peers() -> None:
    """Raises CalledProcessError when Debian's packages, or Mailman from PyPI, cannot be installed."""
    environ = {"DEBIAN_FRONTEND": "noninteractive", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    for command in (["apt-get", "update"], INSTALL):
        subprocess.run(command, check=True, env=environ)
    mailman.install()


if __name__ == "__main__":
    sys.exit(main())
