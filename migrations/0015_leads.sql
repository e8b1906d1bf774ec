-- Lists of departments that members of households were looked up in: what each was, and what came of it. The lists themselves are
-- not stored. `counts` is JSON.
create table checked_lists (
  id text primary key,
  check_id text not null,
  name text not null,
  digest text not null,
  area text,
  on_day text not null,
  counts text not null,
  created_at bigint not null,
  created_by text not null
);
create index checked_lists_latest on checked_lists (created_at, id);

-- What somebody must look after because of such a list: one for each household, member, check and fact. `id` is a hash of these;
-- `fact` a blind index of what tells one fact from another (a number plate), empty where nothing does. `list` and `list_row` say
-- where it was seen last. `sealed` holds what the list said: an amount, a name that differs.
create table leads (
  county text not null,
  id text not null,
  household bigint not null,
  person bigint not null,
  check_id text not null,
  fact text not null,
  list text not null,
  list_row bigint,
  list_rows bigint not null,
  name_differs bigint check (name_differs between 0 and 1),
  level text not null,
  assign text not null,
  first_seen_on text not null,
  last_seen_on text not null,
  due_on text not null,
  state text not null,
  outcome bigint,
  closed_on text,
  closed_by text,
  reason text,
  sealed bytea,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, id)
);
create index leads_id on leads (id);
create index leads_household on leads (county, household);
create index leads_person on leads (county, person);
