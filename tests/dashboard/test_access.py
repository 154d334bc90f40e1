"""Who comes in at the door: cookies, tokens, roles, limits, proxies."""

import shutil
import ssl
import subprocess
import time

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.types import Scope

from services.dashboard.access import entry, limits, rules
from services.dashboard.access.cookies import Cookies, Pass, stamp
from services.dashboard.access.gate import Gate
from services.dashboard.door.build import build
from services.dashboard.door.login import local
from services.dashboard.pages.visitor import visitor
from shared import access
from tests.dashboard.conftest import door

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    """Argon2id at its least cost: the parameters are not what is tested here."""
    cost = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}
    monkeypatch.setattr(access, "hasher", lambda: PasswordHasher(**cost))


@pytest.fixture
def path(busless):
    return access.file_of(busless.settings)


@pytest.fixture
def maria(path):
    return access.add_person(path, "maria", "operate", PASSWORD)


def bearer(secret):
    return {"Authorization": f"Bearer {secret}"}


async def logged_in(client, name="maria", password=PASSWORD, **more):
    form = {"name": name, "password": password, **more}
    return await client.post("/login", data=form)


async def test_without_anybody_named_loopback_needs_no_login(busless):
    async with door(busless) as client:
        assert (await client.get("/tasks")).status_code == 200
        assert (await client.get("/login")).headers["location"] == "/dashboard"


async def test_with_somebody_named_programs_are_told_and_people_are_led_to_the_login(
    busless, maria
):
    async with door(busless) as client:
        told = await client.get("/tasks")
        led = await client.get("/dashboard/ops?x=1", headers={"Accept": "text/html"})
        probe = await client.get("/healthz")
    assert (told.status_code, told.json()["error"]["code"]) == (401, "unauthorized")
    assert told.headers["www-authenticate"] == "Bearer"
    assert led.headers["location"] == "/login?next=/dashboard/ops%3Fx%3D1"
    assert probe.status_code == 200


async def test_a_person_logs_in_and_out_for_good(busless, maria):
    async with door(busless) as client:
        answer = await logged_in(client, next="/dashboard/ops")
        kept = answer.headers["set-cookie"]
        inside = await client.get("/tasks")
        cookie = dict(client.cookies)
        await client.post("/logout")
        header = "; ".join(f"{name}={value}" for name, value in cookie.items())
        copied = await client.get("/tasks", headers={"Cookie": header})
    assert answer.headers["location"] == "/dashboard/ops"
    assert "HttpOnly" in kept and "SameSite=lax" in kept
    assert (inside.status_code, copied.status_code) == (200, 401)


async def test_an_ended_session_stays_ended_over_a_restart(busless, maria):
    cookie = await busless.gate.enter("maria", PASSWORD, "here")
    busless.gate.leave(cookie)
    again = Gate(busless.settings)
    assert again.who(cookie_scope(again, cookie)) is None


def cookie_scope(gate, cookie) -> Scope:
    header = f"{gate.cookie_name}={cookie}".encode()
    return {"type": "http", "headers": [(b"cookie", header)], "client": ("127.0.0.1", 1)}


async def test_a_session_ends_with_its_time_its_password_and_its_person(busless, maria, path):
    at = [time.time()]
    gate = Gate(busless.settings, clock=lambda: at[0])
    scope = cookie_scope(gate, await gate.enter("maria", PASSWORD, "here"))
    assert gate.who(scope).role == "operate"
    at[0] += 12 * 3600 + 1
    assert gate.who(scope) is None
    at[0] -= 3600
    assert gate.who(scope) is not None
    access.add_person(path, "maria", "operate", PASSWORD + "!")
    assert gate.who(scope) is None
    access.remove_person(path, "maria")
    access.add_key(path, "ci", "view", None)
    assert gate.who(scope) is None


def test_a_forged_or_foreign_cookie_is_nobody():
    ours, theirs = Cookies(b"a" * 32), Cookies(b"b" * 32)
    held = Pass("maria", 2**40, "n", stamp("hash"))
    good = ours.write(held)
    payload, _, mac = good.partition(".")
    assert ours.read(good) == held
    for bad in (
        theirs.write(held),
        payload,
        f"{payload}.",
        f"{payload}x.{mac}",
        "",
        "é.é",
        "." * 9,
    ):
        assert ours.read(bad) is None


async def test_a_wrong_password_and_an_unknown_name_are_told_the_same(busless, maria):
    async with door(busless) as client:
        wrong = await logged_in(client, password="wrong horse")
        unknown = await logged_in(client, name="nobody")
        hostile = await logged_in(client, name="<script>alert(1)</script>")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert "the name or the password is wrong" in wrong.text
    assert "the name or the password is wrong" in unknown.text
    assert "<script>alert" not in hostile.text


async def test_attempts_are_limited_even_with_the_right_password(busless, maria):
    for _ in range(limits.ATTEMPTS):
        busless.gate.attempts.fail("127.0.0.1 maria")
    async with door(busless) as client:
        answer = await logged_in(client)
    assert (answer.status_code, int(answer.headers["retry-after"]) > 0) == (429, True)


def test_attempts_are_forgotten_after_a_minute():
    at = [0.0]
    attempts = limits.Attempts(lambda: at[0])
    for _ in range(3):
        attempts.fail("k")
    with pytest.raises(limits.TooMany):
        attempts.check("k", 3)
    at[0] = 61.0
    attempts.check("k", 3)


def test_a_caller_has_its_pace():
    at = [0.0]
    pace = limits.Pace(5, lambda: at[0])
    for _ in range(10):
        pace.take("ci")
    with pytest.raises(limits.TooMany):
        pace.take("ci")
    pace.take("other")
    at[0] = 1.0
    pace.take("ci")


async def test_requests_of_a_program_have_their_pace(busless, maria, path, monkeypatch):
    monkeypatch.setattr(entry, "Pace", lambda rate: limits.Pace(1, lambda: 0.0))
    secret = bearer(access.add_key(path, "v", "view", None))
    async with door_of(busless) as client:
        answers = [await client.get("/tasks", headers=secret) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429, 429, 429]
    assert answers[-1].headers["retry-after"] == "1"


async def test_roles_hold_what_is_below_them(busless, maria, path):
    view = bearer(access.add_key(path, "v", "view", None))
    submit = bearer(access.add_key(path, "s", "submit", None))
    operate = bearer(access.add_key(path, "o", "operate", None))
    async with door(busless) as client:
        looked = await client.get("/tasks", headers=view)
        refused = await client.post("/tasks/execute", json=[], headers=view)
        taken = await client.post("/tasks/execute", json=[], headers=submit)
        higher = await client.post("/anything/else", json={}, headers=submit)
        highest = await client.post("/anything/else", json={}, headers=operate)
    assert (looked.status_code, refused.status_code, taken.status_code) == (200, 403, 422)
    assert (higher.status_code, highest.status_code) == (403, 404)
    assert refused.json()["error"] == {
        "code": "refused", "message": "v may view; this needs submit", "field": "role",
        "retryable": False, "retry_after_s": None,
    }  # fmt: skip


async def test_revoked_expired_and_invented_tokens_are_nobody(busless, maria, path):
    revoked = access.add_key(path, "r", "view", None)
    access.remove_key(path, "r")
    expired = access.add_key(path, "e", "view", 1e-9)
    async with door(busless) as client:
        for secret in (revoked, expired, "sov_invented", "é"):
            answer = await client.get(
                "/tasks", headers={"Authorization": f"Bearer {secret}".encode()}
            )
            assert answer.status_code == 401
        for _ in range(limits.ATTEMPTS_OF_ADDRESS):
            answer = await client.get("/tasks", headers=bearer("sov_guess"))
    assert answer.status_code == 429


async def test_a_broken_access_file_lets_nobody_in(busless, path):
    path.parent.mkdir(parents=True)
    path.write_text("{broken")
    async with door_of(busless) as client:
        answer = await client.get("/tasks")
    assert (answer.status_code, "access.json" in answer.text) == (503, True)


def door_of(parts):
    """The door beside `claim`, which reads the file as well."""
    import httpx

    from services.dashboard.door.front import front

    transport = httpx.ASGITransport(front(build(parts), parts))
    return httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1")


async def test_a_public_door_takes_tls_only(busless, maria, path):
    secret = bearer(access.add_key(path, "v", "view", None))
    busless.settings.dashboard.proxies = ("10.0.0.2",)
    busless.settings.dashboard.hosts = ("house.example",)
    async with door_of(busless) as client:
        plain = await client.get("/tasks", headers=secret)
        named = await client.get("https://house.example/tasks", headers=secret)
        foreign = await client.get("https://other.example/tasks", headers=secret)
        probe = await client.get("/healthz")
    assert (plain.status_code, plain.json()["error"]["field"]) == (403, "scheme")
    assert (named.status_code, foreign.status_code, probe.status_code) == (200, 403, 200)


async def test_the_websocket_of_the_pages_needs_the_cookie(busless, maria):
    sent = []

    async def send(message):
        sent.append(message)

    scope = {
        "type": "websocket", "path": "/dashboard/_nicegui_ws/socket.io/", "scheme": "ws",
        "headers": [(b"host", b"127.0.0.1")], "client": ("127.0.0.1", 1), "query_string": b"",
    }  # fmt: skip
    from services.dashboard.door.front import front

    await front(build(busless), busless)(scope, None, send)
    assert [one["type"] for one in sent] == ["websocket.close"]


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/healthz", None),
        ("GET", "/metrics", "view"),
        ("GET", "/healthz/../tasks", "operate"),
        ("POST", "/tasks/t1/cancel", "submit"),
        ("POST", "/dashboard/_nicegui_ws/socket.io/", "view"),
        ("POST", "/dashboard/_nicegui/client/x/upload/1", "submit"),
        ("POST", "/ops/restart", "operate"),
        ("DELETE", "/new/route", "operate"),
    ],
)
def test_every_request_has_its_role(method, path, role):
    assert rules.needed({"type": "http", "method": method, "path": path}) == role


@pytest.mark.parametrize(
    "wanted", ["//evil.example", "https://evil.example", "/\\evil.example", "", "/a\r\nX: y", "a"]
)
def test_the_login_leads_nowhere_else(wanted):
    assert local(wanted) == "/dashboard"


def certificate(folder):
    """Return a certificate for this host that signs itself, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    cert, key = folder / "c.pem", folder / "k.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext",
               "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


async def test_the_door_speaks_tls_with_the_owners_certificate(busless, maria, tmp_path):
    settings = busless.settings.dashboard
    settings.tls_cert, settings.tls_key = certificate(tmp_path)
    settings.hosts = ("house.example",)
    async with door(busless):
        base = f"https://127.0.0.1:{settings.port}"
        context = ssl.create_default_context(cafile=str(settings.tls_cert))
        async with httpx.AsyncClient(base_url=base, verify=context) as client:
            entered = await logged_in(client)
            looked = await client.get("/tasks")
    assert (entered.status_code, looked.status_code) == (303, 200)
    assert "Secure" in entered.headers["set-cookie"]
    assert "max-age" in looked.headers["strict-transport-security"]


async def test_a_page_knows_nobody_while_the_access_file_cannot_be_read(busless, maria, path):
    path.write_text("{broken")
    assert visitor(busless) is None
