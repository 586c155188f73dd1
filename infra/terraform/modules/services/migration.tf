# Postgres has no address outside: its tables are brought along by a job inside the network, which an operator starts before each release that
# has migrations. It knows the database and nothing else.
resource "google_cloud_run_v2_job" "migrate" {
  count = var.migration_image == "" ? 0 : 1

  project             = var.project
  location            = var.region
  name                = "${var.name}-migrate"
  labels              = var.labels
  deletion_protection = false

  template {
    template {
      service_account = var.migration_account
      # Run again it goes on where it stopped, but an operator should look first.
      max_retries = 0
      timeout     = "1800s"

      containers {
        image   = var.migration_image
        command = ["python", "-m", "shared.sessions.migrate"]

        env {
          name = "DATABASE_URL"
          value_source {
            secret_key_ref {
              secret  = var.migration_secret
              version = "latest"
            }
          }
        }
      }

      vpc_access {
        connector = var.connector
        egress    = "PRIVATE_RANGES_ONLY"
      }
    }
  }
}
