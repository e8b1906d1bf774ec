//! Who may do what, where: every operation × role × relation of the areas, in a file that people
//! read. `UPDATE_MATRIX=1 cargo test -p daohu-app --test it matrix` writes it anew; review the diff.
//!
//! A new operation fails the test until [`call`] says how it is called: one line.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use axum::http::Method;
use daohu_app::{accounts, http};
use daohu_base::AreaCode;
use daohu_db::{Engine, FutureExt, Tx};
use serde_json::{Value, json};

use crate::{
    harness::{Client, PASSWORD, TestApp},
    second_factor::Authenticator,
    seed,
};

/// Where business roles are granted, and how the area that a call is about lies to it.
const HOME: &str = "990101100";
const RELATIONS: [(&str, &str); 4] = [
    ("own", "990101100200"),
    ("ancestor", "990101"),
    ("sibling", "990101101200"),
    ("foreign", "980101100200"),
];

/// After these a client is no longer who it was: each call has a client of its own.
const SPENDING: [&str; 9] = [
    "change_password",
    "confirm_second_factor",
    "create_session",
    "delete_session",
    "end_other_sessions",
    "end_session",
    "remove_second_factor",
    "renew_recovery_codes",
    "start_second_factor",
];

/// How an operation is called; `bound` if it is about an area, and then in each relation.
struct Operation {
    method: Method,
    bound: bool,
    path: String,
    body: Option<Value>,
    version: Option<i64>,
    /// It sends files.
    form: bool,
    /// It has a body and asks a question: nothing is written.
    asks: bool,
}

fn get(path: impl Into<String>) -> Operation {
    let (body, version, form, asks) = (None, None, false, false);
    Operation { method: Method::GET, bound: false, path: path.into(), body, version, form, asks }
}

fn delete(path: impl Into<String>) -> Operation {
    Operation { method: Method::DELETE, ..get(path) }
}

fn send(method: Method, path: impl Into<String>, body: Value) -> Operation {
    Operation { method, body: Some(body), ..get(path) }
}

fn post(path: impl Into<String>, body: Value) -> Operation {
    send(Method::POST, path, body)
}

impl Operation {
    fn if_match(self, version: i64) -> Self {
        Self { version: Some(version), ..self }
    }

    /// It asks a question.
    fn asking(self) -> Self {
        Self { asks: true, ..self }
    }

    /// It is about the area that [`call`] was given.
    fn bound(self) -> Self {
        Self { bound: true, ..self }
    }
}

/// How to call the operation of this id so that it succeeds for whoever may: each call on fresh
/// data, about this area.
async fn call(app: &TestApp, client: &Client, id: &str, area: &AreaCode) -> Option<Operation> {
    let user = async || app.user(&[]).await;
    let name = async || format!("new.{}", user().await.name);
    let clerk = async || app.user(&["office_clerk@990101"]).await.id;
    Some(match id {
        // Sessions.
        "create_session" => {
            post("/session", json!({ "name": user().await.name, "password": PASSWORD }))
        }
        "get_session" => get("/session"),
        "delete_session" => delete("/session"),
        "change_password" => {
            let body = json!({ "old": PASSWORD, "new": "Harvest-2021" });
            send(Method::PUT, "/session/password", body)
        }
        "list_sessions" => get("/session/list"),
        "end_session" => delete(format!("/session/list/{}", own_session(client).await)),
        "end_other_sessions" => {
            if let Some(user) = &client.user {
                app.signed_in(user).await;
            }
            delete("/session/list")
        }
        "get_second_factor"
        | "start_second_factor"
        | "confirm_second_factor"
        | "renew_recovery_codes"
        | "remove_second_factor" => factor(client, app, id).await,
        "reset_second_factor" => {
            let user = user().await;
            accounts::enrol(&app.context, app.act(), &user.id).await.unwrap();
            post(format!("/users/{}/second-factor-reset", user.id), json!({}))
        }
        // Accounts.
        "list_users" => get("/users"),
        "get_user" => get(format!("/users/{}", user().await.id)),
        "create_user" => post("/users", json!({ "name": name().await, "display_name": "新" })),
        "change_user" => {
            let path = format!("/users/{}", user().await.id);
            send(Method::PATCH, path, json!({ "is_locked": true })).if_match(1)
        }
        "reset_password" => post(format!("/users/{}/password-reset", user().await.id), json!({})),
        "list_grants" => get(format!("/users/{}/grants", clerk().await)),
        "create_grant" => {
            let body = json!({ "role": "cadre", "area": "990101" });
            post(format!("/users/{}/grants", user().await.id), body)
        }
        "end_grant" => {
            let user = clerk().await;
            delete(format!("/users/{user}/grants/{}", grant(app, &user).await))
        }
        "list_roles" => get("/roles"),
        // Imports and exports.
        "list_imports" | "get_import" | "create_import" | "cancel_import" | "retry_import"
        | "get_import_report" | "undo_import" | "list_exports" | "get_export" | "create_export"
        | "cancel_export" | "get_export_file" | "list_jobs" | "get_job" | "cancel_job"
        | "retry_job" => job(app, client, id, area).await,
        _ => return registry(app, id, area).await,
    })
}

/// Calls about the client's own second factor, which is enrolled as far as the call needs it.
async fn factor(client: &Client, app: &TestApp, id: &str) -> Operation {
    let path = "/session/second-factor";
    let start = json!({ "password": PASSWORD });
    match id {
        "get_second_factor" => return get(path),
        "start_second_factor" => return post(path, start),
        _ => {}
    }
    let started = client.post(path, start).send().await;
    let code = started.json["secret"].as_str().map(|secret| Authenticator::new(secret).code(app));
    let first = json!({ "code": code.unwrap_or_default() });
    let confirm = format!("{path}/confirm");
    if id == "confirm_second_factor" {
        return post(confirm, first);
    }
    let confirmed = client.post(&confirm, first).send().await;
    let code = confirmed.json["recovery_codes"][0].as_str().unwrap_or_default();
    let last = if id == "renew_recovery_codes" { "recovery-codes" } else { "removal" };
    post(format!("{path}/{last}"), json!({ "password": PASSWORD, "code": code }))
}

/// A pack for an area, which says nothing that holds.
fn pack(area: &AreaCode, source: &str) -> Value {
    let text = format!(
        "area = '{area}'\n[[value]]\nof = 'line'\nopen = true\nvalue = 9000\nsource = '{source}'\n"
    );
    json!({ "pack": format!("for-{area}"), "files": [{ "name": "own.toml", "text": text }] })
}

/// The publication of such a pack.
async fn publication(app: &TestApp, area: &AreaCode) -> i64 {
    let clerk = app.client(&["office_clerk@99", "office_clerk@98"]).await;
    clerk.post("/policies", pack(area, "a test")).send().await.expect(200);
    let all = clerk.json(&format!("/policies?pack=for-{area}")).await;
    all["items"][0]["id"].as_i64().unwrap()
}

/// Calls of the registry's operations. A record of the county above is one of another township.
async fn registry(app: &TestApp, id: &str, area: &AreaCode) -> Option<Operation> {
    let village = match area.as_str() {
        "990101" => "990101101201",
        village => village,
    };
    let (home, version) = seed::household_in(app, village).await;
    let (person, person_version) = seed::person_in(app, village).await;
    let household = format!("/households/{home}");
    let words = format!("名{}", journaled(app).await);
    let reason = json!({ "reason": "核对本人身份证件" });
    Some(match id {
        "list_codes" => get("/codes"),
        "list_policies" => get("/policies"),
        "get_policy" => get(format!("/policies/{}", publication(app, area).await)),
        "publish_policy" => post("/policies", pack(area, &app.user(&[]).await.name)).bound(),
        "withdraw_policy" => {
            publication(app, area).await;
            post(format!("/policies/for-{area}/withdrawal"), json!({})).bound()
        }
        "get_area_policy" => get(format!("/areas/{area}/policy?on=2015-12-31")).bound(),
        "list_areas" => get(format!("/areas?parent={area}")),
        "get_area" => get(format!("/areas/{area}")).bound(),
        "list_area_successions" => get(format!("/areas/{area}/successions")),
        "list_area_changes" => get("/area-changes"),
        "create_area_change" => {
            let on = app.act().at.day().to_string();
            let lines = json!([{ "from": area.as_str(), "to": area.as_str(), "name": "新名" }]);
            post("/area-changes", json!({ "on": on, "lines": lines })).bound()
        }
        "get_area_figures" => get(format!("/areas/{area}/figures")).bound(),
        "list_households" => get(format!("/households?area={area}")).bound(),
        "search_registry" => get(format!("/search?q=H0&area={area}")).bound(),
        "get_household" => get(household).bound(),
        "get_dossier" => get(format!("{household}/dossier")).bound(),
        "list_persons" => get(format!("{household}/persons")).bound(),
        "list_incomes" => get(format!("{household}/incomes")).bound(),
        "get_household_journal" => get(format!("{household}/journal")).bound(),
        "get_sources" => get(format!("{household}/sources")).bound(),
        "list_memberships" => get(format!("/persons/{person}/memberships")).bound(),
        "list_household_accesses" => get(format!("{household}/accesses")).bound(),
        "change_household" => {
            let body = json!({ "bank_name": words });
            send(Method::PATCH, household, body).if_match(version).bound()
        }
        "put_income" => {
            let year = 1900 + journaled(app).await % 300;
            let body = json!({ "wage_fen": 100 });
            send(Method::PUT, format!("{household}/incomes/{year}"), body).bound()
        }
        "reveal_household" => post(format!("{household}/reveal"), reason).bound(),
        "get_person" => get(format!("/persons/{person}")).bound(),
        "change_person" => {
            let body = json!({ "work_place": words });
            let path = format!("/persons/{person}");
            send(Method::PATCH, path, body).if_match(person_version).bound()
        }
        "reveal_person" => post(format!("/persons/{person}/reveal"), reason).bound(),
        "list_organisations" | "list_cadres" | "list_pairings" | "list_targets"
        | "list_indicators" => {
            get(format!("/{}?area={area}", id.trim_start_matches("list_"))).bound()
        }
        "list_team_members" => get(format!("/teams?area={area}")).bound(),
        "list_village_years" => get(format!("/villages?area={area}")).bound(),
        "get_organisation" => get(format!("/organisations/U{village}")).bound(),
        "get_cadre" => get(format!("/cadres/C{village}")).bound(),
        "create_cadre"
        | "change_cadre"
        | "reveal_cadre"
        | "create_pairing"
        | "get_pairing"
        | "change_pairing"
        | "get_village_year"
        | "put_village_year"
        | "create_organisation"
        | "change_organisation"
        | "create_team_member"
        | "get_team_member"
        | "change_team_member"
        | "get_target"
        | "put_target"
        | "get_indicator"
        | "put_indicator" => {
            return register(app, id, village).await;
        }
        "get_village_figures" => get(format!("/areas/{area}/village-figures")).bound(),
        "list_unrecorded_villages" => {
            get(format!("/areas/{area}/village-figures/unrecorded?year=2015")).bound()
        }
        "get_village_checklist" => get(format!("/areas/{area}/village-checklist")).bound(),
        "list_checklist_villages" => {
            let list = format!("/areas/{area}/village-checklist/road/villages");
            get(format!("{list}?year=2015&outcome=unknown")).bound()
        }
        "get_area_coverage" => get(format!("/areas/{area}/coverage")).bound(),
        "get_area_quality" => get(format!("/areas/{area}/quality")).bound(),
        "get_quality_trend" => get(format!("/areas/{area}/quality/trend")).bound(),
        "list_findings" => get(format!("/areas/{area}/quality/findings")).bound(),
        "list_duties" => get(format!("/areas/{area}/quality/cadres")).bound(),
        "get_area_classes" => get(format!("/areas/{area}/classes")).bound(),
        "list_class_households" => {
            get(format!("/areas/{area}/classes/two_causes/households")).bound()
        }
        "list_rules" => get("/quality/rules"),
        "list_suspects" => get(format!("/suspects?area={area}")).bound(),
        "count_suspects" => get(format!("/suspects/count?area={area}")).bound(),
        "get_suspects" | "judge_suspects" | "merge_suspects" | "undo_merge" => {
            suspects(app, id, village).await.bound()
        }
        "get_area_monitoring" => get(format!("/areas/{area}/monitoring")).bound(),
        "list_standings" => {
            get(format!("/areas/{area}/monitoring/households?outcome=unknown")).bound()
        }
        "get_household_monitoring" => get(format!("{household}/monitoring")).bound(),
        "get_trajectory" => get(format!("{household}/trajectory")).bound(),
        "get_area_indices" => get(format!("/areas/{area}/indices")).bound(),
        "ask_what_if" => post(format!("/areas/{area}/what-if"), json!({})).asking().bound(),
        "list_warnings" => get(format!("/warnings?area={area}")).bound(),
        "get_area_warnings" => get(format!("/areas/{area}/warnings")).bound(),
        "get_warning" => get(format!("/warnings/{}", seed::warning_in(app, village).await)).bound(),
        "close_warning" => {
            let path = format!("/warnings/{}/closing", seed::warning_in(app, village).await);
            let body = json!({ "outcome": "01", "reason": "入户核查，情况属实" });
            post(path, body).if_match(1).bound()
        }
        "list_leads" => get(format!("/leads?area={area}")).bound(),
        "get_area_leads" => get(format!("/areas/{area}/leads")).bound(),
        "get_lead" => get(format!("/leads/{}", seed::lead_in(app, village).await)).bound(),
        "close_lead" => {
            let path = format!("/leads/{}/closing", seed::lead_in(app, village).await);
            let body = json!({ "outcome": "01", "reason": "入户核对，确有此车" });
            post(path, body).if_match(1).bound()
        }
        "list_village_coverage" => get(format!("/areas/{area}/coverage/villages")).bound(),
        "list_cadre_loads" => get(format!("/areas/{area}/coverage/cadres")).bound(),
        "list_journal" => get(format!("/journal?county={}", area.county())).bound(),
        "list_accesses" => get(format!("/accesses?area={area}")).bound(),
        _ => return None,
    })
}

/// Calls that write registers, or read what they write.
async fn register(app: &TestApp, id: &str, village: &str) -> Option<Operation> {
    let n = journaled(app).await;
    let (version, kind) = seed::pairing_in(app, village).await;
    let member = format!("/teams/{}/T{village}/C{village}/2015-01-01", &village[..6]);
    let pairing =
        format!("/pairings/{}/{kind:02}/C{village}/03/{village}/2015-01-01", &village[..6]);
    let (year, day) = (1900 + n % 100, format!("{}-01-01", 2016 + n % 180));
    let operation = match id {
        "create_organisation" => {
            let body =
                json!({ "no": format!("N{n}"), "name": "新", "level": "村", "area": village });
            post("/organisations", body)
        }
        "change_organisation" => {
            let body = json!({ "name": format!("名{n}") });
            let version = seed::organisation_in(app, village).await;
            send(Method::PATCH, format!("/organisations/U{village}"), body).if_match(version)
        }
        "create_team_member" => {
            let (no, cadre) = (format!("N{n}"), format!("C{village}"));
            let body = json!({ "no": no, "village": village, "cadre": cadre, "starts_on": day });
            post("/teams", body)
        }
        "get_team_member" => get(member),
        "change_team_member" => {
            let version = seed::member_in(app, village).await;
            send(Method::PATCH, member, json!({ "ends_on": day })).if_match(version)
        }
        "get_target" => {
            let code = seed::target_in(app, village).await;
            get(format!("/targets/{village}/2015/{code:02}"))
        }
        "put_target" => {
            send(Method::PUT, format!("/targets/{village}/{year}/01"), json!({ "target": 1 }))
        }
        "get_indicator" => get(format!("/indicators/{village}/2015/%E4%BA%A7%E5%80%BC")),
        "put_indicator" => {
            let body = json!({ "figure": 1 });
            send(Method::PUT, format!("/indicators/{village}/{year}/%E4%BA%A7%E5%80%BC"), body)
        }
        "create_cadre" => {
            let roles = json!(["帮扶干部"]);
            post(
                "/cadres",
                json!({ "no": format!("N{n}"), "name": "新", "roles": roles, "area": village }),
            )
        }
        "change_cadre" => {
            let body = json!({ "post": format!("职{n}") });
            let version = seed::cadre_in(app, village).await;
            send(Method::PATCH, format!("/cadres/C{village}"), body).if_match(version)
        }
        "reveal_cadre" => {
            let body = json!({ "reason": "通知参加入户核查" });
            post(format!("/cadres/C{village}/reveal"), body)
        }
        "create_pairing" => {
            let from = format!("{}-01-01", 2016 + n % 180);
            post(
                "/pairings",
                json!({ "subject_kind": "干部", "subject": format!("C{village}"),
                "object_kind": "村", "object": village, "starts_on": from }),
            )
        }
        "get_pairing" => get(pairing),
        "change_pairing" => {
            let body = json!({ "ends_on": format!("{}-01-01", 2016 + n % 180) });
            send(Method::PATCH, pairing, body).if_match(version)
        }
        "get_village_year" => get(format!("/villages/{village}/2015")),
        "put_village_year" => {
            let path = format!("/villages/{village}/{year}");
            send(Method::PUT, path, json!({ "households": n }))
        }
        _ => return None,
    };
    Some(operation.bound())
}

/// Calls about two persons of a village who may be one, and of whom nothing was judged yet.
async fn suspects(app: &TestApp, id: &str, village: &str) -> Operation {
    let (one, other) = seed::suspects_in(app, village).await;
    let path = format!("/suspects/{one}/{other}");
    let reason = "同村同名，核对本人后认定";
    let merge = json!({ "keep": one, "reason": reason });
    match id {
        "get_suspects" => get(path),
        "judge_suspects" => {
            let body = json!({ "verdict": "different", "reason": reason });
            post(format!("{path}/judgement"), body).if_match(2)
        }
        "merge_suspects" => post(format!("{path}/merge"), merge).if_match(2),
        _ => {
            let clerk = app.client(&[&format!("office_clerk@{}", &village[..6])]).await;
            let merged = clerk.post(&format!("{path}/merge"), merge).if_match(2).send().await;
            let version = merged.expect(200)["version"].as_i64().unwrap();
            post(format!("{path}/undo"), json!({ "reason": reason })).if_match(version)
        }
    }
}

/// Makes numbers that no other call has.
static NEXT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);

/// Calls about jobs, on one of the client's own: of nobody's for who may have none.
async fn job(app: &TestApp, client: &Client, id: &str, area: &AreaCode) -> Operation {
    // Nobody waits for those of the lines before.
    app.execute("update jobs set state = 'cancelled' where state = 'queued'").await;
    let own =
        |answer: crate::harness::Answer| answer.json["id"].as_str().unwrap_or("none").to_owned();
    let row = format!("户编号,行政村代码\nN001,{area}\n");
    let upload = client.upload(&[("households.csv", row.as_bytes())], &[("dry_run", "true")]);
    let import = async || format!("/imports/{}", own(upload.send().await));
    let export = async || {
        let body = json!({ "area": "990101100200" });
        format!("/exports/{}", own(client.post("/exports", body).send().await))
    };
    match id {
        "list_imports" => get("/imports"),
        "create_import" => Operation { form: true, ..post("/imports", Value::Null) },
        "get_import" => get(import().await),
        "cancel_import" => post(format!("{}/cancel", import().await), json!({})),
        "retry_import" => {
            let path = import().await;
            app.jobs.run_queued().await.unwrap();
            post(format!("{path}/retry"), json!({}))
        }
        "undo_import" => {
            let once = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let row = format!("户编号,行政村代码\nU{once},{area}\n");
            let upload = client.upload(&[("households.csv", row.as_bytes())], &[]);
            let path = format!("/imports/{}", own(upload.send().await));
            app.jobs.run_queued().await.unwrap();
            post(format!("{path}/undo"), json!({}))
        }
        "get_import_report" => {
            let path = import().await;
            app.jobs.run_queued().await.unwrap();
            get(format!("{path}/report"))
        }
        "list_jobs" => get("/jobs"),
        "get_job" => get(import().await.replace("/imports", "/jobs")),
        "cancel_job" => {
            post(format!("{}/cancel", import().await.replace("/imports", "/jobs")), json!({}))
        }
        "retry_job" => {
            let path = import().await.replace("/imports", "/jobs");
            app.jobs.run_queued().await.unwrap();
            post(format!("{path}/retry"), json!({}))
        }
        "list_exports" => get("/exports"),
        "create_export" => post("/exports", json!({ "area": area.as_str() })).bound(),
        "get_export" => get(export().await),
        "cancel_export" => post(format!("{}/cancel", export().await), json!({})),
        _ => {
            let path = export().await;
            app.jobs.run_queued().await.unwrap();
            get(format!("{path}/file"))
        }
    }
}

/// The id of the client's own session; of none for a stranger.
async fn own_session(client: &Client) -> String {
    let list = client.get("/session/list").send().await;
    list.json[0]["id"].as_str().unwrap_or("none").to_owned()
}

async fn grant(app: &TestApp, user: &str) -> String {
    let grants = accounts::grants_of(&app.context, user).await.unwrap();
    grants[0].id.clone()
}

/// Who asks: nobody, a user who must change the password, one without grants, and every role.
async fn clients(app: &TestApp) -> Vec<(String, Vec<String>)> {
    let mut all = vec![
        ("stranger".to_owned(), vec![]),
        ("must_change".to_owned(), vec![]),
        ("no_grant".to_owned(), vec![]),
    ];
    for role in app.context.policy.roles() {
        let name = role.name.clone();
        let grant = if role.exclusive { name.clone() } else { format!("{name}@{HOME}") };
        all.push((name, vec![grant]));
    }
    all
}

async fn client(app: &TestApp, who: &str, grants: &[String]) -> Client {
    if who == "stranger" {
        return app.stranger();
    }
    let grants: Vec<&str> = grants.iter().map(String::as_str).collect();
    let client = app.client(&grants).await;
    if who == "must_change" {
        let id = client.user.clone().unwrap().id;
        let sql = "update users set must_change = 1 where id = $1";
        let work = async move |tx: &mut Tx| tx.execute(sql, &[id.into()]).await;
        app.context.db.write(move |tx| async move { work(tx).await }.boxed()).await.unwrap();
    }
    client
}

/// The ids of all operations with their methods.
fn operations() -> BTreeMap<String, String> {
    let document: Value = serde_json::from_str(&http::openapi().to_json().unwrap()).unwrap();
    let mut all = BTreeMap::new();
    for item in document["paths"].as_object().unwrap().values() {
        for (method, operation) in item.as_object().unwrap() {
            all.insert(operation["operationId"].as_str().unwrap().to_owned(), method.clone());
        }
    }
    all
}

/// How many entries the journal has, sealed ones too: an act of many rows seals its own.
async fn journaled(app: &TestApp) -> i64 {
    app.count_rows("journal_pending").await + app.count_rows("journal").await
}

/// The status of one call; a write that succeeds must be in the journal.
async fn status(app: &TestApp, client: &Client, operation: Operation) -> u16 {
    let is_read = operation.asks || operation.method == Method::GET;
    let before = journaled(app).await;
    let mut request = client.call(operation.method, &operation.path);
    if let Some(version) = operation.version {
        request = request.if_match(version);
    }
    if operation.form {
        request = client.upload(&[("households.csv", b"x")], &[]);
    } else if let Some(body) = &operation.body {
        request = request.json(body);
    }
    let status = request.send().await.status;
    let after = journaled(app).await;
    assert!(!operation.asks || after == before, "{} writes", operation.path);
    let is_write = !is_read && (200..300).contains(&status);
    assert!(!is_write || after > before, "{} is not journaled", operation.path);
    status
}

async fn matrix(engine: Engine) -> String {
    let app = TestApp::new(engine).await;
    seed::registry(&app).await;
    seed::helpers_of_villages(&app).await;
    let mut who = Vec::new();
    for (name, grants) in clients(&app).await {
        let client = client(&app, &name, &grants).await;
        who.push((name, grants, client));
    }
    let mut text = String::from(
        "# Who may do what, where. Written by tests/it/matrix.rs; see there.\n\
         # Business roles are held in a township; `own` is a village in it, `ancestor` the county\n\
         # above, `sibling` a village of the next township, `foreign` another province.\n",
    );
    write!(text, "{:<23} {:<9}", "operation", "area").unwrap();
    who.iter().for_each(|(name, ..)| write!(text, " {name}").unwrap());
    text.push('\n');
    for id in operations().keys() {
        if id.starts_with("reveal") {
            // Each as often as a minute allows.
            app.clock.advance_minutes(1);
        }
        for (relation, area) in RELATIONS {
            let area = AreaCode::parse(area).unwrap();
            let (mut line, mut bound) = (String::new(), false);
            for (name, grants, known) in &who {
                let client = match SPENDING.contains(&id.as_str()) {
                    true => client(&app, name, grants).await,
                    false => known.clone(),
                };
                let operation = call(&app, &client, id, &area).await;
                let operation = operation.unwrap_or_else(|| {
                    panic!("matrix.rs does not say how to call the operation {id}: add a line")
                });
                bound = operation.bound;
                let status = status(&app, &client, operation).await;
                write!(line, " {status:>width$}", width = name.len()).unwrap();
            }
            let relation = if bound { relation } else { "-" };
            writeln!(text, "{id:<23} {relation:<9}{line}").unwrap();
            if !bound {
                break;
            }
        }
    }
    check_secrets(&app).await;
    text
}

/// No password, hash or token of all that came in is in the journal.
async fn check_secrets(app: &TestApp) {
    for entry in app.entries().await {
        let body = String::from_utf8(entry.open(&app.context.keys).unwrap()).unwrap();
        for secret in ["argon2", PASSWORD, "Harvest-2021", "token"] {
            assert!(!body.contains(secret), "{} {} holds {secret}", entry.kind, entry.action);
        }
    }
}

#[tokio::test]
async fn the_matrix_is_what_was_reviewed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/matrix.txt");
    // Beside each other: each waits for its disk most of the time.
    let [sqlite, postgres] = Engine::BOTH.map(matrix);
    let (sqlite, postgres) = tokio::join!(sqlite, postgres);
    for (engine, now) in Engine::BOTH.into_iter().zip([sqlite, postgres]) {
        if std::env::var("UPDATE_MATRIX").is_ok_and(|value| value == "1") {
            std::fs::write(&path, &now).unwrap();
        }
        let reviewed = std::fs::read_to_string(&path).unwrap_or_default();
        let mut diff = String::new();
        let (old, new): (Vec<&str>, Vec<&str>) =
            (reviewed.lines().collect(), now.lines().collect());
        old.iter().filter(|l| !new.contains(l)).for_each(|l| writeln!(diff, "- {l}").unwrap());
        new.iter().filter(|l| !old.contains(l)).for_each(|l| writeln!(diff, "+ {l}").unwrap());
        assert!(old == new, "{engine:?}: the matrix changed (UPDATE_MATRIX=1 writes it):\n{diff}");
    }
}
