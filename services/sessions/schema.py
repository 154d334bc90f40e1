"""The tables of the index: a read model of stream SESSIONS in one SQLite file."""

from __future__ import annotations

VERSION = 6
"""Another version in the file means: build it anew from the stream."""

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",
    "PRAGMA secure_delete=ON",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
)

TABLES = """
CREATE TABLE about(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE namespace(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

CREATE TABLE session(
    id INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'open',
    first_at TEXT NOT NULL,
    last_at TEXT NOT NULL,
    last_seq INTEGER NOT NULL DEFAULT 0,
    positions INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX session_namespace ON session(namespace, last_seq);

CREATE TABLE event(
    seq INTEGER PRIMARY KEY,
    session INTEGER NOT NULL REFERENCES session(id),
    position INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    actor TEXT NOT NULL,
    at TEXT NOT NULL,
    closes TEXT,
    closed_by INTEGER,
    body BLOB NOT NULL,
    UNIQUE(session, event_id)
);
CREATE UNIQUE INDEX event_spot ON event(session, position, seq, actor, kind);
CREATE INDEX event_open ON event(session) WHERE kind = 'pending.add' AND closed_by IS NULL;
CREATE INDEX event_actor ON event(actor);
CREATE INDEX event_handoff ON event(seq) WHERE kind = 'handoff.made';

CREATE TRIGGER event_counts AFTER INSERT ON event BEGIN
    UPDATE session SET
        positions = new.position,
        last_seq = new.seq,
        last_at = max(last_at, new.at),
        title = iif(title = '' AND new.kind = 'session.opened',
            json_extract(CAST(new.body AS TEXT), '$.title'), title),
        status = CASE new.kind
            WHEN 'session.closed' THEN 'closed'
            WHEN 'session.opened' THEN 'open'
            WHEN 'session.resumed' THEN 'open'
            WHEN 'session.forgotten' THEN iif(new.position = 1, 'forgotten', status)
            ELSE status END
    WHERE id = new.session;
END;
CREATE TRIGGER event_closes AFTER INSERT ON event WHEN new.closes IS NOT NULL BEGIN
    UPDATE event SET closed_by = new.seq
    WHERE session = new.session AND event_id = new.closes AND closed_by IS NULL;
END;

CREATE TABLE snapshot(session INTEGER PRIMARY KEY, head BLOB NOT NULL);

CREATE VIRTUAL TABLE words USING fts5(
    text, content='', tokenize="porter unicode61 remove_diacritics 2 tokenchars '_'"
);
"""
