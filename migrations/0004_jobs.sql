-- Imports and exports that a server carries out in the background. What was asked for and what came
-- of it (`request`, `result`) name files and rows: JSON, encrypted. The files lie in a folder of the
-- server, under the job's id.
create table jobs (
  id text primary key,
  kind text not null,
  user_id text not null references users (id),
  state text not null,
  request bytea not null,
  result bytea,
  rows_done bigint not null,
  rows_total bigint,
  -- The run of a server that carries it out, and when that last said so.
  server text,
  alive_at bigint,
  cancel_wanted bigint not null check (cancel_wanted between 0 and 1),
  -- Set by the import's own transaction: its rows are stored.
  stored_at bigint,
  files_kept bigint not null check (files_kept between 0 and 1),
  created_at bigint not null,
  started_at bigint,
  ended_at bigint
);
create index jobs_user on jobs (user_id, kind, created_at, id);
create index jobs_state on jobs (state, kind, created_at, id);
create index jobs_kept on jobs (created_at) where files_kept = 1;
