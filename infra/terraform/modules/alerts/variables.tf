variable "project" {
  description = "The project's id."
  type        = string
}

variable "project_number" {
  description = "The project's number, as budgets name it."
  type        = string
}

variable "name" {
  description = "What the services' names begin with."
  type        = string
}

variable "labels" {
  description = "Labels of alert policies."
  type        = map(string)
}

variable "services" {
  description = "Target -> the name of its service."
  type        = map(string)
}

variable "dead_letter_subscriptions" {
  description = "Subscriptions in which a message is a dead letter."
  type        = list(string)
}

variable "push_subscriptions" {
  description = "Subscriptions that push to functions."
  type        = list(string)
}

variable "has_bridge" {
  description = "Whether the bridge from NATS is called."
  type        = bool
}

variable "emails" {
  description = "Who is told."
  type        = list(string)
}

variable "runbooks" {
  description = "The address, or the path in the repository, of the page with the runbooks."
  type        = string
}

variable "thresholds" {
  description = "From what figures on somebody is told."
  type = object({
    error_rate        = number
    turn_overhead_ms  = number
    bridge_lag        = number
    event_age_seconds = number
    dead_letters      = number
  })
}

variable "budget" {
  description = "Billing account (empty: no budget), whole units a month, currency."
  type = object({
    billing_account = string
    monthly_amount  = number
    currency        = string
  })
}
