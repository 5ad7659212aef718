import pytest

from results.inheritance import PASSED_ON, inherited

OTHERS = [
    "ARQ_TIMEZONE",
    "BLOCKPOINT_REDIS_URL",
    "CELERY_BROKER_URL",
    "DRAMATIQ_BROKER",
    "FORWARDED_ALLOW_IPS",
    "GEVENT_RESOLVER",
    "GIT_DIR",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_PATH",
    "KOMBU_LOG_DEBUG",
    "LD_PRELOAD",
    "LOCUST_RUN_TIME",
    "MATPLOTLIBRC",
    "OMP_NUM_THREADS",
    "PYTHONOPTIMIZE",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "REDIS_URL",
    "SSLKEYLOGFILE",
    "TMPDIR",
    "UVICORN_WORKERS",
    "WEB_CONCURRENCY",
    "https_proxy",
]


@pytest.mark.parametrize("name", OTHERS)
def test_no_setting_of_a_library_or_server_is_passed_on(name: str) -> None:
    assert inherited({name: "1"}) == inherited({})


@pytest.mark.parametrize("name", PASSED_ON)
def test_what_is_needed_is_passed_on_as_it_is(name: str) -> None:
    assert inherited({name: "as it is"})[name] == "as it is"
    assert name not in inherited({})
    assert PASSED_ON[name]


def test_no_module_comes_from_the_working_directory() -> None:
    assert inherited({"PYTHONSAFEPATH": ""})["PYTHONSAFEPATH"] == "1"
