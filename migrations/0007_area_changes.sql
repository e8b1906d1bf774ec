-- 区划调整: what areas became. Small tables, everywhere like the tree of areas.

-- A change with the document that orders it. `lines` is what was asked for: JSON.
create table area_changes (
  id text primary key,
  changed_on text not null,
  document text,
  lines text not null,
  households bigint not null,
  created_at bigint not null,
  created_by text not null
);
create index area_changes_created on area_changes (created_at, id);

-- Which area followed which, from `changed_on` on. `is_whole` says that all of the predecessor went there.
create table successions (
  predecessor text not null,
  successor text not null,
  change text not null,
  changed_on text not null,
  is_whole bigint not null check (is_whole between 0 and 1),
  primary key (predecessor, successor, change)
) /* clustered */;
create index successions_successor on successions (successor);

-- The village that a household lay in until the last day before a change; `county` is where its row is now.
create table former_villages (
  county text not null,
  household bigint not null,
  change text not null,
  village text not null,
  ends_on text not null,
  primary key (county, household, change)
);
create index former_villages_ends on former_villages (ends_on, county);
