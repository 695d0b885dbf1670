"""Secrets and personal data in the text of rows, found before anything is published.

Secrets by the detectors of `bc-detect-secrets` that know a form (keys and tokens of services,
private keys, credentials in addresses); not by those that go by entropy or by a name such as
`password`, which in scenarios is test data. E-mail addresses are checked by `email-validator`,
telephone numbers found by `phonenumbers`, in international form. Names of people are not looked
for: that needs a language model, and scenarios are full of invented ones.
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
_FIELDS = ("instruction", "input", "output")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
# RFC 2606: for documentation, so nobody's. The validator leaves these to DNS.
_NOBODYS = re.compile(r"(?:^|\.)example(?:\.(?:com|net|org))?\Z", re.I)
_SHOWN = 4  # characters of a secret


@dataclass(frozen=True)
class Finding:
    """Something in a row that should perhaps not be published.

    Attributes:
        id, run: of the row.
        field: "instruction", "input" or "output".
        line: in the field, from 1.
        kind: "secret" or "personal data".
        type: what it looks like, such as "AWS Access Key".
        shown: the text; of a secret only its beginning.
    """

    id: str
    run: str
    field: str
    line: int
    kind: str
    type: str
    shown: str


def scan(rows: Iterable[FinishedRow]) -> list[Finding]:
    """Look through the texts of rows, in order; each finding once a field."""
    found: dict[Finding, None] = {}
    for row in rows:
        for field in _FIELDS:
            text = getattr(row, field)
            for kind, type, value, start in _in_text(text):
                line = text.count("\n", 0, start) + 1
                shown = f"{value[:_SHOWN]}…" if kind == SECRET else value
                found[Finding(row.id, row.run, field, line, kind, type, shown)] = None
    return list(found)


def is_secret(finding: Finding) -> bool:
    return finding.kind == SECRET


def summary(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings there are of each type, most first."""
    return dict(Counter(finding.type for finding in findings).most_common())


def _in_text(text: str) -> Iterator[tuple[str, str, str, int]]:
    """What is in a text: kind, type, the text found and where it starts."""
    secrets = list(_secrets(text))
    for type, match in secrets:
        yield SECRET, type, match[0], match.start()
    if "@" in text:
        for match in _EMAIL.finditer(text):
            # The end of a password before a host's name looks like an address.
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
        # Its own method has the last word, but gives parts of a match; the patterns say where.
        if any(detector.analyze_string(text)):
            for pattern in detector.denylist:
                for match in pattern.finditer(text):
                    yield detector.secret_type, match


@cache
def _detectors() -> tuple[RegexBasedDetector, ...]:
    return tuple(detector() for detector in _DETECTORS)


def _is_somebodys(address: str) -> bool:
    """Whether an address could be a person's: valid, and in no domain set aside for examples."""
    try:
        domain = validate_email(address, check_deliverability=False).ascii_domain
    except EmailNotValidError:
        return False
    return _NOBODYS.search(domain) is None
