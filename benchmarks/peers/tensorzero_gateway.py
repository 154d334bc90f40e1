"""TensorZero in the environment of `PEERS_PYTHON`: embedded, and with its HTTP gateway.

`python tensorzero_gateway.py UPSTREAM` prints the address of the HTTP gateway; then each line
`COUNT WIDTH` makes so many embedded calls, so many of them in flight, and is answered with a line
of JSON: the seconds that each took. Its client and its gateway are this one process.
"""

import asyncio
import json
import sys
import tempfile
import time

import tensorzero

CONFIG = """
[gateway]
observability.enabled = false
[models.m]
routing = ["upstream"]
[models.m.providers.upstream]
type = "openai"
model_name = "m-1"
api_base = "{upstream}/v1/"
api_key_location = "none"
"""
SAID = {"messages": [{"role": "user", "content": "hello there " * 20}]}
NOTHING = {"clickhouse_url": None, "postgres_url": None, "valkey_url": None}


async def main(upstream: str) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
        config.write(CONFIG.format(upstream=upstream))
        config.flush()
        build = tensorzero.AsyncTensorZeroGateway.build_embedded
        embedded = await build(config_file=config.name)
        served = await tensorzero._start_http_gateway(
            config_file=config.name, async_setup=True, **NOTHING
        )
    print(json.dumps({"url": served.base_url}), flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        count, width = map(int, line.split())
        print(json.dumps(await burst(embedded, count, width)), flush=True)
    served.close()


async def burst(gateway: object, count: int, width: int) -> list[float]:
    each = [count // width + (number < count % width) for number in range(width)]
    taken = await asyncio.gather(*(timed(gateway, number) for number in each))
    return [seconds for some in taken for seconds in some]


async def timed(gateway: object, count: int) -> list[float]:
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        answer = await gateway.inference(model_name="m", input=SAID)
        taken.append(time.perf_counter() - begin)
        if answer.content[0].text != "word ":
            raise RuntimeError(answer)
    return taken


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
