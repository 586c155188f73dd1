variable "project" {
  description = "The project's id."
  type        = string
}

variable "project_number" {
  description = "The project's number, by which Google's own service agents are named."
  type        = string
}

variable "region" {
  description = "The functions' region."
  type        = string
}

variable "name" {
  description = "What the accounts' ids begin with."
  type        = string
}

variable "functions" {
  description = "The functions: one account each."
  type        = list(string)
}

variable "firestore_database" {
  description = "The Firestore database's id; empty where Postgres is used."
  type        = string
}

variable "firestore_users" {
  description = "The functions that open it."
  type        = list(string)
}

variable "vertex_users" {
  description = "The functions that ask Gemini by Vertex AI."
  type        = list(string)
}

variable "url_signers" {
  description = "The functions that answer with signed URLs of the bucket."
  type        = list(string)
}

variable "uses_eventarc" {
  description = "Whether an Eventarc trigger delivers events."
  type        = bool
}

variable "migrates" {
  description = "Whether a job migrates the database."
  type        = bool
}
