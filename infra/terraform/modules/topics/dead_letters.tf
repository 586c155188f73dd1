# What a receiver did not take in all its tries waits here for a week, for a person: docs/operations.md#dead-letters.
locals {
  pubsub_agent = "serviceAccount:service-${var.project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
}

resource "google_pubsub_topic" "dead_letters" {
  for_each = local.topics

  project = var.project
  name    = "${each.key}-dead-letters"
  labels  = var.labels
}

resource "google_pubsub_subscription" "dead_letters" {
  for_each = local.topics

  project                    = var.project
  name                       = "${each.key}-dead-letters"
  topic                      = google_pubsub_topic.dead_letters[each.key].id
  message_retention_duration = "604800s"
  labels                     = var.labels

  # Never removed for being unused.
  expiration_policy {
    ttl = ""
  }
}

# Pub/Sub itself moves them: it publishes here, and takes them off the subscription that they came from.
resource "google_pubsub_topic_iam_member" "moves_in" {
  for_each = local.topics

  project = var.project
  topic   = google_pubsub_topic.dead_letters[each.key].name
  role    = "roles/pubsub.publisher"
  member  = local.pubsub_agent
}

resource "google_pubsub_subscription_iam_member" "moves_out" {
  for_each = local.pushes

  project      = var.project
  subscription = google_pubsub_subscription.push[each.key].name
  role         = "roles/pubsub.subscriber"
  member       = local.pubsub_agent
}
