"""A local stand-in for Twilio and for the mail relay: `critter up` starts it, tests and benches drive it.

It imports nothing of Critter and speaks to it only over HTTP and SMTP, as the real carriers do.
"""

from simulator.app import Running, run, serve
from simulator.options import Options

__all__ = ["Options", "Running", "run", "serve"]
