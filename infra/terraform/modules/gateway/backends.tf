# A backend a service. Their time limit is the service's own: streams are cut by nothing in between.
locals {
  backends = merge(var.services, var.websocket_service == "" ? {} : { websocket = var.websocket_service })
}

resource "google_compute_region_network_endpoint_group" "service" {
  for_each = local.backends

  project               = var.project
  region                = var.region
  name                  = each.value
  network_endpoint_type = "SERVERLESS"

  cloud_run {
    service = each.value
  }
}

resource "google_compute_backend_service" "service" {
  for_each = local.backends

  project                 = var.project
  name                    = each.value
  load_balancing_scheme   = "EXTERNAL_MANAGED"
  protocol                = "HTTPS"
  security_policy         = google_compute_security_policy.gateway.id
  custom_response_headers = ["Strict-Transport-Security: max-age=31536000"]

  backend {
    group = google_compute_region_network_endpoint_group.service[each.key].id
  }

  log_config {
    enable      = true
    sample_rate = 1
  }
}
