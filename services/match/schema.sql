-- The read model of match: every row comes from the streams MATCH and LEDGER and from nothing else.
CREATE TABLE position (stream TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refused (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;

CREATE TABLE profile (party_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX profile_seq ON profile (seq);
CREATE TABLE need (
    need_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, party_id TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX need_seq ON need (seq);
CREATE INDEX need_party ON need (party_id);

CREATE TABLE report (month TEXT PRIMARY KEY, seq INTEGER NOT NULL, objects TEXT NOT NULL);

-- Who may use the page for clients and providers: the hash of a token, never the token.
CREATE TABLE token (
    token_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, party_id TEXT NOT NULL, side TEXT NOT NULL,
    digest TEXT NOT NULL UNIQUE, issued_at TEXT NOT NULL, revoked_at TEXT
) WITHOUT ROWID;
CREATE INDEX token_party ON token (party_id);

CREATE TABLE deal (
    deal_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, need_id TEXT NOT NULL, client_id TEXT NOT NULL,
    provider_id TEXT NOT NULL, state TEXT NOT NULL, currency TEXT, amount INTEGER,
    rate TEXT NOT NULL, score REAL, sector TEXT NOT NULL, opened_at TEXT NOT NULL,
    moved_at TEXT NOT NULL, expires_at TEXT
);
CREATE INDEX deal_need ON deal (need_id, state);
CREATE INDEX deal_provider ON deal (provider_id, state);
CREATE INDEX deal_client ON deal (client_id);
CREATE INDEX deal_seq ON deal (seq);
CREATE INDEX deal_expiry ON deal (expires_at) WHERE state = 'offered';
CREATE TABLE move (
    seq INTEGER PRIMARY KEY, deal_id TEXT NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL,
    actor TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL
);
CREATE INDEX move_deal ON move (deal_id);
CREATE TABLE outcome (
    seq INTEGER NOT NULL, place INTEGER NOT NULL, need_id TEXT NOT NULL, client_id TEXT NOT NULL,
    provider_id TEXT NOT NULL, side TEXT NOT NULL, yes INTEGER NOT NULL,
    PRIMARY KEY (seq, place)
) WITHOUT ROWID;
CREATE INDEX outcome_provider ON outcome (provider_id);
CREATE INDEX outcome_client ON outcome (client_id);

CREATE TABLE unknown_payout (
    payout TEXT PRIMARY KEY, seq INTEGER NOT NULL, reason TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE subscription (
    subscription_id TEXT PRIMARY KEY, seq INTEGER NOT NULL, party_id TEXT NOT NULL,
    stream TEXT NOT NULL, currency TEXT NOT NULL, monthly INTEGER NOT NULL,
    set_up INTEGER NOT NULL, since TEXT NOT NULL, active INTEGER NOT NULL
) WITHOUT ROWID;

-- Keys that callers made: one act each, for ever.
CREATE TABLE act (
    key TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL, meaning TEXT NOT NULL,
    PRIMARY KEY (key, stream)
) WITHOUT ROWID;

CREATE TABLE posting (
    entry INTEGER NOT NULL REFERENCES entry (seq) DEFERRABLE INITIALLY DEFERRED,
    account TEXT NOT NULL, minor INTEGER NOT NULL CHECK (minor != 0),
    PRIMARY KEY (entry, account)
) WITHOUT ROWID;
CREATE TABLE entry (
    seq INTEGER PRIMARY KEY, entry_id TEXT NOT NULL UNIQUE, key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL, stream TEXT NOT NULL, deal_id TEXT NOT NULL, party_id TEXT NOT NULL,
    reverses TEXT, currency TEXT NOT NULL, rate TEXT NOT NULL, sector TEXT NOT NULL,
    cash INTEGER NOT NULL, earned INTEGER NOT NULL, owed INTEGER NOT NULL, at TEXT NOT NULL
);
CREATE INDEX entry_deal ON entry (deal_id);
CREATE INDEX entry_reverses ON entry (reverses);

CREATE TABLE balance (
    currency TEXT NOT NULL, account TEXT NOT NULL, minor INTEGER NOT NULL,
    PRIMARY KEY (currency, account)
) WITHOUT ROWID;

-- Sums of the entries, so that a report does not read them all.
CREATE TABLE earning (
    day TEXT NOT NULL, kind TEXT NOT NULL, stream TEXT NOT NULL, sector TEXT NOT NULL,
    currency TEXT NOT NULL, gross INTEGER NOT NULL, earned INTEGER NOT NULL,
    refunded INTEGER NOT NULL, payable INTEGER NOT NULL, returned INTEGER NOT NULL,
    PRIMARY KEY (day, kind, stream, sector, currency)
) WITHOUT ROWID;
CREATE TABLE party_earning (
    party_id TEXT NOT NULL, stream TEXT NOT NULL, currency TEXT NOT NULL,
    gross INTEGER NOT NULL, earned INTEGER NOT NULL, refunded INTEGER NOT NULL,
    payable INTEGER NOT NULL, returned INTEGER NOT NULL,
    PRIMARY KEY (party_id, stream, currency)
) WITHOUT ROWID;

CREATE TRIGGER entry_balances BEFORE INSERT ON entry
WHEN (SELECT count(*) FROM posting WHERE entry = NEW.seq) < 2
  OR (SELECT sum(minor) FROM posting WHERE entry = NEW.seq) != 0
BEGIN SELECT RAISE(ABORT, 'the postings of an entry must sum to zero'); END;
CREATE TRIGGER posting_sealed BEFORE INSERT ON posting
WHEN EXISTS (SELECT 1 FROM entry WHERE seq = NEW.entry)
BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;
CREATE TRIGGER entry_kept BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END;
CREATE TRIGGER entry_fixed BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'an entry never changes'); END;
CREATE TRIGGER posting_kept BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'a posting is never deleted'); END;
CREATE TRIGGER posting_fixed BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'a posting never changes'); END;
