variable "project" {
  description = "The project's id."
  type        = string
}

variable "name" {
  description = "What the secrets' ids begin with."
  type        = string
}

variable "labels" {
  description = "The secrets' labels."
  type        = map(string)
}

variable "deletion_protection" {
  description = "Whether secrets are kept from destroy."
  type        = bool
}

variable "secrets" {
  description = "Secret -> the functions that use it."
  type        = map(list(string))
}

variable "members" {
  description = "Function -> its account as a member of policies."
  type        = map(string)
}

variable "made" {
  description = "The secrets whose values come from this configuration."
  type        = list(string)
}

variable "values" {
  description = "Their values."
  type        = map(string)
  sensitive   = true
}
