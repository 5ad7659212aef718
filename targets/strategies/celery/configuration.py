"""What the variants of Celery set, by the releases of Celery and kombu that run."""

from collections.abc import Mapping
from importlib import metadata
from typing import Any

from targets.settings import Settings
from targets.task import MAX_DURATION_MS

SHIPPED_VISIBILITY_S = 3600.0
DURABLE_VISIBILITY_S = MAX_DURATION_MS / 1000 + 30
"""longer than the longest task, which would run twice"""
TUNED_ATTEMPTS = 3
LOOKS_A_WINDOW = 10


def _is_since(library: str, major: int, minor: int) -> bool:
    """Say whether an installed library is of that release or a later one."""
    release = metadata.version(library).split(".")
    return (int(release[0]), int(release[1])) >= (major, minor)


RENEWED = _is_since("kombu", 5, 7)
"""kombu's loop wakes for a callback from another thread, and looks for hidden tasks as often as it is told"""
COUNTS_LOST_CHILDREN = _is_since("celery", 5, 7)
TUNED: dict[str, Any] = {"task_ignore_result": True}
DURABLE: dict[str, Any] = {
    "task_ignore_result": True,
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "task_publish_retry_policy": {
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    },
    "worker_prefetch_multiplier": 1,
    "worker_cancel_long_running_tasks_on_connection_loss": False,
    "worker_soft_shutdown_timeout": 10.0,
    "broker_connection_max_retries": None,
}
if COUNTS_LOST_CHILDREN:
    DURABLE["task_retry_on_worker_lost"] = True
if not RENEWED:
    # With a limit, the worker's loop sleeps once that many messages wait for their acknowledgement: one
    # that comes from a pool thread does not wake it (docs/strategies.md).
    TUNED["worker_prefetch_multiplier"] = 0
_SOCKET = {"socket_timeout": 5.0, "socket_connect_timeout": 2.0, "socket_keepalive": True}
TUNED_OVER_REDIS: dict[str, Any] = {**TUNED, "broker_transport_options": _SOCKET}
DURABLE_OVER_REDIS: dict[str, Any] = {
    **DURABLE,
    "broker_transport_options": {
        **_SOCKET,
        "visibility_timeout": DURABLE_VISIBILITY_S,
        "unacked_mutex_expire": 10,
        "health_check_interval": 10,
        "retry_on_timeout": True,
    },
}


def with_window(configuration: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Return the configuration with the settings' visibility timeout where they name one."""
    if not settings.visibility_s:
        return dict(configuration)
    return _with_options(configuration, visibility_timeout=settings.visibility_s)


def durably(settings: Settings) -> dict[str, Any]:
    """Return what the durable variant sets over Redis.

    Its workers look for hidden tasks ten times a window, where kombu can: one that has taken the place of a
    dead one then looks just when the window ends of all that was held.
    """
    configuration = with_window(DURABLE_OVER_REDIS, settings)
    if not RENEWED:
        return configuration
    window_s = configuration["broker_transport_options"]["visibility_timeout"]
    interval_s = max(1, round(window_s / LOOKS_A_WINDOW))
    return _with_options(configuration, unacked_restore_interval=interval_s, unacked_restore_throttle=1)


def _with_options(configuration: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    former = configuration.get("broker_transport_options", {})
    return {**configuration, "broker_transport_options": {**former, **options}}
