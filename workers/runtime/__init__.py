"""What every worker stands on: its context, its event loop, the drain loop, trouble that passes."""
