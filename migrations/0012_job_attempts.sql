-- How often a job was begun: one that a server left when it was killed is taken up again, but not for ever. And
-- lists of all jobs of a user, of whatever kind.
alter table jobs add column attempts bigint not null default 0;
create index jobs_of_user on jobs (user_id, created_at, id);
