"""Orders whose mail blocks the event loop for 50 ms: 20/s is the most that it bears."""

import time

from fastapi import BackgroundTasks, FastAPI

from blockpoint import observe

app = FastAPI()
app.add_middleware(observe.Requests)
mailed: set[str] = set()


@observe.observed
async def mail(order: str) -> None:
    """Wait for the mail server, and let everything else wait, too."""
    time.sleep(0.05)  # noqa: ASYNC251 -- the mistake that is to be found
    mailed.add(order)


@app.post("/orders/{order}", status_code=202)
async def submit(order: str, background: BackgroundTasks) -> None:
    """Take an order."""
    background.add_task(mail, order)


@app.get("/orders/{order}")
async def state(order: str) -> dict[str, str]:
    """Say whether an order's mail is out."""
    return {"state": "mailed" if order in mailed else "waits"}


@app.get("/health")
async def health() -> str:
    """Answer from the event loop."""
    return "up"
