# What functions reach by private addresses goes through here; everything else leaves them directly. Traffic of one function to another counts
# as internal only this way.
resource "google_compute_network" "agent" {
  project                 = var.project
  name                    = var.name
  auto_create_subnetworks = false
}

# The connector's own: a /28, as it asks for.
resource "google_compute_subnetwork" "connector" {
  project                  = var.project
  name                     = "${var.name}-connector"
  region                   = var.region
  network                  = google_compute_network.agent.id
  ip_cidr_range            = var.connector_range
  private_ip_google_access = true
}

resource "google_vpc_access_connector" "agent" {
  project       = var.project
  name          = "${var.name}-vpc"
  region        = var.region
  machine_type  = "e2-micro"
  min_instances = 2
  max_instances = 4

  subnet {
    name = google_compute_subnetwork.connector.name
  }
}
