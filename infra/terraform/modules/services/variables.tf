variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the functions are."
  type        = string
}

variable "name" {
  description = "What the image repository is called."
  type        = string
}

variable "labels" {
  description = "Labels of functions and services."
  type        = map(string)
}

variable "sources" {
  description = "Target -> its source below the bundle's root."
  type        = map(string)
}

variable "service_names" {
  description = "Target -> the name of its function and service."
  type        = map(string)
}

variable "sizes" {
  description = "Target -> processors, memory, requests at once, seconds of a request, instances."
  type = map(object({
    cpu             = string
    memory          = string
    concurrency     = number
    timeout_seconds = number
    min_instances   = number
    max_instances   = number
  }))
}

variable "source_bucket" {
  description = "The bucket of the upload."
  type        = string
}

variable "source_object" {
  description = "The upload."
  type        = string
}

variable "build_account" {
  description = "The full name of the account that builds."
  type        = string
}

variable "build_member" {
  description = "The same as a member of policies."
  type        = string
}

variable "accounts" {
  description = "Target -> the e-mail address of its account."
  type        = map(string)
}

variable "environment" {
  description = "Target -> its variables."
  type        = map(map(string))
}

variable "secret_environment" {
  description = "Target -> variable -> the secret's id."
  type        = map(map(string))
}

variable "secret_files" {
  description = "Target -> folder -> the secret's id, whose newest version is the file `value` in it."
  type        = map(map(string))
}

variable "connector" {
  description = "The connector to the network; empty: none."
  type        = string
}

variable "network_users" {
  description = "The functions that use it."
  type        = list(string)
}

variable "public_functions" {
  description = "The functions whose callers show tokens that are not Google's, and that check them themselves."
  type        = list(string)
}

variable "invokers" {
  description = "Target -> accounts that Cloud Run lets through to it, of the others."
  type        = map(map(string))
}

variable "websocket_image" {
  description = "The image that serves /ws/; empty: none."
  type        = string
}

variable "migration_image" {
  description = "The image of the job that migrates Postgres; empty: none."
  type        = string
}

variable "migration_account" {
  description = "The e-mail address of the job's account; empty without a job."
  type        = string
}

variable "migration_secret" {
  description = "The id of the secret that holds DATABASE_URL; empty without a job."
  type        = string
}
