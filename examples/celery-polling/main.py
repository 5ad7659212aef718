"""Thumbnails behind Celery: a request is accepted at once, and its client asks until the result is there."""

from fastapi import FastAPI
from pydantic import BaseModel
from tasks import app as celery
from tasks import thumbnail

app = FastAPI()


class Picture(BaseModel):
    """What is to be made smaller."""

    name: str


@app.post("/thumbnails", status_code=202)
def submit(picture: Picture) -> dict[str, str]:
    """Queue a picture."""
    return {"job": thumbnail.delay(picture.name).id}


@app.get("/thumbnails/{job}")
def result(job: str) -> dict[str, object]:
    """Say how far a picture is."""
    found = celery.AsyncResult(job)
    return {"state": found.state, "result": found.result if found.successful() else None}


@app.get("/health")
async def health() -> str:
    """Answer from the event loop."""
    return "up"
