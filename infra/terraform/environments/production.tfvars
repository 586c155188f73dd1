# On Google Cloud throughout: Firestore, Vertex AI, tools apart under their own identity, live streams across instances by Redis, the platform's
# NATS over TLS.
project = "my-agent-production"
region  = "europe-west1"
domains = ["agent.example.com"]

authentication = {
  jwks_url = "https://login.example.com/.well-known/jwks.json"
  issuer   = "https://login.example.com/"
  audience = "the0-agent"
}

platform = {
  api_url = "https://api.the0.example.com"
  api_key = true
}

# The platform's backend calls for its users, and may read and replay dead letters.
service_callers = {
  artifacts = ["backend@my-platform.iam.gserviceaccount.com"]
  events    = ["backend@my-platform.iam.gserviceaccount.com"]
}

model = {
  provider = "vertex"
  name     = "gemini-2.5-flash"
  location = "europe-west1"
}

tavily = true

nats = {
  enabled = true
  ca_file = true
}

firestore = {
  location    = "eur3"
  backup_days = 14
}

redis = {
  memory_gb      = 1
  high_available = true
}

run_tools_apart = true
websocket_image = "europe-west1-docker.pkg.dev/my-agent-production/images/the0-agent:1.0.0"

# A first turn of the day does not wait for a start.
functions = {
  chat  = { min_instances = 1, max_instances = 50 }
  tools = { min_instances = 1, max_instances = 20 }
}

settings = {
  TURNS_PER_MINUTE  = "30"
  MAX_OPEN_STREAMS  = "10"
  DAILY_COST_LIMIT  = "2.00"
  WEBSOCKET_ORIGINS = "https://app.example.com"
}

alerts = {
  emails   = ["on-call@example.com"]
  runbooks = "https://wiki.example.com/the0-agent/operations"
}

budget = {
  billing_account = "012345-6789AB-CDEF01"
  monthly_amount  = 1500
  currency        = "EUR"
}
