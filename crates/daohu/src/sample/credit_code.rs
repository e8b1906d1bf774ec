//! Made-up 统一社会信用代码 (GB 32100) that cannot be anybody's: the area part begins with 99,
//! which is not assigned. Both check characters, that of the organisation code within (GB 11714)
//! and that of the whole, are right.

/// The characters of GB 32100 by value: digits and letters without I, O, S, V and Z.
const CHARACTERS: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";
const MODULUS: usize = 31;
/// Each place weighs three times the one before it.
const FACTOR: usize = 3;

const ORGANISATION_WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
const ORGANISATION_CHECKS: &[u8; 11] = b"0X987654321";

/// The code of the unit with this serial number in the county of this place among all counties.
/// `authority` are the first two characters: who registered the unit, and as what.
pub(super) fn credit_code(authority: &str, county_rank: u32, serial: u64) -> String {
    let body = format!("{serial:08}");
    let organisation = organisation_check(&body);
    let mut code = format!("{authority}{}{body}{organisation}", 990_000 + county_rank);
    code.push(check(&code));
    code
}

/// GB 11714: of the eight digits before it.
fn organisation_check(body: &str) -> char {
    let digits = body.chars().filter_map(|digit| digit.to_digit(10));
    let sum: u32 = digits.zip(ORGANISATION_WEIGHTS).map(|(digit, weight)| digit * weight).sum();
    let at = usize::try_from(sum).unwrap_or(0) % ORGANISATION_CHECKS.len();
    char::from(ORGANISATION_CHECKS.get(at).copied().unwrap_or(b'0'))
}

/// GB 32100: of the seventeen characters before it.
fn check(code: &str) -> char {
    let mut weight = 1;
    let mut sum = 0;
    for byte in code.bytes() {
        sum += weight * CHARACTERS.iter().position(|known| *known == byte).unwrap_or(0);
        weight = weight * FACTOR % MODULUS;
    }
    let at = (MODULUS - sum % MODULUS) % MODULUS;
    char::from(CHARACTERS.get(at).copied().unwrap_or(b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standards_own_example() {
        assert_eq!(check("91350100M000100Y4"), '3');
    }

    #[test]
    fn the_organisation_code_within_has_its_check_character() {
        // 3·1 = 3 and 11 - 3 = 8; sums of 0 and 1 modulo 11 give 0 and X.
        assert_eq!(organisation_check("10000000"), '8');
        assert_eq!(organisation_check("00000000"), '0');
        assert_eq!(organisation_check("00000040"), '6');
        assert_eq!(organisation_check("00000030"), 'X');
        assert_eq!(credit_code("11", 42, 10_000_000).get(..17), Some("11990042100000008"));
    }
}
