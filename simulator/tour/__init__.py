"""The tour: a page with phones and mailboxes on which a newcomer sees the product work. critter/ puts it at "/".

It imports nothing of the product: what only the product can tell or do is handed in as a Stage.
"""

from simulator.tour.pages import blueprint
from simulator.tour.stage import Person, Stage, Trouble

__all__ = ["Person", "Stage", "Trouble", "blueprint"]
