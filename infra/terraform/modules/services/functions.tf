# The five functions, each built from the whole bundle. Pub/Sub takes over a turn whose client has gone (settings.hands_turns_over), and Cloud
# Scheduler empties the outbox: no work is left behind an answer, so processors are paid for while there are requests.
resource "google_cloudfunctions2_function" "function" {
  for_each = var.sources

  project     = var.project
  location    = var.region
  name        = var.service_names[each.key]
  description = "the0 Agent: ${each.key}"
  labels      = var.labels

  build_config {
    runtime           = "python311"
    entry_point       = each.key
    docker_repository = google_artifact_registry_repository.images.id
    service_account   = var.build_account

    environment_variables = {
      GOOGLE_FUNCTION_SOURCE = each.value
    }

    source {
      storage_source {
        bucket = var.source_bucket
        object = var.source_object
      }
    }
  }

  service_config {
    available_cpu                    = var.sizes[each.key].cpu
    available_memory                 = var.sizes[each.key].memory
    max_instance_request_concurrency = var.sizes[each.key].concurrency
    timeout_seconds                  = var.sizes[each.key].timeout_seconds
    min_instance_count               = var.sizes[each.key].min_instances
    max_instance_count               = var.sizes[each.key].max_instances
    ingress_settings                 = "ALLOW_INTERNAL_AND_GCLB"
    all_traffic_on_latest_revision   = true
    service_account_email            = var.accounts[each.key]
    environment_variables            = var.environment[each.key]
    vpc_connector                    = contains(var.network_users, each.key) ? var.connector : null
    vpc_connector_egress_settings    = contains(var.network_users, each.key) ? "PRIVATE_RANGES_ONLY" : null

    dynamic "secret_environment_variables" {
      for_each = var.secret_environment[each.key]
      content {
        key        = secret_environment_variables.key
        project_id = var.project
        secret     = secret_environment_variables.value
        version    = "latest"
      }
    }

    dynamic "secret_volumes" {
      for_each = var.secret_files[each.key]
      content {
        mount_path = secret_volumes.key
        project_id = var.project
        secret     = secret_volumes.value

        versions {
          version = "latest"
          path    = "value"
        }
      }
    }
  }

  depends_on = [google_artifact_registry_repository_iam_member.build_writes]
}
