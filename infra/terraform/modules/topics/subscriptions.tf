# Who hears what (docs/events.md). The handlers answer 2xx when an event is applied or kept as a dead letter of their own, so what comes again
# is what met a store that was down.
locals {
  pushes = merge(
    var.delivery == "push" ? {
      # Applied within seconds; a hundred tries, ever further apart, outlast a store that is away for most of a day.
      "platform-events-to-events" = {
        topic     = "platform-events"
        service   = var.events_url
        path      = "/events"
        filter    = ""
        ordered   = false
        deadline  = 60
        retention = "604800s"
        attempts  = 100
        pause     = "10s"
        longest   = "600s"
      }
    } : {},
    {
      # Our own event tells the events function of a bot that is new.
      "agent-events-deployed-to-events" = {
        topic     = "agent-events"
        service   = var.events_url
        path      = "/events"
        filter    = "attributes.ce-type = \"ai.bot.deployed\""
        ordered   = false
        deadline  = 60
        retention = "604800s"
        attempts  = 100
        pause     = "10s"
        longest   = "600s"
      }
      # Answered when the turn has ended, so with the longest deadline; 503 means that the instance stopped, and the next goes on at once.
      "turn-resume-to-events" = {
        topic     = "turn-resume"
        service   = var.events_url
        path      = "/events"
        filter    = ""
        ordered   = false
        deadline  = 600
        retention = "86400s"
        attempts  = 20
        pause     = "1s"
        longest   = "60s"
      }
    },
    var.to_nats ? {
      # Published under the event's own id, in the order of each session.
      "agent-events-to-nats" = {
        topic     = "agent-events"
        service   = var.bridge_url
        path      = "/nats/publish"
        filter    = ""
        ordered   = true
        deadline  = 60
        retention = "604800s"
        attempts  = 100
        pause     = "10s"
        longest   = "600s"
      }
    } : {},
  )
}

resource "google_pubsub_subscription" "push" {
  for_each = local.pushes

  project                    = var.project
  name                       = each.key
  topic                      = google_pubsub_topic.topic[each.value.topic].id
  filter                     = each.value.filter
  enable_message_ordering    = each.value.ordered
  ack_deadline_seconds       = each.value.deadline
  message_retention_duration = each.value.retention
  labels                     = var.labels

  push_config {
    push_endpoint = "${each.value.service}${each.value.path}"

    # The audience is the service's address, as the function has it in SERVICE_AUDIENCE.
    oidc_token {
      service_account_email = var.push_account
      audience              = each.value.service
    }
  }

  retry_policy {
    minimum_backoff = each.value.pause
    maximum_backoff = each.value.longest
  }

  dead_letter_policy {
    dead_letter_topic     = google_pubsub_topic.dead_letters[each.value.topic].id
    max_delivery_attempts = each.value.attempts
  }

  # Never removed for being unused.
  expiration_policy {
    ttl = ""
  }
}
