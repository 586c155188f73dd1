variable "schedules" {
  description = "When Cloud Scheduler calls, in UTC: the outbox and the bridge every minute, as instances stand still between requests; upkeep every ten minutes, retention daily."
  type = object({
    publish   = optional(string, "* * * * *")
    pull      = optional(string, "* * * * *")
    upkeep    = optional(string, "*/10 * * * *")
    retention = optional(string, "15 3 * * *")
  })
  default = {}

  validation {
    condition     = alltrue([for schedule in values(var.schedules) : length(split(" ", schedule)) == 5])
    error_message = "schedules: take five fields, as cron has them."
  }
}

variable "alerts" {
  description = "Who is told (e-mail addresses), where the runbooks are, and from what figures on."
  type = object({
    emails            = optional(list(string), [])
    runbooks          = optional(string, "docs/operations.md")
    error_rate        = optional(number, 0.02)
    turn_overhead_ms  = optional(number, 1000)
    bridge_lag        = optional(number, 1000)
    event_age_seconds = optional(number, 600)
    dead_letters      = optional(number, 20)
  })
  default = {}

  validation {
    condition     = var.alerts.error_rate > 0 && var.alerts.error_rate < 1
    error_message = "alerts: error_rate is a share of the requests, over 0 and under 1."
  }

  validation {
    condition     = alltrue([for email in var.alerts.emails : can(regex("^[^@ ]+@[^@ ]+$", email))])
    error_message = "alerts: emails takes e-mail addresses."
  }
}

variable "budget" {
  description = "What a month may cost, in the currency of the billing account; told at 50, 90 and 100 % and when the forecast passes it. Without a billing_account: no budget."
  type = object({
    billing_account = optional(string, "")
    monthly_amount  = optional(number, 100)
    currency        = optional(string, "USD")
  })
  default = {}

  validation {
    condition     = var.budget.billing_account == "" || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget: billing_account takes XXXXXX-XXXXXX-XXXXXX."
  }

  validation {
    condition     = var.budget.monthly_amount >= 1 && floor(var.budget.monthly_amount) == var.budget.monthly_amount
    error_message = "budget: monthly_amount takes a whole number from 1."
  }
}

variable "tracing" {
  description = "Where traces go by OTLP over HTTP (empty: nowhere), the share of requests that are traced, and whether the collector asks for headers (the secret otel-exporter-otlp-headers)."
  type = object({
    endpoint = optional(string, "")
    share    = optional(number, 0.1)
    headers  = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.tracing.endpoint == "" || can(regex("^https?://[^\\s/?#@]+(/[^\\s?#]*)?$", var.tracing.endpoint))
    error_message = "tracing: endpoint takes the URL of a collector."
  }

  validation {
    condition     = var.tracing.share > 0 && var.tracing.share <= 1 && (var.tracing.endpoint != "" || !var.tracing.headers)
    error_message = "tracing: share is over 0 and at most 1; headers need an endpoint."
  }
}
