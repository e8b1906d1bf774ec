-- Who looked at which household, and which areas were exported. No part of the registry: a row is written after the fact,
-- is not journaled, and ends when the policy says.
--
-- `household` is 0 in a row about all households of `area`. `mark` is a hash of who looked at what, from where, under
-- which grants and in which period: what happens again within the period is counted in `times`.
create table accesses (
  county text not null,
  household bigint not null,
  mark bigint not null,
  at bigint not null,
  last_at bigint not null,
  times bigint not null,
  actor text not null,
  authority text not null,
  what text not null,
  person bigint,
  area text,
  address text,
  primary key (county, household, mark)
);
create index accesses_household on accesses (county, household, at, mark);
create index accesses_actor on accesses (county, actor, at, household, mark);
create index accesses_at on accesses (county, at, household, mark);

-- The households that a person belonged to.
create index memberships_person on memberships (county, person);
