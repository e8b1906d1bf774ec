//! What one-time codes of a second factor are made and checked by.

use schemars::JsonSchema;
use serde::Deserialize;

/// Parameters of one-time codes (RFC 6238 over RFC 4226).
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each name says its unit; the pack says the source")]
pub struct SecondFactor {
    pub source: String,
    /// What authenticators show beside the user's name.
    pub issuer: String,
    pub algorithm: Algorithm,
    pub secret_bytes: usize,
    pub digits: u32,
    pub step_seconds: i64,
    /// How many steps a telephone's clock may be before or behind.
    pub skew_steps: i64,
    pub recovery_codes: usize,
    pub attempts_per_minute: u32,
}

/// What codes are computed with: the one that every authenticator knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// HMAC-SHA-1.
    #[serde(rename = "SHA1")]
    Sha1,
}

impl Algorithm {
    /// As authenticators are told.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
        }
    }
}

impl SecondFactor {
    /// Why the values cannot be used, if they cannot.
    pub(crate) fn check(&self) -> Result<(), String> {
        // RFC 4226, requirements R4 and R6, and the most that authenticators show.
        if !(6..=8).contains(&self.digits) {
            return Err("[second_factor] digits must be 6, 7 or 8".to_owned());
        }
        if self.secret_bytes < 16 {
            return Err("[second_factor] secret_bytes must be 16 or more".to_owned());
        }
        if self.step_seconds < 1 || self.skew_steps < 0 {
            let says = "[second_factor] step_seconds must be 1 or more, skew_steps 0 or more";
            return Err(says.to_owned());
        }
        Ok(())
    }
}
