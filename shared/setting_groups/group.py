"""What every group of settings is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Group(BaseModel):
    """Settings of one room; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid")
