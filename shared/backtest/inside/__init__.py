"""What goes into the sandbox with a bot: drivers for its runtime and the ledger, on the standard library alone."""
