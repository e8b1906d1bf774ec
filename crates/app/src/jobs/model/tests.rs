//! Tests of what a job may become.

use super::*;

#[test]
fn names_of_files_lead_nowhere() {
    for (sent, kept) in [
        ("户.csv", "户.csv"),
        ("C:\\资料\\户.xlsx", "户.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("..", "file"),
        (".", "file"),
        ("", "file"),
        ("/", "file"),
        (".hidden.csv", "hidden.csv"),
        ("~$户.xlsx", "$户.xlsx"),
        ("a\0b\n.csv", "ab.csv"),
        (".csv", "csv"),
        (" 户 .csv ", "户 .csv"),
    ] {
        assert_eq!(file_name(sent), kept, "{sent:?}");
    }
    let long = file_name(&format!("{}.xlsx", "户".repeat(200)));
    assert!(long.len() <= NAME_BYTES_MAX && long.ends_with("户.xlsx"), "{long}");
}

fn job(state: State, dry_run: bool) -> Job {
    let request = ImportRequest {
        files: Vec::new(),
        dry_run,
        on_error: OnErrorOption::Abort,
        blank: BlankOption::Keep,
        english: false,
    };
    Job {
        id: "1".into(),
        user_id: "1".into(),
        state,
        request: Request::Import(request),
        result: None,
        rows_done: 0,
        rows_total: None,
        cancel_wanted: false,
        attempts: 0,
        is_stored: false,
        files_kept: true,
        created_at: Timestamp(0),
        started_at: None,
        ended_at: None,
        queued_at: None,
    }
}

#[test]
fn a_dry_run_is_tried_again_for_real_and_what_was_cut_off_as_it_was() {
    let dry = |job: &Job, again: Again| match job.again(again) {
        Ok(Request::Import(request)) => Ok(request.dry_run),
        Ok(_) => Err("another kind"),
        Err(Error::Refused(code)) => Err(code),
        Err(_) => Err("other"),
    };
    let plain = Again::default();
    assert_eq!(dry(&job(State::Done, true), plain), Ok(false));
    assert_eq!(dry(&job(State::Interrupted, true), plain), Ok(true));
    let real = Again { dry_run: Some(false), ..plain };
    assert_eq!(dry(&job(State::Interrupted, true), real), Ok(false));
    assert_eq!(dry(&job(State::Refused, false), plain), Ok(false));
    assert_eq!(dry(&job(State::Running, false), plain), Err("job.not_ended"));
    assert_eq!(dry(&job(State::Queued, true), plain), Err("job.not_ended"));
    let stored = Job { is_stored: true, ..job(State::Done, false) };
    assert_eq!(dry(&stored, plain), Err("job.stored"));
    let gone = Job { files_kept: false, ..job(State::Done, true) };
    assert_eq!(dry(&gone, plain), Err("job.files_gone"));
}

#[test]
fn states_are_found_by_their_names() {
    for state in State::ALL {
        assert_eq!(State::named(state.as_str()), Some(state));
        assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
    }
    assert_eq!(State::named("gone"), None);
}
