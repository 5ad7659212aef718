"""What `rq worker --config targets.strategies.rq.config` reads."""

from targets.redis_server import RedisServer
from targets.settings import Settings

REDIS_URL = RedisServer.parse(Settings.from_environment().redis_url).url
