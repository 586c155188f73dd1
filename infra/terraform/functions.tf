# Who does what: read from functions/*/routes.py and shared/resources.py. Everything below goes by these lists.
locals {
  labels = merge({ app = var.name }, var.labels)

  # Target -> its source, as the contract's table has it (section 1).
  sources = {
    chat        = "functions/chat/main.py"
    tools       = "functions/tools/main.py"
    artifacts   = "functions/artifacts/main.py"
    events      = "functions/events/main.py"
    nats_bridge = "functions/events/nats_bridge.py"
  }

  # The bridge keeps nothing; the others open the database and the bucket.
  store_users = ["chat", "tools", "artifacts", "events"]
  # Events take up turns that another instance had to leave (turn.resume), and look into crashes (turn.diagnose).
  turn_runners = ["chat", "events"]
  # With TOOLS_URL turns run no tool in their own process.
  calls_tools  = var.run_tools_apart || var.tools_url != ""
  tool_runners = local.calls_tools ? ["tools"] : ["chat", "events", "tools"]
  # search_web asks Gemini where there is no Tavily.
  model_users = var.model.provider == "offline" ? [] : var.tavily ? local.turn_runners : distinct(concat(local.turn_runners, local.tool_runners))

  # Users of these show their own tokens, which Cloud Run would take for Google's; the functions check them themselves.
  public_functions = ["chat", "tools", "artifacts"]

  # Cloud Run's own form of a service's address: known before the service is, so that a function can be told its own.
  service_names = { for target in keys(local.sources) : target => "${var.name}-${replace(target, "_", "-")}" }
  urls          = { for target, name in local.service_names : target => "https://${name}-${data.google_project.this.number}.${var.region}.run.app" }

  # Who may call which function as a service, by Google's identity tokens (shared/web/oidc.py): word -> account.
  own_callers = {
    chat      = {}
    tools     = var.run_tools_apart ? { chat = module.identity.emails["chat"], events = module.identity.emails["events"] } : {}
    artifacts = { scheduler = module.identity.callers["scheduler"] }
    events = merge(
      { push = module.identity.callers["push"], scheduler = module.identity.callers["scheduler"] },
      var.events.delivery == "eventarc" ? { eventarc = module.identity.callers["eventarc"] } : {},
    )
    nats_bridge = var.nats.enabled ? { push = module.identity.callers["push"], scheduler = module.identity.callers["scheduler"] } : {}
  }
  callers = {
    for target, accounts in local.own_callers :
    target => merge(accounts, { for account in lookup(var.service_callers, target, []) : account => account })
  }
  # Whom Cloud Run lets through to functions that are not public.
  invokers = { for target, accounts in local.callers : target => accounts if !contains(local.public_functions, target) }

  store_instances = var.functions.chat.max_instances * (var.websocket_image == "" ? 1 : 2) + var.functions.tools.max_instances + var.functions.artifacts.max_instances + var.functions.events.max_instances

  # A private address: the database's, Redis', the tools function's as seen from inside, NATS'.
  has_private_store = var.database == "postgres" || var.redis.memory_gb > 0
  has_network       = local.has_private_store || var.run_tools_apart || var.nats.private
  network_users = distinct(concat(
    local.has_private_store ? local.store_users : [],
    var.run_tools_apart ? local.turn_runners : [],
    var.nats.private ? ["nats_bridge"] : [],
  ))
}
