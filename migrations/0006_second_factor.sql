-- The second factor of sign-in: one-time codes (RFC 6238). Null where a user has none; set, sign-in asks
-- for a code.
alter table users add column second_factor_at bigint;

-- What the codes are computed from. `secret` is in force, `pending` waits for its first code; both are
-- encrypted and bound to the user. `last_step` is the latest step of which a code was accepted: each
-- is accepted once.
create table second_factors (
  user_id text primary key references users (id),
  secret bytea,
  pending bytea,
  last_step bigint not null
);

-- Codes for who has lost the telephone, each for one time. Stored as keyed hashes, and deleted when used.
create table recovery_codes (
  user_id text not null references users (id),
  code_hash bytea not null,
  primary key (user_id, code_hash)
);
