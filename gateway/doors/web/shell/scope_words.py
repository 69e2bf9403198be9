"""What an app may do, in words for whoever lets it in."""

from collections.abc import Sequence
from typing import Final

from gateway.i18n.phrases import Phrase, say

WORDS: Final[dict[str, Phrase]] = {
    "read": say("Read all that you can read here, private messages too"),
    "write": say("Write, answer and change things as you"),
    "follow": say("Follow, mute and block for you"),
    "push": say("Send you notifications"),
    "profile": say("See who you are"),
    "admin:read": say("See what operators see, where you are one"),
    "admin:write": say("Do what operators do, where you are one"),
    "read:accounts": say("See people and groups"),
    "read:blocks": say("See whom you blocked"),
    "read:bookmarks": say("See what you marked"),
    "read:favourites": say("See what you liked"),
    "read:filters": say("See what you filter"),
    "read:follows": say("See whom you follow"),
    "read:lists": say("See your lists"),
    "read:mutes": say("See whom you muted"),
    "read:notifications": say("See what is to you"),
    "read:search": say("Search for you"),
    "read:statuses": say("Read updates, private messages too"),
    "write:accounts": say("Change your profile"),
    "write:blocks": say("Block for you"),
    "write:bookmarks": say("Mark updates for you"),
    "write:conversations": say("Note which private talks you have read"),
    "write:favourites": say("Like updates as you"),
    "write:filters": say("Change what you filter"),
    "write:follows": say("Follow for you"),
    "write:lists": say("Change your lists"),
    "write:media": say("Upload pictures and files as you"),
    "write:mutes": say("Mute for you"),
    "write:notifications": say("Put away what is to you"),
    "write:reports": say("Report updates and people as you"),
    "write:statuses": say("Write updates and private messages as you"),
}


def describe(scopes: Sequence[str]) -> list[Phrase]:
    """One line for each, and none for what a wider one says already."""
    return [WORDS[each] for each in scopes if ":" not in each or each.partition(":")[0] not in scopes]
