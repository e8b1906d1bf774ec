-- Import jobs of the server, with their outcome.
create table imports (
  id text primary key,
  user_name text not null,
  file_names text not null,
  state text not null,
  dry_run bigint not null check (dry_run between 0 and 1),
  rows_done bigint not null,
  rows_total bigint,
  summary text,
  error text,
  created_at bigint not null,
  updated_at bigint not null
);
create index imports_created on imports (created_at);
