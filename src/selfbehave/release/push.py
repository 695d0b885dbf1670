"""Uploading a release to the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path

from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError  # type: ignore[attr-defined]
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from ..core.errors import EXIT_USAGE, SelfBehaveError

__all__ = ["check_can_push", "push"]

_MEND_TOKEN = "set HF_TOKEN to a token with write access, or log in with: hf auth login"


def check_can_push(name: str) -> None:
    """Check before any work what the Hub would refuse immediately.

    Raises:
        SelfBehaveError: the name is not valid on the Hub, or there is no token.
    """
    try:
        validate_repo_id(name)
    except HFValidationError as error:
        raise SelfBehaveError(
            f"--push {name!r} is not a valid name on the Hub",
            mend="give org/name",
            exit_code=EXIT_USAGE,
        ) from error
    if "/" not in name:
        raise SelfBehaveError(
            f"--push {name!r} lacks its owner", mend="give org/name", exit_code=EXIT_USAGE
        )
    if not get_token():
        raise SelfBehaveError("--push needs a token of the Hugging Face Hub", mend=_MEND_TOKEN)


def push(folder: Path, name: str, *, public: bool = False) -> str:
    """Upload a release as a dataset, creating it if necessary; return its address.

    Args:
        public: whether a new dataset is public; an existing one keeps its visibility.

    Raises:
        SelfBehaveError: the Hub refuses it, or cannot be reached.
    """
    api = HfApi()
    try:
        made = api.create_repo(name, repo_type="dataset", private=not public, exist_ok=True)
        api.upload_folder(
            repo_id=made.repo_id,
            folder_path=folder,
            repo_type="dataset",
            commit_message="A release of SelfBehave",
        )
    except HfHubHTTPError as error:
        # The Hub's message, without the part meant for browsers.
        said = error.server_message or str(error)
        raise SelfBehaveError(
            f"the Hub refused the upload: {said}", where=name, mend=_MEND_TOKEN
        ) from error
    except (HTTPError, OSError) as error:
        raise SelfBehaveError(
            f"cannot reach the Hub: {error}", where=name, mend="run the command again with --push"
        ) from error
    return str(made)
