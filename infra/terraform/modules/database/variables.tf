variable "project" {
  description = "The project's id."
  type        = string
}

variable "region" {
  description = "Where Postgres is, and Firestore unless its location is given."
  type        = string
}

variable "name" {
  description = "The database's name."
  type        = string
}

variable "labels" {
  description = "Labels of what takes some."
  type        = map(string)
}

variable "kind" {
  description = "firestore or postgres."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the database is kept from destroy."
  type        = bool
}

variable "firestore" {
  description = "Location (the region when empty) and days of daily backups."
  type = object({
    location    = string
    backup_days = number
  })
}

variable "indexes_file" {
  description = "The path of infra/firestore.indexes.json."
  type        = string
}

variable "postgres" {
  description = "The instance: version, edition, tier, a standby or none, disk, connections, backups and days of logs."
  type = object({
    version         = string
    edition         = string
    tier            = string
    high_available  = bool
    disk_gb         = number
    max_connections = number
    backups         = number
    log_days        = number
  })
}

variable "network" {
  description = "The network of Postgres' private address; empty for Firestore."
  type        = string
}
