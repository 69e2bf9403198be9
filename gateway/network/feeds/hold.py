"""What is written on a page waits some seconds, so that it can be taken back: until then nobody else sees it, on a page
either."""

from typing import Final

_WAITS: Final = """EXISTS (
    SELECT FROM fanouts waits WHERE waits.post_id = {post} AND waits.state = 'waiting' AND waits.reached = 0
      AND waits.attempt = 0 AND waits.not_before > now())"""


def waits(post: str) -> str:
    """As a condition: this post has not left yet. `post`: SQL of its id."""
    return _WAITS.format(post=post)
