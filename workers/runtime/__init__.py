"""What every worker uses: its context, its event loop, the drain loop, the handling of transient errors."""
