-- What the quality report of a county, township or village came to on a day. No part of the registry: it follows from what
-- was stored that day, is not journaled, and ends when the policy says.
--
-- `hits` is JSON: records that break a rule, by the rule, those without any left out. `sequence` is where the county's journal
-- stood: what is written later moves it, and the county is judged again on a later day.
create table quality_trend (
  county text not null,
  area text not null,
  judged_on text not null,
  row_count bigint not null,
  clean_count bigint not null,
  hits text not null,
  sequence bigint not null,
  primary key (county, area, judged_on)
) /* clustered */;
create index quality_trend_day on quality_trend (judged_on, county);
