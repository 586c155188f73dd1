# On a private address alone; the functions connect with TLS, a user and a password, so no role of Cloud SQL is needed.
resource "google_sql_database_instance" "sessions" {
  count = var.kind == "postgres" ? 1 : 0

  project             = var.project
  name                = var.name
  region              = var.region
  database_version    = var.postgres.version
  deletion_protection = var.deletion_protection

  settings {
    tier                        = var.postgres.tier
    edition                     = var.postgres.edition
    availability_type           = var.postgres.high_available ? "REGIONAL" : "ZONAL"
    disk_type                   = "PD_SSD"
    disk_size                   = var.postgres.disk_gb
    disk_autoresize             = true
    deletion_protection_enabled = var.deletion_protection
    user_labels                 = var.labels

    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }

    backup_configuration {
      enabled                        = true
      start_time                     = "02:00"
      point_in_time_recovery_enabled = true
      transaction_log_retention_days = var.postgres.log_days

      backup_retention_settings {
        retained_backups = var.postgres.backups
        retention_unit   = "COUNT"
      }
    }

    maintenance_window {
      day          = 7
      hour         = 4
      update_track = "stable"
    }

    database_flags {
      name  = "max_connections"
      value = tostring(var.postgres.max_connections)
    }

    # Statements hold no values (they are parameters), so what is shown tells nothing of users.
    insights_config {
      query_insights_enabled  = true
      record_application_tags = false
      record_client_address   = false
    }
  }
}

resource "google_sql_database" "sessions" {
  count = var.kind == "postgres" ? 1 : 0

  project  = var.project
  instance = google_sql_database_instance.sessions[0].name
  name     = "the0_agent"
}

# Letters and digits only: it stands in a URL.
resource "random_password" "agent" {
  count = var.kind == "postgres" ? 1 : 0

  length  = 40
  special = false
}

resource "google_sql_user" "agent" {
  count = var.kind == "postgres" ? 1 : 0

  project         = var.project
  instance        = google_sql_database_instance.sessions[0].name
  name            = "the0_agent"
  password        = random_password.agent[0].result
  deletion_policy = "ABANDON"
}
