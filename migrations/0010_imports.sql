-- What was imported, so that it can be undone: an import, and its entries in the chains of its counties, which lie
-- one behind the other.
create table imports (
  id text primary key,
  records bigint not null,
  created_at bigint not null,
  created_by text not null,
  undone_at bigint,
  undone_by text
);
create index imports_created on imports (created_at, id);

create table import_spans (
  import text not null,
  county text not null,
  first bigint not null,
  last bigint not null,
  primary key (import, county)
);
