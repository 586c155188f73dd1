variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the scheduler is."
  type        = string
}

variable "name" {
  description = "What the jobs' names begin with."
  type        = string
}

variable "account" {
  description = "The e-mail address of the account that the calls prove themselves by."
  type        = string
}

variable "jobs" {
  description = "Name -> when, the service's address (which is also the audience), the path, and how long an answer may take."
  type = map(object({
    description = string
    schedule    = string
    service     = string
    path        = string
    seconds     = number
    retries     = number
  }))
}
