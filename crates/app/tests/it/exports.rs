//! Exports over HTTP.

use std::io::Read;

use daohu_app::{accounts, sheet::Sheet};
use daohu_db::Engine;
use parquet::file::reader::{FileReader, SerializedFileReader};
use serde_json::{Value, json};

use crate::{
    harness::{Client, TestApp},
    jobs::{COUNTY, cells},
    seed,
};

const REASON: &str = "报送上级核对";

async fn start(engine: Engine) -> (TestApp, Client) {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    let client = app.client(COUNTY).await;
    (app, client)
}

/// The path of an export that was carried out, and its file.
async fn export(app: &TestApp, client: &Client, body: Value) -> (String, Vec<u8>) {
    let answer = client.post("/exports", body).send().await;
    let path = answer.header("location").strip_prefix("/api/v1").unwrap().to_owned();
    answer.expect(202);
    client.get(&format!("{path}/file")).send().await.problem(409, "job.not_ended");
    app.jobs.run_queued().await.unwrap();
    let job = client.json(&path).await;
    assert_eq!((&job["state"], &job["has_file"]), (&json!("done"), &json!(true)), "{job}");
    let file = client.get(&format!("{path}/file")).send().await;
    assert_eq!(file.status, 200, "{}", file.text);
    (path, file.bytes)
}

/// The files of an archive.
fn unpack(bytes: Vec<u8>) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut files = Vec::new();
    for i in 0..archive.len() {
        let mut file = archive.by_index(i).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        files.push((file.name().unwrap().into_owned(), bytes));
    }
    files
}

#[tokio::test]
async fn what_is_exported_is_imported_as_unchanged() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        seed::helpers(&app).await;
        for format in ["xlsx", "csv"] {
            let body = json!({ "area": "990101", "format": format, "masked": false,
                "reason": REASON });
            let (path, bytes) = export(&app, &client, body).await;
            let files = match format {
                "csv" => unpack(bytes),
                _ => vec![("全部.xlsx".to_owned(), bytes)],
            };
            assert_eq!(files.len(), if format == "csv" { Sheet::ALL.len() } else { 1 });
            let job = client.json(&path).await;
            let rows = job["rows_done"].clone();
            assert_eq!(job["rows_total"], rows, "{job}");
            let files: Vec<(&str, &[u8])> =
                files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
            let id = client.upload(&files, &[]).send().await.expect(202)["id"].clone();
            app.jobs.run_queued().await.unwrap();
            let job = client.json(&format!("/imports/{}", id.as_str().unwrap())).await;
            assert_eq!(job["state"], "done", "{job}");
            let mut all = 0;
            for (sheet, counts) in job["summary"]["sheets"].as_object().unwrap() {
                assert_eq!(counts["unchanged"], counts["rows"], "{format} {sheet}: {counts}");
                all += counts["rows"].as_u64().unwrap();
            }
            assert_eq!(json!(all), rows);
        }
    }
}

#[tokio::test]
async fn an_archive_of_parquet_files_is_masked_and_is_not_imported() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        let body = json!({ "area": "990101", "format": "parquet", "sheets": ["persons", "户"] });
        let (_, bytes) = export(&app, &client, body).await;
        let files = unpack(bytes);
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["households.parquet", "persons.parquet"]);
        let persons = bytes::Bytes::from(files[1].1.clone());
        let reader = SerializedFileReader::new(persons).unwrap();
        let rows = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string());
        let rows: Vec<String> = rows.collect();
        let (text, number) = (rows.join("\n"), seed::id_number("99010119700101001"));
        assert!(text.contains("张小五") && !text.contains(&number), "{text}");

        let file = ("persons.parquet", files[1].1.as_slice());
        let id = client.upload(&[file], &[]).send().await.expect(202)["id"].clone();
        app.jobs.run_queued().await.unwrap();
        let job = client.json(&format!("/imports/{}", id.as_str().unwrap())).await;
        assert_eq!(
            (&job["state"], &job["problem"]["code"]),
            (&json!("failed"), &json!("file.parquet"))
        );
    }
}

#[tokio::test]
async fn full_numbers_need_the_right_to_them_and_a_reason() {
    for engine in Engine::BOTH {
        let (app, office) = start(engine).await;
        let ask = |more: Value| {
            let mut body = json!({ "area": "990101", "sheets": ["persons"] });
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        let full = json!({ "masked": false, "reason": REASON });
        let number = seed::id_number("99010119700101001");
        // Without a word about it, numbers are masked.
        for client in [&office, &app.client(&["leader@990101"]).await] {
            let (path, bytes) = export(&app, client, ask(json!({}))).await;
            let text = format!("{:?}", cells(bytes));
            assert!(text.contains("张小五") && !text.contains(&number), "{text}");
            assert_eq!(client.json(&path).await["masked"], true);
        }
        for role in ["leader", "village_clerk", "inspector"] {
            let client = app.client(&[format!("{role}@990101").as_str()]).await;
            let refused = client.post("/exports", ask(full.clone())).send().await;
            refused.problem(403, "auth.forbidden");
        }
        // Exporting everywhere and revealing here do not combine.
        let both = app.client(&["leader@990101", "office_clerk@990101100"]).await;
        let refused = both.post("/exports", ask(full.clone())).send().await;
        refused.problem(404, "record.not_found");
        let refused = office.post("/exports", ask(json!({ "masked": false }))).send().await;
        refused.field_problem("reason", "reveal.reason_too_short");

        let (path, bytes) = export(&app, &office, ask(full)).await;
        assert!(format!("{:?}", cells(bytes)).contains(&number));
        let id = path.rsplit('/').next().unwrap();
        let (action, _, body) = &app.journal("export_job", id).await[0];
        assert_eq!((action.as_str(), &body["after"]["reason"]), ("created", &json!(REASON)));
        let taken = app.journal("export", "990101").await;
        let (action, by, body) = taken.last().unwrap();
        assert_eq!((action.as_str(), &body["after"]["reason"]), ("disclosed", &json!(REASON)));
        let user = office.user.clone().unwrap().name;
        assert_eq!(by, &format!("{user} office_clerk@990101"));
    }
}

#[tokio::test]
async fn an_export_holds_the_makers_area_and_nobody_else_fetches_it() {
    for engine in Engine::BOTH {
        let (app, office) = start(engine).await;
        for area in ["99", "980101", "990102"] {
            let refused = office.post("/exports", json!({ "area": area })).send().await;
            refused.problem(404, "record.not_found");
        }
        let refused = office.post("/exports", json!({ "area": "x" })).send().await;
        refused.field_problem("area", "area.bad_code");
        let body = json!({ "area": "990101", "sheets": ["wishes"] });
        let refused = office.post("/exports", body).send().await;
        assert!(refused.text.contains("organisations, villages"), "{}", refused.text);
        refused.field_problem("sheets", "exchange.unknown_sheet");

        let body = json!({ "area": "990101100", "sheets": ["households"] });
        let (path, bytes) = export(&app, &office, body).await;
        let text = format!("{:?}", cells(bytes));
        assert!(text.contains("H002") && !text.contains("H005") && !text.contains("H008"));
        let other = app.client(COUNTY).await;
        for call in [
            other.get(&path),
            other.get(&format!("{path}/file")),
            other.post(&format!("{path}/cancel"), json!({})),
        ] {
            call.send().await.problem(404, "record.not_found");
        }
        assert_eq!(other.json("/exports").await["items"], json!([]));
        assert_eq!(office.json("/exports?state=done").await["items"][0]["area"], "990101100");
    }
}

/// Figures of what lies above or beside are not in it, nor their names.
#[tokio::test]
async fn an_export_of_areas_holds_those_of_the_makers_area() {
    for engine in Engine::BOTH {
        let (app, _) = start(engine).await;
        for (maker, area, expected) in [
            (
                "office_clerk@990101",
                "990101",
                &[
                    "990101",
                    "990101100",
                    "990101100200",
                    "990101100201",
                    "990101101",
                    "990101101200",
                    "990101101201",
                ][..],
            ),
            (
                "village_clerk@990101100",
                "990101100",
                &["990101100", "990101100200", "990101100201"],
            ),
            ("office_clerk@990101", "990101100200", &["990101100200"]),
        ] {
            let client = app.client(&[maker]).await;
            let body = json!({ "area": area, "sheets": ["areas"] });
            let (_, bytes) = export(&app, &client, body).await;
            let rows = cells(bytes);
            assert_eq!(rows[0][0], "区划代码");
            let codes: Vec<&str> = rows[1..].iter().map(|row| row[0].as_str()).collect();
            assert_eq!(codes, expected, "{maker} {area}");
        }
        let clerk = app.client(&["village_clerk@990101100"]).await;
        let body = json!({ "area": "990101", "sheets": ["areas"] });
        clerk.post("/exports", body).send().await.problem(404, "record.not_found");
        let nowhere = json!({ "area": "990101100999", "sheets": ["areas"] });
        clerk.post("/exports", nowhere).send().await.problem(404, "record.not_found");
    }
}

#[tokio::test]
async fn who_lost_the_right_neither_makes_nor_fetches_the_file() {
    for engine in Engine::BOTH {
        let (app, _) = start(engine).await;
        let user = app.user(&["office_clerk@990101", "leader@990101100"]).await;
        let client = app.signed_in(&user).await;
        let full = json!({ "area": "990101100", "masked": false, "reason": REASON });
        let (made, _) = export(&app, &client, full.clone()).await;
        let (wide, _) = export(&app, &client, json!({ "area": "990101" })).await;
        let (narrow, _) = export(&app, &client, json!({ "area": "990101100" })).await;
        let ask = async |body: Value| {
            let id = client.post("/exports", body).send().await.expect(202)["id"].clone();
            format!("/exports/{}", id.as_str().unwrap())
        };
        // Of the right, and of the area.
        let waiting = [ask(full).await, ask(json!({ "area": "990101" })).await];
        let still = ask(json!({ "area": "990101100" })).await;
        let grants = accounts::grants_of(&app.context, &user.id).await.unwrap();
        let clerk = grants.iter().find(|grant| grant.role == "office_clerk").unwrap();
        accounts::end_grant(&app.context, app.act(), &user.id, &clerk.id).await.unwrap();

        app.jobs.run_queued().await.unwrap();
        let client = app.signed_in(&user).await;
        for path in &waiting {
            let job = client.json(path).await;
            assert_eq!(job["state"], "refused");
            assert_eq!(job["problem"]["code"], "job.right_lost", "{job}");
        }
        assert_eq!(client.json(&still).await["state"], "done");
        let file = |path: &str| client.get(&format!("{path}/file")).send();
        file(&made).await.problem(403, "auth.forbidden");
        file(&wide).await.problem(404, "record.not_found");
        assert_eq!(file(&narrow).await.status, 200);
    }
}

#[tokio::test]
async fn an_export_that_waits_can_be_stopped() {
    for engine in Engine::BOTH {
        let (app, client) = start(engine).await;
        let body = json!({ "area": "990101" });
        let post = || client.post("/exports", body.clone()).header("idempotency-key", "k").send();
        let id = post().await.expect(202)["id"].as_str().unwrap().to_owned();
        // The same request again is the same export.
        assert_eq!(post().await.expect(202)["id"], id.as_str());
        let cancel = || client.post(&format!("/exports/{id}/cancel"), json!({})).send();
        assert_eq!(cancel().await.expect(202)["state"], "cancelled");
        cancel().await.problem(409, "job.ended");
        app.jobs.run_queued().await.unwrap();
        let file = client.get(&format!("/exports/{id}/file")).send().await;
        file.problem(409, "job.no_file");
    }
}

/// A running export looks at the wish to stop at every row.
#[tokio::test]
async fn a_running_export_stops_and_leaves_no_file() {
    use std::sync::{Arc, atomic::Ordering};

    use daohu_app::{
        Error,
        exchange::export::{ExportOptions, Format, export},
        jobs::Progress,
        sheet::Masking,
    };
    for engine in Engine::BOTH {
        let (app, _) = start(engine).await;
        let folder = tempfile::tempdir().unwrap();
        for format in [Format::Csv, Format::Xlsx, Format::Parquet] {
            let name = match format {
                Format::Csv => "csv",
                Format::Xlsx => "a.xlsx",
                Format::Parquet => "parquet",
            };
            let options = ExportOptions {
                area: daohu_base::AreaCode::parse("990101").unwrap(),
                scope: daohu_base::Scope::all(),
                sheets: Sheet::ALL.to_vec(),
                masking: Masking::Masked,
                reason: None,
                format,
                out: folder.path().join(name),
                is_watched: false,
            };
            let progress = Arc::new(Progress::default());
            progress.cancelled.store(true, Ordering::Relaxed);
            let done = export(&app.context, app.act(), options, progress).await;
            assert!(matches!(done, Err(Error::Cancelled)));
        }
        let left = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let left: Vec<_> = left.filter(|path| path.is_file()).collect();
        assert!(left.is_empty(), "{left:?}");
        for name in ["csv", "parquet"] {
            assert_eq!(std::fs::read_dir(folder.path().join(name)).unwrap().count(), 0);
        }
    }
}
