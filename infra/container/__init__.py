"""What the container image starts: a function, all of them, or a command, by one entry."""
