-- Accounts: who may sign in, what they may do and where.
create table users (
  id text primary key,
  name text not null unique,
  display_name text not null,
  password_hash text not null,
  must_change bigint not null check (must_change between 0 and 1),
  is_locked bigint not null check (is_locked between 0 and 1),
  failures bigint not null,
  locked_until bigint,
  password_at bigint not null,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null
);

-- A role in an area; `area` is null for the three administrators, who see no business data. It holds
-- from `starts_on` until the day before `ends_on`.
create table grants (
  id text primary key,
  user_id text not null references users (id),
  role text not null,
  area text,
  starts_on text not null,
  ends_on text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null
);
create index grants_user on grants (user_id);

-- A signed-in browser. The cookie's token is stored only as its hash.
create table sessions (
  token_hash text primary key,
  user_id text not null references users (id),
  created_at bigint not null,
  used_at bigint not null,
  ends_at bigint not null,
  address text not null,
  agent text not null
);
create index sessions_user on sessions (user_id);

-- Answers to writes that carried an Idempotency-Key; status 0 is a request not answered yet. `body` is
-- encrypted.
create table idempotency_keys (
  user_id text not null,
  key text not null,
  request_hash text not null,
  status bigint not null,
  headers text not null,
  body bytea not null,
  created_at bigint not null,
  primary key (user_id, key)
);
create index idempotency_keys_created on idempotency_keys (created_at);
