variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the buckets are."
  type        = string
}

variable "name" {
  description = "What the buckets' names hold."
  type        = string
}

variable "labels" {
  description = "The buckets' labels."
  type        = map(string)
}

variable "force_destroy" {
  description = "Whether destroy also removes what is in the artifact bucket."
  type        = bool
}

variable "soft_delete_days" {
  description = "For how many days a removed object can be brought back; 0: not at all."
  type        = number
}

variable "bundle" {
  description = "The path of the upload."
  type        = string
}

variable "keepers" {
  description = "Members that read, add and remove files: retention and the erasure of a user, by function."
  type        = map(string)
}

variable "writers" {
  description = "Members that read and add files, by function; versions are never overwritten."
  type        = map(string)
}
