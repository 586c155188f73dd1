variable "domains" {
  description = "The names that the gateway serves; each needs an A record of the output gateway_address before its certificate is issued."
  type        = list(string)

  validation {
    condition     = length(var.domains) >= 1 && alltrue([for domain in var.domains : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", domain))])
    error_message = "domains: takes at least one host name, without a scheme."
  }
}

variable "gateway" {
  description = <<-EOT
    requests_per_minute: of one address, then 429; three times as many ban it for ban_seconds. trusted_ranges: addresses without this limit (CIDR,
    at most ten), as of a backend that calls for many users. public_metrics: whether /metrics is served to everybody. waf_preview: whether the
    preconfigured rules only log.
  EOT
  type = object({
    requests_per_minute = optional(number, 600)
    ban_seconds         = optional(number, 300)
    trusted_ranges      = optional(list(string), [])
    public_metrics      = optional(bool, false)
    waf_preview         = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.gateway.requests_per_minute >= 10 && var.gateway.requests_per_minute <= 10000 && contains([60, 120, 180, 240, 300, 600, 900, 1200, 1800, 2700, 3600], var.gateway.ban_seconds)
    error_message = "gateway: takes requests_per_minute from 10 to 10000, and ban_seconds as Cloud Armor has it, 60 to 3600."
  }

  validation {
    condition     = length(var.gateway.trusted_ranges) <= 10 && alltrue([for range in var.gateway.trusted_ranges : can(regex("^[0-9a-f.:]+/[1-9][0-9]*$", range))])
    error_message = "gateway: trusted_ranges takes at most ten CIDR ranges, none of which is everybody."
  }
}
