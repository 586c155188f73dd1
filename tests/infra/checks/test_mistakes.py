"""Mistakes of the language and of names, made in a copy of our own files."""

from __future__ import annotations

import pytest

from tests.infra.checks.conftest import Plant


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        (
            "modules/services/functions.tf",
            "timeout_seconds   ",
            "timeout_secondz   ",
            "has no argument timeout_secondz, but timeout_seconds",
        ),
        (
            "modules/services/functions.tf",
            "= var.sizes[each.key].timeout_seconds",
            '= "sixty"',
            "takes a number, and is 'sixty'",
        ),
        (
            "main.tf",
            '  url_signers        = ["artifacts"]\n',
            "",
            "module identity lacks its variable url_signers",
        ),
        ("environments/production.tfvars", "tavily = true", "tavilly = true", "tavilly"),
        (
            "environments/production.tfvars",
            "min_instances = 1, max_instances = 50",
            "min_instance = 1",
            "its type has no min_instance",
        ),
        (
            "environments/production.tfvars",
            'location = "europe-west1"',
            'locations = "europe-west1"',
            "its type has no locations",
        ),
        ("main.tf", "  project_number     =", "  project_number =", "terraform fmt writes"),
        ("main.tf", "module.identity.emails", "module.identity.mails", "module identity has no output mails"),
        (
            "outputs.tf",
            "output",
            'variable "unused" {\n  description = ""\n  type = string\n  default = ""\n}\noutput',
            "var.unused is not used",
        ),
        ("modules/topics/eventarc.tf", 'var.delivery == "eventarc" ? 1 : 0', "0", "is in no plan"),
        ("main.tf", 'module "storage"', 'modul "storage"', "no blocks of the kind modul"),
    ],
)
def test_a_mistake_in_the_language_is_told(plant: Plant, file: str, old: str, new: str, told: str) -> None:
    plant(file, old, new, told)
