"""What the agent's code asks of where it runs, read from the code itself."""
