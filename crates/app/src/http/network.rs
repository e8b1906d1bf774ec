//! Who calls: address, language and trace id of a request.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
    sync::{Arc, OnceLock},
};

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::{Extensions, HeaderMap, header, request::Parts},
};

use crate::{Lang, keys::hex};

/// What is known of a request before anybody looks at its path.
#[derive(Clone, Debug)]
pub struct Caller {
    /// Names the request in the log.
    pub trace_id: String,
    /// Where it comes from, seen through the trusted proxies.
    pub address: IpAddr,
    /// The language of the answer.
    pub lang: Lang,
    /// The id of the signed-in user, once known: for the access log.
    pub(super) user_id: Arc<OnceLock<String>>,
}

/// A block of addresses: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    bits: u128,
    prefix: u32,
}

/// The text is not a block of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a block of addresses as 10.0.0.0/8 or 2001:db8::/32")]
pub struct BadCidr;

impl Caller {
    pub(super) fn new(headers: &HeaderMap, extensions: &Extensions, trusted: &[Cidr]) -> Self {
        let mut random = [0; 8];
        // Without random numbers traces share a name; requests are still served.
        let _ = getrandom::fill(&mut random);
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        let peer = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
        let wanted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Self {
            trace_id: hex(&random),
            address: client_address(peer, headers, trusted),
            lang: language(wanted.unwrap_or_default()),
            user_id: Arc::default(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let known = parts.extensions.get().cloned();
        Ok(known.unwrap_or_else(|| Self::new(&parts.headers, &parts.extensions, &[])))
    }
}

/// The nearest address that is not one of our proxies: what stands left of it in the header, its
/// sender may have made up.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Cidr]) -> IpAddr {
    let is_ours = |address: &IpAddr| trusted.iter().any(|block| block.contains(*address));
    let peer = peer.to_canonical();
    if !is_ours(&peer) {
        return peer;
    }
    let values = headers.get_all("x-forwarded-for").into_iter().rev();
    let hops = values.filter_map(|value| value.to_str().ok()).flat_map(|text| text.rsplit(','));
    let mut nearest = peer;
    for hop in hops {
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        nearest = hop.to_canonical();
        if !is_ours(&nearest) {
            break;
        }
    }
    nearest
}

/// English if it is preferred to Chinese; Chinese otherwise.
fn language(accepted: &str) -> Lang {
    let weight = |name: &str| {
        accepted
            .split(',')
            .filter_map(|part| {
                let (tag, q) = part.trim().split_once(";q=").unwrap_or((part.trim(), "1"));
                let primary = tag.split('-').next().unwrap_or_default();
                primary.eq_ignore_ascii_case(name).then(|| q.trim().parse::<f32>().ok())?
            })
            .fold(0.0, f32::max)
    };
    if weight("en") > weight("zh") { Lang::En } else { Lang::Zh }
}

impl Cidr {
    /// True if the address lies in the block.
    pub fn contains(self, address: IpAddr) -> bool {
        let differing = self.bits ^ bits(address);
        differing.leading_zeros() >= self.prefix
    }
}

impl FromStr for Cidr {
    type Err = BadCidr;

    fn from_str(text: &str) -> Result<Self, BadCidr> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse().map_err(|_| BadCidr)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| BadCidr)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix: u32 = prefix.unwrap_or(width);
        // An IPv4 block is one of IPv4-mapped IPv6 addresses: one arithmetic for both.
        (prefix <= width)
            .then(|| Self { bits: bits(address), prefix: 128 - width + prefix })
            .ok_or(BadCidr)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed_and_only_the_nearest_stranger() {
        let trusted: Vec<Cidr> = ["10.0.0.0/8", "::1"].map(|text| text.parse().unwrap()).into();
        for (peer, forwarded, expected) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.2.3.4", "198.51.100.1"),
            ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("::1", "2001:db8::7", "2001:db8::7"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
            let seen = client_address(peer.parse().unwrap(), &headers, &trusted);
            assert_eq!(seen.to_string(), expected, "{peer} {forwarded}");
        }
    }

    #[test]
    fn blocks_are_read_and_refused() {
        let block: Cidr = "192.168.4.0/22".parse().unwrap();
        assert!(block.contains("192.168.7.255".parse().unwrap()));
        assert!(!block.contains("192.168.8.0".parse().unwrap()));
        let all: Cidr = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("8.8.8.8".parse().unwrap()));
        assert!(!all.contains("2001:db8::1".parse().unwrap()));
        for bad in ["10.0.0.0/33", "10.0.0/8", "", "::1/129", "::1/-1"] {
            assert_eq!(bad.parse::<Cidr>(), Err(BadCidr), "{bad}");
        }
    }

    #[test]
    fn chinese_unless_english_is_preferred() {
        for (accepted, expected) in [
            ("", Lang::Zh),
            ("en", Lang::En),
            ("zh-CN,zh;q=0.9,en;q=0.8", Lang::Zh),
            ("en-GB,en;q=0.9,zh;q=0.5", Lang::En),
            ("fr", Lang::Zh),
        ] {
            assert_eq!(language(accepted), expected, "{accepted}");
        }
    }
}
