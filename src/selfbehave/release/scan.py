"""Find secrets and personal data in the text of rows before anything is published.

Secrets are found by those detectors of `bc-detect-secrets` that look for a fixed format (keys and
tokens of services, private keys, credentials in addresses). Detectors that use entropy or names
such as `password` are left out, because in scenarios these are test data. E-mail addresses are
checked by `email-validator`; `phonenumbers` finds telephone numbers in international form. The scan
does not look for names of people: that needs a language model, and scenarios are full of invented
names.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from detect_secrets.plugins.artifactory import ArtifactoryDetector
from detect_secrets.plugins.aws import AWSKeyDetector
from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
from detect_secrets.plugins.base import RegexBasedDetector
from detect_secrets.plugins.basic_auth import BasicAuthDetector
from detect_secrets.plugins.cloudant import CloudantDetector
from detect_secrets.plugins.discord import DiscordBotTokenDetector
from detect_secrets.plugins.github_token import GitHubTokenDetector
from detect_secrets.plugins.ibm_cloud_iam import IbmCloudIamDetector
from detect_secrets.plugins.ibm_cos_hmac import IbmCosHmacDetector
from detect_secrets.plugins.jwt import JwtTokenDetector
from detect_secrets.plugins.mailchimp import MailchimpDetector
from detect_secrets.plugins.npm import NpmDetector
from detect_secrets.plugins.private_key import PrivateKeyDetector
from detect_secrets.plugins.sendgrid import SendGridDetector
from detect_secrets.plugins.slack import SlackDetector
from detect_secrets.plugins.softlayer import SoftlayerDetector
from detect_secrets.plugins.square_oauth import SquareOAuthDetector
from detect_secrets.plugins.stripe import StripeDetector
from detect_secrets.plugins.twilio import TwilioKeyDetector
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberMatcher

from ..runs.finished import FinishedRow
from ..runs.finished_attempts import FinishedAttempt

__all__ = ["Finding", "is_secret", "scan", "summary"]

SECRET, PERSONAL = "secret", "personal data"

_DETECTORS = (
    ArtifactoryDetector,
    AWSKeyDetector,
    AzureStorageKeyDetector,
    BasicAuthDetector,
    CloudantDetector,
    DiscordBotTokenDetector,
    GitHubTokenDetector,
    IbmCloudIamDetector,
    IbmCosHmacDetector,
    JwtTokenDetector,
    MailchimpDetector,
    NpmDetector,
    PrivateKeyDetector,
    SendGridDetector,
    SlackDetector,
    SoftlayerDetector,
    SquareOAuthDetector,
    StripeDetector,
    TwilioKeyDetector,
)
_FIELDS = ("instruction", "input", "output", "reasoning", "told")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# RFC 2606: reserved for documentation, so they belong to nobody. The validator does not know them.
_NOBODYS = re.compile(r"(?:^|\.)example(?:\.(?:com|net|org))?\Z", re.I)
_SHOWN = 4  # characters of a secret to show


@dataclass(frozen=True)
class Finding:
    """Text in a row that perhaps should not be published.

    Attributes:
        id, run: the id and the run of the row.
        field: "instruction", "input", "output", "reasoning" or "told" (to a model of its answer).
        line: in the field, from 1.
        kind: "secret" or "personal data".
        type: its apparent type, such as "AWS Access Key".
        shown: the text; for a secret only its beginning.
    """

    id: str
    run: str
    field: str
    line: int
    kind: str
    type: str
    shown: str


def scan(rows: Iterable[FinishedRow | FinishedAttempt]) -> list[Finding]:
    """Scan the texts of rows and attempts, in order; report each finding once per field."""
    found: dict[Finding, None] = {}
    for row in rows:
        for field in _FIELDS:
            text = getattr(row, field, None) or ""
            for kind, type, value, start in _in_text(text):
                line = text.count("\n", 0, start) + 1
                shown = f"{value[:_SHOWN]}…" if kind == SECRET else value
                found[Finding(row.id, row.run, field, line, kind, type, shown)] = None
    return list(found)


def is_secret(finding: Finding) -> bool:
    return finding.kind == SECRET


def summary(findings: Sequence[Finding]) -> dict[str, int]:
    """The number of findings of each type, the highest first."""
    return dict(Counter(finding.type for finding in findings).most_common())


def _in_text(text: str) -> Iterator[tuple[str, str, str, int]]:
    """The findings in a text: kind, type, the matching text and its offset."""
    secrets = list(_secrets(text))
    for type, match in secrets:
        yield SECRET, type, match[0], match.start()
    if "@" in text:
        for match in _EMAIL.finditer(text):
            # In user:password@host, the end of the password and the host look like an address.
            in_secret = any(
                match.start() < one.end() and one.start() < match.end() for _, one in secrets
            )
            if not in_secret and _is_somebodys(match[0]):
                yield PERSONAL, "e-mail address", match[0], match.start()
    if "+" in text:
        for number in PhoneNumberMatcher(text, None):
            yield PERSONAL, "telephone number", number.raw_string, number.start


def _secrets(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for detector in _detectors():
        # The detector's method decides but returns only parts of a match. The patterns locate it.
        if any(detector.analyze_string(text)):
            for pattern in detector.denylist:
                for match in pattern.finditer(text):
                    yield detector.secret_type, match


@cache
def _detectors() -> tuple[RegexBasedDetector, ...]:
    return tuple(detector() for detector in _DETECTORS)


def _is_somebodys(address: str) -> bool:
    """Whether an address may belong to a person: valid, and not in a domain for examples."""
    try:
        domain = validate_email(address, check_deliverability=False).ascii_domain
    except EmailNotValidError:
        return False
    return _NOBODYS.search(domain) is None
