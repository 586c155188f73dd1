# Environment variables by function: contract section 7 and shared/settings.py. Secrets are in secrets.tf.
locals {
  # What may be set by var.settings: all that is neither a secret nor decided here. Cloud Run sets K_SERVICE and PORT.
  free_settings = [
    "APPROVAL_HOURS",
    "BUILD_DATE",
    "DAILY_COST_LIMIT",
    "DAILY_TOKEN_LIMIT",
    "DOCS_API_URL",
    "MAX_CONVERSATION_LENGTH",
    "MAX_OPEN_STREAMS",
    "MAX_OUTPUT_TOKENS",
    "MAX_TOOLS_PER_REQUEST",
    "MODEL_CONTEXT_TOKENS",
    "MODEL_PRICES",
    "MODEL_TIMEOUT",
    "NATS_MAX_DELIVERIES",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_EXPORTER_OTLP_PROTOCOL",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
    "OTEL_SDK_DISABLED",
    "OTEL_SERVICE_NAME",
    "SESSION_TIMEOUT_MINUTES",
    "TURNS_PER_MINUTE",
    "TURN_LEASE_SECONDS",
    "WEBSOCKET_IDLE_SECONDS",
    "WEBSOCKET_ORIGINS",
    "WEB_BROWSE_DOMAINS_ALLOWLIST",
    "WEB_BROWSE_TIMEOUT",
  ]

  common_environment = merge(
    var.settings,
    {
      AUTH_MODE             = "jwt"
      COMMIT_HASH           = var.commit
      DATA_DIR              = "/tmp/the0-agent"
      GOOGLE_CLOUD_PROJECT  = var.project
      LOG_LEVEL             = var.log_level
      PUBSUB_EVENTS_TOPIC   = "agent-events"
      PUBSUB_PLATFORM_TOPIC = "platform-events"
      PUBSUB_PROJECT        = var.project
      PUBSUB_RESUME_TOPIC   = "turn-resume"
      SERVICE_AUTH          = "oidc"
    },
    { for key, value in {
      JWT_AUDIENCE = var.authentication.audience
      JWT_ISSUER   = var.authentication.issuer
      JWT_JWKS_URL = var.authentication.jwks_url
      THE0_API_URL = var.platform.api_url
    } : key => value if value != "" },
  )

  store_environment = merge(
    {
      ARTIFACT_BUCKET         = module.storage.artifact_bucket
      ARTIFACT_RETENTION_DAYS = tostring(var.artifacts.retention_days)
      ARTIFACT_STORE          = "gcs"
      MAX_ARTIFACT_BYTES      = tostring(var.artifacts.max_bytes)
      MAX_SESSION_FILES       = tostring(var.artifacts.max_files)
    },
    var.database == "firestore" ? { DATABASE_URL = module.database.firestore_url } : {},
  )

  model_environment = merge(
    {
      GEMINI_MODEL   = var.model.name
      MODEL_PROVIDER = var.model.provider == "offline" ? "offline" : "gemini"
    },
    var.model.provider == "vertex" ? {
      GOOGLE_CLOUD_LOCATION     = var.model.location
      GOOGLE_GENAI_USE_VERTEXAI = "true"
    } : {},
  )

  turn_environment = merge(
    { TURN_TIMEOUT = tostring(var.turn_timeout_seconds) },
    local.calls_tools ? { TOOLS_URL = var.run_tools_apart ? local.urls["tools"] : var.tools_url } : {},
  )

  nats_environment = merge(
    var.nats.ca_file ? { NATS_CA_FILE = "${local.secret_folder}/nats-ca/value" } : {},
    var.nats.credentials_file ? { NATS_CREDENTIALS_FILE = "${local.secret_folder}/nats-credentials/value" } : {},
  )

  # OpenTelemetry's own names; without a collector nothing is traced. What a trace is sent with is a secret (secrets.tf).
  tracing_environment = var.tracing.endpoint == "" ? {} : {
    OTEL_EXPORTER_OTLP_ENDPOINT = var.tracing.endpoint
    OTEL_TRACES_EXPORTER        = "otlp"
    OTEL_TRACES_SAMPLER         = "parentbased_traceidratio"
    OTEL_TRACES_SAMPLER_ARG     = tostring(var.tracing.share)
  }

  audiences = {
    for target, url in local.urls : target => target == "events" ? compact([url, var.events.eventarc_audience]) : [url]
  }

  environment = {
    for target in keys(local.sources) : target => merge(
      local.common_environment,
      contains(local.store_users, target) ? local.store_environment : {},
      contains(local.model_users, target) || contains(local.turn_runners, target) ? local.model_environment : {},
      contains(local.turn_runners, target) ? local.turn_environment : {},
      target == "nats_bridge" ? local.nats_environment : {},
      local.tracing_environment,
      # Empty where no service calls: then none gets in.
      {
        SERVICE_ACCOUNTS = join(",", values(local.callers[target]))
        SERVICE_AUDIENCE = join(",", local.audiences[target])
      },
    )
  }
}
