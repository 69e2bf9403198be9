"""A carrier is wired in its descriptor alone: nobody else asks for one by its name."""

import ast
import re
from pathlib import Path
from typing import Final

from gateway.carriers.descriptors.registry import CARRIERS
from tests.project.test_channels import sources

# The descriptors, and what belongs to one carrier.
FOLDERS: Final = ("gateway/carriers/", "gateway/doors/sms/", "simulator/", "migrations/versions/")
FILES: Final = {
    "gateway/ledger/outbox/callbacks.py": "the default of the column, as the version before fills it",
    "gateway/ledger/outbox/in_doubt.py": "texts that left before numbers had a carrier",
    "gateway/store/tables.py": "the default of the column",
    "workers/sending/number_pool.py": "Twilio's Messaging Service, which has numbers of its own",
    "handlers/opt_out.py": "who answers STOP",
}
SQL_NAME: Final = re.compile(rf"'(?:{'|'.join(CARRIERS)})'")
# Words that are carriers' names, and other things too.
OTHERS: Final = {"hook", "smtp"}


def named(path: Path) -> bool:
    text = path.read_text()
    if path.suffix == ".sql":
        return bool(SQL_NAME.search(text))
    strings = [node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Constant)]
    words = [each for each in strings if isinstance(each, str)]
    return any((each in CARRIERS and each not in OTHERS) or SQL_NAME.search(each) for each in words)


def test_carriers_are_named_by_their_descriptors_alone() -> None:
    found = {name for name, path in sources() if named(path) and not name.startswith(FOLDERS)}
    assert found <= set(FILES), "say it in the carrier's descriptor: gateway/carriers/descriptors/descriptor.py"
