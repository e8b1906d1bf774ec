-- How often a job was begun: one that a server left when it was killed is taken up again, but not for ever. And
-- lists of all jobs of a user, of whatever kind.
alter table jobs add column attempts bigint not null default 0;
-- When it was put into the queue again, if it was: its files stay as long as if it had been made then.
alter table jobs add column queued_at bigint;
create index jobs_of_user on jobs (user_id, created_at, id);
