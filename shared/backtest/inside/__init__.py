"""What goes into the sandbox with a bot: drivers and the ledger, on the standard library alone."""
