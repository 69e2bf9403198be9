"""Conditions that all lists of updates share, as SQL for statements that are written out. What a single post's reader
may read is decided by network/audience/visibility.

The arguments are SQL: of a post's id, of the ids of accounts."""

from typing import Final

_WAITS: Final = """EXISTS (
    SELECT FROM fanouts waits WHERE waits.post_id = {post} AND waits.state = 'waiting' AND waits.reached = 0
      AND waits.attempt = 0 AND waits.not_before > now())"""
_BLOCKED: Final = """EXISTS (
    SELECT FROM silences_in_force b WHERE b.kind = 'block'
      AND ((b.account_id = {one} AND b.other_id = {other}) OR (b.account_id = {other} AND b.other_id = {one})))"""
_SILENCED: Final = """EXISTS (
    SELECT FROM silences_in_force s WHERE s.account_id = {reader} AND s.other_id = {author})"""


def waits(post: str) -> str:
    """It was written on a page and has not left: until then nobody but its writer sees it, on a page either."""
    return _WAITS.format(post=post)


def blocked(one: str, other: str) -> str:
    """One of the two has blocked the other."""
    return _BLOCKED.format(one=one, other=other)


def silenced(reader: str, author: str) -> str:
    """The reader has muted or blocked the author."""
    return _SILENCED.format(reader=reader, author=author)
