# functions-framework routes HTTP only. Where an image is given, this service is the chat function with its WebSocket (functions/chat/serve.py),
# under the same identity; the gateway sends /ws/ here and nothing else.
locals {
  websocket = var.websocket_image == "" ? {} : { chat = var.websocket_image }
}

resource "google_cloud_run_v2_service" "websocket" {
  for_each = local.websocket

  project  = var.project
  location = var.region
  name     = "${var.service_names["chat"]}-socket"
  ingress  = "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"
  labels   = var.labels
  # It keeps nothing: what matters is in the database.
  deletion_protection = false

  template {
    service_account                  = var.accounts["chat"]
    timeout                          = "3600s"
    max_instance_request_concurrency = var.sizes["chat"].concurrency
    # A reader who comes back finds its turn sooner where it ran.
    session_affinity = true

    scaling {
      min_instance_count = 0
      max_instance_count = var.sizes["chat"].max_instances
    }

    containers {
      image   = each.value
      command = ["python", "-m", "functions.chat.serve"]

      resources {
        limits = {
          cpu    = var.sizes["chat"].cpu
          memory = var.sizes["chat"].memory
        }
        # An open socket is an open request: the processor is there as long as it is.
        cpu_idle          = true
        startup_cpu_boost = true
      }

      startup_probe {
        http_get {
          path = "/health/live"
        }
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30
      }

      dynamic "env" {
        for_each = var.environment["chat"]
        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.secret_environment["chat"]
        content {
          name = env.key
          value_source {
            secret_key_ref {
              secret  = env.value
              version = "latest"
            }
          }
        }
      }
    }

    dynamic "vpc_access" {
      for_each = contains(var.network_users, "chat") ? [var.connector] : []
      content {
        connector = vpc_access.value
        egress    = "PRIVATE_RANGES_ONLY"
      }
    }
  }
}

resource "google_cloud_run_v2_service_iam_member" "websocket_users" {
  for_each = local.websocket

  project  = var.project
  location = var.region
  name     = google_cloud_run_v2_service.websocket[each.key].name
  role     = "roles/run.invoker"
  member   = "allUsers"
}
