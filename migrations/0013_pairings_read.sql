-- Who answers for which household, read from the index alone: a county's coverage asks it of all of them. What
-- found a household's pairings until now is how it begins.
create index pairings_answers on pairings (county, household, subject_kind, subject, starts_on, ends_on);
drop index pairings_household;
-- Who helps areas: one pairing in thirty.
create index pairings_of_areas on pairings (county, object) where household is null;
