# For trying out: Firestore, tools in the chat function, nothing that costs while nobody calls but the load balancer.
project = "my-agent-dev"
region  = "us-central1"
domains = ["agent.dev.example.com"]

# Destroy removes everything.
deletion_protection = false

authentication = {
  jwks_url = "https://login.dev.example.com/.well-known/jwks.json"
  issuer   = "https://login.dev.example.com/"
  audience = "the0-agent"
}

firestore = {
  backup_days = 0
}

artifacts = {
  soft_delete_days = 0
}

functions = {
  chat      = { max_instances = 3 }
  tools     = { max_instances = 2 }
  artifacts = { max_instances = 2 }
  events    = { max_instances = 2 }
}

settings = {
  TURNS_PER_MINUTE  = "20"
  DAILY_TOKEN_LIMIT = "1000000"
}

gateway = {
  waf_preview = true
}

alerts = {
  emails = ["dev@example.com"]
}
