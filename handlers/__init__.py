"""What people can say: one module per family of commands, listed here. Importing this fills gateway.commands.TABLE."""

from handlers import (
    carrier_words,
    direct,
    following,
    groups,
    helping,
    later,
    looking,
    questions,
    reacting,
    replying,
    undoing,
    updates,
)

MODULES = (
    updates,
    direct,
    replying,
    following,
    looking,
    groups,
    reacting,
    undoing,
    questions,
    helping,
    carrier_words,
    later,
)
