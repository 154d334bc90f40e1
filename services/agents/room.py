"""What manager and workers of one process share."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.agents.attachments import Attachments
from services.agents.calls import Models
from services.agents.crew import Crew, gather_crew
from services.agents.engine import Routers
from services.agents.journal import Journal
from services.agents.live import Live
from services.agents.running import Running
from services.agents.tools.toolbox import Toolbox
from services.agents.views import Views
from services.agents.waiting import WaitingList
from shared.bus import Bus
from shared.settings import Settings


@dataclass(frozen=True)
class Room:
    """Collaborators, all on one connection; `instance` and `host` say who writes."""

    bus: Bus
    settings: Settings
    instance: str
    crew: Crew
    journal: Journal
    views: Views
    waiting: WaitingList
    attachments: Attachments
    live: Live
    routers: Routers
    models: Models
    running: Running
    toolbox: Toolbox = field(default_factory=Toolbox)

    @property
    def host(self) -> str:
        """Return the name of this host."""
        return self.settings.host

    @property
    def guarded(self) -> set[str]:
        """Return the agents that ask a person before each step."""
        return {name for name, spec in self.crew.items() if spec.approval is True}


async def open_room(bus: Bus, settings: Settings, instance: str) -> Room:
    """Return a room on streams and buckets that exist.

    Agents of the owner whose files are wrong are left out (`crew.faults`); `InvalidSetting` is
    raised for a folder that is not there.
    """
    routers = Routers()
    toolbox = Toolbox(settings.agents.mcp)
    return Room(
        bus=bus,
        settings=settings,
        instance=instance,
        crew=gather_crew(settings.agents.folder, toolbox.check).within(settings.router.num_ctx),
        journal=Journal(bus),
        views=await Views.open(bus),
        waiting=await WaitingList.open(bus),
        attachments=await Attachments.open(bus),
        live=Live(bus),
        routers=routers,
        models=Models(bus, routers),
        running=Running(),
        toolbox=toolbox,
    )
