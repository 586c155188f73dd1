# The contract's paths (section 1), as infra/local/gateway.py sends them: chat takes the rest, and answers what nobody serves with its 404.
# /events and /nats are for services: Cloud Run asks for a Google identity token there, and the function does again.
locals {
  paths = {
    chat = [
      "/api/agent/chat",
      "/chat",
      "/chat/*",
      "/health",
      "/health/live",
      "/metrics",
      "/settings/*",
      "/version",
    ]
    tools       = ["/api/docs", "/api/docs/*", "/mcp", "/mcp/*", "/tools", "/tools/*"]
    artifacts   = ["/artifacts", "/artifacts/*"]
    events      = ["/events", "/events/*"]
    nats_bridge = ["/nats", "/nats/*"]
    websocket   = ["/ws/*"]
  }
}

resource "google_compute_url_map" "gateway" {
  project         = var.project
  name            = var.name
  default_service = google_compute_backend_service.service["chat"].id

  host_rule {
    hosts        = var.domains
    path_matcher = "contract"
  }

  path_matcher {
    name            = "contract"
    default_service = google_compute_backend_service.service["chat"].id

    dynamic "path_rule" {
      for_each = { for target, paths in local.paths : target => paths if contains(keys(local.backends), target) }
      content {
        paths   = path_rule.value
        service = google_compute_backend_service.service[path_rule.key].id
      }
    }
  }
}
