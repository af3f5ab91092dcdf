-- Specs belong to the server and are shared by its projects and runners.
CREATE TABLE spec (
  id INTEGER PRIMARY KEY,
  uuid TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  slug TEXT NOT NULL UNIQUE,
  os TEXT NOT NULL CHECK (os IN ('linux', 'macos', 'windows')),
  architecture TEXT NOT NULL CHECK (architecture IN ('x86_64', 'aarch64')),
  sandbox TEXT CHECK (sandbox IN ('firecracker')),
  cpu INTEGER NOT NULL CHECK (cpu > 0),
  memory INTEGER NOT NULL CHECK (memory > 0),
  disk INTEGER NOT NULL CHECK (disk > 0),
  network INTEGER NOT NULL DEFAULT 0 CHECK (network IN (0, 1)),
  -- When it became the server's default; at most one spec has it.
  fallback INTEGER,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  archived INTEGER
) STRICT;
-- Every non-null `fallback` has the same key here, so a second one is refused.
CREATE UNIQUE INDEX index_spec_fallback ON spec ((fallback IS NOT NULL)) WHERE fallback IS NOT NULL;
