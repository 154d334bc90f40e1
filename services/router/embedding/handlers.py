"""Vectors on the bus: `model.embed` requests in, replies and error envelopes out."""

from __future__ import annotations

from dataclasses import dataclass

from nats.micro.request import Request

from services.router.embedding.desk import EmbedDesk
from services.router.presence import Presence
from services.router.running import Running
from shared import rpc
from shared.events import EmbedReply, EmbedRequest
from shared.ids import ulid
from shared.load import leaning


@dataclass(frozen=True, slots=True)
class EmbedHandlers:
    """A request ends when `model.cancel` names it, and when its requester is gone."""

    desk: EmbedDesk
    running: Running
    presence: Presence

    async def embed(self, request: Request) -> None:
        """Reply or refuse; silence is no answer."""
        async with rpc.answering(request):
            await rpc.respond(request, await self._complete(request))

    async def _complete(self, request: Request) -> EmbedReply:
        asked = rpc.parse(request.data, EmbedRequest)
        request_id = asked.request_id or ulid()
        asked = asked.model_copy(update={"request_id": request_id})
        with self.running.call(request_id) as take_back:
            async with self.presence.watch(request._msg.reply, None, take_back):
                with leaning():
                    return await self.desk.embed(asked)
