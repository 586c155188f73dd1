variable "authentication" {
  description = <<-EOT
    How users prove themselves. jwks_url: keys of tokens signed by RS256 or ES256 (JWT_JWKS_URL). shared_secret: tokens signed by HS256
    with the secret jwt-secret, with which every function that can check tokens can make them too; second_secret: jwt-second-secret is believed beside it, while the first is
    changed. issuer and audience are checked when set.
  EOT
  type = object({
    jwks_url      = optional(string, "")
    shared_secret = optional(bool, false)
    second_secret = optional(bool, false)
    issuer        = optional(string, "")
    audience      = optional(string, "")
  })

  validation {
    condition     = (var.authentication.jwks_url != "") != var.authentication.shared_secret
    error_message = "authentication: takes either jwks_url or shared_secret."
  }

  validation {
    condition     = var.authentication.shared_secret || !var.authentication.second_secret
    error_message = "authentication: second_secret goes with shared_secret."
  }

  validation {
    condition     = var.authentication.jwks_url == "" || startswith(var.authentication.jwks_url, "https://")
    error_message = "authentication: jwks_url takes an https URL."
  }
}

variable "platform" {
  description = "The trading platform: its API, and whether the agent has a key of its own there (the secret the0-api-key) for deployments after a yes in the chat."
  type = object({
    api_url = optional(string, "")
    api_key = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.platform.api_url == "" || can(regex("^https?://[^\\s/?#@]+(/[^\\s?#]*)?$", var.platform.api_url))
    error_message = "platform: api_url takes https://HOST or https://HOST/PATH."
  }

  validation {
    condition     = !var.platform.api_key || var.platform.api_url != ""
    error_message = "platform: a key needs an api_url."
  }
}

variable "service_callers" {
  description = "Service accounts beside our own that may call a function as a service, by function: of the platform's backend, for instance."
  type        = map(list(string))
  default     = {}

  validation {
    condition     = alltrue([for name in keys(var.service_callers) : contains(["chat", "tools", "artifacts", "events", "nats_bridge"], name)])
    error_message = "service_callers: takes chat, tools, artifacts, events, nats_bridge."
  }

  validation {
    condition     = alltrue([for account in flatten(values(var.service_callers)) : can(regex("^[^@: ]+@[a-z0-9.-]+\\.gserviceaccount\\.com$", account))])
    error_message = "service_callers: takes e-mail addresses of service accounts."
  }
}

variable "model" {
  description = "Who answers: vertex (Gemini by Vertex AI, with the functions' identities), api_key (the secret gemini-api-key) or offline (the planner without a model)."
  type = object({
    provider = optional(string, "vertex")
    name     = optional(string, "gemini-2.5-flash")
    location = optional(string, "us-central1")
  })
  default = {}

  validation {
    condition     = contains(["vertex", "api_key", "offline"], var.model.provider)
    error_message = "model: provider takes vertex, api_key or offline."
  }
}

variable "tavily" {
  description = "Whether search_web uses Tavily (the secret tavily-api-key); else Gemini searches where there is a model."
  type        = bool
  default     = false
}

variable "nats" {
  description = <<-EOT
    The platform's NATS, for the bridge (the secret nats-url). private: it is reached through the network. ca_file, credentials_file: the
    secrets nats-ca and nats-credentials are mounted and named by NATS_CA_FILE and NATS_CREDENTIALS_FILE.
  EOT
  type = object({
    enabled          = optional(bool, false)
    private          = optional(bool, false)
    ca_file          = optional(bool, false)
    credentials_file = optional(bool, false)
  })
  default = {}
}
