"""NATS JetStream behind the bridge's ports: streams, consumers, messages and their acknowledgements."""
