"""The upload for Cloud Functions: `make bundle` writes dist/the0-agent.zip."""
