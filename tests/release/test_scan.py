"""Secrets and personal data are found in every text of a row; test data is left in peace."""

import pytest

from selfbehave.release.scan import Finding, is_secret, scan
from selfbehave.runs.finished import FinishedRow
from selfbehave.seeds.load import load_seeds

# Put together here, so that this file holds none itself.
AWS_KEY = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB_TOKEN = "ghp_" + "a1B2" * 9
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----\\nMIIEpAIBAAKCAQEA7bq1"


def findings(text: str, field: str = "output") -> list[Finding]:
    texts = {"instruction": "", "input": "", "output": ""} | {field: text}
    return scan(
        [
            FinishedRow(
                id="1",
                run="mine",
                scenario=None,
                step_functions=None,
                rung=None,
                faults=(),
                fault_codes=(),
                novelty=None,
                engine=None,
                instruction_request=None,
                instance_request=None,
                **texts,
            )
        ]
    )


@pytest.mark.parametrize(
    ("text", "type"),
    [
        (f'key = "{AWS_KEY}"', "AWS Access Key"),
        (f'Given the token "{GITHUB_TOKEN}"', "GitHub Token"),
        (f'context.key = """{PRIVATE_KEY}', "Private Key"),
        ("https://ada:s3cr3tpw@db.internal/", "Basic Auth Credentials"),
    ],
)
def test_a_secret_of_known_form_is_found_and_shown_only_in_part(text: str, type: str) -> None:
    (finding,) = findings(f"first\n{text}")
    assert (finding.type, finding.line) == (type, 2)
    assert is_secret(finding)
    assert len(finding.shown) == 5


@pytest.mark.parametrize(
    ("text", "type", "shown"),
    [
        ("write to ada.lovelace@gmail.com.", "e-mail address", "ada.lovelace@gmail.com"),
        ("call +44 20 7946 0958 now", "telephone number", "+44 20 7946 0958"),
    ],
)
def test_personal_data_is_found(text: str, type: str, shown: str) -> None:
    (finding,) = findings(text, "instruction")
    assert (finding.field, finding.type, finding.shown) == ("instruction", type, shown)
    assert not is_secret(finding)


@pytest.mark.parametrize(
    "text",
    [
        'When "ada@example.com" logs in with password "hunter2secret"',
        'context.password = "Tr0ub4dor&3"',
        "someone@mail.example.org and someone@shop.test",
        "order 4111111111, 12 + 30 = 42, v1.2.3@latest",
    ],
)
def test_invented_test_data_is_no_finding(text: str) -> None:
    assert findings(text) == []


def test_the_packaged_seed_tasks_hold_neither_secrets_nor_personal_data() -> None:
    for name in ("high_quality", "mixed_quality"):
        for task in load_seeds(name).tasks:
            for one in task.instances:
                assert findings(f"{task.instruction}\n{one.input}\n{one.output}") == []
