"""What every transaction of the ledger shares: group commit, admission, counters, backoff."""
