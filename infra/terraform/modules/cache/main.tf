# Redis holds nothing that is not elsewhere too: losing it costs speed (docs/reliability.md), so it has no snapshots. It asks for a password, on
# a private address; without TLS, as its certificates come from an authority of its own that the client is not told of.
resource "google_redis_instance" "cache" {
  project                 = var.project
  name                    = var.name
  region                  = var.region
  tier                    = var.high_available ? "STANDARD_HA" : "BASIC"
  memory_size_gb          = var.memory_gb
  redis_version           = "REDIS_7_2"
  authorized_network      = var.network
  connect_mode            = "PRIVATE_SERVICE_ACCESS"
  auth_enabled            = true
  transit_encryption_mode = "DISABLED"
  labels                  = var.labels

  maintenance_policy {
    weekly_maintenance_window {
      day = "SUNDAY"
      start_time {
        hours   = 4
        minutes = 0
        seconds = 0
        nanos   = 0
      }
    }
  }
}
