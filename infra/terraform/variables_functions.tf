variable "functions" {
  description = <<-EOT
    Size of each function. Defaults follow docs/performance.md: a turn costs 17 to 28 ms of one core and lasts as long as its
    model, so 200 turns of ten seconds use about half of a core; an open stream costs 65 KiB, a process 200 MiB. Tools run
    bots and backtests, which use whole cores. Retention runs up to 25 minutes in the artifacts function.
  EOT
  type = object({
    chat = optional(object({
      cpu             = optional(string, "1")
      memory          = optional(string, "1Gi")
      concurrency     = optional(number, 200)
      timeout_seconds = optional(number, 900)
      min_instances   = optional(number, 0)
      max_instances   = optional(number, 20)
    }), {})
    tools = optional(object({
      cpu             = optional(string, "2")
      memory          = optional(string, "2Gi")
      concurrency     = optional(number, 16)
      timeout_seconds = optional(number, 360)
      min_instances   = optional(number, 0)
      max_instances   = optional(number, 10)
    }), {})
    artifacts = optional(object({
      cpu             = optional(string, "1")
      memory          = optional(string, "1Gi")
      concurrency     = optional(number, 40)
      timeout_seconds = optional(number, 1800)
      min_instances   = optional(number, 0)
      max_instances   = optional(number, 10)
    }), {})
    events = optional(object({
      cpu             = optional(string, "1")
      memory          = optional(string, "1Gi")
      concurrency     = optional(number, 80)
      timeout_seconds = optional(number, 900)
      min_instances   = optional(number, 0)
      max_instances   = optional(number, 10)
    }), {})
    nats_bridge = optional(object({
      cpu             = optional(string, "1")
      memory          = optional(string, "512Mi")
      concurrency     = optional(number, 80)
      timeout_seconds = optional(number, 360)
      min_instances   = optional(number, 0)
      max_instances   = optional(number, 2)
    }), {})
  })
  default = {}

  validation {
    condition     = alltrue([for size in values(var.functions) : contains(["1", "2", "4", "8"], size.cpu)])
    error_message = "functions: cpu takes 1, 2, 4 or 8; less than one takes no concurrent requests."
  }

  validation {
    condition     = alltrue([for size in values(var.functions) : can(regex("^[0-9]+(Mi|Gi)$", size.memory))])
    error_message = "functions: memory takes a number with Mi or Gi."
  }

  validation {
    condition     = alltrue([for size in values(var.functions) : size.concurrency >= 1 && size.concurrency <= 1000])
    error_message = "functions: concurrency takes 1 to 1000."
  }

  validation {
    condition     = alltrue([for size in values(var.functions) : size.timeout_seconds >= 60 && size.timeout_seconds <= 3600])
    error_message = "functions: timeout_seconds takes 60 to 3600."
  }

  validation {
    condition     = alltrue([for size in values(var.functions) : size.min_instances >= 0 && size.max_instances >= 1 && size.min_instances <= size.max_instances])
    error_message = "functions: min_instances takes 0 to max_instances."
  }
}

variable "turn_timeout_seconds" {
  description = "TURN_TIMEOUT: seconds that a turn may take in all. Pub/Sub waits 600 s for a turn that it has taken up, so it ends before."
  type        = number
  default     = 540

  validation {
    condition     = var.turn_timeout_seconds >= 60 && var.turn_timeout_seconds <= 570
    error_message = "turn_timeout_seconds: takes 60 to 570."
  }

  validation {
    condition     = min(var.functions.chat.timeout_seconds, var.functions.events.timeout_seconds) >= var.turn_timeout_seconds + 30
    error_message = "turn_timeout_seconds: chat and events need a timeout_seconds that is at least 30 s longer."
  }
}

variable "run_tools_apart" {
  description = "Whether turns call the tools function, with its own identity, in place of running tools in chat and events. Needs the network."
  type        = bool
  default     = false
}

variable "tools_url" {
  description = "A tools function elsewhere that turns call in place of ours, as on a machine with a sandbox (docs/sandbox.md); empty: none. It lets in chat's and events' service accounts."
  type        = string
  default     = ""

  validation {
    condition     = var.tools_url == "" || can(regex("^https://[^\\s/?#@]+(/[^\\s?#]*)?$", var.tools_url))
    error_message = "tools_url: takes https://HOST or https://HOST/PATH."
  }

  validation {
    condition     = var.tools_url == "" || !var.run_tools_apart
    error_message = "tools_url: run_tools_apart is for our own tools function."
  }
}

variable "websocket_image" {
  description = "The container image that serves /ws/ beside the functions, whose framework routes HTTP only; empty: no WebSocket."
  type        = string
  default     = ""
}

variable "migration_image" {
  description = "The container image of the job that migrates Postgres; the same image as websocket_image does. Empty: no job."
  type        = string
  default     = ""

  validation {
    condition     = var.migration_image == "" || var.database == "postgres"
    error_message = "migration_image: only Postgres is migrated."
  }
}
