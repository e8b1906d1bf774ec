-- Policy packs as they were published, one row for each time: what a program carries (pack `shipped`), and what an installation
-- says instead. Of each pack the last row is in force; one without files is withdrawn. Rows are never changed, so that every
-- state that was derived can name the packs that it followed.
--
-- `files` is JSON: pairs of name and text, in the order in which they were read. `version` tells the whole policy after the row.
create table policy_packs (
  id bigint primary key,
  pack text not null,
  files text not null,
  version text not null,
  note text not null,
  published_at bigint not null,
  published_by text not null
);
create index policy_packs_pack on policy_packs (pack, id);
