//! A small country: two provinces with a county each, two townships in a county, two villages in a
//! township.

use daohu_db::{FutureExt, Tx, Value};

use crate::harness::TestApp;

/// The areas of every level, code and name. No such provinces exist.
const AREAS: [(&str, &str); 16] = [
    ("98", "北省"),
    ("99", "南省"),
    ("9801", "北市"),
    ("9901", "南市"),
    ("980101", "北县"),
    ("990101", "南县"),
    ("980101100", "北甲乡"),
    ("980101101", "北乙乡"),
    ("990101100", "南甲乡"),
    ("990101101", "南乙乡"),
    ("980101100200", "北甲一村"),
    ("980101100201", "北甲二村"),
    ("990101100200", "南甲一村"),
    ("990101100201", "南甲二村"),
    ("990101101200", "南乙一村"),
    ("990101101201", "南乙二村"),
];

/// Inserts the areas.
pub async fn areas(app: &TestApp) {
    let now = app.act().at.0;
    let work = async move |tx: &mut Tx| {
        let sql =
            "insert into areas (code, name, level, created_at, created_by, updated_at, version)
                   values ($1, $2, $3, $4, 'test', $4, 1)";
        for (code, name) in AREAS {
            let lengths = [2, 4, 6, 9, 12];
            let level = lengths.iter().position(|length| *length == code.len()).unwrap();
            let level = i64::try_from(level + 1).unwrap();
            let row: [Value; 4] = [code.into(), name.into(), level.into(), now.into()];
            tx.execute(sql, &row).await?;
        }
        Ok::<_, daohu_db::Error>(())
    };
    app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
}
