# Names are the defaults of shared/settings.py and the contract's (section 6).
locals {
  topics = {
    "platform-events" = "604800s"
    "agent-events"    = "604800s"
    "turn-resume"     = "86400s"
  }
  grants = merge([
    for topic, members in var.publishers : { for word, member in members : "${topic}/${word}" => { topic = topic, member = member } }
  ]...)
}

resource "google_pubsub_topic" "topic" {
  for_each = local.topics

  project                    = var.project
  name                       = each.key
  message_retention_duration = each.value
  labels                     = var.labels
}

# The relay of a process publishes whatever waits in the outbox, so each that has it publishes to both of the agent's topics.
resource "google_pubsub_topic_iam_member" "publishes" {
  for_each = local.grants

  project = var.project
  topic   = google_pubsub_topic.topic[each.value.topic].name
  role    = "roles/pubsub.publisher"
  member  = each.value.member
}

# Whoever follows what the agent tells makes a subscription of their own.
resource "google_pubsub_topic_iam_member" "subscribes" {
  for_each = toset(var.subscribers)

  project = var.project
  topic   = google_pubsub_topic.topic["agent-events"].name
  role    = "roles/pubsub.subscriber"
  member  = each.value
}
