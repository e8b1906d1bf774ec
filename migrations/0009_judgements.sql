-- What people judged of two persons who may be one. `person` is the smaller id, `other` the larger one.
-- `print` is a hash of the names, birth dates and numbers that were judged: where one of them changed
-- since, a judgement of two different persons says nothing of the pair.
--
-- Of two who were merged: who stays (`kept`), the version that each record had afterwards, and what it
-- said before (`before`: JSON).
create table judgements (
  county text not null,
  person bigint not null,
  other bigint not null,
  verdict text not null,
  reason text not null,
  print bytea not null,
  kept bigint,
  kept_version bigint,
  ended_version bigint,
  before text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, person, other)
);
create index judgements_other on judgements (county, other);
create index judgements_verdict on judgements (verdict, county, person, other);

-- The record that stays, of one that was merged into it.
alter table persons add column merged_into bigint;
