-- What schema version 1 was in SQLite. Never edit it: stores like this are out there.
CREATE TABLE events (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    domain TEXT NOT NULL,
    event TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    value DOUBLE,
    price DOUBLE,
    UNIQUE (event_id)
);
CREATE INDEX events_of_user ON events (user_id, number);
CREATE TABLE items (
    domain TEXT NOT NULL,
    item_id TEXT NOT NULL,
    content JSON NOT NULL,
    available BOOLEAN NOT NULL,
    PRIMARY KEY (domain, item_id)
);
CREATE TABLE exposures (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    request_id TEXT NOT NULL,
    user_id TEXT NOT NULL,
    item_id TEXT NOT NULL,
    position INTEGER NOT NULL,
    propensity DOUBLE NOT NULL,
    version TEXT NOT NULL,
    timestamp DATETIME NOT NULL,
    UNIQUE (request_id, position)
);
CREATE INDEX exposures_of_user ON exposures (user_id);
CREATE TABLE versions (
    number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    path TEXT NOT NULL,
    made DATETIME NOT NULL,
    state TEXT NOT NULL,
    facts JSON NOT NULL,
    UNIQUE (name)
);
CREATE UNIQUE INDEX one_current_one_previous ON versions (state) WHERE state IN ('current', 'previous');
CREATE TABLE keys (
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    digest TEXT NOT NULL,
    made DATETIME NOT NULL,
    PRIMARY KEY (name),
    UNIQUE (digest)
);
CREATE TABLE erased (
    digest TEXT NOT NULL,
    PRIMARY KEY (digest)
);
CREATE TABLE meta (
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (name)
);
INSERT INTO meta VALUES ('schema_version', '1'), ('salt', '00');
