"""Counts what goes through the websocket between a page and its kernel."""

from __future__ import annotations

import itertools
import json
import struct
from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class OneWay:
    """Messages of one direction.

    Attributes
    ----------
    messages
        How many there were.
    bytes
        Their size as websocket payload.
    types
        How many of each Jupyter message type, e.g. ``{"comm_msg": 1, "status": 2}``.
    """

    messages: int
    bytes: int
    types: dict[str, int]


@dataclass(frozen=True)
class Traffic:
    """What a page sent to its kernel, and what it received."""

    sent: OneWay
    received: OneWay


@dataclass(frozen=True)
class Frame:
    """One message as it went over the websocket.

    Attributes
    ----------
    sent
        True from page to kernel, False from kernel to page.
    size
        Bytes of payload.
    type, id, parent
        Jupyter's message type and id, and the id of the message that this one answers.
    idle
        Whether it says that the kernel is done with the parent.
    """

    sent: bool
    size: int
    type: str
    id: str
    parent: str
    idle: bool


@dataclass
class TrafficLog:
    """The messages since the last `clear`; `ignore` leaves the test's own ones out."""

    frames: list[Frame] = field(default_factory=list)
    ignored: set[str] = field(default_factory=set)

    def add(self, payload: str | bytes, *, sent: bool) -> None:
        """Note a websocket frame."""
        self.frames.append(frame := read_frame(payload, sent=sent))
        # Jupyter's debugger asks when it likes; whether it is done is nothing to a test.
        if frame.type == "debug_request":
            self.ignore(frame.id)

    def clear(self) -> None:
        """Forget all messages so far, and leave out answers to them that are still to come."""
        self.ignored |= self.waiting().keys()
        self.frames.clear()

    def ignore(self, message_id: str) -> None:
        """Leave out a message and its answers, but not what its code does to widgets."""
        self.ignored.add(message_id)

    def waiting(self) -> dict[str, str]:
        """Return id and type of the messages that the kernel is not done with."""
        # Of a request the reply and the "idle" come on two channels, in either order.
        idle = {frame.parent for frame in self.frames if frame.idle}
        replied = {frame.parent for frame in self.frames if frame.type.endswith("_reply")}
        sent = {frame.id: frame.type for frame in self.frames if frame.sent and self._counts(frame)}
        requests = {message for message, type_ in sent.items() if type_.endswith("_request")}
        waiting = (sent.keys() - idle) | (requests - replied)
        return {message: sent[message] for message in waiting}

    def traffic(self) -> Traffic:
        """Return what was counted."""
        return Traffic(self._one_way(sent=True), self._one_way(sent=False))

    def _one_way(self, *, sent: bool) -> OneWay:
        frames = [frame for frame in self.frames if frame.sent is sent and self._counts(frame)]
        types = Counter(frame.type for frame in frames)
        return OneWay(len(frames), sum(frame.size for frame in frames), dict(types))

    def _counts(self, frame: Frame) -> bool:
        return frame.type.startswith("comm_") or not {frame.id, frame.parent} & self.ignored


def read_frame(payload: str | bytes, *, sent: bool) -> Frame:
    """Read a websocket frame of either of Jupyter's two protocols, text (JSON) and binary (v1)."""
    if isinstance(payload, str):
        message, size = json.loads(payload), len(payload.encode())
    else:
        message, size = _read_binary(payload), len(payload)
    header, parent = message["header"], message["parent_header"]
    idle = header["msg_type"] == "status" and message["content"]["execution_state"] == "idle"
    return Frame(sent, size, header["msg_type"], header["msg_id"], parent.get("msg_id", ""), idle)


def _read_binary(payload: bytes) -> dict[str, Any]:
    # v1.kernel.websocket.jupyter.org: the number of offsets, the offsets, then the parts: channel,
    # header, parent header, metadata, content, buffers.
    (number,) = struct.unpack_from("<Q", payload)
    offsets = struct.unpack_from(f"<{number}Q", payload, 8)
    parts = [payload[start:end] for start, end in itertools.pairwise(offsets[1:])]
    names = ("header", "parent_header", "metadata", "content")
    return {name: json.loads(part) for name, part in zip(names, parts, strict=False)}
