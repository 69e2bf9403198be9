"""What brings an item to its reader. The numbers stand in the database; a lower one is closer to its reader."""

from enum import IntEnum


class DeliveryCause(IntEnum):
    OURS = 0  # Critter's own words
    PRIVATE = 1
    MENTION = 2
    REPLY = 3
    TRACKED = 4
    GROUP = 5
    PERSON = 6
    TAG = 7
    BROADCAST = 8

    @property
    def addressed(self) -> bool:
        """Somebody wrote to this reader, whom it reaches at once where they can be reached."""
        return DeliveryCause.PRIVATE <= self <= DeliveryCause.REPLY
