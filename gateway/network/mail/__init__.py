"""Mail's own side of the network: secret addresses, confirmations, bounce scores, the daily mail, unsubscribing."""
