"""Orders with an invoice by mail, as FastAPI's full-stack template would have it: SQLModel, PostgreSQL."""

import os
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI
from sqlmodel import Field, Session, SQLModel, create_engine, select

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)
MAIL_S = 0.1
"""what the mail server takes"""
engine = create_engine(URL)


class Order(SQLModel, table=True):
    """An order."""

    id: int | None = Field(default=None, primary_key=True)
    item: str


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Make the tables."""
    SQLModel.metadata.create_all(engine)
    yield


app = FastAPI(lifespan=lifespan)


def opened() -> Iterator[Session]:
    """Give a session, which FastAPI closes after the background tasks."""
    with Session(engine) as session:
        yield session


SessionOfRequest = Annotated[Session, Depends(opened)]


def send_invoice(order_id: int | None) -> None:  # noqa: ARG001
    """Mail an invoice."""
    time.sleep(MAIL_S)


@app.post("/orders", status_code=201)
def create(order: Order, session: SessionOfRequest, background: BackgroundTasks) -> Order:
    """Store an order, and mail its invoice after the answer."""
    session.add(order)
    session.commit()
    session.refresh(order)
    background.add_task(send_invoice, order.id)
    return order


@app.get("/orders/newest")
def newest(session: SessionOfRequest) -> Order | None:
    """Look something up."""
    return session.exec(select(Order).order_by(Order.id.desc()).limit(1)).first()


@app.get("/health")
async def health() -> str:
    """Answer from the event loop."""
    return "up"
