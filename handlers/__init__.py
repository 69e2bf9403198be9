"""What people can say: one module per family of commands, listed here. Importing this fills gateway.commands.TABLE."""

from handlers import (
    carrier_words,
    confirming,
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
    confirming,
    helping,
    carrier_words,
    later,
)
