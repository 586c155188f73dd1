variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "The functions' region."
  type        = string
}

variable "name" {
  description = "What the names begin with."
  type        = string
}

variable "connector_range" {
  description = "The connector's addresses, a /28."
  type        = string
}
