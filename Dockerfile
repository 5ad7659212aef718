# One image for every role of docker-compose.yml: targets, workers and Locust differ in their command only.
# Python's minor version is the one that the tests run on, so the lock's wheels are those they ran with.
# The digest decides what is built on; it is that of the tag's list of platforms as of August 2026. Another base
# (a mirror's, or one made by kubernetes/image.sh) needs Python, pip and venv.
ARG BASE=python:3.11.15-slim-trixie@sha256:90744cff8f32887f075c47d747a173ff333e9e98801667af93c357fa9f5e28ff
FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements.txt ./
# Every wheel of the lock, its hash checked; what cannot be checked ends the build.
RUN python -m pip wheel --require-hashes --requirement requirements.txt --wheel-dir wheels
COPY pyproject.toml README.md LICENSE ./
COPY blockpoint blockpoint
COPY results results
COPY targets targets
COPY loadtests loadtests
COPY harness harness
COPY analysis analysis
# From those wheels alone, and only what the project needs to run: tools for types and lint stay behind,
# and so do the libraries' own tests.
RUN python -m venv /opt/blockpoint \
 && /opt/blockpoint/bin/python -m pip install --no-index --find-links wheels . \
 && /opt/blockpoint/bin/python -m pip uninstall --yes pip setuptools \
 && find /opt/blockpoint -depth -type d -name tests -exec rm -rf {} +
# The queues' own libraries, each from its lock: in the environment that its target and workers run with.
RUN /opt/blockpoint/bin/blockpoint environments --no-servers celery celery_rabbitmq arq taskiq dramatiq rq saq streaq huey procrastinate yield_dependency apscheduler

FROM ${BASE}
COPY --from=build /opt/blockpoint /opt/blockpoint
# The packages of the command lie beneath it; targets, workers and Locust import them by their own names.
ENV PATH=/opt/blockpoint/bin:$PATH \
    PYTHONPATH=/opt/blockpoint/lib/python3.11/site-packages/blockpoint/rooms \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BLOCKPOINT_RUNS=/results/runs
WORKDIR /app
# The locustfiles under the path that the documentation uses, and a folder for each target's ledger: a new
# volume mounted at /results takes its folders and their owner from here.
RUN ln -s "$(python -c 'import loadtests; print(loadtests.__path__[0])')" loadtests \
 && useradd --uid 10001 --user-group --no-create-home --home-dir /tmp --shell /usr/sbin/nologin blockpoint \
 && python -c 'import targets.strategy as s, pathlib; [pathlib.Path("/results/ledgers", f"{n}_{v}").mkdir(parents=True) for n, d in s.installed() if isinstance(d, s.Definition) for v in d.variants]' \
 && chown -R blockpoint:blockpoint /results
USER 10001:10001
CMD ["blockpoint", "--help"]
