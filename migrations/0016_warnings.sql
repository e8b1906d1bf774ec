-- What somebody must look after because a rule of the packs is true of a household: one open row for each household and rule. `id` is
-- a hash of these and of `raised_on`. `looked_on` is the day that the rule was asked about, which lies before `raised_on` while a
-- year's accounts are open. `cleared_on` is the day on which the rule was no longer true: somebody still says what came of it.
-- `again_on` is the day from which it may be raised anew after it was closed.
create table warnings (
  county text not null,
  id text not null,
  household bigint not null,
  rule text not null,
  level text not null,
  assign text not null,
  raised_on text not null,
  looked_on text not null,
  due_on text not null,
  cleared_on text,
  outcome bigint,
  closed_on text,
  closed_by text,
  reason text,
  again_on text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, id)
);
create index warnings_id on warnings (id);
create index warnings_household on warnings (county, household);
create index warnings_due on warnings (due_on, county, id);
