//! Who a request comes from, by address.

use std::net::{IpAddr, Ipv6Addr};

use accept::Peer;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The header in which proxies say whom they speak for: each adds the address it was called from at the end.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address a request comes from. Among the request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client(pub IpAddr);

/// An address, or one /64 of IPv6, which one subscriber has to himself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Neighbourhood(IpAddr);

impl Client {
    /// Put there by the layer in front. Without one, nobody in particular.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get::<Self>().copied().unwrap_or(Self(IpAddr::V6(Ipv6Addr::UNSPECIFIED)))
    }

    /// What limits are by. `None` where it says nothing about who calls: everybody at this machine and every proxy on it
    /// has the same address.
    pub fn neighbourhood(self) -> Option<Neighbourhood> {
        match self.0 {
            address if address.is_loopback() || address.is_unspecified() => None,
            address @ IpAddr::V4(_) => Some(Neighbourhood(address)),
            IpAddr::V6(address) => {
                let prefix = u128::from(address) & (u128::MAX << 64);
                Some(Neighbourhood(IpAddr::V6(Ipv6Addr::from(prefix))))
            }
        }
    }
}

/// Proxies whose word counts for whom a request comes from. Nobody's does otherwise: anybody can send the header.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Proxies with addresses of these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Who the request comes from: the peer, or, if it is a proxy of ours, the last address in `x-forwarded-for` that is
    /// not. What stands before that one was sent by the client, and may be anything.
    pub fn client(&self, peer: Peer, headers: &HeaderMap) -> Client {
        let peer = peer.0.ip().to_canonical();
        if !self.trust(peer) {
            return Client(peer);
        }
        let values = headers.get_all(FORWARDED_FOR).iter().rev();
        let mut nearest = peer;
        for entry in values.flat_map(|value| value.to_str().unwrap_or("?").rsplit(',')) {
            // Some write a port as well.
            let entry = entry.trim();
            let address =
                entry.parse::<IpAddr>().or_else(|_| entry.parse().map(|socket: std::net::SocketAddr| socket.ip()));
            let Ok(address) = address else { break };
            nearest = address.to_canonical();
            if !self.trust(nearest) {
                break;
            }
        }
        Client(nearest)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn client(proxies: &[&str], peer: &str, forwarded: &[&str]) -> String {
        let proxies = TrustedProxies::new(proxies.iter().map(|network| network.parse().unwrap()).collect());
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        headers.insert("x-real-ip", "6.6.6.6".parse().unwrap());
        headers.insert("forwarded", "for=6.6.6.6".parse().unwrap());
        proxies.client(Peer(peer.parse().unwrap()), &headers).0.to_string()
    }

    #[test]
    fn a_header_counts_from_a_trusted_proxy_only_and_from_its_end() {
        let proxies = &["10.0.0.0/8", "fd00::/8"][..];
        for (proxies, peer, forwarded, expected) in [
            (&[][..], "192.0.2.1:9", &["6.6.6.6"][..], "192.0.2.1"),
            (&[], "127.0.0.1:9", &["6.6.6.6"], "127.0.0.1"),
            (proxies, "192.0.2.1:9", &["6.6.6.6"], "192.0.2.1"),
            (proxies, "10.0.0.1:9", &[], "10.0.0.1"),
            (proxies, "10.0.0.1:9", &["198.51.100.7"], "198.51.100.7"),
            (proxies, "[::ffff:10.0.0.1]:9", &["::ffff:198.51.100.7"], "198.51.100.7"),
            (proxies, "10.0.0.1:9", &["6.6.6.6, 198.51.100.7"], "198.51.100.7"),
            (proxies, "10.0.0.1:9", &["6.6.6.6, 198.51.100.7, 10.2.0.1,fd00::2"], "198.51.100.7"),
            (proxies, "10.0.0.1:9", &["6.6.6.6", "198.51.100.7", "10.2.0.1"], "198.51.100.7"),
            (proxies, "10.0.0.1:9", &["198.51.100.7:4711"], "198.51.100.7"),
            (proxies, "10.0.0.1:9", &["[2001:db8::1]:4711"], "2001:db8::1"),
            // What is no address ends the search: the proxy itself is to blame then.
            (proxies, "10.0.0.1:9", &["6.6.6.6, unknown"], "10.0.0.1"),
            (proxies, "10.0.0.1:9", &["6.6.6.6, unknown, 10.2.0.1"], "10.2.0.1"),
            (proxies, "10.0.0.1:9", &["", "a,b"], "10.0.0.1"),
            (proxies, "10.0.0.1:9", &["10.0.0.2, 10.0.0.3"], "10.0.0.2"),
        ] {
            assert_eq!(client(proxies, peer, forwarded), expected, "{proxies:?} {peer} {forwarded:?}");
        }
    }

    #[test]
    fn a_subscriber_has_many_addresses_and_one_neighbourhood() {
        let of = |address: &str| Client(address.parse().unwrap()).neighbourhood();
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:2"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        for shared in ["127.0.0.1", "127.1.2.3", "::1", "::"] {
            assert_eq!(of(shared), None, "{shared}");
        }
    }
}
