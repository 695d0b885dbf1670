"""Retries: how long to wait between attempts, and when to give up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

import tenacity

from ..core.errors import SelfBehaveError
from .base import Completion, Request
from .contact import Contact
from .failures import Cause, TryAgainError
from .pool import Pool

__all__ = ["Retrying"]

_FIRST_CONTACT_SECONDS = 5.0  # give up sooner on a server that was never reached
# Attempts of a request, all answered with something unusable, at a server that has never answered.
_FIRST_CONTACT_ATTEMPTS = 3
_ADVICE = {
    Cause.UNREACHED: "check that the server is up",
    Cause.GATEWAY: "check that the server is up",
    Cause.BUSY: "lower --request_batch_size, or give a higher --max_wait",
    Cause.FAILED: "look into the server's log: it is up, and answers with this failure",
    Cause.UNUSABLE: "look into the server's log: it is up, and its answers cannot be used",
}
_BACKOFF = tenacity.wait_random_exponential(multiplier=0.5, max=30.0)


class Retrying:
    """Retries with growing pauses until a request is answered or permanently refused.

    Pauses grow exponentially, with jitter, and are never shorter than a server's `Retry-After`.

    Args:
        pool: makes each attempt.
        contact: is called for each failed attempt and each answer.
        max_wait: seconds to keep retrying one request, from its first failure.
    """

    def __init__(self, pool: Pool, contact: Contact, max_wait: float) -> None:
        self._pool = pool
        self._contact = contact
        self._max_wait = max_wait
        self._was_reached = self._has_answered = False
        self._stopping = asyncio.Event()

    async def complete(self, request: Request) -> Completion:
        """Get a request answered; the answer's `attempts` says how many attempts it took.

        Raises:
            SelfBehaveError: the request was permanently refused, failed for too long, or the run
            stops.
        """
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(TryAgainError),
            wait=self._wait,
            stop=self._patience(),
            sleep=self._sleep,
            before_sleep=lambda state: self._note_failure(request, state),
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    completion = await self._attempt(request)
        except TryAgainError as error:
            raise self._giving_up(error) from error
        return replace(completion, attempts=int(retrying.statistics["attempt_number"]))

    def stop(self) -> None:
        """Stop retries and new requests; attempts in flight may still be answered."""
        self._stopping.set()

    def refuse_if_stopping(self) -> None:
        """Raise a SelfBehaveError once `stop` was called."""
        if self._stopping.is_set():
            raise SelfBehaveError("not asked: the run is stopping", where=self._contact.address)

    async def _attempt(self, request: Request) -> Completion:
        try:
            completion = await self._pool.complete(request)
        except TryAgainError as error:
            self._was_reached |= error.cause is not Cause.UNREACHED
            if not error.cause.is_absence:
                self._contact.answered()
            raise
        except SelfBehaveError:
            self._contact.answered()  # with a refusal
            raise
        self._was_reached = self._has_answered = True
        self._contact.answered()
        return completion

    def _giving_up(self, error: TryAgainError) -> SelfBehaveError:
        """The error after the last attempt: how to mend it depends on what came back."""
        what, mend = str(error), error.mend
        if error.retry_after is not None and error.retry_after > self._max_wait:
            what += (
                f"; the server asks to wait {error.retry_after:,.0f} s, which is longer than "
                f"--max_wait ({self._max_wait:g} s)"
            )
            mend = "continue later, or give a higher --max_wait"
        elif not mend:
            mend = _ADVICE[error.cause]
        return SelfBehaveError(
            what,
            where=self._contact.address,
            mend=f"{mend}; the same command continues",
            goes_on=True,
        )

    def _note_failure(self, request: Request, state: tenacity.RetryCallState) -> None:
        error = _error_of(state)
        self._contact.failed(
            request,
            state.attempt_number,
            error.reason,
            error.words,
            state.upcoming_sleep,
            is_away=error.cause.is_absence,
        )

    def _patience(self) -> Callable[[tenacity.RetryCallState], bool]:
        """Decides when to give up on one request.

        Time counts from the first failure, because a hanging server is detected late.
        """
        failed_first: float | None = None

        def gives_up(state: tenacity.RetryCallState) -> bool:
            nonlocal failed_first
            failed = state.outcome_timestamp or 0.0
            failed_first = failed if failed_first is None else failed_first
            first_contact = min(_FIRST_CONTACT_SECONDS, self._max_wait)
            patience = self._max_wait if self._was_reached else first_contact
            is_unusable = _error_of(state).cause is Cause.UNUSABLE and not self._has_answered
            return (
                self._stopping.is_set()
                or failed - failed_first + state.upcoming_sleep > patience
                or (is_unusable and state.attempt_number >= _FIRST_CONTACT_ATTEMPTS)
            )

        return gives_up

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Seconds until a request is retried: zero while another engine may answer it.

        Otherwise wait longer than the server asks. Otherwise all refused requests would return at
        the same moment, or without a pause if the server asks for none.
        """
        if state.attempt_number < len(self._pool) and self._pool.is_any_open:
            return 0.0
        return (_error_of(state).retry_after or 0.0) + _BACKOFF(state)

    async def _sleep(self, seconds: float) -> None:
        """Sleep; give up as soon as work is to stop."""
        # Python 3.11's `wait_for` swallows a cancellation that arrives together with the event.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        self.refuse_if_stopping()


def _error_of(state: tenacity.RetryCallState) -> TryAgainError:
    """Why the last attempt failed."""
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, TryAgainError), "nothing else is tried again"
    return error
