"""Where the code of bots runs: apart from this process, this host and the network."""
