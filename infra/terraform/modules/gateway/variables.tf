variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the services are."
  type        = string
}

variable "name" {
  description = "What the names begin with."
  type        = string
}

variable "labels" {
  description = "Labels of what takes some."
  type        = map(string)
}

variable "domains" {
  description = "The names that are served."
  type        = list(string)
}

variable "services" {
  description = "Target -> the name of its service."
  type        = map(string)
}

variable "websocket_service" {
  description = "The service of /ws/; empty: none."
  type        = string
}

variable "limits" {
  description = "Requests a minute of one address, seconds of a ban, addresses without a limit, whether metrics are public, whether preconfigured rules only log."
  type = object({
    requests_per_minute = number
    ban_seconds         = number
    trusted_ranges      = list(string)
    public_metrics      = bool
    waf_preview         = bool
  })
}
