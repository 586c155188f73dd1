# What is refused before a function is woken. The lower the number, the earlier.
locals {
  # Only requests that carry no text of users in a body: bots are code, and questions are about code and SQL, so rules that look for
  # code and SQL in bodies would refuse what this service is for. A search for documentation has such words in its query. What is uploaded
  # is scanned by the agent (docs/artifacts.md), and run in a sandbox alone.
  reads = "(request.method == 'GET' || request.method == 'HEAD') && !request.path.startsWith('/api/docs/')"

  waf_rules = {
    "lfi-v33-stable"             = 300
    "rfi-v33-stable"             = 310
    "rce-v33-stable"             = 320
    "sqli-v33-stable"            = 330
    "xss-v33-stable"             = 340
    "protocolattack-v33-stable"  = 350
    "sessionfixation-v33-stable" = 360
  }
}

resource "google_compute_security_policy" "gateway" {
  project     = var.project
  name        = var.name
  description = "Limits of the gateway"
  type        = "CLOUD_ARMOR"

  # An instance's figures are for its operators; Cloud Monitoring has those of the service.
  dynamic "rule" {
    for_each = var.limits.public_metrics ? [] : [true]
    content {
      priority    = 100
      action      = "deny(404)"
      description = "Metrics are not public"
      match {
        expr {
          expression = "request.path.matches('^(/nats)?/metrics/?$')"
        }
      }
    }
  }

  # Cloud Run takes no larger request; the functions have closer limits of their own (413), also for bodies that tell no length.
  rule {
    priority    = 200
    action      = "deny(403)"
    description = "Bodies over 32 MiB"
    match {
      expr {
        expression = "has(request.headers['content-length']) && int(request.headers['content-length']) > 33554432"
      }
    }
  }

  dynamic "rule" {
    for_each = local.waf_rules
    content {
      priority    = rule.value
      action      = "deny(403)"
      preview     = var.limits.waf_preview
      description = "Reads: ${rule.key}"
      match {
        expr {
          expression = "${local.reads} && evaluatePreconfiguredWaf('${rule.key}', {'sensitivity': 1})"
        }
      }
    }
  }

  dynamic "rule" {
    for_each = length(var.limits.trusted_ranges) > 0 ? [true] : []
    content {
      priority    = 900
      action      = "allow"
      description = "Callers for many users"
      match {
        versioned_expr = "SRC_IPS_V1"
        config {
          src_ip_ranges = var.limits.trusted_ranges
        }
      }
    }
  }

  # By address: many users may share one, so it is wide. What one user may do is counted by the functions (docs/limits.md).
  rule {
    priority    = 1000
    action      = "rate_based_ban"
    description = "Requests of one address"
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
    rate_limit_options {
      conform_action   = "allow"
      exceed_action    = "deny(429)"
      enforce_on_key   = "IP"
      ban_duration_sec = var.limits.ban_seconds

      rate_limit_threshold {
        count        = var.limits.requests_per_minute
        interval_sec = 60
      }
      ban_threshold {
        count        = 3 * var.limits.requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    priority    = 2147483647
    action      = "allow"
    description = "The rest, which is none"
    match {
      versioned_expr = "SRC_IPS_V1"
      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}
