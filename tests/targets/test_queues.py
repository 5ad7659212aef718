"""What a queue has of `targets.queues`, over a broker that is a list."""

import asyncio
import threading

import pytest
from fastapi import BackgroundTasks

from targets.queues import Durable, InTheCoroutine, OffTheLoop, Queue
from targets.strategy import UnreachableError
from targets.task import Task

TASK = Task(id=1, kind="sleep", units=1.0)


class Plain(InTheCoroutine):
    def __init__(self) -> None:
        self.sent: list[tuple[int, threading.Thread]] = []
        self.may_send = threading.Event()
        self.may_send.set()

    def send(self, task: Task) -> None:
        self.may_send.wait()
        self.sent.append((task.id, threading.current_thread()))


class Beside(OffTheLoop, Plain):
    pass


class Refused(Durable, Beside):
    unreachable = (ConnectionRefusedError,)

    def send(self, task: Task) -> None:
        raise ConnectionRefusedError(task.id)


async def submitted(queue: Queue) -> None:
    await queue.start()
    try:
        await queue.submit(TASK, BackgroundTasks())
    finally:
        await queue.stop()


def test_a_task_is_sent_in_the_coroutine_or_beside_it() -> None:
    plain, beside = Plain(), Beside()
    asyncio.run(submitted(plain))
    asyncio.run(submitted(beside))
    main = threading.main_thread()
    assert plain.sent == [(TASK.id, main)]
    assert [(task, thread is main) for task, thread in beside.sent] == [(TASK.id, False)]


def test_what_is_being_sent_is_waited_for_in_the_end() -> None:
    async def stop_meanwhile(queue: Beside) -> None:
        await queue.start()
        queue.may_send.clear()
        publishing = asyncio.create_task(queue.submit(TASK, BackgroundTasks()))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(queue.stop())
        await asyncio.sleep(0)
        assert not queue.sent
        queue.may_send.set()
        await asyncio.gather(publishing, stopping)

    queue = Beside()
    asyncio.run(stop_meanwhile(queue))
    assert len(queue.sent) == 1


def test_a_durable_queue_says_that_its_broker_cannot_be_reached() -> None:
    assert Refused.supervised
    with pytest.raises(UnreachableError):
        asyncio.run(submitted(Refused()))


def test_a_queue_that_cannot_publish_is_not_made() -> None:
    class Silent(Queue):
        pass

    with pytest.raises(TypeError, match="publish"):
        Silent()  # type: ignore[abstract]
