"""Offline checks of `infra/terraform`: names and types, formatting, policy, and what the code asks of it.

`python -m infra.checks` runs them all. No provider and no network: `provider_schema.json` has the provider's
tables, and `hcl.planning` works out what would be made, as far as that is known before anything is.
"""
