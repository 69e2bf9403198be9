"""`python -m simulator`: the simulator alone, for trying things out and for benches."""

import argparse
import sys
from pathlib import Path

from simulator import Options, Running, run
from simulator.local import address, netloc


def main() -> None:
    try:
        run(options(sys.argv[1:]), ready)
    except (ValueError, OSError) as error:
        sys.exit(f"simulator: {error}")


def options(arguments: list[str]) -> Options:
    given = vars(parser().parse_args(arguments))
    given["auth_token"], given["numbers"] = tuple(given["auth_token"]), tuple(given["numbers"])
    return Options(**given)


def parser() -> argparse.ArgumentParser:
    read = argparse.ArgumentParser(
        prog="python -m simulator", argument_default=argparse.SUPPRESS, description=sys.modules["simulator"].__doc__
    )
    add = read.add_argument
    add("--listen", type=address, metavar="HOST:PORT", help="Twilio's REST API and the pages (127.0.0.1:8001)")
    add("--smtp-listen", type=address, metavar="HOST:PORT", help="the mail sink (127.0.0.1:8025)")
    add("--account-sid", default="AC" + "0" * 32, metavar="AC…")
    add("--auth-token", nargs="+", default=["simulated"], metavar="TOKEN", help="the first one signs")
    add("--webhook-url", default="http://127.0.0.1:8000/sms/inbound", metavar="URL", help="exactly as it is signed")
    add("--fallback-url", metavar="URL", help="called when the web hook fails twice")
    add("--connect", metavar="URL", help="http://host:port where web hooks really go")
    add("--mail-target", type=address, metavar="HOST:PORT", help="Critter's SMTP listener (127.0.0.1:2525)")
    add("--mail-domain", metavar="DOMAIN")
    add("--numbers", nargs="+", default=["+15005550006"], metavar="NUMBER", help="our own numbers")
    add("--messaging-service-sid", metavar="MG…")
    add("--company", metavar="NAME", help="who the carrier's own answers speak for")
    add("--ledger", type=Path, metavar="FILE", help="keep the ledger here")
    add("--fsync", action="store_true", help="and on the disk, in batches")
    add("--no-callbacks", dest="callbacks", action="store_false", help="call no status callbacks")
    add("--sent-after", type=float, metavar="SECONDS")
    add("--delivered-after", type=float, metavar="SECONDS")
    add("--seed", type=int, metavar="N", help="of the dice that faults throw")
    return read


def ready(running: Running) -> None:
    sys.stdout.write(f"simulator: {running.url} and smtp://{netloc(running.smtp_listen)}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
