//! The migrations, in order.

use daohu_db::Migration;

/// Every migration of the product. A published one never changes; see `migrations/README.md`.
pub static MIGRATIONS: [Migration; 16] = [
    Migration {
        number: 1,
        name: "registry",
        sql: include_str!("../../../migrations/0001_registry.sql"),
    },
    Migration {
        number: 2,
        name: "journal",
        sql: include_str!("../../../migrations/0002_journal.sql"),
    },
    Migration {
        number: 3,
        name: "accounts",
        sql: include_str!("../../../migrations/0003_accounts.sql"),
    },
    Migration { number: 4, name: "jobs", sql: include_str!("../../../migrations/0004_jobs.sql") },
    Migration {
        number: 5,
        name: "registers",
        sql: include_str!("../../../migrations/0005_registers.sql"),
    },
    Migration {
        number: 6,
        name: "second_factor",
        sql: include_str!("../../../migrations/0006_second_factor.sql"),
    },
    Migration {
        number: 7,
        name: "area_changes",
        sql: include_str!("../../../migrations/0007_area_changes.sql"),
    },
    Migration {
        number: 8,
        name: "history",
        sql: include_str!("../../../migrations/0008_history.sql"),
    },
    Migration {
        number: 9,
        name: "judgements",
        sql: include_str!("../../../migrations/0009_judgements.sql"),
    },
    Migration {
        number: 10,
        name: "imports",
        sql: include_str!("../../../migrations/0010_imports.sql"),
    },
    Migration {
        number: 11,
        name: "quality_trend",
        sql: include_str!("../../../migrations/0011_quality_trend.sql"),
    },
    Migration {
        number: 12,
        name: "job_attempts",
        sql: include_str!("../../../migrations/0012_job_attempts.sql"),
    },
    Migration {
        number: 13,
        name: "pairings_read",
        sql: include_str!("../../../migrations/0013_pairings_read.sql"),
    },
    Migration {
        number: 14,
        name: "policy_packs",
        sql: include_str!("../../../migrations/0014_policy_packs.sql"),
    },
    Migration {
        number: 15,
        name: "leads",
        sql: include_str!("../../../migrations/0015_leads.sql"),
    },
    Migration {
        number: 16,
        name: "warnings",
        sql: include_str!("../../../migrations/0016_warnings.sql"),
    },
];
