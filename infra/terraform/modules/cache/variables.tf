variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where the instance is."
  type        = string
}

variable "name" {
  description = "The instance's name."
  type        = string
}

variable "labels" {
  description = "The instance's labels."
  type        = map(string)
}

variable "memory_gb" {
  description = "Its memory in GB."
  type        = number
}

variable "high_available" {
  description = "Whether it has a replica that takes over."
  type        = bool
}

variable "network" {
  description = "The network of its address."
  type        = string
}
