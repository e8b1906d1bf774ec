//! The second factor: enrolling, signing in with codes, who is held to it, taking it away.

use std::sync::Arc;

use daohu_app::{
    accounts::{self, NewUser, User},
    http::HttpConfig,
    journal::{Depth, verify_store},
};
use daohu_db::Engine;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;

use crate::harness::{Answer, Client, Log, PASSWORD, TestApp};

const PATH: &str = "/session/second-factor";

/// A telephone that knows a secret: what users have in their hands.
pub struct Authenticator(Vec<u8>);

impl Authenticator {
    pub fn new(secret: &str) -> Self {
        Self(BASE32_NOPAD.decode(secret.as_bytes()).unwrap())
    }

    /// The code of now.
    pub fn code(&self, app: &TestApp) -> String {
        self.code_of(app, 0)
    }

    /// The code that a clock shows which is so many steps ahead.
    fn code_of(&self, app: &TestApp, ahead: i64) -> String {
        let step = app.context.clock.now().0 / 30_000 + ahead;
        let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(&self.0).unwrap();
        mac.update(&step.to_be_bytes());
        let hash = mac.finalize().into_bytes();
        let at = usize::from(hash[19] & 15);
        let number = u32::from_be_bytes(hash[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }
}

/// One where nobody passes whose role needs a second factor.
async fn insisting(engine: Engine) -> TestApp {
    TestApp::with(engine, HttpConfig { secure_cookies: false, ..HttpConfig::default() }).await
}

async fn start(client: &Client) -> Authenticator {
    let made = client.post(PATH, json!({ "password": PASSWORD })).send().await.expect(200);
    Authenticator::new(made["secret"].as_str().unwrap())
}

async fn confirm(client: &Client, code: &str) -> Answer {
    client.post(&format!("{PATH}/confirm"), json!({ "code": code })).send().await
}

fn codes(told: &Value) -> Vec<String> {
    let codes = told["recovery_codes"].as_array().unwrap();
    codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

/// Enrols the client; gives the telephone and the recovery codes. Half a minute passes.
async fn enrolled(app: &TestApp, client: &Client) -> (Authenticator, Vec<String>) {
    let phone = start(client).await;
    let told = confirm(client, &phone.code(app)).await.expect(200);
    app.clock.advance_seconds(30);
    (phone, codes(&told))
}

/// What happened to a user's second factor.
async fn story(app: &TestApp, user: &User) -> Vec<String> {
    let entries = app.journal("second_factor", &user.id).await;
    entries.into_iter().map(|(action, ..)| action).collect()
}

/// How many rows of accounts are not what the journal says.
async fn differing(app: &TestApp) -> u64 {
    let verdict = verify_store(&app.context, None, Depth::Rows, accounts::watched()).await;
    verdict.unwrap().bad
}

#[tokio::test]
async fn a_user_enrols_and_signs_in_with_codes_from_then_on() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&["cadre@990101"]).await;
        let (here, there) = (app.signed_in(&user).await, app.signed_in(&user).await);
        let nothing = json!({ "since_at": null, "is_needed": false, "recovery_codes_left": 0 });
        assert_eq!(here.get(PATH).send().await.expect(200), nothing);
        confirm(&here, "123456").await.problem(409, "second_factor.not_started");
        let wrong = here.post(PATH, json!({ "password": "wrong" })).send().await;
        wrong.field_problem("password", "password.wrong");

        let made = here.post(PATH, json!({ "password": PASSWORD })).send().await.expect(200);
        let secret = made["secret"].as_str().unwrap();
        assert_eq!(secret.len(), 32);
        let uri = format!(
            "otpauth://totp/Daohu:user%2D0?secret={secret}&issuer=Daohu&algorithm=SHA1&digits=6\
             &period=30"
        );
        assert_eq!(made["uri"], uri);
        let phone = Authenticator::new(secret);
        // Nothing has changed yet.
        app.stranger().sign_in(&user.name, PASSWORD).await.expect(200);
        let wrong = confirm(&here, &phone.code_of(&app, 2)).await;
        wrong.field_problem("code", "session.bad_code");
        confirm(&here, "").await.field_problem("code", "session.bad_code");
        let told = confirm(&here, &phone.code(&app)).await.expect(200);
        let mut codes = codes(&told);
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 10);
        here.get("/session").send().await.expect(200);
        there.get("/session").send().await.problem(401, "auth.not_signed_in");
        let since = json!("2020-11-22T01:00:00.000Z");
        let state = here.get(PATH).send().await.expect(200);
        assert_eq!((&state["since_at"], &state["recovery_codes_left"]), (&since, &json!(10)));
        let admin = app.client(&["system_admin"]).await;
        let seen = admin.get(&format!("/users/{}", user.id)).send().await.expect(200);
        assert_eq!(seen["second_factor_at"], since);

        app.clock.advance_seconds(30);
        let mut client = app.stranger();
        let asked = client.sign_in(&user.name, PASSWORD).await;
        assert!(asked.header("set-cookie").is_empty());
        asked.problem(401, "session.code_wanted");
        client.sign_in_with(&user.name, " ").await.problem(401, "session.code_wanted");
        // Who does not know the password hears nothing of it.
        client.sign_in(&user.name, "wrong").await.problem(401, "session.refused");
        client.sign_in_with(&user.name, &phone.code(&app)).await.expect(200);
        client.get("/session/list").send().await.expect(200);
        assert_eq!(story(&app, &user).await, ["started", "enrolled"]);
        assert_eq!(differing(&app).await, 0, "{engine:?}");
    }
}

#[tokio::test]
async fn a_code_is_accepted_once_and_none_of_an_earlier_step_after_it() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let phone = start(&client).await;
        let first = phone.code(&app);
        confirm(&client, &first).await.expect(200);
        let sign_in = async |code: &str| app.stranger().sign_in_with(&user.name, code).await.status;
        assert_eq!(sign_in(&first).await, 401, "the code that confirmed is used up");
        app.clock.advance_seconds(90);
        let [before, now, after, later] = [-1, 0, 1, 2].map(|ahead| phone.code_of(&app, ahead));
        assert_eq!(sign_in(&later).await, 401, "two steps ahead");
        assert_eq!(sign_in(&before).await, 200, "a clock that is slow");
        assert_eq!(sign_in(&before).await, 401, "once");
        assert_eq!(sign_in(&now).await, 200);
        assert_eq!(sign_in(&now).await, 401, "once");
        assert_eq!(sign_in(&after).await, 200, "a clock that is fast");
        app.clock.advance_seconds(30);
        assert_eq!(sign_in(&after).await, 401, "it was used when it was ahead");
        assert_eq!(sign_in(&later).await, 200);

        // Of several at once, one.
        app.clock.advance_seconds(90);
        let code = phone.code(&app);
        let attempt = |_| {
            let (mut client, name, code) = (app.stranger(), user.name.clone(), code.clone());
            async move { client.sign_in_with(&name, &code).await.status }
        };
        let mut all = futures_util::future::join_all((0..4).map(attempt)).await;
        all.sort_unstable();
        assert_eq!(all, [200, 401, 401, 401], "{engine:?}");
    }
}

#[tokio::test]
async fn a_recovery_code_works_once_and_new_ones_replace_the_old() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let (phone, old) = enrolled(&app, &client).await;
        let sign_in = async |code: &str| app.stranger().sign_in_with(&user.name, code).await.status;
        // As people type them.
        assert_eq!(sign_in(&old[0].to_lowercase().replace('-', "")).await, 200);
        assert_eq!(sign_in(&old[0]).await, 401, "once");
        assert_eq!(sign_in(&format!(" {} ", old[1])).await, 200);
        // Another user's are no good.
        let other = app.user(&[]).await;
        let (_, others) = accounts::enrol(&app.context, app.act(), &other.id).await.unwrap();
        assert_eq!(sign_in(&others[0].0).await, 401);
        let state = client.get(PATH).send().await.expect(200);
        assert_eq!(state["recovery_codes_left"], 8);

        let renew = |code: &str| {
            let body = json!({ "password": PASSWORD, "code": code });
            client.post(&format!("{PATH}/recovery-codes"), body).send()
        };
        renew("").await.field_problem("code", "session.code_wanted");
        let new = codes(&renew(&phone.code(&app)).await.expect(200));
        assert_eq!(sign_in(&old[2]).await, 401);
        assert_eq!(sign_in(&new[0]).await, 200);
        let used = story(&app, &user).await;
        let expected = [
            "started",
            "enrolled",
            "recovery_code_used",
            "code_refused",
            "recovery_code_used",
            "code_refused",
            "recovery_codes_renewed",
            "code_refused",
            "recovery_code_used",
        ];
        assert_eq!(used, expected, "{engine:?}");
        let left = &app.journal("second_factor", &user.id).await[2].2["after"];
        assert_eq!(left["recovery_codes"], 9);
    }
}

#[tokio::test]
async fn wrong_codes_lock_out_like_wrong_passwords() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let open = app.signed_in(&user).await;
        let (phone, recovery) = enrolled(&app, &open).await;
        let mut client = app.stranger();
        for _ in 0..4 {
            let answer = client.sign_in_with(&user.name, "nothing").await;
            answer.problem(401, "session.bad_code");
        }
        // To know the password is no success yet: the count goes on.
        client.sign_in(&user.name, PASSWORD).await.problem(401, "session.code_wanted");
        let wrong = phone.code_of(&app, 5);
        client.sign_in_with(&user.name, &wrong).await.problem(401, "session.bad_code");
        for code in ["", &phone.code(&app), &recovery[0]] {
            client.sign_in_with(&user.name, code).await.problem(401, "session.refused");
        }
        // Nor can somebody go on trying in an open browser.
        let body = json!({ "password": PASSWORD, "code": wrong });
        let removal = open.post(&format!("{PATH}/removal"), body).send().await;
        removal.problem(403, "account.locked_out");

        let sessions = app.journal("session", &user.id).await;
        let counted = |name: &str| sessions.iter().filter(|(action, ..)| action == name).count();
        assert_eq!((counted("sign_in_failed"), counted("locked_out")), (8, 1));
        let refused = app.journal("second_factor", &user.id).await;
        let refused: Vec<_> =
            refused.iter().filter(|(action, ..)| action == "code_refused").collect();
        assert_eq!(refused.len(), 5, "{engine:?}");
        assert_eq!(refused[0].2["after"], json!({ "address": "198.51.100.7" }));

        app.clock.advance_minutes(15);
        client.sign_in_with(&user.name, &recovery[0]).await.expect(200);
        client.sign_in_with(&user.name, &phone.code(&app)).await.expect(200);
    }
}

#[tokio::test]
async fn whoever_finds_an_open_browser_finds_no_code_by_trying() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let (phone, _) = enrolled(&app, &client).await;
        app.clock.advance_minutes(1);
        let remove = |password: &str, code: &str| {
            let body = json!({ "password": password, "code": code });
            client.post(&format!("{PATH}/removal"), body).send()
        };
        let right = phone.code(&app);
        remove("wrong", &right).await.field_problem("password", "password.wrong");
        for _ in 0..4 {
            remove(PASSWORD, "000000").await.field_problem("code", "session.bad_code");
        }
        remove(PASSWORD, &right).await.problem(429, "request.rate_limited");
        app.clock.advance_minutes(1);
        remove(PASSWORD, "000000").await.field_problem("code", "session.bad_code");
        remove(PASSWORD, &phone.code(&app)).await.problem(403, "account.locked_out");
        assert_eq!(app.journal("session", &user.id).await.last().unwrap().0, "locked_out");
        // To bind one's own telephone takes a code of the old one.
        app.clock.advance_minutes(15);
        let body = json!({ "password": PASSWORD });
        client.post(PATH, body).send().await.field_problem("code", "session.code_wanted");
    }
}

#[tokio::test]
async fn who_needs_a_second_factor_can_only_enrol_it() {
    for engine in Engine::BOTH {
        let app = insisting(engine).await;
        for role in ["system_admin", "security_admin", "audit_admin", "office_clerk@990101"] {
            let user = app.user(&[role]).await;
            let mut client = app.stranger();
            let me = client.sign_in(&user.name, PASSWORD).await.expect(200);
            assert_eq!(me["must_enrol"], true, "{role}");
            for path in ["/session/list", "/users", "/areas", "/households"] {
                let answer = client.get(path).send().await;
                answer.problem(403, "account.must_enrol_second_factor");
            }
            assert_eq!(client.get("/session").send().await.expect(200), me);
            assert_eq!(client.get(PATH).send().await.expect(200)["is_needed"], true);
            let (phone, _) = enrolled(&app, &client).await;
            client.get("/session/list").send().await.expect(200);
            let me = client.sign_in_with(&user.name, &phone.code(&app)).await.expect(200);
            assert_eq!(me["must_enrol"], false);
            app.clock.advance_seconds(30);
            let body = json!({ "password": PASSWORD, "code": phone.code(&app) });
            let removal = client.post(&format!("{PATH}/removal"), body).send().await;
            removal.problem(403, "second_factor.needed");
        }
        for role in ["leader@990101", "village_clerk@990101100", "cadre@990101", "inspector@99"] {
            let client = app.client(&[role]).await;
            let me = client.get("/session").send().await.expect(200);
            assert_eq!(me["must_enrol"], false, "{role}");
            client.get("/session/list").send().await.expect(200);
        }
    }
}

#[tokio::test]
async fn the_first_password_is_changed_before_the_second_factor_is_enrolled() {
    for engine in Engine::BOTH {
        let app = insisting(engine).await;
        let new = NewUser { name: "li.na".into(), display_name: "李娜".into(), password: None };
        let (user, initial) = accounts::create_user(&app.context, app.act(), new).await.unwrap();
        let initial = initial.unwrap().0;
        let role = accounts::NewGrant {
            role: "audit_admin".into(),
            area: None,
            starts_on: None,
            ends_on: None,
        };
        accounts::add_grant(&app.context, app.act(), &user.id, role).await.unwrap();
        let mut client = app.stranger();
        let me = client.sign_in("li.na", &initial).await.expect(200);
        assert_eq!((&me["must_change"], &me["must_enrol"]), (&json!(true), &json!(true)));
        // Who made the account knows the first password, and must not bind a telephone to it.
        let body = json!({ "password": initial });
        let answer = client.post(PATH, body).send().await;
        answer.problem(403, "account.must_change_password");
        confirm(&client, "123456").await.problem(403, "account.must_change_password");
        let body = json!({ "old": initial, "new": PASSWORD });
        client.put("/session/password", body).send().await.expect(204);
        let answer = client.get("/users").send().await;
        answer.problem(403, "account.must_enrol_second_factor");
        enrolled(&app, &client).await;
        client.get("/users").send().await.expect(200);
    }
}

#[tokio::test]
async fn another_telephone_takes_over_with_its_first_code() {
    for engine in Engine::BOTH {
        let app = insisting(engine).await;
        let user = app.user(&["audit_admin"]).await;
        let mut client = app.signed_in(&user).await;
        let (old, codes) = enrolled(&app, &client).await;
        let body = json!({ "password": PASSWORD, "code": codes[0] });
        let made = client.post(PATH, body).send().await.expect(200);
        let new = Authenticator::new(made["secret"].as_str().unwrap());
        // Until then nothing changes.
        let code = new.code(&app);
        client.sign_in_with(&user.name, &code).await.problem(401, "session.bad_code");
        client.sign_in_with(&user.name, &old.code(&app)).await.expect(200);
        confirm(&client, &new.code(&app)).await.expect(200);
        app.clock.advance_seconds(30);
        let code = old.code(&app);
        client.sign_in_with(&user.name, &code).await.problem(401, "session.bad_code");
        client.sign_in_with(&user.name, &codes[1]).await.problem(401, "session.bad_code");
        client.sign_in_with(&user.name, &new.code(&app)).await.expect(200);
        assert_eq!(differing(&app).await, 0, "{engine:?}");
    }
}

#[tokio::test]
async fn who_does_not_need_it_takes_it_away_with_password_and_code() {
    for engine in Engine::BOTH {
        let app = insisting(engine).await;
        let user = app.user(&["cadre@990101"]).await;
        let here = app.signed_in(&user).await;
        let remove = |code: &str| {
            let body = json!({ "password": PASSWORD, "code": code });
            here.post(&format!("{PATH}/removal"), body).send()
        };
        remove("123456").await.problem(409, "second_factor.none");
        let (phone, _) = enrolled(&app, &here).await;
        let mut there = app.stranger();
        there.sign_in_with(&user.name, &phone.code(&app)).await.expect(200);
        app.clock.advance_minutes(1);
        remove(&phone.code(&app)).await.expect(204);
        there.get("/session").send().await.problem(401, "auth.not_signed_in");
        here.get("/session").send().await.expect(200);
        app.stranger().sign_in(&user.name, PASSWORD).await.expect(200);
        assert_eq!(story(&app, &user).await, ["started", "enrolled", "removed"]);
        for sql in ["select user_id from second_factors", "select user_id from recovery_codes"] {
            assert!(app.rows(sql).await.is_empty(), "{engine:?} {sql}");
        }
        assert_eq!(differing(&app).await, 0, "{engine:?}");
    }
}

#[tokio::test]
async fn a_security_administrator_alone_resets_it_for_others() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&["office_clerk@990101"]).await;
        let client = app.signed_in(&user).await;
        let security = app.client(&["security_admin"]).await;
        let path = |id: &str| format!("/users/{id}/second-factor-reset");
        let reset = async |by: &Client, id: &str| by.post(&path(id), json!({})).send().await;
        reset(&security, &user.id).await.problem(409, "second_factor.none");
        enrolled(&app, &client).await;
        for role in ["system_admin", "audit_admin", "office_clerk@990101", "leader@99"] {
            let other = app.client(&[role]).await;
            reset(&other, &user.id).await.problem(403, "auth.forbidden");
        }
        reset(&security, &user.id).await.expect(204);
        client.get("/session").send().await.problem(401, "auth.not_signed_in");
        app.stranger().sign_in(&user.name, PASSWORD).await.expect(200);
        let last = app.journal("second_factor", &user.id).await.pop().unwrap();
        let own = security.user.clone().unwrap();
        assert_eq!((last.0.as_str(), last.1), ("reset", format!("{} security_admin", own.name)));

        enrolled(&app, &security).await;
        reset(&security, &own.id).await.problem(403, "second_factor.own_reset");
        reset(&security, "nobody").await.problem(404, "record.not_found");
        assert_eq!(differing(&app).await, 0, "{engine:?}");
        // What somebody does to the table by hand is found.
        app.execute("update users set second_factor_at = null").await;
        assert_eq!(differing(&app).await, 1, "{engine:?}");
    }
}

#[tokio::test]
async fn secrets_are_told_once_and_stand_nowhere_else() {
    let log = Log::of_this_thread();
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let send = async |path: &str, body: &Value| {
            let call = client.post(path, body.clone()).header("idempotency-key", path);
            call.send().await.expect(200)
        };
        let body = json!({ "password": PASSWORD });
        let made = send(PATH, &body).await;
        assert_eq!(send(PATH, &body).await, json!({ "uri": null, "secret": null }));
        let secret = made["secret"].as_str().unwrap();
        let phone = Authenticator::new(secret);
        let (code, path) = (phone.code(&app), format!("{PATH}/confirm"));
        let body = json!({ "code": code });
        let recovery = codes(&send(&path, &body).await);
        assert_eq!(send(&path, &body).await, json!({ "recovery_codes": null }));
        app.stranger().sign_in_with(&user.name, &recovery[0]).await.expect(200);
        app.stranger()
            .sign_in_with(&user.name, &recovery[0])
            .await
            .problem(401, "session.bad_code");

        let mut seen = log.text();
        for entry in app.entries().await {
            seen += &String::from_utf8(entry.open(&app.context.keys).unwrap()).unwrap();
        }
        let plain = recovery.iter().map(|code| code.replace('-', ""));
        let hidden = recovery.iter().cloned().chain(plain).chain([secret.to_owned()]);
        for text in hidden.chain([code, PASSWORD.to_owned(), "otpauth".to_owned()]) {
            assert!(!seen.contains(&text), "{engine:?} {text}");
        }
        // At rest: sealed, and hashed with a key.
        let sealed = app.rows("select secret from second_factors").await;
        let sealed = sealed[0].blob(0).unwrap();
        assert!(!sealed.windows(20).any(|part| part == phone.0));
        let opened = app.context.keys.open(&format!("second_factor/{}", user.id), sealed).unwrap();
        assert_eq!(opened, phone.0, "bound to the user");
        let hashes = app.rows("select code_hash from recovery_codes").await;
        assert_eq!(hashes.len(), 9);
        assert!(hashes.iter().all(|row| row.blob(0).unwrap().len() == 16));
    }
}

#[tokio::test]
async fn a_rotation_of_the_keys_takes_the_second_factors_along() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let user = app.user(&[]).await;
        let client = app.signed_in(&user).await;
        let (phone, recovery) = enrolled(&app, &client).await;
        let body = json!({ "password": PASSWORD, "code": recovery[0] });
        client.post(PATH, body).send().await.expect(200);
        let keys = Arc::new(app.context.keys.rotated().unwrap());
        let context = daohu_app::Context { keys: keys.clone(), ..app.context.clone() };
        assert_eq!(accounts::reseal(&context).await.unwrap(), 1);
        assert_eq!(accounts::reseal(&context).await.unwrap(), 0);
        let row = &app.rows("select secret, pending from second_factors").await[0];
        for place in [0, 1] {
            assert!(keys.is_current(row.blob(place).unwrap()), "{engine:?} {place}");
        }
        for code in [&phone.code(&app), &recovery[1]] {
            let mut client = app.stranger_with(keys.clone());
            client.sign_in_with(&user.name, code).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_secret_moved_to_another_user_admits_nobody() {
    for engine in Engine::BOTH {
        let app = TestApp::new(engine).await;
        let (mine, theirs) = (app.user(&[]).await, app.user(&[]).await);
        let (phone, codes) = enrolled(&app, &app.signed_in(&mine).await).await;
        enrolled(&app, &app.signed_in(&theirs).await).await;
        let sql = "update second_factors set last_step = -1, secret =
                     (select secret from second_factors f join users u on u.id = f.user_id
                      where u.name = 'user-0')";
        app.execute(sql).await;
        app.stranger().sign_in_with(&mine.name, &phone.code(&app)).await.expect(200);
        let answer = app.stranger().sign_in_with(&theirs.name, &phone.code(&app)).await;
        answer.problem(500, "server.internal");
        let sql = "update recovery_codes set user_id =
                     (select id from users where name = 'user-1')";
        app.execute(sql).await;
        let answer = app.stranger().sign_in_with(&theirs.name, &codes[0]).await;
        answer.problem(401, "session.bad_code");
        app.execute("delete from second_factors").await;
        let answer = app.stranger().sign_in_with(&theirs.name, &phone.code(&app)).await;
        answer.problem(401, "session.bad_code");
    }
}
