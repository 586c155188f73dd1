# Addresses of *.run.app as Google's private range, one that goes through the connector: a function that calls another arrives as internal.
resource "google_dns_managed_zone" "run" {
  project     = var.project
  name        = "${var.name}-run-app"
  dns_name    = "run.app."
  description = "Services of Cloud Run from inside"
  visibility  = "private"

  private_visibility_config {
    networks {
      network_url = google_compute_network.agent.id
    }
  }
}

# private.googleapis.com
resource "google_dns_record_set" "run" {
  project      = var.project
  managed_zone = google_dns_managed_zone.run.name
  name         = "*.run.app."
  type         = "A"
  ttl          = 300
  rrdatas      = ["199.36.153.8", "199.36.153.9", "199.36.153.10", "199.36.153.11"]
}

# Cloud SQL and Memorystore have their addresses in a range of this network.
resource "google_compute_global_address" "services" {
  project       = var.project
  name          = "${var.name}-services"
  purpose       = "VPC_PEERING"
  address_type  = "INTERNAL"
  prefix_length = 20
  network       = google_compute_network.agent.id
}

resource "google_service_networking_connection" "services" {
  network                 = google_compute_network.agent.id
  service                 = "servicenetworking.googleapis.com"
  reserved_peering_ranges = [google_compute_global_address.services.name]
}
