//! Passwords: hashing, checking, making initial ones; ids and tokens.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};
use daohu_base::{Masked, Timestamp};
use daohu_policy::Security;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::model::invalid;
use crate::{
    Error, FieldError,
    keys::{KeyError, hex},
};

/// Hashing reads the whole password: a bound keeps a request from buying much of our time.
const PASSWORD_BYTES_MAX: usize = 512;

/// What one hash costs (argon2id).
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Memory.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Hashes computed at once; the others wait.
    pub at_once: usize,
}

impl Default for Cost {
    /// OWASP's second choice of equal strength: 19 MiB and two passes.
    fn default() -> Self {
        Self { memory_kib: 19 * 1024, passes: 2, at_once: 2 }
    }
}

/// Hashes passwords on threads that may block, only so many at once: a flood of sign-ins must not
/// take the machine's memory.
#[derive(Clone)]
pub struct Passwords {
    argon: Argon2<'static>,
    places: Arc<Semaphore>,
    /// The hash that a password of nobody is compared with.
    nobody: Arc<str>,
}

impl Passwords {
    /// Hashing at this cost.
    pub fn new(cost: Cost) -> Result<Self, Error> {
        let params = Params::new(cost.memory_kib, cost.passes, 1, None).map_err(|_| broken())?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        // Made up rather than computed: to compare with it takes as long, to start a command does not.
        let (salt, output) = (random::<16>()?, random::<32>()?);
        let [salt, output] = [&salt[..], &output[..]].map(|bytes| STANDARD_NO_PAD.encode(bytes));
        let Cost { memory_kib, passes, .. } = cost;
        let nobody = format!("$argon2id$v=19$m={memory_kib},t={passes},p=1${salt}${output}").into();
        Ok(Self { argon, places: Arc::new(Semaphore::new(cost.at_once.max(1))), nobody })
    }

    /// The hash to store.
    pub(super) async fn hash(&self, password: &Masked) -> Result<String, Error> {
        let password = password.clone();
        self.compute(move |argon| hash(argon, &password.0)).await?
    }

    /// True if this is the password behind the hash. Without a hash it takes as long, and is false.
    pub(super) async fn verify(
        &self,
        password: &Masked,
        stored: Option<&str>,
    ) -> Result<bool, Error> {
        let (password, known) = (password.clone(), stored.is_some());
        let stored = stored.unwrap_or(&self.nobody).to_owned();
        let is_right = move |argon: &Argon2<'_>| {
            let stored = PasswordHash::new(&stored).map_err(|_| broken())?;
            Ok::<_, Error>(argon.verify_password(password.0.as_bytes(), &stored).is_ok())
        };
        Ok(self.compute(is_right).await?? && known)
    }

    async fn compute<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Argon2<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| broken())?;
        let argon = self.argon.clone();
        // The place goes with the work: it is not free before the thread is.
        let run = move || {
            let result = work(&argon);
            drop(place);
            result
        };
        tokio::task::spawn_blocking(run).await.map_err(|_| broken())
    }
}

fn hash(argon: &Argon2<'_>, password: &str) -> Result<String, Error> {
    let hash = argon.hash_password(password.as_bytes()).map_err(|_| broken())?;
    Ok(hash.to_string())
}

/// Hashing fails only for want of memory or random numbers.
fn broken() -> Error {
    Error::Key(KeyError::Random)
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| broken())?;
    Ok(bytes)
}

pub(super) fn random_bytes(count: usize) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; count];
    getrandom::fill(&mut bytes).map_err(|_| broken())?;
    Ok(bytes)
}

/// A new session token: 256 random bits.
pub(super) fn token() -> Result<String, Error> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// How a token is stored and looked up. It has all the bits of a key: a plain hash is enough.
pub(super) fn token_hash(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// A new id: UUIDv7 of this instant.
pub(crate) fn new_id(at: Timestamp) -> Result<String, Error> {
    let ms = u64::try_from(at.0).unwrap_or_default();
    let id = uuid::Builder::from_unix_timestamp_millis(ms, &random::<10>()?);
    Ok(id.into_uuid().to_string())
}

/// Whether the policy allows this password. `column` names the field that it was sent in.
pub(super) fn check_password(
    column: &str,
    password: &str,
    name: &str,
    limits: &Security,
) -> Result<(), Error> {
    let kinds: [fn(char) -> bool; 4] =
        [char::is_lowercase, char::is_uppercase, char::is_numeric, |c| {
            !c.is_lowercase() && !c.is_uppercase() && !c.is_numeric()
        }];
    let classes = kinds.into_iter().filter(|is| password.chars().any(is)).count();
    let beyond = |code, limit: usize| {
        let limit = u64::try_from(limit).unwrap_or_default();
        Err(Error::Invalid(vec![FieldError::beyond(column, code, limit)]))
    };
    if password.len() > PASSWORD_BYTES_MAX {
        return beyond("password.too_long", PASSWORD_BYTES_MAX);
    }
    if password.chars().count() < limits.password_min_characters {
        return beyond("password.too_short", limits.password_min_characters);
    }
    let code = if classes < limits.password_min_classes {
        "password.too_simple"
    } else if password.eq_ignore_ascii_case(name) {
        "password.is_name"
    } else {
        return Ok(());
    };
    Err(invalid(column, code))
}

/// Letters and digits that are not taken for each other on paper.
const LETTERS: &[u8; 56] = b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const GROUP: usize = 5;
const GROUPS_MIN: usize = 4;
/// One in a thousand passwords lacks a class of characters; so many in a row do not happen.
const ATTEMPTS_MAX: usize = 64;

/// A password for the first sign-in, in groups that can be read out.
pub(super) fn initial_password(name: &str, limits: &Security) -> Result<Masked, Error> {
    let groups = GROUPS_MIN.max(limits.password_min_characters.div_ceil(GROUP));
    for _ in 0..ATTEMPTS_MAX {
        let mut password = String::new();
        while password.len() < groups * (GROUP + 1) - 1 {
            if password.len() % (GROUP + 1) == GROUP {
                password.push('-');
            }
            let [byte] = random()?;
            // Bytes past the last whole round of letters would make the first letters likelier.
            let fair = 256 / LETTERS.len() * LETTERS.len();
            let letter = Some(usize::from(byte)).filter(|byte| *byte < fair);
            let letter = letter.and_then(|byte| LETTERS.get(byte % LETTERS.len()));
            password.extend(letter.map(|letter| char::from(*letter)));
        }
        if check_password("password", &password, name, limits).is_ok() {
            return Ok(Masked(password));
        }
    }
    Err(broken())
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;

    use super::*;

    #[test]
    fn what_nobodys_password_is_compared_with_costs_what_others_do() {
        let cost = Cost { memory_kib: 64, passes: 2, at_once: 1 };
        let passwords = Passwords::new(cost).unwrap();
        let real = hash(&passwords.argon, "x").unwrap();
        let [nobody, real] =
            [&*passwords.nobody, &real].map(|text| PasswordHash::new(text).unwrap());
        assert_eq!((nobody.algorithm, nobody.version), (real.algorithm, real.version));
        assert_eq!(nobody.params, real.params);
        let bytes = |hash: &PasswordHash| hash.hash.as_ref().unwrap().as_bytes().len();
        assert_eq!(bytes(&nobody), bytes(&real));
    }

    #[tokio::test]
    async fn only_the_right_password_of_somebody_is_right() {
        let cost = Cost { memory_kib: 8, passes: 1, at_once: 1 };
        let passwords = Passwords::new(cost).unwrap();
        let secret = Masked("Harvest-2020".into());
        let stored = passwords.hash(&secret).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=8,t=1,p=1$"));
        assert!(passwords.verify(&secret, Some(&stored)).await.unwrap());
        assert!(!passwords.verify(&Masked("x".into()), Some(&stored)).await.unwrap());
        assert!(!passwords.verify(&secret, None).await.unwrap());
    }

    /// What the policy says of the password.
    fn code(password: &str, name: &str) -> &'static str {
        let policy = Policy::embedded().unwrap();
        match check_password("new", password, name, policy.security()) {
            Ok(()) => "ok",
            Err(Error::Invalid(fields)) => fields[0].code,
            Err(_) => "other",
        }
    }

    #[test]
    fn passwords_have_length_and_variety() {
        for (password, expected) in [
            ("Harvest-2020", "ok"),
            ("收成很好ABC123", "ok"),
            ("Har-2020", "password.too_short"),
            ("harvestharvest", "password.too_simple"),
            ("Clerk-500242", "password.is_name"),
        ] {
            assert_eq!(code(password, "clerk-500242"), expected, "{password}");
        }
        assert_eq!(code(&"Aa1".repeat(200), "x"), "password.too_long");
    }

    #[test]
    fn initial_passwords_obey_the_policy_and_differ() {
        let policy = Policy::embedded().unwrap();
        let make = || initial_password("li.na", policy.security()).unwrap().0;
        let password = make();
        assert_eq!(password.len(), 23);
        assert!(password.split('-').all(|group| group.len() == GROUP));
        assert_ne!(password, make());
    }

    #[test]
    fn ids_carry_their_time_and_tokens_256_bits() {
        let id = new_id(Timestamp(1_700_000_000_000)).unwrap();
        assert!(id.starts_with("018bcfe5-6800-7"), "{id}");
        assert_eq!(token().unwrap().len(), 43);
        assert_eq!(token_hash("a").len(), 64);
    }
}
