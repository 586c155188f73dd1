variable "database" {
  description = "Where sessions and turns are kept: firestore, or postgres (Cloud SQL)."
  type        = string
  default     = "firestore"

  validation {
    condition     = contains(["firestore", "postgres"], var.database)
    error_message = "database: takes firestore or postgres."
  }
}

variable "firestore" {
  description = "The Firestore database: its location (the region when empty), and for how many days a daily backup is kept (0: none)."
  type = object({
    location    = optional(string, "")
    backup_days = optional(number, 7)
  })
  default = {}

  validation {
    condition     = var.firestore.backup_days >= 0 && var.firestore.backup_days <= 98
    error_message = "firestore: backup_days takes 0 to 98."
  }
}

variable "postgres" {
  description = "The Cloud SQL instance. Each instance of chat, tools, artifacts and events keeps up to ten connections."
  type = object({
    version         = optional(string, "POSTGRES_17")
    edition         = optional(string, "ENTERPRISE")
    tier            = optional(string, "db-custom-2-7680")
    high_available  = optional(bool, true)
    disk_gb         = optional(number, 20)
    max_connections = optional(number, 600)
    backups         = optional(number, 14)
    log_days        = optional(number, 7)
  })
  default = {}

  validation {
    condition     = can(regex("^POSTGRES_1[5-9]$", var.postgres.version))
    error_message = "postgres: version takes POSTGRES_15 or later."
  }

  validation {
    condition     = var.postgres.disk_gb >= 10 && var.postgres.backups >= 1 && var.postgres.log_days >= 1 && var.postgres.log_days <= 7
    error_message = "postgres: takes disk_gb from 10, backups from 1, log_days from 1 to 7."
  }

  validation {
    condition     = var.database != "postgres" || 10 * local.store_instances + 20 <= var.postgres.max_connections
    error_message = "postgres: max_connections must hold ten for each instance that functions may have of chat, tools, artifacts and events, and 20 more."
  }
}

variable "redis" {
  description = "Memorystore for live streams across instances, caches and rate limits: its memory in GB (0: none), and whether it has a replica."
  type = object({
    memory_gb      = optional(number, 0)
    high_available = optional(bool, false)
  })
  default = {}

  validation {
    condition     = var.redis.memory_gb >= 0 && var.redis.memory_gb <= 300
    error_message = "redis: memory_gb takes 0 to 300."
  }
}

variable "artifacts" {
  description = "Files: how long old versions are kept, the largest file, how many a session has, and for how many days Cloud Storage can bring back what was removed (0, or 7 to 90)."
  type = object({
    retention_days   = optional(number, 30)
    max_bytes        = optional(number, 26214400)
    max_files        = optional(number, 200)
    soft_delete_days = optional(number, 7)
  })
  default = {}

  validation {
    condition     = var.artifacts.retention_days >= 1 && var.artifacts.max_bytes >= 1 && var.artifacts.max_bytes <= 33554432 && var.artifacts.max_files >= 1
    error_message = "artifacts: takes retention_days and max_files from 1, max_bytes up to 32 MiB, the largest request of Cloud Run."
  }

  validation {
    condition     = var.artifacts.soft_delete_days == 0 || (var.artifacts.soft_delete_days >= 7 && var.artifacts.soft_delete_days <= 90)
    error_message = "artifacts: soft_delete_days takes 0, or 7 to 90."
  }
}

variable "events" {
  description = <<-EOT
    delivery: how platform-events reach the events function, push (with dead letters) or eventarc. eventarc_audience: the audience that
    Eventarc's tokens have, known after the first apply. publishers: members that may publish platform-events beside the bridge.
    subscribers: members that may subscribe to agent-events.
  EOT
  type = object({
    delivery          = optional(string, "push")
    eventarc_audience = optional(string, "")
    publishers        = optional(list(string), [])
    subscribers       = optional(list(string), [])
  })
  default = {}

  validation {
    condition     = contains(["push", "eventarc"], var.events.delivery)
    error_message = "events: delivery takes push or eventarc."
  }

  validation {
    condition     = alltrue([for member in concat(var.events.publishers, var.events.subscribers) : can(regex("^(serviceAccount|group|user):[^:]+@[^:]+$", member))])
    error_message = "events: publishers and subscribers take members such as serviceAccount:NAME@PROJECT.iam.gserviceaccount.com, never allUsers."
  }
}

variable "connector_range" {
  description = "The addresses of the connector to the network, where there is one: a /28 that nobody else there has."
  type        = string
  default     = "10.8.0.0/28"

  validation {
    condition     = can(regex("^[0-9.]+/28$", var.connector_range))
    error_message = "connector_range: takes a /28, such as 10.8.0.0/28."
  }
}
