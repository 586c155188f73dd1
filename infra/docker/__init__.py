"""The proof of the Dockerfile where no Docker engine runs: `python -m infra.docker.prove`."""
