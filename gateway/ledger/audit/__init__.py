"""The chained log of what operators did, and the invariants that `critter audit` checks."""
