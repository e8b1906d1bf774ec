//! One-time codes: RFC 6238 over RFC 4226. Pure.

use daohu_base::Timestamp;
use daohu_policy::SecondFactor;
use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sha1::Sha1;

const SECOND_MS: i64 = 1_000;
/// Bytes of a recovery code: nobody guesses 80 bits.
pub(super) const RECOVERY_BYTES: usize = 10;
/// Letters of a group of a recovery code.
const GROUP: usize = 4;
/// What somebody types as a code is no longer than this.
const TYPED_BYTES_MAX: usize = 64;

/// The step whose code was given: one of those around now that a telephone's clock may show, and later
/// than the last that was accepted.
pub(super) fn step_of(
    secret: &[u8],
    given: &str,
    now: Timestamp,
    last_step: i64,
    rules: &SecondFactor,
) -> Option<i64> {
    let given: u32 = given.parse().ok()?;
    let step = now.0.div_euclid(SECOND_MS).div_euclid(rules.step_seconds);
    let around = step.saturating_sub(rules.skew_steps)..=step.saturating_add(rules.skew_steps);
    // Numbers, not texts: comparing them takes as long whatever they are.
    around.filter(|step| *step > last_step).find(|step| {
        u64::try_from(*step).ok().and_then(|step| code(secret, step, rules.digits)) == Some(given)
    })
}

/// The code of a step. None only where there are no such codes: of more digits than a number has.
fn code(secret: &[u8], step: u64, digits: u32) -> Option<u32> {
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash: [u8; 20] = mac.finalize().into_bytes().into();
    let [.., last] = hash;
    let at = usize::from(last & 0xf);
    let four: [u8; 4] = hash.get(at..at.checked_add(4)?)?.try_into().ok()?;
    Some((u32::from_be_bytes(four) & 0x7fff_ffff) % 10u32.checked_pow(digits)?)
}

/// True if this is the shape of a one-time code; whatever else is given may be a recovery code.
pub(super) fn is_one_time(given: &str, rules: &SecondFactor) -> bool {
    usize::try_from(rules.digits).is_ok_and(|digits| given.len() == digits)
        && given.bytes().all(|byte| byte.is_ascii_digit())
}

/// A code as people type it, without blanks and hyphens; empty where that is no code.
pub(super) fn typed(given: &str) -> String {
    if given.len() > TYPED_BYTES_MAX {
        return String::new();
    }
    let kept = given.chars().filter(|c| !c.is_whitespace() && *c != '-');
    kept.map(|c| c.to_ascii_uppercase()).collect()
}

/// The secret as an authenticator takes it from a keyboard.
pub(super) fn base32(secret: &[u8]) -> String {
    BASE32_NOPAD.encode(secret)
}

/// A recovery code, in groups that can be read out.
pub(super) fn recovery_code(random: &[u8; RECOVERY_BYTES]) -> String {
    let letters: Vec<char> = base32(random).chars().collect();
    let groups: Vec<String> = letters.chunks(GROUP).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

/// The secret as an authenticator takes it from a picture.
pub(super) fn uri(secret: &[u8], name: &str, rules: &SecondFactor) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let (issuer, name, secret) = (encoded(&rules.issuer), encoded(name), base32(secret));
    let SecondFactor { digits, step_seconds, .. } = rules;
    let algorithm = rules.algorithm.as_str();
    format!(
        "otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}&algorithm={algorithm}\
         &digits={digits}&period={step_seconds}"
    )
}

#[cfg(test)]
mod tests {
    use daohu_policy::Policy;

    use super::*;

    /// The secret of the RFCs' examples.
    const SECRET: &[u8] = concat!("1234567890", "1234567890").as_bytes();

    fn rules() -> SecondFactor {
        Policy::embedded().unwrap().second_factor().clone()
    }

    #[test]
    fn codes_are_those_of_rfc_6238() {
        // Appendix B, the rows of SHA-1: eight digits.
        let rules = SecondFactor { digits: 8, skew_steps: 0, ..rules() };
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            let now = Timestamp(seconds * SECOND_MS);
            assert_eq!(step_of(SECRET, code, now, -1, &rules), Some(seconds / 30), "{code}");
            assert_eq!(step_of(b"another", code, now, -1, &rules), None, "{code}");
        }
    }

    #[test]
    fn codes_are_those_of_rfc_4226() {
        let codes = [755_224, 287_082, 359_152, 969_429, 338_314, 254_676, 287_922, 162_583];
        for (step, expected) in (0..).zip(codes) {
            assert_eq!(code(SECRET, step, 6), Some(expected), "{step}");
        }
    }

    #[test]
    fn a_clock_may_be_one_step_off_and_no_step_comes_twice() {
        let (rules, now) = (rules(), Timestamp(90 * SECOND_MS + 29_999));
        // The steps 1 to 5; the present one is 3.
        let codes = ["287082", "359152", "969429", "338314", "254676"];
        let found = |last| codes.map(|code| step_of(SECRET, code, now, last, &rules));
        assert_eq!(found(-1), [None, Some(2), Some(3), Some(4), None]);
        assert_eq!(found(2), [None, None, Some(3), Some(4), None]);
        assert_eq!(found(4), [None; 5]);
        assert_eq!(step_of(SECRET, "", now, -1, &rules), None);
        assert_eq!(step_of(SECRET, "x69429", now, -1, &rules), None);
    }

    #[test]
    fn codes_are_told_apart_and_typed_as_people_do() {
        let rules = rules();
        assert_eq!(typed(" 969 429 "), "969429");
        assert!(is_one_time("969429", &rules));
        for other in ["96942", "9694290", "96942x", "９６９４２９", ""] {
            assert!(!is_one_time(&typed(other), &rules), "{other}");
        }
        let code = recovery_code(b"0123456789");
        assert_eq!(code, "GAYT-EMZU-GU3D-OOBZ");
        assert_eq!(typed(&code.to_lowercase()), "GAYTEMZUGU3DOOBZ");
        assert_eq!(typed(&"9".repeat(65)), "");
    }

    #[test]
    fn authenticators_are_told_all_they_need() {
        let rules = SecondFactor { issuer: "到户 A".to_owned(), ..rules() };
        assert_eq!(
            uri(SECRET, "li.na", &rules),
            "otpauth://totp/%E5%88%B0%E6%88%B7%20A:li%2Ena?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=%E5%88%B0%E6%88%B7%20A&algorithm=SHA1&digits=6&period=30"
        );
    }
}
