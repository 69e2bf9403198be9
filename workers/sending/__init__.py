"""Takes claimed rows to a carrier and back: pacing, reservations, rendering, settling."""
