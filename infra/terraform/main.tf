# The whole, by concern. Who uses what is decided in functions.tf, environment.tf and secrets.tf; modules make it.
module "identity" {
  source     = "./modules/identity"
  depends_on = [google_project_service.required]

  project            = var.project
  project_number     = data.google_project.this.number
  region             = var.region
  name               = var.name
  functions          = keys(local.sources)
  firestore_database = var.database == "firestore" ? var.name : ""
  firestore_users    = var.database == "firestore" ? local.store_users : []
  vertex_users       = var.model.provider == "vertex" ? local.model_users : []
  url_signers        = ["artifacts"]
  uses_eventarc      = var.events.delivery == "eventarc"
  migrates           = var.migration_image != ""
}

module "storage" {
  source     = "./modules/storage"
  depends_on = [google_project_service.required]

  project          = var.project
  region           = var.region
  name             = var.name
  labels           = local.labels
  force_destroy    = !var.deletion_protection
  soft_delete_days = var.artifacts.soft_delete_days
  bundle           = var.bundle
  # Retention removes files, and DELETE /chat/user does.
  keepers = { for target in ["artifacts", "chat"] : target => module.identity.members[target] }
  writers = { for target in ["tools", "events"] : target => module.identity.members[target] }
}

module "network" {
  source     = "./modules/network"
  count      = local.has_network ? 1 : 0
  depends_on = [google_project_service.required]

  project         = var.project
  region          = var.region
  name            = var.name
  connector_range = var.connector_range
}

module "database" {
  source     = "./modules/database"
  depends_on = [google_project_service.required]

  project             = var.project
  region              = var.region
  name                = var.name
  labels              = local.labels
  kind                = var.database
  deletion_protection = var.deletion_protection
  firestore           = var.firestore
  indexes_file        = "${path.root}/../firestore.indexes.json"
  postgres            = var.postgres
  network             = join("", module.network[*].network)
}

module "cache" {
  source     = "./modules/cache"
  count      = var.redis.memory_gb > 0 ? 1 : 0
  depends_on = [google_project_service.required]

  project        = var.project
  region         = var.region
  name           = var.name
  labels         = local.labels
  memory_gb      = var.redis.memory_gb
  high_available = var.redis.high_available
  network        = join("", module.network[*].network)
}

module "secrets" {
  source     = "./modules/secrets"
  depends_on = [google_project_service.required]

  project             = var.project
  name                = var.name
  labels              = local.labels
  deletion_protection = var.deletion_protection
  secrets             = local.secrets
  members             = local.secret_readers
  made                = local.made_secrets
  values = merge(
    var.database == "postgres" ? { "database-url" = module.database.postgres_url } : {},
    var.redis.memory_gb > 0 ? { "redis-url" = module.cache[0].url } : {},
  )
}

module "services" {
  source     = "./modules/services"
  depends_on = [google_project_service.required]

  project            = var.project
  region             = var.region
  name               = var.name
  labels             = local.labels
  sources            = local.sources
  service_names      = local.service_names
  sizes              = var.functions
  source_bucket      = module.storage.source_bucket
  source_object      = module.storage.source_object
  build_account      = module.identity.build_account
  build_member       = module.identity.build_member
  accounts           = module.identity.emails
  environment        = local.environment
  secret_environment = local.secret_environment
  secret_files       = local.secret_files
  connector          = join("", module.network[*].connector)
  network_users      = local.network_users
  public_functions   = local.public_functions
  invokers           = local.invokers
  websocket_image    = var.websocket_image
  migration_image    = var.migration_image
  migration_account  = lookup(module.identity.callers, "migrate", "")
  migration_secret   = var.migration_image == "" ? "" : module.secrets.ids["database-url"]
}

module "topics" {
  source     = "./modules/topics"
  depends_on = [google_project_service.required]

  project        = var.project
  project_number = data.google_project.this.number
  region         = var.region
  name           = var.name
  labels         = local.labels
  publishers = {
    "agent-events"    = { for target in local.store_users : target => module.identity.members[target] }
    "turn-resume"     = { for target in local.store_users : target => module.identity.members[target] }
    "platform-events" = merge(var.nats.enabled ? { nats_bridge = module.identity.members["nats_bridge"] } : {}, { for member in var.events.publishers : member => member })
  }
  subscribers      = var.events.subscribers
  events_url       = local.urls["events"]
  bridge_url       = local.urls["nats_bridge"]
  push_account     = module.identity.callers["push"]
  to_nats          = var.nats.enabled
  delivery         = var.events.delivery
  eventarc_account = lookup(module.identity.callers, "eventarc", "")
  events_service   = module.services.names["events"]
}

module "schedule" {
  source     = "./modules/schedule"
  depends_on = [google_project_service.required]

  project = var.project
  region  = var.region
  name    = var.name
  account = module.identity.callers["scheduler"]
  jobs    = local.jobs
}

module "gateway" {
  source     = "./modules/gateway"
  depends_on = [google_project_service.required]

  project           = var.project
  region            = var.region
  name              = var.name
  labels            = local.labels
  domains           = var.domains
  services          = module.services.names
  websocket_service = module.services.websocket_service
  limits            = var.gateway
}

module "alerts" {
  source     = "./modules/alerts"
  depends_on = [google_project_service.required]

  project                   = var.project
  project_number            = data.google_project.this.number
  name                      = var.name
  labels                    = local.labels
  services                  = local.service_names
  dead_letter_subscriptions = module.topics.dead_letter_subscriptions
  push_subscriptions        = module.topics.push_subscriptions
  has_bridge                = var.nats.enabled
  emails                    = var.alerts.emails
  runbooks                  = var.alerts.runbooks
  thresholds                = var.alerts
  budget                    = var.budget
}
