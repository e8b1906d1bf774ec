//! The OpenAPI document: handlers document what they take and give; what follows from the rules of
//! the interface (problems, sign-in, repeated requests) is added here, to all alike.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ComponentsBuilder, Content, InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Ref, RefOr,
        ResponseBuilder,
        path::{Operation, Parameter, ParameterBuilder, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_axum::router::OpenApiRouter;

use super::{Problem, app};

const SESSION: &str = "session";
const PROBLEM: &str = "Problem";
const IF_MATCH: &str = "If-Match";
/// An `ETag` as the server gives it.
const VERSION_PATTERN: &str = "^\"v[0-9]{1,18}\"$";
/// What an `Idempotency-Key` may be.
const KEY_PATTERN: &str = "^[!-~]{1,128}$";
/// Operations whose rate, or whose number at once, is limited for each user.
const LIMITED: [&str; 12] = [
    "change_password",
    "confirm_second_factor",
    "create_export",
    "create_import",
    "remove_second_factor",
    "renew_recovery_codes",
    "retry_import",
    "reveal_cadre",
    "reveal_household",
    "reveal_person",
    "search_registry",
    "start_second_factor",
];
/// Operations that need room on the disk.
const STORING: [&str; 3] = ["create_export", "create_import", "retry_import"];
/// Files that are not there yet, or not any more.
const FETCHING: [&str; 2] = ["get_export_file", "get_import_report"];

/// Operations that stop work: they must not wait for what they are to stop.
const CANCELS: [&str; 2] = ["cancel_import", "cancel_export"];

/// The description of the whole interface, OpenAPI 3.1.
pub fn openapi() -> OpenApi {
    let mut document =
        OpenApiRouter::with_openapi(frame()).nest(app::BASE, app::api()).into_openapi();
    for item in document.paths.paths.values_mut() {
        let PathItem { get, put, post, delete, patch, .. } = item;
        for operation in get.iter_mut() {
            complete(operation, Effect::None);
        }
        for operation in [put, post, patch].into_iter().flatten() {
            let effect = if is_plain(operation) { Effect::Plain } else { Effect::Repeatable };
            complete(operation, effect);
        }
        for operation in delete.iter_mut() {
            complete(operation, Effect::Plain);
        }
    }
    document
}

/// What an operation does to the data.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// Nothing.
    None,
    /// A change that an `Idempotency-Key` protects.
    Repeatable,
    /// A change that may be sent twice anyway.
    Plain,
}

/// True for uploads, which are never held and compared, and for what stops work, which may be sent
/// twice anyway.
fn is_plain(operation: &Operation) -> bool {
    let is_upload = match &operation.request_body {
        Some(RefOr::T(body)) => body.content.keys().any(|kind| kind == "multipart/form-data"),
        _ => false,
    };
    let id = operation.operation_id.as_deref().unwrap_or_default();
    is_upload || CANCELS.contains(&id)
}

fn frame() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Daohu")
        .description(Some("The registry of targeted poverty alleviation."))
        .version(env!("CARGO_PKG_VERSION"));
    let mut problem_schemas = Vec::new();
    Problem::schemas(&mut problem_schemas);
    let problem = ResponseBuilder::new()
        .description("Why the request was not carried out.")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name(PROBLEM))))
        .build();
    let cookie = ApiKey::Cookie(ApiKeyValue::new("daohu_session"));
    let components = ComponentsBuilder::new()
        .schema(PROBLEM, Problem::schema())
        .schemas_from_iter(problem_schemas)
        .response(PROBLEM, problem)
        .security_scheme(SESSION, SecurityScheme::ApiKey(cookie))
        .build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(components))
        .security(Some([SecurityRequirement::new::<_, [&str; 0], &str>(SESSION, [])]))
        .build()
}

/// Adds what the rules of the interface say of such an operation.
fn complete(operation: &mut Operation, effect: Effect) {
    // An operation that names its own security is open to strangers: sign-in.
    let is_open = operation.security.is_some();
    let parameters = operation.parameters.get_or_insert_default();
    let has = |place: ParameterIn, name: &str| {
        let is = |p: &Parameter| p.parameter_in == place && (name.is_empty() || p.name == name);
        parameters.iter().any(|p| matches!(p, RefOr::T(p) if is(p)))
    };
    let has_body = operation.request_body.is_some();
    let in_query = has(ParameterIn::Query, "");
    let is_repeatable = effect == Effect::Repeatable && !is_open;
    let if_match = has(ParameterIn::Header, IF_MATCH);
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let is_fetching = FETCHING.contains(&id);
    let statuses = [
        // An address that holds NUL is refused everywhere.
        ("400", true),
        ("401", true),
        ("403", !is_open || effect != Effect::None),
        ("404", has(ParameterIn::Path, "")),
        ("409", (effect != Effect::None && !is_open) || is_fetching),
        ("412", if_match),
        ("413", has_body),
        ("415", has_body),
        // Also where a key was used for another request before.
        ("422", has_body || in_query || is_repeatable),
        ("428", if_match),
        ("429", is_open || LIMITED.contains(&id)),
        ("500", true),
        ("507", STORING.contains(&id)),
    ];
    for parameter in parameters.iter_mut() {
        if let RefOr::T(parameter) = parameter
            && parameter.name == IF_MATCH
        {
            parameter.schema = Some(text(VERSION_PATTERN).into());
        }
    }
    if is_repeatable {
        parameters.push(RefOr::T(idempotency_key()));
    }
    for (status, _) in statuses.into_iter().filter(|(_, applies)| *applies) {
        let responses = &mut operation.responses.responses;
        responses.entry(status.to_owned()).or_insert(RefOr::Ref(Ref::from_response_name(PROBLEM)));
    }
}

fn idempotency_key() -> Parameter {
    ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .description(Some("Requests with equal keys are carried out once."))
        .schema(Some(text(KEY_PATTERN)))
        .build()
}

/// A text that this regular expression describes.
fn text(pattern: &str) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String).pattern(Some(pattern))
}
