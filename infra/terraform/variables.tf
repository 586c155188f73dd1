variable "project" {
  description = "The Google Cloud project that takes everything; one environment a project, as topics have fixed names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project))
    error_message = "project: takes a project id, 6 to 30 lower case letters, digits and hyphens."
  }
}

variable "region" {
  description = "The region of the functions, the bucket and, unless said otherwise, the database."
  type        = string
  default     = "us-central1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region: takes a region such as us-central1 or europe-west1."
  }
}

variable "name" {
  description = "What the names of all resources begin with; at most 18 characters, as service accounts' ids have at most 30."
  type        = string
  default     = "the0-agent"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}[a-z0-9]$", var.name))
    error_message = "name: takes 3 to 18 lower case letters, digits and hyphens, a letter first."
  }
}

variable "labels" {
  description = "Labels of all resources that take some, beside app."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[a-z][a-z0-9_-]{0,62}$", key)) && can(regex("^[a-z0-9_-]{0,63}$", value))])
    error_message = "labels: take lower case letters, digits, _ and -, at most 63 of them."
  }
}

variable "deletion_protection" {
  description = "Whether the database, the bucket's objects and the secrets are kept from terraform destroy."
  type        = bool
  default     = true
}

variable "bundle" {
  description = "The upload that make bundle has made."
  type        = string
  default     = "../../dist/the0-agent.zip"

  validation {
    condition     = endswith(var.bundle, ".zip")
    error_message = "bundle: takes the path of a zip; make bundle makes it."
  }
}

variable "commit" {
  description = "The commit that the bundle was made of, for GET /version."
  type        = string
  default     = "unknown"

  validation {
    condition     = can(regex("^(unknown|[0-9a-f]{7,40}\\+?)$", var.commit))
    error_message = "commit: takes a commit's hash, with + where the tree had changes."
  }
}

variable "log_level" {
  description = "LOG_LEVEL of every function; alerts and dashboard read lines of INFO."
  type        = string
  default     = "INFO"

  validation {
    condition     = contains(["DEBUG", "INFO"], var.log_level)
    error_message = "log_level: takes DEBUG or INFO; less than INFO would leave the alerts without figures."
  }
}

variable "settings" {
  description = "Further settings of README.md by name, for every function; none that is a secret or that is set from here."
  type        = map(string)
  default     = {}

  validation {
    condition     = alltrue([for key in keys(var.settings) : contains(local.free_settings, key)])
    error_message = "settings: takes ${join(", ", local.free_settings)}."
  }
}
