-- Who helps, what villages have, and the statistics of areas.
--
-- Organisations and cadres work in many counties: small tables, known everywhere by their number.
-- `county` there is the one whose journal has their history: that of the area they were registered
-- with, 000000 where none was given. It never changes.

create table organisations (
  county text not null,
  no text primary key,
  name text not null,
  level bigint not null,
  kind bigint,
  credit_code text,
  area text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null
);
create index organisations_area on organisations (area, no);

create table cadres (
  county text not null,
  no text primary key,
  name text not null,
  sex bigint,
  organisation text,
  post text,
  roles text not null,
  area text,
  sealed bytea,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null
);
create index cadres_area on cadres (area, no);
create index cadres_organisation on cadres (organisation, no);

-- A village's record of one year.
create table villages (
  county text not null,
  village text not null,
  year bigint not null,
  hamlets bigint,
  households bigint,
  population bigint,
  workers bigint,
  workers_away bigint,
  collective_income_fen bigint,
  has_paved_road bigint check (has_paved_road between 0 and 1),
  has_bus bigint check (has_bus between 0 and 1),
  has_production_power bigint check (has_production_power between 0 and 1),
  has_broadband bigint check (has_broadband between 0 and 1),
  has_clinic bigint check (has_clinic between 0 and 1),
  doctors bigint,
  has_culture_room bigint check (has_culture_room between 0 and 1),
  safe_water_households bigint,
  cooperatives bigint,
  has_e_commerce bigint check (has_e_commerce between 0 and 1),
  main_causes text,
  main_industry text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, village, year)
);

-- A cadre's time in a village's team.
create table teams (
  county text not null,
  no text not null,
  village text not null,
  cadre text not null,
  is_leader bigint check (is_leader between 0 and 1),
  starts_on text not null,
  ends_on text,
  end_reason bigint,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, no, cadre, starts_on)
);
create index teams_village on teams (county, village, no);
create index teams_no on teams (no);
create index teams_cadre on teams (cadre);

-- Who (a cadre, an organisation, a team) helps whom: an area, named by its code, or a household, by its
-- number; `household` is its id. A household's village is looked up in its row.
create table pairings (
  county text not null,
  household bigint,
  subject_kind bigint not null,
  subject text not null,
  object_kind bigint not null,
  object text not null,
  starts_on text not null,
  ends_on text,
  end_reason bigint,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, subject_kind, subject, object_kind, object, starts_on)
);
create index pairings_household on pairings (county, household);
create index pairings_object on pairings (county, object);
create index pairings_subject on pairings (subject, subject_kind);

-- Where each household lives, without reading its row.
create index households_place on households (county, id, village);

-- What an area is to reach in a year.
create table targets (
  county text not null,
  area text not null,
  year bigint not null,
  indicator bigint not null,
  target double precision not null,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, area, year, indicator)
);

-- Statistics of an area and period: 2015, 2015Q1-3, 2015-06.
create table indicators (
  county text not null,
  area text not null,
  period text not null,
  indicator text not null,
  figure double precision not null,
  unit text,
  source text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, area, period, indicator)
);

-- Persons who may be one: a hash of how the name sounds and of the birth date.
alter table persons add column alike bigint;
create index persons_alike on persons (county, alike);
