"""Open-loop Locust scenarios; each `*.py` here is a locustfile that works by itself."""
