"""The bridge: what the platform publishes on NATS becomes CloudEvents, accepted before it is acknowledged."""
