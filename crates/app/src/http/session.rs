//! Who asks, and what they may do.

use std::{net::IpAddr, sync::Arc};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderName, header, request::Parts},
};
use daohu_base::{Actor, AreaCode, AreaLevel, Scope};
use daohu_policy::Right;

use super::{Answer, ApiError, App, Caller, Enforcement};
use crate::{
    Context,
    accesses::{Seen, Visitor, What},
    accounts::{self, Authority, Grant, SignedIn},
    jobs::Jobs,
    journal::Act,
    sheet::Frame,
};

/// A signed-in user. Gives no access to data before [`Session::require`] was asked.
pub struct Session {
    app: App,
    who: Arc<SignedIn>,
    address: IpAddr,
}

/// A signed-in user who may have a password to change before anything else.
pub struct Arrival(pub Session);

/// A signed-in user with a password of the own, who may have a second factor to enrol before anything
/// else.
pub struct Enrolling(pub Session);

/// Somebody who is not signed in.
pub struct Stranger {
    app: App,
    caller: Caller,
}

/// What a right allows its holder: by whom, where. Made here alone, from grants that give the right.
#[derive(Clone)]
pub struct Permit {
    /// Who acts, under which grants.
    pub actor: Actor,
    /// Where: the areas of exactly the grants that give the right.
    pub scope: Scope,
    grants: Vec<Grant>,
    address: IpAddr,
    app: App,
}

impl Session {
    /// Who it is.
    pub fn who(&self) -> &SignedIn {
        &self.who
    }

    /// The permit that this right gives, or 403.
    pub fn require(&self, right: Right) -> Answer<Permit> {
        self.require_all(&[right])
    }

    /// The permit of the grants that each give all these rights, or 403.
    pub fn require_all(&self, rights: &[Right]) -> Answer<Permit> {
        let policy = &self.app.context().policy;
        let authority = Authority::of(policy, &self.who.user.name, &self.who.grants, rights);
        let authority = authority.ok_or_else(|| ApiError::new("auth.forbidden"))?;
        let Authority { actor, scope, grants } = authority;
        Ok(Permit { actor, scope, grants, address: self.address, app: self.app.clone() })
    }

    /// The permit to see full numbers, as often in a minute as the pack allows.
    pub fn require_to_reveal(&self) -> Answer<Permit> {
        let permit = self.require(Right::RegistryReveal)?;
        let rate = permit.context().policy.security().reveals_per_minute;
        permit.limit("reveal", rate)?;
        Ok(permit)
    }

    /// True if a role of the user's needs a second factor, and the installation insists on it.
    pub fn needs_second_factor(&self) -> bool {
        self.app.config().second_factor == Enforcement::Required
            && self.who.needs_second_factor(&self.app.context().policy)
    }

    /// True if a second factor is to be enrolled before anything else.
    pub fn must_enrol(&self) -> bool {
        self.who.user.second_factor_at.is_none() && self.needs_second_factor()
    }

    /// The permit that everybody has over the own account: no business data.
    pub fn own(&self) -> Permit {
        Permit {
            actor: Actor { name: self.who.user.name.clone(), authority: "self".to_owned() },
            scope: Scope::nothing(),
            grants: Vec::new(),
            address: self.address,
            app: self.app.clone(),
        }
    }

    /// The header that takes the cookie from the browser.
    pub fn clear_cookie(&self) -> [(HeaderName, String); 1] {
        [(header::SET_COOKIE, cookie(&self.app, "", 0))]
    }
}

impl Stranger {
    /// Where the request comes from.
    pub fn address(&self) -> IpAddr {
        self.caller.address
    }

    /// Counts an act of this address; 429 beyond the rate.
    pub fn limit(&self, act: &'static str, per_minute: u32) -> Answer<()> {
        let now = self.app.context().clock.now();
        self.app.limiter().count(act, self.caller.address.to_string(), per_minute, now)
    }

    /// What works with accounts before anybody is signed in.
    pub fn context(&self) -> &Context {
        self.app.context()
    }

    /// Whom the sign-in has made of the stranger.
    pub fn arrive(&self, who: SignedIn) -> Arrival {
        let (app, address) = (self.app.clone(), self.caller.address);
        Arrival(Session { app, who: Arc::new(who), address })
    }

    /// The header that gives the browser of this user its cookie.
    pub fn set_cookie(&self, user_id: &str, token: &str) -> [(HeaderName, String); 1] {
        // For the access log: from here on it is known who asked.
        let _ = self.caller.user_id.set(user_id.to_owned());
        let hours = self.app.context().policy.security().session_absolute_hours;
        [(header::SET_COOKIE, cookie(&self.app, token, hours.saturating_mul(3600)))]
    }
}

impl Permit {
    /// What use cases work with.
    pub fn context(&self) -> &Context {
        self.app.context()
    }

    /// The imports and exports of the server.
    pub(crate) fn jobs(&self) -> &Jobs {
        self.app.jobs()
    }

    /// True if a grant without an area gives the right: an administrator's, who sees no contents.
    pub fn is_administrators(&self) -> bool {
        self.grants.iter().any(|grant| grant.area.is_none())
    }

    /// The scope narrowed to an area that the user chose; 404 unless all of it lies inside.
    pub fn within(&self, column: &'static str, area: Option<&str>) -> Answer<Scope> {
        let Some(area) = area else { return Ok(self.scope.clone()) };
        let area = AreaCode::parse(area).map_err(|_| ApiError::field(column, "area.bad_code"))?;
        if area.level() == AreaLevel::Group {
            return Err(ApiError::field(column, "area.is_group"));
        }
        if !self.scope.contains(&area) {
            return Err(ApiError::new("record.not_found"));
        }
        Ok(Scope::of([area]))
    }

    /// The frame of the journal entries of a write; its time is now.
    pub fn act(&self) -> Act {
        Act::new(self.actor.clone(), &*self.context().clock, "api")
    }

    /// What single records are changed with; its time is now.
    pub(crate) fn frame(&self, caller: &Caller) -> Frame {
        Frame::new(self.context(), self.act(), self.scope.clone(), caller.lang)
    }

    /// Notes in the access log that the holder looks at a record: before it is shown.
    pub(crate) async fn note(&self, what: What, seen: Seen<'_>) -> Answer<()> {
        let (actor, at) = (self.actor.clone(), self.context().clock.now());
        let visitor = Visitor { actor, address: Some(self.address), at };
        Ok(self.app.accesses().note(&visitor, what, seen).await?)
    }

    /// As [`Permit::act`], under the one grant that covers the area; 404 if none does.
    pub fn act_in(&self, area: &AreaCode) -> Answer<Act> {
        let covers = |grant: &&Grant| grant.area.as_ref().is_some_and(|mine| mine.contains(area));
        let grant = self.grants.iter().find(covers);
        let grant = grant.ok_or_else(|| ApiError::new("record.not_found"))?;
        let actor = Actor { name: self.actor.name.clone(), authority: grant.to_string() };
        Ok(Act::new(actor, &*self.context().clock, "api"))
    }

    /// Counts an act of this user; 429 beyond the rate.
    pub fn limit(&self, act: &'static str, per_minute: u32) -> Answer<()> {
        let now = self.context().clock.now();
        self.app.limiter().count(act, self.actor.name.clone(), per_minute, now)
    }
}

impl FromRequestParts<App> for Arrival {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let known = parts.extensions.get::<Arc<SignedIn>>().cloned();
        let who = match known {
            Some(who) => Some(who),
            None => identify(app, &parts.headers).await?,
        };
        let who = who.ok_or_else(|| ApiError::new("auth.not_signed_in"))?;
        let caller = caller(parts);
        // Set once; a second extractor finds the same user.
        let _ = caller.user_id.set(who.user.id.clone());
        Ok(Self(Session { app: app.current(), who, address: caller.address }))
    }
}

impl FromRequestParts<App> for Enrolling {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let Arrival(session) = Arrival::from_request_parts(parts, app).await?;
        if session.who.user.must_change {
            return Err(ApiError::new("account.must_change_password"));
        }
        Ok(Self(session))
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let Enrolling(session) = Enrolling::from_request_parts(parts, app).await?;
        if session.must_enrol() {
            return Err(ApiError::new("account.must_enrol_second_factor"));
        }
        Ok(session)
    }
}

impl FromRequestParts<App> for Stranger {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        Ok(Self { app: app.current(), caller: caller(parts) })
    }
}

/// Where the request comes from.
fn caller(parts: &Parts) -> Caller {
    let caller = parts.extensions.get::<Caller>().cloned();
    caller.unwrap_or_else(|| Caller::new(&parts.headers, &parts.extensions, &[]))
}

/// The user whose cookie the request carries, if it opens a session that has not ended.
pub(super) async fn identify(app: &App, headers: &HeaderMap) -> Answer<Option<Arc<SignedIn>>> {
    let name = cookie_name(app);
    let values = headers.get_all(header::COOKIE).into_iter().filter_map(|v| v.to_str().ok());
    let mut pairs =
        values.flat_map(|text| text.split(';')).filter_map(|p| p.trim().split_once('='));
    let Some((_, token)) = pairs.find(|(key, _)| *key == name) else { return Ok(None) };
    Ok(accounts::authenticate(app.context(), token).await?.map(Arc::new))
}

/// Browsers accept the `__Host-` prefix only with `Secure`, `Path=/` and no domain: no sister
/// domain can plant a cookie of that name.
fn cookie_name(app: &App) -> &'static str {
    if app.config().secure_cookies { "__Host-daohu_session" } else { "daohu_session" }
}

fn cookie(app: &App, token: &str, seconds: i64) -> String {
    let secure = if app.config().secure_cookies { "; Secure" } else { "" };
    let name = cookie_name(app);
    format!("{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}")
}

#[cfg(test)]
mod tests {
    use daohu_base::{Day, Timestamp};

    use super::*;
    use crate::{
        accounts::User,
        http::{HttpConfig, app::testing},
    };

    fn area(code: &str) -> AreaCode {
        AreaCode::parse(code).unwrap()
    }

    fn user() -> User {
        let at = Timestamp(0);
        User {
            id: "1".into(),
            name: "li.na".into(),
            display_name: "李娜".into(),
            must_change: false,
            is_locked: false,
            locked_until: None,
            password_at: at,
            created_at: at,
            created_by: "system".into(),
            updated_at: at,
            version: 1,
            second_factor_at: None,
        }
    }

    fn grant(role: &str, code: Option<&str>) -> Grant {
        Grant {
            id: role.into(),
            user_id: "1".into(),
            role: role.into(),
            area: code.map(area),
            starts_on: Day::parse("2020-01-01").unwrap(),
            ends_on: None,
            created_at: Timestamp(0),
            created_by: "system".into(),
            version: 1,
        }
    }

    #[tokio::test]
    async fn rights_of_different_grants_do_not_combine() {
        let (_scratch, app) = testing::app(HttpConfig::default()).await;
        let session = |grants| {
            let who = SignedIn { user: user(), grants, token_hash: String::new() };
            let address = IpAddr::from([198, 51, 100, 7]);
            Session { app: app.clone(), who: Arc::new(who), address }
        };
        let clerk = grant("village_clerk", Some("990101100"));
        let two = session(vec![grant("leader", Some("98")), clerk]);

        let reads = two.require(Right::RegistryRead).unwrap();
        assert_eq!(reads.scope, Scope::of([area("98"), area("990101100")]));
        assert_eq!(reads.actor.authority, "leader@98,village_clerk@990101100");
        let writes = two.require(Right::RegistryWrite).unwrap();
        assert_eq!(writes.scope, Scope::of([area("990101100")]));
        assert_eq!(writes.actor.authority, "village_clerk@990101100");
        assert!(two.require(Right::RegistryReveal).is_err());

        let act = reads.act_in(&area("980101")).unwrap();
        assert_eq!(act.actor.authority, "leader@98");
        assert!(reads.act_in(&area("99")).is_err());
        assert!(writes.act_in(&area("980101")).is_err());

        let admin = session(vec![grant("security_admin", None)]);
        assert_eq!(admin.require(Right::GrantsManage).unwrap().scope, Scope::nothing());
        assert!(admin.require(Right::RegistryRead).is_err());
        assert_eq!(two.own().scope, Scope::nothing());
    }
}
