//! `/policies`

use daohu_base::{AreaCode, Timestamp};
use daohu_policy::{BadPack, Right, area_of_file};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    explain::{Explained, explain_all},
    model::{Pack, Publication},
    ops::{self, Outcome},
};
use crate::{
    Error, FieldError, areas,
    http::{
        Answer, ApiError, App, At, Json, Page, PageRequest, Path, Permit, Query, Session,
        area_in_path, day,
    },
};

/// The routes of the slice.
pub(crate) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_policies, publish_policy))
        .routes(routes!(get_policy))
        .routes(routes!(withdraw_policy))
        .routes(routes!(get_area_policy))
}

/// A publication of a pack.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicationView {
    /// In the order of publication.
    id: i64,
    /// The pack's name: a later publication under it goes in place of this one.
    pack: String,
    /// Names of its files; none of a pack that was withdrawn.
    files: Vec<String>,
    /// Of all packs together, once this was published.
    version: String,
    /// Why it was published.
    note: String,
    published_at: At,
    published_by: String,
}

/// A publication, with the texts of its files.
#[derive(Serialize, ToSchema)]
pub(crate) struct PublicationWithFiles {
    #[serde(flatten)]
    publication: PublicationView,
    /// In the order in which they are read.
    texts: Vec<PackFile>,
}

/// A file of a pack.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PackFile {
    /// Its name, for what is wrong with it.
    name: String,
    /// TOML.
    text: String,
}

/// Which page.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListPolicies {
    /// Publications under this name.
    pack: Option<String>,
    /// Rows of the page: 1 to 200, 50 if absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// `next` of the page before.
    after: Option<String>,
}

/// A pack to publish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PublishPolicy {
    /// 1 to 64 letters, digits, `-`, `_` or `.`; what stands under this name is replaced.
    pack: String,
    /// What it says.
    files: Vec<PackFile>,
    /// Why: it is kept with the publication.
    #[serde(default)]
    note: String,
    /// Looks whether it could be published, and publishes nothing.
    #[serde(default)]
    dry_run: bool,
}

/// Why a pack is withdrawn.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WithdrawPolicy {
    /// It is kept with the publication.
    #[serde(default)]
    note: String,
}

/// What a publication came to.
#[derive(Serialize, ToSchema)]
pub(crate) struct PolicyOutcome {
    /// `published`, `tried` (it could be), or `unchanged` (it is, as it stands).
    outcome: &'static str,
    /// Of all packs together; none where nothing changed.
    version: Option<String>,
}

/// Which day, which item.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PolicyOn {
    /// `YYYY-MM-DD`; today if absent.
    #[param(format = Date)]
    on: Option<String>,
    /// The id of one item: `line`, `below_line` …
    item: Option<String>,
}

/// What packs say in an area on a day.
#[derive(Serialize, ToSchema)]
pub(crate) struct AreaPolicy {
    area: String,
    #[schema(format = Date)]
    on: String,
    /// Of all packs together.
    version: String,
    items: Vec<Explained>,
}

impl PackFile {
    /// Name and text.
    pub(crate) fn into_pair(self) -> (String, String) {
        (self.name, self.text)
    }
}

impl From<Publication> for PublicationView {
    fn from(own: Publication) -> Self {
        Self {
            id: own.id,
            files: own.files().into_iter().map(|(name, _)| name).collect(),
            pack: own.pack,
            version: own.version,
            note: own.note,
            published_at: At(Timestamp(own.published_at)),
            published_by: own.published_by,
        }
    }
}

/// Who may publish a pack may do so for all areas that its files name, where the whole of these lies inside the scope; files that
/// name none say something for the whole installation, and so all of its counties must.
async fn reach(permit: &Permit, packs: &[Vec<(String, String)>]) -> Answer<()> {
    let mut areas: Vec<Option<AreaCode>> = Vec::new();
    for (name, text) in packs.iter().flatten() {
        // What cannot be read is told by the check.
        areas.extend(area_of_file(name, text).ok());
    }
    let mut needed: Vec<AreaCode> = areas.iter().flatten().cloned().collect();
    if areas.iter().any(Option::is_none) {
        let counties = areas::ops::all_counties(permit.context()).await?;
        if counties.is_empty() {
            return Err(ApiError::new("policy.outside"));
        }
        needed.extend(counties);
    }
    match needed.iter().all(|area| permit.scope.contains(area)) {
        true => Ok(()),
        false => Err(ApiError::new("policy.outside")),
    }
}

fn refused(found: &[BadPack]) -> ApiError {
    let field = |bad: &BadPack| FieldError {
        column: bad.file.clone(),
        code: "policy.bad_pack",
        message: bad.reason.clone(),
        ..FieldError::default()
    };
    Error::Invalid(found.iter().map(field).collect()).into()
}

fn told(outcome: Outcome) -> Answer<Json<PolicyOutcome>> {
    let (outcome, version) = match outcome {
        Outcome::Refused(found) => return Err(refused(&found)),
        Outcome::Published(own) => ("published", Some(own.version)),
        Outcome::Tried(policy) => ("tried", Some(policy.version().to_owned())),
        Outcome::Unchanged => ("unchanged", None),
    };
    Ok(Json(PolicyOutcome { outcome, version }))
}

/// Publications of packs, the last first. Policy is open to whoever signs in.
#[utoipa::path(get, path = "/policies", tag = "policies", params(ListPolicies),
    responses((status = 200, body = Page<PublicationView>)))]
pub(crate) async fn list_policies(
    session: Session,
    Query(query): Query<ListPolicies>,
) -> Answer<Json<Page<PublicationView>>> {
    let permit = session.own();
    let page = PageRequest::<i64>::new("policies", query.limit, query.after.as_deref())?;
    let found = ops::page(permit.context(), query.pack, (page.after, page.fetch())).await?;
    Ok(Json(page.page(found, |own| own.id).map(PublicationView::from)))
}

/// A publication with its files.
#[utoipa::path(get, path = "/policies/{id}", tag = "policies", params(("id" = i64, Path)),
    responses((status = 200, body = PublicationWithFiles)))]
pub(crate) async fn get_policy(
    session: Session,
    Path(id): Path<i64>,
) -> Answer<Json<PublicationWithFiles>> {
    let permit = session.own();
    let own = ops::by_id(permit.context(), id).await?.ok_or(Error::NotFound("policy pack"))?;
    let text = |(name, text): (String, String)| PackFile { name, text };
    let texts = own.files().into_iter().map(text).collect();
    Ok(Json(PublicationWithFiles { publication: own.into(), texts }))
}

/// Publishes a pack, in place of what stands under its name: servers take it up within seconds, and it is journaled. Every file must be
/// of areas inside the scope; files that name no area are for whoever has all counties. 422 with all that is wrong, by file and line.
#[utoipa::path(post, path = "/policies", tag = "policies", request_body = PublishPolicy,
    responses((status = 200, body = PolicyOutcome)))]
pub(crate) async fn publish_policy(
    session: Session,
    Json(body): Json<PublishPolicy>,
) -> Answer<Json<PolicyOutcome>> {
    let permit = session.require(Right::PoliciesPublish)?;
    let context = permit.context();
    let mut files: Vec<_> = body.files.into_iter().map(PackFile::into_pair).collect();
    files.sort();
    if files.is_empty() {
        return Err(ApiError::field("files", "policy.no_files"));
    }
    let replaced = ops::files_of(context, &body.pack).await?;
    reach(&permit, &[files.clone(), replaced]).await?;
    let pack = Pack { name: body.pack, files };
    told(ops::publish(context, permit.act(), (pack, body.note), body.dry_run).await?)
}

/// Takes back what stands under a name: what stood below it holds again.
#[utoipa::path(post, path = "/policies/{pack}/withdrawal", tag = "policies",
    params(("pack" = String, Path)), request_body = WithdrawPolicy,
    responses((status = 200, body = PolicyOutcome)))]
pub(crate) async fn withdraw_policy(
    session: Session,
    Path(pack): Path<String>,
    Json(body): Json<WithdrawPolicy>,
) -> Answer<Json<PolicyOutcome>> {
    let permit = session.require(Right::PoliciesPublish)?;
    let context = permit.context();
    reach(&permit, &[ops::files_of(context, &pack).await?]).await?;
    told(ops::withdraw(context, permit.act(), (pack, body.note)).await?)
}

/// What packs say in an area on a day, item by item, and where it stands: amounts, rules, what counts as income. What is open or
/// stands behind is told too.
#[utoipa::path(get, path = "/areas/{code}/policy", tag = "policies",
    params(("code" = String, Path), PolicyOn), responses((status = 200, body = AreaPolicy)))]
pub(crate) async fn get_area_policy(
    session: Session,
    Path(code): Path<String>,
    Query(query): Query<PolicyOn>,
) -> Answer<Json<AreaPolicy>> {
    let permit = session.own();
    let context = permit.context();
    let area = area_in_path(&code)?;
    areas::ops::check_known(context, &area).await?;
    let on = day("on", query.on.as_deref())?.unwrap_or_else(|| context.clock.now().day());
    let policy = &context.policy;
    let mut items = explain_all(policy, &area, on);
    if let Some(item) = query.item {
        items.retain(|own| own.item == item);
        if items.is_empty() {
            return Err(ApiError::field("item", "policy.unknown_item"));
        }
    }
    let (area, on, version) = (area.to_string(), on.to_string(), policy.version().to_owned());
    Ok(Json(AreaPolicy { area, on, version, items }))
}
