"""The words that are commands: no handle may be one of them."""

import handlers
from gateway.inbound.commands import TABLE
from gateway.language.usage import verbs


def reserved_words() -> frozenset[str]:
    """Every verb and alias: a handle that is one could not be told from a command."""
    assert handlers.MODULES  # importing them filled the table
    return frozenset(verbs.table(TABLE.verbs))
