# Which function uses which secret, read from the code; no other gets it. Values are put by the operator (README.md), but those that
# this configuration makes itself.
locals {
  secret_folder = "/etc/the0-agent"

  secret_users = {
    # Encrypts what is kept, and signs approvals and verifications, which another instance has to believe.
    "encryption-keys" = local.store_users
    "gemini-api-key"  = var.model.provider == "api_key" ? local.model_users : []
    # With AUTH_MODE=jwt a function starts only with it or with JWT_JWKS_URL.
    "jwt-secret"        = var.authentication.shared_secret ? keys(local.sources) : []
    "jwt-second-secret" = var.authentication.second_secret ? keys(local.sources) : []
    # Deployments: by the tool deploy_bot, and of services that call POST /artifacts/deploy for a user.
    "the0-api-key"               = var.platform.api_key ? distinct(concat(local.tool_runners, ["artifacts"])) : []
    "tavily-api-key"             = var.tavily ? local.tool_runners : []
    "nats-url"                   = var.nats.enabled ? ["nats_bridge"] : []
    "nats-ca"                    = var.nats.ca_file ? ["nats_bridge"] : []
    "nats-credentials"           = var.nats.credentials_file ? ["nats_bridge"] : []
    "database-url"               = var.database == "postgres" ? concat(local.store_users, var.migration_image == "" ? [] : ["migrate"]) : []
    "otel-exporter-otlp-headers" = var.tracing.headers ? keys(local.sources) : []
    "redis-url"                  = var.redis.memory_gb > 0 ? local.store_users : []
  }

  # Files, by the names of their variables in environment.tf; all others are variables.
  mounted_secrets = ["nats-ca", "nats-credentials"]
  made_secrets    = compact([var.database == "postgres" ? "database-url" : "", var.redis.memory_gb > 0 ? "redis-url" : ""])

  secrets = { for name, users in local.secret_users : name => users if length(users) > 0 }

  secret_readers = merge(
    module.identity.members,
    var.migration_image == "" ? {} : { migrate = "serviceAccount:${module.identity.callers["migrate"]}" },
  )

  # Variable -> the secret's id, by function.
  secret_environment = {
    for target in keys(local.sources) : target => {
      for name, users in local.secrets : upper(replace(name, "-", "_")) => module.secrets.ids[name]
      if contains(users, target) && !contains(local.mounted_secrets, name)
    }
  }
  # Folder -> the secret's id, by function.
  secret_files = {
    for target in keys(local.sources) : target => {
      for name, users in local.secrets : "${local.secret_folder}/${name}" => module.secrets.ids[name]
      if contains(users, target) && contains(local.mounted_secrets, name)
    }
  }
}
