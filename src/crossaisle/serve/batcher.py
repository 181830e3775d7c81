"""Batcher: single questions of many requests, answered together, by one thread or in the event loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Batcher(Generic[A, R]):
    """Nobody waits for a batch to fill: what came while the last one was in work is the next one.

    Args:
        work: n questions → n answers, called in one thread of its own. Where it raises, each question is asked alone,
            so that one cannot spoil the others; asking a question twice must be harmless.
        limit: most questions at once.
        here: work in the event loop instead, where an answer takes less than the way to a thread and back.
    """

    def __init__(self, work: Callable[[list[A]], list[R]], limit: int, *, here: bool = False) -> None:
        self._work, self._limit, self._here = work, limit, here
        self._waiting: deque[tuple[A, asyncio.Future[R]]] = deque()
        self._thread = ThreadPoolExecutor(1)
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: A) -> R:
        """The answer to one question, or its error."""
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._task is None:
            self._task = asyncio.create_task(self._drain())
        return await future

    def close(self) -> None:
        """Finish what is in work; nothing may be asked afterwards."""
        self._thread.shutdown(wait=True)

    async def _drain(self) -> None:
        while self._waiting:
            if self._here:
                await asyncio.sleep(0)  # let in what came while the last batch was in work
            batch = [self._waiting.popleft() for _ in range(min(self._limit, len(self._waiting)))]
            asked = [(q, f) for q, f in batch if not f.done()]  # whoever gave up is not answered
            answers = await self._answered([q for q, _ in asked])
            for (_, future), answer in zip(asked, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        self._task = None

    async def _answered(self, questions: list[A]) -> list[R | Exception]:
        if self._here:
            return self._answers(questions)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._answers, questions)
        except RuntimeError as error:  # the thread is closed: nobody may wait for ever
            return [error] * len(questions)

    def _answers(self, questions: list[A]) -> list[R | Exception]:
        try:
            return [*self._work(questions)]
        except Exception as error:
            return [error] if len(questions) == 1 else [a for q in questions for a in self._answers([q])]
