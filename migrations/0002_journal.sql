-- The journal. `journal` is only ever inserted into: an entry gets its place in its county's chain
-- when it is sealed. Ordinary writes append to `journal_pending`, which nobody waits for; the sealer
-- moves entries over. `body` is the record before and after, encrypted.
create table journal (
  county text not null,
  sequence bigint not null,
  stamp bigint not null,
  position bigint not null,
  at bigint not null,
  actor text not null,
  authority text not null,
  source text not null,
  kind text not null,
  record text not null,
  action text not null,
  body bytea not null,
  chain bytea not null,
  primary key (county, sequence)
);
-- The record first: it tells rows apart at once, which the county and the kind do not, and so the index
-- is sorted in half the time.
create index journal_record on journal (record, county, kind, sequence);

create table journal_pending (
  county text not null,
  stamp bigint not null,
  position bigint not null,
  at bigint not null,
  actor text not null,
  authority text not null,
  source text not null,
  kind text not null,
  record text not null,
  action text not null,
  body bytea not null,
  primary key (county, stamp, position)
);
create index journal_pending_record on journal_pending (county, kind, record);

-- The end of each county's chain. Its row lock is the sealer's lease on the county.
create table journal_heads (
  county text primary key,
  sequence bigint not null,
  chain bytea not null
);

-- The root chain: each line is a county's new head. `number` has no gaps.
create table journal_roots (
  number bigint primary key,
  at bigint not null,
  county text not null,
  sequence bigint not null,
  head bytea not null,
  chain bytea not null
);
