-- The registry: areas, households, persons, yearly incomes.
--
-- Business tables carry `county` and their key begins with it: that is how Citus spreads them.
-- Flags are 0 or 1, instants milliseconds (…_at), days text (…_on), money fen (…_fen). `sealed` holds
-- the row's ID, phone and bank numbers, encrypted together. Rows are never deleted.

-- Small and replicated everywhere: the tree of administrative areas.
create table areas (
  code text primary key,
  name text not null,
  level bigint not null,
  kind bigint,
  is_poor_county bigint check (is_poor_county between 0 and 1),
  is_poor_township bigint check (is_poor_township between 0 and 1),
  is_poor_village bigint check (is_poor_village between 0 and 1),
  rural_households bigint,
  rural_population bigint,
  longitude_deg double precision,
  latitude_deg double precision,
  starts_on text,
  ends_on text,
  predecessor text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null
);
create index areas_name on areas (name);
create index areas_level on areas (level, code);

-- The next serial of each county's ids.
create table serials (
  county text not null,
  kind text not null,
  next bigint not null,
  primary key (county, kind)
) /* clustered */;

create table households (
  county text not null,
  id bigint not null,
  no text not null,
  village text not null,
  group_code text,
  head_name text,
  bank_name text,
  residence_kind bigint,
  standard bigint,
  identified_year bigint,
  poverty_kind bigint,
  main_cause bigint,
  other_causes text,
  illness_situation bigint,
  is_martyr_family bigint check (is_martyr_family between 0 and 1),
  is_one_child bigint check (is_one_child between 0 and 1),
  is_two_daughters bigint check (is_two_daughters between 0 and 1),
  planned_exit_year bigint,
  exit_year bigint,
  exit_status bigint,
  relapse_cause bigint,
  monitoring_kind bigint,
  is_relocated bigint check (is_relocated between 0 and 1),
  has_enough_food bigint check (has_enough_food between 0 and 1),
  has_enough_clothing bigint check (has_enough_clothing between 0 and 1),
  farmland_mu double precision,
  irrigated_mu double precision,
  forest_mu double precision,
  returned_forest_mu double precision,
  orchard_mu double precision,
  pasture_mu double precision,
  water_mu double precision,
  has_production_power bigint check (has_production_power between 0 and 1),
  has_domestic_power bigint check (has_domestic_power between 0 and 1),
  has_broadcast bigint check (has_broadcast between 0 and 1),
  road_distance_km double precision,
  access_road bigint,
  floor_area_m2 double precision,
  structure bigint,
  built_year bigint,
  is_unsafe bigint check (is_unsafe between 0 and 1),
  unsafe_grade bigint,
  rebuilt_year bigint,
  water_is_hard bigint check (water_is_hard between 0 and 1),
  water_is_safe bigint check (water_is_safe between 0 and 1),
  fuel bigint,
  has_toilet bigint check (has_toilet between 0 and 1),
  in_cooperative bigint check (in_cooperative between 0 and 1),
  with_enterprise bigint check (with_enterprise between 0 and 1),
  industries text,
  longitude_deg double precision,
  latitude_deg double precision,
  head_initials text,
  sealed bytea,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, id)
);
create unique index households_no on households (county, no);
create index households_number on households (no);
create index households_village on households (village, no);
create index households_updated on households (county, updated_at, id);
-- The village stands in the indexes of names, so that a search within a township never looks at rows
-- of its county outside it.
create index households_head_name on households (county, head_name, village);
create index households_head_initials on households (county, head_initials, village);

-- A person with the household that the person belongs to now, or belonged to last.
-- `identity` is the blind index of the ID number, `id_tail` that of its last six characters.
create table persons (
  county text not null,
  id bigint not null,
  household bigint not null,
  village text not null,
  name text not null,
  id_kind bigint,
  relation bigint not null,
  sex bigint,
  born_on text,
  ethnic_group bigint,
  education bigint,
  school_stage bigint,
  dropped_out bigint check (dropped_out between 0 and 1),
  dropout_reason bigint,
  health text,
  labour bigint,
  political_status bigint,
  work_place text,
  work_months bigint,
  has_public_post bigint check (has_public_post between 0 and 1),
  training text,
  resident_medical bigint check (resident_medical between 0 and 1),
  employee_medical bigint check (employee_medical between 0 and 1),
  critical_illness bigint check (critical_illness between 0 and 1),
  commercial_medical bigint check (commercial_medical between 0 and 1),
  resident_pension bigint check (resident_pension between 0 and 1),
  has_allowance bigint check (has_allowance between 0 and 1),
  has_hardship_support bigint check (has_hardship_support between 0 and 1),
  has_family_doctor bigint check (has_family_doctor between 0 and 1),
  has_chronic_care bigint check (has_chronic_care between 0 and 1),
  has_illness_relief bigint check (has_illness_relief between 0 and 1),
  change_kind bigint,
  change_on text,
  is_current bigint not null check (is_current between 0 and 1),
  name_initials text,
  identity bytea,
  id_tail bigint,
  sealed bytea,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, id)
);
create index persons_household on persons (county, household, id);
create index persons_name on persons (county, name, village);
create index persons_initials on persons (county, name_initials, village);
create index persons_tail on persons (id_tail, village);
create index persons_village on persons (village);

-- Households that a person belonged to before the present one. `identity` as in persons.
create table memberships (
  county text not null,
  household bigint not null,
  person bigint not null,
  identity bytea not null,
  relation bigint not null,
  change_kind bigint,
  change_on text,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, household, person)
);

-- Who holds an ID number, over all counties: keyed and spread by the blind index.
create table person_keys (
  identity bytea primary key,
  county text not null,
  person bigint not null,
  household bigint not null,
  is_current bigint not null check (is_current between 0 and 1)
) /* clustered */;

create table incomes (
  county text not null,
  household bigint not null,
  year bigint not null,
  members bigint,
  wage_fen bigint,
  business_fen bigint,
  property_fen bigint,
  transfer_fen bigint,
  family_planning_fen bigint,
  allowance_fen bigint,
  hardship_fen bigint,
  pension_fen bigint,
  ecology_fen bigint,
  other_transfer_fen bigint,
  business_cost_fen bigint,
  medical_self_paid_fen bigint,
  created_at bigint not null,
  created_by text not null,
  updated_at bigint not null,
  version bigint not null,
  primary key (county, household, year)
);
