# As one runs it oneself, on Google's machines: Postgres and Redis in a private network, a key of the Gemini API, tokens by a shared secret,
# NATS in a network that is peered with this one (the output network).
project = "my-agent-postgres"
region  = "us-east1"
domains = ["agent.internal.example.org"]

authentication = {
  shared_secret = true
  audience      = "the0-agent"
}

platform = {
  api_url = "https://api.the0.example.org"
}

model = {
  provider = "api_key"
}

database = "postgres"

postgres = {
  tier            = "db-custom-2-7680"
  high_available  = true
  max_connections = 420
}

redis = {
  memory_gb = 1
}

nats = {
  enabled          = true
  private          = true
  credentials_file = true
}

websocket_image = "us-east1-docker.pkg.dev/my-agent-postgres/images/the0-agent:1.0.0"
migration_image = "us-east1-docker.pkg.dev/my-agent-postgres/images/the0-agent:1.0.0"

# Ten connections an instance: (2 x 10 + 6 + 4 + 8) x 10 + 20 are within max_connections.
functions = {
  chat      = { max_instances = 10 }
  tools     = { max_instances = 6 }
  artifacts = { max_instances = 4 }
  events    = { max_instances = 8 }
}

alerts = {
  emails = ["operators@example.org"]
}
